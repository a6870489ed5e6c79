"""Archives where clips should be, and the command that unpacks them."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from fadeline.models.errors import ClipError

_UNPACK = {".rar": "unrar x", ".zip": "unzip", ".7z": "7z x", ".tar": "tar xf"}

ARCHIVE_SUFFIXES = tuple(_UNPACK)
"""Ends of the names of archives in which data sets of videos come (our choice)."""


def require_unpacked(folder: Path) -> None:
    """Refuse a folder of archives, such as HMDB51 as it is downloaded, and say how to unpack them.

    Raises:
        ClipError: If there are archives in the folder.
    """
    if archives := _archives(folder):
        raise ClipError(
            f"{folder}: holds {_count(archives)}, which must be unpacked first; type "
            f"{_command(folder, archives)}"
        )


def unpack_hint(path: Path) -> str:
    """Return how to unpack an archive, or those in a folder, as an end of a message.

    Empty if there are none.
    """
    if path.suffix.lower() in ARCHIVE_SUFFIXES and path.is_file():
        tool = _UNPACK[path.suffix.lower()]
        name = shlex.quote(path.name)
        return f"; unpack it first; type cd {shlex.quote(str(path.parent))} && {tool} {name}"
    if archives := _archives(path):
        return (
            f"; it holds {_count(archives)} that may have to be unpacked first; type "
            f"{_command(path, archives)}"
        )
    return ""


def _archives(folder: Path) -> list[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return []
    return [
        entry
        for entry in entries
        if entry.suffix.lower() in ARCHIVE_SUFFIXES and entry.name[0] != "." and entry.is_file()
    ]


def _count(archives: Sequence[Path]) -> str:
    suffixes = sorted({archive.suffix for archive in archives})
    word = "archive" if len(archives) == 1 else "archives"
    return f"{len(archives)} {word} ({', '.join(suffixes)})"


def _command(folder: Path, archives: Sequence[Path]) -> str:
    loops = [
        f'for f in *{suffix}; do {_UNPACK[suffix.lower()]} "$f"; done'
        for suffix in sorted({archive.suffix for archive in archives})
    ]
    return f"cd {shlex.quote(str(folder))} && {'; '.join(loops)}"
