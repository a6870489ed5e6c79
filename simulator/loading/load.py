"""From a scenario's name, file or mapping to a checked `Scenario` and its `Plan`."""

import itertools
import warnings
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path as FilePath
from typing import Any

from fadeline.models.data.video.folder_name import moved
from fadeline.simulator.compute.profile import is_profile_file
from fadeline.simulator.documents.document import Document, is_file, parse_value, read_document
from fadeline.simulator.documents.messages import nearest
from fadeline.simulator.documents.overrides import merge, set_value
from fadeline.simulator.errors import Problem, ScenarioError, ScenarioWarning
from fadeline.simulator.loading.plan import Plan
from fadeline.simulator.loading.rules import scenario_warnings
from fadeline.simulator.loading.sweep import swept_points
from fadeline.simulator.loading.validation import validated
from fadeline.simulator.scenario.scenario import Scenario

Changes = Sequence[str] | Mapping[str, Any]
"""Values to set: texts such as "channel.mean_snr_db=5", or values by dotted path."""


def load_scenario(source: str | FilePath, *, set_values: Changes = ()) -> Scenario:
    """Return the scenario of a file or of a shipped name.

    Args:
        source: Path of a YAML file, or name of a shipped scenario such as "rayleigh".
        set_values: Changes such as "channel.mean_snr_db=5", or a mapping of dotted paths to values;
            applied in order and checked like the rest. The value null, or None, removes a key.

    Raises:
        ScenarioError: With every fault found: file, line, path, what was given, what is allowed.

    Example:
        >>> load_scenario("rayleigh", set_values=["channel.mean_snr_db=5"]).channel.mean_snr_db
        5.0
    """
    return load_plan(source, set_values=set_values).scenario


def load_plan(source: str | FilePath, *, set_values: Changes = ()) -> Plan:
    """Return the plan of a file or of a shipped name; see `load_scenario`.

    Example:
        >>> len(load_plan("paper-claim").points)
        20
    """
    return _planned(_changed(_read(_find(source)), set_values))


def plan_of(scenario: Scenario) -> Plan:
    """Return the plan of a checked scenario.

    Raises:
        ScenarioError: If a value of its sweep does not fit.
    """
    points, problems = swept_points(Document(plain_data(scenario)), scenario)
    if problems:
        raise ScenarioError(problems)
    return Plan(scenario, points)


def scenario_from_dict(data: Mapping[str, Any]) -> Scenario:
    """Return the scenario of a mapping with the same keys as a file.

    Raises:
        ScenarioError: As `load_scenario`, without lines.
    """
    return plan_from_dict(data).scenario


def plan_from_dict(data: Mapping[str, Any], *, set_values: Changes = ()) -> Plan:
    """Return the plan of a mapping with the same keys as a file.

    Raises:
        ScenarioError: As `load_scenario`, without lines.
    """
    return _planned(_changed(Document(dict(data)), set_values))


def plain_data(scenario: Scenario) -> dict[str, Any]:
    """Return a scenario as the mapping that gives it back: what was set, as JSON has it.

    A single group of devices is a mapping again if the sweep's paths take it for one.
    """
    data = scenario.model_dump(mode="json", exclude_unset=True)
    seconds = [path.split(".")[1] for path in scenario.sweep if path.startswith("devices.")]
    if any(second != "*" and not second.isdigit() for second in seconds):
        (data["devices"],) = data["devices"]
    return data


def plain_value(value: Any) -> Any:
    """Return a value of Python's as one of YAML's: lists, mappings, texts and numbers.

    Example:
        >>> import numpy as np
        >>> plain_value({"a": np.arange(2), "b": (1, 2.5)})
        {'a': [0, 1], 'b': [1, 2.5]}
    """
    if isinstance(value, Mapping):
        return {str(key): plain_value(part) for key, part in value.items()}
    if hasattr(value, "tolist"):  # arrays and numbers of numpy
        return value.tolist()
    if isinstance(value, list | tuple | range):
        return [plain_value(part) for part in value]
    return str(value) if isinstance(value, FilePath) else value


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


def _changed(document: Document, set_values: Changes) -> Document:
    if isinstance(set_values, Mapping):
        for path, value in set_values.items():
            given = {path: plain_value(value)}
            _resolve_files(given, FilePath.cwd())
            document = set_value(document, path, given[path], {(): f"set {path}"})
        return document
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


def _planned(document: Document) -> Plan:
    scenario, problems = validated(document)
    if scenario is None or problems:
        raise ScenarioError(problems)
    points, problems = swept_points(document, scenario)
    if problems:
        raise ScenarioError(problems)
    messages = (message for point in points for message in scenario_warnings(point.scenario))
    for message in dict.fromkeys(messages):
        warnings.warn(message, ScenarioWarning, stacklevel=4)
    return Plan(scenario, points)
