"""Intervals of few, skewed or unanimous replications hold, and today's predecessors would not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri, stdtrit
from scipy.stats import binomtest

from fadeline.simulator.analysis import mean_interval as module
from fadeline.simulator.analysis.mean_interval import (
    differing_replications,
    effective_interval,
    mean_interval,
    student,
    too_few,
    unseen,
)

SHARE, DIFFERENCE = (0.0, 1.0), (-1.0, 1.0)


def interval(means, range_=SHARE, seed=0):
    means = np.asarray(means, dtype=float)
    means = means.reshape(len(means), -1)
    rng = np.random.default_rng(seed)
    return mean_interval(means, differing_replications(means), rng, range_=range_)


def coverage(means, truth, range_=SHARE):
    low, high = interval(means, range_)
    return float(((low <= truth + 1e-9) & (truth - 1e-9 <= high)).mean())


def old_coverage(means, truth):
    mean, error = means.mean(axis=0), means.std(axis=0, ddof=1) / np.sqrt(len(means))
    return float((np.abs(mean - truth) <= student(len(means) - 1) * error).mean())


def probit(mean, sigma, runs, clips, draws=1000):
    rng = np.random.default_rng(1)
    level = ndtri(mean) * np.sqrt(1.0 + sigma**2)
    rights = ndtr(level + sigma * rng.standard_normal((runs, draws)))
    return rng.binomial(clips, rights) / clips


@pytest.mark.parametrize("runs", [2, 3, 10, 40])
def test_when_all_agree_the_replications_are_counted(runs):
    """Clopper and Pearson's interval of none or all in as many trials as there are replications."""
    expected = binomtest(0, runs).proportion_ci(0.95, method="exact").high
    assert unseen(runs) == pytest.approx(expected, rel=1e-9)
    for level, range_ in ((0.0, SHARE), (1.0, SHARE), (0.0, DIFFERENCE), (-1.0, DIFFERENCE)):
        low, high = interval(np.full(runs, level), range_)
        assert low[0] == pytest.approx(level - expected * (level - range_[0]), abs=1e-12)
        assert high[0] == pytest.approx(level + expected * (range_[1] - level), abs=1e-12)


@pytest.mark.parametrize(("lost", "runs"), [(1, 10), (2, 10), (3, 40)])
def test_few_lost_replications_are_clopper_and_pearsons(lost, runs):
    low, high = interval(np.arange(runs) >= lost)
    expected = binomtest(runs - lost, runs).proportion_ci(0.95, method="exact")
    assert [low[0], high[0]] == pytest.approx([expected.low, expected.high], abs=0.015)


@pytest.mark.parametrize("runs", [10, 40])
@pytest.mark.parametrize("outage", [0.02, 0.05, 0.1, 0.2])
def test_outages_of_whole_replications_are_covered(runs, outage):
    works = (np.random.default_rng(2).random((runs, 1000)) >= outage).astype(float)
    assert coverage(works, 1.0 - outage) >= 0.95
    assert coverage(1.0 - works, outage, DIFFERENCE) >= 0.95


@pytest.mark.parametrize("runs", [10, 40])
@pytest.mark.parametrize("sigma", [0.3, 0.7, 1.0])
@pytest.mark.parametrize("mean", [0.5, 0.9, 0.97, 0.995])
def test_skewed_replications_are_covered(runs, sigma, mean):
    """Measured: 92 to 99 %, but 90 in the worst case, less binomial noise of 1,000 draws."""
    means = probit(mean, sigma, runs, 400)
    assert coverage(means, mean) >= (0.875 if (mean, sigma) == (0.995, 1.0) else 0.905)
    if sigma == 1.0 and mean >= 0.97:
        assert old_coverage(means, mean) < 0.9  # what Student's t gives for the same replications


@pytest.mark.parametrize("clips", [40, 400])
def test_in_the_middle_the_interval_is_hardly_wider_than_students(clips):
    means = probit(0.5, 0.3, 40, clips)
    low, high = interval(means)
    student_width = 2.0 * stdtrit(39, 0.975) * means.std(axis=0, ddof=1) / np.sqrt(40)
    assert 1.0 < np.median((high - low) / student_width) < 1.15
    assert 0.94 <= coverage(means, 0.5) <= 0.99


def test_skewed_differences_are_covered():
    rng = np.random.default_rng(3)
    fade = rng.standard_normal((10, 1000))
    parts = [
        rng.binomial(400, ndtr(ndtri(mean) * np.sqrt(2.0) + np.sqrt(0.8) * fade
                               + np.sqrt(0.2) * rng.standard_normal(fade.shape))) / 400
        for mean in (0.97, 0.9)
    ]  # fmt: skip
    means = parts[0] - parts[1]
    assert coverage(means, 0.07, DIFFERENCE) >= 0.92
    assert old_coverage(means, 0.07) < 0.89


def test_an_outage_that_was_not_seen_is_the_limit():
    """Where replications vary by themselves, a rare outage is missed as often as it is not seen."""
    rng = np.random.default_rng(4)
    works = rng.random((10, 1000)) >= 0.05
    means = works * rng.binomial(400, 0.9, works.shape) / 400
    assert coverage(means, 0.9 * 0.95) == pytest.approx(1.0 - 0.95**10, abs=0.05)


SHARES = st.lists(st.integers(0, 20).map(lambda hits: hits / 20), min_size=2, max_size=12)


@settings(max_examples=60, deadline=None)
@given(SHARES)
def test_the_interval_holds_its_mean_and_stays_in_range(means):
    for range_ in (SHARE, DIFFERENCE):
        low, high = interval(means, range_)
        assert range_[0] <= low[0] <= np.mean(means) + 1e-12
        assert np.mean(means) - 1e-12 <= high[0] <= range_[1]
        assert high[0] - low[0] >= 1e-6


@settings(max_examples=60, deadline=None)
@given(SHARES)
def test_what_is_wrong_is_as_well_known_as_what_is_right(means):
    low, high = interval(means)
    other_low, other_high = interval(1.0 - np.array(means))
    # Equal up to the resamples, whose quantiles are not the same on both sides.
    assert 1.0 - other_high[0] == pytest.approx(low[0], abs=0.12)
    assert 1.0 - other_low[0] == pytest.approx(high[0], abs=0.12)


@settings(max_examples=60, deadline=None)
@given(st.floats(0.0, 1.0), st.floats(1e-4, 0.3), st.integers(1, 40))
def test_a_larger_error_or_fewer_degrees_widen_the_effective_interval(mean, error, freedom):
    def ends(error, freedom):
        low, high = effective_interval(np.array([mean]), np.array([error]), freedom)
        return low[0], high[0]

    low, high = ends(error, freedom)
    for wider_low, wider_high in (ends(1.2 * error, freedom), ends(error, max(freedom // 2, 1))):
        assert wider_low <= low + 1e-9
        assert wider_high >= high - 1e-9


def test_the_effective_interval_of_a_plain_binomial():
    n, hits = 400, 380
    share = hits / n
    error = np.sqrt(share * (1.0 - share) / n)
    low, high = effective_interval(np.array([share]), np.array([error]), 10**6)
    expected = binomtest(hits, n).proportion_ci(0.95, method="exact")
    assert [low[0], high[0]] == pytest.approx([expected.low, expected.high], rel=1e-4)


def test_where_few_differ_the_outermost_interval_is_given():
    """With one wrong clip in one of four replications, an outage may be as unseen as with none."""
    low, _ = interval([1.0, 1.0, 1.0, 0.9975])
    assert low[0] == pytest.approx(1.0 - unseen(4), abs=0.03)
    low, _ = interval([1.0, 0.995, 0.9975])  # all differ: an effective size
    assert low[0] > 0.9


def test_how_many_differ():
    means = np.array([[1.0, 0.2, 0.5], [1.0, 0.5, 0.5], [1.0, 0.2, 0.1], [1.0, 0.9, 0.5]])
    assert differing_replications(means).tolist() == [0, 2, 1]
    assert too_few(np.array([0, 3, 4, 9]), 10).tolist() == [True, True, False, False]
    assert too_few(np.array([1, 2]), 3).tolist() == [True, False]


def test_the_same_draws_give_the_same_bytes_whatever_the_other_deadlines():
    means = probit(0.9, 0.7, 10, 40, draws=50)
    first, again = interval(means), interval(means)
    assert np.array(first).tobytes() == np.array(again).tobytes()
    alone = interval(means[:, 7])
    assert [alone[0][0], alone[1][0]] == pytest.approx([first[0][7], first[1][7]], rel=1e-9)


def test_a_bootstrap_with_the_textbook_tail_covers_less(monkeypatch):
    means = probit(0.97, 1.0, 10, 400)
    assert coverage(means, 0.97) >= 0.91
    monkeypatch.setattr(module, "BOOTSTRAP_TAIL", 0.05)
    assert coverage(means, 0.97) < 0.9
