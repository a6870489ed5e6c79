"""What tells a clip from another of the same name without reading all of it."""

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from fadeline.models.data.video.frame_series import is_picture

SAMPLE_BYTES = 4096
"""Read at the beginning, in the middle and at the end of a file (our choice): a page of memory
each, so 7,000 videos take a second."""


def clip_stamp(path: Path) -> str:
    """Return a text that changes with a video, or with the pictures of a folder of frames.

    Of a folder it follows every picture's name, size and time of change, and three samples each of
    the first, the middle and the last. A picture that cannot be read counts as such: reading the
    clip will name it.

    Raises:
        OSError: If the file or the folder cannot be read.
    """
    if not path.is_dir():
        return file_stamp(path)
    with os.scandir(path) as entries:
        pictures = sorted(
            (entry.name, _status(entry)) for entry in entries if is_picture(entry.name)
        )
    digest = hashlib.sha256()
    for name, status in pictures:
        digest.update(os.fsencode(name) + f"\0{status}\0".encode())
    for position in sorted({0, len(pictures) // 2, len(pictures) - 1}) if pictures else ():
        with suppress(OSError):
            digest.update(file_stamp(path / pictures[position][0]).encode())
    return f"{len(pictures)} {digest.hexdigest()}"


def _status(entry: os.DirEntry[str]) -> str:
    try:
        status = entry.stat()
    except OSError as error:
        return f"cannot be read: {error.errno}"
    return f"{status.st_size} {status.st_mtime_ns}"


def file_stamp(path: Path) -> str:
    """Return a text that changes with a file's size, time of change, or any of three samples of it.

    Another content of the same size, with the old time put back and the same bytes in these three
    places, goes unnoticed.

    Raises:
        OSError: If the file cannot be read.
    """
    with path.open("rb", buffering=0) as file:
        status = os.fstat(file.fileno())
        size_bytes = status.st_size
        digest = hashlib.sha256()
        starts = {0, max(size_bytes - SAMPLE_BYTES, 0) // 2, max(size_bytes - SAMPLE_BYTES, 0)}
        for start in sorted(starts):
            digest.update(os.pread(file.fileno(), SAMPLE_BYTES, start))
    return f"{size_bytes} {status.st_mtime_ns} {digest.hexdigest()}"
