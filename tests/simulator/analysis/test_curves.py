"""Curves, counted by hand on a few clips and against closed forms."""

import math

import numpy as np
import pandas as pd
import pytest

from fadeline.simulator.analysis import curves
from fadeline.simulator.analysis.curves import (
    STAGES,
    Judged,
    area_under,
    deadline_for,
    interval_draws,
    stage_means_s,
    summary,
)
from fadeline.simulator.engine.records import WAY
from fadeline.simulator.errors import FadelineError

NAN = math.nan
RNG = np.random.default_rng(0)


def accuracy_rows(*given):
    return pd.DataFrame(curves.accuracy_rows(*given))


def miss_rows(*given):
    return pd.DataFrame(curves.miss_rows(*given))


def paired_rows(*given):
    return pd.DataFrame(curves.paired_rows(*given))


def clip(latency_s, *, right=True, outcome="done", replication=0, data_index=0, **others):
    """Return a clip born at 0.3 s that was answered so much later, and of which no more is known.

    0.3 + 0.1 is a little more than 0.4 in floating point, so that times are compared as they must.
    """
    return {
        **dict.fromkeys(WAY, NAN), "counted": True, "born_s": 0.3, "done_s": 0.3 + latency_s,
        "correct": right, "outcome": outcome, "replication": replication,
        "data_index": data_index, "lost_in": "", "payload_bits": 100.0, "energy_j": 0.5, **others,
    }  # fmt: skip


def judged(*clips, runs=None):
    rows = pd.DataFrame(clips)
    return Judged.of(rows, runs or int(rows["replication"].max()) + 1)


def way(*times_s, outcome="done", lost_in=""):
    """Return a clip by the times of its way, as far as it came."""
    times = dict(zip(WAY, [*times_s, *[NAN] * (len(WAY) - len(times_s))], strict=True))
    return clip(0.0, outcome=outcome, lost_in=lost_in, **times)


EIGHT = [
    clip(0.05), clip(0.15), clip(0.05, right=False), clip(NAN, outcome="dropped_device"),
    clip(0.1, outcome="local", replication=1), clip(0.15, right=False, replication=1),
    clip(0.25, replication=1), clip(0.01, outcome="unfinished", replication=1),
]  # fmt: skip
"""Of these 3, 5 and 6 are answered within 0.1, 0.2 and 0.3 s; 2, 3 and 4 of them rightly."""

ALL_THE_WAY = way(0.0, 0.01, 0.03, 0.04, 0.10, 0.11, 0.12, 0.14, 0.15)


# Accuracy and reliability


def test_accuracy_is_what_is_counted_by_hand():
    table = accuracy_rows(judged(*EIGHT), [0.1, 0.2, 0.3], RNG)
    assert table["reliability"].tolist() == [3 / 8, 5 / 8, 6 / 8]
    assert table["accuracy"].tolist() == [2 / 8, 3 / 8, 4 / 8]
    assert table["clips"].tolist() == [8, 8, 8]
    assert table["replications"].tolist() == [2, 2, 2]


def test_clips_that_do_not_count_change_nothing():
    with_others = [*EIGHT, clip(0.01, counted=False), clip(NAN, counted=False)]
    table = accuracy_rows(judged(*with_others), [0.1], RNG)
    assert (table["accuracy"][0], table["clips"][0]) == (2 / 8, 8)


def test_a_run_without_a_counted_clip_says_what_to_do():
    with pytest.raises(FadelineError, match=r"no clip is counted: .* make duration_s longer"):
        judged(clip(0.1, counted=False))


def test_intervals_and_bands_hold_the_mean():
    many = [clip(0.1 * (n % 4), replication=n % 10, data_index=n) for n in range(77)]
    table = accuracy_rows(judged(*many), [0.05, 0.15, 0.25], RNG)
    for name in ("accuracy", "reliability"):
        for end in ("", "_total", "_band"):
            assert (table[f"{name}{end}_lo"] <= table[name]).all()
            assert (table[name] <= table[f"{name}{end}_hi"]).all()
            assert table[f"{name}{end}_lo"].min() >= 0
            assert table[f"{name}{end}_hi"].max() <= 1


def test_a_schemes_intervals_always_draw_the_same():
    first, again, other = (interval_draws(1, name).random() for name in ("a", "a", "b"))
    assert first == again != other


# Differences


def test_a_paired_difference_is_what_is_counted_by_hand():
    mine = [clip(0.1, right=right, replication=n) for n, right in enumerate([1, 1, 0, 1])]
    theirs = [clip(0.1, right=right, replication=n) for n, right in enumerate([1, 0, 0, 1])]
    table = paired_rows(judged(*mine), judged(*theirs), [0.05, 0.1], RNG)
    assert table["difference"].tolist() == [0.0, 0.25]
    # Sample variances: 1/4 of the difference, 1/4 of mine, 1/3 of theirs.
    assert table["variance_saved"].tolist() == pytest.approx([NAN, 1 - 3 / 7], nan_ok=True)
    assert table["difference_lo"][1] <= 0.25 <= table["difference_hi"][1]


def test_a_difference_changes_its_sign_with_the_baseline():
    right, wrong = judged(clip(0.1), clip(0.1)), judged(clip(0.1, right=False), clip(0.1))
    assert paired_rows(right, wrong, [0.1], RNG)["difference"][0] == 0.5
    assert paired_rows(wrong, right, [0.1], RNG)["difference"][0] == -0.5


# Stages


def test_a_late_clip_misses_in_the_stage_that_it_is_in():
    table = miss_rows(judged(ALL_THE_WAY), [0.005, 0.02, 0.05, 0.145, 0.15])
    found = table.set_index("deadline_s")[list(STAGES)]
    assert found.idxmax(axis=1).tolist()[:4] == [
        "wait to encode", "encode", "on the air", "back",
    ]  # fmt: skip
    assert found.sum(axis=1).tolist() == [1, 1, 1, 1, 0]


@pytest.mark.parametrize(
    ("lost", "stage"),
    [
        (way(0.0, outcome="dropped_device", lost_in="device"), "wait to encode"),
        (way(0.0, 0.01, 0.02, outcome="dropped_device", lost_in="device"), "wait to send"),
        (way(0.0, 0.01, 0.02, 0.03, outcome="dropped_link", lost_in="link"), "on the air"),
        (
            way(0.0, 0.01, 0.02, 0.03, 0.04, 0.05, outcome="dropped_edge", lost_in="edge"),
            "wait at the edge",
        ),
    ],
)
def test_a_lost_clip_misses_where_it_was_lost(lost, stage):
    table = miss_rows(judged(lost), [10.0])
    assert table[stage].tolist() == [1.0]


def test_misses_and_reliability_sum_to_one():
    lost = way(0.0, 0.01, 0.02, outcome="dropped_device", lost_in="device")
    all_ = judged(ALL_THE_WAY, lost, way(0.0, outcome="unfinished"), *EIGHT)
    deadlines_s = [0.01, 0.05, 0.1, 0.15, 0.2, 0.3, 1.0]
    misses = miss_rows(all_, deadlines_s)[list(STAGES)].sum(axis=1)
    reliability = accuracy_rows(all_, deadlines_s, RNG)["reliability"]
    assert (misses + reliability).tolist() == pytest.approx([1.0] * 7)
    assert 0 < reliability.iloc[0] + reliability.iloc[-1] < 2


def test_mean_times_of_the_stages():
    found = stage_means_s(judged(ALL_THE_WAY, way(0.0, outcome="unfinished")))
    assert list(found) == list(STAGES)
    assert list(found.values()) == pytest.approx([0.01, 0.02, 0.01, 0.06, 0.01, 0.01, 0.02, 0.01])


def test_what_is_done_while_a_clip_is_filmed_takes_no_time():
    found = stage_means_s(judged(way(1.0, 0.2, 0.9, 0.4, 1.1, 1.2, 1.2, 1.5, 1.6)))
    assert list(found.values()) == pytest.approx([0, 0, 0, 0.1, 0.1, 0, 0.3, 0.1])


def test_after_the_devices_own_answer_nothing_takes_time():
    local = way(0.0, 0.01, 0.05, NAN, NAN, NAN, NAN, NAN, 0.05, outcome="local")
    assert list(stage_means_s(judged(local)).values()) == pytest.approx([0.01, 0.04] + [0] * 6)


def test_without_an_answer_no_stage_has_a_time():
    found = stage_means_s(judged(way(0.0, outcome="unfinished")))
    assert found == dict.fromkeys(STAGES, 0.0)


# Summary


def test_a_summary_is_what_is_counted_by_hand():
    row = summary(judged(*EIGHT), report_at_s=0.2, counted_s=10.0)
    assert row["answered"] == 6 / 8
    assert (row["dropped_device"], row["dropped_edge"], row["unfinished"]) == (1 / 8, 0, 1 / 8)
    assert row["latency_mean_s"] == pytest.approx(0.75 / 6)
    assert row["latency_p50_s"] == pytest.approx(0.125)
    assert row["right_per_s"] == pytest.approx(3 / (2 * 10.0))
    assert row["energy_per_clip_j"] == pytest.approx(0.5)
    assert row["energy_per_right_j"] == pytest.approx(8 * 0.5 / 3)


def test_a_summary_without_an_answer_has_no_latency():
    row = summary(judged(clip(NAN, outcome="dropped_edge")), report_at_s=0.2, counted_s=1.0)
    assert math.isnan(row["latency_mean_s"])
    assert math.isnan(row["energy_per_right_j"])


# Whole curves


def curve(deadlines_s, accuracy):
    return pd.DataFrame({"deadline_s": deadlines_s, "accuracy": accuracy})


EXPONENTIAL_S = np.linspace(0.1, 0.6, 5001)
MEAN_S = 0.2


def exponential():
    """Return P(latency <= D) of an exponential latency."""
    return curve(EXPONENTIAL_S, 1.0 - np.exp(-EXPONENTIAL_S / MEAN_S))


def test_area_under_a_curve_is_that_of_its_closed_form():
    first, last = EXPONENTIAL_S[0], EXPONENTIAL_S[-1]
    missed = MEAN_S * (math.exp(-first / MEAN_S) - math.exp(-last / MEAN_S)) / (last - first)
    assert area_under(exponential()) == pytest.approx(1.0 - missed, abs=1e-7)


def test_area_weighs_deadlines_by_their_distance():
    assert area_under(curve([0.1, 0.2, 0.4], [0.0, 0.5, 1.0])) == pytest.approx(0.175 / 0.3)
    assert area_under(curve([0.1], [0.7])) == 0.7


@pytest.mark.parametrize("accuracy", [0.4, 0.5, 0.7, 0.9])
def test_deadline_for_an_accuracy_is_that_of_the_closed_form(accuracy):
    expected_s = max(-MEAN_S * math.log(1.0 - accuracy), 0.1)
    assert deadline_for(exponential(), accuracy) == pytest.approx(expected_s, abs=1e-7)


def test_deadline_for_an_accuracy_lies_between_two():
    rows = curve([0.1, 0.2, 0.4], [0.2, 0.6, 0.8])
    found = [deadline_for(rows, accuracy) for accuracy in (0.1, 0.4, 0.6, 0.7, 0.8, 0.9)]
    assert found == pytest.approx([0.1, 0.15, 0.2, 0.3, 0.4, math.inf])
