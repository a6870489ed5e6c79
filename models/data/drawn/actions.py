"""The built-in data set: drawn people acting, endless and the same on every machine.

A clip is a pure function of (split, index): whole-number drawing with OpenCV's fixed-point polygon
filler on a canvas of twice the size, averaged down, then light and sensor noise. Training,
validation and test share no actor, no scene and no random stream.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fadeline.models.data.drawn.body import draw_body
from fadeline.models.data.drawn.draws import Draws
from fadeline.models.data.drawn.gestures import ACTIONS
from fadeline.models.data.drawn.stage import Cast, Difficulty, draw_clip
from fadeline.models.errors import ClipError

VERSION = "2"
"""Raised whenever a pixel of any clip changes."""

SIZES = (64, 112)
"""Picture sides that can be drawn: the `tiny` networks' and a larger one."""

_ENTROPY = 0xFADE


@dataclass(frozen=True, slots=True)
class Split:
    """How many clips, actors and scenes a split has, and the key of its random streams."""

    key: int
    clips: int
    actors: int
    scenes: int


SPLITS = {
    "train": Split(0, 12_006, 800, 3_000),
    "val": Split(1, 1_260, 160, 400),
    "test": Split(2, 1_620, 200, 500),
}
"""Sizes (our choice); test draws by seed, `test@SEED`, have the size of `test`."""

_FRESH_KEY = 3
_SEED_DIGITS = 18  # far from where Python refuses to read a number


class ActionClips:
    """Clips of the built-in actions, drawn when asked for.

    Args:
        split: "train", "val", "test" or "test@SEED" (a fresh draw of test clips).
        size: Side of the picture in pixels: 64 or 112.
        frames: Frames of a clip.

    Raises:
        ClipError: If there is no such split or size.
    """

    def __init__(self, split: str, *, size: int = 64, frames: int = 16) -> None:
        if size not in SIZES:
            raise ClipError(f"actions/{split}: size must be 64 or 112 pixels, got {size}")
        if frames != 16:
            raise ClipError(f"actions/{split}: clips have 16 frames, got {frames}")
        self._split, self._seed = _split_of(split)
        self.name = f"actions/{split}"
        self.version = f"actions-{VERSION}"
        self.classes = tuple(action.name for action in ACTIONS)
        self.labels = np.arange(self._split.clips, dtype=np.int64) % len(ACTIONS)
        self.shape = (frames, size, size)

    def __len__(self) -> int:
        """Return the number of clips."""
        return self._split.clips

    def clip(self, index: int) -> NDArray[np.uint8]:
        """Return one clip: 8-bit RGB, shape (T, H, W, 3).

        Raises:
            IndexError: If there is no such clip.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"{self.name} has {len(self)} clips, there is no clip {index}")
        action = ACTIONS[int(self.labels[index])]
        return draw_clip(
            self.cast(index), action, Difficulty(), frames=self.shape[0], size=self.shape[1]
        )

    def cast(self, index: int) -> Cast:
        """Return who acts where in a clip."""
        key = (self._split.key, self._seed)
        draws = Draws(_ENTROPY, *key, 0, index)
        actor, scene = draws.below(self._split.actors), draws.below(self._split.scenes)
        return Cast(
            draws, draw_body(Draws(_ENTROPY, *key, 1, actor)), Draws(_ENTROPY, *key, 2, scene)
        )


def _split_of(name: str) -> tuple[Split, int]:
    if name in SPLITS:
        return SPLITS[name], 0
    start, at, seed = name.partition("@")
    if start == "test" and at and seed.isascii() and seed.isdigit() and len(seed) <= _SEED_DIGITS:
        test = SPLITS["test"]
        return Split(_FRESH_KEY, test.clips, test.actors, test.scenes), int(seed)
    raise ClipError(
        f"actions/{name}: no such split; there are actions/train, actions/val, actions/test "
        "and actions/test@SEED, such as actions/test@7"
    )
