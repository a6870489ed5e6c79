"""The verdict: what a run says at the deadline that was fixed beforehand, in plain words."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from fadeline.simulator.results import Results, baseline_of
from fadeline.simulator.running import acted_deadlines_s
from fadeline.simulator.scenario import Scenario

UNSTABLE = 0.5
"""Share of clips with an answer below which a scheme is called overloaded (our choice)."""


def verdict(scenario: Scenario, results: Results) -> list[str]:
    """Return the verdict, a line for each scheme at each point of the sweep."""
    return list(_lines(scenario, results))


def _lines(scenario: Scenario, results: Results) -> Iterator[str]:
    swept, baseline = list(scenario.sweep), baseline_of(scenario)
    at = _at(results.accuracy, scenario.report_at_s)
    differences = _at(results.paired, scenario.report_at_s) if len(results.paired) else None
    for point, rows in _groups(at, swept):
        where = ", ".join(f"{path} = {value}" for path, value in point.items())
        yield f"At a deadline of {1e3 * scenario.report_at_s:g} ms" + (
            f", {where}:" if where else ":"
        )
        for row in rows.to_dict("records"):
            line = (
                f"  {row['scheme']} answers {row['accuracy']:.3f} {_interval(row, 'accuracy')} of "
                f"clips rightly in time"
            )
            if row["scheme"] != baseline and differences is not None:
                difference = _one(differences, point, row["scheme"])
                line += (
                    f"; {difference['difference']:+.3f} {_interval(difference, 'difference')} "
                    f"against {baseline}"
                )
            yield line
        summary = results.summary
        for path, value in point.items():
            summary = summary[summary[path] == value]
        for row in summary.to_dict("records"):
            if row["answered"] < UNSTABLE:
                yield (
                    f"  {row['scheme']}: only {row['answered']:.0%} of clips are ever answered; "
                    "the load is above what the device, the link or the edge can carry"
                )
    if acted_deadlines_s(scenario) != [None]:
        yield "  (components act on the deadline: each was simulated by itself)"


def _interval(row: dict[str, Any], name: str) -> str:
    """Return the total interval, or the one over replications where there is none."""
    for kind in ("_total", ""):
        low, high = row[f"{name}{kind}_lo"], row[f"{name}{kind}_hi"]
        if low == low and high == high:
            sign = "+" if name == "difference" else ""
            return f"[{low:{sign}.3f}, {high:{sign}.3f}]"
    return "[one replication: no interval]"


def _at(table: pd.DataFrame, deadline_s: float) -> pd.DataFrame:
    return table[(table["deadline_s"] - deadline_s).abs() < 1e-9]


def _groups(table: pd.DataFrame, swept: list[str]) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    if not swept:
        yield {}, table
        return
    for values, rows in table.groupby(swept, sort=False):
        yield dict(zip(swept, values, strict=True)), rows


def _one(table: pd.DataFrame, point: dict[str, Any], scheme: str) -> dict[str, Any]:
    for path, value in {**point, "scheme": scheme}.items():
        table = table[table[path] == value]
    found: dict[str, Any] = table.iloc[0].to_dict()
    return found
