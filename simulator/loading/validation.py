"""From a document to a scenario: types, ranges, and the rules between values."""

from pydantic import ValidationError

from fadeline.simulator.documents.document import Document
from fadeline.simulator.documents.messages import visible_path, worded
from fadeline.simulator.documents.origins import traced
from fadeline.simulator.errors import Path, Problem, dotted
from fadeline.simulator.loading.inherited import without_unused
from fadeline.simulator.loading.rules import broken_rules
from fadeline.simulator.scenario.scenario import Scenario


def validated(document: Document) -> tuple[Scenario | None, list[Problem]]:
    """Return a scenario, None if there can be none, and every fault found.

    What is inherited and of no use under another kind that was chosen is no fault: it is dropped.
    """
    scenario, problems = _checked(document)
    if problems and (fitted := without_unused(document)) is not document:
        return _checked(fitted)
    return scenario, problems


def _checked(document: Document) -> tuple[Scenario | None, list[Problem]]:
    try:
        scenario = Scenario.model_validate(document.data)
    except ValidationError as error:
        return None, [
            problem_at(document, path, message)
            for path, message in worded(error, document.data, model=Scenario)
        ]
    faults = dict.fromkeys(broken_rules(scenario))
    return scenario, [
        traced(document, visible_path(document.data, path), message) for path, message in faults
    ]


def problem_at(document: Document, path: Path, message: str) -> Problem:
    """Return a problem with a value, and where that was written."""
    return Problem(document.place_of(path), dotted(path), message)
