"""The `fadeline data` commands: list, cache, look at and check data sets."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from fadeline.simulator.cli.console import bar, errors, print_json, print_table, say
from fadeline.simulator.cli.options import AsJson, Draw, Force, Quiet, SkipUnreadable, Splits
from fadeline.simulator.errors import OutputError
from fadeline.simulator.output import refuse_existing

data_app = typer.Typer(help="List, cache, look at and check data sets.", no_args_is_help=True)

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="Such as actions/test; `fadeline data list`.")
]
Frames = Annotated[int, typer.Option(min=1, help="Frames of a clip.")]
Size = Annotated[int, typer.Option(min=1, help="Height and width of a clip, pixels.")]
Sampling = Annotated[str, typer.Option(help="Frames taken from a video: uniform or dense.")]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Processes that draw (default: one for each core).")
]


@data_app.command(name="list")
def list_(as_json: AsJson = False) -> None:
    """List data sets, their clips and classes, and which are cached and where."""
    from fadeline.simulator.cli.data_rows import COLUMNS, data_rows

    rows = data_rows()
    if as_json:
        print_json([row.as_row() for row in rows])
        return
    print_table("Data sets", COLUMNS, [row.as_text() for row in rows])


@data_app.command()
def cache(
    name: Name,
    frames: Frames = 16,
    size: Size = 64,
    splits: Splits = None,
    draw: Draw = 1,
    sampling: Sampling = "uniform",
    workers: Workers = None,
    skip_unreadable: SkipUnreadable = False,
    force: Annotated[bool, typer.Option("--force", help="Make it again.")] = False,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Check all of it, and draw or decode every clip again."),
    ] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Draw or decode a data set once and keep it; FADELINE_CACHE says where."""
    from fadeline.models.data.cache.cache import cached
    from fadeline.models.data.opening import clip_notes, open_clips
    from fadeline.models.hardware.machine import usable_cores

    silent = quiet or as_json
    clips = open_clips(
        name, frames=frames, size=size, splits=splits, draw=draw, sampling=sampling,
        skip_unreadable=skip_unreadable,
    )  # fmt: skip
    say(clip_notes(clips), quiet=silent)
    with bar("caching", quiet=silent) as progress:
        found = cached(
            clips,
            workers=workers or usable_cores(),
            rebuild=force,
            progress=progress,
            log=_log(silent),
        )
    if verify:
        with bar("checking", quiet=silent) as progress:
            found.verify(clips, progress=progress)
    summary = {
        "name": found.name,
        "version": found.version,
        "clips": len(found),
        "path": str(found.path),
        "digest": found.digest,
        "verified": verify,
    }
    if found.skipped:
        summary["skipped"] = [*found.skipped]
    if as_json:
        print_json(summary)
    elif not quiet:
        for key, value in summary.items():
            print(f"{key}: {len(value) if isinstance(value, list) else value}")


@data_app.command()
def sheet(
    name: Name,
    out: Annotated[Path, typer.Option(help="PNG file.")],
    classes: Annotated[
        list[str] | None,
        typer.Option(metavar="CLASS", help="A class to show; repeatable (default: all)."),
    ] = None,
    per_class: Annotated[int, typer.Option(min=1, help="Clips of each class.")] = 1,
    columns: Annotated[int, typer.Option(min=1, help="Frames of each clip.")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="Which clips are shown.")] = 0,
    frames: Frames = 16,
    size: Size = 64,
    splits: Splits = None,
    draw: Draw = 1,
    sampling: Sampling = "uniform",
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Draw a picture of a data set: a row of frames for each class."""
    if out.suffix.lower() != ".png":
        raise OutputError(f"--out {out}: must end in .png")
    refuse_existing(out, force=force)
    from fadeline.models.data.contact_sheet import contact_sheet, save_png
    from fadeline.models.data.opening import open_clips

    clips = open_clips(name, frames=frames, size=size, splits=splits, draw=draw, sampling=sampling)
    image = contact_sheet(clips, classes=classes, per_class=per_class, columns=columns, seed=seed)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        save_png(image, out)
    except OSError as error:
        raise OutputError(f"{out}: cannot be written: {error.strerror}") from None
    if not quiet:
        print(f"sheet: {out}")


@data_app.command()
def check(
    path: Annotated[Path, typer.Argument(help="Folder with HMDB51's class folders.")],
    splits: Annotated[
        Path | None, typer.Option(help="Folder of its split files (default: look in PATH).")
    ] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Count what an HMDB51 folder should have; exit with 1 if something differs."""
    from fadeline.models.data.video.hmdb51 import check_hmdb51

    rows = check_hmdb51(path, splits)
    if as_json:
        print_json([asdict(row) for row in rows])
    elif not quiet:
        print_table(
            f"HMDB51 in {path}",
            ("quantity", "expected", "found", "ok"),
            [(row.quantity, row.expected, row.found, "yes" if row.ok else "NO") for row in rows],
        )
    for row in rows:
        if not row.ok:
            message = f"failed: {row.quantity}: {row.found}, not {row.expected}"
            errors().print(message, highlight=False, markup=False, soft_wrap=True)
    if not all(row.ok for row in rows):
        raise typer.Exit(1)


def _log(silent: bool) -> Callable[[str], None] | None:
    def show(line: str) -> None:
        errors().print(line, highlight=False, markup=False, soft_wrap=True)

    return None if silent else show
