"""Outcome tables: what became of every clip through every codec, measured once, read many times.

A table is one Parquet file. A row is a clip, coded at an operating point, of which some packets
arrived, answered by a classifier. What holds for the whole file (data, weights, operating points,
times) is JSON in its header. Reading needs no torch.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.resources import files
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from fadeline.models.card import read_card
from fadeline.models.errors import OutcomesError, WeightsError
from fadeline.models.files import complete_or_absent
from fadeline.models.hardware.network_work import NetworkWork

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 3
"""Version of the file's layout; another one is refused."""

_HEADER = b"fadeline"

UNCOMPRESSED = "uncompressed"
"""Name, in the column `codec`, of clips that were classified as they are."""

FROZEN, OWN = "frozen", "own"
"""Classifiers: the one trained on clips as they are; a copy trained along with the codec."""

COLUMNS = {
    "codec": "string",
    "classifier": "string",
    "operating_point": "int16",
    "packets": "int16",
    "data_index": "int32",
    "bytes": "int32",
    "frame_bytes": "list<uint16>",
    "label": "int16",
    "predicted": "int16",
    "confidence": "float",
    "attention": "float",
    "psnr_db": "float",
    "correct": "bool",
}
"""Columns and their Arrow types.

packets: how many arrived. bytes: sent for them, all included. frame_bytes: how many can be sent
once each frame was seen; null if the whole clip is needed, or there are several packets.
confidence: probability of the answer. attention: mean score of the positions sent; null for codecs
without. psnr_db: of the restored clip.
"""


@dataclass(frozen=True)
class CodecFacts:
    """What holds for all clips of a codec.

    Attributes:
        operating_points: Settings of each, as in `OperatingPoint`.
        weights: SHA-256 of its weights, and of its own classifier's.
        encoder: The device's network.
        decoder: The server's, without the classifier.
        encode_s: Median on one core, clip to bytes, for each operating point.
        decode_s: Likewise, bytes to clip.
        encode_serial_s: The part of `encode_s` that is not the network.
        decode_serial_s: Likewise of `decode_s`.
        serial_symbols_per_s: Serial speed of the machine that all this was measured on
            (`serial_speed`): what these times are worth on another.
    """

    operating_points: list[dict[str, Any]]
    weights: dict[str, str]
    encoder: NetworkWork
    decoder: NetworkWork
    encode_s: list[float]
    decode_s: list[float]
    encode_serial_s: list[float]
    decode_serial_s: list[float]
    serial_symbols_per_s: float

    @property
    def encoder_s(self) -> float:
        """Measured time of the device's network, whatever the operating point, seconds."""
        return _network_s(self.encode_s, self.encode_serial_s)

    @property
    def decoder_s(self) -> float:
        """Likewise of the server's."""
        return _network_s(self.decode_s, self.decode_serial_s)


def _network_s(whole_s: Sequence[float], serial_s: Sequence[float]) -> float:
    # One number for all points: the network is the same, only the noise of measuring differs.
    return median(whole - serial for whole, serial in zip(whole_s, serial_s, strict=True))


@dataclass(frozen=True)
class Outcomes:
    """An outcome table.

    Attributes:
        data: Name of the clips.
        data_version: Their version.
        data_checksum: SHA-256 over their pixels and labels.
        classes: Names of the classes.
        raw_bytes: Of a clip, in 8-bit pixels.
        classifier: SHA-256 of the weights of the frozen classifier.
        classifier_work: What a classifier does for a clip; all have one shape.
        reference_network_s: Time of the network of `network_speed` on the machine that the codecs
            were timed on: what their networks' times are worth on another.
        codecs: By name.
        rows: With `COLUMNS`; `label` and `predicted` are positions in `classes`.
        skipped: Why videos were left out, a message each.
    """

    data: str
    data_version: str
    data_checksum: str
    classes: list[str]
    raw_bytes: int
    classifier: str
    classifier_work: NetworkWork
    reference_network_s: float
    codecs: dict[str, CodecFacts]
    rows: "pd.DataFrame" = field(repr=False)
    skipped: list[str] = field(default_factory=list)

    def header(self) -> dict[str, Any]:
        """Return everything but the rows, as it is stored."""
        stored = {name: value for name, value in vars(self).items() if name != "rows"}
        stored["classifier_work"] = asdict(self.classifier_work)
        stored["codecs"] = {name: asdict(facts) for name, facts in self.codecs.items()}
        return {"format": FORMAT, **stored}


def write_outcomes(outcomes: Outcomes, path: Path) -> None:
    """Write a table.

    Raises:
        OutcomesError: If it cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {name: _arrow_type(kind) for name, kind in COLUMNS.items()}
    schema = pa.schema(types.items(), metadata={_HEADER: json.dumps(outcomes.header())})
    # A column without any list must not be taken for one of numbers.
    rows = outcomes.rows[[*COLUMNS]].astype({"frame_bytes": object})
    table = pa.Table.from_pandas(rows, schema=schema, preserve_index=False)
    table = table.replace_schema_metadata(schema.metadata)
    try:
        with complete_or_absent(path) as partial:
            pq.write_table(table, partial, compression="zstd", compression_level=12)
    except OSError as error:
        raise OutcomesError(f"{path}: cannot be written: {error.strerror}") from error


def read_outcomes(path: Path) -> Outcomes:
    """Return a table.

    Raises:
        OutcomesError: If it is missing, damaged or of another format.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        raise OutcomesError(f"{path}: no such outcome table")
    try:
        table = pq.read_table(path)
        header = json.loads((table.schema.metadata or {})[_HEADER])
        found = header.pop("format")
        if found != FORMAT:
            raise OutcomesError(
                f"{path}: has format {found}, this version reads {FORMAT}; measure it again"
            )
        if missing := [name for name in COLUMNS if name not in table.column_names]:
            raise KeyError(", ".join(missing))
        header["codecs"] = {name: _facts(stored) for name, stored in header["codecs"].items()}
        header["classifier_work"] = NetworkWork(**header["classifier_work"])
        outcomes = Outcomes(**header, rows=table.to_pandas())
        _refuse_nonsense(outcomes)
        return outcomes
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise OutcomesError(f"{path}: is no readable outcome table: {error}") from error


def _refuse_nonsense(outcomes: Outcomes) -> None:
    """Raise ValueError if labels and answers are not positions in the list of classes."""
    rows, count = outcomes.rows, len(outcomes.classes)
    for column in ("label", "predicted"):
        if not rows[column].between(0, count - 1).all():
            raise ValueError(f"{column} must be a position in its list of {count} classes")
    if (rows["correct"] != (rows["label"] == rows["predicted"])).any():
        raise ValueError("correct must be whether label and predicted are the same")


def shipped_outcomes() -> dict[str, Path]:
    """Return the tables that came with the package, by the name of their clips."""
    folder = Path(str(files("fadeline.models"))) / "tables"
    return {path.stem.replace("-", "/", 1): path for path in sorted(folder.glob("*.parquet"))}


def shipped_checksums(codecs: Sequence[str]) -> dict[str, str]:
    """Return the SHA-256 of shipped weights, as their cards say, for `refuse_other_outcomes`.

    Raises:
        OutcomesError: If no such weights are shipped, or a card is damaged.
    """
    paths = {FROZEN: "vit-tiny-actions"}
    for name in codecs:
        paths |= {name: f"{name}-actions", f"{name} {OWN}": f"{name}-actions-classifier"}
    folder = Path(str(files("fadeline.models"))) / "trained"
    found = {}
    for name, stem in paths.items():
        try:
            found[name] = read_card(folder / f"{stem}.safetensors").sha256
        except WeightsError as error:
            raise OutcomesError(f"{error}; a table says nothing without its weights") from error
    return found


def what_changed(
    outcomes: Outcomes,
    *,
    data_version: str,
    weights: Mapping[str, str],
    classes: Sequence[str] | None = None,
) -> str:
    """Say what is no longer as it was when a table was measured; empty if all is.

    Args:
        outcomes: The table.
        data_version: Of the clips now.
        weights: SHA-256 now: "frozen" for the classifier of uncompressed clips, the codec's name,
            and the name followed by " own" for its classifier.
        classes: Of the classifier now; None if they do not matter.
    """
    if outcomes.data_version != data_version:
        return (
            f"was measured on version {outcomes.data_version} of {outcomes.data}, which now has "
            f"version {data_version}"
        )
    measured = {FROZEN: outcomes.classifier}
    for name, facts in outcomes.codecs.items():
        measured[name] = facts.weights["codec"]
        measured[f"{name} {OWN}"] = facts.weights["classifier"]
    other = [name for name, sha256 in weights.items() if measured.get(name, sha256) != sha256]
    if other:
        return f"was measured with other weights of {', '.join(other)}"
    if classes is not None and list(classes) != outcomes.classes:
        return "was measured with other classes"
    return ""


def refuse_other_outcomes(
    outcomes: Outcomes, where: str, *, data_version: str, weights: Mapping[str, str]
) -> None:
    """Check that a table was measured on these clips and weights.

    Args:
        outcomes: The table.
        where: How messages call it.
        data_version: As in `what_changed`.
        weights: As in `what_changed`.

    Raises:
        OutcomesError: If it was not.
    """
    if changed := what_changed(outcomes, data_version=data_version, weights=weights):
        raise OutcomesError(f"{where}: {changed}; measure it again with fadeline evaluate")


def _facts(stored: dict[str, Any]) -> CodecFacts:
    networks = {part: NetworkWork(**stored[part]) for part in ("encoder", "decoder")}
    return CodecFacts(**(stored | networks))


def _arrow_type(kind: str) -> Any:
    import pyarrow as pa

    named = {"list<uint16>": pa.list_(pa.uint16()), "float": pa.float32(), "bool": pa.bool_()}
    return named[kind] if kind in named else pa.type_for_alias(kind)
