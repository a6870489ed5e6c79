"""Output folders and files that are either complete or absent."""

import shutil
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


def prepare_work(folder: Path, *, parts: str, result: str, resume: bool, force: bool) -> None:
    """Make the folder of work that can be resumed, or accept one to go on with.

    Args:
        folder: Where it goes.
        parts: Name, in it, of the folder of what is done so far; gone if it is to start over.
        result: Name, in it, of the file that finished work leaves.
        resume: Go on where it stopped.
        force: Start over.

    Raises:
        OutputError: If it holds something, and neither `resume` nor `force` says what to do.
    """
    if resume and not force:
        if (folder / result).exists():
            raise OutputError(f"{folder}: is finished; use --force to do it again")
        prepare_folder(folder, force=True)
        return
    if (folder / parts).exists() and not force:
        raise OutputError(
            f"{folder}: is unfinished; use --resume to go on with it, or --force to start over"
        )
    prepare_folder(folder, force=force)
    shutil.rmtree(folder / parts, ignore_errors=True)


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
