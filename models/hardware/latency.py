"""How long a call takes: warm-up, many repeats, median and spread, with a stated thread count."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fadeline.models.hardware.network_cost import NetworkCost

BATCHES = (1, 2, 4, 8, 16)
"""Batch sizes that stages are measured at."""

TAIL = 1.6448536269514722
"""Distance of the 95th percentile of a normal distribution from its mean, in deviations."""

Call = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to measure one call.

    Attributes:
        warmup_s: Calls are made for this long before any counts, and at least two of them.
        measure_s: Calls are timed for this long.
        at_least: Fewest timed calls, however long they take.
        at_most: Most timed calls, however short they are.
    """

    warmup_s: float = 0.2
    measure_s: float = 1.0
    at_least: int = 10
    at_most: int = 2000


QUICK = Effort(warmup_s=0.02, measure_s=0.1, at_least=5)
"""Enough to see that everything runs; not to be quoted."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Times of repeated calls.

    Attributes:
        repeats: Number of timed calls.
        median_s: Median, seconds.
        p5_s: 5th percentile, seconds.
        p95_s: 95th percentile, seconds.
        jitter: Deviation of the lognormal with these two percentiles: ln(p95 / p5) / 3.29. A
            simulated time is median x exp(jitter x z) with z standard normal, so its median is the
            measured one. A few interrupted calls do not move it, as they would a variance.
    """

    repeats: int
    median_s: float
    p5_s: float
    p95_s: float
    jitter: float


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of handling clips that is measured, such as encode, decode or classify.

    Attributes:
        name: As written in profiles.
        prepare: Returns, for a batch size, a call that handles one such batch; what it needs is
            made beforehand and not timed.
        cost: Returns, for a batch size, what the networks of the stage cost, so that the rule can
            be checked on it; None for a stage that is more than networks.
        batches: Batch sizes to measure.
    """

    name: str
    prepare: Callable[[int], Call]
    cost: "Callable[[int], NetworkCost] | None" = None
    batches: tuple[int, ...] = BATCHES


def time_call(call: Call, effort: Effort) -> Timing:
    """Return the times of a call that is made again and again.

    Args:
        call: What is timed.
        effort: How long to warm up and to measure.
    """
    began_s = time.perf_counter()
    warm = 0
    while warm < 2 or time.perf_counter() - began_s < effort.warmup_s:
        call()
        warm += 1
    durations_s: list[float] = []
    began_s = time.perf_counter()
    while len(durations_s) < effort.at_least or (
        len(durations_s) < effort.at_most and time.perf_counter() - began_s < effort.measure_s
    ):
        start_s = time.perf_counter()
        call()
        durations_s.append(time.perf_counter() - start_s)
    return timing_of(durations_s)


def timing_of(durations_s: Sequence[float]) -> Timing:
    """Return median and spread of measured times.

    Args:
        durations_s: At least one, positive, seconds.

    Example:
        >>> timing_of([0.25, 0.25, 0.25])
        Timing(repeats=3, median_s=0.25, p5_s=0.25, p95_s=0.25, jitter=0.0)
    """
    p5_s, median_s, p95_s = map(float, np.quantile(durations_s, (0.05, 0.5, 0.95)))
    jitter = math.log(p95_s / p5_s) / (2 * TAIL)
    return Timing(len(durations_s), median_s, p5_s, p95_s, jitter)


@contextmanager
def torch_threads(threads: int) -> Iterator[None]:
    """Let torch use this many threads, and as many as before afterwards.

    Args:
        threads: Threads of one operation, at least 1.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
