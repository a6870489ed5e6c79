"""Running a plan: every replication at every point, in any number of processes.

What a work item gives is kept as soon as it is there, so a run that was stopped goes on with the
items that are missing, and the order in which they end changes nothing.
"""

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pandas as pd

from fadeline.models.errors import ModelsError
from fadeline.models.processes import spread
from fadeline.simulator.analysis.curves import Judged, interval_draws
from fadeline.simulator.analysis.warmup import mser5_s
from fadeline.simulator.engine.records import table
from fadeline.simulator.engine.world import World, stations
from fadeline.simulator.errors import FadelineError, ScenarioWarning
from fadeline.simulator.experiment.parts import Parts
from fadeline.simulator.loading.plan import Plan, PlanPoint, WorkItem
from fadeline.simulator.scenario.deadlines import acted_deadlines_s
from fadeline.simulator.scenario.scenario import Scenario
from fadeline.simulator.schemes.prepare import prepared_schemes

if TYPE_CHECKING:
    import pyarrow as pa

BLOCK = 10
"""Replications between two decisions of `replications: auto`, so that how many processes there are
cannot change what is decided (our choice)."""

MOST_REPLICATIONS = 1000
"""Where `auto` gives up (our choice)."""

TASKS_PER_WORKER = 8
"""Tasks for each process at least, so that all end at about the same time (our choice)."""

Progress = Callable[[int, int], None]
Key = tuple[int, int]
Task = tuple[PlanPoint, list[int]]


def run_plan(
    plan: Plan,
    *,
    workers: int = 1,
    live: bool = False,
    parts: Parts | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Return a row for each clip and scheme: the content of `clips.parquet`.

    Args:
        plan: What to run.
        workers: Processes.
        live: Let the networks encode and answer every clip, instead of reading outcome tables.
        parts: What is done so far; what is there is not done again. Left out: nothing is kept.
        progress: Called with the work items done and planned.

    Raises:
        OutputError: If parts cannot be written.
        FadelineError: If outcomes are missing.
        WorkerError: If a process is killed.
    """
    target = plan.scenario.replications
    wanted = target if isinstance(target, int) else _blocks(target.auto.at_least)
    done: dict[Key, pa.Table] = {}
    while True:
        _do(plan, done, wanted, workers, live, parts, progress)
        rows = _rows(plan.scenario, [done[key] for key in sorted(done)])
        if isinstance(target, int):
            return rows
        unknown = _not_known_well_enough(plan.scenario, rows, wanted, target.auto.half_width)
        if not unknown:
            return rows
        if wanted >= MOST_REPLICATIONS:
            warnings.warn(
                f"replications: auto stops at {wanted} without intervals as narrow as "
                f"{target.auto.half_width:g}: {', '.join(unknown)}",
                ScenarioWarning,
                stacklevel=2,
            )
            return rows
        wanted += BLOCK


def _blocks(at_least: int) -> int:
    return -(-at_least // BLOCK) * BLOCK


def _do(
    plan: Plan,
    done: "dict[Key, pa.Table]",
    wanted: int,
    workers: int,
    live: bool,
    parts: Parts | None,
    progress: Progress | None,
) -> None:
    """Do the work items that are missing."""
    missing = []
    for item in plan.items(0, wanted):
        if item.key not in done:
            kept = None if parts is None else parts.read(item.key)
            if kept is None:
                missing.append(item)
            else:
                done[item.key] = kept
    tasks = _tasks(missing, workers)
    workers = max(1, min(workers, len(tasks)))
    total = len(missing) + len(done)
    for key, found in spread(
        _tables, tasks, shared=live, workers=workers, passed_on=(FadelineError, ModelsError)
    ):
        if parts is not None:
            parts.write(key, found)
        done[key] = found
        if progress is not None:
            progress(len(done), total)


def _tasks(missing: Sequence[WorkItem], workers: int) -> list[Task]:
    """Return work items put together, so that a point's schemes are not made ready too often."""
    most = max(1, math.ceil(len(missing) / (workers * TASKS_PER_WORKER)))
    tasks: list[Task] = []
    for _, items in groupby(missing, key=lambda item: item.point.number):
        here = list(items)
        for first in range(0, len(here), most):
            some = here[first : first + most]
            tasks.append((some[0].point, [item.replication for item in some]))
    return tasks


def _tables(live: bool, task: Task) -> "Iterator[tuple[Key, pa.Table]]":
    """Yield what becomes of all clips in each replication of a task."""
    import pyarrow as pa

    point, replications = task
    scenario = point.scenario
    schemes = prepared_schemes(scenario, live=live)
    for replication in replications:
        there = stations(scenario, replication)
        tables = []
        for scheme in schemes:
            for acted_s in acted_deadlines_s(scenario):
                world = World(scenario, scheme, there, acted_deadline_s=acted_s)
                columns: dict[str, Any] = {**point.columns, **world.run()}
                tables.append(table(columns))
        yield (point.number, replication), pa.concat_tables(tables)


def _rows(scenario: Scenario, tables: "Sequence[pa.Table]") -> pd.DataFrame:
    """Return all rows, counted from the end of the warm-up on."""
    import pyarrow as pa

    rows: pd.DataFrame = pa.concat_tables(tables).to_pandas()
    if isinstance(scenario.warmup_s, str):
        first_s = mser5_s(rows, scenario.duration_s, list(scenario.sweep))
        rows["counted"] &= rows["born_s"] >= first_s
    return rows


def _not_known_well_enough(
    scenario: Scenario, rows: pd.DataFrame, runs: int, half_width: float
) -> list[str]:
    """Return the schemes whose interval is too wide; it is while too few replications differ."""
    unknown: dict[str, None] = {}
    if not rows["counted"].any():
        return []  # which is said when the run is evaluated
    keys = [*scenario.sweep, "scheme"]
    for values, group in rows.groupby(keys, sort=False):
        judged = Judged.of(_at_deadline(group, scenario.report_at_s), runs)
        name = str(values[-1])
        rng = interval_draws(scenario.seed, name)
        estimate = judged.estimated(judged.right([scenario.report_at_s]), rng)
        if not (estimate.high - estimate.low)[0] <= 2.0 * half_width:
            agree = " (all replications agree)" if estimate.differing[0] == 0 else ""
            unknown[f"{name}{agree}"] = None
    return list(unknown)


def _at_deadline(rows: pd.DataFrame, deadline_s: float) -> pd.DataFrame:
    """Return the rows of the world in which a deadline was acted on, if any was."""
    if rows["acted_deadline_s"].isna().all():
        return rows
    return rows[rows["acted_deadline_s"] == deadline_s]
