"""What was done to make a link trace of a recording."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What was done to make a trace of a recording.

    Attributes:
        time: Column of times.
        times_are: What they were taken for.
        value: Column of values.
        kind: What it became, snr_db or rate_bps.
        unit: Unit of that column.
        start: The first time as it is written.
        rows_read: Rows of the file that were looked at.
        rows_missing: Rows left out because time or value is missing.
        rows_moved: Rows that came too late and were put in order.
        times_doubled: Times with several rows, which were averaged.
        gaps: Places where rows are missing.
        longest_gap_s: Time between the rows around the longest, seconds; 0 without any.
        longest_gap_at_s: Time of the row before it.
        rows_filled: Rows put into gaps.
        filled_with: What they hold: hold or outage.
        rows: Of the trace.
        step_s: Usual time between them, seconds.
        duration_s: From the first row to the end of the last.
    """

    time: str
    times_are: str
    value: str
    kind: str
    unit: str
    start: str
    rows_read: int
    rows_missing: int
    rows_moved: int
    times_doubled: int
    gaps: int
    longest_gap_s: float
    longest_gap_at_s: float
    rows_filled: int
    filled_with: str
    rows: int
    step_s: float
    duration_s: float

    def lines(self) -> list[str]:
        """Return the report in two lines."""
        gaps = "gaps: none"
        if self.gaps:
            filler = "the row before" if self.filled_with == "hold" else "no link"
            gaps = (
                f"gaps filled with {filler}: {self.gaps} (the longest {self.longest_gap_s:g} s "
                f"after time_s {self.longest_gap_at_s:g}; {self.rows_filled} rows put in)"
            )
        return [
            f"{self.kind} from {self.value} ({self.unit}), time_s from {self.time} "
            f"({self.times_are}) since {self.start}: {self.rows} rows, mostly {self.step_s:g} s "
            f"apart, {self.duration_s:g} s in all",
            f"rows read: {self.rows_read}; without time or value, left out: {self.rows_missing}; "
            f"too late, put in order: {self.rows_moved}; times with several rows, averaged: "
            f"{self.times_doubled}; {gaps}",
        ]

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return asdict(self)
