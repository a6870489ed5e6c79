"""What becomes of a set's clips: rows of an outcome table, or what the networks say when asked."""

from typing import Any

import numpy as np

from fadeline.models.measurement.outcomes import Outcomes
from fadeline.simulator.compute.profile import Profile
from fadeline.simulator.schemes.draws import Draws, Floats, normals
from fadeline.simulator.schemes.scheme import (
    ANSWER_COLUMNS,
    Answers,
    Columns,
    PreparedClips,
)


def rows_of(outcomes: Outcomes, **of: Any) -> Columns:
    """Return the rows of a table that have some values, in the order of data_index."""
    rows = outcomes.rows
    for column, value in of.items():
        rows = rows[rows[column] == value]
    rows = rows.sort_values("data_index")
    return {column: rows[column].to_numpy() for column in ANSWER_COLUMNS}


def answers_of(rows: Columns, live: Answers | None) -> Answers:
    """Return what gives the outcomes of clips by their places in a table's rows."""
    if live is None:
        return lambda chosen: {column: values[chosen] for column, values in rows.items()}
    return lambda chosen: live(rows["data_index"][chosen])


def answered(
    found: list[Columns],
    draws: Draws,
    device: Profile,
    edge: Profile,
    encode_s: list[float],
    serial_s: list[float],
    *,
    streaming: bool = False,
) -> PreparedClips:
    """Return clips with their outcomes, at each of P operating points, and jittered times.

    Args:
        found: Outcomes of the n clips, P times.
        draws: Of the clips.
        device: Profile of the device.
        edge: Profile of the edge server.
        encode_s: Median time to encode, shape (P,).
        serial_s: Median time of serial work at the edge, shape (P,).
        streaming: Whether frames are encoded and sent one by one.
    """
    encode_factor = np.exp(device.jitter.value * normals(draws("encode")))
    infer_factor = np.exp(edge.jitter.value * normals(draws("infer")))

    def joined(column: str, kind: type) -> Any:
        return np.stack([part[column].astype(kind) for part in found], axis=1)

    return PreparedClips(
        encode_s=encode_factor[:, None] * np.array(encode_s),
        payload_bits=8.0 * joined("bytes", np.float64),
        infer_s=infer_factor[:, None] * np.array(serial_s),
        infer_factor=infer_factor,
        data_index=found[0]["data_index"].astype(np.int64),
        label=found[0]["label"].astype(np.int64),
        predicted=joined("predicted", np.int64),
        confidence=joined("confidence", np.float64),
        correct=joined("correct", np.bool_),
        frame_bits=_frame_bits(found) if streaming else None,
    )


def _frame_bits(found: list[Columns]) -> Floats:
    frame_bytes = [np.stack(list(part["frame_bytes"])) for part in found]
    return np.asarray(8.0 * np.stack(frame_bytes, axis=1).astype(np.float64))
