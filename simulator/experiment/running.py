"""Running a scenario: every point of its sweep, every replication, in any number of processes.

A job is one replication at one point of the sweep, with all schemes. What it gives is a file of its
own in a folder of parts, complete or absent, so a run that was stopped goes on with the jobs that
are missing, and the order in which jobs end changes nothing.
"""

import json
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fadeline.models.measurement.outcomes import Outcomes
from fadeline.simulator.analysis.curves import Judged, interval_draws
from fadeline.simulator.analysis.warmup import mser5_s
from fadeline.simulator.engine.clock import SAME_S
from fadeline.simulator.engine.world import run_world, stations
from fadeline.simulator.errors import FadelineError, OutputError, ScenarioWarning
from fadeline.simulator.experiment.provenance import fingerprint
from fadeline.simulator.loading.load import at_point, plain_data, scenario_from_dict, sweep_points
from fadeline.simulator.output import complete_or_absent
from fadeline.simulator.scenario.scenario import Scenario
from fadeline.simulator.scenario.scheme import LearnedScheme, TableScheme, scheme_names
from fadeline.simulator.schemes.codec_table import read_codec_table
from fadeline.simulator.schemes.encode_times import encode_notes
from fadeline.simulator.schemes.outcome_tables import outcome_table
from fadeline.simulator.schemes.prepare import Handling, Live, handling
from fadeline.simulator.schemes.wanted import WantedTable, wanted_table, wanted_tables

BLOCK = 10
"""Replications between two decisions of `replications: auto`, so that how many processes there are
cannot change what is decided (our choice)."""

MOST_REPLICATIONS = 1000
"""Where `auto` gives up (our choice)."""

MOST_ACTED = 12
"""Deadlines that a component acting on them is simulated for, at most (our choice)."""

Progress = Callable[[int, int], None]


def run_scenario(
    scenario: Scenario,
    parts: Path,
    *,
    workers: int = 1,
    live: bool = False,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Return a row for each clip and scheme: the content of `clips.parquet`.

    Args:
        scenario: Checked scenario.
        parts: Folder of what is done so far; what is there is not done again.
        workers: Processes.
        live: Let the networks encode and answer every clip, instead of reading outcome tables.
        progress: Called with the jobs done and planned.

    Raises:
        OutputError: If the folder holds parts of another scenario, or cannot be written.
        FadelineError: If outcomes are missing.
    """
    points = len(sweep_points(scenario))
    _claim(parts, scenario, live=live)
    target = scenario.replications
    wanted = target if isinstance(target, int) else _blocks(target.auto.at_least)
    done: list[Path] = []
    while True:
        jobs = [(point, number) for point in range(points) for number in range(wanted)]
        done = _run(scenario, parts, jobs, workers, live, progress)
        rows = _counted(scenario, pd.concat([pd.read_parquet(path) for path in done]))
        if isinstance(target, int):
            return rows
        unknown = _not_known_well_enough(scenario, rows, wanted, target.auto.half_width)
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


def check_runnable(scenario: Scenario) -> list[str]:
    """Check that every point of a sweep can run; return notes on it.

    Which operating points stand for ratios and, without a sweep, how long devices encode.

    Raises:
        FadelineError: If outcomes are missing or unusable.
    """
    notes: dict[str, None] = {}
    for point in sweep_points(scenario):
        here = at_point(scenario, point)
        schemes = handlings(here)
        notes |= dict.fromkeys(scheme.note for scheme in schemes if scheme.note)
        if not scenario.sweep:
            notes |= dict.fromkeys(encode_notes(here, schemes))
    return list(notes)


def handlings(scenario: Scenario, *, live: bool = False) -> list[Handling]:
    """Return the schemes of a scenario, ready for the clock.

    Args:
        scenario: Without a sweep.
        live: Let the networks answer, not their tables.

    Raises:
        FadelineError: If outcomes are missing or unusable.
    """
    outcomes = _outcomes(scenario)
    networks = _networks(scenario) if live else None
    _refuse_other_clips(scenario, outcomes)
    found = []
    for scheme in scenario.schemes:
        ratios: Sequence[float | None] = (None,)
        if isinstance(scheme, LearnedScheme):
            ratio = scheme.ratio
            ratios = ratio if isinstance(ratio, tuple) else (ratio,)
        for name, ratio in zip(scheme_names(scheme), ratios, strict=True):
            found.append(handling(scheme, name, ratio, scenario.edge, outcomes, networks))
    return found


def reported_deadlines_s(scenario: Scenario) -> list[float]:
    """Return the deadlines of a scenario with that of the verdict, ascending."""
    report_at_s = scenario.report_at_s
    others = [at for at in scenario.deadline_values_s if abs(at - report_at_s) > SAME_S]
    return sorted([*others, report_at_s])


def _refuse_other_clips(scenario: Scenario, outcomes: Outcomes | None) -> None:
    """Check that all tables are of the same clips, so that all schemes meet the same ones."""
    sets: dict[str, set[int]] = {}
    if outcomes is not None:
        sets[scenario.clips.data] = {*outcomes.rows["data_index"].astype(int)}
    for scheme in scenario.schemes:
        if isinstance(scheme, TableScheme):
            sets[scheme.file] = {*read_codec_table(Path(scheme.file))["data_index"].astype(int)}
    first, *others = sets or [""]
    for other in others:
        if missing := sorted(sets[first] ^ sets[other]):
            some = ", ".join(map(str, missing[:5]))
            raise FadelineError(
                f"{other}: is not of the same clips as {first}: {len(missing)} are in one only "
                f"(data_index {some}{', ...' if len(missing) > 5 else ''})"
            )


def skipped_videos(scenario: Scenario) -> list[str]:
    """Return why videos were left out of the clips of any point of a sweep, a message each.

    Raises:
        FadelineError: If outcomes are missing or unusable.
    """
    tables = (_table(wanted) for wanted in wanted_tables(scenario))
    return [*dict.fromkeys(message for table in tables for message in table.skipped)]


def acted_deadlines_s(scenario: Scenario) -> list[float | None]:
    """Return the deadlines that are simulated one by one; a single None if nobody acts on them.

    All of them, or else evenly chosen ones and that of the verdict.
    """
    if not scenario.edge.queue.drop_expired:
        return [None]
    every = reported_deadlines_s(scenario)
    if len(every) <= MOST_ACTED:
        return list(every)
    chosen = np.linspace(0, len(every) - 1, MOST_ACTED - 1).round().astype(int)
    return sorted({scenario.report_at_s, *(every[number] for number in chosen)})


def _networks(scenario: Scenario) -> Live | None:
    """Return the networks of a scenario, if it has any."""
    wanted = wanted_table(scenario)
    if wanted is None:
        return None
    from fadeline.simulator.schemes.live import live_networks

    return live_networks(wanted)


def _outcomes(scenario: Scenario) -> Outcomes | None:
    wanted = wanted_table(scenario)
    return None if wanted is None else _table(wanted)


def _table(wanted: WantedTable) -> Outcomes:
    return outcome_table(wanted, otherwise="fadeline run measures it, which takes minutes")


def _blocks(at_least: int) -> int:
    return -(-at_least // BLOCK) * BLOCK


def _claim(parts: Path, scenario: Scenario, *, live: bool) -> None:
    """Let a folder be for the parts of one scenario only, all from tables or all from networks."""
    digest = fingerprint(scenario) + (" live" if live else "")
    claim = parts / "scenario.sha256"
    try:
        parts.mkdir(parents=True, exist_ok=True)
        if claim.exists():
            if claim.read_text(encoding="ascii") != digest:
                raise OutputError(
                    f"{parts}: holds parts of another scenario, or of other versions of its files; "
                    "use another folder, or --force"
                )
            return
    except OSError as error:
        raise OutputError(f"{parts}: cannot be used: {error.strerror}") from None
    with complete_or_absent(claim) as partial:
        partial.write_text(digest, encoding="ascii")


def _run(
    scenario: Scenario,
    parts: Path,
    jobs: Sequence[tuple[int, int]],
    workers: int,
    live: bool,
    progress: Progress | None,
) -> list[Path]:
    """Do the jobs whose parts are missing and return the parts of all, in the order of jobs."""
    paths = {job: parts / f"{job[0]:05d}-{job[1]:05d}.parquet" for job in jobs}
    missing = [job for job in jobs if not paths[job].exists()]
    count = len(jobs) - len(missing)
    text = json.dumps(plain_data(scenario))
    with _executed(workers if len(missing) > 1 else 1) as execute:
        known = fingerprint(scenario)
        for _ in execute([(text, known, job, live, paths[job]) for job in missing]):
            count += 1
            if progress is not None:
                progress(count, len(jobs))
    return list(paths.values())


@contextmanager
def _executed(workers: int) -> Iterator[Callable[[list[Any]], Iterator[None]]]:
    """Give a function that does jobs, here or in other processes, and yields as they end."""
    if workers == 1:
        yield lambda tasks: map(_do, tasks)
        return
    import multiprocessing

    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context)

    def execute(tasks: list[Any]) -> Iterator[None]:
        with _interrupts_held_back():  # the first task starts all processes
            futures = [pool.submit(_do, task) for task in tasks]
        return (future.result() for future in as_completed(futures))

    try:
        yield execute
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Hold Ctrl-C back for a moment; processes started in it never hear of any.

    So only the process that started the others does, and it is said once.
    """
    import signal

    if not hasattr(signal, "pthread_sigmask"):  # not on Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _do(task: tuple[str, str, tuple[int, int], bool, Path]) -> None:
    """Do one job and write its part."""
    text, known, (point, replication), live, path = task
    scenario, schemes, swept = _prepared(text, known, point, live)
    there = stations(scenario, replication)
    frames = []
    for scheme in schemes:
        for acted_s in acted_deadlines_s(scenario):
            columns = run_world(scenario, scheme, there, acted_deadline_s=acted_s)
            frame = pd.DataFrame(columns)
            frame.insert(0, "scheme", scheme.name)
            frame.insert(0, "replication", replication)
            frame.insert(0, "acted_deadline_s", np.nan if acted_s is None else acted_s)
            for place, (key, value) in enumerate(swept.items()):
                frame.insert(place, key, value)
            frames.append(frame)
    with complete_or_absent(path) as partial:
        pd.concat(frames).to_parquet(partial, index=False)


@lru_cache(maxsize=8)
def _prepared(
    text: str, _: str, point: int, live: bool
) -> tuple[Scenario, list[Handling], dict[str, Any]]:
    # A memo: what follows from the scenario and its files is the same for all its replications.
    scenario = scenario_from_dict(json.loads(text))
    swept = sweep_points(scenario)[point]
    here = at_point(scenario, swept)
    return here, handlings(here, live=live), _plain_columns(scenario, swept)


def _plain_columns(scenario: Scenario, swept: dict[str, Any]) -> dict[str, Any]:
    """Return swept values as a column can hold them: numbers if all of a path are, else text."""
    found = {}
    for path, value in swept.items():
        numbers = all(
            isinstance(each, int | float) and not isinstance(each, bool)
            for each in scenario.sweep[path]
        )
        text = value if isinstance(value, str) else json.dumps(value)
        found[path] = float(value) if numbers else text
    return found


def _counted(scenario: Scenario, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows in order, counted from the end of the warm-up on."""
    rows = rows.reset_index(drop=True)
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
