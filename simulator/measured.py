"""Outcome tables for a scenario: shipped with the package, or measured on this machine."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from fadeline.models.clips.cache import cache_folder
from fadeline.models.errors import OutcomesError
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
    stale: OutcomesError | None = None
    shipped = shipped_outcomes().get(data)
    have: dict[str, None] = {}
    for path in [*([shipped] if shipped else []), *table_paths(data)]:
        outcomes = _read(path, path.stat().st_mtime_ns)
        have |= dict.fromkeys(outcomes.codecs)
        if any(name not in outcomes.codecs for name in codecs):
            continue
        try:
            return _checked(outcomes, codecs)
        except OutcomesError as error:
            stale = stale or error
    if stale is not None and shipped is not None:
        raise stale
    raise UnmeasuredError(
        f"{data}: no outcome table of this version has {', '.join(codecs) or 'these clips'}; "
        f"there is {', '.join(have) or 'none'}; {otherwise}"
    )


@lru_cache(maxsize=4)
def _read(path: Path, _stamp_ns: int) -> Outcomes:
    # A memo of the file's content: every point of a sweep asks for it.
    return read_outcomes(path)


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
    path = _folder() / "+".join([data.replace("/", "-"), *sorted(codecs)])
    parts, path = path.with_name(f"{path.name}-parts"), path.with_name(f"{path.name}.parquet")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutcomesError(f"{path.parent}: cannot be made: {error.strerror}") from error
    outcomes = measure_outcomes(
        loaded, classifier, card, clips,
        checksum=clips.digest, workers=usable_cores(), parts=parts, progress=progress,
    )  # fmt: skip
    write_outcomes(outcomes, path)
    shutil.rmtree(parts, ignore_errors=True)
    return path


def table_paths(data: str) -> list[Path]:
    """Return the tables of clips that were measured here."""
    stem = data.replace("/", "-")
    return [
        path
        for path in sorted(_folder().glob("*.parquet"))
        if path.name.partition("+")[0] in (stem, f"{stem}.parquet")
    ]


def _folder() -> Path:
    return cache_folder() / "tables"


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
