"""Times of a recording in seconds: numbers in a unit, dates and times of day."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from fadeline.channels.text_table import as_number
from fadeline.channels.trace_columns import TIME_UNITS, ColumnError, time_unit_in

_EPOCHS = {"s": 1e9, "ms": 1e12, "us": 1e15, "ns": 1e18}
_EPOCH_RANGE = (0.5, 5.0)  # times those: from 1985 to 2128 (our choice)

_CLOCK = r"(\d{1,2})[:._h-](\d{2})(?:[:._-](\d{2})(?:[.,:](\d+))?)?"
_ZONE = r"\s*(Z|UTC|[+-]\d{2}:?\d{2})?"
_YEAR_FIRST = re.compile(rf"(\d{{4}})[-./_](\d{{1,2}})[-./_](\d{{1,2}})(?:[T _-]+{_CLOCK})?{_ZONE}")
_COMPACT = re.compile(rf"(\d{{4}})(\d\d)(\d\d)[T _-](\d\d)(\d\d)(\d\d)(?:[.,](\d+))?{_ZONE}")
_YEAR_LAST = re.compile(rf"(\d{{1,2}})[-./](\d{{1,2}})[-./](\d{{4}})[T _,-]+{_CLOCK}{_ZONE}")
_OF_DAY = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})(?:[.,:](\d+))?")

Seconds = NDArray[np.float64]
_Reader = Callable[[str], tuple[int, float] | None]
"""From a text to whole seconds and a part of one, apart so that nothing is rounded."""


def seconds_of(
    cells: Sequence[str],
    lines: Sequence[int],
    name: str,
    *,
    unit: str | None,
    time_format: str | None,
    decimal: str,
) -> tuple[Seconds, str]:
    """Return times in seconds after the first, shape (n,), and what they were taken for, in words.

    Args:
        cells: Of the column of times, n texts.
        lines: Of the file that they stand on.
        name: Of the column, which may end in a unit.
        unit: Of numbers: s, ms, us or ns; left out: from the name, or from numbers that can only be
            times since 1970.
        time_format: As `datetime.strptime` takes it; left out: found.
        decimal: Decimal mark of numbers.

    Raises:
        ColumnError: If they are no times, or may be several.
    """
    if time_format is not None:
        if unit is not None:
            raise ColumnError("--time-unit and --time-format: give one of them")
        return _all(cells, lines, name, _formatted(time_format)), f"dates as {time_format}"
    numbers = [as_number(cell, decimal) for cell in cells]
    if all(number is not None for number in numbers):
        values = np.array(numbers, dtype=np.float64)
        unit = unit or time_unit_in(name) or _epoch_unit(values)
        if unit not in TIME_UNITS:
            raise ColumnError(
                f"{name}: holds numbers, and its name does not say in which unit; give --time-unit "
                f"{', '.join(TIME_UNITS)}"
                if unit is None
                else f"--time-unit {unit}: must be one of {', '.join(TIME_UNITS)}"
            )
        return (values - values[0]) * TIME_UNITS[unit], f"numbers in {unit}"
    if unit is not None:
        line, cell = _first_text(numbers, cells, lines)
        raise ColumnError(f"line {line}: {name} is {cell!r}, no number; leave --time-unit out")
    read, words = _date_reader(cells, name)
    return _all(cells, lines, name, read), words


def _first_text(
    numbers: Sequence[float | None], cells: Sequence[str], lines: Sequence[int]
) -> tuple[int, str]:
    row = list(numbers).index(None)
    return lines[row], cells[row]


def _all(cells: Sequence[str], lines: Sequence[int], name: str, read: _Reader) -> Seconds:
    times = []
    for cell, line in zip(cells, lines, strict=True):
        time = read(cell)
        if time is None:
            raise ColumnError(f"line {line}: {name} is {cell!r}, not a time like the others")
        times.append(time)
    first, part = times[0]
    return np.array([float(whole - first) + (rest - part) for whole, rest in times])


def _epoch_unit(values: Seconds) -> str | None:
    """Return the unit in which all numbers are times since 1970; None if there is none."""
    low, high = _EPOCH_RANGE
    for unit, scale in _EPOCHS.items():
        if ((values >= low * scale) & (values < high * scale)).all():
            return unit
    return None


def _date_reader(cells: Sequence[str], name: str) -> tuple[_Reader, str]:
    """Return what reads dates like the first one.

    Raises:
        ColumnError: If that one has no known form, or day and month cannot be told apart.
    """
    first = cells[0]
    for form in (_YEAR_FIRST, _COMPACT):
        if form.fullmatch(first):
            return _matched(form, (0, 1, 2)), "dates and times"
    if _OF_DAY.fullmatch(first):
        return _time_of_day, "times of day"
    if not _YEAR_LAST.fullmatch(first):
        raise ColumnError(
            f"{name}: {first!r} is a time in no form that is known; say how to read it, such as "
            "--time-format '%d.%m.%Y %H:%M:%S'"
        )
    day_first, month_first = _matched(_YEAR_LAST, (2, 1, 0)), _matched(_YEAR_LAST, (2, 0, 1))
    dots = "." in first[:3]  # by custom the day comes first then
    if dots or any(month_first(cell) is None for cell in cells):
        return day_first, "dates and times, the day first"
    if any(day_first(cell) is None for cell in cells):
        return month_first, "dates and times, the month first"
    raise ColumnError(
        f"{name}: {first!r} may have the day or the month first; give --time-format "
        "'%d/%m/%Y %H:%M:%S' or '%m/%d/%Y %H:%M:%S'"
    )


def _matched(form: re.Pattern[str], order: tuple[int, int, int]) -> _Reader:
    def read(cell: str) -> tuple[int, float] | None:
        found = form.fullmatch(cell)
        if found is None:
            return None
        parts = found.groups()
        year, month, day = (int(parts[place]) for place in order)
        hour, minute, second = (int(part or 0) for part in parts[3:6])
        try:
            whole = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        except ValueError:
            return None
        return int(whole.timestamp()) - _offset_s(parts[7]), float(f"0.{parts[6] or 0}")

    return read


def _offset_s(zone: str | None) -> int:
    if zone in (None, "Z", "UTC"):
        return 0
    return (-1 if zone[0] == "-" else 1) * (3600 * int(zone[1:3]) + 60 * int(zone[-2:]))


def _time_of_day(cell: str) -> tuple[int, float] | None:
    found = _OF_DAY.fullmatch(cell)
    if found is None:
        return None
    hours, minutes, seconds, part = found.groups()
    return 3600 * int(hours) + 60 * int(minutes) + int(seconds), float(f"0.{part or 0}")


def _formatted(time_format: str) -> _Reader:
    try:
        datetime.strptime(datetime(2000, 1, 1, tzinfo=UTC).strftime(time_format), time_format)
    except ValueError as error:
        raise ColumnError(f"--time-format {time_format}: {error}") from None

    def read(cell: str) -> tuple[int, float] | None:
        try:
            found = datetime.strptime(cell, time_format)
        except ValueError:
            return None
        found = found if found.tzinfo else found.replace(tzinfo=UTC)
        return int(found.replace(microsecond=0).timestamp()), 1e-6 * found.microsecond

    return read
