"""Symbols come back from their bytes, which are few, and are read the same way everywhere."""

import hashlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fadeline.models.codecs.entropy.coding import decode_symbols, encode_symbols, ideal_bits
from fadeline.models.codecs.entropy.contexts import (
    FLAG_CONTEXTS,
    LARGE,
    SYMBOL_CONTEXTS,
    clip_contexts,
    clip_flag_contexts,
    first_half,
    follows,
    symbol_contexts,
)
from fadeline.models.codecs.entropy.probability_tables import TOTAL, Counts, Tables
from fadeline.models.errors import BitstreamError

GRID = (6, 4, 5)


def noisy_clip(seed, *, radius=3, channels=2, share=0.5, grid=GRID, whole_frames=False):
    """Symbols that change slowly, at some positions of most frames."""
    rng = np.random.default_rng(seed)
    T, h, w = grid
    kept = rng.random((T, h, w)) < share
    if whole_frames:
        kept[:] = (rng.random(T) < 0.7)[:, None, None]
    kept[rng.random(T) < 0.2] = False
    symbols = np.zeros((T, h, w, channels), np.int8)
    now = rng.integers(-radius, radius + 1, (h, w, channels))
    for t in range(T):
        fresh = rng.integers(-radius, radius + 1, (h, w, channels))
        now = np.where(rng.random((h, w, channels)) < 0.8, now, fresh)
        symbols[t] = now * kept[t][..., None]
    return symbols, kept


def fitted(clips, *, radius=3, channels=2, temporal):
    counts = Counts(channels, radius)
    for symbols, kept in clips:
        counts.add(symbols, kept, temporal=temporal)
    return counts.tables()


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    radius=st.sampled_from([1, 3, LARGE - 1, LARGE, LARGE + 1, 15, 63]),
    channels=st.integers(1, 4),
    share=st.sampled_from([0.0, 0.05, 0.5, 1.0]),
    temporal=st.booleans(),
    whole_frames=st.booleans(),
)
def test_symbols_and_positions_come_back(seed, radius, channels, share, temporal, whole_frames):
    symbols, kept = noisy_clip(
        seed, radius=radius, channels=channels, share=share, whole_frames=whole_frames
    )
    other = noisy_clip(seed + 1, radius=radius, channels=channels)
    tables = fitted([other], radius=radius, channels=channels, temporal=temporal)
    how = {"temporal": temporal, "all_positions": whole_frames}
    data = encode_symbols(symbols, kept, tables, **how)
    back, where = decode_symbols(data, GRID, tables, **how)
    assert np.array_equal(back, symbols)
    assert np.array_equal(where, kept)


@pytest.mark.parametrize("temporal", [True, False])
@pytest.mark.parametrize("whole_frames", [True, False])
@pytest.mark.parametrize("radius", [3, 30])
def test_coded_length_is_the_models_entropy(temporal, whole_frames, radius):
    """Within one percent and five bytes."""
    grid = (16, 8, 8)
    clips = [
        noisy_clip(seed, radius=radius, grid=grid, whole_frames=whole_frames) for seed in range(20)
    ]
    tables = fitted(clips, radius=radius, temporal=temporal)
    how = {"temporal": temporal, "all_positions": whole_frames}
    for symbols, kept in clips:
        coded = len(encode_symbols(symbols, kept, tables, **how))
        ideal = ideal_bits(symbols, kept, tables, **how) / 8
        assert ideal - 1 <= coded <= 1.01 * ideal + 5


def test_what_repeats_is_cheap_only_with_a_memory():
    clips = [noisy_clip(seed, share=1.0) for seed in range(40)]
    bits = {}
    for temporal in (True, False):
        tables = fitted(clips, temporal=temporal)
        bits[temporal] = sum(
            ideal_bits(symbols, kept, tables, temporal=temporal, all_positions=False)
            for symbols, kept in clips
        )
    assert bits[True] < 0.75 * bits[False]


def test_contexts_of_a_clip_are_those_that_reading_finds():
    symbols, kept = noisy_clip(5, radius=10)
    contexts = clip_contexts(symbols, kept, temporal=True)
    first = first_half(*GRID[1:])
    before, known = np.zeros_like(symbols[0]), np.zeros_like(kept[0])
    for t in range(GRID[0]):
        early = symbol_contexts(before, known, None)
        late = symbol_contexts(before, known, symbols[t] * first[..., None])
        assert np.array_equal(contexts[t][first], early[first])
        assert np.array_equal(contexts[t][~first], late[~first])
        assert np.array_equal(follows(contexts[t])[..., 0], known)
        before = np.where(kept[t][..., None], symbols[t], before)
        known = known | kept[t]
    assert contexts.min() >= 0
    assert contexts.max() < SYMBOL_CONTEXTS


def test_training_finds_the_contexts_that_coding_does():
    clips = [noisy_clip(seed, radius=10) for seed in range(4)]
    symbols, kept = (np.stack(parts) for parts in zip(*clips, strict=True))
    for temporal in (True, False):
        batch = clip_contexts(torch.from_numpy(symbols), torch.from_numpy(kept), temporal=temporal)
        alone = [clip_contexts(*clip, temporal=temporal) for clip in clips]
        assert np.array_equal(batch.numpy(), np.stack(alone))
    flags = clip_flag_contexts(torch.from_numpy(kept))
    assert np.array_equal(flags.numpy(), np.stack([clip_flag_contexts(where) for where in kept]))


def test_a_context_knows_nothing_that_is_read_later():
    """Changing a symbol changes no context of the same half, of frames before, nor its own."""
    symbols, kept = noisy_clip(6, share=1.0)
    kept[:] = True
    first = first_half(*GRID[1:])
    changed = symbols.copy()
    t, i, j = 3, 1, 2  # of the second half
    assert not first[i, j]
    changed[t, i, j, 0] = -changed[t, i, j, 0] + 1
    different = clip_contexts(symbols, kept, temporal=True) != clip_contexts(
        changed, kept, temporal=True
    )
    assert not different[: t + 1].any()
    assert different[t + 1 :].any()
    alone = clip_contexts(symbols, kept, temporal=False) != clip_contexts(
        changed, kept, temporal=False
    )
    assert not alone.any()


def test_tables_are_whole_numbers_that_no_symbol_is_missing_from():
    tables = fitted([noisy_clip(1, radius=12)], radius=12, temporal=True)
    for table in (tables.symbols, tables.tails, tables.flags, tables.frames):
        assert table.dtype == np.uint16
        assert table.min() >= 1
        assert np.all(table.sum(axis=-1, dtype=int) == TOTAL)
    assert tables.radius == 12
    assert fitted([noisy_clip(1)], temporal=True).radius == 3


def test_counts_become_probabilities():
    counts = Counts(1, 1)
    symbols = np.zeros((1, 20, 50, 1), np.int8)
    symbols[0, :, :10] = 1  # a fifth
    counts.add(symbols, np.ones((1, 20, 50), bool), temporal=True)
    seen = counts.tables().symbols[0]
    alone = seen[5 * 3]  # nothing before, nothing around
    assert alone / TOTAL == pytest.approx([0.0, 0.8, 0.2], abs=0.002)


def test_large_symbols_are_counted_by_how_far_they_are_beyond():
    counts = Counts(1, LARGE + 3)
    symbols = np.zeros((1, 20, 50, 1), np.int8)
    symbols[0, :, :10] = LARGE
    symbols[0, :, 10:20] = -LARGE - 2
    counts.add(symbols, np.ones((1, 20, 50), bool), temporal=True)
    tails = counts.tables().tails[0]
    assert tails[0] / TOTAL == pytest.approx([0.5, 0.0, 0.5, 0.0], abs=0.002)  # none came before
    assert tails[1] / TOTAL == pytest.approx([0.25] * 4, abs=0.001)  # never seen


@pytest.mark.parametrize("fault", ["type", "sum", "zero", "shape", "tails"])
def test_tables_that_cannot_be_are_refused(fault):
    good = fitted([noisy_clip(1)], temporal=True)
    symbols, flags, tails = good.symbols.copy(), good.flags.copy(), good.tails
    if fault == "type":
        symbols = symbols.astype(np.int64)
    elif fault == "sum":
        symbols[0, 0, 0] += 1
    elif fault == "zero":
        symbols[0, 0, 1] += symbols[0, 0, 0]
        symbols[0, 0, 0] = 0
    elif fault == "shape":
        flags = flags[: FLAG_CONTEXTS - 1]
    else:
        tails = np.full((2, 2, 4), TOTAL // 4, np.uint16)
    with pytest.raises(ValueError, match=r"expected uint16|must be positive|tails: none below 7"):
        Tables(symbols, tails, flags, good.frames)


def test_bytes_are_the_same_on_every_machine():
    """Golden: tables and coder use whole numbers and IEEE arithmetic only."""
    symbols, kept = noisy_clip(11, radius=9)
    tables = fitted([noisy_clip(12, radius=9)], radius=9, temporal=True)
    data = encode_symbols(symbols, kept, tables, temporal=True, all_positions=False)
    assert hashlib.sha256(data).hexdigest()[:16] == "b844ecaa6a7703be"


def test_any_bytes_decode_to_something_or_are_refused():
    tables = fitted([noisy_clip(1)], temporal=True)
    rng = np.random.default_rng(1)
    refused = 0
    for data in (b"\xff" * 8, *(rng.bytes(length) for length in range(300))):
        try:
            symbols, kept = decode_symbols(data, GRID, tables, temporal=True, all_positions=False)
        except BitstreamError:
            refused += 1
            continue
        assert np.abs(symbols).max() <= 3
        assert kept.shape == GRID
    assert 1 <= refused < 100
