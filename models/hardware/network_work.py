"""What a network does for a clip, as numbers; needs no torch."""

from dataclasses import dataclass


@dataclass(frozen=True)
class NetworkWork:
    """What a network does, so that its time on any machine can be estimated.

    Attributes:
        flops: Floating-point operations for a clip, two for a multiply-add.
        moved_bytes: Read and written for a clip.
        weight_bytes: Read for a call, however many clips it is for.
    """

    flops: int
    moved_bytes: int
    weight_bytes: int


NO_NETWORK = NetworkWork(0, 0, 0)
"""Of what has none."""
