"""Probability tables: whole numbers, one row for each context, stored with the weights.

Nothing is computed by a network when bytes are read, so the same bytes give the same symbols on
every machine.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fadeline.models.codecs.contexts import (
    FLAG_CONTEXTS,
    SYMBOL_CONTEXTS,
    Flags,
    Symbols,
    clip_contexts,
    clip_flag_contexts,
    kept_frames,
)

Table = NDArray[np.uint16]

TOTAL = 1 << 16
"""Sum of every row: probabilities are multiples of 2^-16 (our choice; costs under 0.001 bit)."""

FRAME_CONTEXTS = 3
"""Contexts of a frame's flag: the frame before was left out, was kept, or there is none."""

_PRIOR_COUNT = 0.4
"""Added to every count: close to Krichevsky and Trofimov's 1/2, a little less for rare symbols."""


@dataclass(frozen=True)
class Tables:
    """Probabilities of one operating point, in units of 2^-16; no entry is zero.

    Attributes:
        symbols: Of each level, from -radius to radius: shape (C, SYMBOL_CONTEXTS, 2 radius + 1).
        flags: Of a position being left out or kept, shape (FLAG_CONTEXTS, 2).
        frames: Of a frame being left out or kept, shape (FRAME_CONTEXTS, 2).

    Raises:
        ValueError: If shapes, types or sums are off.
    """

    symbols: Table
    flags: Table
    frames: Table

    def __post_init__(self) -> None:
        shapes = {
            "symbols": (*self.symbols.shape[:1], SYMBOL_CONTEXTS, self.symbols.shape[-1]),
            "flags": (FLAG_CONTEXTS, 2),
            "frames": (FRAME_CONTEXTS, 2),
        }
        for name, shape in shapes.items():
            table: Table = getattr(self, name)
            if table.dtype != np.uint16 or table.shape != shape:
                raise ValueError(
                    f"{name}: expected uint16 {shape}, got {table.dtype} {table.shape}"
                )
            if table.min(initial=1) < 1 or np.any(table.sum(axis=-1, dtype=np.int64) != TOTAL):
                raise ValueError(f"{name}: every row must be positive and add up to {TOTAL}")
        if self.symbols.shape[-1] % 2 == 0:
            raise ValueError(f"symbols: an odd number of levels, got {self.symbols.shape[-1]}")

    @classmethod
    def even(cls, channels: int, radius: int) -> "Tables":
        """Return tables that know nothing yet."""
        return Counts(channels, radius).tables()

    @property
    def radius(self) -> int:
        """Largest magnitude of a symbol."""
        return int(self.symbols.shape[-1]) // 2


class Counts:
    """Counts of what training clips sent, to make tables of.

    Args:
        channels: Values for each position, C.
        radius: Largest magnitude of a symbol.
    """

    def __init__(self, channels: int, radius: int) -> None:
        self._radius = radius
        self._symbols = np.zeros((channels, SYMBOL_CONTEXTS, 2 * radius + 1))
        self._flags = np.zeros((FLAG_CONTEXTS, 2))
        self._frames = np.zeros((FRAME_CONTEXTS, 2))

    def add(self, symbols: Symbols, kept: Flags, *, temporal: bool) -> None:
        """Count one clip: symbols (T, C, h, w) and kept positions (T, h, w)."""
        contexts = clip_contexts(symbols, kept, temporal=temporal)
        t, i, j = np.nonzero(kept)
        for channel in range(symbols.shape[1]):
            where = (t, channel, i, j)
            rows = (contexts[where], symbols[where].astype(np.int64) + self._radius)
            np.add.at(self._symbols[channel], rows, 1)
        frames = kept_frames(kept)
        np.add.at(self._flags, (clip_flag_contexts(kept)[frames], kept[frames].astype(int)), 1)
        np.add.at(self._frames, (frame_contexts(frames), frames.astype(int)), 1)

    def tables(self) -> Tables:
        """Return the tables that code these counts in the fewest bits."""
        return Tables(_whole(self._symbols), _whole(self._flags), _whole(self._frames))


def frame_contexts(frames: Flags) -> NDArray[np.int64]:
    """Return the context of each frame's flag, shape (T,)."""
    return np.concatenate([[FRAME_CONTEXTS - 1], frames[:-1].astype(np.int64)])


def _whole(counts: NDArray[np.float64]) -> Table:
    """Return rows of positive whole numbers that add up to `TOTAL`, in proportion to the counts."""
    weights = counts + _PRIOR_COUNT
    levels = counts.shape[-1]
    # A one for every entry, the rest in proportion; what rounding leaves goes to the likeliest.
    shares = weights / weights.sum(axis=-1, keepdims=True) * (TOTAL - levels)
    whole = 1 + np.floor(shares).astype(np.int64)
    best = whole.argmax(axis=-1, keepdims=True)
    missing = TOTAL - whole.sum(axis=-1, keepdims=True)
    np.put_along_axis(whole, best, np.take_along_axis(whole, best, -1) + missing, -1)
    return np.asarray(whole, dtype=np.uint16)
