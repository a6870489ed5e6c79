"""Names of folders of videos as sets of clips, read without opening any."""

import difflib
from collections.abc import Sequence
from pathlib import Path

from fadeline.models.data.video.splits import SPLITS
from fadeline.models.errors import ClipError

KINDS = ("videofolder", "hmdb51")
"""What a name of a folder begins with, before its colon."""


def folder_name(path: str | Path, split: str | None) -> str:
    """Return the name of a video folder as a set of clips."""
    return f"videofolder:{path}" if split is None else f"videofolder:{path}#{split}"


def parse_folder_name(text: str) -> tuple[Path, str | None]:
    """Return the folder and the split that a text such as ``PATH#train`` names.

    A ``#`` may be part of the path: if what follows is no split, the text is taken for a path if
    there is such a folder. ``~`` at the start is the home folder.

    Raises:
        ClipError: If the path is empty, or the split is none of `SPLITS`.

    Example:
        >>> parse_folder_name("films/set#1#test")
        (PosixPath('films/set#1'), 'test')
    """
    path, mark, split = text.rpartition("#")
    if not mark or (split not in SPLITS and Path(text).expanduser().is_dir()):
        path, split = text, ""
    if not path:
        raise ClipError(f"{text!r}: names no folder; write PATH or PATH#SPLIT")
    if mark and split:
        require_one_of("split", split, SPLITS)
    return Path(path).expanduser(), split or None


def folder_of(name: str) -> Path | None:
    """Return the folder that the name of a set of clips speaks of; None if it is of no videos.

    Raises:
        ClipError: If the name is no good.

    Example:
        >>> folder_of("hmdb51:films#train"), folder_of("actions/test")
        (PosixPath('films'), None)
    """
    kind, colon, where = name.partition(":")
    if not colon or kind not in KINDS:
        return None
    if not where.partition("#")[0]:
        raise ClipError(f"{name}: names no folder; write {kind}:PATH#SPLIT")
    return parse_folder_name(where)[0]


def moved(name: str, folder: Path) -> str:
    """Return the name of a set of clips with its path, if it has one, made relative to a folder.

    Example:
        >>> moved("videofolder:films#train", Path("/data")), moved("actions/val", Path("/data"))
        ('videofolder:/data/films#train', 'actions/val')
    """
    kind, colon, where = name.partition(":")
    if not colon or kind not in KINDS or not where.partition("#")[0]:
        return name
    return f"{kind}:{(folder / Path(where).expanduser()).absolute()}"


def require_one_of(what: str, given: str | None, allowed: Sequence[str | None]) -> None:
    """Refuse a word that is not among those allowed, with the nearest.

    Raises:
        ClipError: If it is not.
    """
    if given in allowed:
        return
    words = [word for word in allowed if word is not None]
    close = difflib.get_close_matches(str(given), words, n=1, cutoff=0.5)
    hint = f"; did you mean {close[0]}?" if close else ""
    raise ClipError(f"{what} must be one of {', '.join(words)}; got {given!r}{hint}")
