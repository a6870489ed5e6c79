"""Work spread over processes: replies, errors, killed workers, and where it may be asked from."""

import importlib
import multiprocessing
import os
import subprocess
import sys
import threading
from typing import Any

import pytest

from fadeline.models.errors import ClipError, WorkerError
from fadeline.models.processes import spread

TASKS = """
import os, signal
from fadeline.models.errors import ClipError
from fadeline.models.processes import spread

def squares(offset, number):
    yield number**2 + offset
    yield number

def failing(shared, number):
    if number == shared:
        raise ZeroDivisionError(f"at {number}")
    yield number

def refusing(_, number):
    raise ClipError(f"clip {number} is damaged")
    yield

class UnreadableError(Exception):
    # Can be written, but not read back: its constructor wants two arguments.
    def __init__(self, first, second):
        super().__init__(f"{first} and {second}")

def unreadable(_, number):
    raise UnreadableError("this", "that")
    yield

def killed(_, number):
    os.kill(os.getpid(), signal.SIGKILL)
    yield

def printing(_, number):
    print("between the replies")
    os.write(1, b"bytes as well")
    yield number

def in_a_daemon(_):
    return sorted(spread(squares, range(3), shared=0, workers=2))
"""


@pytest.fixture
def tasks(tmp_path, monkeypatch):
    """Return a module of functions that worker processes can import, too."""
    (tmp_path / "tasks_for_workers.py").write_text(TASKS)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("tasks_for_workers")
    del sys.modules["tasks_for_workers"]


@pytest.mark.parametrize("workers", [1, 2])
def test_every_task_is_replied_to(tasks, workers):
    found = [*spread(tasks.squares, range(7), shared=100, workers=workers)]
    expected = [reply for number in range(7) for reply in tasks.squares(100, number)]
    assert sorted(found) == sorted(expected)
    assert workers > 1 or found == expected


def test_no_tasks_are_no_replies(tasks):
    assert [*spread(tasks.squares, [], shared=0, workers=2)] == []


def test_an_error_comes_with_the_trace_of_its_process(tasks):
    with pytest.raises(ZeroDivisionError, match="at 3") as error:
        list(spread(tasks.failing, range(5), shared=3, workers=2))
    (note,) = error.value.__notes__
    assert note.startswith("in a worker process:\n")
    assert "in failing" in note


def test_an_error_that_speaks_for_itself_comes_alone(tasks):
    with pytest.raises(ClipError, match="clip 0 is damaged") as error:
        list(spread(tasks.refusing, [0], shared=None, workers=2, passed_on=(ClipError,)))
    assert not hasattr(error.value, "__notes__")


def test_an_error_that_cannot_be_sent_is_still_told(tasks):
    with pytest.raises(RuntimeError, match="in a worker process: UnreadableError"):
        list(spread(tasks.unreadable, [0], shared=None, workers=2))


def test_a_killed_worker_is_said_to_be_so(tasks):
    with pytest.raises(WorkerError, match=r"ended with status -9 .*fewer workers"):
        list(spread(tasks.killed, range(4), shared=None, workers=2))


def test_what_cannot_be_sent_says_what_to_do(tasks):
    with pytest.raises(WorkerError, match=r"cannot be sent to a worker process .*use 1 worker"):
        list(spread(lambda _, number: [number], range(2), shared=None, workers=2))
    with pytest.raises(WorkerError, match="cannot be sent to a worker process"):
        list(spread(tasks.squares, range(2), shared=threading.Lock(), workers=2))


def test_what_is_printed_does_not_get_between_the_replies(tasks, capfd):
    assert sorted(spread(tasks.printing, range(4), shared=None, workers=2)) == [0, 1, 2, 3]
    assert "between the replies" in capfd.readouterr().err


def test_whoever_stops_listening_leaves_no_process_behind(tasks):
    replies: Any = spread(tasks.squares, range(100), shared=0, workers=2)
    next(replies)
    children = _children()
    assert len(children) == 2
    replies.close()
    assert not _children() & children


def test_a_script_without_a_main_guard_works_from_standard_input():
    script = (
        "from fadeline.models.processes import spread\n"
        "print('once')\n"
        "print(sorted(spread(divmod, [3, 4], shared=10, workers=2)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-"], input=script, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "once\n[1, 2, 2, 3]\n"


def test_a_function_of_the_script_itself_is_refused_with_what_to_do():
    script = (
        "from fadeline.models.processes import spread\n"
        "def mine(shared, task):\n"
        "    yield task\n"
        "list(spread(mine, [1], shared=None, workers=2))\n"
    )
    done = subprocess.run(
        [sys.executable, "-"], input=script, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "WorkerError: cannot be sent to a worker process" in done.stderr
    assert "define its class in a module that can be imported, or use 1 worker" in done.stderr


def test_it_works_inside_a_daemonic_pool(tasks):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        (found,) = pool.map(tasks.in_a_daemon, [None])
    assert found == sorted(reply for number in range(3) for reply in tasks.squares(0, number))


def _children():
    """Return the processes that this one has started and not yet waited for."""
    status = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(os.getpid())], capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    lines = status.stdout.splitlines()
    return {line.split()[0] for line in lines if "fadeline.models.processes" in line}
