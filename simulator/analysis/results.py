"""What the clips of a run say: tables of accuracy, differences, misses, stages, and a summary."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fadeline.simulator.analysis.curves import (
    JUDGED_BY,
    Judged,
    Table,
    accuracy_rows,
    area_under,
    deadline_for,
    interval_draws,
    miss_rows,
    paired_rows,
    stage_means_s,
    summary,
)
from fadeline.simulator.engine.records import Columns
from fadeline.simulator.loading.plan import Plan
from fadeline.simulator.scenario.deadlines import reported_deadlines_s
from fadeline.simulator.scenario.scenario import Scenario
from fadeline.simulator.scenario.scheme import codec_name, scheme_names
from fadeline.simulator.streams import Streams

Floats = NDArray[np.float64]

TARGETS = (0.5, 0.7, 0.8, 0.85, 0.9)
"""Accuracies whose deadlines `summary.csv` gives (our choice)."""

TABLES = ("accuracy", "paired", "misses", "stages", "summary")
"""Tables of a run, by the names of the attributes of `Results`."""


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


def evaluated(plan: Plan, clips: pd.DataFrame) -> Results:
    """Return what the clips of a run say.

    Args:
        plan: Of the run.
        clips: A row for each clip and scheme.

    Raises:
        FadelineError: If no clip is counted.
    """
    scenario = plan.scenario
    deadlines_s = reported_deadlines_s(scenario)
    tables: dict[str, list[Table]] = {name: [] for name in TABLES}
    runs = replications_of(scenario, clips)
    Judged.of(clips, runs)  # says so if nothing at all is counted
    columns = {name: clips[name].to_numpy() for name in (*JUDGED_BY, "scheme", "acted_deadline_s")}
    baselines = [baseline_of(point.scenario) for point in plan.points]
    points = _points(clips, list(scenario.sweep))
    for (point, places), baseline in zip(points, baselines, strict=True):
        here = {name: values[places] for name, values in columns.items()}
        schemes = {str(name): here["scheme"] == name for name in dict.fromkeys(here["scheme"])}
        for acted_s, world in _worlds(here["acted_deadline_s"]):
            judged = {
                name: Judged.of(_rows(here, its & world), runs) for name, its in schemes.items()
            }
            asked = deadlines_s if acted_s is None else [acted_s]
            for name, mine in judged.items():
                about = {**point, "scheme": name}
                accuracy = accuracy_rows(mine, asked, interval_draws(scenario.seed, name))
                tables["accuracy"].append(about | accuracy)
                tables["misses"].append(about | miss_rows(mine, asked))
                if name != baseline:
                    rng = Streams(scenario.seed).generator("difference", name)
                    paired = paired_rows(mine, judged[baseline], asked, rng)
                    tables["paired"].append(about | paired | {"baseline": baseline})
                if acted_s in (None, scenario.report_at_s):
                    tables["stages"].append(about | stage_means_s(mine))
                    row = summary(mine, scenario.report_at_s, _counted_s(scenario, mine))
                    tables["summary"].append(about | row)
    first = [*scenario.sweep, "scheme"]
    joined = {name: _joined(parts, first) for name, parts in tables.items()}
    joined["summary"] = _with_curves(joined["summary"], joined["accuracy"], first)
    return Results(**joined)


def _points(
    clips: pd.DataFrame, swept: list[str]
) -> Iterator[tuple[dict[str, Any], NDArray[np.intp]]]:
    """Yield each point of a sweep, in order, with the places of its rows."""
    if not swept:
        yield {}, np.arange(len(clips))
        return
    groups = clips.groupby(swept, sort=False, dropna=False)
    numbers = groups.ngroup().to_numpy()
    order = np.argsort(numbers, kind="stable")
    firsts = np.flatnonzero(np.diff(numbers[order], prepend=-1))
    values = clips[swept].iloc[order[firsts]].itertuples(index=False, name=None)
    for point, places in zip(values, np.split(order, firsts[1:]), strict=True):
        yield dict(zip(swept, point, strict=True)), places


def _worlds(acted_deadline_s: Floats) -> Iterator[tuple[float | None, NDArray[np.bool_]]]:
    """Yield each acted deadline, None if nobody acts, and which rows are of its world."""
    if np.isnan(acted_deadline_s).all():
        yield None, np.ones(len(acted_deadline_s), dtype=np.bool_)
        return
    for acted_s in np.unique(acted_deadline_s):
        yield float(acted_s), acted_deadline_s == acted_s


def _rows(columns: Columns, chosen: NDArray[np.bool_]) -> Columns:
    return {name: columns[name][chosen] for name in JUDGED_BY}


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


def _counted_s(scenario: Scenario, judged: Judged) -> float:
    if isinstance(scenario.warmup_s, str):  # where MSER-5 cut, or the first birth after
        return scenario.duration_s - float(judged.rows["born_s"].min())
    return scenario.duration_s - scenario.warmup_s


def _joined(parts: list[Table], first: list[str]) -> pd.DataFrame:
    if not parts:
        return pd.DataFrame(columns=first)
    counts = [max((np.size(values) for values in part.values()), default=1) for part in parts]
    names = [*first, *(name for name in parts[0] if name not in first)]
    columns = {}
    for name in names:
        values = [part[name] for part in parts]
        if any(np.ndim(value) for value in values):
            columns[name] = np.concatenate(
                [np.broadcast_to(v, count) for v, count in zip(values, counts, strict=True)]
            )
        else:  # kept as they are, so that texts and whole numbers stay what they are
            columns[name] = pd.Series(values).repeat(counts).to_numpy()
    return pd.DataFrame(columns)


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
