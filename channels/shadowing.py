"""Shadowing: slow Gaussian variation, in dB, that is correlated along the way travelled."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadowing:
    """Strength and reach of shadowing in one environment."""

    sigma_db: float  # standard deviation, dB
    correlation_distance_m: float  # correlation falls to 1/e over this distance, m


SHADOWING: Mapping[str, Shadowing] = MappingProxyType(
    {
        "umi-los": Shadowing(sigma_db=4.0, correlation_distance_m=10.0),
        "umi-nlos": Shadowing(sigma_db=7.82, correlation_distance_m=13.0),
        "uma-los": Shadowing(sigma_db=4.0, correlation_distance_m=37.0),
        "uma-nlos": Shadowing(sigma_db=6.0, correlation_distance_m=50.0),
    }
)
"""3GPP TR 38.901: sigma_SF of Table 7.4.1-1, correlation distance of SF of Table 7.5-6 Part-1."""


def correlated_shadowing_db(
    rng: np.random.Generator,
    travelled_m: NDArray[np.float64],
    sigma_db: float,
    correlation_distance_m: float,
) -> NDArray[np.float64]:
    """Return one draw of the shadowing along a path, to be added to the path loss.

    The values are jointly Gaussian with mean 0, standard deviation `sigma_db` and correlation
    exp(-|d_i - d_j| / correlation_distance_m), for any spacing. Equal distances share one value.

    Distance counts along the path: coming back to an old place meets new shadowing, and two
    devices at one place are independent.

    Args:
        rng: Source of the n normal draws.
        travelled_m: Distance travelled so far, shape (n,), non-decreasing, m.
        sigma_db: Standard deviation, not negative, dB.
        correlation_distance_m: Distance over which the correlation falls to 1/e, positive, m.

    Returns:
        Shadowing, shape (n,), dB.

    Raises:
        ValueError: If `travelled_m` is not one-dimensional, finite and non-decreasing, `sigma_db`
            is negative or `correlation_distance_m` is not positive (both finite).

    Source:
        3GPP TR 38.901, clause 7.4.4; Gudmundson, "Correlation Model for Shadow Fading in Mobile
        Radio Systems", Electronics Letters 27(23), 1991.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> correlated_shadowing_db(rng, np.array([0.0, 10.0, 10.0]), 4.0, 10.0).round(3)
        array([1.382, 3.565, 3.565])
    """
    steps_m = _checked_steps(travelled_m)
    if not (sigma_db >= 0.0 and np.isfinite(sigma_db)):
        raise ValueError(f"sigma_db must be finite and not negative, got {sigma_db}")
    if not (correlation_distance_m > 0.0 and np.isfinite(correlation_distance_m)):
        raise ValueError(
            f"correlation_distance_m must be positive and finite, got {correlation_distance_m}"
        )
    kept = np.exp(-steps_m / correlation_distance_m)
    fresh = np.sqrt(-np.expm1(-2.0 * steps_m / correlation_distance_m))  # sqrt(1 - kept²)
    return sigma_db * _gauss_markov(kept, fresh * rng.standard_normal(steps_m.size))


def _gauss_markov(kept: NDArray[np.float64], news: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return x with x[i] = kept[i] x[i-1] + news[i], starting from nothing."""
    pairs = zip(kept.tolist(), news.tolist(), strict=True)
    values = accumulate(pairs, lambda last, pair: pair[0] * last + pair[1], initial=0.0)
    return np.array(list(values)[1:], dtype=np.float64)


def _checked_steps(travelled_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the steps between the points; the first is infinite, as nothing came before it."""
    travelled = np.asarray(travelled_m, dtype=np.float64)
    if travelled.ndim != 1:
        raise ValueError(f"travelled_m must have shape (n,), got {travelled.shape}")
    if not np.isfinite(travelled).all():
        raise ValueError("travelled_m must be finite")
    steps = np.diff(travelled, prepend=-np.inf)
    if (steps < 0.0).any():
        where = int(np.argmax(steps < 0.0))
        raise ValueError(f"travelled_m must not decrease, but does at index {where}")
    return steps
