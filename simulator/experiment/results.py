"""The results of a run: what its clips say, and the folder that keeps it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fadeline.simulator.analysis.curves import (
    Judged,
    accuracy_rows,
    area_under,
    deadline_for,
    interval_draws,
    miss_rows,
    paired_rows,
    stage_means_s,
    summary,
)
from fadeline.simulator.errors import FadelineError
from fadeline.simulator.experiment.running import reported_deadlines_s
from fadeline.simulator.loading.load import at_point, sweep_points
from fadeline.simulator.output import complete_or_absent
from fadeline.simulator.scenario.scenario import Scenario
from fadeline.simulator.scenario.scheme import codec_name, scheme_names
from fadeline.simulator.streams import Streams

TARGETS = (0.5, 0.7, 0.8, 0.85, 0.9)
"""Accuracies whose deadlines `summary.csv` gives (our choice)."""

WHOLE_OR_NULL = ("data_index", "operating_point", "label", "predicted")
"""Columns of `clips.parquet` where -1 in memory is null in the file."""

CLIPS, MANIFEST, LINK = "clips.parquet", "manifest.json", "link.parquet"
TABLES = ("accuracy", "paired", "misses", "stages", "summary")
"""Tables of a run, each a CSV file of that name."""


@dataclass(frozen=True)
class Results:
    """What the clips of a run say.

    Every table starts with the columns of the sweep, then `scheme`.

    Attributes:
        accuracy: Accuracy and reliability at each deadline, with intervals.
        paired: Difference in accuracy to the baseline at each deadline.
        misses: Share of clips that miss each deadline, by stage.
        stages: Mean time in each stage, seconds.
        summary: Latencies, goodput, energy.
    """

    accuracy: pd.DataFrame
    paired: pd.DataFrame
    misses: pd.DataFrame
    stages: pd.DataFrame
    summary: pd.DataFrame


def evaluated(scenario: Scenario, clips: pd.DataFrame) -> Results:
    """Return what the clips of a run say.

    Args:
        scenario: Of the run.
        clips: A row for each clip and scheme.

    Raises:
        FadelineError: If no clip is counted.
    """
    deadlines_s = reported_deadlines_s(scenario)
    tables: dict[str, list[pd.DataFrame]] = {name: [] for name in TABLES}
    runs = replications_of(scenario, clips)
    Judged.of(clips, runs)  # says so if nothing at all is counted
    baselines = [baseline_of(at_point(scenario, point)) for point in sweep_points(scenario)]
    points = sweep_groups(clips, list(scenario.sweep))
    for (point, here), baseline in zip(points, baselines, strict=True):
        schemes = {str(name): rows for name, rows in here.groupby("scheme", sort=False)}
        for name, rows in schemes.items():
            about = {**point, "scheme": name}
            for acted_s, judged, theirs in _worlds(rows, schemes[baseline], runs):
                asked = deadlines_s if acted_s is None else [acted_s]
                accuracy = accuracy_rows(judged, asked, interval_draws(scenario.seed, name))
                tables["accuracy"].append(accuracy.assign(**about))
                tables["misses"].append(miss_rows(judged, asked).assign(**about))
                if name != baseline:
                    rng = Streams(scenario.seed).generator("difference", name)
                    paired = paired_rows(judged, theirs, asked, rng)
                    tables["paired"].append(paired.assign(**about, baseline=baseline))
                if acted_s in (None, scenario.report_at_s):
                    means = pd.DataFrame([stage_means_s(judged)])
                    tables["stages"].append(means.assign(**about))
                    row = summary(judged, scenario.report_at_s, _counted_s(scenario, judged))
                    tables["summary"].append(pd.DataFrame([row]).assign(**about))
    first = [*scenario.sweep, "scheme"]
    joined = {name: _joined(parts, first) for name, parts in tables.items()}
    joined["summary"] = _with_curves(joined["summary"], joined["accuracy"], first)
    return Results(**joined)


def baseline_of(scenario: Scenario) -> str:
    """Return the name of the scheme that differences are taken to: the first if none is named.

    A codec, or codec-streaming, stands for the first of its schemes.
    """
    called = [
        (name, codec_name(scheme), scheme.codec)
        for scheme in scenario.schemes
        for name in scheme_names(scheme)
    ]
    for way in range(3):
        for names in called:
            if names[way] == scenario.baseline:
                return names[0]
    return called[0][0]


def replications_of(scenario: Scenario, clips: pd.DataFrame) -> int:
    """Return how many replications a run had, those without a clip included."""
    given = scenario.replications
    return given if isinstance(given, int) else int(clips["replication"].max()) + 1


def sweep_groups(
    table: pd.DataFrame, swept: list[str]
) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """Yield each point of a sweep, in order, with its rows; a single empty one without a sweep."""
    if not swept:
        yield {}, table
        return
    for values, rows in table.groupby(swept, sort=False, dropna=False):
        yield dict(zip(swept, values, strict=True)), rows


def write_clips(clips: pd.DataFrame, folder: Path) -> None:
    """Write `clips.parquet`.

    Raises:
        OutputError: If it cannot be written.
    """
    stored = clips.copy(deep=False)
    for column in WHOLE_OR_NULL:
        stored[column] = clips[column].astype("Int64").mask(clips[column] < 0)
    with complete_or_absent(folder / CLIPS) as partial:
        stored.to_parquet(partial, index=False, compression="zstd")


def read_clips(folder: Path) -> pd.DataFrame:
    """Return the rows of `clips.parquet` as they were in memory.

    Raises:
        FadelineError: If there are none, or they cannot be read.
    """
    clips = _read(folder / CLIPS, pd.read_parquet)
    for column in WHOLE_OR_NULL:
        clips[column] = clips[column].fillna(-1).astype(np.int64)
    return clips


def write_results(results: Results, folder: Path) -> None:
    """Write every table as CSV.

    Raises:
        OutputError: If one cannot be written.
    """
    for name in TABLES:
        with complete_or_absent(folder / f"{name}.csv") as partial:
            getattr(results, name).to_csv(partial, index=False, float_format="%.9g")


def read_results(folder: Path) -> Results:
    """Return the tables of a run.

    Raises:
        FadelineError: If one is missing or cannot be read.
    """
    return Results(**{name: _read(folder / f"{name}.csv", _csv) for name in TABLES})


def write_manifest(manifest: dict[str, Any], folder: Path) -> None:
    """Write `manifest.json`, last of all: a folder that has it is complete.

    Raises:
        OutputError: If it cannot be written.
    """
    with complete_or_absent(folder / MANIFEST) as partial:
        partial.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a run.

    Raises:
        FadelineError: If there is none: the folder holds no run, or an unfinished one.
    """
    if not folder.is_dir():
        raise FadelineError(f"{folder}: no such folder; give that of a run")
    manifest: dict[str, Any] = _read(
        folder / MANIFEST, lambda path: json.loads(path.read_text(encoding="utf-8"))
    )
    return manifest


def _worlds(
    rows: pd.DataFrame, baseline: pd.DataFrame, runs: int
) -> Iterator[tuple[float | None, Judged, Judged]]:
    """Yield each acted deadline with the clips of a scheme and of the baseline in its world."""
    if rows["acted_deadline_s"].isna().all():
        yield None, Judged.of(rows, runs), Judged.of(baseline, runs)
        return
    theirs = dict(iter(baseline.groupby("acted_deadline_s")))
    for acted_s, mine in rows.groupby("acted_deadline_s"):
        yield float(acted_s), Judged.of(mine, runs), Judged.of(theirs[acted_s], runs)


def _counted_s(scenario: Scenario, judged: Judged) -> float:
    if isinstance(scenario.warmup_s, str):  # where MSER-5 cut, or the first birth after
        return scenario.duration_s - float(judged.rows["born_s"].min())
    return scenario.duration_s - scenario.warmup_s


def _joined(parts: list[pd.DataFrame], first: list[str]) -> pd.DataFrame:
    if not parts:
        return pd.DataFrame(columns=first)
    table = pd.concat(parts, ignore_index=True)
    return table[[*first, *(name for name in table.columns if name not in first)]]


def _with_curves(rows: pd.DataFrame, accuracy: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Add to each scheme's summary what its whole curve says."""
    found = []
    for values, curve in accuracy.groupby(keys, sort=False, dropna=False):
        found.append(
            dict(zip(keys, values, strict=True))
            | {f"deadline_for_{target:g}_s": deadline_for(curve, target) for target in TARGETS}
            | {"area_under_accuracy": area_under(curve)}
        )
    return rows.merge(pd.DataFrame(found), on=keys, how="left")


def _csv(path: Path) -> pd.DataFrame:
    # A scheme may be called "1" or "NA".
    text = {"scheme": str, "baseline": str}
    return pd.read_csv(path, dtype=text, keep_default_na=False, na_values=[""])


def _read(path: Path, read: Callable[[Path], Any]) -> Any:
    if not path.is_file():
        raise FadelineError(
            f"{path.parent}: has no {path.name}; it holds no finished run of this version"
        )
    try:
        return read(path)
    except (OSError, ValueError) as error:
        raise FadelineError(f"{path}: cannot be read: {error}") from None
