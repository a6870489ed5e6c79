"""Link traces from files: CSV or Parquet of SNR or rate over time, and Mahimahi traces.

A CSV or Parquet file has a column `time_s` and one of `snr_db` or `rate_bps`, in any case. A row
holds from its time to the next row's; the last one holds for as long as the typical row. A Mahimahi
file has one line per 1500-byte packet: the millisecond at which the link can deliver it.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fadeline.channels.text_table import Layout, TextTableError, decoded, find_layout, nearest_name
from fadeline.channels.units import db_to_linear

Floats = NDArray[np.float64]

VALUES = ("snr_db", "rate_bps")
"""Columns of which a table has one beside `time_s`."""

MAHIMAHI_PACKET_BITS = 1500 * 8
"""Bits of one delivery opportunity: an MTU of 1500 bytes (Netravali et al., "Mahimahi: Accurate
Record-and-Replay for HTTP", USENIX ATC 2015, section 4)."""

MAX_FILE_BYTES = 256 * 2**20
"""Largest file read (our choice): two days at 1 ms as CSV."""

_HEAD_BYTES = 200_000  # in which the header of a CSV file must stand (our choice)

MAX_BINS = 20_000_000
"""Most bins of a Mahimahi trace (our choice): five hours of milliseconds, 640 MB as a trace."""


class TraceFileError(ValueError):
    """A trace file cannot be used; the message names the file, and the row where there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedLink:
    """Quality of a link over [0, end_s], as recorded.

    Attributes:
        edges_s: Borders of the steps, shape (n + 1,), ascending from 0, seconds.
        snr: Linear SNR in each step, shape (n,), or None for a recorded rate.
        rate_bps: Rate in each step, shape (n,), bits per second, or None for a recorded SNR.
    """

    edges_s: Floats
    snr: Floats | None
    rate_bps: Floats | None

    @property
    def end_s(self) -> float:
        """Time up to which the link was recorded, seconds."""
        return float(self.edges_s[-1])

    def covering(self, duration_s: float, at_end: Literal["error", "loop"]) -> "RecordedLink":
        """Return this recording, repeated from its start as often as a duration takes.

        Raises:
            TraceFileError: If it is shorter than the duration and `at_end` is "error".
        """
        if self.end_s >= duration_s:
            return self
        if at_end == "error":
            raise TraceFileError(
                f"the trace ends after {self.end_s:g} s and the run needs {duration_s:g} s; "
                "shorten the run, or set at_end: loop to repeat the trace"
            )
        times = math.ceil(duration_s / self.end_s)
        times += times * self.end_s < duration_s  # the quotient may be rounded down
        starts = np.arange(times)[:, np.newaxis] * self.end_s
        edges_s = np.append((starts + self.edges_s[:-1]).reshape(-1), times * self.end_s)
        return RecordedLink(
            edges_s=edges_s, snr=_tile(self.snr, times), rate_bps=_tile(self.rate_bps, times)
        )

    def starting_at(
        self, start_s: float, duration_s: float, at_end: Literal["error", "loop"]
    ) -> "RecordedLink":
        """Return the stretch of this recording that begins at a time and covers a duration.

        Args:
            start_s: In [0, end_s].
            duration_s: What is to be covered, seconds.
            at_end: What happens after the end of the recording; see `covering`.

        Raises:
            TraceFileError: As `covering`, for what is left from the start on.
        """
        whole = self.covering(start_s + duration_s, at_end)
        first = int(whole.edges_s.searchsorted(start_s, side="right")) - 1
        first = min(first, whole.edges_s.size - 2)
        last = max(int(whole.edges_s.searchsorted(start_s + duration_s)), first + 1)
        edges_s = whole.edges_s[first : last + 1] - start_s
        edges_s[0] = 0.0
        edges_s[-1] = max(edges_s[-1], duration_s)  # which rounding may have cut
        steps = slice(first, last)
        return RecordedLink(
            edges_s=edges_s,
            snr=None if whole.snr is None else whole.snr[steps],
            rate_bps=None if whole.rate_bps is None else whole.rate_bps[steps],
        )


def read_trace(path: Path, *, max_gap_s: float | None = None) -> RecordedLink:
    """Read a CSV or Parquet trace.

    Args:
        path: File whose name ends in .csv or .parquet.
        max_gap_s: Longest time a row may hold, seconds; by default twice the median.

    Raises:
        TraceFileError: If the file is missing, empty, too large, not of this format, not sorted
            by time, has missing or impossible values, or a gap.
    """
    require_file(path)
    table = _read_csv(path) if path.suffix.lower() == ".csv" else _read_parquet(path)
    kinds = [name for name in VALUES if name in table]
    time_s, values = table["time_s"], table[kinds[0]]
    _check_rows(path, time_s, kinds[0], values)
    edges_s = _edges(path, time_s, max_gap_s)
    if kinds[0] == "snr_db":
        return RecordedLink(edges_s=edges_s, snr=db_to_linear(values), rate_bps=None)
    return RecordedLink(edges_s=edges_s, snr=None, rate_bps=values)


def read_mahimahi(path: Path, *, bin_s: float) -> RecordedLink:
    """Read a Mahimahi packet-delivery trace and average it over bins.

    Args:
        path: Text file with one integer per line, ascending: the milliseconds of the packets.
        bin_s: Length of a bin, a whole number of milliseconds, seconds. Within a bin the rate is
            constant: the bits of the bin's packets over its length. The last bin is shortened to
            where the trace ends: its last millisecond.

    Raises:
        TraceFileError: If the file is missing, empty, too large, not integers, not sorted, or
            ends at 0 ms.
    """
    require_file(path)
    bin_ms = round(bin_s * 1e3)
    if bin_ms < 1 or abs(bin_ms - bin_s * 1e3) > 1e-6:
        raise TraceFileError(f"bin_s must be a whole number of milliseconds, got {bin_s:g} s")
    stamps_ms = _read_stamps_ms(path)
    end_ms = int(stamps_ms[-1])
    if end_ms == 0:
        raise TraceFileError(f"{path}: all packets are at 0 ms, so the trace has no length")
    if end_ms / bin_ms > MAX_BINS:
        raise TraceFileError(
            f"{path}: ends at {end_ms} ms, more than {MAX_BINS} bins of {bin_ms} ms; are the times "
            "in milliseconds?"
        )
    edges_ms = np.unique(np.append(np.arange(0, end_ms, bin_ms), end_ms))
    # A packet stamped t ms may leave at the end of millisecond t, so t belongs to (t - 1, t].
    packets, _ = np.histogram(np.maximum(stamps_ms - 0.5, 0.0), bins=edges_ms)
    edges_s = edges_ms * 1e-3
    rate_bps = packets * MAHIMAHI_PACKET_BITS / np.diff(edges_s)
    return RecordedLink(edges_s=edges_s, snr=None, rate_bps=rate_bps)


def require_file(path: Path) -> None:
    """Check that a path is a file that is neither empty nor too large.

    Raises:
        TraceFileError: If it is not.
    """
    if path.is_dir():
        raise TraceFileError(f"{path}: is a folder, not a trace file")
    if not path.is_file():
        raise TraceFileError(f"{path}: no such trace file")
    size = path.stat().st_size
    if size == 0:
        raise TraceFileError(f"{path}: the trace file is empty")
    if size > MAX_FILE_BYTES:
        raise TraceFileError(f"{path}: {size / 2**20:.0f} MiB; the largest allowed is 256 MiB")


def _read_csv(path: Path) -> dict[str, Floats]:
    from pyarrow import ArrowInvalid, BufferReader, csv

    raw = path.read_bytes()
    try:
        if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
            raw = decoded(raw).encode()
        if b"\n" not in raw[:_HEAD_BYTES]:
            raw = raw.replace(b"\r", b"\n")
        whole = len(raw) <= _HEAD_BYTES
        layout = find_layout(decoded(raw if whole else raw[: raw.rindex(b"\n", 0, _HEAD_BYTES)]))
        names = _trace_columns(path, layout.names)
        table = csv.read_csv(
            BufferReader(_plain_rows(raw, layout, names)),
            parse_options=csv.ParseOptions(delimiter=layout.delimiter),
            convert_options=csv.ConvertOptions(decimal_point=layout.decimal),
        )
    except (ArrowInvalid, TextTableError, UnicodeDecodeError) as error:
        raise TraceFileError(f"{path}: not readable as CSV: {error}") from None
    return _numeric_columns(path, table)


def _plain_rows(raw: bytes, layout: Layout, names: list[str]) -> bytes:
    """Return a CSV file with a plain header and without comments."""
    rows = raw.split(b"\n", layout.body)[layout.body :]
    body = rows[0] if rows else b""
    if b"#" in body:
        lines = body.split(b"\n")
        body = b"\n".join(line for line in lines if not line.lstrip().startswith(b"#"))
    if layout.delimiter == " ":
        body = re.sub(rb"[ \t]+", b" ", re.sub(rb"(?m)^[ \t]+|[ \t\r]+$", b"", body))
    return layout.delimiter.join(names).encode() + b"\n" + body


def _trace_columns(path: Path, found: Sequence[str]) -> list[str]:
    """Return the names of a file's columns, those of a trace spelt as we do.

    Raises:
        TraceFileError: If it has no time, or not exactly one of SNR and rate.
    """
    known = ("time_s", *VALUES)
    names = [name.casefold() if name.casefold() in known else f"_{name}" for name in found]
    for name in known:
        if names.count(name) > 1:
            raise TraceFileError(f"{path}: has more than one column {name}")
    if "time_s" not in names or sum(name in names for name in VALUES) != 1:
        raise TraceFileError(
            f"{path}: needs the column time_s and one of snr_db or rate_bps; has {list(found)}"
            f"{_nearest(names, found)}{'' if path.suffix.lower() == '.parquet' else _OTHERS}"
        )
    return [name if name in known else f"_{number}" for number, name in enumerate(names)]


_OTHERS = "; fadeline trace import FILE --out walk.csv maps other columns, units and dates"


def _nearest(names: Sequence[str], found: Sequence[str]) -> str:
    """Return which of a file's columns are nearest to those that it lacks."""
    absent = [name for name in ("time_s", *VALUES) if name not in names]
    if any(name in names for name in VALUES):
        absent = [name for name in absent if name == "time_s"]
    others = [theirs for name, theirs in zip(names, found, strict=True) if name.startswith("_")]
    near = {name: nearest_name(name, others) for name in absent}
    words = [f"{theirs!r} to {name}" for name, theirs in near.items() if theirs]
    return f" (nearest are {', '.join(words)})" if words else ""


def _read_parquet(path: Path) -> dict[str, Floats]:
    from pyarrow import ArrowException, parquet

    if path.suffix.lower() != ".parquet":
        raise TraceFileError(
            f"{path}: the name must end in .csv or .parquet; for a Mahimahi trace set "
            "format: mahimahi and bin_s"
        )
    try:
        table = parquet.read_table(path)
    except (ArrowException, OSError) as error:
        raise TraceFileError(f"{path}: not readable as Parquet: {error}") from None
    return _numeric_columns(path, table.rename_columns(_trace_columns(path, table.column_names)))


def _numeric_columns(path: Path, table: "object") -> dict[str, Floats]:
    from pyarrow import Table, types

    assert isinstance(table, Table)
    columns = {}
    for name in ("time_s", *VALUES):
        if name not in table.column_names:
            continue
        column = table[name].combine_chunks()
        if not (types.is_floating(column.type) or types.is_integer(column.type)):
            raise TraceFileError(f"{path}: column {name} holds {column.type}, not numbers")
        columns[name] = column.to_numpy(zero_copy_only=False).astype(np.float64)
    return columns


def _check_rows(path: Path, time_s: Floats, name: str, values: Floats) -> None:
    if time_s.size < 2:
        raise TraceFileError(f"{path}: needs at least two rows, has {time_s.size}")
    # An SNR of minus infinity is an outage, spelt "-inf".
    wrong = np.isnan(values) | (values == np.inf)
    if name == "rate_bps":
        wrong |= values < 0
    with np.errstate(invalid="ignore"):
        falling = np.append(False, np.diff(time_s) <= 0)
    problems = (
        (~np.isfinite(time_s), "time_s is missing or not finite"),
        (wrong, f"{name} is missing or impossible; write an outage out as rate 0 or SNR -inf"),
        (falling, "time_s must ascend from row to row"),
    )
    for rows, problem in problems:
        if rows.any():
            row = int(np.argmax(rows))
            raise TraceFileError(
                f"{path}: data row {row + 1} (time_s {time_s[row]:g}, {name} {values[row]:g}): "
                f"{problem}"
            )


def _edges(path: Path, time_s: Floats, max_gap_s: float | None) -> Floats:
    lengths_s = np.diff(time_s)
    typical_s = float(np.median(lengths_s))
    limit_s = 2.0 * typical_s if max_gap_s is None else max_gap_s
    row = int(np.argmax(lengths_s))
    if lengths_s[row] > limit_s * (1 + 1e-9):
        raise TraceFileError(
            f"{path}: a gap of {lengths_s[row]:g} s after time_s {time_s[row]:g} (data row "
            f"{row + 1}), longer than {limit_s:g} s; fill it in, or set max_gap_s to let a row "
            "hold that long"
        )
    edges_s: Floats = np.append(time_s, time_s[-1] + typical_s) - time_s[0]
    return edges_s


def _read_stamps_ms(path: Path) -> NDArray[np.int64]:
    try:
        stamps_ms = np.array(path.read_text(encoding="ascii").split(), dtype=np.int64)
    except (ValueError, OverflowError):
        raise TraceFileError(f"{path}: a Mahimahi trace has one integer per line") from None
    if stamps_ms.size == 0:
        raise TraceFileError(f"{path}: the trace file is empty")
    falling = np.append(stamps_ms[0] < 0, np.diff(stamps_ms) < 0)
    if falling.any():
        line = int(np.argmax(falling))
        raise TraceFileError(
            f"{path}: line {line + 1} ({stamps_ms[line]} ms): times must not fall or be negative"
        )
    return stamps_ms


def _tile(values: Floats | None, times: int) -> Floats | None:
    return None if values is None else np.tile(values, times)
