"""A codec of the user's own as a file: sizes, answers and times of clips."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fadeline.simulator.errors import FadelineError

Floats = NDArray[np.float64]

TABLE_COLUMNS = ("data_index", "payload_bits", "correct", "encode_s", "infer_s")


def read_codec_table(file: Path) -> dict[str, Floats]:
    """Return the columns of a user's own codec, in the order of data_index.

    Raises:
        FadelineError: If the file is unreadable, lacks a column, or holds what cannot be.
    """
    import pandas as pd

    try:
        rows = pd.read_parquet(file)
    except (OSError, ValueError) as error:
        raise FadelineError(f"{file}: is no readable Parquet file: {error}") from None
    if missing := [column for column in TABLE_COLUMNS if column not in rows]:
        raise FadelineError(
            f"{file}: has no column {', '.join(missing)}; needs {', '.join(TABLE_COLUMNS)}"
        )
    if not len(rows):
        raise FadelineError(f"{file}: has no clip")
    columns = {}
    for column in TABLE_COLUMNS:
        try:
            values = rows[column].to_numpy(dtype=np.float64)
        except (TypeError, ValueError):
            raise FadelineError(f"{file}: column {column} must hold numbers") from None
        wrong = ~(np.isfinite(values) & (values >= 0))
        if column == "correct":
            wrong |= ~np.isin(values, (0.0, 1.0))
        if wrong.any():
            row = int(wrong.argmax())
            raise FadelineError(
                f"{file}: row {row}: {column} is {values[row]}; must be "
                + ("true or false" if column == "correct" else "a finite number of at least 0")
            )
        columns[column] = values
    order = columns["data_index"].argsort(kind="stable")
    if len(np.unique(columns["data_index"])) < len(order):
        raise FadelineError(f"{file}: a data_index occurs twice; each clip has one row")
    return {column: values[order] for column, values in columns.items()}
