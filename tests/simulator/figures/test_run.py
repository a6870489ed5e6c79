"""Figures of a run, from its tables."""

import numpy as np
import pandas as pd
import pytest

from fadeline.simulator.analysis.curves import STAGES
from fadeline.simulator.figures.run import accuracy_figure, misses_figure, sweep_figure


def table(**changes):
    columns = {
        "scheme": "a", "deadline_s": [0.01, 0.02, 0.03, 0.04, 0.05], "accuracy": 0.5,
        "reliability": 0.6, "replications": 10, "snr": [0, 1, 2, 3, 4],
        **{f"{name}_{end}": value for name in ("accuracy", "reliability")
           for end, value in (("band_lo", 0.4), ("band_hi", 0.7), ("total_lo", 0.4),
                              ("total_hi", 0.7), ("lo", 0.4), ("hi", 0.7),
                              ("differing", [0, 4, 8, 10, 10]))},
    }  # fmt: skip
    return pd.DataFrame(columns | changes)


def shaded(figure):
    (band,) = figure.axes[0].collections
    return np.concatenate([[], *(path.vertices[:, 0] for path in band.get_paths())])


def test_bands_are_shaded_where_replications_differ():
    across_ms = shaded(accuracy_figure(table(), "t", 0.03))
    assert [across_ms.min(), across_ms.max()] == [30.0, 50.0]
    across = shaded(sweep_figure(table(), "snr", "t"))
    assert [across.min(), across.max()] == [2, 4]


def test_bands_of_older_runs_are_shaded_everywhere():
    older = table().drop(columns=["accuracy_differing", "reliability_differing"])
    across_ms = shaded(accuracy_figure(older, "t", 0.03))
    assert [across_ms.min(), across_ms.max()] == [10.0, 50.0]


def test_a_single_replication_has_no_band():
    alone = table(replications=1, accuracy_band_lo=np.nan, accuracy_band_hi=np.nan)
    alone[["accuracy_differing", "reliability_differing"]] = 0
    assert shaded(accuracy_figure(alone, "t", 0.03)).size == 0


@pytest.mark.parametrize("schemes", [1, 2, 3, 4, 5, 7])
def test_panels_without_a_scheme_are_left_empty(schemes):
    rows = [
        {"scheme": f"s{number}", "deadline_s": at, **dict.fromkeys(STAGES, 0.1)}
        for number in range(schemes)
        for at in (0.01, 0.02)
    ]
    axes = misses_figure(pd.DataFrame(rows), "t").axes
    assert [axis.get_title() for axis in axes if axis.axison] == [f"s{n}" for n in range(schemes)]
