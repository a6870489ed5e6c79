"""Clips to train on and clips to report on, by the name of their data set."""

from collections.abc import Callable
from pathlib import Path

from fadeline.models.data import opening
from fadeline.models.data.cache.cache import CachedClips, cached
from fadeline.models.data.clipset import ClipSet
from fadeline.models.hardware import machine
from fadeline.models.training.progress import Tell, counted

Log = Callable[[str], None]
"""Called with a line that the user should know of."""


def training_clips(
    data: str,
    validate_on: str | None,
    *,
    frames: int,
    size_px: int,
    splits: Path | None = None,
    draw: int = 1,
    skip_unreadable: bool = False,
    log: Log | None = None,
    tell: Tell | None = None,
) -> tuple[CachedClips, CachedClips]:
    """Return training clips and validation clips, from caches that are filled if need be.

    Args:
        data: Data set with splits train and val.
        validate_on: Other clips to report on; the split val if None.
        frames: Of a clip.
        size_px: Height and width of a clip.
        splits: Split file or folder; None for those in the folder of the videos.
        draw: Of the split files.
        skip_unreadable: Leave out videos that cannot be decoded.
        log: Called with what there is to say of the clips.
        tell: Called with the clips cached.

    Raises:
        ClipError: If they cannot be opened or read.
    """
    first, second = (
        _cached(
            opening.open_clips(
                name, frames=frames, size=size_px, splits=splits, draw=draw,
                skip_unreadable=skip_unreadable,
            ),
            name, log, tell,
        )
        for name in (split_of(data, "train"), validate_on or split_of(data, "val"))
    )  # fmt: skip
    return first, second


def split_of(data: str, split: str) -> str:
    """Return the name of a data set's split, as `open_clips` takes it.

    Example:
        >>> split_of("actions", "train"), split_of("videofolder:mine", "val")
        ('actions/train', 'videofolder:mine#val')
    """
    return f"{data}#{split}" if ":" in data else f"{data}/{split}"


def _cached(clips: ClipSet, name: str, log: Log | None, tell: Tell | None) -> CachedClips:
    if log is not None:
        for line in opening.clip_notes(clips):
            log(line)
    stage = counted(f"caching {name}", tell)
    return cached(clips, workers=machine.usable_cores(), progress=stage, log=log)
