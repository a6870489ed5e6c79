"""Symbols and what is kept of a clip as bytes, and back: range coding with stored tables.

The coder is constriction's (Bamler, "Understanding Entropy Coding With Asymmetric Numeral Systems",
2022); which table stands for which symbol is ours. A frame's flag, then for each kept frame its
positions' flags and symbols, each in two halves (see `contexts`).
"""

from functools import cache
from typing import Any

import constriction
import numpy as np
from numpy.typing import NDArray

from fadeline.models.codecs.contexts import (
    Contexts,
    Flags,
    Symbols,
    clip_contexts,
    clip_flag_contexts,
    first_half,
    flag_contexts,
    kept_frames,
    symbol_contexts,
)
from fadeline.models.codecs.tables import TOTAL, Table, Tables, frame_contexts
from fadeline.models.errors import BitstreamError

_WORD_BYTES = 4
_STATE_BITS = 64


def encode_symbols(
    symbols: Symbols,
    kept: Flags,
    tables: Tables,
    *,
    temporal: bool,
    all_positions: bool,
    ends: list[int] | None = None,
) -> bytes:
    """Return symbols and which positions they are of, entropy-coded.

    Args:
        symbols: Shape (T, C, h, w), magnitudes up to the tables' radius; zero where not kept.
        kept: Positions sent, shape (T, h, w).
        tables: Probabilities.
        temporal: Whether a frame's symbols may be predicted from frames before it.
        all_positions: Frames are sent with all their positions or not at all, so flags of positions
            are left out.
        ends: Gets, for each frame, the bytes that are final once it is written; the last are so
            only at the end.
    """
    writer = constriction.stream.queue.RangeEncoder()

    def write(values: NDArray[Any], table: Table, contexts: Contexts) -> None:
        writer.encode(values.astype(np.int32), _family(), _flat(table[contexts]))

    frames = kept_frames(kept)
    write(frames, tables.frames, frame_contexts(frames))
    flags = None if all_positions else clip_flag_contexts(kept)
    contexts = clip_contexts(symbols, kept, temporal=temporal)
    channel = np.arange(symbols.shape[1])[:, None]
    for t in range(len(frames)):
        for half in _halves(*kept.shape[1:]):
            if frames[t] and flags is not None:
                write(kept[t][half], tables.flags, flags[t][half])
        for half in _halves(*kept.shape[1:]) if frames[t] else ():
            here = kept[t] & half
            values = symbols[t][:, here].astype(np.int32) + tables.radius
            rows = tables.symbols[channel, contexts[t][:, here]]
            writer.encode(values.ravel(), _family(), _flat(rows))
        if ends is not None:
            words, (lower, span) = writer.pos()
            # A carry can still reach the words written while the interval spans their end.
            final = lower + span <= 1 << _STATE_BITS
            ends.append(_WORD_BYTES * words if final else max(ends, default=0))
    words = np.asarray(writer.get_compressed()).astype(">u4")
    return words.tobytes().rstrip(b"\0")


def decode_symbols(
    data: bytes,
    shape: tuple[int, int, int],
    tables: Tables,
    *,
    temporal: bool,
    all_positions: bool,
) -> tuple[Symbols, Flags]:
    """Return symbols (T, C, h, w) and kept positions (T, h, w) from `encode_symbols`.

    Args:
        data: The bytes.
        shape: T, h and w.
        tables: Those it was encoded with.
        temporal: As encoded.
        all_positions: As encoded.

    Raises:
        BitstreamError: If no encoder can have written the bytes. Damage mostly gives other symbols
            instead; to find it is for checksums.
    """
    padded = data + bytes(-len(data) % _WORD_BYTES)
    reader = constriction.stream.queue.RangeDecoder(
        np.frombuffer(padded, dtype=">u4").astype(np.uint32)
    )

    def read(rows: Table) -> NDArray[np.int32]:
        try:
            values: NDArray[np.int32] = reader.decode(_family(), _flat(rows))
        except AssertionError as error:
            raise BitstreamError(f"no encoder wrote these bytes: {error}") from None
        return values

    T, h, w = shape
    channels = len(tables.symbols)
    symbols = np.zeros((T, channels, h, w), dtype=np.int8)
    kept = np.zeros((T, h, w), dtype=np.bool_)
    frames = np.zeros(T, dtype=np.bool_)
    for t in range(T):
        frames[t] = read(tables.frames[frame_contexts(frames[: t + 1])[-1:]])[0]
    before, known = np.zeros_like(symbols[0]), np.zeros_like(kept[0])
    flags_before: Flags | None = None
    channel = np.arange(channels)[:, None]
    for t in np.flatnonzero(frames).tolist():
        kept[t] = all_positions
        for number, half in enumerate(_halves(h, w)):
            if not all_positions:
                now = kept[t] if number else None
                flags = flag_contexts(flags_before, now, (h, w))[half]
                kept[t][half] = read(tables.flags[flags])
        flags_before = kept[t]
        for number, half in enumerate(_halves(h, w)):
            here = kept[t] & half
            contexts = symbol_contexts(before, known, symbols[t] if number else None)[:, here]
            values = read(tables.symbols[channel, contexts]) - tables.radius
            symbols[t][:, here] = values.reshape(contexts.shape)
        if temporal:
            before = np.where(kept[t], symbols[t], before)
            known = known | kept[t]
    return symbols, kept


def ideal_bits(
    symbols: Symbols, kept: Flags, tables: Tables, *, temporal: bool, all_positions: bool
) -> float:
    """Return the bits that a perfect coder would need with these tables."""

    def bits(table: Table, *index: NDArray[Any]) -> float:
        return float(-np.log2(table[index] / float(TOTAL)).sum())

    frames = kept_frames(kept)
    total = bits(tables.frames, frame_contexts(frames), frames.astype(int))
    if not all_positions:
        flags = clip_flag_contexts(kept)[frames]
        total += bits(tables.flags, flags, kept[frames].astype(int))
    contexts = clip_contexts(symbols, kept, temporal=temporal)
    t, i, j = np.nonzero(kept)
    for channel in range(symbols.shape[1]):
        where = (t, channel, i, j)
        levels = symbols[where].astype(int) + tables.radius
        total += bits(tables.symbols[channel], contexts[where], levels)
    return total


def _flat(rows: Table) -> NDArray[np.float64]:
    """Return a row of probabilities for each symbol, shape (N, L), as constriction takes them."""
    levels = rows.shape[-1]
    return rows.reshape(rows.size // levels, levels).astype(np.float64)


@cache
def _halves(h: int, w: int) -> tuple[Flags, Flags]:
    first = first_half(h, w)
    return first, ~first


@cache
def _family() -> Any:
    # Not "perfect": that search may depend on how a machine rounds; this is plain arithmetic.
    return constriction.stream.model.Categorical(perfect=False)
