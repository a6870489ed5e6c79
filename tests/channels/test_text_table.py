"""Text tables: how they are laid out, and what is in their cells."""

import pytest

from fadeline.channels.text_table import (
    TextTableError,
    as_number,
    decoded,
    find_layout,
    nearest_name,
    read_cells,
)


@pytest.mark.parametrize(
    ("text", "names", "delimiter", "decimal"),
    [
        ("a,b\n1,2\n", ("a", "b"), ",", "."),
        ("a;b\n1,5;2\n", ("a", "b"), ";", ","),
        ("a;b\n1;2\n3,5;4\n", ("a", "b"), ";", ","),
        ("a\tb\n1.5\t2\n", ("a", "b"), "\t", "."),
        ("a|b\n1|2\n", ("a", "b"), "|", "."),
        ("  a   b\n1 2\n", ("a", "b"), " ", "."),
        ("Time of day,SNR (dB)\n1,2\n", ("Time of day", "SNR (dB)"), ",", "."),
        ('"a, b";"c"\n"1, 2";3\n', ("a, b", "c"), ";", "."),
        ("'a' , b\n1,2\n", ("a", "b"), ",", "."),
        ("# a,b\n1,2\n", ("a", "b"), ",", "."),
        ("# note\n#a,b\n1,2\n", ("a", "b"), ",", "."),
        ("# note, long\na,b\n1,2\n", ("a", "b"), ",", "."),
        ("\n\na,b\n1,2\n", ("a", "b"), ",", "."),
        ("#,a\n1,2\n", ("", "a"), ",", "."),
        (",a,b\n0,1,2\n", ("", "a", "b"), ",", "."),
        ("a,b", ("a", "b"), ",", "."),
        ("alone\n1\n", ("alone",), ",", "."),
        ("a b c\n1 2\n", ("a", "b", "c"), " ", "."),
    ],
)
def test_layouts(text, names, delimiter, decimal):
    layout = find_layout(text)
    assert (layout.names, layout.delimiter, layout.decimal) == (names, delimiter, decimal)


def test_a_separator_that_is_known_is_taken():
    assert find_layout("a;b,c\n1;2,3\n", ";").names == ("a", "b,c")


@pytest.mark.parametrize("text", ["", "\n \n", "1,2\n3,4\n", "2020-01-01,5\n", "\n1.5;2\n"])
def test_a_table_without_a_header_is_refused(text):
    with pytest.raises(TextTableError, match="no header line"):
        find_layout(text)


def test_cells_come_with_their_lines():
    text = '# note\na, b ,c\n1, 2 ,3\n\n# another\n4,"5,5",6\n7,8,9,\n'
    layout = find_layout(text)
    assert read_cells(text, layout, [1, 0]) == ([["2", "5,5", "8"], ["1", "4", "7"]], [3, 6, 7])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n3\n", "line 3: has 1 cells where the header has 2"),
        ("a,b\n1,2\n3,4,5\n", "line 3: has 3 cells where the header has 2"),
        ("a b c\n1 2 3\n1 2 3 4\n", "line 3: has 4 cells where the header has 3"),
    ],
)
def test_ragged_rows_are_refused(text, message):
    with pytest.raises(TextTableError, match=message):
        read_cells(text, find_layout(text), [0])


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_texts_in_several_codings(coding):
    assert decoded("Straße,°\n".encode(coding)) == "Straße,°\n"


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"PK\x03\x04...", "is a spreadsheet or archive; save the sheet as CSV"),
        (b"\x1f\x8b...", "is compressed; unpack it first"),
        (b"PAR1...", "is a Parquet file"),
        (b"a\0b", "is a binary file"),
        (b"\xff\xfea", "is not utf-16 text"),
        (b"\x81", "is not cp1252 text"),
    ],
)
def test_what_is_no_text_is_refused(raw, message):
    with pytest.raises(TextTableError, match=message):
        decoded(raw)


def test_numbers_and_names():
    assert [as_number(cell, ".") for cell in ("1e3", "-inf", "1,5", "x", "")] == [
        1000.0, float("-inf"), None, None, None,
    ]  # fmt: skip
    assert as_number("-1,5", ",") == -1.5
    assert nearest_name("snr_db", ["Time", "SNR [dB]"]) == "SNR [dB]"
    assert nearest_name("snr_db", ["Time", "Cell"]) is None
