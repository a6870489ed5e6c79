"""An operating point: the settings of a codec that fix its rate and quality."""

from dataclasses import dataclass

MAX_RADIUS = 63
"""Largest magnitude of a symbol (our choice): 127 levels, so 8 bits hold one."""

PAPER_RATIO = 104
"""Compression at which the paper's abstract states STAE's accuracy (arXiv 2305.12796)."""


@dataclass(frozen=True)
class OperatingPoint:
    """How much of a clip is sent.

    Attributes:
        ratio: Compression ratio it is trained for: bits of the 8-bit pixels over all bits sent, in
            one packet; in several it is lower, since each is coded by itself.
        frames: Frames kept, at most T.
        positions: Positions of the grid kept, over the whole clip, at most all of all frames.
        channels: Values sent for each position, at most the network's.
        radius: Largest magnitude of a value's symbol; 2 radius + 1 levels.
        packets: Parts that can be decoded without those after them.

    Raises:
        ValueError: If a number is out of range.
    """

    ratio: float
    frames: int
    positions: int
    channels: int
    radius: int
    packets: int = 1

    def __post_init__(self) -> None:
        if not self.ratio > 1:
            raise ValueError(f"ratio must be above 1, got {self.ratio}")
        for name in ("frames", "positions", "channels", "radius", "packets"):
            if not getattr(self, name) >= 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.radius > MAX_RADIUS:
            raise ValueError(f"radius must be at most {MAX_RADIUS}, got {self.radius}")
        if self.positions < self.frames:
            raise ValueError(
                f"positions {self.positions} must be at least one for each of {self.frames} frames"
            )
        if not self.packets <= min(self.positions, 255):
            raise ValueError(
                f"packets {self.packets} must be at most positions {self.positions}, and 255"
            )

    def sends_whole_frames(self, grid_positions: int) -> bool:
        """Return whether frames of so many positions need no flags: all are sent, or none."""
        return self.packets == 1 and self.positions == self.frames * grid_positions
