"""Intervals cover what they say, and fail when they should not."""

import numpy as np
import pytest
from scipy.special import ndtri

from fadeline.simulator.analysis.intervals import estimates, max_t, standard_errors
from fadeline.simulator.analysis.mean_interval import differing_replications, mean_interval, student

NOWHERE = np.full(40, -1)


def found_of(values, replication, data_index, range_=(0.0, 1.0)):
    rng = np.random.default_rng(0)
    return estimates(values, replication, data_index, rng, range_=range_)


def test_over_replications_by_hand():
    values = (np.arange(60).reshape(6, 10) % 7 < 3).astype(np.int8).reshape(-1, 1)
    found = found_of(values, np.repeat(np.arange(6), 10), np.full(60, -1))
    means = values.reshape(6, 10).mean(axis=1)[:, None]
    assert found.differing[0] == differing_replications(means)[0] > 0
    low, high = mean_interval(means, found.differing, np.random.default_rng(0), range_=(0.0, 1.0))
    assert [found.low[0], found.high[0]] == pytest.approx([low[0], high[0]], rel=1e-9)
    assert standard_errors(values, np.repeat(np.arange(6), 10))[0] == pytest.approx(
        means.std(ddof=1) / np.sqrt(6)
    )


def test_when_all_agree_the_number_of_replications_decides():
    nothing = np.zeros((40, 1), np.int8)
    found = found_of(nothing, np.repeat(np.arange(4), 10), NOWHERE)
    assert found.low[0] == 0.0
    assert found.high[0] == pytest.approx(1.0 - 0.025 ** (1.0 / 4.0))  # Clopper and Pearson
    assert found.differing[0] == 0
    found = found_of(nothing, np.repeat(np.arange(4), 10), NOWHERE, (-1.0, 1.0))
    assert found.high[0] == pytest.approx(1.0 - 0.025 ** (1.0 / 4.0))
    assert found.low[0] == pytest.approx(-found.high[0])
    known = found_of(nothing, np.repeat(np.arange(4), 10), np.arange(40))
    assert known.total_high[0] == known.high[0]


def test_replications_of_unequal_size_agree_if_their_shares_do():
    replication = np.array([0] * 10 + [2] * 20 + [5] * 30)  # 1, 3 and 4 have no clip
    found = found_of(np.ones((60, 1), np.int8), replication, np.full(60, -1))
    assert found.differing[0] == 0
    assert found.low[0] == pytest.approx(0.025 ** (1.0 / 3.0))
    halves = np.tile([[0], [1]], (30, 1)).astype(np.int8)
    assert found_of(halves, replication, np.full(60, -1)).differing[0] == 0
    halves[40:] = 1  # of the last
    assert found_of(halves, replication, np.full(60, -1)).differing[0] == 1


def test_one_replication_has_no_interval():
    found = found_of(np.ones((40, 1), np.int8), np.zeros(40, int), NOWHERE)
    assert found.mean[0] == 1.0
    assert np.isnan([found.low[0], found.high[0], found.total_low[0]]).all()
    assert np.isnan(found.band(np.random.default_rng(0))).all()


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
            rng, range_=(0.0, 1.0),
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
            values, np.arange(10).repeat(80), np.full(800, -1), rng, range_=(0.0, 1.0)
        )
        low, high = found.band(rng)
        covered += bool(((low <= deadlines) & (deadlines <= high)).all())
    assert 0.91 <= covered / 300 <= 0.99


def _erf(values):
    from scipy.special import erf

    return erf(values)


@pytest.mark.parametrize("mean", [0.7, 0.97, 0.995])
def test_total_intervals_cover_other_test_clips(mean):
    """Clips and replications have probit effects; 1,620 clips are drawn with replacement.

    Over 200 draws, at least 92 %; over replications alone it is at most 91.
    """
    rng = np.random.default_rng(5)
    level = ndtri(mean) * np.sqrt(1.0 + 0.1**2 + 3.0**2)
    held = np.zeros(2)
    for _ in range(4):
        index, replication = rng.integers(0, 1620, 4640), np.arange(10).repeat(464)
        fades = 0.1 * rng.standard_normal((10, 50))[replication]
        pixels = 3.0 * rng.standard_normal((1620, 50))[index]
        right = (level + fades + pixels + rng.standard_normal(pixels.shape) > 0).astype(np.int8)
        found = estimates(right, replication, index, rng, range_=(0.0, 1.0))
        assert (found.total_low <= found.low).all()
        assert (found.total_high >= found.high).all()
        held += [
            ((found.total_low <= mean) & (mean <= found.total_high)).sum(),
            ((found.low <= mean) & (mean <= found.high)).sum(),
        ]
    assert held[0] / 200 >= 0.92
    assert held[1] / 200 <= 0.93


@pytest.mark.parametrize("known", [False, True])
def test_a_band_contains_every_interval_and_is_as_skewed(known):
    rng = np.random.default_rng(6)
    deadlines = np.array([-9.0, -2.5, -2.0, 0.0, 2.0, 2.5, 9.0])
    latency = rng.standard_normal((400, 1)) + 0.3 * rng.standard_normal(10).repeat(40)[:, None]
    index = rng.integers(0, 100, 400) if known else np.full(400, -1)
    found = found_of((latency <= deadlines).astype(np.int8), np.arange(10).repeat(40), index)
    low, high = found.band(rng)
    assert (low <= np.fmin(found.low, found.total_low)).all()
    assert (high >= np.fmax(found.high, found.total_high)).all()
    inside = (found.mean > 0.0) & (found.mean < 1.0)
    assert ((high - low)[inside] > (found.high - found.low)[inside]).all()
    near_one = found.mean > 0.9
    assert ((found.mean - low)[near_one] > (high - found.mean)[near_one]).all()
