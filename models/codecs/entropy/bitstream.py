"""The bytes of a clip: a header, then packets, each with a checksum.

    header   1 byte   magic
             1 byte   version (high 3 bits) and number of the operating point (low 5)
             2 bytes  identity of the weights and tables
    packet   2 bytes  CRC-16 (CCITT) of header, place among the packets, and content
             2 bytes  length of the content, in bytes; left out where a stream has one packet
             content  entropy-coded

One header for a clip of any codec; 6 bytes in all for a stream of one packet. A stream that ends
where a packet ends is valid: what follows was not received.
"""

from binascii import crc_hqx
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from struct import Struct

from fadeline.models.errors import BitstreamError

MAGIC = 0xFA
VERSION = 2

MAX_POINTS = 32
"""Operating points that the header can tell apart."""

MAX_CONTENT_BYTES = 1 << 16
"""Each of several packets is shorter than this: its length has 16 bits."""

_HEADER = Struct(">BBH")
_CHECK = Struct(">H")
_LENGTH = Struct(">H")
_POINT_BITS = 5

HEADER_BYTES = _HEADER.size
"""Length of the header."""

CHECK_BYTES = _CHECK.size
"""Length of a packet's checksum."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a stream says of itself.

    Attributes:
        model: Identity of the weights and tables, 16 bits.
        point: Number of the operating point.
    """

    model: int
    point: int

    def packed(self) -> bytes:
        """Return the header's bytes."""
        return _HEADER.pack(MAGIC, VERSION << _POINT_BITS | self.point, self.model)


def pack(header: Header, contents: Sequence[bytes], *, packets: int) -> bytes:
    """Return a stream.

    Args:
        header: What it says of itself.
        contents: Its packets, the most important first.
        packets: How many the operating point has; those after `contents` are not sent.

    Raises:
        ValueError: If there are more, or one is too long.
    """
    if len(contents) > packets:
        raise ValueError(f"{len(contents)} packets, but the operating point has {packets}")
    head = header.packed()
    stream = [head]
    for place, content in enumerate(contents):
        if packets > 1 and len(content) >= MAX_CONTENT_BYTES:
            raise ValueError(f"packet {place} has {len(content)} bytes; 65,535 are the most")
        stream.append(_CHECK.pack(_crc(head, place, content)))
        if packets > 1:
            stream.append(_LENGTH.pack(len(content)))
        stream.append(content)
    return b"".join(stream)


def packet_ends(contents: Sequence[bytes], *, packets: int) -> tuple[int, ...]:
    """Return where each packet of `pack` ends in the stream, in bytes.

    Args:
        contents: As `pack`.
        packets: As `pack`.
    """
    before = _CHECK.size + (_LENGTH.size if packets > 1 else 0)
    ends = accumulate((before + len(content) for content in contents), initial=HEADER_BYTES)
    return tuple(ends)[1:]


def read_header(stream: bytes) -> Header:
    """Return what a stream says of itself; only packets tell whether that is undamaged.

    Raises:
        BitstreamError: If it is not one, or of another version.
    """
    if len(stream) < HEADER_BYTES:
        raise BitstreamError(
            f"{len(stream)} bytes are no stream: the header alone has {HEADER_BYTES}"
        )
    magic, kind, model = _HEADER.unpack_from(stream)
    if magic != MAGIC:
        raise BitstreamError(f"no Fadeline stream: starts with {magic:#04x}, not {MAGIC:#04x}")
    if (version := kind >> _POINT_BITS) != VERSION:
        raise BitstreamError(f"stream of version {version}; this reads version {VERSION}")
    return Header(model, kind & (1 << _POINT_BITS) - 1)


def unpack(stream: bytes, *, packets: int) -> list[bytes]:
    """Return the contents of the packets received, after checking them.

    Args:
        stream: All of it, or up to where a packet ends.
        packets: How many its operating point has.

    Raises:
        BitstreamError: If it is damaged, or ends within a packet.
    """
    head, rest = stream[:HEADER_BYTES], memoryview(stream)[HEADER_BYTES:]
    contents: list[bytes] = []
    prefix = _CHECK.size + (_LENGTH.size if packets > 1 else 0)
    while len(rest) and len(contents) < packets:
        if len(rest) < prefix:
            raise BitstreamError(f"stream ends within the head of packet {len(contents)}")
        (check,) = _CHECK.unpack_from(rest)
        length = len(rest) - prefix
        if packets > 1:
            (length,) = _LENGTH.unpack_from(rest, _CHECK.size)
        content = bytes(rest[prefix : prefix + length])
        if len(content) < length:
            raise BitstreamError(
                f"stream ends within packet {len(contents)}: {len(content)} of {length} bytes"
            )
        if _crc(head, len(contents), content) != check:
            raise BitstreamError(f"packet {len(contents)} was damaged: its checksum does not match")
        contents.append(content)
        rest = rest[prefix + length :]
    if len(rest):
        raise BitstreamError(f"{len(rest)} bytes follow the last of {packets} packets")
    if not contents:
        raise BitstreamError("stream has a header but no packet")
    return contents


def _crc(head: bytes, place: int, content: bytes) -> int:
    return crc_hqx(content, crc_hqx(head + bytes([place]), 0xFFFF))
