"""What a run depends on beside its scenario: files, tables, the version."""

import hashlib
import json
from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from fadeline.models.card import classifier_path
from fadeline.simulator.compute.profile import is_profile_file
from fadeline.simulator.scenario.channel import TraceFading
from fadeline.simulator.scenario.scenario import Scenario
from fadeline.simulator.scenario.scheme import LearnedScheme, TableScheme
from fadeline.simulator.schemes.outcome_tables import table_path_of
from fadeline.simulator.schemes.wanted import wanted_tables


def fingerprint(scenario: Scenario) -> str:
    """Return a hash of a scenario, the files it reads, and the version.

    The number of replications is left out: more of them are more of the same.
    """
    given = scenario.model_dump(mode="json")
    given.pop("replications")
    known = {"scenario": given, "inputs": input_hashes(scenario), "version": version("fadeline")}
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def input_hashes(scenario: Scenario) -> dict[str, str]:
    """Return the SHA-256 of every file that a run reads, by name."""
    return {name: _sha256(path, path.stat().st_mtime_ns) for name, path in _files(scenario)}


def _files(scenario: Scenario) -> Iterator[tuple[str, Path]]:
    names = [scheme.file for scheme in scenario.schemes if isinstance(scheme, TableScheme)]
    fadings = [scenario.channel.fading, *(group.fading for group in scenario.devices)]
    names += [fading.file for fading in fadings if isinstance(fading, TraceFading)]
    profiles = [scenario.edge.profile, *(group.profile for group in scenario.devices)]
    names += [profile for profile in profiles if is_profile_file(profile)]
    names += _network_files(scenario)
    for path, values in scenario.sweep.items():
        if path.rpartition(".")[2] in ("file", "profile", "splits", "classifier", "weights"):
            names += [str(value) for value in values]
    for name in dict.fromkeys(names):
        if (file := Path(name)).is_file():
            yield name, file
        elif file.is_dir():  # of split files
            yield from ((str(each), each) for each in sorted(file.glob("*.txt")))
    for wanted in wanted_tables(scenario):
        if (table := table_path_of(wanted)) is not None:
            yield table.name, table


def _network_files(scenario: Scenario) -> list[str]:
    """Return the files of splits and of weights that a scenario names, classifiers beside them."""
    clips = scenario.clips
    names = [name for name in (clips.splits, clips.classifier) if name is not None]
    for scheme in scenario.schemes:
        if isinstance(scheme, LearnedScheme) and scheme.weights is not None:
            names += [scheme.weights, str(classifier_path(Path(scheme.weights)))]
    return names


@lru_cache(maxsize=64)
def _sha256(path: Path, _stamp_ns: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
