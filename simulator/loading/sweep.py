"""The points of a sweep: all combinations of swept values, each checked once."""

import itertools
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from fadeline.simulator.documents.document import Document
from fadeline.simulator.documents.overrides import set_value
from fadeline.simulator.errors import Problem, ScenarioError
from fadeline.simulator.loading.plan import PlanPoint
from fadeline.simulator.loading.validation import problem_at, validated
from fadeline.simulator.scenario.scenario import Scenario
from fadeline.simulator.scenario.scheme import CodecScheme, Scheme, codec_name, scheme_names

MAX_SWEEP_POINTS = 10_000
"""Most combinations of swept values (our choice): each is a run of its own."""


def swept_points(
    document: Document, scenario: Scenario
) -> tuple[tuple[PlanPoint, ...], list[Problem]]:
    """Return every point of a sweep, a single one without; or else the first problem found.

    Args:
        document: What the scenario was made of.
        scenario: Checked but for its sweep.
    """
    count = math.prod(map(len, scenario.sweep.values()))
    if count > MAX_SWEEP_POINTS:
        message = f"{count} combinations; the most allowed are {MAX_SWEEP_POINTS}"
        return (), [problem_at(document, ("sweep",), message)]
    problems = [
        problem_at(document, ("sweep", path), fault)
        for path, values in scenario.sweep.items()
        if (fault := _sweep_fault(path, values))
    ]
    if problems:
        return (), problems
    if not scenario.sweep:
        return (PlanPoint(0, {}, scenario, {}),), []
    base = Document({key: value for key, value in document.data.items() if key != "sweep"}, {})
    numeric = {path: all(map(_is_number, values)) for path, values in scenario.sweep.items()}
    points = []
    for number, swept in enumerate(_combinations(scenario)):
        changed, faults = _at_point(base, swept)
        if changed is None or faults:
            shown = ", ".join(f"{path}={value!r}" for path, value in swept.items())
            message = f"with {shown}: {faults[0].path}: {faults[0].message}"
            guilty = _guilty(faults[0].path, list(swept))
            return (), [problem_at(document, ("sweep", guilty), message)]
        named = changed.model_copy(update={"schemes": _without_ratio(changed, swept)})
        columns = {path: _plain(value, numeric[path]) for path, value in swept.items()}
        points.append(PlanPoint(number, swept, named, columns))
    return tuple(points), []


def _combinations(scenario: Scenario) -> list[dict[str, Any]]:
    paths = list(scenario.sweep)
    return [
        dict(zip(paths, values, strict=True))
        for values in itertools.product(*scenario.sweep.values())
    ]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _plain(value: Any, numeric: bool) -> float | str:
    if numeric:
        return float(value)
    return value if isinstance(value, str) else json.dumps(value)


def _without_ratio(scenario: Scenario, point: Mapping[str, Any]) -> tuple[Scheme, ...]:
    """Return the schemes, named by codec alone where their ratio is what is swept.

    So a scheme has one name all through the sweep.
    """
    named = []
    for number, scheme in enumerate(scenario.schemes):
        swept = any(f"schemes.{which}.ratio" in point for which in ("*", number))
        if swept and isinstance(scheme, CodecScheme) and scheme.name is None:
            scheme = scheme.model_copy(update={"name": codec_name(scheme)})
        named.append(scheme)
    names = [name for scheme in named for name in scheme_names(scheme)]
    return tuple(named) if len(set(names)) == len(names) else scenario.schemes


def _sweep_fault(path: str, values: Sequence[Any]) -> str | None:
    first = path.split(".")[0]
    if first in ("sweep", "extends", "name"):
        return "cannot be swept; sweep a value of the experiment"
    if first in (
        "replications",
        "duration_s",
        "warmup_s",
        "deadlines_s",
        "report_at_s",
        "baseline",
    ):
        return "cannot be swept; all points are simulated and judged alike"
    seen = set()
    for value in values:
        key = repr(value) if isinstance(value, dict | list) else value
        if key in seen:
            return f"gives {value!r} twice"
        seen.add(key)
    return None


def _at_point(base: Document, point: dict[str, Any]) -> tuple[Scenario | None, list[Problem]]:
    try:
        for path, value in point.items():
            base = set_value(base, path, value, {})
        return validated(base)
    except ScenarioError as error:
        return None, list(error.problems)


def _guilty(fault_path: str, swept: list[str]) -> str:
    """Return the swept path that shares the longest beginning with the path at fault."""

    def shared(path: str) -> int:
        pairs = zip(path.split("."), fault_path.split("."), strict=False)
        return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] in (pair[1], "*"), pairs))

    return max(swept, key=shared)
