"""What the networks of all codecs have in common: the grid, and the sizes that fix their shape."""

from dataclasses import dataclass

PATCH_PX = 4
"""Side of the patches that an encoder cuts frames into."""

GRID_PX = 8
"""Distance of two positions of the grid."""


@dataclass(frozen=True)
class CodecConfig:
    """Everything that fixes the shape of a codec's networks.

    Attributes:
        points: Number of operating points, which the decoder is told.
        frames: Frames of a clip, T.
        size_px: Height and width of a clip, a multiple of `GRID_PX`.
        patch_features: Features of a patch.
        features: Features at each position of the grid, F.
        channels: Values sent for each position at most, C.
        decoder_features: Features of the decoder on the grid.
        pixel_features: Features of the decoder at patch resolution.

    Raises:
        ValueError: If the numbers do not fit each other.
    """

    points: int
    frames: int = 16
    size_px: int = 64
    patch_features: int = 24
    features: int = 64
    channels: int = 24
    decoder_features: int = 48
    pixel_features: int = 32

    def __post_init__(self) -> None:
        if self.size_px % GRID_PX:
            raise ValueError(f"size_px must be a multiple of {GRID_PX}, got {self.size_px}")
        for name, value in vars(self).items():
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")

    @property
    def grid(self) -> tuple[int, int, int]:
        """Frames, rows and columns of positions: (T, h, w)."""
        return self.frames, self.size_px // GRID_PX, self.size_px // GRID_PX

    @property
    def grid_positions(self) -> int:
        """Positions of a frame, h w."""
        _, h, w = self.grid
        return h * w
