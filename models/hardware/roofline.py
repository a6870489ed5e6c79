"""How long a network takes on a machine: the roofline rule, and its fit to measured times.

    latency = max(FLOPs / sustained rate, bytes / memory bandwidth) + overhead

after Williams, Waterman and Patterson, "Roofline: An Insightful Visual Performance Model for
Multicore Architectures", CACM 52(4), 2009, with sustained instead of peak rates, and an overhead
for every call. A network is treated as one kernel: where one of its layers waits for memory and the
next for arithmetic the rule is too fast, which a fitted rate makes up for on average.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fadeline.models.errors import ProfileError

LEAST_OVERHEAD_S = 1e-9
"""A fitted overhead below this, a few cycles of a processor, stands for none."""


@dataclass(frozen=True, slots=True)
class Roofline:
    """What the rule needs to know of a machine.

    Attributes:
        sustained_flops_per_s: Floating-point operations per second that networks reach; a
            multiply-add counts as two.
        memory_bandwidth_bytes_per_s: Bytes per second that networks move.
        overhead_s: Time of a call that computes nothing, seconds.
    """

    sustained_flops_per_s: float
    memory_bandwidth_bytes_per_s: float
    overhead_s: float

    def latency_s(self, flops: float, moved_bytes: float) -> float:
        """Return the time of one call, in seconds.

        Args:
            flops: Floating-point operations of the whole batch.
            moved_bytes: Bytes read and written for the whole batch.

        Raises:
            ValueError: If a number is negative or not finite.

        Example:
            >>> Roofline(1e9, 1e8, 0.001).latency_s(2e6, 1e5)
            0.003
        """
        for name, value in (("flops", flops), ("moved_bytes", moved_bytes)):
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name}: must be a finite number of at least 0, got {value}")
        compute_s = flops / self.sustained_flops_per_s
        memory_s = moved_bytes / self.memory_bandwidth_bytes_per_s
        return max(compute_s, memory_s) + self.overhead_s


@dataclass(frozen=True, slots=True)
class Observation:
    """A network at one batch size, and how long it took.

    Attributes:
        network: Name of the network.
        batch: Clips in the batch.
        flops: Floating-point operations of the batch.
        moved_bytes: Bytes read and written for the batch.
        measured_s: Median time, seconds.
    """

    network: str
    batch: int
    flops: float
    moved_bytes: float
    measured_s: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the rule said of a network that it had not seen.

    Attributes:
        observation: The network and its measured time.
        predicted_s: Time by the rule, seconds.
    """

    observation: Observation
    predicted_s: float

    @property
    def error(self) -> float:
        """Predicted over measured time, less 1."""
        return self.predicted_s / self.observation.measured_s - 1


def fit_roofline(observations: Sequence[Observation]) -> Roofline:
    """Return the rates and the overhead with the least squared log ratio of predicted to measured.

    Logarithms weigh a factor of two the same at a millisecond and at a second, fast or slow. Where
    nothing observed waits for memory, the bandwidth is only known to be large enough.

    Args:
        observations: At least three, with positive FLOPs, bytes and times.

    Raises:
        ProfileError: If there are fewer than three, or a number is not positive and finite.
    """
    from scipy.optimize import least_squares

    flops, moved_bytes, measured_s = _columns(observations)

    def residuals(log_roof: NDArray[np.float64]) -> NDArray[np.float64]:
        rate, bandwidth, overhead_s = np.exp(log_roof)
        predicted_s = np.maximum(flops / rate, moved_bytes / bandwidth) + overhead_s
        return np.asarray(np.log(predicted_s / measured_s))

    fits = [
        least_squares(residuals, np.log(start), xtol=1e-12, ftol=1e-12)
        for start in _starts(flops, moved_bytes, measured_s)
    ]
    best = min(fits, key=lambda fit: float(fit.cost))
    rate, bandwidth, overhead_s = map(float, np.exp(best.x))
    return Roofline(rate, bandwidth, overhead_s if overhead_s >= LEAST_OVERHEAD_S else 0.0)


def leave_one_out(observations: Sequence[Observation]) -> list[Prediction]:
    """Return a prediction of every observation by a fit to the other networks only.

    Args:
        observations: Of at least two networks; all batch sizes of a network are left out together.

    Raises:
        ProfileError: As `fit_roofline`, for what is left.
    """
    roofs = {
        network: fit_roofline([each for each in observations if each.network != network])
        for network in dict.fromkeys(each.network for each in observations)
    }
    return [predict(each, roofs[each.network]) for each in observations]


def predict(observation: Observation, roof: Roofline) -> Prediction:
    """Return what the rule says of an observed network."""
    return Prediction(observation, roof.latency_s(observation.flops, observation.moved_bytes))


def _columns(observations: Sequence[Observation]) -> tuple[NDArray[np.float64], ...]:
    if len(observations) < 3:
        raise ProfileError(
            f"{len(observations)} measured networks cannot fix the rule's three numbers; "
            "measure at least 3"
        )
    table = np.array([(each.flops, each.moved_bytes, each.measured_s) for each in observations])
    if not (np.isfinite(table).all() and (table > 0).all()):
        raise ProfileError("FLOPs, bytes and times of measured networks must be positive")
    return tuple(table.T)


def _starts(
    flops: NDArray[np.float64], moved_bytes: NDArray[np.float64], measured_s: NDArray[np.float64]
) -> Iterator[tuple[float, float, float]]:
    """Yield rates, bandwidths and overheads to start from: the fit has several local optima."""
    rates = np.quantile(flops / measured_s, (0.25, 0.5, 0.9))
    bandwidths = np.quantile(moved_bytes / measured_s, (0.25, 0.5, 0.9))
    overheads_s = measured_s.min() * np.array([0.01, 0.5])
    yield from itertools.product(rates, bandwidths, overheads_s)
