"""MSER-5 cuts what is not yet stationary, and nothing else."""

import math

import numpy as np
import pandas as pd
import pytest

from fadeline.simulator.analysis.warmup import mser5_s, truncation

CLIPS, STEP_S = 100, 0.1
END_S = CLIPS * STEP_S


SWING_S = 0.01 * (-1.0) ** (np.arange(CLIPS) // 5) * np.ones((4, 1))
"""Stationary: every batch of five is as far above the mean as the next is below it."""


def rows(latency_s, scheme="a", **columns):
    """Return clips born every tenth of a second, with latencies of shape (replications, clips)."""
    replication, number = np.indices(latency_s.shape)
    born_s = STEP_S * number.ravel()
    return pd.DataFrame(
        {
            "scheme": scheme, "acted_deadline_s": math.nan, "replication": replication.ravel(),
            "born_s": born_s, "done_s": born_s + latency_s.ravel(), **columns,
        }
    )  # fmt: skip


def warming_up(clips):
    """Return latencies that are ten times as long until so many clips have been born."""
    return np.where(np.arange(CLIPS) < clips, 1.0, 0.1) + SWING_S


@pytest.mark.parametrize("clips", [10, 20, 40])
def test_a_known_transient_is_cut_where_it_ends(clips):
    assert mser5_s(rows(warming_up(clips)), END_S) == pytest.approx(clips * STEP_S)


def test_a_transient_that_ends_within_a_batch_is_cut_after_it():
    assert mser5_s(rows(warming_up(12)), END_S) == pytest.approx(15 * STEP_S)


def test_an_exponential_transient_is_cut_after_some_of_its_time_constants():
    fading = 0.1 + np.exp(-np.arange(CLIPS) / 5.0) + SWING_S
    assert 10 * STEP_S <= mser5_s(rows(fading), END_S) <= 35 * STEP_S


def test_what_is_stationary_is_not_cut():
    assert mser5_s(rows(0.1 + SWING_S), END_S) == 0.0


@pytest.mark.parametrize("latency_s", [0.0, 0.1, 1 / 3, 123.4])
def test_rounding_is_no_transient(latency_s):
    assert mser5_s(rows(np.full((4, CLIPS), latency_s)), END_S) == 0.0
    assert mser5_s(rows(np.full((4, CLIPS), latency_s) + warming_up(20) - SWING_S), END_S) == 2.0


def test_stationary_noise_is_hardly_ever_cut_far():
    """Of white noise less than a quarter is cut on average; a whole half would be the most."""
    drawn = 0.01 * np.random.default_rng(1).standard_normal((40, 4, CLIPS))
    cuts = [mser5_s(rows(0.1 + noise), END_S) for noise in drawn]
    assert np.mean(cuts) < 0.25 * END_S


def test_never_more_than_half_is_cut():
    assert mser5_s(rows(warming_up(80)), END_S) <= 0.5 * END_S


def test_the_latest_of_all_schemes_holds():
    both = pd.concat([rows(warming_up(10)), rows(warming_up(30), "b"), rows(warming_up(0), "c")])
    assert mser5_s(both, END_S) == pytest.approx(30 * STEP_S)


def test_points_of_a_sweep_are_looked_at_one_by_one():
    slow_and_short, quick = rows((1.0 + SWING_S)[:, :30], snr=0), rows(0.1 + SWING_S, snr=5)
    assert mser5_s(pd.concat([slow_and_short, quick]), END_S, ["snr"]) == 0.0


def test_clips_born_after_the_end_have_no_say():
    late = rows(warming_up(20))
    late.loc[late["born_s"] >= 5.0, "done_s"] += 100.0
    assert mser5_s(late, 5.0) == pytest.approx(20 * STEP_S)


def test_clips_without_an_answer_are_long():
    unanswered = rows(np.zeros((4, CLIPS)))
    unanswered.loc[unanswered["born_s"] < 1.95, "done_s"] = math.nan
    assert mser5_s(unanswered, END_S) == pytest.approx(20 * STEP_S)


def test_too_few_clips_are_not_cut():
    few = rows(warming_up(5)[:, :9])
    assert mser5_s(few, END_S) == 0.0


@pytest.mark.parametrize("seed", range(20))
def test_the_cut_has_the_smallest_standard_error(seed):
    rng = np.random.default_rng(seed)
    means = rng.standard_normal(21) + 3.0 * np.exp(-np.arange(21) / rng.uniform(1, 8))
    errors = [np.var(means[cut:]) / (21 - cut) for cut in range(11)]  # none in the second half
    assert truncation(means) == np.argmin(errors)
