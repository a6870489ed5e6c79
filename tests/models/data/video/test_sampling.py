"""Frames that make a clip: within the video, in order, spread or in a row as asked for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fadeline.models.data.video.sampling import KINDS, Sampling, dense, uniform

totals = st.integers(1, 20_000)
clips = st.integers(1, 64)
strides = st.integers(1, 9)
seeds = st.none() | st.integers(0, 2**32)


def generator(seed):
    return None if seed is None else np.random.default_rng(seed)


@given(st.sampled_from(KINDS), totals, clips, strides, seeds)
def test_frames_are_of_the_video_and_in_order(kind, total, frames, stride, seed):
    sampling = Sampling(kind=kind, frames=frames, stride=stride)
    indices = sampling.indices(total, generator(seed))
    assert indices.shape == (frames,)
    assert indices.dtype == np.int64
    assert indices[0] >= 0
    assert indices[-1] < total
    assert (np.diff(indices) >= 0).all()


@given(totals, clips, seeds)
def test_uniform_takes_a_frame_of_each_segment(total, frames, seed):
    indices = uniform(total, frames, rng=generator(seed))
    segments = np.arange(frames)
    # Frame i lasts from i to i + 1 and must touch the segment's part of the duration.
    assert (frames * (indices + 1) > segments * total).all()
    assert (frames * indices < (segments + 1) * total).all()


@given(totals, clips)
def test_uniform_is_the_same_backwards_up_to_one_frame(total, frames):
    indices = uniform(total, frames)
    mirrored = total - 1 - indices[::-1]
    assert np.abs(indices - mirrored).max() <= 1


@given(clips, st.integers(1, 300))
def test_uniform_takes_the_centre_of_segments_of_odd_length(frames, half):
    length = 2 * half + 1
    indices = uniform(frames * length, frames)
    assert indices.tolist() == [k * length + half for k in range(frames)]


@given(clips)
def test_a_video_of_exactly_as_many_frames_is_taken_whole(frames):
    assert uniform(frames, frames).tolist() == list(range(frames))
    assert dense(frames, frames).tolist() == list(range(frames))
    assert uniform(frames, frames, rng=generator(1)).tolist() == list(range(frames))


@given(clips, st.integers(1, 64))
def test_uniform_repeats_each_frame_of_a_short_video_about_equally(frames, total):
    counts = np.bincount(uniform(total, frames), minlength=total)
    if total <= frames:
        assert counts.min() >= 1
        assert counts.max() - counts.min() <= 1
    else:
        assert counts.max() == 1


def test_uniform_by_hand():
    assert uniform(12, 4).tolist() == [1, 4, 7, 10]
    assert uniform(10, 4).tolist() == [1, 3, 6, 8]  # centres 1.25, 3.75, 6.25, 8.75
    assert uniform(3, 8).tolist() == [0, 0, 0, 1, 1, 2, 2, 2]
    assert uniform(1, 3).tolist() == [0, 0, 0]


def test_every_frame_of_a_segment_is_drawn_equally_often():
    rng = generator(1)
    drawn = np.array([uniform(40, 4, rng=rng) for _ in range(20_000)])
    counts = np.bincount(drawn.reshape(-1), minlength=40)
    # Binomial(20,000, 0.1): mean 2,000, standard deviation 42.
    assert np.abs(counts - 2_000).max() < 5 * 42


@given(totals, clips, strides, seeds)
def test_dense_keeps_its_stride_as_long_as_the_video_lasts(total, frames, stride, seed):
    indices = dense(total, frames, stride=stride, rng=generator(seed))
    if total >= (frames - 1) * stride + 1:
        assert (np.diff(indices) == stride).all()
    else:
        expected = [min(stride * k, total - 1) for k in range(frames)]
        assert indices.tolist() == expected


@given(totals, clips, strides)
def test_dense_is_taken_from_the_middle(total, frames, stride):
    indices = dense(total, frames, stride=stride)
    before, after = indices[0], total - 1 - indices[-1]
    assert 0 <= after - before <= 1 or total < (frames - 1) * stride + 1


def test_dense_by_hand():
    assert dense(20, 4).tolist() == [8, 9, 10, 11]
    assert dense(20, 4, stride=3).tolist() == [5, 8, 11, 14]
    assert dense(6, 4, stride=3).tolist() == [0, 3, 5, 5]
    assert dense(1, 3).tolist() == [0, 0, 0]


def test_every_start_is_drawn_equally_often():
    rng = generator(2)
    starts = [dense(13, 4, rng=rng)[0] for _ in range(20_000)]
    # Ten starts; mean 2,000, standard deviation 42.
    assert np.abs(np.bincount(starts, minlength=10) - 2_000).max() < 5 * 42


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_draws_the_same_frames(kind):
    sampling = Sampling(kind=kind)
    draws = [sampling.indices(300, generator(seed)).tolist() for seed in (5, 5, 6)]
    assert draws[0] == draws[1] != draws[2]
    assert sampling.indices(300).tolist() == sampling.indices(300).tolist()


def test_impossible_counts_are_refused():
    for choose in (uniform, dense):
        with pytest.raises(ValueError, match="total must be at least 1, got 0"):
            choose(0, 4)
        with pytest.raises(ValueError, match="frames must be at least 1, got 0"):
            choose(4, 0)
    with pytest.raises(ValueError, match="stride must be at least 1, got 0"):
        Sampling(kind="dense", stride=0)
    with pytest.raises(ValueError, match="kind must be one of uniform, dense; got 'even'"):
        Sampling(kind="even")
