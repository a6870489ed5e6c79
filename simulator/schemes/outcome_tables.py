"""Outcome tables for a scenario: shipped with the package, or measured on this machine."""

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fadeline.models.card import Card, classifier_path, read_card, weights_path
from fadeline.models.codecs.protocol import NO_WEIGHTS_SHA256
from fadeline.models.data.cache.cache import cache_folder
from fadeline.models.errors import OutcomesError
from fadeline.models.measurement.outcomes import (
    FROZEN,
    OWN,
    UNCOMPRESSED,
    Outcomes,
    read_outcomes,
    shipped_outcomes,
    what_changed,
    write_outcomes,
)
from fadeline.simulator.errors import FadelineError
from fadeline.simulator.schemes.wanted import WantedTable, weights_sha256

if TYPE_CHECKING:
    from fadeline.models.codecs.protocol import Codec
    from fadeline.models.data.clipset import ClipSet

NAME_CHARACTERS = 40
"""Of the clips' name in that of a table (our choice): far below the usual limit of 255 bytes."""


class UnmeasuredError(FadelineError):
    """No outcome table has what is asked for.

    Attributes:
        changed: What is no longer as it was, if it was measured once; empty if it never was.
    """

    def __init__(self, message: str, *, changed: str = "") -> None:
        super().__init__(message)
        self.changed = changed


def outcome_table(wanted: WantedTable, *, otherwise: str) -> Outcomes:
    """Return what codecs do to clips; needs no torch.

    Args:
        wanted: Clips and networks; rows of other codecs are left out.
        otherwise: What to do if there is no such table, for the message.

    Raises:
        UnmeasuredError: If there is none, or it was measured on other clips or weights.
        OutcomesError: If the shipped one is of other clips or weights than those of this version.
        ModelsError: If the clips or weights cannot be used.
    """
    return _found(wanted, otherwise)[1]


def table_path_of(wanted: WantedTable) -> Path | None:
    """Return the file that `outcome_table` reads; None if there is none.

    Raises:
        ModelsError: If the clips or weights cannot be used.
    """
    try:
        return _found(wanted, "")[0]
    except UnmeasuredError:
        return None


def measure_table(
    wanted: WantedTable,
    *,
    progress: Callable[[int, int], None] | None = None,
    log: Callable[[str], None] | None = None,
) -> Path:
    """Measure codecs on clips and keep the table on this machine; return its path.

    Args:
        wanted: Clips and networks.
        progress: Called with the clips done and their number, over all codecs.
        log: Called with a line on each thing that the user should know of the clips.

    Raises:
        FadelineError: If a codec is not of the kind that it is said to be.
        ModelsError: If weights are missing, or clips cannot be opened.
    """
    from fadeline.models.classifiers.stored_vit import load_vit
    from fadeline.models.data.cache.cache import cached
    from fadeline.models.data.opening import clip_notes
    from fadeline.models.hardware.machine import usable_cores
    from fadeline.models.measurement.measuring import measure_outcomes

    classifier, card = load_vit(wanted.classifier)
    loaded = loaded_codecs(wanted, card)
    source = open_wanted(wanted, card)
    if log is not None:
        for line in clip_notes(source):
            log(line)
    clips = cached(source, workers=usable_cores(), log=log)
    path = table_path(wanted)
    parts = path.with_name(f"{path.stem}-parts")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutcomesError(f"{path.parent}: cannot be made: {error.strerror}") from error
    outcomes = measure_outcomes(
        list(loaded.values()), classifier, card, clips,
        names=[*loaded], checksum=clips.digest, workers=usable_cores(), parts=parts,
        progress=progress,
    )  # fmt: skip
    for codec in wanted.codecs:
        if codec.weights is not None:
            outcomes.codecs[codec.table_name].weights["file"] = codec.weights
    write_outcomes(replace(outcomes, skipped=[*clips.skipped]), path)
    shutil.rmtree(parts, ignore_errors=True)
    return path


def loaded_codecs(wanted: WantedTable, card: Card) -> "dict[str, Codec]":
    """Return the codecs of a table, ready for use, by their names in it.

    Args:
        wanted: The table.
        card: Of the classifier of clips as they are.

    Raises:
        FadelineError: If a codec takes clips of another shape than the classifier.
        ModelsError: If weights are missing or damaged, or another package's codec cannot be used.
    """
    from fadeline.models.codecs.loading import load_codec

    loaded = {}
    for codec in wanted.codecs:
        if codec.has_weights:
            theirs, mine = _shape(read_card(weights_path(codec.source))), _shape(card)
            if theirs != mine:
                raise FadelineError(
                    f"{codec.source}: takes clips of {theirs[0]} frames of {theirs[1]} px, the "
                    f"classifier {wanted.classifier} of {mine[0]} frames of {mine[1]} px"
                )
        loaded[codec.table_name] = load_codec(codec.codec, weights=codec.weights)
    return loaded


def open_wanted(wanted: WantedTable, card: Card) -> "ClipSet":
    """Return the clips of a table, in the shape that its classifier takes.

    Raises:
        ClipError: If they cannot be opened.
    """
    from fadeline.models.data import opening

    frames, size = _shape(card)
    return opening.open_clips(
        wanted.data,
        frames=frames,
        size=size,
        splits=None if wanted.splits is None else Path(wanted.splits),
        draw=wanted.draw,
        sampling=wanted.sampling,
        skip_unreadable=wanted.skip_unreadable,
    )


def table_path(wanted: WantedTable) -> Path:
    """Return where a table is kept: its name says, in two hashes, which clips and networks."""
    networks = (wanted.classifier, sorted((c.codec, c.weights or "") for c in wanted.codecs))
    return _folder() / f"{_stem(wanted)}-{_short_hash(networks)}.parquet"


def _found(wanted: WantedTable, otherwise: str) -> tuple[Path, Outcomes]:
    """Return the first table that has all that is wanted, and its path."""
    card = read_card(weights_path(wanted.classifier))
    candidates = _candidates(wanted)
    weights = _weights(wanted) if candidates else {}
    version = open_wanted(wanted, card).version if candidates else ""
    names = [codec.table_name for codec in wanted.codecs]
    have: dict[str, None] = {}
    changes: dict[str, None] = {}
    for path, is_shipped in candidates:
        try:
            outcomes = _read(path, path.stat().st_mtime_ns)
        except OutcomesError as error:
            if is_shipped:
                raise
            changes[str(error)] = None
            continue
        have |= dict.fromkeys(outcomes.codecs)
        retrained = _retrained(outcomes, wanted)
        changed = retrained or what_changed(
            outcomes, data_version=version, weights=weights, classes=card.classes
        )
        if changed and is_shipped:
            raise OutcomesError(
                f"the outcome table of {outcomes.data}: {changed}; measure it again with fadeline "
                "evaluate"
            )
        if changed:
            # A table for other networks is no older one of these, unless its clips are.
            if path == table_path(wanted) or outcomes.data_version != version or retrained:
                changes[f"the outcome table {changed}"] = None
        elif all(name in outcomes.codecs for name in names):
            return path, _chosen(outcomes, names)
    changed = "; ".join(changes)
    raise UnmeasuredError(
        f"{wanted.data}: no outcome table of this version has "
        f"{', '.join(names) or 'these clips'}; there is {', '.join(have) or 'none'}; "
        f"{f'{changed}; ' if changed else ''}{otherwise}",
        changed=changed,
    )


def _candidates(wanted: WantedTable) -> list[tuple[Path, bool]]:
    """Return the tables of some clips, and whether each came with the package."""
    plain = WantedTable(wanted.data, wanted.codecs)
    shipped = shipped_outcomes().get(wanted.data) if wanted == plain else None
    own = sorted(_folder().glob(f"{_stem(wanted)}-*.parquet"))
    own.sort(key=lambda path: path != table_path(wanted))  # the one measured for this goes first
    return [*([(shipped, True)] if shipped else []), *((path, False) for path in own)]


def _weights(wanted: WantedTable) -> dict[str, str]:
    """Return the SHA-256 of all weights now, as `what_changed` takes them."""
    found = {FROZEN: weights_sha256(wanted.classifier)}
    for codec in wanted.codecs:
        name = codec.table_name
        if not codec.has_weights:
            found |= {name: NO_WEIGHTS_SHA256, f"{name} {OWN}": found[FROZEN]}
            continue
        path = weights_path(codec.source)
        found[name] = read_card(path).sha256
        own = classifier_path(path)
        found[f"{name} {OWN}"] = (
            read_card(own).sha256 if codec.weights is None else weights_sha256(str(own))
        )
    return found


def _retrained(outcomes: Outcomes, wanted: WantedTable) -> str:
    """Say that a file held other weights when a table was measured; empty if none did."""
    names = {codec.weights: codec.table_name for codec in wanted.codecs if codec.weights}
    for name, facts in outcomes.codecs.items():
        file = facts.weights.get("file")
        if file in names and names[file] != name:
            return f"was measured with other weights, then in {file}"
    return ""


@lru_cache(maxsize=4)
def _read(path: Path, _stamp_ns: int) -> Outcomes:
    # A memo of the file's content: every point of a sweep asks for it.
    return read_outcomes(path)


def _chosen(outcomes: Outcomes, names: list[str]) -> Outcomes:
    kept = outcomes.rows.codec.isin([UNCOMPRESSED, *names])
    codecs = {name: outcomes.codecs[name] for name in names}
    return replace(outcomes, codecs=codecs, rows=outcomes.rows[kept])


def _shape(card: Card) -> tuple[int, int]:
    """Return the frames and the size of the clips that a network takes."""
    return int(card.config["frames"]), int(card.config["size_px"])


def _stem(wanted: WantedTable) -> str:
    clips = (wanted.data, wanted.splits, wanted.draw, wanted.sampling, wanted.skip_unreadable)
    name = re.sub(r"[^A-Za-z0-9@_]+", "-", wanted.data)[-NAME_CHARACTERS:].strip("-")
    return f"{name}-{_short_hash(clips)}"


def _short_hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:12]


def _folder() -> Path:
    return cache_folder() / "tables"
