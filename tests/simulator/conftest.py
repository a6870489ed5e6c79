"""The command line, called in this process."""

import sys
from dataclasses import dataclass

import pytest

from fadeline.simulator.cli import main


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


@pytest.fixture
def in_tmp(tmp_path, monkeypatch):
    """Run the test in an empty folder and return it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
