"""What a classifier is shown instead of its clips, to learn what it looks at.

A classifier of actions should lose when detail, motion or the order of frames is taken away. A
control changes one 8-bit clip (T, H, W, 3) of a given index into another of the same shape.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fadeline.models.data.clipset import ClipSet

Control = Callable[[NDArray[np.uint8], int], NDArray[np.uint8]]


class SomeClips:
    """Some clips of a set, drawn evenly among them; a `ClipSet` itself.

    Args:
        clips: The set.
        count: How many to take; all of them if there are fewer.
    """

    def __init__(self, clips: ClipSet, count: int) -> None:
        self._clips = clips
        # Drawn, not every n-th: labels often repeat with a period. The seed is of no matter.
        drawn = np.random.default_rng(0).permutation(len(clips))[:count]
        self._indices = np.sort(drawn)
        self.name = clips.name
        self.version = clips.version
        self.classes = clips.classes
        self.labels = np.asarray(clips.labels)[self._indices]
        self.shape = clips.shape

    @property
    def indices(self) -> NDArray[np.int64]:
        """Where the clips are in the whole set, ascending."""
        return self._indices

    def __len__(self) -> int:
        return len(self._indices)

    def clip(self, index: int) -> NDArray[np.uint8]:
        """Return one clip, shape (T, H, W, 3).

        Raises:
            IndexError: If there is no such clip.
            ClipError: If it cannot be read.
        """
        return self._clips.clip(int(self._indices[index]))


class ChangedClips:
    """A clip set seen through a control; a `ClipSet` itself, to train on or to test on.

    Args:
        clips: The set.
        change: The name of the control, which becomes part of the set's.
        control: What is done to each clip.
    """

    def __init__(self, clips: ClipSet, change: str, control: Control) -> None:
        self._clips, self._control = clips, control
        self.name = f"{clips.name} ({change})"
        self.version = clips.version
        self.classes = clips.classes
        self.labels = clips.labels
        self.shape = clips.shape

    def __len__(self) -> int:
        return len(self._clips)

    def clip(self, index: int) -> NDArray[np.uint8]:
        """Return one changed clip, shape (T, H, W, 3).

        Raises:
            IndexError: If there is no such clip.
            ClipError: If it cannot be read.
        """
        return self._control(self._clips.clip(index), index)


def controls(size_px: int) -> dict[str, Control]:
    """Return the controls for a classifier trained on whole clips, by name.

    Args:
        size_px: Side of the clips; a multiple of 4.
    """
    return {
        "half resolution": coarse(size_px // 2),
        "quarter resolution": coarse(size_px // 4),
        "every fourth frame": every_nth_frame(4),
        "middle frame": middle_frame,
        "shuffled frames": shuffled_frames(0),
    }


def coarse(side_px: int) -> Control:
    """Return a control that leaves `side_px` x `side_px` pixels of detail at the old size.

    Each box is averaged, rounded to 8 bits and repeated.
    """

    def control(clip: NDArray[np.uint8], _: int) -> NDArray[np.uint8]:
        T, H, W, _channels = clip.shape
        if H % side_px or W % side_px:
            raise ValueError(f"a clip of {H}x{W} px has no boxes for {side_px}x{side_px} of them")
        boxes = clip.reshape(T, side_px, H // side_px, side_px, W // side_px, 3)
        means = np.rint(boxes.mean(axis=(2, 4))).astype(np.uint8)
        return np.asarray(means.repeat(H // side_px, axis=1).repeat(W // side_px, axis=2))

    return control


def every_nth_frame(n: int) -> Control:
    """Return a control that keeps every n-th frame, repeated until the next."""

    def control(clip: NDArray[np.uint8], _: int) -> NDArray[np.uint8]:
        return np.asarray(clip[np.arange(len(clip)) // n * n])

    return control


def middle_frame(clip: NDArray[np.uint8], _: int) -> NDArray[np.uint8]:
    """Show frame T // 2 all the time: no motion at all."""
    return np.asarray(clip[np.full(len(clip), len(clip) // 2)])


def shuffled_frames(seed: int) -> Control:
    """Return a control that gives each clip's frames an order drawn from the seed and its index.

    It takes away the order only, so it is fair to a classifier that was trained on such clips.
    """

    def control(clip: NDArray[np.uint8], index: int) -> NDArray[np.uint8]:
        order = np.random.default_rng([seed, index]).permutation(len(clip))
        return np.asarray(clip[order])

    return control
