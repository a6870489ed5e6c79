"""Symbols and what is kept of a clip as bytes, and back: range coding with stored tables.

The coder is constriction's (Bamler, "Understanding Entropy Coding With Asymmetric Numeral Systems",
2022); which table stands for which symbol is ours. In this order: a flag for every frame; for every
frame that is kept the flags of its positions, in two halves; for every one the symbols of its
positions, in two halves (see `contexts`), and how far the large ones of both are beyond the tables'
end (see `tables`).
"""

from functools import cache
from typing import Any

import constriction
import numpy as np
from numpy.typing import NDArray

from fadeline.models.codecs.entropy.contexts import (
    LARGE,
    NO_FRAME,
    Contexts,
    Flags,
    Symbols,
    clip_contexts,
    clip_flag_contexts,
    first_half,
    flag_contexts,
    follows,
    kept_frames,
    symbol_contexts,
)
from fadeline.models.codecs.entropy.probability_tables import TOTAL, Table, Tables, frame_contexts
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
        symbols: Shape (T, h, w, C), magnitudes up to the tables' radius; zero where not kept.
        kept: Positions sent, shape (T, h, w).
        tables: Probabilities.
        temporal: Whether a frame's symbols may be predicted from frames before it.
        all_positions: Frames are sent with all their positions or not at all, so flags of positions
            are left out.
        ends: Gets, for each frame, the bytes that are final once it is written; the last are so
            only at the end.
    """
    writer = constriction.stream.queue.RangeEncoder()

    def write(values: NDArray[Any], rows: Table) -> None:
        writer.encode(values.astype(np.int32), _family(), rows.astype(np.float64))

    frames = kept_frames(kept)
    write(frames, tables.frames[frame_contexts(frames)])
    if not all_positions:
        flags = _in_order(kept[frames]).ravel()
        write(flags, tables.flags[_in_order(clip_flag_contexts(kept)[frames]).ravel()])
    sent = _in_order(kept)
    values = _in_order(symbols)[sent]
    contexts = _in_order(clip_contexts(symbols, kept, temporal=temporal))[sent]
    rows = _symbol_rows(tables, contexts)
    levels = values.clip(-tables.held, tables.held) + tables.held
    far, beyond, tails = _beyond(tables, values, contexts)
    stops = sent.sum(axis=1).cumsum()
    far_stops = np.concatenate([[0], far.sum(axis=1).cumsum()])[stops]
    start = far_start = 0
    for stop, far_stop in zip(stops.tolist(), far_stops.tolist(), strict=True):
        write(levels[start:stop].ravel(), rows[start:stop].reshape(-1, rows.shape[-1]))
        if far_stop > far_start:
            write(beyond[far_start:far_stop], tails[far_start:far_stop])
        start, far_start = stop, far_stop
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
    """Return symbols (T, h, w, C) and kept positions (T, h, w) from `encode_symbols`.

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

    def read(rows: Table) -> NDArray[np.int8]:
        flat = rows.reshape(-1, rows.shape[-1]).astype(np.float64)
        try:
            values: NDArray[np.int32] = reader.decode(_family(), flat)
        except AssertionError as error:
            raise BitstreamError(f"no encoder wrote these bytes: {error}") from None
        return values.astype(np.int8).reshape(rows.shape[:-1])

    T, h, w = shape
    channels = len(tables.symbols)
    symbols = np.zeros((T, h, w, channels), dtype=np.int8)
    kept = np.zeros((T, h, w), dtype=np.bool_)
    frames = np.zeros(T, dtype=np.bool_)
    for t in range(T):
        frames[t] = read(tables.frames[frame_contexts(frames[: t + 1])[-1:]])[0]
    kept[frames] = all_positions
    if not all_positions:
        flags = np.full((h, w), NO_FRAME, dtype=np.int8)
        for t in np.flatnonzero(frames).tolist():
            now = np.zeros((h, w), dtype=np.int8)
            for number, half in enumerate(_halves(h, w)):
                now[half] = read(tables.flags[flag_contexts(flags, now if number else None)[half]])
            flags, kept[t] = now, now
    before, known = np.zeros_like(symbols[0]), np.zeros_like(kept[0])
    for t in np.flatnonzero(frames).tolist():
        contexts = np.zeros((h, w, channels), dtype=np.int8)
        for number, half in enumerate(_halves(h, w)):
            here = kept[t] & half
            contexts[here] = symbol_contexts(before, known, symbols[t] if number else None)[here]
            symbols[t][here] = read(_symbol_rows(tables, contexts[here])) - tables.held
        sent = _in_order(kept[t][None])[0]
        values = _in_order(symbols[t][None])[0][sent]
        far, _, tails = _beyond(tables, values, _in_order(contexts[None])[0][sent])
        if far.any():
            values[far] += np.sign(values[far]) * read(tails)
        symbols[t].reshape(h * w, channels)[_order(h, w)[sent]] = values
        if temporal:
            before = np.where(kept[t][..., None], symbols[t], before)
            known = known | kept[t]
    return symbols, kept


def ideal_bits(
    symbols: Symbols, kept: Flags, tables: Tables, *, temporal: bool, all_positions: bool
) -> float:
    """Return the bits that a perfect coder would need with these tables."""

    def bits(rows: Table, values: NDArray[Any]) -> float:
        chosen = np.take_along_axis(rows, values.astype(np.int64)[..., None], axis=-1)
        return float(-np.log2(chosen / float(TOTAL)).sum())

    frames = kept_frames(kept)
    total = bits(tables.frames[frame_contexts(frames)], frames)
    if not all_positions:
        total += bits(tables.flags[clip_flag_contexts(kept)[frames]], kept[frames])
    contexts = clip_contexts(symbols, kept, temporal=temporal)[kept]
    values = symbols[kept]
    levels = values.clip(-tables.held, tables.held) + tables.held
    _, beyond, tails = _beyond(tables, values, contexts)
    return total + bits(_symbol_rows(tables, contexts), levels) + bits(tails, beyond)


def _symbol_rows(tables: Tables, contexts: Contexts) -> Table:
    """Return the tables' rows (N, C, L) for contexts (N, C)."""
    return tables.symbols[np.arange(contexts.shape[1]), contexts]


def _beyond(
    tables: Tables, values: NDArray[np.int8], contexts: Contexts
) -> tuple[Flags, NDArray[np.int8], Table]:
    """Return which symbols (N, C) the tables' end stands for, how far beyond, and their rows."""
    far = np.abs(values) >= LARGE if tables.tails.size else np.zeros(values.shape, dtype=np.bool_)
    channel = np.broadcast_to(np.arange(values.shape[1]), values.shape)[far]
    return far, np.abs(values[far]) - LARGE, tables.tails[channel, follows(contexts[far]) * 1]


def _in_order(grid: NDArray[Any]) -> NDArray[Any]:
    """Return positions (T, h, w, ...) in the order of reading: (T, h w, ...)."""
    T, h, w, *more = grid.shape
    return grid.reshape(T, h * w, *more)[:, _order(h, w)]


@cache
def _order(h: int, w: int) -> NDArray[np.int64]:
    return np.concatenate([np.flatnonzero(half) for half in _halves(h, w)])


@cache
def _halves(h: int, w: int) -> tuple[Flags, Flags]:
    first = first_half(h, w)
    return first, ~first


@cache
def _family() -> Any:
    # Not "perfect": that search may depend on how a machine rounds; this is plain arithmetic.
    return constriction.stream.model.Categorical(perfect=False)
