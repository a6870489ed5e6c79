"""From a scenario's name, file or mapping to a checked `Scenario`."""

import itertools
import math
import warnings
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from fadeline.models.data.video.folder_name import moved
from fadeline.simulator.compute.profile import is_profile_file
from fadeline.simulator.documents.document import Document, is_file, parse_value, read_document
from fadeline.simulator.documents.messages import nearest, visible_path, worded
from fadeline.simulator.documents.origins import traced
from fadeline.simulator.documents.overrides import merge, set_value
from fadeline.simulator.errors import Path, Problem, ScenarioError, ScenarioWarning, dotted
from fadeline.simulator.loading.inherited import without_unused
from fadeline.simulator.loading.rules import broken_rules, scenario_warnings
from fadeline.simulator.scenario.scenario import Scenario
from fadeline.simulator.scenario.scheme import LearnedScheme, Scheme, codec_name, scheme_names

MAX_SWEEP_POINTS = 10_000
"""Most combinations of swept values (our choice): each is a run of its own."""


def load_scenario(source: str | FilePath, *, set_values: Sequence[str] = ()) -> Scenario:
    """Return the scenario of a file or of a shipped name.

    Args:
        source: Path of a YAML file, or name of a shipped scenario such as "rayleigh".
        set_values: Changes such as "channel.mean_snr_db=5", applied in order and checked like the
            rest; the value null removes a key.

    Raises:
        ScenarioError: With every fault found: file, line, path, what was given, what is allowed.

    Example:
        >>> load_scenario("rayleigh", set_values=["channel.mean_snr_db=5"]).channel.mean_snr_db
        5.0
    """
    return _checked(_changed(_read(_find(source)), set_values))


def scenario_from_dict(data: Mapping[str, Any]) -> Scenario:
    """Return the scenario of a mapping with the same keys as a file.

    Raises:
        ScenarioError: As `load_scenario`, without lines.
    """
    return _checked(Document(dict(data)))


def sweep_points(scenario: Scenario) -> list[dict[str, Any]]:
    """Return all combinations of swept values, each by dotted path; one empty without a sweep.

    Example:
        >>> len(sweep_points(load_scenario("rayleigh")))
        1
    """
    paths = list(scenario.sweep)
    return [
        dict(zip(paths, values, strict=True))
        for values in itertools.product(*scenario.sweep.values())
    ]


def at_point(scenario: Scenario, point: Mapping[str, Any]) -> Scenario:
    """Return a scenario with swept values set and nothing left to sweep.

    Args:
        scenario: With or without a sweep.
        point: Values by dotted path, as in `sweep_points`.

    Raises:
        ScenarioError: If a value does not fit.
    """
    data = plain_data(scenario)
    data.pop("sweep", None)
    changed, problems = _at_point(Document(data), dict(point))
    if changed is None or problems:
        raise ScenarioError(problems)
    return changed.model_copy(update={"schemes": _without_ratio(changed, point)})


def _without_ratio(scenario: Scenario, point: Mapping[str, Any]) -> tuple[Scheme, ...]:
    """Return the schemes, named by codec alone where their ratio is what is swept.

    So a scheme has one name all through the sweep.
    """
    named = []
    for number, scheme in enumerate(scenario.schemes):
        swept = any(f"schemes.{which}.ratio" in point for which in ("*", number))
        if swept and isinstance(scheme, LearnedScheme) and scheme.name is None:
            scheme = scheme.model_copy(update={"name": codec_name(scheme)})
        named.append(scheme)
    names = [name for scheme in named for name in scheme_names(scheme)]
    return tuple(named) if len(set(names)) == len(names) else scenario.schemes


def plain_data(scenario: Scenario) -> dict[str, Any]:
    """Return a scenario as the mapping that gives it back: what was set, as JSON has it.

    A single group of devices is a mapping again if the sweep's paths take it for one.
    """
    data = scenario.model_dump(mode="json", exclude_unset=True)
    seconds = [path.split(".")[1] for path in scenario.sweep if path.startswith("devices.")]
    if any(second != "*" and not second.isdigit() for second in seconds):
        (data["devices"],) = data["devices"]
    return data


def shipped_names() -> list[str]:
    """Return the names of the scenarios in the package."""
    folder = files("fadeline.scenarios")
    return sorted(
        item.name.removesuffix(".yaml") for item in folder.iterdir() if item.name.endswith(".yaml")
    )


def shipped_summaries() -> list[tuple[str, str]]:
    """Return name and first comment of each scenario in the package."""
    folder = files("fadeline.scenarios")
    summaries = []
    for name in shipped_names():
        lines = (folder / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
        comment = itertools.takewhile(lambda line: line.startswith("#"), lines)
        summaries.append((name, " ".join(line.lstrip("# ") for line in comment)))
    return summaries


def _find(source: str | FilePath) -> FilePath:
    path = FilePath(source)
    return path if isinstance(source, FilePath) or is_file(path) else _shipped(source) or path


def _shipped(name: str, place: str = "", path: str = "") -> FilePath | None:
    """Return the file of a shipped scenario; None if the name is rather that of a file."""
    if FilePath(name).name != name or FilePath(name).suffix:
        return None
    shipped = shipped_names()
    if name in shipped:
        return FilePath(str(files("fadeline.scenarios") / f"{name}.yaml"))
    message = (
        f"no scenario named {name}{nearest(name, shipped)}; shipped are {', '.join(shipped)}; "
        "or give the path of a YAML file"
    )
    raise ScenarioError([Problem(place, path, message)])


def _read(file: FilePath, above: tuple[FilePath, ...] = ()) -> Document:
    document = read_document(file)
    _resolve_files(document.data, file.parent)
    if "extends" not in document.data:
        return document
    parent_name = document.data.pop("extends")
    place = document.places.pop(("extends",))
    parent = _parent(parent_name, place, file)
    chain = (*above, file.resolve())
    if parent.resolve() in chain:
        raise ScenarioError([Problem(place, "extends", f"{parent_name} extends this file in turn")])
    return merge(_read(parent, chain), document, extends=place)


def _parent(name: Any, place: str, file: FilePath) -> FilePath:
    if not isinstance(name, str) or not name:
        raise ScenarioError(
            [Problem(place, "extends", "must be a shipped scenario's name or a YAML file's path")]
        )
    beside = file.parent / name
    parent = beside if is_file(beside) else _shipped(name, place, "extends")
    if parent is None:
        raise ScenarioError([Problem(place, "extends", f"no such file: {beside}")])
    return parent


def _resolve_files(data: Any, folder: FilePath) -> None:
    """Make every file, swept ones too, relative to the folder of the YAML that names it."""
    if isinstance(data, list):
        for item in data:
            _resolve_files(item, folder)
    if isinstance(data, dict):
        for key, value in data.items():
            data[key] = _located(key, value, folder)
            _resolve_files(data[key], folder)


def _located(key: str, value: Any, folder: FilePath) -> Any:
    """Return the value of a key, made relative to a folder if it names a file or several."""
    last = key.rpartition(".")[2]
    if last not in ("file", "profile", "data", "splits", "weights", "classifier"):
        return value
    if isinstance(value, list):
        return [_located(last, item, folder) for item in value]
    if not isinstance(value, str):
        return value
    if last == "data":
        return moved(value, folder)
    named = {"profile": is_profile_file(value), "classifier": value.endswith(".safetensors")}
    names_file = value and named.get(last, True)
    return str((folder / FilePath(value).expanduser()).absolute()) if names_file else value


def _changed(document: Document, set_values: Sequence[str]) -> Document:
    for assignment in set_values:
        path, equals, text = assignment.partition("=")
        if not equals or not path:
            raise ScenarioError(
                [Problem(f"--set {assignment}", "", "must look like channel.mean_snr_db=5")]
            )
        value, places = parse_value(text, f"--set {path}")
        given = {path.strip(): value}
        _resolve_files(given, FilePath.cwd())
        document = set_value(document, path.strip(), given[path.strip()], places)
    return document


def _checked(document: Document) -> Scenario:
    document = without_unused(document)
    scenario, problems = _validate(document)
    if scenario is None or problems:
        raise ScenarioError(problems)
    points, problems = _swept(document, scenario)
    if problems:
        raise ScenarioError(problems)
    for message in dict.fromkeys(m for each in points for m in scenario_warnings(each)):
        warnings.warn(message, ScenarioWarning, stacklevel=3)
    return scenario


def _validate(document: Document) -> tuple[Scenario | None, list[Problem]]:
    try:
        scenario = Scenario.model_validate(document.data)
    except ValidationError as error:
        return None, [
            _problem(document, path, message)
            for path, message in worded(error, document.data, model=Scenario)
        ]
    faults = dict.fromkeys(broken_rules(scenario))
    return scenario, [
        traced(document, visible_path(document.data, path), message) for path, message in faults
    ]


def _problem(document: Document, path: Path, message: str) -> Problem:
    return Problem(document.place_of(path), dotted(path), message)


def _swept(document: Document, scenario: Scenario) -> tuple[list[Scenario], list[Problem]]:
    """Return the scenario of each point of the sweep, or the first problem found."""
    count = math.prod(map(len, scenario.sweep.values()))
    if count > MAX_SWEEP_POINTS:
        message = f"{count} combinations; the most allowed are {MAX_SWEEP_POINTS}"
        return [], [_problem(document, ("sweep",), message)]
    problems = [
        _problem(document, ("sweep", path), fault)
        for path, values in scenario.sweep.items()
        if (fault := _sweep_fault(path, values))
    ]
    if problems or not scenario.sweep:
        return [scenario], problems
    base = Document({key: value for key, value in document.data.items() if key != "sweep"}, {})
    scenarios = []
    for point in sweep_points(scenario):
        changed, faults = _at_point(base, point)
        if changed is None or faults:
            shown = ", ".join(f"{path}={value!r}" for path, value in point.items())
            message = f"with {shown}: {faults[0].path}: {faults[0].message}"
            guilty = _guilty(faults[0].path, list(point))
            return [], [_problem(document, ("sweep", guilty), message)]
        scenarios.append(changed)
    return scenarios, []


_SHARED = ("replications", "duration_s", "warmup_s", "deadlines_s", "report_at_s", "baseline")
"""What all points of a sweep have in common."""


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
        return _validate(without_unused(base))
    except ScenarioError as error:
        return None, list(error.problems)


def _guilty(fault_path: str, swept: list[str]) -> str:
    """Return the swept path that shares the longest beginning with the path at fault."""

    def shared(path: str) -> int:
        pairs = zip(path.split("."), fault_path.split("."), strict=False)
        return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] in (pair[1], "*"), pairs))

    return max(swept, key=shared)
