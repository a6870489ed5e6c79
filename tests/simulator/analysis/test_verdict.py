"""The verdict says where replications are too few to tell, in plain words."""

import numpy as np
import pandas as pd
import pytest

from fadeline.simulator.analysis.results import Results
from fadeline.simulator.analysis.verdict import verdict
from fadeline.simulator.loading.load import scenario_from_dict

SCENARIO = scenario_from_dict(
    {
        "name": "v", "duration_s": 10.0, "deadlines_s": [0.1], "report_at_s": 0.1,
        "clips": {"arrivals": {"kind": "periodic", "rate_hz": 1.0}},
        "channel": {"fading": {"kind": "awgn"}, "mean_snr_db": 10.0, "bandwidth_hz": 1e6},
        "devices": {"count": 1},
        "schemes": [{"codec": "constant", "name": name, "payload_bits": 1} for name in "ab"],
    }
)  # fmt: skip


def lines(*, differing, low=-0.1, high=0.1, runs=10, without=()):
    accuracy = pd.DataFrame(
        {
            "scheme": ["a", "b"], "deadline_s": 0.1, "accuracy": 0.8, "accuracy_lo": 0.7,
            "accuracy_hi": 0.9, "accuracy_total_lo": np.nan, "accuracy_total_hi": np.nan,
            "accuracy_differing": differing, "replications": runs,
        }
    ).drop(columns=[*without])  # fmt: skip
    paired = pd.DataFrame(
        {
            "scheme": ["b"], "deadline_s": 0.1, "difference": 0.0, "difference_lo": -0.5,
            "difference_hi": 0.5, "difference_total_lo": low, "difference_total_hi": high,
            "baseline": "a",
        }
    )  # fmt: skip
    summary = pd.DataFrame({"scheme": ["a", "b"], "answered": 1.0})
    nothing = pd.DataFrame()
    return verdict(SCENARIO, Results(accuracy, paired, nothing, nothing, summary))[1:]


@pytest.mark.parametrize(
    ("differing", "said"),
    [
        (0, "(all 10 replications agree: more is not known)"),
        (3, "(only 3 of 10 replications differ: more is not known)"),
        (4, None),
    ],
)
def test_too_few_that_differ(differing, said):
    first, _ = lines(differing=differing)
    assert first.endswith("of clips rightly in time" if said is None else said)


@pytest.mark.parametrize(
    ("low", "high", "told"), [(-0.1, 0.1, False), (0.0, 0.2, False), (0.01, 0.2, True)]
)
def test_an_interval_on_both_sides_of_zero(low, high, told):
    _, second = lines(differing=9, low=low, high=high)
    assert second.endswith("against a (cannot be told apart)") is not told


def test_each_doubt_stands_after_its_interval():
    _, second = lines(differing=0)
    assert second.endswith(
        "in time (all 10 replications agree: more is not known); "
        "+0.000 [-0.100, +0.100] against a (cannot be told apart)"
    )


def test_a_single_replication_and_older_runs_have_no_doubts():
    assert "(" not in lines(differing=0, runs=1)[0]
    assert "(" not in lines(differing=0, without=["accuracy_differing"])[0]


@pytest.mark.parametrize(
    ("outcome", "words"),
    [("declined", "declined by the policy"), ("dropped_link", "lost on the link")],
)
def test_every_way_to_end_without_an_answer_is_named(outcome, words):
    nothing = pd.DataFrame()
    accuracy = pd.DataFrame(columns=["scheme", "deadline_s"])
    summary = pd.DataFrame({"scheme": ["a"], "answered": 0.3, outcome: 0.7})
    found = verdict(SCENARIO, Results(accuracy, nothing, nothing, nothing, summary))
    assert f"only 30% of clips are ever answered (70% {words})" in found[-1]
