"""Output folders and files that are either complete or absent."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fadeline.models import files
from fadeline.simulator.errors import OutputError


def prepare_folder(folder: Path, *, force: bool) -> None:
    """Make an output folder, or accept one that is empty or may be written over.

    Raises:
        OutputError: If it is a file, holds something and `force` is not set, or cannot be made.
    """
    try:
        if folder.exists() and not folder.is_dir():
            raise OutputError(f"{folder}: is a file; give a folder")
        if folder.is_dir() and any(map(_counts, folder.iterdir())) and not force:
            raise OutputError(f"{folder}: already holds files; use --force to write over them")
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be used: {error.strerror}") from None


def refuse_existing(file: Path, *, force: bool) -> None:
    """Check that a file is new or may be written over.

    Raises:
        OutputError: If it is there and `force` is not set.
    """
    if file.exists() and not force:
        raise OutputError(f"{file}: exists already; use --force to write over it")


@contextmanager
def complete_or_absent(target: Path) -> Iterator[Path]:
    """Give a path to write to, and move the file to its final name only when all went well.

    Args:
        target: Final name. An older file keeps its content until then.

    Raises:
        OutputError: If the file cannot be written.
    """
    try:
        with files.complete_or_absent(target) as partial:
            yield partial
    except OSError as error:
        raise OutputError(f"{target}: cannot be written: {error.strerror}") from None


def _counts(path: Path) -> bool:
    """Return whether a file is more than what a killed run left of an unfinished one."""
    return not path.name.startswith(files.UNFINISHED)
