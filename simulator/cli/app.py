"""The `fadeline` command: parses, calls, prints; nothing is computed here.

Exit codes: 0 fine, 1 internal error or a failed check, 2 something for the user to put right, 130
interrupted.
"""

import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fadeline.models.errors import ModelsError
from fadeline.simulator.cli.calibrate import calibrate
from fadeline.simulator.cli.codecs import add_commands
from fadeline.simulator.cli.console import errors, print_json, print_table, print_yaml, say, spinner
from fadeline.simulator.cli.data import data_app
from fadeline.simulator.cli.options import AsJson, Force, Quiet, Sets, Source
from fadeline.simulator.cli.run import add_run_commands
from fadeline.simulator.cli.trace import trace_app
from fadeline.simulator.cli.train import evaluate_app, train_app
from fadeline.simulator.errors import FadelineError, ScenarioError, ScenarioWarning

if TYPE_CHECKING:
    from fadeline.simulator.loading.plan import Plan

app = typer.Typer(
    help="How accurate is the answer that arrives in time?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
add_commands(train_app, evaluate_app)
add_run_commands(app)
app.add_typer(data_app, name="data")
app.add_typer(trace_app, name="trace")
app.add_typer(train_app, name="train")
app.add_typer(evaluate_app, name="evaluate")
app.command()(calibrate)


def main() -> None:
    """Run the command line and exit."""
    warnings.showwarning = _show_warning
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
    except (FadelineError, ModelsError) as error:
        sys.exit(_fail(error))
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    except (BrokenPipeError, SystemExit) as error:  # typer exits where a pipe is closed
        if isinstance(error, SystemExit) and not isinstance(error.__context__, BrokenPipeError):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if not hasattr(error, "exit_code") or not hasattr(error, "show"):
            raise
        error.show()  # a usage error of the command line itself
        sys.exit(error.exit_code)
    if code == 130:
        errors().print("interrupted")
    sys.exit(code or 0)


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(version("fadeline"))
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    pass


@app.command()
def check(source: Source, set_values: Sets = None, as_json: AsJson = False) -> None:
    """Check a scenario; show it resolved and what follows from it."""
    from fadeline.simulator.analysis.derived import derived_values
    from fadeline.simulator.loading.load import load_plan

    plan = load_plan(source, set_values=set_values or ())
    scenario = plan.scenario
    say(_table_notes(plan), quiet=False)
    derived = derived_values(scenario)
    resolved = scenario.model_dump(mode="json", exclude_none=True)
    if as_json:
        print_json({"scenario": resolved, "derived": [value.as_row() for value in derived]})
        return
    print_yaml(resolved)
    rows = [(v.where, v.quantity, f"{v.value:.6g}", v.note) for v in derived]
    print_table("Derived values", ("for", "quantity", "value", "note"), rows)


def _table_notes(plan: "Plan") -> list[str]:
    """Say which outcome tables a run would measure first, and why; none of shipped clips."""
    from fadeline.models.measurement.outcomes import shipped_outcomes
    from fadeline.simulator.schemes.wanted import WantedTable, wanted_tables

    shipped = shipped_outcomes()
    notes = []
    for wanted in wanted_tables(plan):
        plain = all(codec.weights is None for codec in wanted.codecs)
        if plain and wanted == WantedTable(wanted.data, wanted.codecs) and wanted.data in shipped:
            continue
        from fadeline.models.card import read_card, weights_path
        from fadeline.models.data.opening import clip_notes
        from fadeline.simulator.schemes.outcome_tables import (
            UnmeasuredError,
            open_wanted,
            outcome_table,
        )

        clips = open_wanted(wanted, read_card(weights_path(wanted.classifier)))
        notes += clip_notes(clips)
        try:
            outcome_table(wanted, otherwise="")
        except UnmeasuredError as error:
            why = error.changed or "not measured yet"
            notes.append(f"{wanted.data}: {why}; fadeline run measures it first, in minutes")
    return notes


@app.command()
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors."""
    from fadeline.simulator.scenario.schema import scenario_schema

    print_json(scenario_schema())


@app.command(name="list")
def list_(as_json: AsJson = False) -> None:
    """List shipped scenarios, channels, rates, codecs, policies and profiles."""
    from fadeline.simulator.loading import catalogue
    from fadeline.simulator.loading.load import shipped_summaries

    sections = {
        "channels": catalogue.fading_entries(),
        "rates": catalogue.RATES,
        "codecs": catalogue.scheme_entries(),
        "policies": catalogue.policy_entries(),
        "profiles": catalogue.profile_entries(),
    }
    scenarios = shipped_summaries()
    if as_json:
        rows = {
            name: [{"name": e.name, "summary": e.summary, "built": e.built} for e in entries]
            for name, entries in sections.items()
        }
        print_json({"scenarios": [{"name": n, "summary": s} for n, s in scenarios], **rows})
        return
    print_table("scenarios", ("name", "what"), scenarios)
    for name, entries in sections.items():
        print_table(
            name,
            ("name", "what", "runs"),
            [(e.name, e.summary, "yes" if e.built else "not yet") for e in entries],
        )


@app.command()
def channel(
    source: Source,
    out: Annotated[Path | None, typer.Option(help="Folder (default: runs/channel-NAME).")] = None,
    group: Annotated[str | None, typer.Option(help="Device group (default: the first).")] = None,
    set_values: Sets = None,
    force: Force = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Draw a scenario's channel: SNR over time, envelope, autocorrelation and rate."""
    from fadeline.simulator.loading.catalogue import refuse_unbuilt_link
    from fadeline.simulator.loading.load import load_scenario
    from fadeline.simulator.output import prepare_folder

    scenario = load_scenario(source, set_values=set_values or ())
    refuse_unbuilt_link(scenario)
    names = scenario.group_names
    if group is not None and group not in names:
        raise FadelineError(f"--group {group}: no such device group; there are {', '.join(names)}")
    folder = out or Path("runs") / f"channel-{scenario.name}"
    prepare_folder(folder, force=force)

    from fadeline.simulator.figures.channel import channel_figure, save_figure
    from fadeline.simulator.links.sample import channel_sample

    with spinner("drawing the channel", quiet=quiet or as_json):
        sample = channel_sample(scenario, group=names.index(group) if group else 0)
        paths = save_figure(channel_figure(sample), folder, "channel")
    summary = {
        "title": sample.title,
        "step_s": sample.step_s,
        "mean_snr_db": sample.mean_snr_db,
        "mean_rate_bps": sample.mean_rate_bps,
        "figures": [str(path) for path in paths],
    }
    if as_json:
        print_json(summary)
    elif not quiet:
        for name, value in summary.items():
            print(f"{name}: {', '.join(value) if isinstance(value, list) else value}")


@app.command()
def verify(
    seed: Annotated[int, typer.Option(min=0, help="Seed of the simulations.")] = 1,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Check simulations against closed forms; exit with 1 if one fails."""
    from fadeline.simulator.verification.checks import all_checks

    with spinner("checking against theory", quiet=quiet or as_json):
        rows = all_checks(seed)
    failed = [row for row in rows if not row.passed]
    if as_json:
        print_json([row.as_row() for row in rows])
    elif not quiet:
        print_table(
            "Theory against simulation",
            ("quantity", "theory", "simulated", "interval", "passed"),
            [row.as_text() for row in rows],
        )
        print(f"{len(rows) - len(failed)} passed, {len(failed)} failed")
    for row in failed:
        errors().print(f"failed: {row.quantity}", highlight=False, soft_wrap=True)
    if failed:
        raise typer.Exit(1)


def _fail(error: FadelineError | ModelsError) -> int:
    messages = error.problems if isinstance(error, ScenarioError) else (error,)
    for message in messages:
        errors().print(f"error: {message}", highlight=False, markup=False, soft_wrap=True)
    return 2


def _show_warning(message: Any, category: type[Warning], *_: Any, **__: Any) -> None:
    if issubclass(category, ScenarioWarning):
        errors().print(f"warning: {message}", highlight=False, markup=False, soft_wrap=True)
