"""Which columns of a recording hold time, SNR and rate, and in which units, by their names."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from fadeline.channels.text_table import nearest_name

RATE_UNITS = {
    f"{prefix}{unit}/s": factor * bits
    for unit, bits in (("bit", 1.0), ("byte", 8.0))
    for prefix, factor in (("", 1.0), ("k", 1e3), ("M", 1e6), ("G", 1e9))
}
"""Bits per second in each unit; prefixes are decimal."""

TIME_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
"""Seconds in each unit."""

_SNR = {"snr", "sinr"}
_RATES = {"bitrate", "throughput", "thput", "tput", "thrput", "goodput", "datarate", "rate"}
_NO_RATES = {"frame", "sample", "sampling", "error", "loss", "refresh", "code", "drop", "heart"}
_UP = {"ul", "up", "uplink", "upload", "upstream", "tx", "sent"}
_DOWN = {"dl", "down", "downlink", "download", "downstream", "rx", "received"}
_TIMES = {"time", "times", "timestamp", "timestamps", "datetime", "t", "epoch", "elapsed"}
_TIME_WORDS = {
    "s": "s", "sec": "s", "secs": "s", "second": "s", "seconds": "s",
    "ms": "ms", "msec": "ms", "millis": "ms", "milliseconds": "ms", "millisecond": "ms",
    "us": "us", "usec": "us", "micros": "us", "microseconds": "us", "microsecond": "us",
    "ns": "ns", "nsec": "ns", "nanos": "ns", "nanoseconds": "ns", "nanosecond": "ns",
}  # fmt: skip
_BITS_IN_NAME = re.compile(r"(?<![A-Za-z])([kKmMgG]?)(bps|bits?[/_]s)(?![A-Za-z])")
_UNIT = re.compile(r"([kKmMgG]?)(bit|bits|b|byte|bytes|B|Byte|Bytes)(/s|/sec|ps|_s)")


class ColumnError(ValueError):
    """The columns wanted are not there or cannot be told; does not name the file."""


@dataclass(frozen=True, slots=True)
class ValueColumn:
    """The column whose values are taken.

    Attributes:
        position: Of the column.
        kind: What it holds.
        factor: On its values, to get dB or bits per second.
        unit: In words.
    """

    position: int
    kind: Literal["snr_db", "rate_bps"]
    factor: float
    unit: str


def find_column(names: Sequence[str], wanted: str, option: str) -> int:
    """Return the position of the column that the user names, in any case.

    Raises:
        ColumnError: If there is none, or more than one.

    Example:
        >>> find_column(["Time", "SNR"], "snr", "--snr-db")
        1
    """
    exact = [number for number, name in enumerate(names) if name == wanted.strip()]
    folded = wanted.strip().casefold()
    found = exact or [number for number, name in enumerate(names) if name.casefold() == folded]
    if len(found) == 1:
        return found[0]
    if found:
        raise ColumnError(f"{option} {wanted}: {len(found)} columns have this name")
    near = nearest_name(wanted, names)
    hint = f"; did you mean {near}?" if near else ""
    raise ColumnError(f"{option} {wanted}: no such column; there are {', '.join(names)}{hint}")


def time_column(names: Sequence[str], wanted: str | None) -> int:
    """Return the position of the column of times: the one wanted, or the only one so named.

    Raises:
        ColumnError: If it cannot be told.
    """
    if wanted is not None:
        return find_column(names, wanted, "--time")
    likely = _all(names, lambda words: not words.isdisjoint(_TIMES))
    likely = likely or _all(names, lambda words: "date" in words)
    ours = [number for number in likely if names[number].casefold() == "time_s"]
    if len(ours or likely) == 1:
        return (ours or likely)[0]
    if likely:
        several = ", ".join(names[number] for number in likely)
        raise ColumnError(f"several columns may hold the time: {several}; name one with --time")
    raise ColumnError(
        f"no column is named as a time; there are {', '.join(names)}; name it with --time (a "
        "running number will do, with --time-unit)"
    )


def value_column(
    names: Sequence[str], snr_db: str | None, rate: str | None, unit: str | None
) -> ValueColumn:
    """Return the column of SNR or rate: the one wanted, or the only one that its name tells.

    Of several rates, up and down, the uplink's is taken, since that is what a device sends over.

    Args:
        names: Of all columns.
        snr_db: Column of SNR in dB that is wanted.
        rate: Column of rates that is wanted.
        unit: Of the rates; left out: from the column's name.

    Raises:
        ColumnError: If column or unit cannot be told.
    """
    if snr_db is not None and rate is not None:
        raise ColumnError("--snr-db and --rate: give one of them; a trace has SNR or rate")
    if snr_db is not None and unit is not None:
        raise ColumnError(f"--unit {unit}: is for rates; an SNR is in dB")
    if snr_db is not None:
        return ValueColumn(find_column(names, snr_db, "--snr-db"), "snr_db", 1.0, "dB")
    if rate is not None:
        return _rate(names, find_column(names, rate, "--rate"), unit)
    snrs = [] if unit is not None else _all(names, lambda words: not words.isdisjoint(_SNR))
    rates = _all(names, _is_rate)
    if snrs and rates:
        raise ColumnError(
            f"holds SNR ({_list(names, snrs)}) and rates ({_list(names, rates)}); say which with "
            f"--snr-db {names[snrs[0]]} or --rate {names[_uplink(names, rates) or rates[0]]}"
        )
    if len(snrs) > 1:
        raise ColumnError(f"several columns may hold SNR: {_list(names, snrs)}; name it: --snr-db")
    if snrs:
        return ValueColumn(snrs[0], "snr_db", 1.0, "dB")
    if not rates:
        raise ColumnError(
            f"no column is named as SNR or rate; there are {', '.join(names)}; name one with "
            "--snr-db or --rate"
        )
    return _rate(names, _chosen_rate(names, rates), unit)


def parse_rate_unit(text: str) -> float:
    """Return the bits per second in a unit such as kbit/s, Mbps or MB/s.

    Raises:
        ColumnError: If it is none.

    Example:
        >>> parse_rate_unit("kbit/s"), parse_rate_unit("Mbps"), parse_rate_unit("MB/s")
        (1000.0, 1000000.0, 8000000.0)
    """
    found = _UNIT.fullmatch(text.strip())
    if found is None:
        raise ColumnError(f"--unit {text}: must be one of {', '.join(RATE_UNITS)}")
    prefix, what, _ = found.groups()
    size = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9}[prefix.lower()]
    return size * (8.0 if what.startswith("B") or what.startswith("byte") else 1.0)


def time_unit_in(name: str) -> str | None:
    """Return the unit of time that a column's name ends in; None if it has none.

    Example:
        >>> time_unit_in("pub_time(ms)"), time_unit_in("Time"), time_unit_in("time_s")
        ('ms', None, 's')
    """
    words = _words(name)
    return _TIME_WORDS.get(words[-1]) if words else None


def _chosen_rate(names: Sequence[str], rates: list[int]) -> int:
    """Return which of several columns of rates is meant."""
    up = _uplink(names, rates)
    if up is not None:
        return up
    undirected = len(rates) == 1 and not _DOWN & set(_words(names[rates[0]]))
    if undirected:
        return rates[0]
    which = "is of the downlink" if len(rates) == 1 else "may be meant"
    raise ColumnError(
        f"{_list(names, rates)} {which}; say which rate a device sends at: --rate {names[rates[0]]}"
    )


def _uplink(names: Sequence[str], rates: list[int]) -> int | None:
    """Return the only column of the uplink; None if there is not exactly one."""
    ups = [number for number in rates if _UP & set(_words(names[number]))]
    return ups[0] if len(ups) == 1 else None


def _rate(names: Sequence[str], position: int, unit: str | None) -> ValueColumn:
    """Return a column of rates with its unit, given or in its name."""
    if unit is not None:
        return ValueColumn(position, "rate_bps", parse_rate_unit(unit), unit.strip())
    name = names[position]
    # "B" may be bytes or a careless bit, so that only small letters tell.
    found = _BITS_IN_NAME.search(name)
    if found is None:
        raise ColumnError(
            f"{name}: its name does not say in which unit it is; give --unit, one of "
            f"{', '.join(RATE_UNITS)}"
        )
    unit = f"{found[1].lower().replace('m', 'M').replace('g', 'G')}bit/s"
    return ValueColumn(position, "rate_bps", RATE_UNITS[unit], unit)


def _is_rate(words: set[str]) -> bool:
    units = {f"{prefix}{unit}" for prefix in ("", "k", "m", "g") for unit in ("bps", "bit", "bits")}
    named = not words.isdisjoint(_RATES) and words.isdisjoint(_NO_RATES)
    return named or not words.isdisjoint(units)


def _all(names: Sequence[str], fits: Callable[[set[str]], bool]) -> list[int]:
    return [number for number, name in enumerate(names) if fits(set(_words(name)))]


def _words(name: str) -> list[str]:
    """Return the words in a name, in small letters.

    Example:
        >>> _words("DL_bitrate"), _words("ULThroughput (kbps)")
        (['dl', 'bitrate'], ['ul', 'throughput', 'kbps'])
    """
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-zµ]+", name)]


def _list(names: Sequence[str], positions: Sequence[int]) -> str:
    return ", ".join(names[position] for position in positions)
