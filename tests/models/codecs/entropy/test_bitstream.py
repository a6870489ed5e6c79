"""Streams that are whole are read; anything else is refused, by name."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fadeline.models.codecs.entropy.bitstream import MAGIC, Header, pack, read_header, unpack
from fadeline.models.errors import BitstreamError

HEADER = Header(model=0xBEEF, point=7)


def received(stream, *, packets):
    read_header(stream)
    return unpack(stream, packets=packets)


@given(
    contents=st.lists(st.binary(max_size=60), min_size=1, max_size=6),
    model=st.integers(0, 0xFFFF),
    point=st.integers(0, 31),
)
def test_contents_and_header_come_back(contents, model, point):
    header = Header(model, point)
    stream = pack(header, contents, packets=len(contents))
    assert read_header(stream) == header
    assert unpack(stream, packets=len(contents)) == contents


def test_overhead_is_six_bytes_and_eight_with_the_first_of_several_packets():
    assert len(pack(HEADER, [b"12345"], packets=1)) == 6 + 5
    assert len(pack(HEADER, [b"12345"], packets=2)) == 8 + 5
    assert len(pack(HEADER, [b"12345", b"1"], packets=2)) == 8 + 5 + 4 + 1


def test_a_prefix_that_ends_where_a_packet_ends_is_valid_and_no_other():
    contents = [b"first", b"", b"third one"]
    stream = pack(HEADER, contents, packets=3)
    borders = {8 + 5: 1, 8 + 5 + 4: 2, len(stream): 3}
    for length in range(len(stream)):
        if length in borders:
            assert unpack(stream[:length], packets=3) == contents[: borders[length]]
        else:
            with pytest.raises(BitstreamError):
                received(stream[:length], packets=3)


@pytest.mark.parametrize("packets", [1, 3])
def test_every_single_bit_error_is_found(packets):
    stream = pack(HEADER, [b"some content", b"more", b"most"][:packets], packets=packets)
    for bit in range(8 * len(stream)):
        damaged = bytearray(stream)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BitstreamError):
            received(bytes(damaged), packets=packets)


def test_packets_in_another_order_or_of_another_stream_are_refused():
    a, b = b"aaaa", b"bbbb"
    stream = pack(HEADER, [a, b], packets=2)
    swapped = stream[:4] + stream[12:] + stream[4:12]
    with pytest.raises(BitstreamError, match="packet 0 was damaged"):
        unpack(swapped, packets=2)
    other = pack(Header(HEADER.model, HEADER.point + 1), [a, b], packets=2)
    with pytest.raises(BitstreamError, match="packet 1 was damaged"):
        unpack(stream[:12] + other[12:], packets=2)


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (b"", "0 bytes are no stream"),
        (b"GIF89a", "starts with 0x47, not 0xfa"),
        (bytes([MAGIC, 1 << 5, 0, 0]), "of version 1; this reads version 2"),
    ],
)
def test_foreign_bytes_are_named(stream, message):
    with pytest.raises(BitstreamError, match=message):
        read_header(stream)


def test_a_header_alone_and_bytes_that_follow_are_refused():
    stream = pack(HEADER, [b"x"], packets=2)
    with pytest.raises(BitstreamError, match="no packet"):
        unpack(stream[:4], packets=2)
    whole = pack(HEADER, [b"x", b"y"], packets=2)
    with pytest.raises(BitstreamError, match="3 bytes follow"):
        unpack(whole + b"abc", packets=2)


def test_what_does_not_fit_is_refused_when_packing():
    with pytest.raises(ValueError, match="2 packets, but the operating point has 1"):
        pack(HEADER, [b"a", b"b"], packets=1)
    with pytest.raises(ValueError, match="65536 bytes"):
        pack(HEADER, [bytes(np.zeros(65_536, np.uint8))], packets=2)
