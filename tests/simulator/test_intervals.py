"""Intervals cover what they say, and fail when they should not."""

import numpy as np
import pytest

from fadeline.simulator.intervals import estimates, max_t, student

NOWHERE = np.full(40, -1)


def test_student_over_replications_by_hand():
    values = np.repeat([[1], [0], [1], [1]], 10, axis=0).astype(np.int8)
    values[:5] = 0
    found = estimates(values, np.repeat(np.arange(4), 10), NOWHERE, runs=4, range_=(0.0, 1.0))
    means = np.array([0.5, 0.0, 1.0, 1.0])
    reach = 3.182446 * means.std(ddof=1) / 2.0
    assert found.mean[0] == means.mean()
    assert found.low[0] == pytest.approx(max(means.mean() - reach, 0.0), rel=1e-6)
    assert found.high[0] == pytest.approx(min(means.mean() + reach, 1.0), rel=1e-6)


def test_when_all_agree_the_number_of_clips_decides():
    nothing = np.zeros((40, 1), np.int8)
    found = estimates(nothing, np.repeat(np.arange(4), 10), NOWHERE, runs=4, range_=(0.0, 1.0))
    assert found.low[0] == 0.0
    assert found.high[0] == pytest.approx(1.0 - 0.025 ** (1.0 / 40.0))  # Clopper and Pearson
    found = estimates(nothing, np.repeat(np.arange(4), 10), NOWHERE, runs=4, range_=(-1.0, 1.0))
    assert found.low[0] == -found.high[0] < 0.0


def test_one_replication_has_no_interval():
    found = estimates(
        np.ones((40, 1), np.int8), np.zeros(40, int), NOWHERE, runs=1, range_=(0.0, 1.0)
    )
    assert found.mean[0] == 1.0
    assert np.isnan([found.low[0], found.high[0], found.total_low[0]]).all()


@pytest.mark.parametrize("total", [False, True])
def test_coverage(total):
    """Of 400 runs, 92 to 98 % cover the truth (a binomial at 0.95 leaves that once in 150).

    Each clip is right by its fade, shared by its replication, and by its pixels, which are drawn
    anew for each run if the interval is to cover other test clips too.
    """
    rng = np.random.default_rng(1)
    runs, replications, clips, set_size = 400, 10, 60, 200
    pixels = rng.random(set_size)
    covered = 0
    for _ in range(runs):
        if total:
            pixels = rng.random(set_size)
        index = rng.integers(0, set_size, (replications, clips))
        fade = rng.random((replications, clips // 6)).repeat(6, axis=1)
        values = (0.6 * pixels[index] + 0.4 * fade > 0.45).astype(np.int8)
        found = estimates(
            values.reshape(-1, 1), np.repeat(np.arange(replications), clips), index.reshape(-1),
            runs=replications, range_=(0.0, 1.0),
        )  # fmt: skip
        if total:
            truth = _truth(None)
            covered += found.total_low[0] <= truth <= found.total_high[0]
        else:
            covered += found.low[0] <= _truth(pixels) <= found.high[0]
    assert 0.92 <= covered / runs <= 0.98


def _truth(pixels):
    """Return P(0.6 p + 0.4 f > 0.45) over fades f, and over pixels p unless they are given."""
    given = np.linspace(0.0005, 0.9995, 1000) if pixels is None else pixels
    return float(np.clip(1.0 - (0.45 - 0.6 * given) / 0.4, 0.0, 1.0).mean())


def test_a_band_is_wider_than_an_interval_and_no_wider_than_bonferronis():
    rng = np.random.default_rng(1)
    apart = rng.standard_normal((12, 8))
    apart -= apart.mean(axis=0)
    from scipy.special import stdtrit

    assert student(11) < max_t(apart, rng) < 1.05 * stdtrit(11, 1.0 - 0.025 / 8)
    together = np.repeat(apart[:, :1], 8, axis=1)
    assert max_t(together, rng) == pytest.approx(student(11), rel=0.1)


def test_a_band_covers_the_whole_curve():
    """Of 300 runs, 91 to 99 % hold the curve at all deadlines at once (binomial at 0.95)."""
    rng = np.random.default_rng(2)
    deadlines = np.linspace(0.1, 0.9, 9)
    covered = 0
    for _ in range(300):
        shift = rng.normal(0.0, 0.3, 10).repeat(80)
        latency = rng.normal(0.0, 1.0, 800) + shift
        share = 0.5 * (1.0 + _erf(latency / np.sqrt(2.0 * 1.09)))  # uniform, if all are taken
        values = (share[:, None] <= deadlines).astype(np.int8)
        found = estimates(
            values, np.arange(10).repeat(80), np.full(800, -1), runs=10, range_=(0.0, 1.0)
        )
        low, high = found.band(rng)
        covered += bool(((low <= deadlines) & (deadlines <= high)).all())
    assert 0.91 <= covered / 300 <= 0.99


def _erf(values):
    from scipy.special import erf

    return erf(values)
