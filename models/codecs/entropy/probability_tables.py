"""Probability tables: whole numbers, one row for each context, stored with the weights.

Nothing is computed by a network when bytes are read, so the same bytes give the same symbols on
every machine.

A symbol is read in at most two parts: its value, held between -`LARGE` and `LARGE`, and at these
ends how far beyond it is. So the rows that are many stay short, and the range may be wide.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fadeline.models.codecs.entropy.contexts import (
    FLAG_CONTEXTS,
    LARGE,
    SYMBOL_CONTEXTS,
    Flags,
    Symbols,
    clip_contexts,
    clip_flag_contexts,
    follows,
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
        symbols: Of each value, held at `LARGE`: shape (C, SYMBOL_CONTEXTS, L), L = 2 radius + 1 or
            2 `LARGE` + 1, whichever is less.
        tails: Of how far beyond `LARGE` a symbol is, with none before it at its position or with
            one: shape (C, 2, radius + 1 - `LARGE`), or (C, 2, 0) if none can be beyond.
        flags: Of a position being left out or kept, shape (FLAG_CONTEXTS, 2).
        frames: Of a frame being left out or kept, shape (FRAME_CONTEXTS, 2).

    Raises:
        ValueError: If shapes, types or sums are off.
    """

    symbols: Table
    tails: Table
    flags: Table
    frames: Table

    def __post_init__(self) -> None:
        shapes = {
            "symbols": (*self.symbols.shape[:1], SYMBOL_CONTEXTS, self.symbols.shape[-1]),
            "tails": (*self.symbols.shape[:1], 2, self.tails.shape[-1]),
            "flags": (FLAG_CONTEXTS, 2),
            "frames": (FRAME_CONTEXTS, 2),
        }
        for name, shape in shapes.items():
            table: Table = getattr(self, name)
            if table.dtype != np.uint16 or table.shape != shape:
                raise ValueError(
                    f"{name}: expected uint16 {shape}, got {table.dtype} {table.shape}"
                )
            whole = table.size == 0 or np.all(table.sum(axis=-1, dtype=np.int64) == TOTAL)
            if table.min(initial=1) < 1 or not whole:
                raise ValueError(f"{name}: every row must be positive and add up to {TOTAL}")
        if self.symbols.shape[-1] % 2 == 0:
            raise ValueError(f"symbols: an odd number of levels, got {self.symbols.shape[-1]}")
        if self.tails.shape[-1] and self.symbols.shape[-1] != 2 * LARGE + 1:
            raise ValueError(f"tails: none below {LARGE}, where symbols end at {self.held}")

    @classmethod
    def even(cls, channels: int, radius: int) -> "Tables":
        """Return tables that know nothing yet."""
        return Counts(channels, radius).tables()

    @property
    def held(self) -> int:
        """Largest magnitude that `symbols` tell apart."""
        return int(self.symbols.shape[-1]) // 2

    @property
    def radius(self) -> int:
        """Largest magnitude of a symbol."""
        return self.held + max(int(self.tails.shape[-1]) - 1, 0)


class Counts:
    """Counts of what training clips sent, to make tables of.

    Args:
        channels: Values for each position, C.
        radius: Largest magnitude of a symbol.
    """

    def __init__(self, channels: int, radius: int) -> None:
        self._held = min(radius, LARGE)
        beyond = radius + 1 - LARGE if radius > LARGE else 0
        self._symbols = np.zeros((channels, SYMBOL_CONTEXTS, 2 * self._held + 1))
        self._tails = np.zeros((channels, 2, beyond))
        self._flags = np.zeros((FLAG_CONTEXTS, 2))
        self._frames = np.zeros((FRAME_CONTEXTS, 2))

    def add(self, symbols: Symbols, kept: Flags, *, temporal: bool) -> None:
        """Count one clip: symbols (T, h, w, C) and kept positions (T, h, w)."""
        contexts = clip_contexts(symbols, kept, temporal=temporal)[kept]
        values = symbols[kept].astype(np.int64)
        channel = np.broadcast_to(np.arange(symbols.shape[-1]), values.shape)
        level = values.clip(-self._held, self._held) + self._held
        _count(self._symbols, channel, contexts.astype(np.int64), level)
        if self._tails.size:
            far = np.abs(values) >= LARGE
            before = follows(contexts)[far].astype(np.int64)
            _count(self._tails, channel[far], before, np.abs(values[far]) - LARGE)
        frames = kept_frames(kept)
        flags = clip_flag_contexts(kept)[frames]
        _count(self._flags, flags.astype(np.int64), kept[frames].astype(np.int64))
        _count(self._frames, frame_contexts(frames), frames.astype(np.int64))

    def tables(self) -> Tables:
        """Return the tables that code these counts in the fewest bits."""
        return Tables(
            _whole(self._symbols), _whole(self._tails), _whole(self._flags), _whole(self._frames)
        )


def frame_contexts(frames: Flags) -> NDArray[np.int64]:
    """Return the context of each frame's flag, shape (T,)."""
    return np.concatenate([[FRAME_CONTEXTS - 1], frames[:-1].astype(np.int64)])


def _count(counts: NDArray[np.float64], *entries: NDArray[np.int64]) -> None:
    """Add one to each entry, given by its place along every axis."""
    flat = np.ravel_multi_index(entries, counts.shape).ravel()
    counts += np.bincount(flat, minlength=counts.size).reshape(counts.shape)


def _whole(counts: NDArray[np.float64]) -> Table:
    """Return rows of positive whole numbers that add up to `TOTAL`, in proportion to the counts."""
    if counts.size == 0:
        return np.zeros(counts.shape, dtype=np.uint16)
    weights = counts + _PRIOR_COUNT
    levels = counts.shape[-1]
    # A one for every entry, the rest in proportion; what rounding leaves goes to the likeliest.
    shares = weights / weights.sum(axis=-1, keepdims=True) * (TOTAL - levels)
    whole = 1 + np.floor(shares).astype(np.int64)
    best = whole.argmax(axis=-1, keepdims=True)
    missing = TOTAL - whole.sum(axis=-1, keepdims=True)
    np.put_along_axis(whole, best, np.take_along_axis(whole, best, -1) + missing, -1)
    return np.asarray(whole, dtype=np.uint16)
