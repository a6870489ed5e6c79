"""A trained codec in use: clips to bytes on the device, bytes to clips on the server.

Letters: T frames, H rows and W columns of pixels; h rows and w columns of the grid, C channels.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fadeline.models.codecs.entropy.bitstream import (
    CHECK_BYTES,
    HEADER_BYTES,
    Header,
    pack,
    packet_ends,
    read_header,
    unpack,
)
from fadeline.models.codecs.entropy.coding import decode_symbols, encode_symbols
from fadeline.models.codecs.entropy.contexts import Flags, Symbols
from fadeline.models.codecs.entropy.probability_tables import Counts, Tables
from fadeline.models.codecs.learned.codec import LearnedCodec, Plan
from fadeline.models.codecs.learned.layers import Analysis
from fadeline.models.codecs.learned.quantiser import symbols as whole
from fadeline.models.codecs.learned.selection import parts
from fadeline.models.codecs.operating_point import OperatingPoint
from fadeline.models.codecs.protocol import Clip, Encoded
from fadeline.models.errors import BitstreamError, ClipError
from fadeline.models.weights import state_digest


class ClipCoder:
    """Encodes and decodes single clips.

    Args:
        codec: Trained, on the processor.
        tables: Of each of its operating points, from `fit_tables`.

    Raises:
        ValueError: If there are not as many tables as operating points, or they do not fit.
    """

    def __init__(self, codec: LearnedCodec, tables: Sequence[Tables]) -> None:
        if len(tables) != len(codec.points):
            raise ValueError(f"{len(tables)} tables for {len(codec.points)} operating points")
        for number, (point, table) in enumerate(zip(codec.points, tables, strict=True)):
            shape = (len(table.symbols), table.radius)
            if shape != (point.channels, point.radius):
                raise ValueError(
                    f"tables {number} are of {shape} (channels, radius); operating point {number} "
                    f"has {(point.channels, point.radius)}"
                )
        self._codec, self._tables = codec.eval(), tuple(tables)
        self._model = _identity(codec, tables)

    @property
    def points(self) -> tuple[OperatingPoint, ...]:
        """Its operating points."""
        return self._codec.points

    def encode(self, clip: Clip, point: int) -> Encoded:
        """Return a clip as bytes.

        Args:
            clip: 8-bit RGB, shape (T, H, W, 3).
            point: Number of the operating point.

        Raises:
            ClipError: If the clip is of another shape or type.
            ValueError: If there is no such operating point.
        """
        self._settings(point)
        return self.coded(self.analysed(clip), point)

    def analysed(self, clip: Clip) -> Analysis:
        """Return what the device's network says of a clip: the first part of `encode`.

        Raises:
            ClipError: If the clip is of another shape or type.
        """
        return _analysis(self._codec, clip)

    def coded(self, analysis: Analysis, point: int) -> Encoded:
        """Return the bytes of what the network says: the other part of `encode`."""
        settings, temporal = self.points[point], self._codec.temporal
        plan = _planned(self._codec, analysis, point)
        contents, ends = self._contents(plan, point)
        streamed = settings.packets == 1 and not temporal
        return Encoded(
            pack(Header(self._model, point), contents, packets=settings.packets),
            frame_bytes=_frame_bytes(ends, len(contents[0])) if streamed else None,
            prefix_bytes=packet_ends(contents, packets=settings.packets),
            attention=float(plan.scores[plan.kept].mean()) if temporal else None,
        )

    def _contents(self, plan: Plan, point: int) -> tuple[list[bytes], list[int]]:
        """Return the packets of a plan and, for each frame, the bytes that are final after it."""
        ends: list[int] = []
        settings = self.points[point]
        contents = [
            encode_symbols(
                symbols,
                kept,
                self._tables[point],
                temporal=self._codec.temporal,
                all_positions=not self._codec.sends_flags(settings),
                ends=ends,
            )
            for symbols, kept in _packets(self._codec, plan, point)
        ]
        return contents, ends

    def decode(self, stream: bytes) -> Clip:
        """Return the clip restored from bytes: 8-bit RGB, shape (T, H, W, 3).

        Args:
            stream: From `encode` of the same codec, or its beginning up to where a packet ends.

        Raises:
            BitstreamError: If it is damaged, incomplete within a packet or of something else.
        """
        symbols, kept, point = self._read(stream)
        return _restored(self._codec, symbols, kept, point)

    def renewed(self, stream: bytes) -> Flags:
        """Return which positions a stream holds values of, shape (T, h, w).

        Raises:
            BitstreamError: As `decode`.
        """
        return self._read(stream)[1]

    def _read(self, stream: bytes) -> tuple[Symbols, Flags, int]:
        """Return symbols (T, h, w, C), positions (T, h, w) and the operating point."""
        header = read_header(stream)
        if header.point >= len(self.points):
            raise BitstreamError(
                f"stream of operating point {header.point}; this codec has {len(self.points)}"
            )
        settings = self.points[header.point]
        contents = unpack(stream, packets=settings.packets)
        if header.model != self._model:
            raise BitstreamError(
                f"stream of other weights ({header.model:04x}); these are {self._model:04x}"
            )
        T, h, w = grid = self._codec.config.grid
        symbols = np.zeros((T, h, w, settings.channels), dtype=np.int8)
        kept = np.zeros((T, h, w), dtype=np.bool_)
        for content in contents:
            some, where = decode_symbols(
                content,
                grid,
                self._tables[header.point],
                temporal=self._codec.temporal,
                all_positions=not self._codec.sends_flags(settings),
            )
            symbols = np.where(where[..., None], some, symbols)
            kept |= where
        return symbols, kept, header.point

    def _settings(self, point: int) -> OperatingPoint:
        if not 0 <= point < len(self.points):
            raise ValueError(f"operating point {point}; there are 0 to {len(self.points) - 1}")
        return self.points[point]


def fit_tables(codec: LearnedCodec, clips: Iterable[Clip]) -> list[Tables]:
    """Return the tables that code training clips in the fewest bits, one for each operating point.

    Args:
        codec: Trained, on the processor.
        clips: 8-bit RGB, each (T, H, W, 3).

    Raises:
        ClipError: If a clip is of another shape or type.
    """
    codec.eval()
    counts = [Counts(point.channels, point.radius) for point in codec.points]
    for clip in clips:
        analysis = _analysis(codec, clip)
        for point, count in enumerate(counts):
            for symbols, kept in _packets(codec, _planned(codec, analysis, point), point):
                count.add(symbols, kept, temporal=codec.temporal)
    return [count.tables() for count in counts]


@torch.inference_mode()
def _analysis(codec: LearnedCodec, clip: Clip) -> Analysis:
    analysis: Analysis = codec.encoder(_checked(clip, codec))
    return analysis


@torch.inference_mode()
def _planned(codec: LearnedCodec, analysis: Analysis, point: int) -> Plan:
    return codec.plan(analysis, torch.tensor([point]))


def _packets(codec: LearnedCodec, plan: Plan, point: int) -> list[tuple[Symbols, Flags]]:
    """Return symbols (T, h, w, C) and positions (T, h, w) of each packet, most important first."""
    settings = codec.points[point]
    kept = plan.kept[0].numpy()
    steps = plan.steps[0, ..., : settings.channels]
    symbols = whole(steps).numpy().astype(np.int8) * kept[..., None]
    if settings.packets == 1:
        return [(symbols, kept)]
    count = torch.tensor([settings.packets])
    part = parts(plan.kept, plan.scores, count, lines=codec.temporal)[0].numpy()
    split = [kept & (part == number) for number in range(settings.packets)]
    return [(np.asarray(symbols * here[..., None]), here) for here in split]


def _frame_bytes(ends: list[int], content_bytes: int) -> tuple[int, ...]:
    """Return the bytes sent after each frame: the header first, the checksum last."""
    early = [HEADER_BYTES + min(end, content_bytes) for end in ends[:-1]]
    ends = [*early, HEADER_BYTES + content_bytes + CHECK_BYTES]
    return tuple(int(count) for count in np.diff(ends, prepend=0))


@torch.inference_mode()
def _restored(codec: LearnedCodec, symbols: Symbols, kept: Flags, point: int) -> Clip:
    T, h, w = codec.config.grid
    steps = torch.zeros(1, T, h, w, codec.config.channels)
    steps[0, ..., : symbols.shape[-1]] = torch.from_numpy(symbols)
    arrived = torch.from_numpy(kept)[None].float()
    clips = codec.restored(steps, arrived, torch.tensor([point]))
    pixels: Clip = (clips[0].permute(1, 2, 3, 0) * 255.0).round().to(torch.uint8).numpy()
    return np.ascontiguousarray(pixels)


def _checked(clip: NDArray[Any], codec: LearnedCodec) -> Tensor:
    """Return a clip as pixels in [0, 1], shape (1, 3, T, H, W)."""
    side = codec.config.size_px
    shape = (codec.config.frames, side, side, 3)
    if clip.shape != shape or clip.dtype != np.uint8:
        raise ClipError(
            f"this codec takes 8-bit RGB clips of {shape} (frames, height, width, colours), got "
            f"{clip.dtype} {clip.shape}"
        )
    return torch.from_numpy(np.array(clip)).permute(3, 0, 1, 2)[None].float() / 255.0


def _identity(codec: LearnedCodec, tables: Sequence[Tables]) -> int:
    """Return 16 bits that other weights or tables are unlikely to share."""
    digest = sha256(f"{codec.config} {codec.points} {state_digest(codec)}".encode())
    for table in tables:
        for part in (table.symbols, table.tails, table.flags, table.frames):
            digest.update(part.astype("<u2").tobytes())
    return int.from_bytes(digest.digest()[:2])
