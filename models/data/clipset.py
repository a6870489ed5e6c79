"""What every data set of clips offers, whatever it is made from."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class ClipSet(Protocol):
    """Labelled clips, read one at a time and always in the same order.

    Attributes:
        name: As the user writes it, such as ``actions/test``.
        version: Changes whenever the pixels or labels of any clip do.
        classes: Names of the classes; a label is a position in this list.
        labels: Label of each clip, shape (N,).
        shape: Frames, height and width of every clip: (T, H, W).
    """

    @property
    def name(self) -> str:
        """As the user writes it."""

    @property
    def version(self) -> str:
        """What the pixels and labels were made by."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""

    @property
    def labels(self) -> NDArray[np.int64]:
        """Label of each clip, shape (N,)."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, height and width."""

    def __len__(self) -> int:
        """Return the number of clips."""

    def clip(self, index: int) -> NDArray[np.uint8]:
        """Return one clip: 8-bit RGB, shape (T, H, W, 3).

        Raises:
            IndexError: If there is no such clip.
            ClipError: If it cannot be read.
        """
