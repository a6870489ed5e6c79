"""Text tables as people, loggers and spreadsheets write them.

The separator is found, not told: a comma, a semicolon, a tab, a bar, or blanks. Lines that begin
with ``#`` are comments; where the first line that is none holds numbers, the comment before it is
the header, as `numpy.savetxt` writes it.
"""

import csv
import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

DELIMITERS = ",;\t|"
"""Separators that are looked for; blanks are taken where none of them fits."""

MISSING = frozenset({"", "-", "--", "na", "n/a", "nan", "null", "none", "?"})
"""What cells hold, in any case, where nothing was measured."""

_NUMBER = re.compile(r"[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_HEAD = 200_000  # characters in which the header must stand (our choice)
_FIRST_ROWS = 100  # to tell decimal commas by (our choice)

_CODINGS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))
_FORMATS = (
    (b"PK\x03\x04", "a spreadsheet or archive; save the sheet as CSV, or unpack it"),
    (b"\x1f\x8b", "compressed; unpack it first"),
    (b"PAR1", "a Parquet file; give its name the ending .parquet"),
)


class TextTableError(ValueError):
    """A text is no table; the message says where, but does not name the file."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a text table is laid out.

    Attributes:
        names: Of the columns, as they are written, without quotes and blanks around.
        delimiter: One character; a blank stands for any number of blanks.
        decimal: The decimal mark, ``.`` or ``,``.
        body: Lines before the first row.
    """

    names: tuple[str, ...]
    delimiter: str
    decimal: str
    body: int


def decoded(raw: bytes) -> str:
    """Return the text in the bytes of a file: UTF-8, UTF-16 with its mark, or else Windows-1252.

    Raises:
        TextTableError: If it is no text.
    """
    for start, what in _FORMATS:
        if raw.startswith(start):
            raise TextTableError(f"is {what}")
    for mark, coding in _CODINGS:
        if raw.startswith(mark):
            return _as_text(raw, coding)
    if b"\0" in raw[:4096]:
        raise TextTableError("is a binary file, not a text table")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return _as_text(raw, "cp1252")


def _as_text(raw: bytes, coding: str) -> str:
    try:
        return raw.decode(coding)
    except UnicodeDecodeError as error:
        raise TextTableError(f"is not {coding} text: {error.reason}") from None


def find_layout(text: str, delimiter: str | None = None) -> Layout:
    r"""Return the layout of a text table.

    Args:
        text: The table; only its beginning is looked at.
        delimiter: The separator, if it is known.

    Raises:
        TextTableError: If it has no header.

    Example:
        >>> find_layout("# a walk\nTime; SNR\n0,5; 10\n").names
        ('Time', 'SNR')
    """
    head = text[:_HEAD].splitlines()
    header: tuple[int, str] | None = None
    for number, line in enumerate(head):
        if not line.strip():
            continue
        if line.lstrip().startswith("#"):
            header = number, line
            continue
        between = delimiter or _delimiter(line, line)
        if not any(_NUMBER.fullmatch(cell) for cell in _cells(line, between)):
            header = number, line
        break
    if header is None:
        raise TextTableError("has no header line with the names of the columns")
    number, line = header
    line = line.lstrip().removeprefix("#").strip("\r\n")
    whole = head if len(text) <= _HEAD else head[:-1]
    rows = [row for row in whole[number + 1 :] if _is_row(row)][:_FIRST_ROWS]
    between = delimiter or _delimiter(line, rows[0] if rows else None)
    commas = between != "," and any(
        _DECIMAL_COMMA.fullmatch(cell) for row in rows for cell in _cells(row, between)
    )
    names = tuple(name.strip().strip("\"'").strip() for name in _cells(line, between))
    return Layout(names, between, "," if commas else ".", number + 1)


def read_cells(
    text: str, layout: Layout, columns: Sequence[int]
) -> tuple[list[list[str]], list[int]]:
    """Return the cells of some columns, without blanks around, and the line of each row.

    Args:
        text: The whole table.
        layout: Of the table.
        columns: Positions of the columns.

    Raises:
        TextTableError: If a row has another number of cells than the header.
    """
    found: list[list[str]] = [[] for _ in columns]
    lines = []
    count = len(layout.names)
    for line, cells in _rows(text, layout):
        if len(cells) != count and not (len(cells) == count + 1 and not cells[-1].strip()):
            raise TextTableError(
                f"line {line}: has {len(cells)} cells where the header has {count}"
            )
        lines.append(line)
        for cell, column in zip(found, columns, strict=True):
            cell.append(cells[column].strip())
    return found, lines


def as_number(cell: str, decimal: str) -> float | None:
    """Return the number in a cell; None if it holds none.

    Example:
        >>> as_number("1,5", ","), as_number("-inf", "."), as_number("5 dB", ".")
        (1.5, -inf, None)
    """
    if "_" in cell:  # which Python takes for a mark between digits
        return None
    try:
        return float(cell.replace(",", ".", 1) if decimal == "," else cell)
    except ValueError:
        return None


def nearest_name(wanted: str, names: Iterable[str]) -> str | None:
    """Return the name nearest to a wanted one, whatever its case; None if none is near.

    Example:
        >>> nearest_name("snr_db", ["Time", "SNR dB"])
        'SNR dB'
    """
    folded = {name.casefold(): name for name in names}
    close = difflib.get_close_matches(wanted.casefold(), folded, n=1, cutoff=0.5)
    return folded[close[0]] if close else None


def _rows(text: str, layout: Layout) -> Iterator[tuple[int, list[str]]]:
    lines = text.splitlines()[layout.body :]
    if layout.delimiter == " ":
        for number, line in enumerate(lines, layout.body + 1):
            if _is_row(line):
                yield number, line.split()
        return
    reader = csv.reader(lines, delimiter=layout.delimiter, skipinitialspace=True)
    try:
        for cells in reader:
            if any(map(str.strip, cells)) and not cells[0].startswith("#"):
                yield layout.body + reader.line_num, cells
    except csv.Error as error:
        raise TextTableError(f"line {layout.body + reader.line_num}: {error}") from None


def _is_row(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _delimiter(header: str, row: str | None) -> str:
    """Return the separator by which a header and a row have most cells, and as many."""
    counts = {mark: len(_cells(header, mark)) for mark in DELIMITERS}
    for mark in sorted(counts, key=lambda mark: -counts[mark]):
        if counts[mark] > 1 and (row is None or len(_cells(row, mark)) == counts[mark]):
            return mark
    blanks = len(header.split())
    if blanks > 1 and (row is None or blanks == len(row.split()) or max(counts.values()) == 1):
        return " "
    return max(counts, key=lambda mark: counts[mark])


def _cells(line: str, delimiter: str) -> list[str]:
    if delimiter == " ":
        return line.split()
    try:
        (cells,) = csv.reader([line], delimiter=delimiter, skipinitialspace=True)
    except csv.Error as error:
        raise TextTableError(f"is no table: {error}") from None
    return [cell.strip() for cell in cells]
