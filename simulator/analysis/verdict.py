"""The verdict: what a run says at the deadline that was fixed beforehand, in plain words."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from fadeline.simulator.analysis.curves import DIFFERING
from fadeline.simulator.analysis.mean_interval import too_few
from fadeline.simulator.analysis.results import Results, sweep_groups
from fadeline.simulator.scenario.deadlines import SAME_S, acts_on_deadline
from fadeline.simulator.scenario.scenario import Scenario

OVERLOADED = 0.9
"""Share of clips with an answer below which a scheme is said not to keep up (our choice)."""

_LOSSES = {
    "dropped_device": "given up on the device",
    "dropped_link": "lost on the link",
    "dropped_edge": "given up at the edge",
    "declined": "declined by the policy",
    "unfinished": "still under way at the end",
}


def verdict(scenario: Scenario, results: Results) -> list[str]:
    """Return the verdict, a line for each scheme at each point of the sweep."""
    return list(_lines(scenario, results))


def _lines(scenario: Scenario, results: Results) -> Iterator[str]:
    swept = list(scenario.sweep)
    at = _at(results.accuracy, scenario.report_at_s)
    differences = results.paired
    if len(differences):
        differences = _at(differences, scenario.report_at_s)
    for point, rows in sweep_groups(at, swept):
        where = ", ".join(f"{path} = {value}" for path, value in point.items())
        yield f"At a deadline of {1e3 * scenario.report_at_s:g} ms" + (
            f", {where}:" if where else ":"
        )
        for row in rows.to_dict("records"):
            line = (
                f"  {row['scheme']} answers {row['accuracy']:.3f} "
                f"{interval_text(row, 'accuracy')} of clips rightly in time{_if_few(row)}"
            )
            if difference := _one(differences, point, row["scheme"]):
                line += (
                    f"; {difference['difference']:+.3f} {interval_text(difference, 'difference')} "
                    f"against {difference['baseline']}{_if_alike(difference)}"
                )
            yield line
        summary = results.summary
        for path, value in point.items():
            summary = summary[summary[path] == value]
        for row in summary.to_dict("records"):
            if row["answered"] < OVERLOADED:
                yield (
                    f"  {row['scheme']}: only {row['answered']:.0%} of clips are ever answered "
                    f"({_losses(row)}): it does not keep up, and its queues are unstable or full"
                )
    if acts_on_deadline(scenario):
        yield "  (components act on the deadline: each was simulated by itself)"


def _if_few(row: dict[str, Any]) -> str:
    """Return that too few replications differ to know more than bounds, if so."""
    runs, differing = row["replications"], row.get(f"accuracy{DIFFERING}")
    if runs < 2 or differing is None or not too_few(np.asarray(differing), runs):
        return ""
    agree = f"only {differing} of {runs} replications differ"
    if differing == 0:
        agree = f"all {runs} replications agree"
    return f" ({agree}: more is not known)"


def _if_alike(difference: dict[str, Any]) -> str:
    """Return that two schemes cannot be told apart, if the interval is on both sides of zero."""
    low, high = _interval(difference, "difference")
    return " (cannot be told apart)" if low <= 0.0 <= high else ""


def _losses(row: dict[str, Any]) -> str:
    """Return where clips without an answer were lost, the most frequent first."""
    shares = sorted(((row.get(name, 0.0), words) for name, words in _LOSSES.items()), reverse=True)
    return ", ".join(f"{share:.0%} {words}" for share, words in shares if share >= 0.005)


def interval_text(row: dict[str, Any], name: str) -> str:
    """Return the total interval, or the one over replications where there is none."""
    low, high = _interval(row, name)
    if math.isnan(low):
        return "[one replication: no interval]"
    sign = "+" if name == "difference" else ""
    return f"[{low:{sign}.3f}, {high:{sign}.3f}]"


def _interval(row: dict[str, Any], name: str) -> tuple[float, float]:
    """Return the total interval, or the one over replications; NaN where there is none."""
    kind = "" if math.isnan(row[f"{name}_total_lo"]) else "_total"
    return row[f"{name}{kind}_lo"], row[f"{name}{kind}_hi"]


def _at(table: pd.DataFrame, deadline_s: float) -> pd.DataFrame:
    return table[(table["deadline_s"] - deadline_s).abs() <= SAME_S]


def _one(table: pd.DataFrame, point: dict[str, Any], scheme: str) -> dict[str, Any] | None:
    if not len(table):
        return None
    for path, value in {**point, "scheme": scheme}.items():
        table = table[table[path] == value]
    return table.iloc[0].to_dict() if len(table) else None
