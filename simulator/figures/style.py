"""How all figures look, whatever the user's matplotlibrc says, and names as they are written."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

STYLE: Mapping[str, Any] = {
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": "medium",
    "font.size": 9.0,
    "grid.alpha": 0.3,
    "grid.linewidth": 0.6,
    "legend.edgecolor": "none",
    "legend.framealpha": 0.85,
    "lines.linewidth": 1.3,
    "svg.hashsalt": "fadeline",
    "text.parse_math": False,  # names of runs and schemes may hold $, ^ and backslashes
}
"""What differs from matplotlib's own defaults (our choice)."""


@contextmanager
def house_style(**changes: Any) -> Iterator[None]:
    """Set matplotlib's own defaults and ours while figures are made or saved.

    Our settings alone would leave what the user's matplotlibrc sets: `text.usetex` needs a LaTeX,
    and sizes and fonts would differ from machine to machine.

    Args:
        changes: More settings, with ``_`` for the dot: ``axes_grid=False``.
    """
    from matplotlib import style

    more = {name.replace("_", ".", 1): value for name, value in changes.items()}
    with style.context(["default", {**STYLE, **more}]):
        yield


def add_legend(owner: Any, handles: Sequence[Any], names: Sequence[str], **how: Any) -> None:
    """Add a legend to axes or a figure that shows names as they are written.

    matplotlib leaves out what is labelled with a leading underscore, so the names are filled in
    afterwards.

    Args:
        owner: Axes or figure.
        handles: What is explained, such as lines.
        names: One for each handle.
        how: Passed on to `legend`.
    """
    stand_ins = [str(number) for number in range(len(names))]
    legend = owner.legend(list(handles), stand_ins, **how)
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set_text(name)
