"""Work spread over processes, from wherever it is asked: a script, a notebook, a thread, a pool.

Fresh interpreters with a pipe to each. A fork of a process in which PyTorch or OpenCV have threads
can hang, and `multiprocessing` runs the user's script again in every process, which a script
without a main guard does not survive. A worker whose parent is gone, also by a kill, finds its pipe
closed and ends. It is in a session of its own, so Ctrl-C reaches the parent alone, which ends it.
"""

import os
import pickle
import selectors
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import IO, Any, TypeVar

from fadeline.models.errors import WorkerError

Task = TypeVar("Task")
Reply = TypeVar("Reply")

# Workers share the cores among themselves already.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OPENCV_FOR_THREADS_NUM": "1",
}


SIZE_BYTES = 8
"""Of the number that says how long a reply is (our choice)."""


def spread(
    call: Callable[[Any, Task], Iterable[Reply]],
    tasks: Iterable[Task],
    *,
    shared: Any,
    workers: int,
    passed_on: tuple[type[Exception], ...] = (),
) -> Iterator[Reply]:
    """Do tasks in several processes; yield their replies as they come, in any order.

    Args:
        call: From what is shared and a task to its replies; a function of a module.
        tasks: One after the other, each to the next process that is free.
        shared: Sent to every process once.
        workers: Number of processes; 1 does all here, in order.
        passed_on: Errors that speak for themselves, without the trace of the process.

    Raises:
        WorkerError: If something cannot be sent to a process, or one is killed.
        Exception: Whatever `call` raises.
    """
    if workers == 1:
        for task in tasks:
            yield from call(shared, task)
        return
    job = _pickled((call, shared, passed_on))
    started: list[_Worker] = []
    try:
        for _ in range(workers):
            started.append(_Worker())
            started[-1].send((sys.path, job))
        yield from _shared_out(tasks, started)
    finally:
        for worker in started:
            worker.end()


def _pickled(job: Any) -> bytes:
    try:
        return pickle.dumps(job)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise WorkerError(_not_sendable(error)) from error


def _not_sendable(error: Exception) -> str:
    return (
        f"cannot be sent to a worker process ({error}); "
        "define its class in a module that can be imported, or use 1 worker"
    )


def _shared_out(tasks: Iterable[Any], workers: "Sequence[_Worker]") -> Iterator[Any]:
    """Give every worker one task at a time."""
    waiting = iter(tasks)
    with selectors.DefaultSelector() as selector:
        for worker, task in zip(workers, waiting, strict=False):
            worker.send(_pickled(task))
            selector.register(worker.replies, selectors.EVENT_READ, worker)
        while selector.get_map():
            for key, _ in selector.select():
                worker = key.data
                kind, reply = worker.receive()
                if kind == "reply":
                    yield reply
                elif (following := next(waiting, None)) is None:
                    selector.unregister(worker.replies)
                else:
                    worker.send(_pickled(following))


class _Worker:
    """One process, seen from the one that asks."""

    def __init__(self) -> None:
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

    def receive(self) -> tuple[str, Any]:
        """Return a reply, or that the task is done, or raise what the worker met."""
        # Nothing is read ahead: what waits in a buffer is not seen by a selector.
        size = int.from_bytes(self._read(SIZE_BYTES), "little")
        kind, reply = pickle.loads(self._read(size))
        if kind == "error":
            raise reply
        return kind, reply

    def _read(self, count: int) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            part = os.read(self.replies.fileno(), min(count - len(parts), 1 << 20))
            if not part:
                raise self._lost()
            parts += part
        return bytes(parts)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._tasks, self.replies):
            with suppress(BrokenPipeError):  # what was not read is not wanted any more
                pipe.close()

    def _lost(self) -> WorkerError:
        return WorkerError(
            f"a worker process ended with status {self._process.wait()} "
            "(-9: killed, often for lack of memory); try again with fewer workers"
        )


def _work(tasks: IO[bytes], replies: IO[bytes]) -> None:
    """Do what is asked for until the pipe is closed."""
    with suppress(EOFError, BrokenPipeError):
        search_path, job = pickle.load(tasks)
        sys.path.extend(folder for folder in search_path if folder not in sys.path)
        task = pickle.load(tasks)
        try:
            call, shared, passed_on = pickle.loads(job)
        except Exception as error:
            _reply(replies, _message("error", WorkerError(_not_sendable(error))))
            return
        while True:
            try:
                for reply in call(shared, pickle.loads(task)):
                    _reply(replies, _message("reply", reply))
                _reply(replies, _message("done", None))
            except BrokenPipeError:
                raise
            except Exception as error:
                if not isinstance(error, passed_on):
                    error.add_note(f"in a worker process:\n{traceback.format_exc()}")
                _reply(replies, _error_message(error))
            task = pickle.load(tasks)


def _reply(replies: IO[bytes], message: bytes) -> None:
    replies.write(len(message).to_bytes(SIZE_BYTES, "little"))
    replies.write(message)
    replies.flush()


def _message(kind: str, content: Any) -> bytes:
    return pickle.dumps((kind, content))


def _error_message(error: Exception) -> bytes:
    try:
        message = _message("error", error)
        pickle.loads(message)  # some errors can be written but not read back
    except Exception:
        message = _message("error", RuntimeError(f"in a worker process: {error!r}"))
    return message


if __name__ == "__main__":
    # What libraries print must not get between the replies.
    own_replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _work(sys.stdin.buffer, own_replies)
