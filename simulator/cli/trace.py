"""The `fadeline trace` commands: recordings of other programs as link traces."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from fadeline.simulator.cli.console import print_json
from fadeline.simulator.cli.options import AsJson, Force, Quiet
from fadeline.simulator.errors import FadelineError, OutputError
from fadeline.simulator.output import complete_or_absent, refuse_existing

trace_app = typer.Typer(help="Make link traces of recordings.", no_args_is_help=True)

Unit = Annotated[
    str | None, typer.Option(help="Of the rates: bit/s, kbit/s, Mbit/s, byte/s, kbyte/s ...")
]


@trace_app.command(name="import")
def import_(
    file: Annotated[Path, typer.Argument(help="Text table with a header, such as a CSV file.")],
    out: Annotated[Path, typer.Option(help="CSV file of the trace.")],
    time: Annotated[str | None, typer.Option(help="Column of times.")] = None,
    snr_db: Annotated[str | None, typer.Option("--snr-db", help="Column of SNR in dB.")] = None,
    rate: Annotated[str | None, typer.Option(help="Column of rates, instead.")] = None,
    unit: Unit = None,
    time_unit: Annotated[
        str | None, typer.Option(help="Of times that are numbers: s, ms, us or ns.")
    ] = None,
    time_format: Annotated[
        str | None,
        typer.Option(help="Of times that are dates, as strptime takes it: '%d.%m.%Y %H:%M:%S'."),
    ] = None,
    delimiter: Annotated[
        str | None, typer.Option(help="Between columns: a character, or tab, semicolon, blank.")
    ] = None,
    missing: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT", help="Stands where nothing was measured; repeatable."),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN=TEXT", help="Take only rows that hold this; repeatable."),
    ] = None,
    gaps: Annotated[
        Literal["hold", "outage", "refuse"],
        typer.Option(help="Where rows are missing, repeat the one before, take no link, or stop."),
    ] = "hold",
    force: Force = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Make a trace of a drive test or another table: what names and values tell is found."""
    from fadeline.channels.trace_import import Choices, import_trace
    from fadeline.channels.tracefile import TraceFileError

    if out.suffix.lower() != ".csv":
        raise OutputError(f"--out {out}: must end in .csv")
    refuse_existing(out, force=force)
    choices = Choices(
        time=time, snr_db=snr_db, rate=rate, unit=unit, time_unit=time_unit,
        time_format=time_format, delimiter=delimiter, missing=tuple(missing or ()),
        where=_where(where or []), gaps=gaps,
    )  # fmt: skip
    try:
        trace = import_trace(file, choices)
    except TraceFileError as error:
        raise FadelineError(str(error)) from None
    with complete_or_absent(out) as partial:
        partial.write_text(trace.as_csv(), encoding="utf-8")
    if as_json:
        print_json({"trace": str(out), **trace.report.as_dict()})
    elif not quiet:
        print("\n".join((*trace.report.lines(), f"trace: {out}")))


def _where(conditions: list[str]) -> dict[str, str]:
    found = {}
    for condition in conditions:
        column, equals, text = condition.partition("=")
        if not equals or not column.strip():
            raise FadelineError(f"--where {condition}: must look like COLUMN=TEXT")
        found[column.strip()] = text
    return found
