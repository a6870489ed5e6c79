"""Which line of a child, or which option, is behind a fault in what it inherits."""

import re
from typing import Any

from fadeline.simulator.documents.document import Document, Layer
from fadeline.simulator.errors import Path, Problem, dotted

DECIDING = ("fading", "rate", "mobility", "kind", "codec", "format", "profile", "file", "data")
"""Keys whose value decides which other keys are of use."""

_TIED = {"channel", "devices"}
"""What a cell says of its channel is for its devices, and the other way round."""


def traced(document: Document, path: Path, message: str) -> Problem:
    """Return the problem of a broken rule, placed where the user can put it right.

    The value at fault may be inherited, and right where it stands: then the line that broke the
    rule comes first, and the message ends with where the value comes from.

    Args:
        document: Where the rule is broken.
        path: Of the value at fault; it may be missing.
        message: What is wrong.
    """
    place, missing = document.place_of(path), not _holds(document.data, path)
    above = -1 if missing else giver(document, path)
    for layer in reversed(document.layers[above + 1 :]):
        if cause := _cause(layer, path, message):
            origin = "" if missing else document.places.get(path, "")
            ending = f"; {path[-1]} comes from {origin}" if origin else ""
            return Problem(cause, dotted(path), f"{message}{ending}")
    return Problem(place, dotted(path), message)


def giver(document: Document, path: Path) -> int:
    """Return the number of the last layer that gives a path; -1 for what lies below all layers.

    Example:
        >>> giver(Document({"a": 1}, {}, (Layer({("a",): "x.yaml:1"}),)), ("a",))
        0
    """
    numbers = [number for number, layer in enumerate(document.layers) if path in layer.places]
    return max(numbers, default=-1)


def decides(document: Document) -> bool:
    """Return whether any layer decides what is of use."""
    return any(part in DECIDING for la in document.layers for path in la.places for part in path)


def decided_anew(document: Document, path: Path) -> bool:
    """Return whether a later layer than that of a path decides what is of use beside it."""
    return any(
        part in DECIDING and (given[0] == path[0] or {given[0], path[0]} == _TIED)
        for layer in document.layers[giver(document, path) + 1 :]
        for given in layer.places
        for part in given
    )


def _cause(layer: Layer, path: Path, message: str) -> str:
    """Return the place in a layer that most likely broke a rule; empty if it has none."""
    if path in layer.places:  # removed there
        return layer.places[path]
    words = set(re.findall(r"\w+", message))
    near = [given for given in layer.places if given[0] == path[0] or len(given) == 1]
    named = [given for given in near if "_" in str(given[-1]) and given[-1] in words]
    deciding = [given for given in near if given[-1] in DECIDING and given[0] == path[0]]
    around = [given for given in layer.places if path[: len(given)] == given]
    for likely in (named, deciding, around):
        if likely:
            return layer.places[max(likely, key=lambda given: (_shared(given, path), -len(given)))]
    return layer.extends if set(layer.places) - {("name",)} else ""


def _shared(one: Path, other: Path) -> int:
    """Return how many parts two paths have in common at their beginning."""
    alike = [a == b for a, b in zip(one, other, strict=False)]
    return alike.index(False) if False in alike else len(alike)


def _holds(data: Any, path: Path) -> bool:
    for part in path:
        keys = data if isinstance(data, dict) else range(len(data) if isinstance(data, list) else 0)
        if part not in keys:
            return False
        data = data[part]
    return True
