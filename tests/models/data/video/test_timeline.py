"""When frames are shown: constant or not, by what share of the duration, and where clocks fail."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fadeline.models.data.video.sampling import Sampling, uniform_in_time
from fadeline.models.data.video.timeline import Timeline, timeline_of

steps_of_videos = st.lists(st.integers(1, 500), min_size=1, max_size=200)


def from_steps(steps, start=0):
    times = start + np.concatenate([[0], np.cumsum(steps[:-1])])
    return timeline_of(times.tolist(), last=float(steps[-1]))


def at_rate(rate_hz, count, *, ticks_hz):
    """Return the times of a constant rate as a container rounds them, in ticks."""
    return np.rint(np.arange(count) * ticks_hz / rate_hz).astype(int).tolist()


@given(steps_of_videos, st.integers(1, 40), st.integers(0, 10**9))
def test_uniform_frames_are_those_shown_at_the_middles_of_equal_parts(steps, frames, start):
    times = from_steps(steps, start)
    chosen = Sampling(frames=frames).choose(times)
    moments = (np.arange(frames) + 0.5) / frames * sum(steps)
    shown = np.searchsorted(np.cumsum(steps), moments, side="right")
    assert np.abs(chosen - shown).max() <= (1 if times.is_constant else 0)


@given(steps_of_videos, st.integers(1, 40), st.integers(0, 2**32))
def test_drawn_frames_are_each_shown_in_their_own_part(steps, frames, seed):
    times = from_steps(steps)
    chosen = uniform_in_time(times, frames, rng=np.random.default_rng(seed))
    ends = np.cumsum(steps)
    borders = np.arange(frames + 1) / frames * ends[-1]
    assert (ends[chosen] >= borders[:-1] - 1e-6).all()
    assert ((ends - steps)[chosen] <= borders[1:] + 1e-6).all()
    again = uniform_in_time(times, frames, rng=np.random.default_rng(seed))
    np.testing.assert_array_equal(chosen, again)


@pytest.mark.parametrize("rate_hz", [10, 23.976, 25, 29.97, 59.94, 240])
@pytest.mark.parametrize("ticks_hz", [1000, 90_000])
def test_a_rounded_constant_rate_is_constant(rate_hz, ticks_hz):
    times = timeline_of(at_rate(rate_hz, 1000, ticks_hz=ticks_hz))
    assert times.is_constant
    indices = Sampling().choose(times).tolist()
    assert indices == Sampling().indices(1000).tolist()


def test_jitter_and_the_length_of_the_last_frame_do_not_make_a_rate_variable():
    even = at_rate(30, 300, ticks_hz=90_000)
    jitter = np.random.default_rng(1).integers(-1400, 1400, 300)
    assert timeline_of((np.array(even) + jitter).tolist()).is_constant
    assert timeline_of(even, last=1).is_constant
    assert timeline_of(even, last=5000).is_constant
    assert not timeline_of(even, last=9000).is_constant


def test_held_frames_make_a_rate_variable():
    assert not from_steps([10] * 60 + [60] * 30).is_constant
    assert not from_steps([40] * 50 + [160] + [40] * 50).is_constant
    times = from_steps([1, 1, 1, 5])
    assert Sampling(frames=4).choose(times).tolist() == [1, 3, 3, 3]
    assert Sampling(kind="dense", frames=4).choose(times).tolist() == [0, 1, 2, 3]


def test_missing_times_are_put_between_their_neighbours():
    times = timeline_of([None, 100, None, None, 400, 500, None], last=50)
    assert times.starts.tolist() == [0, 100, 200, 300, 400, 500, 600]
    assert times.end == 650


@pytest.mark.parametrize("known", [[], [7.0]])
def test_a_video_without_times_is_of_constant_rate(known):
    times = timeline_of([*known, *[None] * (5 - len(known))])
    assert times.is_constant
    assert len(times) == 5
    assert times.end - times.starts[-1] == 1


def test_a_clock_that_goes_back_goes_on_by_the_usual_step():
    times = timeline_of([900, 940, 980, 0, 40, 80])
    assert times.starts.tolist() == [0, 40, 80, 120, 160, 200]
    assert times.end == 240


def test_a_clock_that_leaps_goes_on_by_the_usual_step():
    times = [0, 40, 80, 9000, 9040, 9440]
    assert timeline_of(times, longest=400).starts.tolist() == [0, 40, 80, 120, 160, 560]
    assert timeline_of(times).starts.tolist() == times


def test_frames_of_the_same_time_are_shown_for_no_time():
    times = timeline_of([0, 0, 0, 0, 100, 200], last=100)
    assert Sampling(frames=3).choose(times).tolist() == [3, 4, 5]
    assert timeline_of([5, 5]).end == 1


def test_shares_are_of_what_is_shown():
    times = Timeline(np.array([10.0, 20.0]), 40.0)
    assert times.shown_at(np.array([0.0, 0.3, 0.34, 0.999])).tolist() == [0, 0, 1, 1]
