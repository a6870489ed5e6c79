"""Inherited values that a child's choice of another kind leaves no use for.

Whoever extends a scenario and chooses another fading does not want its speed, and need not know of
it. What the rules find to be of no use is dropped where it is inherited; what a child gives itself
is still refused.
"""

from collections.abc import Iterator

from pydantic import ValidationError

from fadeline.simulator.documents.document import Document
from fadeline.simulator.documents.messages import visible_path
from fadeline.simulator.documents.origins import decided_anew, decides, giver
from fadeline.simulator.documents.overrides import without
from fadeline.simulator.errors import Path, Unused
from fadeline.simulator.loading.rules import broken_rules
from fadeline.simulator.scenario.scenario import Scenario


def without_unused(document: Document) -> Document:
    """Return a document without what it inherits and has no use for.

    A value that something else needs then stays, for its fault to be reported.
    """
    if not decides(document):
        return document
    fitted, dropped = document, set[Path]()
    while unused := {path for path in _unused(fitted) if decided_anew(fitted, path)}:
        outermost = {
            path for path in unused if not any(path[:n] in unused for n in range(len(path)))
        }
        fitted = without(fitted, outermost)
        dropped |= outermost
    needed = {path for path, _ in _broken(fitted)} if dropped else set()
    return document if dropped & needed else fitted


def _unused(document: Document) -> Iterator[Path]:
    """Yield the path of each value without a use."""
    try:
        Scenario.model_validate(document.data)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            path = visible_path(document.data, detail["loc"])
            if detail["type"] == "extra_forbidden" and _of_another_kind(document, path):
                yield path
        return
    yield from (path for path, message in _broken(document) if isinstance(message, Unused))


def _of_another_kind(document: Document, path: Path) -> bool:
    """Return whether a later layer than that of a key says of what kind its mapping is."""
    kinds = [giver(document, (*path[:-1], key)) for key in ("kind", "codec")]
    return max(kinds) > giver(document, path)


def _broken(document: Document) -> Iterator[tuple[Path, str]]:
    try:
        scenario = Scenario.model_validate(document.data)
    except ValidationError:
        return
    for path, message in broken_rules(scenario):
        yield visible_path(document.data, path), message
