"""Intervals of the mean of a few bounded replications, which may be skewed or nearly agree.

Student's t holds if the mean of the replications is about normal. Near 0 and 1, or where a rare
replication fares much worse than the others, it is not: the sample that missed the rare one has a
small error as well as a wrong mean. Here, of several ways, those that were measured to hold
(`benchmarks/interval_coverage.py`) are put together: the hull of a bootstrap-t and of an effective
sample size, inside what bounded replications allow at most; that outermost bound alone where so few
replications differ that resampling cannot say how rare such ones are.

Letters: R replications, D deadlines, B resamples.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Bounds = tuple[Floats, Floats]

LEVEL = 0.95
TAIL = 0.5 - LEVEL / 2.0

BOOTSTRAP_TAIL = 0.015
"""Tail of the bootstrap-t on each side; not 0.025, since with 10 to 40 skewed replications it
misses by half as much again (our choice, by measured coverage)."""

RESAMPLES = 1999
"""So that the tails above are whole numbers of B + 1 (our choice)."""

FEW = 4
"""Replications that must differ from the most common value before resampling them says how rare
they are. A resample has none of k with probability (1 - k/R)^R; below 4 that is more than 2.5 %,
and the bootstrap-t has no finite quantile."""

_AGREE = 1e-12  # of shares: rounding

_SMALLEST_ERROR = 1e-5  # of a share; finer than anything that is shown (our choice)


def mean_interval(
    means: Floats, differing: Counts, rng: np.random.Generator, *, range_: tuple[float, float]
) -> Bounds:
    """Return the 95 % interval of the mean of independent replications.

    Args:
        means: Of R replications, at least 2, shape (R, D).
        differing: Replications that differ from the most common value, shape (D,).
        rng: Drawn from; how much depends on R alone.
        range_: Of the replications.

    Returns:
        Low and high ends, each of shape (D,).
    """
    lowest, highest = range_
    shares = (means - lowest) / (highest - lowest)
    runs, mean = len(shares), shares.mean(axis=0)
    error = shares.std(axis=0, ddof=1) / np.sqrt(runs)
    low, high = effective_interval(mean, error, runs - 1)
    if runs > FEW:
        their_low, their_high = _bootstrap_t(shares, rng)
        low, high = np.minimum(low, their_low), np.maximum(high, their_high)
    outer_low, outer_high = _outermost(shares, rng)
    few = too_few(differing, runs)
    low = np.where(few, outer_low, np.maximum(low, outer_low))
    high = np.where(few, outer_high, np.minimum(high, outer_high))
    agree = error < _AGREE
    low = np.where(agree, mean * (1.0 - unseen(runs)), low)
    high = np.where(agree, mean + (1.0 - mean) * unseen(runs), high)
    span = highest - lowest
    return lowest + span * np.minimum(low, mean), lowest + span * np.maximum(high, mean)


def unseen(runs: int) -> float:
    """Return the largest share of replications that R ones may all have missed, at 97.5 %.

    Source:
        Clopper and Pearson, Biometrika 26, 1934, of none or all in R trials.

    Example:
        >>> round(unseen(10), 3), round(unseen(40), 3)
        (0.308, 0.088)
    """
    return float(1.0 - TAIL ** (1.0 / runs))


def too_few(differing: Counts | int, runs: int) -> NDArray[np.bool_]:
    """Return where too few replications differ to say how rare such ones are."""
    return np.asarray(differing < min(FEW, runs - 1))


def differing_replications(means: Floats) -> Counts:
    """Return how many of R replications differ from the most common value, (R, D) to (D,)."""
    ordered = np.sort(means, axis=0)
    streak = longest = np.ones(means.shape[1], dtype=np.int64)
    for before, after in pairwise(ordered):
        streak = np.where(after - before < 1e-9, streak + 1, 1)  # less than any clip's worth
        longest = np.maximum(longest, streak)
    return len(means) - longest


def effective_interval(mean: Floats, error: Floats, freedom: int) -> Bounds:
    """Return the interval of a share by the number of independent trials with the same error.

    That number, p (1 - p) / error^2, is lowered by (z / t)^2, since the error is uncertain itself.

    Args:
        mean: Shares p, in [0, 1].
        error: Standard errors; where there is none, the interval is the mean alone.
        freedom: Degrees of freedom of the errors.

    Source:
        Korn and Graubard, Survey Methodology 24(2), 1998; Parker et al., "National Center for
        Health Statistics Data Presentation Standards for Proportions", Vital and Health Statistics
        2(175), 2017.
    """
    from scipy.special import betaincinv, ndtri

    inside = (error > _AGREE) & (mean > _AGREE) & (mean < 1.0 - _AGREE)
    share = np.where(inside, mean, 0.5)
    spread = np.where(inside, np.maximum(error, _SMALLEST_ERROR), 1.0)
    trials = share * (1.0 - share) / spread**2 * (ndtri(1.0 - TAIL) / student(freedom)) ** 2
    hits, misses = share * trials, (1.0 - share) * trials
    low = betaincinv(hits, misses + 1.0, TAIL)
    high = betaincinv(hits + 1.0, misses, 1.0 - TAIL)
    return np.where(inside, low, mean), np.where(inside, high, mean)


def student(freedom: int) -> float:
    """Return the 97.5 % point of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(max(freedom, 1), 1.0 - TAIL))


def _bootstrap_t(shares: Floats, rng: np.random.Generator) -> Bounds:
    """Return the interval whose t quantiles are those of resampled replications.

    Infinite where more resamples than the tail have no spread.

    Source:
        Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, 12.5.
    """
    runs, mean = len(shares), shares.mean(axis=0)
    apart = shares - mean
    weights = rng.multinomial(runs, np.full(runs, 1.0 / runs), RESAMPLES) / runs
    moved = _weighted(weights, apart)  # (B, D)
    variance = _weighted(weights, apart**2) - moved**2
    flat = variance <= 1e-12 * np.square(apart).max(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = moved / np.sqrt(variance / (runs - 1))
    t = np.where(flat, np.where(np.abs(moved) < _AGREE, 0.0, np.copysign(np.inf, moved)), t)
    t.sort(axis=0)
    place = round(BOOTSTRAP_TAIL * (RESAMPLES + 1))
    error = np.maximum(apart.std(axis=0, ddof=1) / np.sqrt(runs), _AGREE)
    return mean - t[-place] * error, mean - t[place - 1] * error


def _outermost(shares: Floats, rng: np.random.Generator) -> Bounds:
    """Return the interval that holds whatever the replications' distribution in [0, 1].

    The upper end is a quantile of the mean under random weights of the replications and of one more
    at 1. For replications of 0 and 1 this is Clopper and Pearson's. (That it always holds is proven
    for these, and known from simulation otherwise.)

    Source:
        Gaffke, "Three test statistics for a nonparametric one-sided hypothesis on the mean of a
        nonnegative variable", Mathematical Methods of Statistics 14(4), 2005; Learned-Miller and
        Thomas, "A New Confidence Interval for the Mean of a Bounded Random Variable",
        arXiv:1905.06208.
    """
    runs = len(shares)
    weights = rng.standard_exponential((RESAMPLES, runs + 1))
    weights /= weights.sum(axis=1, keepdims=True)
    ordered = np.sort(shares, axis=0)
    # Replications of unequal size may be worth a little more than 1, or less than 0.
    top, bottom = np.maximum(ordered[-1:], 1.0), np.minimum(ordered[:1], 0.0)
    place = round(TAIL * (RESAMPLES + 1))
    highs = _weighted(weights, np.concatenate([ordered, top]))
    lows = _weighted(weights, np.concatenate([bottom, ordered]))
    highs.partition(len(highs) - place, axis=0)
    lows.partition(place - 1, axis=0)
    return lows[place - 1].clip(0.0, 1.0), highs[-place].clip(0.0, 1.0)


def _weighted(weights: Floats, values: Floats) -> Floats:
    # Not `weights @ values`, whose last digits depend on the number of threads.
    return np.asarray(np.einsum("br,rd->bd", weights, values))
