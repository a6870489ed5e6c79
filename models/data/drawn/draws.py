"""Random whole numbers that are the same on every machine and with every version of numpy.

Only the raw words of the PCG64 bit generator are used: numpy promises that those never change,
which it does not promise of the distributions made from them (NEP 19).
"""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Item = TypeVar("Item")

_WORDS = 64
"""Words fetched at a time (our choice): enough for most of a scene's choices in one call."""


class Draws:
    """A stream of random whole numbers, named by a key.

    Args:
        entropy: Root of all streams of a data set.
        key: Name of this stream; streams of different keys are independent.

    Example:
        >>> Draws(1, 2, 3).between(10, 20) == Draws(1, 2, 3).between(10, 20)
        True
    """

    def __init__(self, entropy: int, *key: int) -> None:
        self._bits = np.random.PCG64(np.random.SeedSequence(entropy, spawn_key=key))
        self._words: list[int] = []

    def below(self, limit: int) -> int:
        """Return a number from 0 to `limit` - 1; limit is at most 2^32."""
        if not self._words:
            self._words = self._bits.random_raw(_WORDS).tolist()
        return ((self._words.pop() >> 32) * limit) >> 32

    def between(self, low: int, high: int) -> int:
        """Return a number from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def around(self, reach: int) -> int:
        """Return a number from -`reach` to `reach`."""
        return self.between(-reach, reach)

    def chance(self, percent: int) -> bool:
        """Return True in `percent` of 100 cases."""
        return self.below(100) < percent

    def pick(self, items: Sequence[Item]) -> Item:
        """Return one of the items, each as likely as the others."""
        return items[self.below(len(items))]

    def octets(self, count: int) -> NDArray[np.uint8]:
        """Return `count` numbers from 0 to 255, shape (count,)."""
        words = np.asarray(self._bits.random_raw(-(-count // 8)), dtype="<u8")
        return words.view(np.uint8)[:count]
