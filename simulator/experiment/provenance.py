"""Where a run comes from: its scenario, files, tables, versions; its manifest."""

import hashlib
import json
import platform
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from fadeline.models.card import classifier_path
from fadeline.simulator.compute.profile import is_profile_file
from fadeline.simulator.loading.load import plain_data
from fadeline.simulator.loading.plan import Plan
from fadeline.simulator.scenario.fading import TraceFading
from fadeline.simulator.scenario.scenario import Scenario
from fadeline.simulator.scenario.scheme import CodecScheme, TableScheme
from fadeline.simulator.schemes.outcome_tables import table_path_of
from fadeline.simulator.schemes.prepare import measured_outcomes
from fadeline.simulator.schemes.wanted import wanted_tables


def fingerprint(plan: Plan, *, live: bool = False) -> str:
    """Return a hash of a plan, the files it reads, the version, and whether networks answer.

    The number of replications is left out: more of them are more of the same.
    """
    given = plan.scenario.model_dump(mode="json")
    given.pop("replications")
    known = {
        "scenario": given,
        "inputs": input_hashes(plan),
        "version": version("fadeline"),
        "live": live,
    }
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def manifest_of(
    plan: Plan, clips: pd.DataFrame, lines: Sequence[str], notes: Sequence[str], *, live: bool
) -> dict[str, Any]:
    """Return what a run says of itself: what it was of, and with what it was made.

    Args:
        plan: Of the run.
        clips: Its clips.
        lines: Its verdict.
        notes: What the user should know of its schemes.
        live: Whether the networks answered every clip.
    """
    scenario, resolved = plan.scenario, plain_data(plan.scenario)
    text = json.dumps(resolved, sort_keys=True)
    return {
        "scenario": resolved,
        "resolved": scenario.model_dump(mode="json"),
        "notes": list(notes),
        "scenario_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "seed": scenario.seed,
        "replications": int(clips["replication"].max()) + 1,
        "rows": len(clips),
        "live": live,
        "verdict": list(lines),
        "versions": dict(_versions()),
        "git_commit": _git_commit(),
        "inputs_sha256": input_hashes(plan),
        "skipped_videos": _skipped_videos(plan),
    }


def input_hashes(plan: Plan) -> dict[str, str]:
    """Return the SHA-256 of every file that a run reads, by name."""
    return {name: _sha256(path, path.stat().st_mtime_ns) for name, path in _files(plan)}


def _skipped_videos(plan: Plan) -> list[str]:
    """Return why videos were left out of the clips of any point of a sweep, a message each."""
    tables = (measured_outcomes(wanted) for wanted in wanted_tables(plan))
    return [*dict.fromkeys(message for table in tables for message in table.skipped)]


def _files(plan: Plan) -> Iterator[tuple[str, Path]]:
    scenario = plan.scenario
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
    for wanted in wanted_tables(plan):
        if (table := table_path_of(wanted)) is not None:
            yield table.name, table


def _network_files(scenario: Scenario) -> list[str]:
    """Return the files of splits and of weights that a scenario names, classifiers beside them."""
    clips = scenario.clips
    names = [name for name in (clips.splits, clips.classifier) if name is not None]
    for scheme in scenario.schemes:
        if isinstance(scheme, CodecScheme) and scheme.weights is not None:
            names += [scheme.weights, str(classifier_path(Path(scheme.weights)))]
    return names


@lru_cache(maxsize=64)
def _sha256(path: Path, _stamp_ns: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _versions() -> Iterator[tuple[str, str]]:
    yield "python", platform.python_version()
    for package in ("fadeline", "numpy", "scipy", "simpy", "pandas", "pyarrow"):
        yield package, version(package)


def _git_commit() -> str | None:
    """Return the commit of the source that runs, if it is a checkout."""
    if not (Path(__file__).resolve().parents[2] / ".git").exists():
        return None
    import subprocess

    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=Path(__file__).resolve().parent,
            capture_output=True, text=True, check=True, timeout=5,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()
