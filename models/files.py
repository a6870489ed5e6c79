"""Files that are either complete or absent, also after a kill."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UNFINISHED = ".fadeline-unfinished-"
"""Start of the name of a file that is being written."""


@contextmanager
def complete_or_absent(target: Path) -> Iterator[Path]:
    """Give a path to write to, and move the file to its final name only when all went well.

    Args:
        target: Final name. An older file keeps its content until then.

    Raises:
        OSError: If the file cannot be written.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     with complete_or_absent(Path(folder, "a.txt")) as path:
        ...         _ = path.write_text("whole")
        ...     Path(folder, "a.txt").read_text()
        'whole'
    """
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=UNFINISHED, suffix=target.suffix)
    os.close(handle)
    partial = Path(name)
    try:
        yield partial
        partial.chmod(0o666 & ~_umask())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
