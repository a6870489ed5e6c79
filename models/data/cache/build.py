"""Making the files of a cache: complete under their final names, or absent."""

import errno
import fcntl
import os
import shutil
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from fadeline.models.data.cache.header import CacheHeader, clip_bytes
from fadeline.models.data.cache.worker import write_blocks
from fadeline.models.data.clipset import ClipSet
from fadeline.models.data.digest import blocks_of
from fadeline.models.errors import ClipError
from fadeline.models.files import UNFINISHED, complete_or_absent

PIXELS_SUFFIX = ".clips"
HEADER_SUFFIX = ".json"

# A builder locks its file right after it made it. A minute is far more than that takes.
UNLOCKED_S = 60.0

NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
CANNOT_RESERVE = {errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS}


def build_cache(
    clips: ClipSet,
    pixels_path: Path,
    *,
    workers: int,
    progress: Callable[[int, int], None] | None,
) -> CacheHeader:
    """Draw all clips into a file and write its header next to it.

    Two processes may build the same cache at once: each has a file of its own, and the last to
    finish puts its equal content in place.

    Args:
        clips: The data set; not empty.
        pixels_path: Final name of the file of pixels.
        workers: Number of processes.
        progress: Called with the number of clips done and their total after each block.

    Raises:
        ClipError: If a clip cannot be read, or the files cannot be written.
    """
    folder = pixels_path.parent
    size_bytes = clip_bytes(clips.shape) * len(clips)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_abandoned(folder)
        with complete_or_absent(pixels_path) as partial:
            digests = _write_pixels(clips, partial, size_bytes, workers=workers, progress=progress)
        header = CacheHeader.of(clips, digests)
        with complete_or_absent(pixels_path.with_suffix(HEADER_SUFFIX)) as partial:
            partial.write_text(header.to_json(), encoding="utf-8")
    except OSError as error:
        reason = f"cannot be written: {error.strerror}"
        if error.errno in NO_SPACE:
            reason += f"; it needs {size_text(size_bytes)}{_free(folder)}"
        raise ClipError(
            f"{clips.name}: the cache {pixels_path} {reason}; "
            "set FADELINE_CACHE to a folder with room that you may write to"
        ) from error
    return header


def size_text(size_bytes: int) -> str:
    """Return a size for a message.

    Example:
        >>> size_text(1_572_864_000)
        '1.573 GB'
    """
    for unit, scale in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if size_bytes >= scale:
            return f"{size_bytes / scale:.4g} {unit}"
    return f"{size_bytes / 1e3:.4g} kB"


def remove_abandoned(folder: Path) -> None:
    """Remove unfinished files of pixels that no living process writes to."""
    for path in folder.glob(f"{UNFINISHED}*{PIXELS_SUFFIX}"):
        with suppress(OSError), path.open("r+b") as file:
            if time.time() - path.stat().st_mtime > UNLOCKED_S:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # refused while it is written
                path.unlink()


def _free(folder: Path) -> str:
    try:
        return f", and {size_text(shutil.disk_usage(folder).free)} are free at {folder}"
    except OSError:
        return ""


def _write_pixels(
    clips: ClipSet,
    partial: Path,
    size_bytes: int,
    *,
    workers: int,
    progress: Callable[[int, int], None] | None,
) -> list[str]:
    """Write all pixels; return the digest of each block."""
    blocks = blocks_of(len(clips))
    digests: dict[tuple[int, int], str] = {}
    clips_done = 0
    with partial.open("r+b") as file:
        with suppress(OSError):  # some network folders know no locks
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _reserve(file.fileno(), size_bytes)
        written = write_blocks(clips, partial, blocks, workers=min(workers, len(blocks)))
        with closing(written):
            for (start, stop), digest in written:
                digests[start, stop] = digest
                clips_done += stop - start
                if progress:
                    progress(clips_done, len(clips))
        os.fsync(file.fileno())  # a crash of the machine must not leave holes under the final name
    return [digests[block] for block in blocks]


def _reserve(handle: int, size_bytes: int) -> None:
    """Take the room on the disk before the first clip is drawn, where the file system can."""
    try:
        os.posix_fallocate(handle, 0, size_bytes)
    except OSError as error:
        if error.errno not in CANNOT_RESERVE:
            raise
        os.ftruncate(handle, size_bytes)
