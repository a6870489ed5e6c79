"""One comparison of a simulated value with its closed form."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FALSE_ALARM = 1e-5
"""Chance that a right simulation fails a statistical check (our choice); with a hundred checks one
run in a thousand fails by chance."""


@dataclass(frozen=True, slots=True)
class Check:
    """A row of `fadeline verify`.

    Attributes:
        quantity: What is compared, with unit and parameters.
        theory: Value of the closed form or the standard.
        simulated: Value found by simulation.
        low: Smallest simulated value that agrees with theory.
        high: Largest simulated value that agrees with theory.
    """

    quantity: str
    theory: float
    simulated: float
    low: float
    high: float

    @property
    def passed(self) -> bool:
        """Whether the simulated value lies in the interval; NaN does not."""
        return bool(self.low <= self.simulated <= self.high)

    def as_row(self) -> dict[str, Any]:
        """Return the check as a mapping for JSON."""
        return {
            "quantity": self.quantity,
            "theory": float(self.theory),
            "simulated": float(self.simulated),
            "interval": [float(self.low), float(self.high)],
            "passed": self.passed,
        }

    def as_text(self) -> tuple[str, str, str, str, str]:
        """Return the check as the cells of a printed table."""
        return (
            self.quantity,
            f"{self.theory:.5g}",
            f"{self.simulated:.5g}",
            f"[{self.low:.5g}, {self.high:.5g}]",
            "yes" if self.passed else "NO",
        )


def mean_check(quantity: str, theory: float, samples: ArrayLike) -> Check:
    """Return the check that independent samples have a given mean, by Student's t.

    Args:
        quantity: What is compared.
        theory: Mean that the samples should have.
        samples: Independent samples, such as averages over one link each, shape (n,), n >= 2.

    Example:
        >>> mean_check("zero", 0.0, [-1.0, 1.0, -1.0, 1.0]).passed
        True
    """
    from scipy.special import stdtrit

    values = np.asarray(samples, dtype=np.float64)
    error = float(values.std(ddof=1)) / math.sqrt(values.size)
    reach = float(stdtrit(values.size - 1, 1.0 - FALSE_ALARM / 2.0)) * error
    return Check(quantity, theory, float(values.mean()), theory - reach, theory + reach)


def share_check(quantity: str, theory: float, hits: int, trials: int) -> Check:
    """Return the check that independent trials succeed with a given probability.

    The interval is exact: binomial quantiles at half of `FALSE_ALARM` on each side.

    Example:
        >>> share_check("coin", 0.5, 5040, 10_000).passed
        True
    """
    from scipy.special import bdtr

    counts = np.arange(trials + 1)
    below = bdtr(counts, trials, theory)  # P(X <= count)
    low = int(np.searchsorted(below, FALSE_ALARM / 2.0))
    high = int(np.searchsorted(below, 1.0 - FALSE_ALARM / 2.0))
    return Check(quantity, theory, hits / trials, low / trials, high / trials)


def distribution_check(quantity: str, probabilities: NDArray[np.float64]) -> Check:
    """Return the Kolmogorov-Smirnov check that independent samples follow a distribution.

    Args:
        quantity: What is compared.
        probabilities: Theoretical distribution function at each sample, any shape.

    Returns:
        A check on the largest distance between the distribution functions, whose theory is 0.

    Source:
        Massart, Annals of Probability 18(3), 1990: P(D > d) <= 2 exp(-2 n d^2).
    """
    ordered = np.sort(probabilities.ravel())
    ranks = np.arange(ordered.size + 1) / ordered.size
    distance = max(float(np.max(ranks[1:] - ordered)), float(np.max(ordered - ranks[:-1])))
    limit = math.sqrt(math.log(2.0 / FALSE_ALARM) / (2.0 * ordered.size))
    return Check(quantity, 0.0, distance, 0.0, limit)


def value_check(quantity: str, theory: float, value: float, *, tolerance: float) -> Check:
    """Return the check that a value without randomness is right up to a tolerance.

    Example:
        >>> value_check("pi", 3.1416, 3.14159265, tolerance=1e-4).passed
        True
    """
    return Check(quantity, theory, value, theory - tolerance, theory + tolerance)
