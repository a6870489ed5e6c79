"""What commands print: tables, JSON, YAML, progress; messages go to standard error."""

import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from rich.console import Console
from rich.table import Table


def errors() -> Console:
    """Return a console on standard error."""
    return Console(stderr=True)


def spinner(text: str, *, quiet: bool) -> AbstractContextManager[Any]:
    """Show that something goes on, unless `quiet`."""
    return nullcontext() if quiet else errors().status(text)


@contextmanager
def bar(text: str, *, quiet: bool) -> Iterator[Callable[[int, int], None] | None]:
    """Give a callback (done, total) that draws a bar on a terminal, from its first call on.

    Gives None where nobody watches: off a terminal, or if `quiet`.
    """
    console = errors()
    if quiet or not console.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
    from rich.progress import TimeRemainingColumn as Left

    name = TextColumn("{task.description}", markup=False)  # paths may hold brackets
    columns = (name, BarColumn(), MofNCompleteColumn(), Left())
    with Progress(*columns, console=console, transient=True) as progress:
        task: TaskID | None = None

        def draw(done: int, total: int) -> None:
            nonlocal task
            task = progress.add_task(text) if task is None else task
            progress.update(task, completed=done, total=total)

        yield draw


def say(lines: Iterable[str], *, quiet: bool) -> None:
    """Print lines on standard error as they are, unless `quiet`."""
    for line in () if quiet else lines:
        errors().print(line, highlight=False, markup=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """Print a value as JSON; infinities become null."""
    print(json.dumps(_finite(value), indent=2, ensure_ascii=False, allow_nan=False))


def _finite(value: Any) -> Any:
    """Return a value with null for infinities, which JSON cannot spell."""
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def print_yaml(value: Any) -> None:
    """Print plain data as YAML."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.default_flow_style = None
    yaml.width = 100
    yaml.dump(value, sys.stdout)


def print_table(title: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Print a table; off a terminal it is 120 columns wide."""
    table = Table(title=title, title_justify="left", box=None, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console = Console()
    if not console.is_terminal:
        console = Console(width=120)
    print()
    console.print(table)
