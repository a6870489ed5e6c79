"""The command line, called in this process."""

import ast
import subprocess
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


LOADED = """
import sys
from fadeline.simulator.cli import main
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
