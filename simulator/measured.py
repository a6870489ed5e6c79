"""Outcome tables for a scenario: shipped with the package, or measured on this machine."""

from collections.abc import Callable, Sequence
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
    write_outcomes,
)
from fadeline.simulator.errors import FadelineError

CLASSIFIER = "vit-tiny-actions"
"""Shipped classifier of uncompressed clips."""


class UnmeasuredError(FadelineError):
    """No outcome table has what is asked for."""


def outcome_table(data: str, codecs: Sequence[str], *, otherwise: str) -> Outcomes:
    """Return what shipped codecs do to clips; needs no torch.

    Args:
        data: Name of the clips.
        codecs: Names of the codecs; rows of others are left out.
        otherwise: What to do if there is no such table, for the message.

    Raises:
        UnmeasuredError: If there is none.
        OutcomesError: If it is of other clips or weights than those of this version.
    """
    places = [path for path in (shipped_outcomes().get(data), table_path(data)) if path is not None]
    found = [read_outcomes(path) for path in places if path.is_file()]
    for outcomes in found:
        if all(name in outcomes.codecs for name in codecs):
            return _checked(outcomes, codecs)
    if not found:
        have = ", ".join(shipped_outcomes()) or "none"
        raise UnmeasuredError(
            f"{data}: no outcome table is shipped for these clips; there are {have}; {otherwise}"
        )
    have = ", ".join(dict.fromkeys(name for outcomes in found for name in outcomes.codecs))
    missing = [name for name in codecs if not any(name in table.codecs for table in found)]
    raise UnmeasuredError(
        f"{', '.join(missing)}: not in the table of {data}, which has {have or 'none'}; {otherwise}"
    )


def measure_table(
    data: str, codecs: Sequence[str], *, progress: Callable[[int, int], None] | None = None
) -> Path:
    """Measure shipped codecs on clips and keep the table on this machine; return its path.

    Args:
        data: Name of the clips.
        codecs: Names of the codecs.
        progress: Called with the clips done and their number, over all codecs.

    Raises:
        ModelsError: If weights are missing, or clips cannot be opened.
    """
    from fadeline.models.clips.cache import cached
    from fadeline.models.clips.opening import open_clips
    from fadeline.models.codecs.measuring import measure_outcomes
    from fadeline.models.codecs.stored_codec import load_codec
    from fadeline.models.machine import usable_cores
    from fadeline.models.weights import load_vit

    loaded = [load_codec(f"{name}-actions") for name in codecs]
    classifier, card = load_vit(CLASSIFIER)
    shape = classifier.config
    clips = cached(
        open_clips(data, frames=shape.frames, size=shape.size_px), workers=usable_cores()
    )
    outcomes = measure_outcomes(
        loaded, classifier, card, clips, checksum=clips.digest, progress=progress
    )
    path = table_path(data)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_outcomes(outcomes, path)
    return path


def table_path(data: str) -> Path:
    """Return where a table that is measured here is kept."""
    return cache_folder() / "tables" / f"{data.replace('/', '-')}.parquet"


def _checked(outcomes: Outcomes, codecs: Sequence[str]) -> Outcomes:
    from fadeline.models.clips.opening import open_clips

    refuse_other_outcomes(
        outcomes,
        f"the outcome table of {outcomes.data}",
        data_version=open_clips(outcomes.data).version,
        weights=shipped_checksums(codecs),
    )
    kept = outcomes.rows.codec.isin([UNCOMPRESSED, *codecs])
    chosen = {name: outcomes.codecs[name] for name in codecs}
    return replace(outcomes, codecs=chosen, rows=outcomes.rows[kept])
