"""Intervals over replications against what is known of them in closed form."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from fadeline.channels.verification.check import Check, share_check
from fadeline.simulator.analysis.intervals import estimates
from fadeline.simulator.analysis.mean_interval import TAIL

_RUNS = 10
_DRAWS = 2000
_CLIPS = 4  # in each replication; all or none are right, so how many there are changes nothing


def interval_checks(rng: np.random.Generator) -> Iterator[Check]:
    """Yield the checks."""
    yield from _unanimous(rng)
    yield from _outages(rng)


def _unanimous(rng: np.random.Generator) -> Iterator[Check]:
    """Nothing seen in R trials: at most 1 - 0.025^(1/R) (Clopper and Pearson, 1934)."""
    expected = 1.0 - TAIL ** (1.0 / _RUNS)
    none = np.zeros((_RUNS, 1), dtype=np.int8)
    for what, range_ in (("no clip is right", (0.0, 1.0)), ("no difference is seen", (-1.0, 1.0))):
        found = _ends(none, rng, range_)[1, 0]
        yield Check(
            f"{_RUNS} replications agree that {what}: upper end of the interval",
            expected, float(found), expected - 1e-9, expected + 1e-9,
        )  # fmt: skip


def _outages(rng: np.random.Generator) -> Iterator[Check]:
    """An outage takes whole replications: the number of them is binomial.

    The interval is Clopper and Pearson's as long as fewer than four are lost, and holds the truth
    for just these numbers of them at the shares below.
    """
    for outage, most in ((0.05, 2), (0.1, 3)):
        expected = sum(_binomial(outage, lost) for lost in range(most + 1))
        assert betaincinv(most, _RUNS - most + 1, TAIL) < outage
        assert betaincinv(most + 1, _RUNS - most, TAIL) > outage
        works = (rng.random((_RUNS, _DRAWS)) >= outage).astype(np.int8)
        low, high = _ends(works, rng, (0.0, 1.0))
        hits = int(((low <= 1.0 - outage) & (1.0 - outage <= high)).sum())
        yield share_check(
            f"an outage takes {outage:.0%} of replications: intervals of {_RUNS} that hold it",
            expected, hits, _DRAWS,
        )  # fmt: skip


def _binomial(share: float, hits: int) -> float:
    from math import comb

    return comb(_RUNS, hits) * share**hits * (1.0 - share) ** (_RUNS - hits)


def _ends(
    right: NDArray[np.int8], rng: np.random.Generator, range_: tuple[float, float]
) -> NDArray[np.float64]:
    values = right.repeat(_CLIPS, axis=0)
    nowhere = np.full(len(values), -1)
    found = estimates(values, np.arange(_RUNS).repeat(_CLIPS), nowhere, rng, range_=range_)
    return np.stack([found.low, found.high])
