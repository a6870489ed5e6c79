"""What is known of a symbol before it is read: the index of its probability table.

A clip's symbols are read frame by frame, and a frame in two halves, like the white and the black
fields of a chessboard: the first half knows the frame before, the second also its own neighbours of
the first half (He et al., "Checkerboard Context Model for Efficient Learned Image Compression",
CVPR 2021). A context is a small whole number, so encoder, decoder and training agree on it exactly:
what is written here takes arrays of NumPy, in coding, and tensors, in training, on any device.

Letters: ... any leading axes; T frames, h rows and w columns of the grid, C channels.
"""

from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Symbols = NDArray[np.int8]
Flags = NDArray[np.bool_]
Contexts = NDArray[np.int8]

Array = TypeVar("Array", NDArray[Any], Tensor)

LARGE = 7
"""Magnitude from which on neighbours count no more, and symbols are finished by another table
(our choice; see `tables`)."""

_REACH = 2  # magnitudes above this tell no more
_BEFORE = 2 * _REACH + 2  # symbol in the frame before, or none
_NOTHING = _BEFORE - 1
_AROUND = 3  # none, one or more of its neighbours there are not zero
_BESIDE = 2 * _REACH + 1  # half the sum of its neighbours in this frame
_SECOND = _BEFORE * _AROUND  # number of the second half's first context

SYMBOL_CONTEXTS = _SECOND + _BEFORE * _BESIDE
"""Number of contexts of a symbol: of the first half, then of the second."""

NO_FRAME = 2
"""In place of a flag of the frame before (0 or 1), where there is none."""

_FLAG_AROUND = 3  # none, up to two, or more of the four neighbours kept in the frame before
_FLAG_BESIDE = 5  # neighbours kept in this frame
_FLAG_SECOND = (NO_FRAME + 1) * _FLAG_AROUND

FLAG_CONTEXTS = _FLAG_SECOND + (NO_FRAME + 1) * _FLAG_BESIDE
"""Number of contexts of a position's flag: of the first half, then of the second."""


def first_half(h: int, w: int) -> Flags:
    """Return which positions of the grid are read first, shape (h, w)."""
    rows, columns = np.indices((h, w))
    return np.asarray((rows + columns) % 2 == 0)


def symbol_contexts(before: Array, known: Array, now: Array | None) -> Array:
    """Return the context of each symbol of a frame.

    Args:
        before: Latest symbols of frames before, int8, shape (..., h, w, C).
        known: Where there are any, bool, shape (..., h, w).
        now: Symbols of this frame's first half, zero elsewhere, to get the contexts of the second;
            None to get those of the first.

    Returns:
        From 0 to `SYMBOL_CONTEXTS` - 1, int8, shape (..., h, w, C); only those of one half are
        meant.
    """
    near = before.clip(-_REACH, _REACH) + _REACH
    near = (near - _NOTHING) * known[..., None] + _NOTHING
    if now is None:
        around = _neighbours(_whole(before != 0)).clip(0, _AROUND - 1)
        first: Array = near * _AROUND + around
        return first
    total = _neighbours(now.clip(-LARGE, LARGE))
    half = (total + (total > 0)) >> 1  # away from zero, so that a single neighbour counts
    second: Array = near * _BESIDE + half.clip(-_REACH, _REACH) + (_REACH + _SECOND)
    return second


def follows(contexts: Array) -> Array:
    """Return whether the symbols of these contexts had one before them at their position: bool."""
    first = contexts < min(_SECOND, _NOTHING * _AROUND)
    second = (contexts >= _SECOND) & (contexts < _SECOND + _NOTHING * _BESIDE)
    return first | second


def flag_contexts(before: Array, now: Array | None) -> Array:
    """Return the context of each position's flag (kept or not) of a frame.

    Args:
        before: Flags of the kept frame before, `NO_FRAME` if there is none: int8, shape
            (..., h, w).
        now: Flags of this frame's first half, zero elsewhere, to get the contexts of the second:
            int8; None to get those of the first.

    Returns:
        From 0 to `FLAG_CONTEXTS` - 1, int8, shape (..., h, w); only those of one half are meant.
    """
    if now is None:
        kept = _neighbours(_whole(before == 1)[..., None])[..., 0]
        first: Array = before * _FLAG_AROUND + ((kept + 1) >> 1)
        return first
    second: Array = before * _FLAG_BESIDE + _neighbours(now[..., None])[..., 0] + _FLAG_SECOND
    return second


def clip_contexts(symbols: Array, kept: Array, *, temporal: bool) -> Array:
    """Return the context of every symbol of a clip, as reading it frame by frame would find them.

    Args:
        symbols: Int8, shape (..., T, h, w, C); zero where nothing is kept.
        kept: Positions kept, bool, shape (..., T, h, w).
        temporal: Whether a frame knows those before it.

    Returns:
        Int8, shape (..., T, h, w, C); meaningless where nothing is kept.
    """
    before, known = _zeros(symbols), _zeros(kept)
    if temporal:
        for t in range(1, kept.shape[-3]):
            sent, old = kept[..., t - 1, :, :], before[..., t - 1, :, :, :]
            before[..., t, :, :, :] = old + (symbols[..., t - 1, :, :, :] - old) * sent[..., None]
            known[..., t, :, :] = known[..., t - 1, :, :] | sent
    first = _first_half_of(kept)[..., None]
    early = symbol_contexts(before, known, None)
    late = symbol_contexts(before, known, symbols * first)
    found: Array = (early - late) * first + late
    return found


def clip_flag_contexts(kept: Array) -> Array:
    """Return the context of every position's flag of a clip; frames without any are not read.

    Args:
        kept: Bool, shape (..., T, h, w).

    Returns:
        Int8, shape (..., T, h, w); meaningless in frames without a kept position.
    """
    flags = _whole(kept)
    before = _zeros(flags) + NO_FRAME
    for t in range(1, kept.shape[-3]):
        latest, old = flags[..., t - 1, :, :], before[..., t - 1, :, :]
        read = (latest.sum((-2, -1)) > 0)[..., None, None]
        before[..., t, :, :] = old + (latest - old) * read
    first = _first_half_of(kept)
    early, late = flag_contexts(before, None), flag_contexts(before, flags * first)
    found: Array = (early - late) * first + late
    return found


def kept_frames(kept: Flags) -> Flags:
    """Return which frames have a kept position, shape (T,), of flags (T, h, w)."""
    return np.asarray(kept.any(axis=(1, 2)))


def _neighbours(grid: Array) -> Array:
    """Return the sum over the four neighbours of each position, shape (..., h, w, C)."""
    total = _zeros(grid)
    total[..., 1:, :, :] += grid[..., :-1, :, :]
    total[..., :-1, :, :] += grid[..., 1:, :, :]
    total[..., :, 1:, :] += grid[..., :, :-1, :]
    total[..., :, :-1, :] += grid[..., :, 1:, :]
    return total


def _first_half_of(kept: Array) -> Array:
    """Return `first_half` of positions (..., h, w), as an array of their kind."""
    if not isinstance(kept, Tensor):
        return first_half(*kept.shape[-2:])
    rows, columns = (torch.arange(length, device=kept.device) for length in kept.shape[-2:])
    return (rows[:, None] + columns) % 2 == 0


def _zeros(array: Array) -> Array:
    return torch.zeros_like(array) if isinstance(array, Tensor) else np.zeros_like(array)


def _whole(flags: Array) -> Array:
    return flags.to(torch.int8) if isinstance(flags, Tensor) else flags.astype(np.int8)
