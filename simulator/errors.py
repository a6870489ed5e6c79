"""Errors that are the user's to fix: one message each, no traceback on the command line.

FadelineError
├── ScenarioError     a scenario file, or a value set on the command line, is wrong
├── OutputError       results cannot be written where they were asked for
└── NotBuiltError     a valid scenario asks for something this version does not do
"""

from collections.abc import Sequence
from dataclasses import dataclass

Path = tuple[str | int, ...]
"""Where a value stands in a scenario: keys and list positions from the top."""

Fault = tuple[Path, str]
"""What is wrong with a value: its path, and a message."""


class Unused(str):
    """Message on a value that nothing uses; one that is only inherited is dropped instead."""

    __slots__ = ()


class FadelineError(Exception):
    """Base of all errors with a message for the user; commands exit with 2."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a scenario.

    Attributes:
        place: File and line, or the command-line option, that the value came from.
        path: Dotted path of the value; empty where the file as a whole is meant.
        message: What was given, what is allowed, what to do.
    """

    place: str
    path: str
    message: str

    def __str__(self) -> str:
        """Return the problem on one line: place, path, message."""
        return ": ".join(part for part in (self.place, self.path, self.message) if part)


class ScenarioError(FadelineError):
    """A scenario is wrong; `problems` has every fault found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


class ScenarioWarning(UserWarning):
    """A scenario is allowed but rarely meant as it is."""


class OutputError(FadelineError):
    """An output folder or file cannot be used."""


class NotBuiltError(FadelineError):
    """A valid scenario asks for something this version does not do yet."""


def dotted(path: Path) -> str:
    """Return a path as the user writes it.

    Example:
        >>> dotted(("devices", 0, "count"))
        'devices.0.count'
    """
    return ".".join(map(str, path))
