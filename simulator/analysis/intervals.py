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

from fadeline.simulator.analysis.mean_interval import (
    LEVEL,
    differing_replications,
    effective_interval,
    mean_interval,
    student,
)

Floats = NDArray[np.float64]

_MANY = 60  # replications from which on errors are known well enough to be drawn as one

_BAND_DRAWS = 2000  # the quantile is then good to about two percent (our choice)

_AT_ONCE = 100  # of them; a divisor


@dataclass(frozen=True)
class Estimates:
    """Means with their 95 % intervals, each of shape (D,).

    Attributes:
        mean: Over all clips.
        low, high: Over replications; NaN for a single one.
        total_low, total_high: Over replications and test clips, never narrower; NaN where there are
            no test clips or a single replication.
        residuals: How far the clips of each replication are from the mean together, (R, D).
        differing: Replications whose mean differs from the most common one.
    """

    mean: Floats
    low: Floats
    high: Floats
    total_low: Floats
    total_high: Floats
    residuals: Floats
    differing: NDArray[np.int64]

    def band(self, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Return a band that holds the whole curve with 95 %: over test clips too, if known.

        The intervals' arms, each as much longer as the quantile of the largest of D correlated t
        variables is larger than that of one, with the correlation of the replications (studentised
        max-t; Montiel Olea and Plagborg-Moller, "Simultaneous Confidence Bands", J. Applied
        Econometrics 34(1), 2019). So the band is as skewed as the intervals, and contains them.
        """
        low = np.where(np.isnan(self.total_low), self.low, self.total_low)
        high = np.where(np.isnan(self.total_high), self.high, self.total_high)
        longer = max_t(self.residuals, rng) / student(len(self.residuals) - 1)
        return self.mean - longer * (self.mean - low), self.mean + longer * (high - self.mean)


def estimates(
    values: NDArray[np.int8],
    replication: NDArray[np.int64],
    data_index: NDArray[np.int64],
    rng: np.random.Generator,
    *,
    range_: tuple[float, float],
) -> Estimates:
    """Return the means of values over clips, with intervals.

    Over replications by `mean_interval`; replications may differ in clips (a ratio estimator,
    Cochran, "Sampling Techniques", 1977, 6.3), and one without any has no say. For the total, what
    test clips add to the variance is that of two-way clusters (Cameron, Gelbach and Miller, "Robust
    Inference With Multiway Clustering", JBES 29(2), 2011), and the arms of both intervals are added
    in squares (Zou and Donner, "Construction of confidence limits about effect measures",
    Statistics in Medicine 27(10), 2008), so that each keeps its skew and its degrees of freedom.

    Args:
        values: Shape (n, D), n at least 1.
        replication: Of each clip, shape (n,).
        data_index: Test clip of each; -1 where there is none, shape (n,).
        rng: Resamples replications; how much is drawn depends on R alone.
        range_: Of the values; intervals stay inside.
    """
    clips, deadlines = values.shape
    mean = values.mean(axis=0, dtype=np.float64)
    residual = values - mean
    residuals, sizes = _sums(residual, replication)
    runs = len(residuals)
    differing = differing_replications(mean + residuals / sizes[:, None])
    nothing = np.full(deadlines, np.nan)
    if runs < 2:
        return Estimates(mean, nothing, nothing, nothing, nothing, residuals, differing)
    low, high = mean_interval(mean + residuals * runs / clips, differing, rng, range_=range_)
    total_low, total_high = nothing, nothing
    if (data_index >= 0).all():
        _, index = np.unique(data_index, return_inverse=True)
        cells = _sums(residual, index * (int(replication.max()) + 1) + replication)[0]
        by_index = _sums(residual, index)[0]
        added = np.square(by_index).sum(axis=0) - np.square(cells).sum(axis=0)
        error = np.sqrt(added.clip(min=0.0)) / clips
        other_low, other_high = _by_test_clips(mean, error, len(by_index) - 1, range_)
        wider_low = mean - np.hypot(mean - low, mean - other_low)
        wider_high = mean + np.hypot(high - mean, other_high - mean)
        total_low = np.minimum(wider_low, low).clip(min=range_[0])
        total_high = np.maximum(wider_high, high).clip(max=range_[1])
    return Estimates(mean, low, high, total_low, total_high, residuals, differing)


def standard_errors(values: NDArray[np.int8], replication: NDArray[np.int64]) -> Floats:
    """Return the standard errors over replications of means over clips, (n, D) to (D,).

    NaN for a single replication.
    """
    residuals, _ = _sums(values - values.mean(axis=0, dtype=np.float64), replication)
    runs = len(residuals)
    if runs < 2:
        return np.full(values.shape[1], np.nan)
    squares = np.square(residuals).sum(axis=0)
    return np.asarray(np.sqrt(squares * runs / (runs - 1)) / len(values))


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
    found = np.empty(_BAND_DRAWS)
    for start in range(0, _BAND_DRAWS, _AT_ONCE):
        drawn = rng.standard_normal((_AT_ONCE, runs, runs)) @ moving
        error = drawn.std(axis=1, ddof=1) / np.sqrt(runs)
        found[start : start + _AT_ONCE] = np.abs(drawn.mean(axis=1) / error).max(axis=1)
    return max(float(np.quantile(found, LEVEL)), student(runs - 1))


def _sums(values: Floats, cluster: NDArray[np.integer[Any]]) -> tuple[Floats, Floats]:
    """Return the sums of values over each cluster, (n, D) to (C, D), and its size, (C,)."""
    order = np.argsort(cluster, kind="stable")
    ordered = cluster[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    sizes = np.diff(np.r_[starts, len(ordered)]).astype(np.float64)
    return np.add.reduceat(values[order], starts, axis=0), sizes


def _by_test_clips(
    mean: Floats, error: Floats, freedom: int, range_: tuple[float, float]
) -> tuple[Floats, Floats]:
    lowest, span = range_[0], range_[1] - range_[0]
    low, high = effective_interval((mean - lowest) / span, error / span, freedom)
    return lowest + span * low, lowest + span * high
