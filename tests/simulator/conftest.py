"""The command line, called in this process."""

import ast
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest

from fadeline.simulator.cli.app import main


@dataclass(frozen=True)
class Answer:
    """What a command left behind: exit code, standard output and standard error."""

    code: int | str | None
    out: str
    err: str


@pytest.fixture
def fadeline(monkeypatch, capsys):
    """Return a function that runs the `fadeline` command in this process."""

    def command(*words):
        monkeypatch.setattr(sys, "argv", ["fadeline", *map(str, words)])
        with pytest.raises(SystemExit) as exit_:
            main()
        return Answer(exit_.value.code, *capsys.readouterr())

    return command


LOADED = """
import sys
from fadeline.simulator.cli.app import main
sys.argv = ["fadeline", *{words!r}]
try:
    main()
finally:
    print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)
"""


@pytest.fixture
def loaded():
    """Return a function that tells which of some modules a command loads: loaded(words, heavy)."""

    def among(words, heavy):
        code = LOADED.format(words=list(words), heavy=list(heavy))
        command = [sys.executable, "-c", code]
        result = subprocess.run(command, capture_output=True, text=True, check=True)
        return ast.literal_eval(result.stderr)

    return among


@pytest.fixture
def in_tmp(tmp_path, monkeypatch):
    """Run the test in an empty folder and return it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


SIDE = 16


class Flashes:
    """Two classes: a flash early or late in the clip, of random brightness."""

    classes = ("early", "late")
    shape = (8, SIDE, SIDE)

    def __init__(self, name, count, seed, draw):
        self.name = name
        self.version = f"{draw}"
        self.labels = np.arange(count) % 2
        self._seed = [seed, draw]

    def __len__(self):
        return len(self.labels)

    def clip(self, index):
        rng = np.random.default_rng([*self._seed, index])
        clip = np.full((*self.shape, 3), rng.integers(60), np.uint8)
        clip[rng.integers(0, 3) + 5 * self.labels[index]] = rng.integers(150, 256)
        return clip


SETS = {
    "flashes/train": (64, 0),
    "flashes/val": (40, 1),
    "flashes/test": (40, 2),
    "flashes/val@7": (40, 3),
    "videofolder:films#train": (64, 0),
    "videofolder:films#val": (40, 1),
}


@pytest.fixture
def flashes(monkeypatch, tmp_path):
    """Open flashes, whatever is asked for, with one thread and a cache of their own.

    Returns the names, splits and draws that are opened.
    """
    import torch

    from fadeline.models.data import opening
    from fadeline.models.errors import ClipError
    from fadeline.models.hardware import machine

    opened = []

    def open_flashes(name, *, frames=8, size=SIDE, splits=None, draw=1, **others):
        assert (frames, size) == (8, SIDE)
        assert others.get("sampling", "uniform") == "uniform"
        assert not others.get("skip_unreadable")
        opened.append((name, splits, draw))
        if name not in SETS:
            raise ClipError(f"{name}: no such data set")
        return Flashes(name, *SETS[name], draw)

    monkeypatch.setattr(opening, "open_clips", open_flashes)
    monkeypatch.setattr(machine, "usable_cores", lambda: 1)
    monkeypatch.setenv("FADELINE_CACHE", str(tmp_path / "cache"))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield opened
    torch.set_num_threads(threads)
