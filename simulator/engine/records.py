"""The records of a run: every column of `clips.parquet`, its type, unit and meaning.

The one place that names them. The ledger fills them, results are written and read by them, runs of
older versions are completed by them, and the documentation lists them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

DONE, LOCAL = "done", "local"
DROPPED_DEVICE, DROPPED_LINK, DROPPED_EDGE = "dropped_device", "dropped_link", "dropped_edge"
DECLINED, UNFINISHED = "declined", "unfinished"
OUTCOMES = (DONE, LOCAL, DROPPED_DEVICE, DROPPED_LINK, DROPPED_EDGE, DECLINED, UNFINISHED)
"""What can become of a clip; exactly one of them does."""

PLACES = ("", "device", "link", "edge")
"""Where a clip can be lost."""

Columns = dict[str, NDArray[Any]]
"""Columns of equal length, by name."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: With its unit.
        type: Of its values. A `code` is a whole number of at least 0, and null in the file where it
            is -1 in memory.
        meaning: What it holds, and when it is null.
        older: What runs of versions without it are taken to hold; None if all have it.
    """

    name: str
    type: Literal["number", "whole", "code", "flag", "text"]
    meaning: str
    older: float | None = None


COLUMNS = (
    Column("acted_deadline_s", "number", "deadline that components acted on; null if none does"),
    Column("replication", "whole", "number of the replication, from 0"),
    Column("scheme", "text", "name of the scheme, which is alone in the world"),
    Column("device", "text", "group and number of the device"),
    Column("clip_id", "whole", "number of the clip on its device, from 0"),
    Column("counted", "flag", "whether it is born after the warm-up and before `duration_s`"),
    Column("data_index", "code", "which clip of the data set it is; null where there is no set"),
    Column("operating_point", "code", "number in the outcome table; null where there is none"),
    Column("payload_bits", "number", "bits of the clip, without headers; null if none was chosen"),
    Column("sent_bits", "number", "bits that were sent for it, headers included"),
    Column("born_s", "number", "when its last frame is captured"),
    Column("encode_start_s", "number", "when the device begins to compute for it"),
    Column("encoded_s", "number", "when it has been encoded, or answered on the device"),
    Column("tx_start_s", "number", "when its first bit is on the air"),
    Column("sent_s", "number", "when its last bit has been sent"),
    Column("edge_arrive_s", "number", "when it is at the edge server"),
    Column("edge_start_s", "number", "when its batch begins to be inferred"),
    Column("inferred_s", "number", "when its batch has been inferred"),
    Column("done_s", "number", "when its answer is there"),
    Column("batch_size", "whole", "clips that were inferred together; 0 for none"),
    Column("attempts", "whole", "transmissions of its block that took most; 0 if nothing was sent"),
    Column("airtime_s", "number", "time that the device transmitted for it"),
    Column("snr_db", "number", "10 log10 of the airtime-mean linear SNR; null without one"),
    Column("compute_j", "number", "energy of the device's board while it computed for it"),
    Column("radio_j", "number", "energy of the device's transmitter while it sent it"),
    Column("idle_j", "number", "its part of the board's waiting, where `idle_power` is asked", 0.0),
    Column("energy_j", "number", "sum of the three"),
    Column("label", "code", "its class; null where there is none"),
    Column("predicted", "code", "the class that is answered; null where there is none"),
    Column("confidence", "number", "probability of the answer; null where there is none"),
    Column("correct", "flag", "whether the answer is right, in time or not"),
    Column("outcome", "text", f"what became of it: {', '.join(OUTCOMES)}"),
    Column("lost_in", "text", "where it was lost: device, link or edge; empty if it was not"),
    Column("lost_s", "number", "when it was lost"),
)  # fmt: skip
"""All columns, in their order; those of a sweep, named by their paths, stand before them."""

WAY = (
    "born_s",
    "encode_start_s",
    "encoded_s",
    "tx_start_s",
    "sent_s",
    "edge_arrive_s",
    "edge_start_s",
    "inferred_s",
    "done_s",
)
"""Columns that say when each stage of a clip's way began, and the last ended."""

CODES = tuple(column.name for column in COLUMNS if column.type == "code")
"""Columns where -1 in memory is null in the file."""


def table(columns: Mapping[str, Any]) -> "pa.Table":
    """Return columns as an Arrow table of the types that they have, those of a sweep first.

    Args:
        columns: All columns; values of a sweep may be single ones, which hold for all rows.
    """
    import pyarrow as pa

    kinds = {
        "number": pa.float64(), "whole": pa.int64(), "code": pa.int64(), "flag": pa.bool_(),
        "text": pa.string(),
    }  # fmt: skip
    types = {column.name: kinds[column.type] for column in COLUMNS}
    count = len(columns["clip_id"])
    arrays, names = [], []
    for name, values in columns.items():
        names.append(name)
        if name in types:
            arrays.append(pa.array(values, type=types[name]))
        else:
            kind = pa.string() if isinstance(values, str) else pa.float64()
            arrays.append(pa.repeat(pa.scalar(values, kind), count))
    return pa.Table.from_arrays(arrays, names=names)


def ordered(columns: Mapping[str, NDArray[Any]]) -> Columns:
    """Return columns in their order.

    Raises:
        KeyError: If one is missing.
    """
    return {column.name: columns[column.name] for column in COLUMNS}


def missing(names: Iterator[str] | list[str]) -> dict[str, float]:
    """Return the columns that a run of an older version lacks, with what they are taken to hold.

    Raises:
        KeyError: If one is missing that every version has.
    """
    there = set(names)
    found = {}
    for column in COLUMNS:
        if column.name not in there:
            if column.older is None:
                raise KeyError(column.name)
            found[column.name] = column.older
    return found


def markdown() -> str:
    """Return all columns as a table for the documentation."""
    rows = [f"| `{column.name}` | {column.type} | {column.meaning} |" for column in COLUMNS]
    return "\n".join(["| column | type | what it holds |", "|---|---|---|", *rows])
