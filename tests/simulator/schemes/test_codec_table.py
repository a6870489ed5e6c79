"""Tables of users' own codecs: which are read, and what is said of the others."""

import numpy as np
import pandas as pd
import pytest

from fadeline.simulator.errors import FadelineError
from fadeline.simulator.schemes.codec_table import TABLE_COLUMNS, read_codec_table

ROWS = {
    "data_index": [2, 0, 1], "payload_bits": [20, 0, 10], "correct": [True, False, True],
    "encode_s": [0.25, 0.0, 0.125], "infer_s": [0.5, 0.0, 0.0625],
}  # fmt: skip


def frame(**changes):
    return pd.DataFrame({n: v for n, v in (ROWS | changes).items() if v is not None})


@pytest.fixture
def parquet(tmp_path):
    """Return a function that writes a table as Parquet and gives its path."""

    def write(**changes):
        frame(**changes).to_parquet(tmp_path / "mine.parquet")
        return tmp_path / "mine.parquet"

    return write


@pytest.fixture
def text(tmp_path):
    """Return a function that writes a text as CSV and gives its path."""

    def write(content, name="mine.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def is_sorted_rows(columns):
    assert list(columns) == list(TABLE_COLUMNS)
    order = np.argsort(np.array(ROWS["data_index"]))
    return all((columns[name] == np.array(ROWS[name], float)[order]).all() for name in columns)


def test_parquet_is_read_in_the_order_of_the_clips(parquet):
    assert is_sorted_rows(read_codec_table(parquet()))
    assert is_sorted_rows(read_codec_table(parquet(note=["a", "b", "c"])))


HEADER = "data_index,payload_bits,correct,encode_s,infer_s"
BODY = "2,20,{true},0.25,0.5\n0,0,{false},0.0,0\n1,10,{true},0.125,6.25e-2\n"
PLAIN = HEADER + "\n" + BODY.format(true=1, false=0)
COMMAS = PLAIN.replace(",", ";").replace(".", ",")


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        COMMAS,
        COMMAS.replace(";", "\t"),
        *(
            HEADER + "\n" + BODY.format(true=true, false=false)
            for true, false in (("TRUE", "FALSE"), ("true", "false"), ("True", "False"))
        ),
        PLAIN.encode("utf-8-sig"),
        PLAIN.encode("utf-16"),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.rstrip("\n"),
        PLAIN.replace(HEADER, ", ".join(f'"{name}"' for name in TABLE_COLUMNS)),
        PLAIN.replace(HEADER, HEADER.upper()),
        "# of my codec\n" + PLAIN,
        frame().to_csv(),
        frame().to_csv(index=False),
        frame().to_csv(sep=";", decimal=","),
        frame(note=["a, b", "#", "c"]).to_csv(),
    ],
)
def test_a_text_is_as_good_as_parquet(text, content):
    assert is_sorted_rows(read_codec_table(text(content)))


@pytest.mark.parametrize("name", ["mine.tsv", "mine.txt", "MINE.CSV"])
def test_other_names_of_texts(text, name):
    assert is_sorted_rows(read_codec_table(text(PLAIN.replace(",", "\t"), name)))


def test_parquet_is_known_by_its_start(parquet, tmp_path):
    path = parquet().rename(tmp_path / "mine.csv")
    assert is_sorted_rows(read_codec_table(path))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"correct": None}, "has no column correct; needs data_index, payload_bits"),
        ({"payload_bits": [1, 2, -3]}, "row 2: payload_bits is -3"),
        ({"encode_s": [0.0, float("nan"), 0.0]}, "row 1: encode_s is nan"),
        ({"infer_s": ["a", "b", "c"]}, "column infer_s must hold numbers"),
        ({"correct": [0, 1, 2]}, "row 2: correct is 2.0; must be true or false"),
        ({"data_index": [1, 1, 2]}, "a data_index occurs twice"),
        ({"payload_bits": None, "payload_bytes": [1, 2, 3]}, "did you mean payload_bits"),
    ],
)
def test_a_bad_parquet_table_is_refused(parquet, changes, message):
    with pytest.raises(FadelineError, match=message):
        read_codec_table(parquet(**changes))


def test_no_table_at_all_is_refused(text):
    with pytest.raises(FadelineError, match="no readable Parquet file"):
        read_codec_table(text("nonsense", "mine.parquet"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            PLAIN.replace("payload_bits", "payload_bytes"),
            "has no column payload_bits; needs data_index, payload_bits, correct, encode_s, "
            "infer_s; has data_index, payload_bytes, correct, encode_s, infer_s; payload_bytes: "
            r"did you mean payload_bits \(bytes x 8\)\?$",
        ),
        (
            PLAIN.replace("encode_s", "encode_ms").replace("correct", "Correctly"),
            "has no column correct, encode_s; .* Correctly: did you mean correct.; encode_ms: did "
            r"you mean encode_s \(milliseconds / 1000\)\?$",
        ),
        (frame(infer_s=None).to_csv(), "has no column infer_s; .* has one without a name, data_i"),
        (PLAIN.replace("infer_s", "correct"), "has more than one column correct"),
        (PLAIN.replace("1,10", "1,many"), "line 4: column payload_bits must hold numbers; 'many'"),
        (PLAIN.replace("1,10", "1,"), "line 4: column payload_bits must hold numbers; ''"),
        (PLAIN.replace("10,1", "10,yes"), "'yes' is not true or false"),
        (PLAIN.replace("10,1", "10,2"), "row 2: correct is 2.0; must be true or false"),
        (PLAIN.replace("1,10", "1,10,5"), "line 4: has 6 cells where the header has 5"),
        (PLAIN.replace("1,10", "1,nan"), "payload_bits is nan; must be a finite number"),
        (PLAIN.replace("1,10", "2,10"), "a data_index occurs twice"),
        (HEADER + "\n", "has no clip"),
        (BODY.format(true=1, false=0), "is no readable CSV file: has no header line"),
        ("", "is no readable CSV file: has no header line"),
        (b"\x00\x01", "is no readable CSV file: is a binary file"),
        (b"PK\x03\x04", "is no readable CSV file: is a spreadsheet or archive; save the sheet as"),
    ],
)
def test_a_bad_text_is_refused(text, content, message):
    path = text(content)
    with pytest.raises(FadelineError, match=message) as refusal:
        read_codec_table(path)
    assert str(refusal.value).startswith(f"{path}: ")
