"""Recordings of other programs as link traces: drive tests, loggers, spreadsheets.

Doubled times, missing values and gaps are common there, and a trace may have none. What is done is
the same each time, and said: rows without a time or a value are left out; a few rows that come up
to two usual steps too late are put in order; samples of the same time are averaged (SNR in dB); a
gap, where rows are missing for twice the usual step or longer, is filled with rows of the usual
step that repeat the row before it, or have no link.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fadeline.channels.text_table import (
    MISSING,
    Layout,
    TextTableError,
    as_number,
    decoded,
    find_layout,
    read_cells,
)
from fadeline.channels.trace_columns import (
    ColumnError,
    ValueColumn,
    find_column,
    time_column,
    value_column,
)
from fadeline.channels.trace_report import ImportReport
from fadeline.channels.trace_times import seconds_of
from fadeline.channels.tracefile import TraceFileError, require_file

Floats = NDArray[np.float64]

MAX_SNR_DB = 100.0
"""Largest size of an SNR that is taken for one (our choice); loggers write 127, 255 or 2147483647
where there is none."""

_LATE_STEPS = 2.0 * (1.0 + 1e-6)  # that a row may come too late (our choice)
_LATE_SHARE = 0.1  # of rows that may come too late; more are another recording (our choice)

MAX_ROWS = 20_000_000
"""Most rows of a trace whose gaps are filled (our choice), as many as a link may have steps."""

_GAP_STEPS = 2.0 * (1.0 - 1e-6)  # the longest a row of a trace may hold, below any rounding

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|", "blank": " ", "\\t": "\t"}
"""Words for separators; a separator stands for itself too."""


@dataclass(frozen=True, slots=True)
class ImportedTrace:
    """A recording as a link trace.

    Attributes:
        time_s: Ascending from 0, shape (n,), seconds.
        values: SNR in dB or rate in bits per second, shape (n,).
        report: What was done.
    """

    time_s: Floats
    values: Floats
    report: ImportReport

    def as_csv(self) -> str:
        """Return the trace as the CSV file that `read_trace` takes."""
        rows = (
            f"{_short(time_s)},{value:.10g}\n"
            for time_s, value in zip(self.time_s.tolist(), self.values.tolist(), strict=True)
        )
        return f"time_s,{self.report.kind}\n{''.join(rows)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the user says of a recording; what is left out is found where it is unambiguous.

    Attributes:
        time: Column of times.
        snr_db: Column of SNR, dB.
        rate: Column of rates, instead.
        unit: Of the rates, such as kbit/s.
        time_unit: Of times that are numbers: s, ms, us or ns.
        time_format: Of times that are dates, as `datetime.strptime` takes it.
        delimiter: Separator of the columns, or a word for it.
        missing: What else stands where nothing was measured.
        where: Text that other columns must hold in the rows that are taken.
        gaps: What to do where rows are missing: repeat the row before, take it that there was no
            link, or refuse the file.
    """

    time: str | None = None
    snr_db: str | None = None
    rate: str | None = None
    unit: str | None = None
    time_unit: str | None = None
    time_format: str | None = None
    delimiter: str | None = None
    missing: Sequence[str] = ()
    where: Mapping[str, str] = field(default_factory=dict)
    gaps: Literal["hold", "outage", "refuse"] = "hold"


def import_trace(path: Path, choices: Choices) -> ImportedTrace:
    """Make a link trace of a text table with a header.

    Args:
        path: Of the table.
        choices: What is known of it.

    Raises:
        TraceFileError: If anything cannot be known or cannot be; it is named.
    """
    require_file(path)
    try:
        return _imported(decoded(path.read_bytes()), choices)
    except (TextTableError, ColumnError) as error:
        raise TraceFileError(f"{path}: {error}") from None


def _imported(text: str, choices: Choices) -> ImportedTrace:
    layout = find_layout(text, _separator(choices.delimiter))
    column = value_column(layout.names, choices.snr_db, choices.rate, choices.unit)
    at = time_column(layout.names, choices.time)
    names = layout.names[at], layout.names[column.position]
    cells = _cells(text, layout, (at, column.position), choices)
    kept = cells.without(MISSING | {word.strip().casefold() for word in choices.missing})
    if len(kept.lines) < 2:
        raise ColumnError(
            f"{len(kept.lines)} of {len(cells.lines)} rows have both {names[0]} and {names[1]}; a "
            "trace needs two"
        )
    seconds, times_are = seconds_of(
        kept.times, kept.lines, names[0],
        unit=choices.time_unit, time_format=choices.time_format, decimal=layout.decimal,
    )  # fmt: skip
    moved = _out_of_order(seconds, kept, names[0])
    values = _numbers(kept, layout, column)
    time_s, means, doubled = _averaged(seconds - seconds.min(), values)
    filled = _filled(time_s, means, column.kind, choices.gaps)
    step_s = float(np.median(np.diff(filled.time_s)))
    report = ImportReport(
        time=names[0], times_are=times_are, value=names[1], kind=column.kind, unit=column.unit,
        start=kept.times[int(seconds.argmin())],
        rows_read=len(cells.lines), rows_missing=len(cells.lines) - len(kept.lines),
        rows_moved=moved, times_doubled=doubled,
        gaps=filled.gaps, longest_gap_s=filled.longest_s, longest_gap_at_s=filled.longest_at_s,
        rows_filled=len(filled.time_s) - len(time_s), filled_with=choices.gaps,
        rows=len(filled.time_s), step_s=round(step_s, 9),
        duration_s=round(float(filled.time_s[-1]) + step_s, 9),
    )  # fmt: skip
    return ImportedTrace(filled.time_s, filled.values, report)


@dataclass(frozen=True, slots=True)
class _Cells:
    """Times and values as they are written, and the lines that they stand on."""

    times: list[str]
    values: list[str]
    lines: list[int]

    def without(self, missing: Collection[str]) -> "_Cells":
        """Return those that have both a time and a value."""
        return self.rows(
            row
            for row, (time, value) in enumerate(zip(self.times, self.values, strict=True))
            if time.casefold() not in missing and value.casefold() not in missing
        )

    def rows(self, kept: Iterable[int]) -> "_Cells":
        """Return some rows."""
        rows = list(kept)
        return _Cells(
            [self.times[row] for row in rows],
            [self.values[row] for row in rows],
            [self.lines[row] for row in rows],
        )


def _cells(text: str, layout: Layout, columns: tuple[int, int], choices: Choices) -> _Cells:
    """Return times and values in the rows where other columns hold what they must."""
    others = [find_column(layout.names, name, "--where") for name in choices.where]
    (times, values, *found), lines = read_cells(text, layout, [*columns, *others])
    cells = _Cells(times, values, lines)
    wanted = tuple(word.strip() for word in choices.where.values())
    if not wanted:
        return cells
    held = list(zip(*found, strict=True))
    if wanted not in held:
        asked = ", ".join(f"{name}={word}" for name, word in choices.where.items())
        some = ", ".join(dict.fromkeys(found[0]))
        raise ColumnError(
            f"--where {asked}: no such row; {next(iter(choices.where))} is {some:.200}"
        )
    return cells.rows(row for row, words in enumerate(held) if words == wanted)


def _separator(delimiter: str | None) -> str | None:
    if delimiter is None:
        return None
    found = DELIMITERS.get(delimiter.lower(), delimiter)
    if len(found) != 1 or found in '\r\n"':
        words = ", ".join(word for word in DELIMITERS if word.isalpha())
        raise ColumnError(f"--delimiter {delimiter}: must be one character, or {words}")
    return found


def _out_of_order(seconds: Floats, cells: _Cells, name: str) -> int:
    """Return how many rows come later than they should: a few, by no more than two usual steps.

    Raises:
        ColumnError: If one comes later than that, or many do, or all have the same time.
    """
    if not np.ptp(seconds):
        raise ColumnError(f"{name}: is {cells.times[0]} in all rows, so the trace has no length")
    steps_s = np.diff(seconds)
    forward_s = steps_s[steps_s > 0]
    usual_s = float(np.median(forward_s)) if forward_s.size else 0.0
    late_s = np.maximum.accumulate(seconds) - seconds
    late = np.flatnonzero(late_s > 0)
    if late.size > _LATE_SHARE * late_s.size or late_s.max() > _LATE_STEPS * usual_s:
        row = int(late[0])
        raise ColumnError(
            f"line {cells.lines[row]}: {name} falls from {cells.times[row - 1]} to "
            f"{cells.times[row]}; if the file holds several recordings, take one with --where "
            "COLUMN=VALUE"
        )
    return int(late.size)


def _numbers(cells: _Cells, layout: Layout, column: ValueColumn) -> Floats:
    """Return the values in dB or bits per second, shape (n,)."""
    name = layout.names[column.position]
    snr = column.kind == "snr_db"
    found = np.empty(len(cells.values))
    for row, cell in enumerate(cells.values):
        number = as_number(cell, layout.decimal)
        why = ""
        if number is None:
            why = "no number; if it stands where nothing was measured, give it as --missing"
        elif snr and (abs(number) > MAX_SNR_DB and number != -np.inf):
            why = "no SNR in dB; if it stands where nothing was measured, give it as --missing"
        elif not snr and not 0 <= number < np.inf:
            why = "no rate; if it stands where nothing was measured, give it as --missing"
        if number is None or why:
            raise ColumnError(f"line {cells.lines[row]}: {name} is {cell!r}, {why}")
        found[row] = number
    return found * column.factor


def _averaged(seconds: Floats, values: Floats) -> tuple[Floats, Floats, int]:
    """Return each time once, the mean of its values, and how many times had several."""
    time_s, which, count = np.unique(np.round(seconds, 9), return_inverse=True, return_counts=True)
    return time_s, np.bincount(which, weights=values) / count, int((count > 1).sum())


@dataclass(frozen=True, slots=True)
class _Filled:
    """A trace without gaps, and what they were."""

    time_s: Floats
    values: Floats
    gaps: int = 0
    longest_s: float = 0.0
    longest_at_s: float = 0.0


def _filled(time_s: Floats, values: Floats, kind: str, gaps: str) -> _Filled:
    """Return a trace whose rows hold for less than twice the usual step."""
    lengths_s = np.diff(time_s)
    row = int(np.argmax(lengths_s))
    wide = lengths_s >= _GAP_STEPS * float(np.median(lengths_s))
    if not wide.any():
        return _Filled(time_s, values)
    longest_s, at_s = round(float(lengths_s[row]), 9), round(float(time_s[row]), 9)
    if gaps == "refuse":
        raise ColumnError(
            f"a gap of {longest_s:g} s after time_s {at_s:g}, and {int(wide.sum())} in all; "
            "--gaps hold or --gaps outage fills them"
        )
    filler = None if gaps == "hold" else 0.0 if kind == "rate_bps" else -np.inf
    # What is filled in may make the usual step shorter, and another row a gap.
    while (np.diff(time_s) >= _GAP_STEPS * (step_s := float(np.median(np.diff(time_s))))).any():
        time_s, values = _filled_once(time_s, values, step_s, filler)
    return _Filled(time_s, values, int(wide.sum()), longest_s, at_s)


def _filled_once(
    time_s: Floats, values: Floats, step_s: float, filler: float | None
) -> tuple[Floats, Floats]:
    """Return a trace with rows of a step put into gaps; without a filler they hold the last one."""
    lengths_s = np.append(np.diff(time_s), 0.0)
    wide = lengths_s >= _GAP_STEPS * step_s
    more = np.where(wide, np.ceil(lengths_s / step_s - 1e-6) - 1, 0).astype(np.int64)
    if len(time_s) + int(more.sum()) > MAX_ROWS:
        raise ColumnError(
            f"filling gaps of up to {lengths_s.max():g} s with rows of {step_s:g} s takes more "
            f"than {MAX_ROWS} rows; cut the file at its gaps"
        )
    source = np.repeat(np.arange(len(time_s)), more + 1)
    place = np.arange(len(source)) - np.repeat(np.cumsum(more + 1) - more - 1, more + 1)
    new_s: Floats = np.asarray(time_s[source] + place * step_s).round(9)
    held: Floats = values[source]
    if filler is not None:
        held[place > 0] = filler
    return new_s, held


def _short(time_s: float) -> str:
    return f"{time_s:.9f}".rstrip("0").rstrip(".")
