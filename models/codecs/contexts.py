"""What is known of a symbol before it is read: the index of its probability table.

A clip's symbols are read frame by frame, and a frame in two halves, like the white and the black
fields of a chessboard: the first half knows the frame before, the second also its own neighbours of
the first half (He et al., "Checkerboard Context Model for Efficient Learned Image Compression",
CVPR 2021). A context is a small whole number, so encoder, decoder and training agree on it exactly.

Letters: ... any leading axes; C channels, h rows and w columns of the grid.
"""

import numpy as np
from numpy.typing import NDArray

Symbols = NDArray[np.int8]
Flags = NDArray[np.bool_]
Contexts = NDArray[np.int64]

_REACH = 2  # magnitudes above this tell no more
_BEFORE = 2 * _REACH + 2  # symbol in the frame before, or none
_AROUND = 3  # none, one or more of its neighbours there are not zero
_BESIDE = 2 * _REACH + 1  # half the sum of its neighbours in this frame

SYMBOL_CONTEXTS = _BEFORE * _AROUND + _BEFORE * _BESIDE
"""Number of contexts of a symbol: of the first half, then of the second."""

_FLAG_BEFORE = 3  # not kept, kept, or no frame before
_FLAG_AROUND = 3  # none, up to two, or more of the four neighbours kept in the frame before
_FLAG_BESIDE = 5  # neighbours kept in this frame

FLAG_CONTEXTS = _FLAG_BEFORE * _FLAG_AROUND + _FLAG_BEFORE * _FLAG_BESIDE
"""Number of contexts of a position's flag: of the first half, then of the second."""


def first_half(h: int, w: int) -> Flags:
    """Return which places of the grid are read first, shape (h, w)."""
    rows, columns = np.indices((h, w))
    return np.asarray((rows + columns) % 2 == 0)


def symbol_contexts(before: Symbols, known: Flags, now: Symbols | None) -> Contexts:
    """Return the context of each symbol of a frame.

    Args:
        before: Latest symbols of frames before, shape (..., C, h, w).
        known: Where there are any, shape (..., h, w).
        now: Symbols of this frame's first half, zero elsewhere, to get the contexts of the second;
            None to get those of the first.

    Returns:
        From 0 to `SYMBOL_CONTEXTS` - 1, shape (..., C, h, w); only those of one half are meant.
    """
    near = np.clip(before, -_REACH, _REACH).astype(np.int64) + _REACH
    near = np.where(known[..., None, :, :], near, _BEFORE - 1)
    if now is None:
        around = np.minimum(_neighbours(before != 0), _AROUND - 1)
        return near * _AROUND + around
    # Halved away from zero, so that a single neighbour counts.
    total = _neighbours(now)
    beside = np.clip(np.sign(total) * (np.abs(total) + 1 >> 1), -_REACH, _REACH) + _REACH
    second: Contexts = _BEFORE * _AROUND + near * _BESIDE + beside
    return second


def flag_contexts(before: Flags | None, now: Flags | None, shape: tuple[int, ...]) -> Contexts:
    """Return the context of each position's flag (kept or not) of a frame.

    Args:
        before: Flags of the kept frame before, shape (..., h, w); None if there is none.
        now: Flags of this frame's first half, False elsewhere, to get the contexts of the second;
            None to get those of the first.
        shape: (..., h, w).

    Returns:
        From 0 to `FLAG_CONTEXTS` - 1, shape (..., h, w); only those of one half are meant.
    """
    if before is None:
        near = np.full(shape, _FLAG_BEFORE - 1, dtype=np.int64)
        around = np.zeros(shape, dtype=np.int64)
    else:
        near = before.astype(np.int64)
        around = (_neighbours(before) + 1) // 2  # 0; 1 or 2; 3 or 4
    if now is None:
        return near * _FLAG_AROUND + around
    return _FLAG_BEFORE * _FLAG_AROUND + near * _FLAG_BESIDE + _neighbours(now)


def clip_contexts(symbols: Symbols, kept: Flags, *, temporal: bool) -> Contexts:
    """Return the context of every symbol of a clip, as reading it frame by frame would find them.

    Args:
        symbols: Shape (..., T, C, h, w); zero where nothing is kept.
        kept: Positions kept, shape (..., T, h, w).
        temporal: Whether a frame knows those before it.

    Returns:
        Shape (..., T, C, h, w); meaningless where nothing is kept.
    """
    before, known = np.zeros_like(symbols), np.zeros_like(kept)
    if temporal:
        for t in range(1, kept.shape[-3]):
            sent, latest = kept[..., t - 1, None, :, :], symbols[..., t - 1, :, :, :]
            before[..., t, :, :, :] = np.where(sent, latest, before[..., t - 1, :, :, :])
            known[..., t, :, :] = known[..., t - 1, :, :] | kept[..., t - 1, :, :]
    first = first_half(*kept.shape[-2:])
    return np.where(
        first,
        symbol_contexts(before, known, None),
        symbol_contexts(before, known, symbols * first),
    )


def clip_flag_contexts(kept: Flags) -> Contexts:
    """Return the context of every position's flag of a clip; frames without any are not read.

    Args:
        kept: Shape (T, h, w).

    Returns:
        Shape (T, h, w); meaningless in frames without a kept position.
    """
    first = first_half(*kept.shape[-2:])
    found = np.zeros(kept.shape, dtype=np.int64)
    before: Flags | None = None
    for t in np.flatnonzero(kept_frames(kept)):
        found[t] = np.where(
            first,
            flag_contexts(before, None, kept[t].shape),
            flag_contexts(before, kept[t] & first, kept[t].shape),
        )
        before = kept[t]
    return found


def kept_frames(kept: Flags) -> Flags:
    """Return which frames have a kept position, shape (T,), of flags (T, h, w)."""
    return np.asarray(kept.any(axis=(1, 2)))


def _neighbours(grid: Symbols | Flags) -> Contexts:
    """Return the sum over the four neighbours of each place, shape (..., h, w)."""
    total = np.zeros(grid.shape, dtype=np.int64)
    total[..., 1:, :] += grid[..., :-1, :]
    total[..., :-1, :] += grid[..., 1:, :]
    total[..., :, 1:] += grid[..., :, :-1]
    total[..., :, :-1] += grid[..., :, 1:]
    return total
