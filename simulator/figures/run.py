"""The figures of a run, from its tables alone."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fadeline.simulator.analysis.curves import DIFFERING, STAGES
from fadeline.simulator.analysis.mean_interval import FEW
from fadeline.simulator.figures.channel import QUIET
from fadeline.simulator.figures.style import add_legend, house_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito, "Color Universal Design", 2008, without yellow, which is lost on white. Dashes and
# markers tell the schemes apart in grey.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1, 1)), "-.", (0, (3, 1, 1, 1, 1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")

BANDS = "bands: 95 %, where replications differ"
"""What titles say of what is shaded."""

# Stages from dark to light along the way, so that neighbours differ in grey too.
STAGE_COLOURS = (
    "#08306B", "#2171B5", "#6BAED6", "#D55E00", "#F0C4A0", "#005A32", "#74C476", "#BDBDBD",
)  # fmt: skip


def accuracy_figure(
    accuracy: pd.DataFrame, title: str, report_at_s: float, theory: pd.DataFrame | None = None
) -> "Figure":
    """Return accuracy and reliability against deadline, with bands that hold whole curves.

    Bands are shaded where enough replications differ.

    Args:
        accuracy: Of one point of a sweep.
        title: Title.
        report_at_s: Marked.
        theory: Closed form under the curves: columns scheme, deadline_s, accuracy.
    """
    from matplotlib.figure import Figure

    with house_style():
        figure = Figure(figsize=(8.0, 3.9), layout="constrained")
        axes = figure.subplots(1, 2, sharex=True)
        named: dict[str, Any] = {}
        for axis, name in zip(axes, ("accuracy", "reliability"), strict=True):
            for number, (scheme, rows) in enumerate(accuracy.groupby("scheme", sort=False)):
                line = _curve(axis, rows, name, number)
                named.setdefault(str(scheme), line)
            axis.axvline(1e3 * report_at_s, color=QUIET, linewidth=0.8, linestyle=":")
            axis.set(xlabel="Deadline (ms)", ylabel=LABELS[name], ylim=(-0.02, 1.02))
            axis.margins(x=0)
        handles, names = list(named.values()), list(named)
        if theory is not None and (lines := _theory(axes[0], theory)):
            handles.append(lines[0])
            names.append("closed form, no queues")
        add_legend(figure, handles, names, loc="outside lower center", ncols=4, fontsize="small")
        figure.suptitle(title)
    return figure


LABELS = {
    "accuracy": "Answered rightly in time",
    "reliability": "Answered in time",
}


def stages_figure(stages: pd.DataFrame, title: str, until_s: float) -> "Figure":
    """Return where the time goes: mean time in each stage, a bar for each scheme.

    Args:
        stages: Of one point of a sweep.
        title: Title.
        until_s: Longer bars are cut off there, and say how long they are.
    """
    from matplotlib.figure import Figure

    with house_style():
        figure = Figure(figsize=(8.0, 1.6 + 0.4 * len(stages)), layout="constrained")
        axis = figure.subplots()
        left = np.zeros(len(stages))
        for stage, colour in zip(STAGES, STAGE_COLOURS, strict=True):
            width = 1e3 * stages[stage].to_numpy(dtype=float)
            axis.barh(
                stages["scheme"], width, left=left, color=colour, label=stage, edgecolor="white",
                linewidth=0.4,
            )  # fmt: skip
            left += width
        for row, whole_ms in enumerate(left):
            if whole_ms > 1e3 * until_s:
                axis.annotate(
                    f"{1e-3 * whole_ms:.3g} s", (1e3 * until_s, row), xytext=(-4, 0), color="white",
                    textcoords="offset points", ha="right", va="center", fontsize="small",
                    fontweight="bold",
                )  # fmt: skip
        axis.set_xlim(0, min(1.05 * left.max(), 1e3 * until_s) or 1.0)
        axis.invert_yaxis()
        axis.grid(visible=False, axis="y")
        axis.set(xlabel="Mean time of answered clips (ms)")
        figure.legend(loc="outside lower center", ncols=4, fontsize="small")
        figure.suptitle(title)
    return figure


def misses_figure(misses: pd.DataFrame, title: str) -> "Figure":
    """Return why deadlines are missed: share of clips by the stage they are in, stacked."""
    from matplotlib.figure import Figure

    schemes = list(dict.fromkeys(misses["scheme"]))
    columns = min(3, len(schemes))
    lines = -(-len(schemes) // columns)
    with house_style():
        figure = Figure(figsize=(8.0, 1.2 + 2.0 * lines), layout="constrained")
        grid = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
        axes = list(grid.flat)
        for axis, scheme in zip(axes, schemes, strict=False):
            rows = misses[misses["scheme"] == scheme]
            axis.stackplot(
                1e3 * rows["deadline_s"], *(rows[stage] for stage in STAGES),
                colors=STAGE_COLOURS, labels=STAGES, linewidth=0.0,
            )  # fmt: skip
            axis.set(title=scheme, ylim=(0, 1))
            axis.margins(x=0)
        for axis in axes[len(schemes) :]:
            axis.set_axis_off()
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize="small")
        for number, axis in enumerate(figure.axes[: len(schemes)]):
            if number + columns >= len(schemes):
                axis.set_xlabel("Deadline (ms)")
                axis.tick_params(labelbottom=True)
        figure.supylabel("Share of clips that miss it", fontsize="medium")
        figure.suptitle(title)
    return figure


def sweep_figure(accuracy: pd.DataFrame, path: str, title: str) -> "Figure":
    """Return accuracy at one deadline against a swept value."""
    from matplotlib.figure import Figure

    with house_style():
        figure = Figure(figsize=(5.5, 3.8), layout="constrained")
        axis = figure.subplots()
        values = list(dict.fromkeys(accuracy[path]))
        numeric = all(isinstance(value, int | float) for value in values)
        named: dict[str, Any] = {}
        for number, (scheme, rows) in enumerate(accuracy.groupby("scheme", sort=False)):
            rows = rows.sort_values(path) if numeric else rows
            x = rows[path] if numeric else [values.index(value) for value in rows[path]]
            look = _look(number)
            (named[str(scheme)],) = axis.plot(
                x, rows["accuracy"], marker=MARKERS[number % len(MARKERS)], markersize=4.0, **look
            )
            low, high = _band(rows, "accuracy")
            axis.fill_between(
                x, low, high, where=_told(rows, "accuracy"), color=look["color"], alpha=0.15,
                linewidth=0.0,
            )  # fmt: skip
        if not numeric:
            axis.set_xticks(range(len(values)), [str(value) for value in values])
        axis.set(xlabel=path, ylabel=LABELS["accuracy"], ylim=(-0.02, 1.02))
        add_legend(axis, list(named.values()), list(named), loc="best", fontsize="small")
        figure.suptitle(title)
    return figure


def heat_figure(accuracy: pd.DataFrame, paths: Sequence[str], title: str) -> "Figure":
    """Return accuracy at one deadline over two swept values, a panel for each scheme."""
    from matplotlib.figure import Figure

    schemes = list(dict.fromkeys(accuracy["scheme"]))
    columns = min(3, len(schemes))
    lines = -(-len(schemes) // columns)
    with house_style(axes_grid=False):
        figure = Figure(figsize=(8.0, 0.8 + 2.4 * lines), layout="constrained")
        axes = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
        for axis, scheme in zip(axes.flat, schemes, strict=False):
            rows = accuracy[accuracy["scheme"] == scheme]
            grid = rows.pivot(index=paths[1], columns=paths[0], values="accuracy")
            image = axis.imshow(grid, origin="lower", aspect="auto", cmap="cividis", vmin=0, vmax=1)
            axis.set_xticks(range(len(grid.columns)), [f"{x}" for x in grid.columns])
            axis.set_yticks(range(len(grid.index)), [f"{y}" for y in grid.index])
            axis.set(title=scheme)
        for axis in list(axes.flat)[len(schemes) :]:
            axis.set_axis_off()
        figure.colorbar(image, ax=axes, label=LABELS["accuracy"])
        figure.supxlabel(paths[0], fontsize="medium")
        figure.supylabel(paths[1], fontsize="medium")
        figure.suptitle(title)
    return figure


def _theory(axis: Any, theory: pd.DataFrame) -> list[Any]:
    """Draw closed forms under the curves and return their lines."""
    style: dict[str, Any] = {"color": "#000000", "linewidth": 0.8, "linestyle": (0, (1, 2))}
    return [
        line
        for _, rows in theory.groupby("scheme", sort=False)
        for line in axis.plot(1e3 * rows["deadline_s"], rows["accuracy"], zorder=3, **style)
    ]


def _curve(axis: Any, rows: pd.DataFrame, name: str, number: int) -> Any:
    """Draw a curve with its band and return its line."""
    look = _look(number)
    x = 1e3 * rows["deadline_s"]
    style = {"marker": MARKERS[number % len(MARKERS)], "markersize": 4.0} if len(x) <= 12 else {}
    (line,) = axis.plot(x, rows[name], **look, **style)
    low, high = rows[f"{name}_band_lo"], rows[f"{name}_band_hi"]
    axis.fill_between(
        x, low, high, where=_told(rows, name), color=look["color"], alpha=0.15, linewidth=0.0
    )
    return line


def _told(rows: pd.DataFrame, name: str) -> NDArray[np.bool_]:
    """Return where enough replications differ for a band to say how they vary.

    Where they do not, as where no clip can be in time yet, it only says what they may have missed,
    and would fill the figure.
    """
    if f"{name}{DIFFERING}" not in rows:  # a run of an older version
        return np.ones(len(rows), dtype=bool)
    runs = int(rows["replications"].max())
    # With hardly enough the band is mostly that of replications that were never seen.
    return np.asarray(rows[f"{name}{DIFFERING}"].to_numpy() >= np.minimum(2 * FEW, runs - 1))


def _band(rows: pd.DataFrame, name: str) -> tuple[pd.Series, pd.Series]:
    """Return intervals of single values: total ones where there are any."""
    low = rows[f"{name}_total_lo"].fillna(rows[f"{name}_lo"])
    return low, rows[f"{name}_total_hi"].fillna(rows[f"{name}_hi"])


def _look(number: int) -> dict[str, Any]:
    return {
        "color": COLOURS[number % len(COLOURS)],
        "linestyle": DASHES[number % len(DASHES)],
    }
