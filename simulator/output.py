"""Output folders and files that are either complete or absent."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fadeline.simulator.errors import OutputError

_UNFINISHED = ".fadeline-unfinished-"


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


@contextmanager
def complete_or_absent(target: Path) -> Iterator[Path]:
    """Give a path to write to, and move the file to its final name only when all went well.

    Args:
        target: Final name. An older file keeps its content until then.

    Raises:
        OutputError: If the file cannot be written.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     with complete_or_absent(Path(folder, "a.txt")) as path:
        ...         _ = path.write_text("whole")
        ...     Path(folder, "a.txt").read_text()
        'whole'
    """
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=_UNFINISHED, suffix=target.suffix)
        os.close(handle)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written: {error.strerror}") from None
    partial = Path(name)
    try:
        yield partial
        partial.chmod(0o666 & ~_umask())
        partial.replace(target)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written: {error.strerror}") from None
    finally:
        partial.unlink(missing_ok=True)


def _counts(path: Path) -> bool:
    """Return whether a file is more than what a killed run left of an unfinished one."""
    return not path.name.startswith(_UNFINISHED)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
