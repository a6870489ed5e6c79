"""Options that several commands share."""

from pathlib import Path
from typing import Annotated, Literal

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]
Force = Annotated[bool, typer.Option("--force", help="Write over existing files.")]
Splits = Annotated[
    Path | None, typer.Option(help="Split files of videos (default: those in their folder).")
]
Draw = Annotated[int, typer.Option(min=1, help="Draw of the split files of videos.")]
SkipUnreadable = Annotated[
    bool, typer.Option("--skip-unreadable", help="Go on without videos that cannot be decoded.")
]
Source = Annotated[str, typer.Argument(metavar="SCENARIO", help="YAML file or shipped name.")]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Change a value; repeatable."),
]
Workers = Annotated[int | None, typer.Option(min=1, help="Processes (default: one for each core).")]
ComputePrecision = Annotated[
    Literal["bf16-mixed", "32-true"] | None,
    typer.Option(help="Of convolutions and products (default: what this machine is quickest in)."),
]
