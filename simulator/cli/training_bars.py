"""What the commands that train show while they do."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fadeline.simulator.cli.console import errors

if TYPE_CHECKING:
    from fadeline.models.training.progress import Progress


@contextmanager
def training_bars(*, quiet: bool) -> "Iterator[Callable[[Progress], None] | None]":
    """Give what is to be told of a training's progress; None if `quiet`.

    On a terminal each stage has a bar; off it, a line with its name.
    """
    if quiet:
        yield None
        return
    from rich import progress as rich

    console = errors()
    columns = (
        rich.TextColumn("{task.description}", markup=False),
        rich.BarColumn(),
        rich.TextColumn("{task.fields[figures]}", markup=False),
        rich.TimeRemainingColumn(),
    )
    with rich.Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        tasks: dict[str, rich.TaskID] = {}

        def draw(now: "Progress") -> None:
            if now.stage not in tasks:
                tasks[now.stage] = bars.add_task(now.stage, total=now.total, figures="")
                if not console.is_terminal:
                    console.print(now.stage, markup=False, highlight=False)
            bars.update(tasks[now.stage], completed=now.done, figures=now.figures)

        yield draw
