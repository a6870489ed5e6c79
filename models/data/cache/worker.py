"""Processes that draw the blocks of a cache side by side.

Fresh interpreters with a pipe to each, not forks: a fork of a process in which PyTorch or OpenCV
have threads can hang, and `multiprocessing` runs the user's script again in every process. A
worker whose parent is gone, also by a kill, finds its pipe closed and ends. It is in a session of
its own, so Ctrl-C reaches the parent alone, which ends it.
"""

import os
import pickle
import selectors
import subprocess
import sys
import traceback
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from fadeline.models.data.cache.block import write_block
from fadeline.models.data.clipset import ClipSet
from fadeline.models.errors import ClipError, ModelsError

Block = tuple[int, int]
"""First clip and the one after the last."""

# Workers share the cores among themselves already.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OPENCV_FOR_THREADS_NUM": "1",
}


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
    if workers == 1:
        yield from _write_here(clips, path, blocks)
        return
    job = _pickled(clips, path)
    started: list[_Worker] = []
    try:
        for _ in range(workers):
            started.append(_Worker(clips.name))
            started[-1].send((sys.path, job))
        yield from _share_out(blocks, started)
    finally:
        for worker in started:
            worker.end()


def _write_here(clips: ClipSet, path: Path, blocks: Sequence[Block]) -> Iterator[tuple[Block, str]]:
    with path.open("r+b") as file:
        for block in blocks:
            yield block, write_block(clips, file.fileno(), *block)


def _pickled(clips: ClipSet, path: Path) -> bytes:
    try:
        return pickle.dumps((clips, path))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ClipError(_not_sendable(clips.name, error)) from error


def _not_sendable(name: str, error: Exception) -> str:
    return (
        f"{name}: cannot be sent to a worker process ({error}); "
        "define its class in a module that can be imported, or use 1 worker"
    )


def _share_out(
    blocks: Sequence[Block], workers: "Sequence[_Worker]"
) -> Iterator[tuple[Block, str]]:
    """Give every worker one block at a time."""
    waiting = iter(blocks)
    with selectors.DefaultSelector() as selector:
        for worker, block in zip(workers, waiting, strict=False):
            worker.send(block)
            selector.register(worker.replies, selectors.EVENT_READ, worker)
        while selector.get_map():
            for key, _ in selector.select():
                worker = key.data
                yield worker.receive()
                if (following := next(waiting, None)) is None:
                    selector.unregister(worker.replies)
                else:
                    worker.send(following)


class _Worker:
    """One process that draws, seen from the one that asks."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            env=os.environ | ONE_THREAD,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._tasks: IO[bytes] = self._process.stdin
        self.replies: IO[bytes] = self._process.stdout

    def send(self, message: Any) -> None:
        try:
            pickle.dump(message, self._tasks)
            self._tasks.flush()
        except BrokenPipeError:
            raise self._lost() from None

    def receive(self) -> tuple[Block, str]:
        """Return a block and its digest, or raise what the worker met."""
        try:
            reply: tuple[Block, str] | Exception = pickle.load(self.replies)
        except EOFError:
            raise self._lost() from None
        if isinstance(reply, Exception):
            raise reply
        return reply

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._tasks, self.replies):
            with suppress(BrokenPipeError):  # what was not read is not wanted any more
                pipe.close()

    def _lost(self) -> ClipError:
        return ClipError(
            f"{self._name}: a worker process ended with status {self._process.wait()} while "
            "drawing (-9: killed, often for lack of memory); try again with fewer workers"
        )


def _work(tasks: IO[bytes], replies: IO[bytes]) -> None:
    """Draw what is asked for until the pipe is closed."""
    with suppress(EOFError, BrokenPipeError):
        search_path, job = pickle.load(tasks)
        sys.path.extend(folder for folder in search_path if folder not in sys.path)
        block = pickle.load(tasks)
        try:
            clips, path = pickle.loads(job)
        except Exception as error:
            replies.write(pickle.dumps(ClipError(_not_sendable("this data set", error))))
            return
        while True:
            replies.write(_drawn_or_error(clips, path, block))
            block = pickle.load(tasks)


def _drawn_or_error(clips: ClipSet, path: Path, block: Block) -> bytes:
    """Return a pickle of a block and its digest, or of the error met."""
    try:
        with path.open("r+b") as file:
            return pickle.dumps((block, write_block(clips, file.fileno(), *block)))
    except Exception as error:
        if not isinstance(error, ModelsError | OSError):
            error.add_note(f"in a worker process:\n{traceback.format_exc()}")
        return _error_bytes(error)


def _error_bytes(error: Exception) -> bytes:
    try:
        content = pickle.dumps(error)
        pickle.loads(content)  # some errors can be written but not read back
    except Exception:
        content = pickle.dumps(RuntimeError(f"in a worker process: {error!r}"))
    return content


if __name__ == "__main__":
    # What libraries print must not get between the replies.
    own_replies = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    _work(sys.stdin.buffer, own_replies)
