"""Clips kept on disk: drawn or decoded once, then read in an instant.

Two files a data set: the pixels, uint8 of shape (N, T, H, W, 3) and nothing else, and a header in
JSON (`cache_header`).
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fadeline.models.data.cache.build import (
    HEADER_SUFFIX,
    PIXELS_SUFFIX,
    build_cache,
    size_text,
)
from fadeline.models.data.cache.header import (
    CacheHeader,
    HeaderError,
    clip_bytes,
    read_header,
)
from fadeline.models.data.clipset import ClipSet
from fadeline.models.data.digest import block_digest, blocks_of, drawn
from fadeline.models.errors import ClipError

# Blocks read when a cache is opened: the ends and three between, 15 MB of 16 x 64 x 64 clips in
# some 10 ms. Finds another file, a truncated or an unwritten one; `verify` reads everything.
CHECKED_BLOCKS = 5

# Keeps file names readable and far below the usual limit of 255 bytes.
NAME_CHARACTERS = 60


class CachedClips:
    """Clips read from a cache; a `ClipSet` like the one it was made from.

    Copies of it in other processes read the same file. Made by `cached`.

    Attributes:
        path: The file of pixels.
        digest: SHA-256 over shape, classes, labels and the pixels of every block.
    """

    def __init__(self, path: Path, header: CacheHeader) -> None:
        self.path = path
        self._header = header
        self._blocks = blocks_of(len(header.labels))
        self._labels = np.array(header.labels, dtype=np.int64)
        self._labels.setflags(write=False)
        shape = (len(header.labels), *header.shape, 3)
        self._pixels: NDArray[np.uint8] = np.memmap(path, np.uint8, "r", shape=shape)

    def __reduce__(self) -> tuple[Any, ...]:
        return CachedClips, (self.path, self._header)

    @property
    def name(self) -> str:
        """As the user writes it."""
        return self._header.name

    @property
    def version(self) -> str:
        """What the pixels and labels were made by."""
        return self._header.version

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self._header.classes

    @property
    def labels(self) -> NDArray[np.int64]:
        """Label of each clip, shape (N,); read-only."""
        return self._labels

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, height and width."""
        return self._header.shape

    @property
    def digest(self) -> str:
        """SHA-256 over shape, classes, labels and pixels, in hexadecimal."""
        return self._header.digest

    def __len__(self) -> int:
        return len(self._header.labels)

    def clip(self, index: int) -> NDArray[np.uint8]:
        """Return a copy of one clip: 8-bit RGB, shape (T, H, W, 3).

        Raises:
            IndexError: If there is no such clip.
        """
        self._require(np.array([index]))
        return np.array(self._pixels[index])

    def batch(self, indices: Sequence[int] | NDArray[np.integer[Any]]) -> NDArray[np.uint8]:
        """Return a copy of some clips, in the order asked for: shape (B, T, H, W, 3).

        Raises:
            IndexError: If there is no such clip.
        """
        wanted = np.asarray(indices, dtype=np.int64)
        self._require(wanted)
        copies: NDArray[np.uint8] = np.asarray(self._pixels)[wanted]
        return copies

    @property
    def skipped(self) -> tuple[str, ...]:
        """Why videos were left out, a message each."""
        return self._header.skipped

    def verify(
        self,
        source: ClipSet | None = None,
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Read every clip and check it against its checksum.

        Args:
            source: What the cache was made from: also draw or decode every clip again and compare.
            progress: Called with the number of clips done and their total after each block.

        Raises:
            ClipError: If a block is not what was written, or what the source has now; the message
                says which clips.
        """
        for number, (start, stop) in enumerate(self._blocks):
            if not self._is_whole(number):
                raise ClipError(self._fault("is damaged at", start, stop))
            if source is not None and not self._is_of(source, number):
                raise ClipError(self._fault("has other pixels than the source now at", start, stop))
            if progress:
                progress(stop, len(self))

    def looks_whole(self) -> bool:
        """Return whether the first block, the last and some between match their checksums."""
        ends = np.linspace(0, len(self._blocks) - 1, CHECKED_BLOCKS)
        return all(map(self._is_whole, sorted({round(place) for place in ends.tolist()})))

    def _require(self, indices: NDArray[np.int64]) -> None:
        outside = indices[(indices < 0) | (indices >= len(self))]
        if outside.size:
            raise IndexError(f"{self.name}: no clip {outside[0]}; there are 0 to {len(self) - 1}")

    def _fault(self, what: str, start: int, stop: int) -> str:
        return (
            f"{self.name}: the cache {self.path} {what} clips {start} to {stop - 1}; build it "
            f"again: fadeline data cache --force '{self.name}'"
        )

    def _is_of(self, source: ClipSet, number: int) -> bool:
        return block_digest(drawn(source, *self._blocks[number])) == self._header.blocks[number]

    def _is_whole(self, number: int) -> bool:
        start, stop = self._blocks[number]
        found = hashlib.sha256(self._pixels[start:stop].data).hexdigest()
        return found == self._header.blocks[number]


def cached(
    clips: ClipSet,
    *,
    folder: Path | None = None,
    workers: int = 2,
    rebuild: bool = False,
    progress: Callable[[int, int], None] | None = None,
    log: Callable[[str], None] | None = None,
) -> CachedClips:
    """Return the same clips read from a cache, which is made if there is no usable one.

    A cache that is damaged, truncated or of other data under this name is made again: headers,
    sizes and the checksums of some blocks are looked at, and the first and last clip are drawn
    and compared. Nothing half-written is ever found under its name.

    Args:
        clips: The data set; picklable if there are several workers.
        folder: Where caches are [`cache_folder`].
        workers: Number of processes that draw; 1 draws in this one.
        rebuild: Make it again in any case.
        progress: Called with the number of clips drawn and their total, while it is made.
        log: Called with a line on what is made and why.

    Raises:
        ClipError: If there are no clips, one cannot be read, or the cache cannot be written.
    """
    if isinstance(clips, CachedClips):
        return clips
    if workers < 1:
        raise ClipError(f"{clips.name}: {workers} workers; at least 1 is needed")
    if len(clips) == 0:
        raise ClipError(f"{clips.name}: holds no clips, so there is nothing to cache")
    path = cache_path(clips, folder=folder)
    try:
        if not rebuild:
            return _opened(clips, path)
        reason = "as asked"
    except FileNotFoundError:
        reason = _other_versions(clips, path)
    except HeaderError as error:
        reason = f"the one there {error}"
    if log:
        size = size_text(clip_bytes(clips.shape) * len(clips))
        because = f" ({reason})" if reason else ""
        log(f"{clips.name}: caching {len(clips)} clips, {size}, in {path}{because}")
    try:
        header = build_cache(clips, path, workers=workers, progress=progress)
    except ClipError as error:
        raise _with_all_faults(clips, error) from error
    return CachedClips(path, header)


def cache_folder() -> Path:
    """Return where caches are by default: `$FADELINE_CACHE`, else the user's cache folder."""
    if chosen := os.environ.get("FADELINE_CACHE"):
        return Path(chosen).expanduser()
    shared = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # The XDG base directory specification says to ignore relative paths.
    return (shared if shared.is_absolute() else Path.home() / ".cache") / "fadeline"


def cache_path(clips: ClipSet, *, folder: Path | None = None) -> Path:
    """Return the file that the pixels of a data set are or would be cached in.

    Its name has the set's name and shape, and a hash of these and the version.
    """
    identity = json.dumps([clips.name, clips.shape, clips.version])
    short_hash = hashlib.sha256(identity.encode()).hexdigest()[:12]
    name = re.sub(r"[^A-Za-z0-9@_]+", "-", clips.name)[-NAME_CHARACTERS:].strip("-")
    shape = "x".join(map(str, clips.shape))
    return (folder or cache_folder()) / f"{name}-{shape}-{short_hash}{PIXELS_SUFFIX}"


def list_cached(folder: Path | None = None) -> list[tuple[Path, CacheHeader]]:
    """Return every cache in a folder: its file of pixels and its header, by name of the set.

    Looks at headers and sizes only; damaged ones are left out.

    Args:
        folder: Where caches are [`cache_folder`].
    """
    found = []
    for path in (folder or cache_folder()).glob(f"*{HEADER_SUFFIX}"):
        try:
            found.append((path.with_suffix(PIXELS_SUFFIX), _header_of_whole(path)))
        except (HeaderError, OSError):
            continue
    return sorted(found, key=lambda entry: (entry[1].name, entry[0]))


def _with_all_faults(clips: ClipSet, error: ClipError) -> ClipError:
    """Return an error that names every video that cannot be decoded, if that is what is wrong."""
    from fadeline.models.data.video.videofolder import VideoFolder

    unreadable = clips.unreadable() if isinstance(clips, VideoFolder) else {}
    if not unreadable:
        return error
    return ClipError(
        "\n".join(
            [
                f"{clips.name}: {len(unreadable)} of {len(clips)} videos cannot be read; replace "
                "them, or go on without them: --skip-unreadable, in a scenario "
                "clips.skip_unreadable: true",
                *unreadable.values(),
            ]
        )
    )


def _opened(clips: ClipSet, path: Path) -> CachedClips:
    """Open an existing cache.

    Raises:
        FileNotFoundError: If there is none.
        HeaderError: If it cannot be used.
    """
    header = _header_of_whole(path.with_suffix(HEADER_SUFFIX))
    if header.version != clips.version:
        raise HeaderError(f"is of version {header.version}, and this is {clips.version}")
    if not header.describes(clips):
        raise HeaderError("has other labels, classes or shape")
    try:
        opened = CachedClips(path, header)
    except OSError as error:
        raise HeaderError(f"cannot be read ({error.strerror})") from error
    if not opened.looks_whole():
        raise HeaderError("is damaged")
    if not all(_is_as_drawn(clips, opened, index) for index in (0, len(clips) - 1)):
        raise HeaderError("has other pixels than are drawn now")
    return opened


def _is_as_drawn(clips: ClipSet, opened: CachedClips, index: int) -> bool:
    """Draw a clip again: finds a version that was not raised, or another folder of this name."""
    (pixels,) = drawn(clips, index, index + 1)
    return np.array_equal(pixels, opened.clip(index))


def _header_of_whole(header_path: Path) -> CacheHeader:
    """Return a header whose file of pixels is there and of the right size."""
    header = read_header(header_path)
    size_bytes = header_path.with_suffix(PIXELS_SUFFIX).stat().st_size
    if size_bytes != header.size_bytes:
        raise HeaderError(f"has {size_bytes} bytes instead of {header.size_bytes}")
    return header


def _other_versions(clips: ClipSet, path: Path) -> str:
    """Say which caches of other versions of the same clips are there; empty if none."""
    others = [
        f"{other} of version {header.version}"
        for other, header in list_cached(path.parent)
        if (header.name, header.shape) == (clips.name, clips.shape) and other != path
    ]
    if not others:
        return ""
    return f"version {clips.version}; no longer used: {', '.join(others)}"
