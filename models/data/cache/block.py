"""A block of clips in the file of a cache: drawn, written and summed."""

import errno
import os

import numpy as np
from numpy.typing import NDArray

from fadeline.models.data.cache.header import clip_bytes
from fadeline.models.data.clipset import ClipSet
from fadeline.models.data.digest import block_digest, drawn


def write_block(clips: ClipSet, handle: int, start: int, stop: int) -> str:
    """Draw some clips, write them to their place in a file and return their digest.

    One clip at a time is held in memory. Written with ``pwrite``, not through a mapping, so that
    a full disk is an error and not a signal that ends the process.

    Args:
        clips: The data set.
        handle: File descriptor, open for writing.
        start: First clip.
        stop: Clip after the last.

    Raises:
        ClipError: If a clip cannot be read.
        OSError: If the file cannot be written.
    """

    def written(index: int, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        _write(handle, pixels.data.cast("B"), index * clip_bytes(clips.shape))
        return pixels

    numbered = enumerate(drawn(clips, start, stop), start)
    return block_digest(written(index, pixels) for index, pixels in numbered)


def _write(handle: int, content: memoryview, offset: int) -> None:
    """Write all of `content`: a nearly full disk takes a part of it first."""
    while content:
        count = os.pwrite(handle, content, offset)
        if count == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        content, offset = content[count:], offset + count
