"""Packets: what goes over the air beside the payload."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

PACKET_PAYLOAD_BYTES = 1472
"""Most payload of a packet: an MTU of 1500 bytes (RFC 894) less the headers of IPv4 (RFC 791) and
UDP (RFC 768)."""


def air_bits(payload_bits: ArrayLike, headers_bytes: int) -> NDArray[np.float64]:
    """Return what payloads are on the air: in as many packets as they need, each with its headers.

    Args:
        payload_bits: Any shape; nothing needs no packet.
        headers_bytes: Of each packet.

    Example:
        >>> air_bits([0.0, 8000.0, 16000.0], headers_bytes=36).tolist()
        [0.0, 8288.0, 16576.0]
    """
    bits = np.asarray(payload_bits, dtype=np.float64)
    packets = np.ceil(bits / (8.0 * PACKET_PAYLOAD_BYTES))
    return np.asarray(bits + packets * (8.0 * headers_bytes))
