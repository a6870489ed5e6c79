"""Accuracy against ratio, from a table made by hand."""

import numpy as np
import pandas as pd
import pytest

from fadeline.models.errors import OutcomesError
from fadeline.models.hardware.network_work import NetworkWork
from fadeline.models.measurement.outcomes import (
    COLUMNS,
    UNCOMPRESSED,
    CodecFacts,
    Outcomes,
)
from fadeline.models.measurement.rate_accuracy import PairedDifference, rate_accuracy

WORK = NetworkWork(1, 2, 3)


def point(ratio, packets=1):
    return {
        "ratio": ratio, "frames": 1, "positions": 1, "channels": 1, "radius": 1, "packets": packets,
    }  # fmt: skip


def outcomes(answers, points):
    """Make a table of (codec, classifier, operating point, packets) -> right or not, bytes."""
    rows = []
    for (codec, classifier, number, packets), (right, length) in answers.items():
        rows += [
            {
                "codec": codec, "classifier": classifier, "operating_point": number,
                "packets": packets, "data_index": index, "bytes": length, "label": 0,
                "predicted": int(not ok), "confidence": 0.5, "psnr_db": 20.0, "correct": ok,
            }
            for index, ok in enumerate(right)
        ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=[*COLUMNS]).sample(frac=1.0, random_state=1)
    facts = {}
    for name, p in points.items():
        times_s = [0.1] * len(p)
        facts[name] = CodecFacts(p, {}, WORK, WORK, times_s, times_s, times_s, times_s, 4e7)
    return Outcomes("d", "1", "x", ["a", "b"], 1000, "v", WORK, 0.01, facts, frame)


def test_rows_hold_ratio_accuracy_and_paired_differences():
    good, bad = np.arange(100) < 90, np.arange(100) < 60
    table = outcomes(
        {
            (UNCOMPRESSED, "frozen", 0, 1): (np.arange(100) < 95, 1000),
            ("stae", "own", 0, 1): (good, 10),
            ("stae", "own", 1, 1): (bad, 4),  # a prefix
            ("stae", "own", 1, 2): (good, 8),
            ("deepisc", "own", 0, 1): (bad, 10),
            ("deepisc", "frozen", 0, 1): (~good, 10),
        },
        {"stae": [point(100.0), point(50.0, packets=2)], "deepisc": [point(100.0)]},
    )
    rows = rate_accuracy(table).set_index(["codec", "classifier", "aimed_ratio"])
    plain = rows.loc[UNCOMPRESSED].iloc[0]
    assert (plain.ratio, plain.accuracy) == (1.0, 0.95)
    assert len(rows) == 5
    stae = rows.loc[("stae", "own", 100.0)]
    assert (stae.ratio, stae.ratio_to_float32, stae.accuracy) == (100.0, 400.0, 0.9)
    assert stae.uncompressed_difference == pytest.approx(-0.05)
    assert stae.deepisc_difference == pytest.approx(0.3)
    assert stae.deepisc_ratio == 100.0
    assert 0.0 < stae.deepisc_difference_lo < 0.3 < stae.deepisc_difference_hi
    assert np.isnan(rows.loc[("deepisc", "own", 100.0)].deepisc_difference)
    several = rows.loc[("stae", "own", 50.0)]  # the whole stream, not its prefix
    assert (several.packets, several.ratio, several.accuracy) == (2, 125.0, 0.9)


def test_rows_of_other_clips_are_refused():
    right = np.arange(100) < 90
    with pytest.raises(OutcomesError, match="rows of stae are not of the same clips"):
        rate_accuracy(
            outcomes(
                {
                    (UNCOMPRESSED, "frozen", 0, 1): (right, 1000),
                    ("stae", "own", 0, 1): (right[:50], 10),
                },
                {"stae": [point(100.0)]},
            )
        )


def test_pairs_narrow_the_interval():
    """The same two shares differ more surely the more often both are right about the same clips."""
    rng = np.random.default_rng(1)
    one = rng.random(400) < 0.8
    alike = one & (rng.random(400) < 0.95)
    unrelated = rng.permutation(alike)
    near = PairedDifference.of(one, alike)
    far = PairedDifference.of(one, unrelated)
    assert near.value == pytest.approx(far.value)
    assert near.interval[0] > 0.0
    assert near.interval[1] - near.interval[0] < 0.7 * (far.interval[1] - far.interval[0])


def test_who_comes_first_only_turns_the_sign():
    low, high = PairedDifference(36, 12, 2, 0).interval
    assert PairedDifference(36, 2, 12, 0).interval == pytest.approx((-high, -low))


def test_an_interval_has_an_extent_where_all_agree():
    """As wide as that of one share: Wilson's lower end of 50 of 50 is 0.9287."""
    assert PairedDifference(50, 0, 0, 0).interval == pytest.approx((-0.0713, 0.0713), abs=1e-4)


def test_intervals_hold_the_truth_as_often_as_they_say():
    """Coverage 95 % within four standard errors over 2,000 draws of 200 paired clips."""
    rng = np.random.default_rng(7)
    held = 0
    for _ in range(2000):
        kind = rng.choice(4, size=200, p=[0.7, 0.12, 0.05, 0.13])
        low, high = PairedDifference(*np.bincount(kind, minlength=4)).interval
        held += low <= 0.07 <= high
    assert held / 2000 == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / 2000))
