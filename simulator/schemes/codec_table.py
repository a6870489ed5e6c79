"""A user's own codec as a table: what each clip's bits, answer and times were measured to be."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fadeline.channels.text_table import (
    Layout,
    TextTableError,
    as_number,
    decoded,
    find_layout,
    nearest_name,
    read_cells,
)
from fadeline.simulator.errors import FadelineError

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

TABLE_COLUMNS = ("data_index", "payload_bits", "correct", "encode_s", "infer_s")

_TRUE_FALSE = {"true": 1.0, "false": 0.0}
_CONVERSIONS = {
    "payload_bytes": ("payload_bits", "bytes x 8"),
    "encode_ms": ("encode_s", "milliseconds / 1000"),
    "infer_ms": ("infer_s", "milliseconds / 1000"),
}
"""Columns that hold the same in other units, and how to get ours."""


def read_codec_table(file: Path) -> dict[str, Floats]:
    """Return the columns of a user's own codec, in the order of data_index.

    Args:
        file: Parquet, or a text table with a header, such as CSV: with any separator, decimal
            commas, true and false as words or as 1 and 0, and other columns beside.

    Raises:
        FadelineError: If the file is unreadable, lacks a column, or holds what cannot be.
    """
    rows = _read_parquet(file) if _is_parquet(file) else _read_text(file)
    count = len(rows["data_index"])
    if not count:
        raise FadelineError(f"{file}: has no clip")
    for column, values in rows.items():
        wrong = ~(np.isfinite(values) & (values >= 0))
        if column == "correct":
            wrong |= ~np.isin(values, (0.0, 1.0))
        if wrong.any():
            row = int(wrong.argmax())
            raise FadelineError(
                f"{file}: row {row}: {column} is {values[row]}; must be "
                + ("true or false" if column == "correct" else "a finite number of at least 0")
            )
    order = rows["data_index"].argsort(kind="stable")
    if len(np.unique(rows["data_index"])) < len(order):
        raise FadelineError(f"{file}: a data_index occurs twice; each clip has one row")
    return {column: values[order] for column, values in rows.items()}


def _is_parquet(file: Path) -> bool:
    """Return whether a file is to be read as Parquet: by its start, or else by its name."""
    try:
        with file.open("rb") as stream:
            start = stream.read(4)
    except OSError:
        return True  # and its reader says what is wrong
    return start == b"PAR1" or file.suffix.lower() not in (".csv", ".tsv", ".txt")


def _read_parquet(file: Path) -> dict[str, Floats]:
    import pandas as pd

    try:
        rows = pd.read_parquet(file)
    except (OSError, ValueError) as error:
        raise FadelineError(f"{file}: is no readable Parquet file: {error}") from None
    _check_columns(file, [str(name) for name in rows.columns])
    ours = {name: str(name).casefold() for name in rows if str(name).casefold() in TABLE_COLUMNS}
    rows = rows.rename(columns=ours)
    return {column: _as_floats(file, rows, column) for column in TABLE_COLUMNS}


def _as_floats(file: Path, rows: "pd.DataFrame", column: str) -> Floats:
    try:
        values: Floats = rows[column].to_numpy(dtype=np.float64)
    except (TypeError, ValueError):
        raise FadelineError(f"{file}: column {column} must hold numbers") from None
    return values


def _read_text(file: Path) -> dict[str, Floats]:
    try:
        text = decoded(file.read_bytes())
        layout = find_layout(text)
        names = [name.casefold() for name in layout.names]
        _check_columns(file, layout.names)
        positions = [names.index(column) for column in TABLE_COLUMNS]
        cells, lines = read_cells(text, layout, positions)
    except (OSError, TextTableError) as error:
        raise FadelineError(f"{file}: is no readable CSV file: {error}") from None
    return {
        column: _numbers(file, column, found, lines, layout)
        for column, found in zip(TABLE_COLUMNS, cells, strict=True)
    }


def _numbers(file: Path, column: str, cells: list[str], lines: list[int], layout: Layout) -> Floats:
    values = np.empty(len(cells))
    for row, cell in enumerate(cells):
        number: Any = as_number(cell, layout.decimal)
        if column == "correct":
            number = _TRUE_FALSE.get(cell.casefold(), number)
        if number is None:
            wanted = "true or false" if column == "correct" else "a number"
            raise FadelineError(
                f"{file}: line {lines[row]}: column {column} must hold numbers; {cell!r} is not "
                f"{wanted}"
            )
        values[row] = number
    return values


def _check_columns(file: Path, found: "list[str] | tuple[str, ...]") -> None:
    """Refuse a table that lacks a column, and say which of its own may be meant."""
    names = [name.casefold() for name in found]
    if twice := [column for column in TABLE_COLUMNS if names.count(column) > 1]:
        raise FadelineError(f"{file}: has more than one column {twice[0]}")
    missing = [column for column in TABLE_COLUMNS if column not in names]
    if not missing:
        return
    others = [name for name in found if name and name.casefold() not in TABLE_COLUMNS]
    hints = [hint for column in missing if (hint := _hint(column, others))]
    raise FadelineError(
        f"{file}: has no column {', '.join(missing)}; needs {', '.join(TABLE_COLUMNS)}; has "
        f"{', '.join(name or 'one without a name' for name in found)}{''.join(hints)}"
    )


def _hint(column: str, others: list[str]) -> str:
    """Return what a missing column may be called in the file, or nothing."""
    for name in others:
        ours, how = _CONVERSIONS.get(name.casefold(), ("", ""))
        if ours == column:
            return f"; {name}: did you mean {column} ({how})?"
    near = nearest_name(column, others)
    return f"; {near}: did you mean {column}?" if near else ""
