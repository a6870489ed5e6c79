"""Where a simulation has warmed up: MSER-5."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from fadeline.simulator.scenario.deadlines import SAME_S

_BATCH = 5


def mser5_s(rows: pd.DataFrame, duration_s: float, swept: Sequence[str] = ()) -> float:
    """Return the time from which clips should count, the latest over all schemes, seconds.

    The series is the latency of the k-th clip born in a replication, averaged over replications;
    a clip without an answer takes as long as clips are born.

    Args:
        rows: Of `clips.parquet`, all clips born before `duration_s` counted.
        duration_s: Clips born later never count.
        swept: Names of the columns of a sweep.

    Source:
        White, Cobb and Spratt, "A Comparison of Five Steady-State Truncation Heuristics for
        Simulation", Winter Simulation Conference, 2000: batches of 5, the truncation with the
        smallest standard error of what is left, none in the second half.
    """
    rows = rows[rows["born_s"] < duration_s]
    keys = [*swept, "acted_deadline_s", "scheme"]
    firsts = [_truncation_s(group) for _, group in rows.groupby(keys, dropna=False, sort=False)]
    return max(firsts, default=0.0)


def _truncation_s(rows: pd.DataFrame) -> float:
    end_s = rows["born_s"].max()
    ordered = rows.sort_values(["replication", "born_s"], kind="stable")
    latency_s = (ordered["done_s"] - ordered["born_s"]).fillna(end_s)
    place = ordered.groupby("replication").cumcount()
    length = int(place.groupby(ordered["replication"]).max().min()) + 1
    series = latency_s.groupby(place).mean().to_numpy()[:length]
    born_s = ordered["born_s"].groupby(place).mean().to_numpy()[:length]
    batches = len(series) // _BATCH
    if batches < 2:
        return 0.0
    means = series[: batches * _BATCH].reshape(batches, _BATCH).mean(axis=1)
    cut = truncation(means)
    return 0.0 if cut == 0 else float(born_s[cut * _BATCH])


def truncation(means: np.ndarray) -> int:
    """Return how many batch means, in seconds, to leave out at the start.

    Example:
        >>> truncation(np.array([9.0, 5.0, 1.0, 1.1, 0.9, 1.0, 1.1, 0.9]))
        2
    """
    left = np.arange(len(means), 0, -1)
    means = means - means[-1]  # where nothing varies any more, nothing but rounding is left
    sums, squares = (np.cumsum(values[::-1])[::-1] for values in (means, means**2))
    errors = (squares - sums**2 / left) / left**2
    return int(np.argmin(np.maximum(errors, SAME_S**2)[: len(means) // 2 + 1]))
