"""Outcome tables: there and back, and what is refused."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from fadeline.models.errors import OutcomesError
from fadeline.models.hardware.network_work import NetworkWork
from fadeline.models.measurement.outcomes import (
    COLUMNS,
    UNCOMPRESSED,
    CodecFacts,
    Outcomes,
    read_outcomes,
    refuse_other_outcomes,
    shipped_checksums,
    what_changed,
    write_outcomes,
)

POINTS = [
    {"ratio": 10.0, "frames": 4, "positions": 8, "channels": 1, "radius": 3, "packets": 1},
    {"ratio": 40.0, "frames": 4, "positions": 8, "channels": 1, "radius": 3, "packets": 2},
]


def made(codec="stae", clips=6, **changes):
    rng = np.random.default_rng(1)

    def row(name, classifier, point, packets, index):
        answer = int(rng.integers(3))
        return {
            "codec": name,
            "classifier": classifier,
            "operating_point": point,
            "packets": packets,
            "data_index": index,
            "bytes": int(rng.integers(5, 90)),
            "frame_bytes": None if name == UNCOMPRESSED else [1, 2, 3, 0],
            "label": index % 3,
            "predicted": answer,
            "confidence": rng.random(),
            "attention": None if name == UNCOMPRESSED else rng.random(),
            "psnr_db": None if name == UNCOMPRESSED else 20.0,
            "correct": answer == index % 3,
        }

    rows = [row(UNCOMPRESSED, "frozen", 0, 1, index) for index in range(clips)]
    for classifier in ("frozen", "own"):
        for point, packets in ((0, 1), (1, 1), (1, 2)):
            rows += [row(codec, classifier, point, packets, index) for index in range(clips)]
    facts = CodecFacts(
        POINTS, {"codec": "c0", "classifier": "c1"}, NetworkWork(10, 20, 5), NetworkWork(20, 30, 6),
        [0.1, 0.2], [0.3, 0.4], [0.01, 0.02], [0.03, 0.04], 4e7,
    )  # fmt: skip
    given = {
        "data": "actions/val",
        "data_version": "2",
        "data_checksum": "d0",
        "classes": ["a", "b", "c"],
        "raw_bytes": 1000,
        "classifier": "v0",
        "classifier_work": NetworkWork(30, 40, 7),
        "reference_network_s": 0.01,
        "codecs": {codec: facts},
        "rows": pd.DataFrame(rows, columns=[*COLUMNS]),
    }
    return Outcomes(**given | changes)


def test_a_table_comes_back_as_it_was(tmp_path):
    outcomes = made()
    write_outcomes(outcomes, tmp_path / "t.parquet")
    again = read_outcomes(tmp_path / "t.parquet")
    assert again.header() == outcomes.header()
    assert [*again.rows.columns] == [*COLUMNS]
    for name in ("codec", "operating_point", "packets", "data_index", "bytes", "correct"):
        assert again.rows[name].tolist() == outcomes.rows[name].tolist()
    assert np.allclose(again.rows.confidence, outcomes.rows.confidence, atol=1e-6)
    assert again.rows.frame_bytes.iloc[0] is None
    assert again.rows.frame_bytes.iloc[-1].tolist() == [1, 2, 3, 0]
    assert not [*tmp_path.glob(".fadeline*")]


def test_a_networks_time_is_what_is_left_of_the_whole_at_the_middle_point():
    facts = replace(
        made().codecs["stae"], encode_s=[0.5, 0.3, 0.2], encode_serial_s=[0.1, 0.1, 0.1],
        decode_s=[0.4], decode_serial_s=[0.3],
    )  # fmt: skip
    assert facts.encoder_s == pytest.approx(0.2)
    assert facts.decoder_s == pytest.approx(0.1)


def test_what_is_no_table_is_refused(tmp_path):
    path = tmp_path / "t.parquet"
    with pytest.raises(OutcomesError, match="no such outcome table"):
        read_outcomes(path)
    path.write_bytes(b"PAR1 nonsense")
    with pytest.raises(OutcomesError, match="no readable outcome table"):
        read_outcomes(path)
    write_outcomes(made(), path)
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata({}), path)
    with pytest.raises(OutcomesError, match="no readable outcome table"):
        read_outcomes(path)
    header = json.dumps(made().header() | {"format": 99})
    pq.write_table(table.replace_schema_metadata({b"fadeline": header}), path)
    with pytest.raises(OutcomesError, match="has format 99, this version reads 3"):
        read_outcomes(path)
    pq.write_table(table.drop_columns(["bytes"]), path)
    with pytest.raises(OutcomesError, match="bytes"):
        read_outcomes(path)


def test_a_table_of_something_else_is_refused():
    outcomes = made()
    now: dict[str, Any] = {"data_version": "2", "weights": {"stae": "c0", "frozen": "v0"}}
    refuse_other_outcomes(outcomes, "t", **now)
    with pytest.raises(OutcomesError, match="version 2 of actions/val, which now has version 3"):
        refuse_other_outcomes(outcomes, "t", **now | {"data_version": "3"})
    with pytest.raises(OutcomesError, match="other weights of stae; measure it again"):
        refuse_other_outcomes(outcomes, "t", **now | {"weights": {"stae": "c9"}})
    for name in ("frozen", "stae own"):
        with pytest.raises(OutcomesError, match=f"other weights of {name}"):
            refuse_other_outcomes(outcomes, "t", **now | {"weights": {name: "v9"}})


def test_codecs_that_are_not_shipped_have_no_checksum():
    assert set(shipped_checksums([])) == {"frozen"}
    with pytest.raises(OutcomesError, match=r"the card of h264-actions\.safetensors is missing"):
        shipped_checksums(["h264"])


def test_reading_needs_no_torch():
    import subprocess
    import sys

    code = (
        "import sys, fadeline.models.measurement.outcomes as o;"
        "import fadeline.models.measurement.rate_accuracy;"
        "t = o.shipped_outcomes(); [o.read_outcomes(p) for p in t.values()];"
        "print('torch' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("label", 3, "label must be a position in its list of 3 classes"),
        ("predicted", -1, "predicted must be a position in its list of 3 classes"),
        ("correct", True, "correct must be whether label and predicted are the same"),
    ],
)
def test_answers_that_are_no_classes_of_the_table_are_refused(tmp_path, column, value, message):
    outcomes = made()
    wrong = outcomes.rows.index[outcomes.rows.label != outcomes.rows.predicted][0]
    outcomes.rows.loc[wrong, column] = value
    write_outcomes(outcomes, tmp_path / "t.parquet")
    with pytest.raises(OutcomesError, match=message):
        read_outcomes(tmp_path / "t.parquet")


def test_other_classes_are_a_change():
    outcomes = made()
    now: dict[str, Any] = {"data_version": outcomes.data_version, "weights": {}}
    assert what_changed(outcomes, **now, classes=outcomes.classes) == ""
    assert "other classes" in what_changed(outcomes, **now, classes=outcomes.classes[::-1])
