"""Independent random streams from one seed, named by purpose."""

import hashlib

import numpy as np
from numpy.typing import NDArray

Name = str | int


class Streams:
    """Random generators of a run, each a pure function of the seed and a name.

    A name says what the numbers are for and whom they belong to, as in
    ``streams.generator("fading", replication, group, device)``. Adding a scheme, a device or a
    component therefore moves no other draw, and neither does the order of calls or the process
    they are made in.
    """

    def __init__(self, seed: int) -> None:
        """Make the streams of a seed.

        Args:
            seed: Non-negative integer.
        """
        if seed < 0:
            raise ValueError(f"seed must be at least 0, got {seed}")
        self.seed = seed

    def generator(self, purpose: str, *owner: Name) -> np.random.Generator:
        """Return a fresh generator for a purpose and its owner.

        Args:
            purpose: What the numbers are for, such as "fading".
            *owner: Whom they belong to, from the general to the particular: texts or non-negative
                integers.

        Returns:
            A PCG64 generator at its start; the same name always gives the same numbers.

        Example:
            >>> a = Streams(1).generator("fading", 0, "cameras", 3)
            >>> b = Streams(1).generator("fading", 0, "cameras", 3)
            >>> bool(a.random() == b.random())
            True
        """
        key = [word for part in (purpose, *owner) for word in _words(part)]
        sequence = np.random.SeedSequence(self.seed, spawn_key=key)
        return np.random.Generator(np.random.PCG64(sequence))

    def clip_uniforms(self, stage: str, *owner: Name, clips: int) -> NDArray[np.float64]:
        """Return one uniform draw per clip of a device for one stage of its life.

        Made before the clock starts and read by clip number, so what happens to one clip never
        changes another's draw. A longer run only adds draws at the end.

        Args:
            stage: What the draw decides, such as "encode"; every stage has draws of its own.
            *owner: Replication and device, as in `generator`.
            clips: Number of clips, at least 0.

        Returns:
            Shape (clips,), in [0, 1), indexed by clip number.

        Example:
            >>> Streams(1).clip_uniforms("encode", 0, "cameras", 3, clips=2).shape
            (2,)
        """
        return self.generator("clip", stage, *owner).random(clips)


def _words(part: Name) -> tuple[int, ...]:
    """Return a part of a name as 32-bit words, the first telling texts from numbers apart.

    A text becomes 64 bits of its hash, so that no two names of a scenario ever meet.
    """
    if isinstance(part, str):
        digest = hashlib.blake2b(part.encode(), digest_size=8).digest()
        return 1, int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:], "little")
    if not 0 <= part < 2**32:
        raise ValueError(f"a number in a stream's name must be in [0, 2^32), got {part}")
    return 0, part
