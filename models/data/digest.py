"""The checksum of a data set: the same from a cache as from clips drawn one by one."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from fadeline.models.data.clipset import ClipSet
from fadeline.models.errors import ClipError

BLOCK_CLIPS = 16
"""Clips under one checksum.

3 MB of 16 frames at 64 x 64, 39 MB at 224 x 224: a few are read in an instant when a cache is
opened, and one takes a worker about 0.1 s to draw, so progress is smooth. Part of the digest's
definition: another value gives another digest.
"""


def blocks_of(clip_count: int) -> list[tuple[int, int]]:
    """Return where each block of clips begins and ends.

    Example:
        >>> blocks_of(20)
        [(0, 16), (16, 20)]
    """
    starts = range(0, clip_count, BLOCK_CLIPS)
    return [(start, min(start + BLOCK_CLIPS, clip_count)) for start in starts]


def drawn(clips: ClipSet, start: int, stop: int) -> Iterator[NDArray[np.uint8]]:
    """Yield clips from `start` up to `stop`, each contiguous and checked for shape and type.

    Raises:
        ClipError: If a clip cannot be read or is not what the set says its clips are.
    """
    expected = (*clips.shape, 3)
    for index in range(start, stop):
        try:
            pixels = clips.clip(index)
        except OSError as error:
            raise ClipError(f"{clips.name}: clip {index}: cannot be read: {error}") from error
        if pixels.dtype != np.uint8 or pixels.shape != expected:
            raise ClipError(
                f"{clips.name}: clip {index}: is {pixels.dtype} of shape {pixels.shape}; "
                f"a clip of this set is uint8 of shape {expected}"
            )
        yield np.ascontiguousarray(pixels)


def block_digest(clips: Iterable[NDArray[np.uint8]]) -> str:
    """Return the SHA-256 of the pixels of some clips, one after the other, in hexadecimal."""
    digest = hashlib.sha256()
    for pixels in clips:
        digest.update(pixels.data)
    return digest.hexdigest()


def whole_digest(
    shape: tuple[int, int, int],
    classes: Sequence[str],
    labels: Sequence[int],
    blocks: Sequence[str],
) -> str:
    """Return the SHA-256 over a set's shape, classes, labels and block digests.

    Args:
        shape: Frames, height and width.
        classes: Names of the classes.
        labels: Label of each clip, length N.
        blocks: Digest of each block of `BLOCK_CLIPS` clips, in hexadecimal.
    """
    content = {
        "shape": list(shape),
        "classes": list(classes),
        "labels": list(labels),
        "blocks": list(blocks),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def content_digest(clips: ClipSet, *, progress: Callable[[int, int], None] | None = None) -> str:
    """Return the digest that a cache of these clips has, without making one.

    Draws every clip once, in this process: for small sets. The name and version are not part of
    it: sets with the same pixels, labels and classes have the same digest.

    Args:
        clips: The data set.
        progress: Called with the number of clips done and their total after each block.

    Raises:
        ClipError: If a clip cannot be read.
    """
    digests = []
    for start, stop in blocks_of(len(clips)):
        digests.append(block_digest(drawn(clips, start, stop)))
        if progress:
            progress(stop, len(clips))
    return whole_digest(clips.shape, clips.classes, clips.labels.tolist(), digests)
