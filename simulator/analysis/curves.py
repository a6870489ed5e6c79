"""What a run says: accuracy and reliability against deadline, differences, where time goes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fadeline.simulator.analysis.intervals import Estimates, estimates, standard_errors
from fadeline.simulator.engine.records import (
    DONE,
    LOCAL,
    OUTCOMES,
    WAY,
    Columns,
)
from fadeline.simulator.errors import FadelineError
from fadeline.simulator.scenario.deadlines import SAME_S
from fadeline.simulator.streams import Streams

Floats = NDArray[np.float64]

STAGES = (
    "wait to encode",
    "encode",
    "wait to send",
    "on the air",
    "to the edge",
    "wait at the edge",
    "infer",
    "back",
)
"""Parts of a clip's way, in their order."""


JUDGED_BY = (
    *WAY, "counted", "replication", "data_index", "outcome", "correct", "lost_in", "energy_j",
    "payload_bits",
)  # fmt: skip
"""Columns of `clips.parquet` that schemes are judged by."""

Table = dict[str, Any]
"""Columns of a table of results; a single value holds for all rows."""

DIFFERING = "_differing"
"""Ending of columns that count the replications whose value differs from the most common one."""


@dataclass(frozen=True)
class Judged:
    """The counted clips of one scheme at one point of a sweep.

    Attributes:
        rows: Of `clips.parquet`, in the order of replication, device and clip.
        latency_s: From birth to answer; infinite where there is none.
        runs: Replications, those without a counted clip included.
    """

    rows: Columns
    latency_s: Floats
    runs: int

    @classmethod
    def of(cls, clips: pd.DataFrame | Columns, runs: int) -> "Judged":
        """Take the counted ones of a scheme's clips in so many replications.

        Args:
            clips: Columns of `clips.parquet`; those that are not judged by may be missing.
            runs: Replications.

        Raises:
            FadelineError: If there is none.
        """
        counted = np.asarray(clips["counted"], dtype=np.bool_)
        rows = {name: np.asarray(clips[name])[counted] for name in JUDGED_BY if name in clips}
        if not counted.any():
            raise FadelineError(
                "no clip is counted: none is born in [warmup_s, duration_s); make duration_s "
                "longer or the arrival rate higher"
            )
        answered = (rows["outcome"] == DONE) | (rows["outcome"] == LOCAL)
        latency_s = rows["done_s"] - rows["born_s"]
        return cls(rows, np.where(answered, latency_s, np.inf), runs)

    def __len__(self) -> int:
        """Return the number of clips."""
        return len(self.latency_s)

    def in_time(self, deadlines_s: Sequence[float]) -> NDArray[np.bool_]:
        """Return which clips are answered within each deadline, shape (n, D)."""
        limits_s = np.asarray(deadlines_s)[None, :] + SAME_S
        within: NDArray[np.bool_] = self.latency_s[:, None] <= limits_s
        return within

    def right(self, deadlines_s: Sequence[float]) -> NDArray[np.bool_]:
        """Return which are answered rightly within each deadline, shape (n, D)."""
        correct: NDArray[np.bool_] = self.rows["correct"].astype(np.bool_)[:, None]
        return self.in_time(deadlines_s) & correct

    def estimated(
        self, values: NDArray[np.bool_] | NDArray[np.int8], rng: np.random.Generator
    ) -> Estimates:
        """Return means of values of the clips, shape (n, D), with intervals."""
        return estimates(
            values.astype(np.int8),
            self.rows["replication"],
            self.rows["data_index"],
            rng,
            range_=(0.0, 1.0) if values.dtype == np.bool_ else (-1.0, 1.0),
        )

    def standard_errors(self, values: NDArray[np.bool_] | NDArray[np.int8]) -> Floats:
        """Return the standard errors over replications of means of values, (n, D) to (D,)."""
        return standard_errors(values.astype(np.int8), self.rows["replication"])


def interval_draws(seed: int, scheme: str) -> np.random.Generator:
    """Return what the intervals of a scheme's accuracy draw from, in every place the same."""
    return Streams(seed).generator("interval", scheme)


def accuracy_rows(judged: Judged, deadlines_s: Sequence[float], rng: np.random.Generator) -> Table:
    """Return accuracy and reliability at each deadline: the columns of `accuracy.csv`.

    `..._band_lo` and `_hi` hold the whole curve at once. `..._differing` counts the replications
    whose value differs from the most common one. Intervals and bands draw from `rng`, those of the
    accuracy first.
    """
    columns: Table = {"deadline_s": list(deadlines_s)}
    parts = {"accuracy": judged.right(deadlines_s), "reliability": judged.in_time(deadlines_s)}
    for name, values in parts.items():
        estimate = judged.estimated(values, rng)
        columns |= _columns(name, estimate)
        low, high = estimate.band(rng)
        columns |= {
            f"{name}_band_lo": low.clip(0.0, 1.0),
            f"{name}_band_hi": high.clip(0.0, 1.0),
            f"{name}{DIFFERING}": estimate.differing,
        }
    return columns | {"clips": len(judged), "replications": judged.runs}


def paired_rows(
    judged: Judged, baseline: Judged, deadlines_s: Sequence[float], rng: np.random.Generator
) -> Table:
    """Return how much more accurate a scheme is than another on the same clips.

    `variance_saved` is the part of the variance that meeting the same clips, arrivals and fades
    takes from the difference: 1 - Var(A - B) / (Var A + Var B), over replications.
    """
    mine, theirs = judged.right(deadlines_s), baseline.right(deadlines_s)
    differences = mine.astype(np.int8) - theirs.astype(np.int8)
    estimate = judged.estimated(differences, rng)
    together = judged.standard_errors(differences) ** 2
    apart = judged.standard_errors(mine) ** 2 + baseline.standard_errors(theirs) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        saved = 1.0 - together / apart
    columns: Table = {"deadline_s": list(deadlines_s)}
    columns |= _columns("difference", estimate)
    columns |= {f"difference{DIFFERING}": estimate.differing}
    return columns | {"variance_saved": np.where(apart > 0, saved, np.nan)}


def stage_means_s(judged: Judged) -> dict[str, float]:
    """Return how long answered clips were in each stage on average, seconds."""
    answered = np.isfinite(judged.latency_s)
    borders = _borders(judged.rows)[answered]
    if not answered.any():
        return dict.fromkeys(STAGES, 0.0)
    local = judged.rows["outcome"][answered] == LOCAL
    borders[local, 3:] = borders[local, 2:3]  # nothing happens after the device's answer
    return dict(zip(STAGES, np.diff(borders, axis=1).mean(axis=0).tolist(), strict=True))


def miss_rows(judged: Judged, deadlines_s: Sequence[float]) -> Table:
    """Return the share of clips that miss each deadline, by the stage they were in then.

    A clip that was lost before counts where it was lost.
    """
    borders = _borders(judged.rows)
    borders = np.where(np.isnan(borders), np.inf, borders) - borders[:, :1]
    encoded = np.isfinite(borders[:, 2])
    lost_in = np.full(len(judged), -1)
    for place, stage in (("device", 0), ("link", 3), ("edge", 5)):
        lost_in[judged.rows["lost_in"] == place] = stage
    lost_in = np.where((lost_in == 0) & encoded, 2, lost_in)
    late = ~judged.in_time(deadlines_s)
    columns: Table = {"deadline_s": list(deadlines_s)}
    shares = np.zeros((len(deadlines_s), len(STAGES)))
    for number, deadline_s in enumerate(deadlines_s):
        here = (borders[:, 1:] <= deadline_s).sum(axis=1).clip(max=len(STAGES) - 1)
        here = np.where(lost_in >= 0, np.minimum(here, lost_in), here)
        missed = late[:, number]
        shares[number] = np.bincount(here[missed], minlength=len(STAGES)) / len(late)
    return columns | dict(zip(STAGES, shares.T, strict=True))


_NO_ANSWER = tuple(name for name in OUTCOMES if name not in (DONE, LOCAL))


def summary(judged: Judged, report_at_s: float, counted_s: float) -> dict[str, float]:
    """Return one row of `summary.csv`: latencies, goodput and energy."""
    answered = judged.latency_s[np.isfinite(judged.latency_s)]
    right = judged.right([report_at_s])[:, 0]
    quantiles = np.quantile(answered, (0.5, 0.95, 0.99)) if len(answered) else [np.nan] * 3
    energy_j = float(judged.rows["energy_j"].sum())
    return {
        "clips": float(len(judged)),
        "answered": float(np.isfinite(judged.latency_s).mean()),
        **{name: float((judged.rows["outcome"] == name).mean()) for name in _NO_ANSWER},
        "latency_mean_s": float(answered.mean()) if len(answered) else np.nan,
        **dict(zip(("latency_p50_s", "latency_p95_s", "latency_p99_s"), quantiles, strict=True)),
        "payload_bits_mean": float(np.nanmean(judged.rows["payload_bits"])),
        "right_per_s": float(right.sum()) / (judged.runs * counted_s),
        "energy_per_clip_j": energy_j / len(judged),
        "energy_per_right_j": energy_j / right.sum() if right.any() else np.nan,
    }


def _borders(rows: Columns) -> Floats:
    """Return when each stage begins and the last ends, shape (n, 9).

    What is done while the clip is still filmed, or before the stage before has ended, takes none of
    the time that counts.
    """
    borders = np.stack([rows[name] for name in WAY], axis=1)
    ordered = np.maximum.accumulate(np.nan_to_num(borders, nan=-np.inf), axis=1)
    return np.where(np.isnan(borders), np.nan, ordered)


def deadline_for(rows: pd.DataFrame, accuracy: float) -> float:
    """Return the first deadline at which an accuracy is reached, between two by interpolation.

    Infinite if it never is.
    """
    found, deadlines_s = rows["accuracy"].to_numpy(), rows["deadline_s"].to_numpy()
    reached = np.flatnonzero(found >= accuracy)
    if not len(reached):
        return np.inf
    at = int(reached[0])
    if at == 0:
        return float(deadlines_s[0])
    part = (accuracy - found[at - 1]) / (found[at] - found[at - 1])
    return float(deadlines_s[at - 1] + part * (deadlines_s[at] - deadlines_s[at - 1]))


def area_under(rows: pd.DataFrame) -> float:
    """Return the mean accuracy over the deadlines, by trapezoids."""
    deadlines_s, found = rows["deadline_s"].to_numpy(), rows["accuracy"].to_numpy()
    if len(found) < 2:
        return float(found[0])
    return float(np.trapezoid(found, deadlines_s) / (deadlines_s[-1] - deadlines_s[0]))


def _columns(name: str, estimate: Estimates) -> dict[str, Floats]:
    return {
        name: estimate.mean,
        f"{name}_lo": estimate.low,
        f"{name}_hi": estimate.high,
        f"{name}_total_lo": estimate.total_low,
        f"{name}_total_hi": estimate.total_high,
    }
