"""What the clips of a run say: tables of accuracy, differences, misses, stages, and a summary."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

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
from fadeline.simulator.loading.plan import Plan
from fadeline.simulator.scenario.deadlines import reported_deadlines_s
from fadeline.simulator.scenario.scenario import Scenario
from fadeline.simulator.scenario.scheme import codec_name, scheme_names
from fadeline.simulator.streams import Streams

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
    tables: dict[str, list[pd.DataFrame]] = {name: [] for name in TABLES}
    runs = replications_of(scenario, clips)
    Judged.of(clips, runs)  # says so if nothing at all is counted
    baselines = [baseline_of(point.scenario) for point in plan.points]
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
