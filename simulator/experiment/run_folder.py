"""The folder of a run: made, gone on with, drawn again, run again."""

import shutil
import time
from pathlib import Path

import numpy as np
import pandas as pd

from fadeline.simulator.analysis.results import TABLES, Results
from fadeline.simulator.analysis.verdict import verdict
from fadeline.simulator.errors import OutputError
from fadeline.simulator.experiment import files
from fadeline.simulator.experiment.notes import plan_notes
from fadeline.simulator.experiment.parts import Parts
from fadeline.simulator.experiment.provenance import fingerprint, manifest_of
from fadeline.simulator.experiment.replicate import Progress, run_plan
from fadeline.simulator.experiment.run import Run, finished, stored_scenario
from fadeline.simulator.figures.channel import save_figure
from fadeline.simulator.figures.report import report_page
from fadeline.simulator.figures.run_set import run_figures
from fadeline.simulator.links.excerpt import link_excerpt
from fadeline.simulator.loading.load import plan_from_dict
from fadeline.simulator.loading.plan import Plan
from fadeline.simulator.output import complete_or_absent, prepare_work
from fadeline.simulator.scenario.scenario import Scenario

PARTS = "parts"
"""Folder, in that of a run, of what is done so far; gone when the run is finished."""

_OURS = (
    files.MANIFEST, files.CLIPS, files.LINK, files.THEORY, "report.html",
    *(f"{name}.csv" for name in TABLES),
    *(f"{stem}*.{suffix}" for stem in ("accuracy", "stages", "misses", "sweep")
      for suffix in ("png", "svg")),
)  # fmt: skip


def run_into(
    plan: Plan,
    folder: Path,
    *,
    workers: int,
    live: bool = False,
    progress: Progress | None = None,
) -> list[str]:
    """Run a plan and leave everything in a folder; return the verdict.

    Args:
        plan: What to run.
        folder: Made; parts of the same run that are there are not done again.
        workers: Processes.
        live: Let the networks encode and answer every clip.
        progress: Called with the work items done and planned.

    Raises:
        OutputError: If the folder cannot be written, or holds parts of another run.
        FadelineError: If outcomes are missing, or no clip is counted.
    """
    began_s = time.perf_counter()
    parts = Parts(folder / PARTS, fingerprint(plan, live=live))
    clips = run_plan(plan, workers=workers, live=live, parts=parts, progress=progress)
    lines = save_run(finished(plan, clips, live=live), folder, began_s=began_s)
    shutil.rmtree(folder / PARTS, ignore_errors=True)
    return lines


def save_run(run: Run, folder: Path, *, began_s: float | None = None) -> list[str]:
    """Leave a run in a folder, its manifest last; return its verdict.

    Args:
        run: The run.
        folder: That `prepare_run` has made.
        began_s: When it began, on the clock of `time.perf_counter`; left out: that is not known.

    Raises:
        OutputError: If something cannot be written.
    """
    plan, scenario = run.plan, run.scenario
    if not plan.points:
        raise OutputError(f"{scenario.name}: files that it names are gone, so it cannot be saved")
    if run.theory is not None:
        with complete_or_absent(folder / files.THEORY) as partial:
            run.theory.to_csv(partial, index=False, float_format="%.9g")
    files.write_clips(run.clips, folder)
    files.write_results(run.results, folder)
    with complete_or_absent(folder / files.LINK) as partial:
        link_excerpt(plan.points[0].scenario).to_parquet(partial, index=False)
    results = files.read_results(folder)  # so that all that is said and drawn follows from them
    lines = verdict(scenario, results)
    _draw(scenario, results, lines, folder)
    manifest = manifest_of(plan, run.clips, lines, plan_notes(plan), live=run.live)
    if began_s is not None:
        manifest["wall_s"] = round(time.perf_counter() - began_s, 3)
    files.write_manifest(manifest, folder)
    return lines


def prepare_run(folder: Path, *, resume: bool, force: bool) -> None:
    """Make the folder of a run, or accept one to go on with.

    Raises:
        OutputError: If it holds something, and neither `resume` nor `force` says what to do.
    """
    prepare_work(folder, parts=PARTS, result=files.MANIFEST, resume=resume, force=force)
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
    scenario = stored_scenario(files.read_manifest(folder))
    results = files.read_results(folder)
    return _draw(scenario, results, verdict(scenario, results), folder)


def difference_on_rerun(folder: Path, *, workers: int) -> str | None:
    """Run a finished run again and return the first difference in its clips, None if there is none.

    Raises:
        FadelineError: If the folder holds no finished run.
    """
    manifest = files.read_manifest(folder)
    before = files.read_clips(folder)
    plan = plan_from_dict(manifest["scenario"])
    again = run_plan(plan, workers=workers, live=manifest.get("live", False))
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


def _draw(scenario: Scenario, results: Results, lines: list[str], folder: Path) -> list[Path]:
    """Draw the figures and the report of a run; return the figures' paths."""
    theory = pd.read_csv(folder / files.THEORY) if (folder / files.THEORY).exists() else None
    paths: list[Path] = []
    for stem, figure in run_figures(scenario, results, theory).items():
        paths += save_figure(figure, folder, stem)
    with complete_or_absent(folder / "report.html") as partial:
        partial.write_text(report_page(scenario, results, lines, paths), encoding="utf-8")
    return paths
