"""Random changes to training clips that leave their label as it is.

No blur and no resizing: what a clip's fine detail says about its action must stay. Every change is
drawn once per clip, so it is the same in all its frames.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Augmentation:
    """How far clips are changed. Zeros change nothing.

    Attributes:
        flip: Chance of mirroring left and right; 0 where a class depends on the side.
        shift_px: Largest shift along each axis; the border is repeated.
        shift_frames: Largest shift in time; the first or last frame is repeated.
        brightness: Largest value added to all pixels, which lie in [0, 1].
        contrast: Largest relative change of the distance from mid-grey.
        colour: Largest relative change of each colour channel by itself.

    Raises:
        ValueError: If a number is negative, or `flip` above 1.
    """

    flip: float = 0.5
    shift_px: int = 4
    shift_frames: int = 1
    brightness: float = 0.15
    contrast: float = 0.25
    colour: float = 0.15

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value >= 0:
                raise ValueError(f"{name} must be at least 0, got {value}")
        if self.flip > 1:
            raise ValueError(f"flip is a chance, at most 1, got {self.flip}")

    def settled(self) -> "Augmentation":
        """Return hardly any changes, for the end of a training: mirroring, and little else.

        So that it ends on clips like those it is for, as detectors do without their strongest
        augmentation for the last epochs (Ge et al., "YOLOX", arXiv 2107.08430).
        """
        return Augmentation(
            flip=self.flip,
            shift_px=self.shift_px // 4,
            shift_frames=0,
            brightness=self.brightness / 5.0,
            contrast=self.contrast / 5.0,
            colour=self.colour / 5.0,
        )

    def places(
        self, shape: tuple[int, int, int], rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return which frames, rows and columns of a clip (T, H, W) become those of a changed one.

        That is the clip shifted in space and time, and perhaps mirrored: `clip[np.ix_(*places)]`.
        """
        T, H, W = shape
        frames = _shifted(T, self.shift_frames, rng)
        rows = _shifted(H, self.shift_px, rng)
        columns = _shifted(W, self.shift_px, rng)
        return frames, rows, columns[::-1] if rng.random() < self.flip else columns

    def recolouring(self, rng: np.random.Generator) -> tuple[NDArray[np.float32], float]:
        """Return a gain per channel, shape (3,), and an offset: pixel x becomes gain x + offset."""
        contrast = 1.0 + rng.uniform(-self.contrast, self.contrast)
        colour = 1.0 + rng.uniform(-self.colour, self.colour, size=3)
        offset = 0.5 * (1.0 - contrast) + rng.uniform(-self.brightness, self.brightness)
        return (contrast * colour).astype(np.float32), offset


def _shifted(length: int, largest: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the positions 0 to length - 1 moved by up to `largest`, held at the ends."""
    shift = int(rng.integers(-largest, largest, endpoint=True))
    return np.clip(np.arange(length) + shift, 0, length - 1)
