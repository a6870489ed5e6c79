"""Blocks of a cache, drawn side by side by several processes."""

from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

from fadeline.models.data.cache.block import write_block
from fadeline.models.data.clipset import ClipSet
from fadeline.models.errors import ClipError, ModelsError, WorkerError
from fadeline.models.processes import spread

Block = tuple[int, int]
"""First clip and the one after the last."""


def write_blocks(
    clips: ClipSet, path: Path, blocks: Sequence[Block], *, workers: int
) -> Generator[tuple[Block, str]]:
    """Draw blocks of clips into a file; yield each with its digest as it is done, in any order.

    Args:
        clips: The data set; picklable if there are several workers.
        path: An existing file.
        blocks: What to draw.
        workers: Number of processes; 1 draws in this one.

    Raises:
        ClipError: If a clip cannot be read, the set cannot be sent to a worker, or one is killed.
        OSError: If the file cannot be written.
    """
    try:
        yield from spread(
            _drawn, blocks, shared=(clips, path), workers=workers, passed_on=(ModelsError, OSError)
        )
    except WorkerError as error:
        raise ClipError(f"{clips.name}: {error}") from error


def _drawn(shared: tuple[ClipSet, Path], block: Block) -> Iterator[tuple[Block, str]]:
    clips, path = shared
    with path.open("r+b") as file:
        yield block, write_block(clips, file.fileno(), *block)
