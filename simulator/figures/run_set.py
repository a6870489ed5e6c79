"""All figures of a run, by their names."""

from typing import TYPE_CHECKING

import pandas as pd

from fadeline.simulator.analysis.results import Results
from fadeline.simulator.figures.run import (
    BANDS,
    accuracy_figure,
    heat_figure,
    misses_figure,
    stages_figure,
    sweep_figure,
)
from fadeline.simulator.scenario.deadlines import SAME_S
from fadeline.simulator.scenario.scenario import Scenario

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def run_figures(
    scenario: Scenario, results: Results, theory: pd.DataFrame | None
) -> "dict[str, Figure]":
    """Return the figures of a run, the main one first.

    Args:
        scenario: Of the run.
        results: What its clips say.
        theory: Its curves in closed form, if there are any.
    """
    swept = list(scenario.sweep)
    return (
        _figures_of_sweep(scenario, results, swept)
        if swept
        else _figures_of_point(scenario, results, theory)
    )


def _figures_of_point(
    scenario: Scenario, results: Results, theory: pd.DataFrame | None
) -> "dict[str, Figure]":
    count = int(results.accuracy["replications"].max())
    title = f"{scenario.name}: mean of {count} replications; {BANDS}"
    longest_s = 1.5 * max(scenario.deadline_values_s)
    figures = {
        "accuracy": accuracy_figure(results.accuracy, title, scenario.report_at_s, theory),
        "stages": stages_figure(
            results.stages, f"{scenario.name}: where the time goes", longest_s
        ),
    }  # fmt: skip
    if results.misses["deadline_s"].nunique() > 1:  # one deadline is no curve
        title = f"{scenario.name}: where late clips are"
        figures["misses"] = misses_figure(results.misses, title)
    return figures


def _figures_of_sweep(
    scenario: Scenario, results: Results, swept: list[str]
) -> "dict[str, Figure]":
    away_s = (results.accuracy["deadline_s"] - scenario.report_at_s).abs()
    at = results.accuracy[away_s <= SAME_S]
    title = f"{scenario.name}: at a deadline of {1e3 * scenario.report_at_s:g} ms"
    if len(swept) == 2:
        return {"sweep": heat_figure(at, swept, title)}
    return {
        f"sweep-{path.replace('*', 'all')}": sweep_figure(
            _others_first(at, swept, path), path, f"{title}; {BANDS}"
        )
        for path in swept
    }


def _others_first(rows: pd.DataFrame, swept: list[str], path: str) -> pd.DataFrame:
    """Keep the first value of every other swept path, so that one is left to draw against."""
    for other in swept:
        if other != path:
            rows = rows[rows[other] == rows[other].iloc[0]]
    return rows
