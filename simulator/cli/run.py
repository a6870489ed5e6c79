"""The commands around a run: `run`, `plot`, `compare` and `rerun`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fadeline.simulator.cli.console import bar, errors, print_json, say, spinner
from fadeline.simulator.cli.options import AsJson, Force, Quiet, Sets, Source, Workers

if TYPE_CHECKING:
    pass

Run = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished run.")]
Runs = Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of finished runs.")]


def run(
    source: Source,
    out: Annotated[Path | None, typer.Option(help="Folder (default: runs/NAME).")] = None,
    workers: Workers = None,
    set_values: Sets = None,
    live: Annotated[
        bool,
        typer.Option(
            "--live", help="Let the networks encode and answer every clip: slow, a check of tables."
        ),
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where it stopped.")] = False,
    force: Force = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Run a scenario: accuracy against deadline, and a verdict."""
    from fadeline.models.hardware.machine import usable_cores
    from fadeline.simulator.loading.catalogue import refuse_unbuilt_run
    from fadeline.simulator.loading.load import load_plan

    plan = load_plan(source, set_values=set_values or ())
    refuse_unbuilt_run(plan.scenario)
    folder = out or Path("runs") / plan.scenario.name

    from fadeline.simulator.experiment.measure import measure_missing
    from fadeline.simulator.experiment.notes import plan_notes
    from fadeline.simulator.experiment.run_folder import prepare_run, run_into

    silent = quiet or as_json
    measure_missing(
        plan,
        shown=lambda what: bar(what, quiet=silent),
        log=lambda line: say([line], quiet=silent),
    )
    notes = plan_notes(plan)  # before anything is written over
    prepare_run(folder, resume=resume, force=force)
    if not silent:
        for note in notes:
            errors().print(note, highlight=False, markup=False)
    with bar("simulating", quiet=silent) as progress:
        lines = run_into(
            plan, folder, workers=workers or usable_cores(), live=live, progress=progress
        )
    if as_json:
        from fadeline.simulator.experiment.files import read_results

        tables = read_results(folder)
        print_json(
            {
                "folder": str(folder),
                "verdict": lines,
                "summary": tables.summary.to_dict("records"),
            }
        )
    elif not quiet:
        print("\n".join(lines))
        print(f"written: {folder}{_main_figure(folder)}")


def plot(run_folder: Run, quiet: Quiet = False) -> None:
    """Draw a run's figures and report again, from its tables."""
    from fadeline.simulator.experiment.run_folder import redraw

    with spinner("drawing", quiet=quiet):
        paths = redraw(run_folder)
    if not quiet:
        print("\n".join(map(str, paths)))


def compare(
    run_folders: Runs,
    out: Annotated[Path, typer.Option(help="Folder.")] = Path("runs/compare"),
    force: Force = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Lay the accuracy curves of several runs over one another."""
    from fadeline.simulator.analysis.verdict import interval_text
    from fadeline.simulator.experiment.comparison import compared_folders
    from fadeline.simulator.figures.channel import save_figure
    from fadeline.simulator.figures.run import BANDS, accuracy_figure
    from fadeline.simulator.output import complete_or_absent, prepare_folder
    from fadeline.simulator.scenario.deadlines import SAME_S

    table = compared_folders(run_folders)
    report_at_s = float(table["report_at_s"].iloc[0])
    prepare_folder(out, force=force)
    with complete_or_absent(out / "compare.csv") as partial:
        table.to_csv(partial, index=False, float_format="%.9g")
    title = f"Accuracy against deadline; {BANDS}"
    paths = save_figure(accuracy_figure(table, title, report_at_s), out, "compare")
    at = table[(table["deadline_s"] - table["report_at_s"]).abs() <= SAME_S]
    rows: list[dict[str, Any]] = at.to_dict("records")
    if as_json:
        print_json({"figures": [str(path) for path in paths], "rows": rows})
    elif not quiet:
        for row in rows:
            deadline = f"at {1e3 * row['deadline_s']:g} ms"
            interval = interval_text(row, "accuracy")
            print(f"{row['scheme']}: {row['accuracy']:.3f} {interval} {deadline}")
        print("written: " + ", ".join(map(str, paths)))


def rerun(run_folder: Run, workers: Workers = None, quiet: Quiet = False) -> None:
    """Run a run again and check that every clip fares as before; exit with 1 if one does not."""
    from fadeline.models.hardware.machine import usable_cores
    from fadeline.simulator.experiment.run_folder import difference_on_rerun

    with spinner("running again", quiet=quiet):
        found = difference_on_rerun(run_folder, workers=workers or usable_cores())
    if found is not None:
        print(f"{run_folder}: not the same: {found}")
        raise typer.Exit(1)
    if not quiet:
        print(f"{run_folder}: every clip fares as before")


def add_run_commands(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (run, plot, compare, rerun):
        app.command()(command)


def _main_figure(folder: Path) -> str:
    for stem in ("accuracy", "sweep"):
        found = sorted(folder.glob(f"{stem}*.png"))
        if found:
            return f" (figure: {found[0]})"
    return ""
