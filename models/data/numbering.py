"""Labels as a network numbers its classes: by name, never by position."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fadeline.models.data.clipset import ClipSet
from fadeline.models.errors import ClipError


class NumberedClips:
    """Clips whose labels are positions in another list of classes; a `ClipSet` itself.

    Made by `numbered_as`.

    Args:
        clips: The set.
        classes: The other list; has every class of the set.

    Attributes:
        indices: Where the clips are in the whole set, if this one is a part of it.
    """

    def __init__(self, clips: ClipSet, classes: Sequence[str]) -> None:
        self._clips = clips
        self.name = clips.name
        self.version = clips.version
        self.classes = tuple(classes)
        self.shape = clips.shape
        numbers = np.array([self.classes.index(name) for name in clips.classes], np.int64)
        self.labels: NDArray[np.int64] = numbers[np.asarray(clips.labels)]
        self.labels.flags.writeable = False
        self.indices: NDArray[np.int64] = getattr(clips, "indices", np.arange(len(clips)))

    def __len__(self) -> int:
        return len(self._clips)

    def clip(self, index: int) -> NDArray[np.uint8]:
        """Return one clip, shape (T, H, W, 3).

        Raises:
            IndexError: If there is no such clip.
            ClipError: If it cannot be read.
        """
        return self._clips.clip(index)


def numbered_as(clips: ClipSet, classes: Sequence[str], *, network: str) -> ClipSet:
    """Return clips with their labels as a network numbers them.

    Args:
        clips: Of any of the network's classes, in any order.
        classes: What the network answers, in the order of its outputs.
        network: How messages call it.

    Raises:
        ClipError: If the network does not know a class of the clips.
    """
    if tuple(clips.classes) == tuple(classes):
        return clips
    known = set(classes)
    unknown = [name for name in clips.classes if name not in known]
    if unknown:
        raise ClipError(
            f"{clips.name}: its classes are not those of {network}, which does not know "
            f"{', '.join(unknown)} (it knows {', '.join(classes)}); take one that was trained on "
            "these classes, or rename the class folders"
        )
    return NumberedClips(clips, classes)
