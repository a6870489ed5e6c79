"""Any folder of videos, or of their frames, as a set of clips: one folder for each class."""

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fadeline.models.data.video.file_stamp import clip_stamp
from fadeline.models.data.video.folder_name import folder_name, require_one_of
from fadeline.models.data.video.frame_folder import read_frame_folder
from fadeline.models.data.video.listing import Listing, list_clips
from fadeline.models.data.video.sampling import KINDS, Sampling
from fadeline.models.data.video.splits import (
    DEFAULT_NAMES,
    SPLITS,
    SplitLine,
    default_splits,
    read_splits,
)
from fadeline.models.data.video.unreadable import unreadable_videos
from fadeline.models.data.video.video import DECODING, read_clip
from fadeline.models.errors import ClipError


class VideoFolder:
    """Clips of the videos in a folder's class folders; a video is decoded when its clip is read.

    In a class folder without videos each folder of numbered pictures is a clip, for which "video"
    stands below too. One of fewer than T frames is no error: see
    `fadeline.models.data.video.sampling`.

    Args:
        path: Folder with a folder for each class. A folder `splits` in it is no class.
        split: One of train, val and test, or None for all videos.
        splits: Split file, or folder of split files; by default the first of `DEFAULT_NAMES` in the
            folder. See `fadeline.models.data.video.splits` for the formats.
        draw: Which of the split files' draws to take, from 1.
        frames: Frames of a clip, T.
        size: Height and width of a clip, pixels.
        sampling: Which frames of a video make its clip: uniform or dense.
        stride: Frames from one taken frame to the next in dense sampling.
        skip_unreadable: Decode every video now, unless that was done before and the videos are the
            same, and leave out those that cannot be decoded. Otherwise such a video is an error
            when its clip is read.

    Attributes:
        name: As the user writes it, such as ``videofolder:PATH#train``.
        version: Digest of the folder's absolute path, the videos' paths in it, their sizes, times
            of change and samples of their bytes (`clip_stamp`), the classes, and the way from video
            to clip.
        classes: Names of all class folders, in order, whatever the split.
        labels: Label of each clip, shape (N,).
        shape: Frames, height and width of every clip: (T, H, W).
        paths: Video of each clip, in the order of class and file name.
        skipped: Why videos were left out, a message each; empty unless `skip_unreadable`.
        left_out: What is in the folder, looks like media and is no clip: see `Listing`.

    Raises:
        ClipError: If the folder or the split files cannot be used, or the split is empty.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        split: str | None = None,
        splits: str | Path | None = None,
        draw: int = 1,
        frames: int = 16,
        size: int = 64,
        sampling: str = "uniform",
        stride: int = 1,
        skip_unreadable: bool = False,
    ) -> None:
        require_one_of("split", split, (*SPLITS, None))
        self._sampling = _sampling(sampling, frames, stride)
        if size < 1:
            raise ClipError(f"size must be at least 1 pixel, got {size}")
        folder = Path(path)
        source = default_splits(folder) if splits is None else Path(splits)
        own = [folder / name for name in DEFAULT_NAMES]
        listing = list_clips(folder, leave_out=own if source is None else [source, *own])
        listing.require_clips()
        chosen = _choose(listing, split, source, draw)
        self.name = folder_name(path, split)
        self.classes = listing.classes
        self.shape = (frames, size, size)
        self.left_out = listing.left_out
        self.skipped: tuple[str, ...] = ()
        self._folder = folder
        self._take(chosen)
        if skip_unreadable and (unreadable := self.unreadable()):
            self.skipped = tuple(unreadable.values())
            if len(unreadable) == len(self):
                raise ClipError(
                    f"{folder}: none of {len(self)} videos can be read: {self.skipped[0]}"
                )
            self._take([clip for clip in chosen if folder.joinpath(*clip) not in unreadable])

    def _take(self, chosen: list[tuple[str, str]]) -> None:
        """Make some videos, by class and file, the clips of this set."""
        self.paths = tuple(self._folder / class_name / file for class_name, file in chosen)
        label_of = {name: label for label, name in enumerate(self.classes)}
        self.labels: NDArray[np.int64] = np.array([label_of[name] for name, _ in chosen], np.int64)
        self.labels.flags.writeable = False
        self.version = self._digest(self._folder)

    def __len__(self) -> int:
        """Return the number of clips."""
        return len(self.paths)

    def clip(self, index: int, *, rng: np.random.Generator | None = None) -> NDArray[np.uint8]:
        """Return one clip: 8-bit RGB, shape (T, H, W, 3).

        Args:
            index: Position of the clip, from 0.
            rng: Draws the frames, for training; None takes the same ones every time.

        Raises:
            IndexError: If there is no such clip.
            ClipError: If its video cannot be decoded.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"{self.name} has clips 0 to {len(self) - 1}, got {index}")
        path = self.paths[index]
        read = read_frame_folder if path.is_dir() else read_clip
        return read(path, self._sampling, size=self.shape[1], rng=rng)

    def unreadable(self) -> dict[Path, str]:
        """Return the videos that cannot be decoded, and for each why; all are tried.

        What is found is kept with the caches, so that it is found once.
        """
        return unreadable_videos(self.paths, self._sampling, self.shape[1], version=self.version)

    def _digest(self, folder: Path) -> str:
        way = [DECODING, self.shape, self._sampling.kind, self._sampling.stride, self.classes]
        digest = hashlib.sha256(json.dumps(way).encode() + os.fsencode(folder.resolve()) + b"\0")
        for file in self.paths:
            try:
                stamp = clip_stamp(file)
            except OSError as error:
                raise ClipError(f"{file}: cannot be read: {error.strerror}") from None
            name = os.fsencode(file.relative_to(folder).as_posix())
            digest.update(name + b"\0" + stamp.encode() + b"\0")
        return digest.hexdigest()[:16]


def _choose(
    listing: Listing, split: str | None, source: Path | None, draw: int
) -> list[tuple[str, str]]:
    """Return class and file of the clips of a split, in the order of the listing."""
    everything = [(name, file) for name, files in listing.clips.items() for file in files]
    if split is None:
        return everything
    if source is None:
        raise ClipError(
            f"{listing.path}: cannot take split {split} without split files: none of "
            f"{', '.join(DEFAULT_NAMES)} is in the folder; say where they are, or leave the split "
            "out to take all clips"
        )
    split_of = assign_splits(listing, read_splits(source, draw=draw))
    unassigned = set(listing.clips) - {class_name for class_name, _ in split_of}
    if unassigned:
        raise ClipError(
            f"{source}: draw {draw} names no clip of the class {min(unassigned)}, which is a "
            f"folder in {listing.path}; add it, or remove the folder"
        )
    chosen = [clip for clip in everything if split_of.get(clip) == split]
    if not chosen:
        there = sorted({name for name in split_of.values() if name is not None})
        raise ClipError(
            f"{source}: draw {draw} has no clip in split {split}; it has {', '.join(there)}"
        )
    empty = set(listing.clips) - {class_name for class_name, _ in chosen}
    if split == "train" and empty:
        raise ClipError(
            f"{source}: draw {draw} has no training clip of the class {min(empty)}; add one, or "
            "remove the folder"
        )
    return chosen


def assign_splits(
    listing: Listing, lines: Sequence[SplitLine]
) -> dict[tuple[str, str], str | None]:
    """Return the split of each clip, by class and file, as the lines of split files say it.

    Raises:
        ClipError: If a clip to be used is not there, or a clip is named twice.
    """
    split_of: dict[tuple[str, str], str | None] = {}
    where_of: dict[tuple[str, str], str] = {}
    missing = missing_clips(listing, lines)
    if missing:
        line = missing[0]
        more = f"; {len(missing) - 1} more clips are missing" if len(missing) > 1 else ""
        raise ClipError(
            f"{line.where}: the clip {line.class_name}/{line.clip} is not in {listing.path}"
            f"{listing.near(line.class_name, line.clip)}{more}"
        )
    for line in lines:
        file = listing.file_of(line.class_name, line.clip)
        if file is None:
            continue
        clip = (line.class_name, file)
        if clip in where_of:
            raise ClipError(
                f"{line.where}: names the clip {line.class_name}/{file} again, after "
                f"{where_of[clip]}; remove one of the two lines"
            )
        split_of[clip], where_of[clip] = line.split, line.where
    return split_of


def missing_clips(listing: Listing, lines: Sequence[SplitLine]) -> list[SplitLine]:
    """Return the lines of split files that use a clip which is not there."""
    return [
        line
        for line in lines
        if line.split is not None and listing.file_of(line.class_name, line.clip) is None
    ]


def _sampling(kind: str, frames: int, stride: int) -> Sampling:
    require_one_of("sampling", kind, KINDS)
    try:
        return Sampling(kind=kind, frames=frames, stride=stride)
    except ValueError as error:
        raise ClipError(str(error)) from None
