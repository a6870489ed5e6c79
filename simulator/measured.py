"""Outcome tables for a scenario: shipped ones, or those that were measured here."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fadeline.models.clips.cache import cache_folder
from fadeline.models.outcomes import (
    UNCOMPRESSED,
    Outcomes,
    read_outcomes,
    refuse_other_outcomes,
    shipped_checksums,
    shipped_outcomes,
)
from fadeline.simulator.errors import FadelineError


def shipped_table(data: str, codecs: Sequence[str], *, otherwise: str) -> Outcomes:
    """Return the table of clips and shipped codecs that came with the package.

    Args:
        data: Name of the clips.
        codecs: Names of the codecs; rows of others are left out.
        otherwise: What to do instead, for the message.

    Raises:
        FadelineError: If there is none, or it lacks a codec.
        OutcomesError: If it is of other clips or weights than those of this version.
    """
    tables = {**_measured_here(), **shipped_outcomes()}
    if data not in tables:
        have = ", ".join(tables) or "none"
        raise FadelineError(
            f"{data}: no outcome table is shipped for these clips; there are {have}; {otherwise}"
        )
    path = tables[data]
    outcomes = read_outcomes(path)
    if missing := [name for name in codecs if name not in outcomes.codecs]:
        have = ", ".join(outcomes.codecs) or "none"
        raise FadelineError(
            f"{', '.join(missing)}: not in the table of {data}, which has {have}; {otherwise}"
        )
    from fadeline.models.clips.opening import open_clips

    refuse_other_outcomes(
        outcomes, path.name, data_version=open_clips(data).version,
        weights=shipped_checksums(codecs),
    )  # fmt: skip
    kept = outcomes.rows.codec.isin([UNCOMPRESSED, *codecs])
    chosen = {name: outcomes.codecs[name] for name in codecs}
    return replace(outcomes, codecs=chosen, rows=outcomes.rows[kept])


def table_path(data: str) -> Path:
    """Return where a table that is measured here belongs."""
    return cache_folder() / "tables" / f"{data.replace('/', '-', 1)}.parquet"


def _measured_here() -> dict[str, Path]:
    folder = table_path("x/y").parent
    return {path.stem.replace("-", "/", 1): path for path in sorted(folder.glob("*.parquet"))}
