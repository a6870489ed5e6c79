"""Data sets by the names that users type."""

import difflib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fadeline.models.data.clipset import ClipSet
from fadeline.models.data.video.listing import left_out_text
from fadeline.models.errors import ClipError

ACTION_SPLITS = ("train", "val", "test")

NAMES = {
    "actions/train": "drawn people acting, to train on",
    "actions/val": "other drawn actors and scenes, to tune on",
    "actions/test": "others again, read once",
    "actions/test@SEED": "a fresh draw of test clips",
    "videofolder:PATH#SPLIT": "your videos, or folders of their frames; #SPLIT may be left out",
    "hmdb51:PATH#train": "HMDB51, one draw's training clips",
    "hmdb51:PATH#test": "HMDB51, one draw's test clips",
}
"""Names of data sets and what they are; capitals stand for what the user fills in."""


def open_clips(
    name: str,
    *,
    frames: int = 16,
    size: int = 64,
    splits: Path | None = None,
    draw: int = 1,
    sampling: str = "uniform",
    skip_unreadable: bool = False,
) -> ClipSet:
    """Return the data set of a name.

    Args:
        name: One of `NAMES`, with the capitals filled in.
        frames: Frames of a clip.
        size: Height and width of a clip, pixels.
        splits: Folder or file that says which clips belong to which split; for videos.
        draw: Number of the draw of those splits; for videos.
        sampling: How frames are taken from a video; for videos.
        skip_unreadable: Leave out videos that cannot be decoded; for videos.

    Raises:
        ClipError: If there is no such data set, or it cannot be used.
    """
    kind, colon, where = name.partition(":")
    if colon and kind in ("videofolder", "hmdb51"):
        if not where.partition("#")[0]:
            raise ClipError(f"{name}: names no folder; write {kind}:PATH#SPLIT")
        opener: Callable[..., ClipSet] = _video_folder if kind == "videofolder" else _hmdb51
        return opener(
            where, frames=frames, size=size, splits=splits, draw=draw, sampling=sampling,
            skip_unreadable=skip_unreadable,
        )  # fmt: skip
    if (splits, draw, sampling, skip_unreadable) != (None, 1, "uniform", False):
        raise ClipError(
            f"{name}: splits, draw, sampling and skip_unreadable are for data sets of videos "
            "(videofolder:PATH, hmdb51:PATH)"
        )
    family, _, split = name.partition("/")
    if family != "actions" or split.partition("@")[0] not in ACTION_SPLITS:
        raise ClipError(_unknown(name))
    from fadeline.models.data.drawn.actions import ActionClips

    return ActionClips(split, size=size, frames=frames)


def clip_notes(clips: ClipSet) -> list[str]:
    """Return what to say of a set: which videos it skips, which files look like media and are none.

    Empty for sets of no videos.
    """
    lines = [f"skipped: {message}" for message in getattr(clips, "skipped", ())]
    left_out = left_out_text(getattr(clips, "left_out", ()))
    return [*lines, f"{clips.name}: {left_out}"] if left_out else lines


def _video_folder(where: str, **options: Any) -> ClipSet:
    from fadeline.models.data.video.videofolder import VideoFolder

    path, split = _path_and_split("videofolder", where)
    return VideoFolder(path, split=split, **options)


def _hmdb51(where: str, **options: Any) -> ClipSet:
    from fadeline.models.data.video.hmdb51 import Hmdb51

    path, split = _path_and_split("hmdb51", where)
    if split not in ("train", "test"):
        given = "no split" if split is None else f"#{split}"
        raise ClipError(
            f"hmdb51:{where}: {given} given; there are two splits: "
            f"write hmdb51:{path}#train or #test"
        )
    return Hmdb51(path, split=split, **options)


def _path_and_split(kind: str, where: str) -> tuple[Path, str | None]:
    from fadeline.models.data.video.folder_name import parse_folder_name

    try:
        return parse_folder_name(where)
    except ClipError as error:
        raise ClipError(f"{kind}:{where}: {error}") from None


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, NAMES, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"{name or repr(name)}: no such data set; {hint}there are {', '.join(NAMES)}"
