"""Intervals of a mean over clips that are neither independent of their run nor of their clip.

Clips of one replication share fades and queues; clips with the same data_index share pixels. Both
are clusters. Over replications alone, the interval is conditional on the test clips: what another
run would give. With clusters of both kinds it also covers other test clips.

Letters: n clips, R replications, D deadlines.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEVEL = 0.95

_MANY = 60  # replications from which on errors are known well enough to be drawn as one

_BAND_DRAWS = 2000  # the quantile is then good to about two percent (our choice)


@dataclass(frozen=True)
class Estimates:
    """Means with their 95 % intervals, each of shape (D,).

    Attributes:
        mean: Over all clips.
        low, high: Over replications; NaN for a single one.
        total_low, total_high: Over replications and test clips; NaN where there are no test clips
            or a single replication.
        error: Standard error over replications.
        total_error: Over replications and test clips; NaN where there are no test clips.
        residuals: How far the clips of each replication are from the mean together, (R, D).
    """

    mean: Floats
    low: Floats
    high: Floats
    total_low: Floats
    total_high: Floats
    error: Floats
    total_error: Floats
    residuals: Floats

    def band(self, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Return a band that holds the whole curve with 95 %: over test clips too, if known.

        The factor on the errors is the quantile of the largest of D correlated t variables, with
        the correlation of the replications (studentised max-t; Montiel Olea and Plagborg-Moller,
        "Simultaneous Confidence Bands", J. Applied Econometrics 34(1), 2019).
        """
        error = np.where(np.isnan(self.total_error), self.error, self.total_error)
        reach = max_t(self.residuals, rng) * error
        return self.mean - reach, self.mean + reach


def estimates(
    values: NDArray[np.int8],
    replication: NDArray[np.int64],
    data_index: NDArray[np.int64],
    *,
    runs: int,
    range_: tuple[float, float],
) -> Estimates:
    """Return the means of values over clips, with intervals.

    Student's t over replications, whose clips may differ in number (a ratio estimator, Cochran,
    "Sampling Techniques", 1977, 6.3); where all replications agree, Clopper and Pearson's interval
    over all clips instead. The total variance is that of two-way clusters (Cameron, Gelbach and
    Miller, "Robust Inference With Multiway Clustering", JBES 29(2), 2011).

    Args:
        values: Shape (n, D), n at least 1.
        replication: Of each clip, from 0, shape (n,).
        data_index: Test clip of each; -1 where there is none, shape (n,).
        runs: Replications R; one without a clip has no say in the mean.
        range_: Of the values; intervals stay inside.
    """
    clips, deadlines = values.shape
    known = bool((data_index >= 0).all())
    _, index = np.unique(data_index, return_inverse=True)
    _, cell = np.unique(index * runs + replication, return_inverse=True)
    rows = []
    residuals = np.empty((runs, deadlines))
    for number in range(deadlines):
        value = values[:, number].astype(np.float64)
        mean = value.mean()
        residual = value - mean
        residuals[:, number] = np.bincount(replication, weights=residual, minlength=runs)
        by_run = _squares(residual, replication) / clips**2 * runs / max(runs - 1, 1)
        by_index = _squares(residual, index) / clips**2
        by_cell = _squares(residual, cell) / clips**2
        total = max(by_run + by_index - by_cell, by_run)
        rows.append((mean, np.sqrt(by_run), np.sqrt(total)))
    mean, error, total_error = np.array(rows).T
    nothing = np.full(deadlines, np.nan)
    if runs < 2:
        return Estimates(mean, nothing, nothing, nothing, nothing, nothing, nothing, residuals)
    reach = student(runs - 1) * error
    agree = error < 1e-12
    low, high = mean - reach, mean + reach
    for column in np.flatnonzero(agree).tolist():
        low[column], high[column] = _unanimous(mean[column], clips, range_)
    total_reach = student(min(runs, int(index.max()) + 1) - 1) * total_error if known else nothing
    total_low, total_high = mean - total_reach, mean + total_reach
    if known:
        total_low, total_high = np.minimum(total_low, low), np.maximum(total_high, high)
    lowest, highest = range_
    return Estimates(
        mean,
        low.clip(lowest, highest),
        high.clip(lowest, highest),
        total_low.clip(lowest, highest),
        total_high.clip(lowest, highest),
        error,
        total_error if known else nothing,
        residuals,
    )


def max_t(residuals: Floats, rng: np.random.Generator) -> float:
    """Return the 95 % quantile of the largest of D correlated t statistics.

    By a parametric bootstrap: normal replications with the correlation of the given ones, each
    deadline with a mean and a standard error of its own.

    Args:
        residuals: Of R replications at D deadlines, shape (R, D).
        rng: Drawn from.
    """
    runs = len(residuals)
    lengths = np.sqrt(np.square(residuals).sum(axis=0))
    moving = residuals[:, lengths > 1e-9] / lengths[lengths > 1e-9]
    if runs < 2 or not moving.size:
        return student(runs - 1)
    if runs > _MANY:
        variances, directions = np.linalg.eigh(moving.T @ moving)
        root = directions * np.sqrt(variances.clip(min=0.0))
        drawn = rng.standard_normal((_BAND_DRAWS, len(root))) @ root.T
        scale = np.sqrt(rng.chisquare(runs - 1, _BAND_DRAWS) / (runs - 1))
        largest = np.abs(drawn).max(axis=1) / scale
        return max(float(np.quantile(largest, LEVEL)), student(runs - 1))
    found = []
    for _ in range(_BAND_DRAWS):
        drawn = rng.standard_normal((runs, runs)) @ moving
        error = drawn.std(axis=0, ddof=1) / np.sqrt(runs)
        found.append(float(np.abs(drawn.mean(axis=0) / error).max()))
    return max(float(np.quantile(found, LEVEL)), student(runs - 1))


def student(freedom: int) -> float:
    """Return the 97.5 % point of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(max(freedom, 1), 0.5 + LEVEL / 2.0))


def _squares(residual: Floats, cluster: NDArray[np.integer[Any]]) -> float:
    sums = np.bincount(cluster, weights=residual)
    return float(sums @ sums)


def _unanimous(mean: float, clips: int, range_: tuple[float, float]) -> tuple[float, float]:
    """Return the interval of a share when all replications agree on it.

    Source:
        Clopper and Pearson, Biometrika 26, 1934. A difference of which none was seen is no larger
        than the share of clips that may differ unseen.
    """
    from scipy.special import betaincinv

    tail = 0.5 - LEVEL / 2.0
    if range_ == (0.0, 1.0):
        hits = round(mean * clips)
        low = betaincinv(hits, clips - hits + 1, tail) if hits else 0.0
        high = betaincinv(hits + 1, clips - hits, 1.0 - tail) if hits < clips else 1.0
        return float(low), float(high)
    unseen = float(betaincinv(1, clips, 1.0 - tail))
    return mean - unseen, mean + unseen
