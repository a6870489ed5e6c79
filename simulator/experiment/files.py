"""The files of a run: its clips, its tables, its manifest."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fadeline.simulator.analysis.results import TABLES, Results
from fadeline.simulator.engine.records import CODES, missing
from fadeline.simulator.errors import FadelineError
from fadeline.simulator.output import complete_or_absent

CLIPS, MANIFEST, LINK = "clips.parquet", "manifest.json", "link.parquet"

THEORY = "theory.csv"
"""The curves in closed form, where there are any."""


def write_clips(clips: pd.DataFrame, folder: Path) -> None:
    """Write `clips.parquet`.

    Raises:
        OutputError: If it cannot be written.
    """
    stored = clips.copy(deep=False)
    for column in CODES:
        stored[column] = clips[column].astype("Int64").mask(clips[column] < 0)
    with complete_or_absent(folder / CLIPS) as partial:
        stored.to_parquet(partial, index=False, compression="zstd")


def read_clips(folder: Path) -> pd.DataFrame:
    """Return the rows of `clips.parquet` as they were in memory.

    Raises:
        FadelineError: If there are none, or they cannot be read.
    """
    clips: pd.DataFrame = _read(folder / CLIPS, pd.read_parquet)
    try:
        older = missing(list(clips.columns))
    except KeyError as error:
        raise FadelineError(
            f"{folder / CLIPS}: has no column {error.args[0]}; it holds no run of this program"
        ) from None
    clips = clips.assign(**older)
    for column in CODES:
        clips[column] = clips[column].fillna(-1).astype(np.int64)
    return clips


def write_results(results: Results, folder: Path) -> None:
    """Write every table as CSV.

    Raises:
        OutputError: If one cannot be written.
    """
    for name in TABLES:
        with complete_or_absent(folder / f"{name}.csv") as partial:
            getattr(results, name).to_csv(partial, index=False, float_format="%.9g")


def read_results(folder: Path) -> Results:
    """Return the tables of a run.

    Raises:
        FadelineError: If one is missing or cannot be read.
    """
    return Results(**{name: _read(folder / f"{name}.csv", _csv) for name in TABLES})


def write_manifest(manifest: dict[str, Any], folder: Path) -> None:
    """Write `manifest.json`, last of all: a folder that has it is complete.

    Raises:
        OutputError: If it cannot be written.
    """
    with complete_or_absent(folder / MANIFEST) as partial:
        partial.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a run.

    Raises:
        FadelineError: If there is none: the folder holds no run, or an unfinished one.
    """
    if not folder.is_dir():
        raise FadelineError(f"{folder}: no such folder; give that of a run")
    manifest: dict[str, Any] = _read(
        folder / MANIFEST, lambda path: json.loads(path.read_text(encoding="utf-8"))
    )
    return manifest


def _csv(path: Path) -> pd.DataFrame:
    # A scheme may be called "1" or "NA".
    text = {"scheme": str, "baseline": str}
    return pd.read_csv(path, dtype=text, keep_default_na=False, na_values=[""])


def _read(path: Path, read: Callable[[Path], Any]) -> Any:
    if not path.is_file():
        raise FadelineError(
            f"{path.parent}: has no {path.name}; it holds no finished run of this version"
        )
    try:
        return read(path)
    except (OSError, ValueError) as error:
        raise FadelineError(f"{path}: cannot be read: {error}") from None
