"""A run from its scenario to a finished folder, and back to its figures."""

import hashlib
import json
import platform
import shutil
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fadeline.simulator.analysis.closed_form import closed_form
from fadeline.simulator.analysis.verdict import verdict
from fadeline.simulator.engine.clock import SAME_S
from fadeline.simulator.errors import OutputError
from fadeline.simulator.experiment.provenance import input_hashes
from fadeline.simulator.experiment.results import (
    CLIPS,
    LINK,
    MANIFEST,
    TABLES,
    Results,
    evaluated,
    read_clips,
    read_manifest,
    read_results,
    write_clips,
    write_manifest,
    write_results,
)
from fadeline.simulator.experiment.running import (
    Progress,
    check_runnable,
    handlings,
    run_scenario,
    skipped_videos,
)
from fadeline.simulator.figures.channel import save_figure
from fadeline.simulator.figures.report import report_page
from fadeline.simulator.figures.run import (
    BANDS,
    accuracy_figure,
    heat_figure,
    misses_figure,
    stages_figure,
    sweep_figure,
)
from fadeline.simulator.links.traces import device_trace
from fadeline.simulator.loading.load import at_point, plain_data, scenario_from_dict, sweep_points
from fadeline.simulator.output import complete_or_absent, prepare_work
from fadeline.simulator.scenario.scenario import Scenario
from fadeline.simulator.streams import Streams

THEORY = "theory.csv"
"""The curves in closed form, where there are any."""

PARTS = "parts"
"""Folder, in that of a run, of what is done so far; gone when the run is finished."""

_OURS = (
    MANIFEST, CLIPS, LINK, THEORY, "report.html", *(f"{name}.csv" for name in TABLES),
    *(f"{stem}*.{suffix}" for stem in ("accuracy", "stages", "misses", "sweep")
      for suffix in ("png", "svg")),
)  # fmt: skip

_EXCERPT_STEPS = 2000  # of each device group's first link, kept in `link.parquet`


def run_into(
    scenario: Scenario,
    folder: Path,
    *,
    workers: int,
    live: bool = False,
    progress: Progress | None = None,
) -> list[str]:
    """Run a scenario and leave everything in a folder; return the verdict.

    Args:
        scenario: Checked scenario.
        folder: Made; parts of the same run that are there are not done again.
        workers: Processes.
        live: Let the networks encode and answer every clip.
        progress: Called with the jobs done and planned.

    Raises:
        OutputError: If the folder cannot be written, or holds parts of another run.
        FadelineError: If outcomes are missing, or no clip is counted.
    """
    began_s = time.perf_counter()
    clips = run_scenario(scenario, folder / PARTS, workers=workers, live=live, progress=progress)
    results = evaluated(scenario, clips)
    theory = None if scenario.sweep else closed_form(scenario, handlings(scenario))
    if theory is not None:
        with complete_or_absent(folder / THEORY) as partial:
            theory.to_csv(partial, index=False, float_format="%.9g")
    write_clips(clips, folder)
    write_results(results, folder)
    with complete_or_absent(folder / LINK) as partial:
        link_excerpt(scenario).to_parquet(partial, index=False)
    results = read_results(folder)  # so that everything said and drawn follows from the files
    lines = verdict(scenario, results)
    figures = draw(scenario, results, folder)
    manifest = _manifest(scenario, clips, lines, time.perf_counter() - began_s, live=live)
    with complete_or_absent(folder / "report.html") as partial:
        partial.write_text(report_page(scenario, results, lines, figures), encoding="utf-8")
    write_manifest(manifest, folder)
    shutil.rmtree(folder / PARTS, ignore_errors=True)
    return lines


def prepare_run(folder: Path, *, resume: bool, force: bool) -> None:
    """Make the folder of a run, or accept one to go on with.

    Raises:
        OutputError: If it holds something, and neither `resume` nor `force` says what to do.
    """
    prepare_work(folder, parts=PARTS, result=MANIFEST, resume=resume, force=force)
    if resume and not force:
        return
    try:
        for pattern in _OURS:  # none may be left that the new run does not write
            for path in folder.glob(pattern):
                path.unlink()
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written over: {error.strerror}") from None


def redraw(folder: Path) -> list[Path]:
    """Draw the figures of a finished run again, from its tables; return their paths.

    Raises:
        FadelineError: If the folder holds no finished run.
    """
    manifest = read_manifest(folder)
    scenario = Scenario.model_validate(manifest["scenario"])  # its files may be gone by now
    results = read_results(folder)
    figures = draw(scenario, results, folder)
    with complete_or_absent(folder / "report.html") as partial:
        partial.write_text(
            report_page(scenario, results, verdict(scenario, results), figures), encoding="utf-8"
        )
    return figures


def difference_on_rerun(folder: Path, scratch: Path, *, workers: int) -> str | None:
    """Run a finished run again and return the first difference in its clips, None if there is none.

    Raises:
        FadelineError: If the folder holds no finished run.
    """
    manifest = read_manifest(folder)
    before = read_clips(folder)
    scenario = scenario_from_dict(manifest["scenario"])
    live = manifest.get("live", False)  # runs of older versions do not say
    again = run_scenario(scenario, scratch, workers=workers, live=live)
    if len(before) != len(again):
        return f"{len(before)} rows then, {len(again)} now"
    for column in before:
        if column not in again:
            return f"column {column} is gone"
        then, now = before[column].to_numpy(), again[column].to_numpy()
        same = (then == now) | (pd.isna(then) & pd.isna(now))
        if not same.all():
            row = int(np.argmin(same))
            return f"row {row}, {column}: {then[row]} then, {now[row]} now"
    return None


def draw(scenario: Scenario, results: Results, folder: Path) -> list[Path]:
    """Draw the figures of a run and return their paths."""
    paths: list[Path] = []
    swept = list(scenario.sweep)
    about = f"{scenario.name}: mean of {int(results.accuracy['replications'].max())} replications"
    if not swept:
        theory = pd.read_csv(folder / THEORY) if (folder / THEORY).exists() else None
        figures = {
            "accuracy": accuracy_figure(
                results.accuracy, f"{about}; {BANDS}", scenario.report_at_s, theory
            ),
            "stages": stages_figure(
                results.stages,
                f"{scenario.name}: where the time goes",
                1.5 * max(scenario.deadline_values_s),
            ),
        }
        if results.misses["deadline_s"].nunique() > 1:  # one deadline is no curve
            title = f"{scenario.name}: where late clips are"
            figures["misses"] = misses_figure(results.misses, title)
    else:
        away_s = (results.accuracy["deadline_s"] - scenario.report_at_s).abs()
        at = results.accuracy[away_s <= SAME_S]
        title = f"{scenario.name}: at a deadline of {1e3 * scenario.report_at_s:g} ms"
        if len(swept) == 2:
            figures = {"sweep": heat_figure(at, swept, title)}
        else:
            figures = {}
            for path in swept:
                rows = _others_first(at, swept, path)
                stem = f"sweep-{path.replace('*', 'all')}"
                figures[stem] = sweep_figure(rows, path, f"{title}; {BANDS}")
    for stem, figure in figures.items():
        paths += save_figure(figure, folder, stem)
    return paths


def link_excerpt(scenario: Scenario) -> pd.DataFrame:
    """Return SNR and rate over time of the first link of each device group, from the start."""
    here = at_point(scenario, sweep_points(scenario)[0])
    frames = []
    for group, name in enumerate(here.group_names):
        trace = device_trace(here, Streams(here.seed), replication=0, group=group, device=0)
        steps = min(trace.rate_bps.size, _EXCERPT_STEPS)
        with np.errstate(divide="ignore"):
            snr_db = np.nan if trace.snr is None else 10.0 * np.log10(trace.snr[:steps])
        frames.append(
            pd.DataFrame(
                {
                    "group": name,
                    "time_s": trace.edges_s[:steps],
                    "snr_db": snr_db,
                    "rate_bps": trace.rate_bps[:steps],
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def _others_first(rows: pd.DataFrame, swept: list[str], path: str) -> pd.DataFrame:
    """Keep the first value of every other swept path, so that one is left to draw against."""
    for other in swept:
        if other != path:
            rows = rows[rows[other] == rows[other].iloc[0]]
    return rows


def _manifest(
    scenario: Scenario, clips: pd.DataFrame, lines: list[str], wall_s: float, *, live: bool
) -> dict[str, Any]:
    resolved = plain_data(scenario)
    text = json.dumps(resolved, sort_keys=True)
    return {
        "scenario": resolved,
        "resolved": scenario.model_dump(mode="json"),
        "notes": check_runnable(scenario),
        "scenario_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "seed": scenario.seed,
        "replications": int(clips["replication"].max()) + 1,
        "rows": len(clips),
        "live": live,
        "verdict": lines,
        "versions": dict(_versions()),
        "git_commit": _git_commit(),
        "inputs_sha256": input_hashes(scenario),
        "skipped_videos": skipped_videos(scenario),
        "wall_s": round(wall_s, 3),
    }


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
