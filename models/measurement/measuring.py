"""What codecs do to clips, measured: real bytes there and back, then the classifiers."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from fadeline.models.classifiers.controls import SomeClips
from fadeline.models.classifiers.stages import reference_network_s
from fadeline.models.codecs.entropy.bitstream import VERSION
from fadeline.models.codecs.protocol import (
    NO_WEIGHTS_SHA256,
    Clip,
    Codec,
    Encoded,
)
from fadeline.models.data.clipset import ClipSet
from fadeline.models.data.numbering import NumberedClips, numbered_as
from fadeline.models.errors import OutcomesError
from fadeline.models.files import complete_or_absent
from fadeline.models.hardware.latency import torch_threads
from fadeline.models.hardware.network_cost import network_work
from fadeline.models.hardware.network_work import NO_NETWORK
from fadeline.models.hardware.serial_speed import serial_symbols_per_s
from fadeline.models.measurement.coding_times import TIMED, time_coder, time_coding
from fadeline.models.measurement.outcomes import (
    COLUMNS,
    FROZEN,
    OWN,
    UNCOMPRESSED,
    CodecFacts,
    Outcomes,
)
from fadeline.models.weights import Card

_AT_ONCE = 10  # clips that a process is given at a time

Progress = Callable[[int, int], None]

Network = torch.nn.Module
"""A classifier: clips (B, 3, T, H, W) in [0, 1] to logits (B, classes)."""

Answers = tuple[NDArray[np.int64], NDArray[np.float32]]
"""Class answered for each clip, and its probability."""


def measure_outcomes(
    codecs: Sequence[Codec],
    classifier: Network,
    classifier_card: Card,
    clips: ClipSet,
    *,
    checksum: str,
    names: Sequence[str] | None = None,
    batch: int = 16,
    workers: int = 1,
    parts: Path | None = None,
    progress: Progress | None = None,
) -> Outcomes:
    """Return the outcome table of codecs on clips; the same for any number of workers.

    Args:
        codecs: The codecs; those with a classifier of their own have its classes in the same order.
        classifier: Trained on clips as they are.
        classifier_card: Its card.
        clips: The clips; their classes are matched with the classifier's by name.
        checksum: SHA-256 over them.
        names: Of the codecs in the table; their own if None.
        batch: Restored clips that a classifier sees at a time: changes the speed, and the last
            digits of confidences.
        workers: Processes, each on one core.
        parts: Folder of what is measured so far, made if it is not there: what it has of these
            clips and weights is not measured again. Whose table is written may delete it.
        progress: Called with the clips done and their number, over all codecs.

    Raises:
        ClipError: If a clip cannot be read, is of another shape than a codec takes, or of a class
            that the classifier does not know.
        OutcomesError: If a codec has other classes than the classifier, or a part cannot be kept
            or read again.
    """
    clips = numbered_as(clips, classifier_card.classes, network="the classifier")
    for codec in codecs:
        _refuse_other_classes(codec, classifier_card)
    named = dict(zip(names or [codec.name for codec in codecs], codecs, strict=True))
    rows = _rows(
        {UNCOMPRESSED: None, **named}, classifier, classifier_card, clips,
        checksum=checksum, batch=batch, workers=workers, parts=parts, progress=progress,
    )  # fmt: skip
    T, H, W = clips.shape
    frozen = classifier_card.sha256
    return Outcomes(
        data=clips.name,
        data_version=clips.version,
        data_checksum=checksum,
        classes=list(clips.classes),
        raw_bytes=T * H * W * 3,
        classifier=frozen,
        classifier_work=network_work(classifier, torch.zeros(2, 3, T, H, W)),
        reference_network_s=reference_network_s(TIMED),
        codecs={name: codec_facts(codec, clips, frozen=frozen) for name, codec in named.items()},
        rows=pd.DataFrame(rows, columns=[*COLUMNS]),
    )


def _refuse_other_classes(codec: Codec, classifier: Card) -> None:
    own = codec.classifier
    if own is not None and list(own.classes) != classifier.classes:
        raise OutcomesError(
            f"{codec.name}: its classifier numbers its classes in another way than that of "
            f"clips as they are: {', '.join(own.classes)} against "
            f"{', '.join(classifier.classes)}; train the codec with that classifier"
        )


def _rows(
    codecs: Mapping[str, Codec | None],
    classifier: Network,
    classifier_card: Card,
    clips: ClipSet,
    *,
    checksum: str,
    batch: int,
    workers: int,
    parts: Path | None,
    progress: Progress | None,
) -> list[dict[str, Any]]:
    """Return what became of all clips through all codecs, in order."""
    from joblib import Parallel, delayed

    numbers = range(len(clips))
    some = [numbers[start : start + _AT_ONCE] for start in range(0, len(clips), _AT_ONCE)]
    jobs = [
        (parts and _file(parts, checksum, classifier_card, name, codec, batch), name, codec, part)
        for name, codec in codecs.items()
        for part in some
    ]
    rows: list[dict[str, Any]] = []
    done = 0
    # One thread each: sums come out the same however many cores there are.
    measured = Parallel(n_jobs=workers, return_as="generator")(
        delayed(_part)(file, name, codec, classifier, clips, part, batch)
        for file, name, codec, part in jobs
    )
    for (*_, part), found in zip(jobs, measured, strict=True):
        rows.extend(found)
        done += len(part)
        if progress is not None:
            progress(done, len(clips) * len(codecs))
    return rows


def codec_facts(codec: Codec, clips: ClipSet, *, frozen: str) -> CodecFacts:
    """Measure what holds for all clips of a codec; times on one core.

    Args:
        codec: The codec.
        clips: Some of them are timed.
        frozen: SHA-256 of the classifier that answers if the codec has none of its own.
    """
    networks = codec.networks()
    encode_s, decode_s = time_coder(codec, clips)
    encoder = decoder = NO_NETWORK
    encode_serial_s, decode_serial_s = [*encode_s], [*decode_s]
    if networks is not None:
        encode_serial_s, decode_serial_s = time_coding(codec, networks, clips)
        encoder, decoder = networks.work()
    own = codec.classifier
    return CodecFacts(
        operating_points=[asdict(point) for point in codec.points],
        weights={"codec": codec.sha256, "classifier": frozen if own is None else own.sha256},
        encoder=encoder,
        decoder=decoder,
        encode_s=encode_s,
        decode_s=decode_s,
        encode_serial_s=encode_serial_s,
        decode_serial_s=decode_serial_s,
        serial_symbols_per_s=serial_symbols_per_s(TIMED),
    )


def answer(classifier: Network, clip: Clip) -> tuple[int, float]:
    """Return the class that a classifier sees in a clip (T, H, W, 3), and its probability."""
    answers, confidences = _answers(classifier, [clip], 1)
    return int(answers[0]), float(confidences[0])


def _file(
    parts: Path, checksum: str, frozen: Card, name: str, codec: Codec | None, batch: int
) -> Path:
    """Return where a codec's parts go: the name says all that they depend on."""
    given: list[Any] = [checksum, VERSION, batch, frozen.sha256]
    if codec is not None:
        own = codec.classifier
        # Of what has no weights, the settings alone tell one from another.
        settings = [asdict(point) for point in codec.points]
        given += [settings if codec.sha256 == NO_WEIGHTS_SHA256 else codec.sha256]
        given += [] if own is None else [own.sha256]
    digest = hashlib.sha256(json.dumps(given).encode()).hexdigest()
    return parts / f"{name}-{digest[:16]}"


def _part(
    file: Path | None,
    name: str,
    codec: Codec | None,
    frozen: Network,
    clips: ClipSet,
    indices: Sequence[int],
    batch: int,
) -> list[dict[str, Any]]:
    """Return the rows of some clips, from their file if they were measured before."""
    if file is None:
        return _outcomes(name, codec, frozen, clips, indices, batch)
    path = file.with_name(f"{file.name}-{indices[0]}-{len(indices)}.json")
    if path.exists():
        return _kept(path)
    rows = _outcomes(name, codec, frozen, clips, indices, batch)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with complete_or_absent(path) as partial:
            partial.write_text(json.dumps(rows), encoding="utf-8")
    except OSError as error:
        raise OutcomesError(f"{path}: cannot be written: {error.strerror}") from error
    return rows


def _kept(path: Path) -> list[dict[str, Any]]:
    try:
        rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OutcomesError(f"{path}: cannot be read: {error}; delete it") from error
    return rows


def _outcomes(
    name: str,
    codec: Codec | None,
    frozen: Network,
    clips: ClipSet,
    indices: Sequence[int],
    batch: int,
) -> list[dict[str, Any]]:
    """Return the rows of some clips."""
    with torch_threads(1):
        return [
            row
            for index in indices
            for row in _outcomes_of(name, codec, frozen, clips, index, batch)
        ]


def _outcomes_of(
    name: str, codec: Codec | None, frozen: Network, clips: ClipSet, index: int, batch: int
) -> Iterator[dict[str, Any]]:
    """Yield the rows of a clip."""
    number = index
    if isinstance(clips, SomeClips | NumberedClips):
        number = int(clips.indices[index])
    clip = np.asarray(clips.clip(index))
    shown = [(_plain(clip), clip)] if codec is None else [*_restorations(codec, clip)]
    label = int(clips.labels[index])
    for kind, answers in _answers_of(codec, frozen, [pixels for _, pixels in shown], batch):
        for (row, _), answer, confidence in zip(shown, *answers, strict=True):
            yield {
                "codec": name,
                **row,
                "classifier": kind,
                "data_index": number,
                "label": label,
                "predicted": int(answer),
                "confidence": float(confidence),
                "correct": int(answer) == label,
            }


def _answers_of(
    codec: Codec | None, frozen: Network, clips: Sequence[Clip], batch: int
) -> Iterator[tuple[str, Answers]]:
    """Yield each kind of classifier and what it answers; a codec without its own has the frozen."""
    answers = _answers(frozen, clips, batch)
    yield FROZEN, answers
    if codec is not None:
        own = codec.classifier
        yield OWN, answers if own is None else _answers(own.network, clips, batch)


def _plain(clip: Clip) -> dict[str, Any]:
    return {"operating_point": 0, "packets": 1, "bytes": clip.size}


def _restorations(codec: Codec, clip: Clip) -> Iterator[tuple[dict[str, Any], Clip]]:
    """Yield what a clip costs and what is left of it, at each operating point and prefix."""
    for point, encoded in enumerate(_encoded(codec, clip)):
        for number, length in enumerate(encoded.packet_ends):
            restored = codec.decode(encoded.stream[:length])
            error = np.square((restored.astype(np.float32) - clip) / 255.0).mean()
            yield (
                {
                    "operating_point": point,
                    "packets": number + 1,
                    "bytes": length,
                    "frame_bytes": encoded.frame_bytes,
                    "attention": encoded.attention,
                    "psnr_db": float(-10.0 * np.log10(max(error, 1e-10))),
                },
                restored,
            )


def _encoded(codec: Codec, clip: Clip) -> list[Encoded]:
    """Return a clip at every operating point; the network runs once."""
    networks, points = codec.networks(), range(len(codec.points))
    if networks is None:
        return [codec.encode(clip, point) for point in points]
    analysed = networks.analyse(clip)
    return [networks.code(analysed, point) for point in points]


@torch.inference_mode()
def _answers(classifier: Network, clips: Sequence[Clip], batch: int) -> Answers:
    """Return the class answered for each clip and its probability."""
    answers, confidences = [], []
    for start in range(0, len(clips), batch):
        pixels = np.stack(clips[start : start + batch])
        floats = torch.from_numpy(pixels).permute(0, 4, 1, 2, 3).float() / 255.0
        highest = classifier(floats).softmax(dim=1).max(dim=1)
        answers.append(highest.indices.numpy())
        confidences.append(highest.values.numpy())
    return np.concatenate(answers), np.concatenate(confidences)
