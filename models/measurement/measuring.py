"""What trained codecs do to clips, measured: real bytes there and back, then the classifiers."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from fadeline.models.classifiers.controls import SomeClips
from fadeline.models.classifiers.stages import reference_network_s
from fadeline.models.classifiers.vit import VideoViT
from fadeline.models.codecs.clip_coder import Clip, ClipCoder
from fadeline.models.codecs.entropy.bitstream import VERSION
from fadeline.models.codecs.learned.codec import Codec
from fadeline.models.codecs.stored_codec import TrainedCodec
from fadeline.models.data.clipset import ClipSet
from fadeline.models.data.numbering import NumberedClips, numbered_as
from fadeline.models.errors import OutcomesError
from fadeline.models.files import complete_or_absent
from fadeline.models.hardware.latency import Effort, time_call, torch_threads
from fadeline.models.hardware.network_cost import network_cost
from fadeline.models.hardware.network_work import NetworkWork
from fadeline.models.hardware.serial_speed import serial_symbols_per_s
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

TIMED = Effort(warmup_s=0.1, measure_s=0.4)
"""How long one operating point is timed (our choice)."""

Progress = Callable[[int, int], None]


def measure_outcomes(
    codecs: Sequence[TrainedCodec],
    classifier: VideoViT,
    classifier_card: Card,
    clips: ClipSet,
    *,
    checksum: str,
    batch: int = 16,
    workers: int = 1,
    parts: Path | None = None,
    progress: Progress | None = None,
) -> Outcomes:
    """Return the outcome table of codecs on clips; the same for any number of workers.

    Args:
        codecs: The codecs; with the classes of the classifier.
        classifier: Trained on clips as they are.
        classifier_card: Its card.
        clips: The clips; their classes are matched with the classifier's by name.
        checksum: SHA-256 over them.
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
    from joblib import Parallel, delayed

    clips = numbered_as(clips, classifier_card.classes, network="the classifier")
    for codec in codecs:
        if codec.classifier_card.classes != classifier_card.classes:
            raise OutcomesError(
                f"{codec.name}: its classifier numbers its classes in another way than that of "
                f"clips as they are: {', '.join(codec.classifier_card.classes)} against "
                f"{', '.join(classifier_card.classes)}; train the codec with that classifier"
            )
    numbers = range(len(clips))
    some = [numbers[start : start + _AT_ONCE] for start in range(0, len(clips), _AT_ONCE)]
    jobs = [
        (parts and _file(parts, checksum, classifier_card, codec, batch), codec, part)
        for codec in (None, *codecs)
        for part in some
    ]
    rows: list[dict[str, Any]] = []
    done = 0
    # One thread each: sums come out the same however many cores there are.
    measured = Parallel(n_jobs=workers, return_as="generator")(
        delayed(_part)(file, codec, classifier, clips, part, batch) for file, codec, part in jobs
    )
    for (*_, part), found in zip(jobs, measured, strict=True):
        rows.extend(found)
        done += len(part)
        if progress is not None:
            progress(done, len(clips) * (len(codecs) + 1))
    T, H, W = clips.shape
    return Outcomes(
        data=clips.name,
        data_version=clips.version,
        data_checksum=checksum,
        classes=list(clips.classes),
        raw_bytes=T * H * W * 3,
        classifier=classifier_card.sha256,
        classifier_work=network_work(classifier, torch.zeros(2, 3, T, H, W)),
        reference_network_s=reference_network_s(TIMED),
        codecs={codec.name: codec_facts(codec, clips) for codec in codecs},
        rows=pd.DataFrame(rows, columns=[*COLUMNS]),
    )


def codec_facts(codec: TrainedCodec, clips: ClipSet) -> CodecFacts:
    """Measure what holds for all clips of a codec; times on one core."""
    config = codec.codec.config
    T, h, w = config.grid
    side = config.size_px
    pixels, values = torch.zeros(2, 3, T, side, side), torch.zeros(2, T, h, w, config.channels)
    decoder = _Decoding(codec.codec)
    encode_s, decode_s = time_coder(codec.coder, clips)
    encode_serial_s, decode_serial_s = time_coding(codec.coder, clips)
    return CodecFacts(
        operating_points=[asdict(point) for point in codec.codec.points],
        weights={"codec": codec.card.sha256, "classifier": codec.classifier_card.sha256},
        encoder=network_work(codec.codec.encoder, pixels),
        decoder=network_work(decoder, values),
        encode_s=encode_s,
        decode_s=decode_s,
        encode_serial_s=encode_serial_s,
        decode_serial_s=decode_serial_s,
        serial_symbols_per_s=serial_symbols_per_s(TIMED),
    )


def network_work(network: torch.nn.Module, batch: torch.Tensor) -> NetworkWork:
    """Return what a network does, from a batch of two clips, (2, ...)."""
    one, two = (network_cost(network.eval(), batch[:clips]) for clips in (1, 2))
    each = two.moved_bytes - one.moved_bytes
    return NetworkWork(one.flops, each, one.moved_bytes - each)


def answer(classifier: VideoViT, clip: Clip) -> tuple[int, float]:
    """Return the class that a classifier sees in a clip (T, H, W, 3), and its probability."""
    answers, confidences = _answers(classifier, [clip], 1)
    return int(answers[0]), float(confidences[0])


def time_coder(
    coder: ClipCoder, clips: ClipSet, *, effort: Effort = TIMED
) -> tuple[list[float], list[float]]:
    """Return median seconds to encode and to decode at each operating point, on one core.

    Different clips in turn, one at a time, from pixels to bytes and from bytes to pixels.
    """
    return _timed(coder, clips, coder.encode, coder.decode, effort)


def time_coding(
    coder: ClipCoder, clips: ClipSet, *, effort: Effort = TIMED
) -> tuple[list[float], list[float]]:
    """Return likewise what `time_coder` does without the networks: selection and entropy coding."""
    return _timed(coder, clips, coder.coded, coder.renewed, effort, given=coder.analysed)


def _timed(
    coder: ClipCoder,
    clips: ClipSet,
    encode: Callable[[Any, int], bytes],
    decode: Callable[[bytes], object],
    effort: Effort,
    *,
    given: Callable[[Clip], Any] = np.asarray,
) -> tuple[list[float], list[float]]:
    """Return median seconds of two calls at each operating point; `given` makes what is encoded."""
    some = [np.array(clips.clip(i)) for i in range(0, len(clips), max(len(clips) // 16, 1))]
    encode_s, decode_s = [], []
    with torch_threads(1):
        items = [given(clip) for clip in some]
        for point in range(len(coder.points)):
            streams = [coder.encode(clip, point) for clip in some]
            encode_s.append(time_call(_in_turn(encode, items, point), effort).median_s)
            decode_s.append(time_call(_in_turn(decode, streams), effort).median_s)
    return encode_s, decode_s


class _Decoding(torch.nn.Module):
    """The decoder as a network of one input, to count its operations."""

    def __init__(self, codec: Codec) -> None:
        super().__init__()
        self.decoder = codec.decoder

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        everywhere = torch.ones(values.shape[:4])
        points = torch.zeros(len(values), dtype=torch.long)
        clips: torch.Tensor = self.decoder(values, everywhere, points)
        return clips


def _in_turn(call: Callable[..., object], items: Sequence[Any], *more: Any) -> Callable[[], object]:
    def forever() -> Iterator[Any]:
        while True:
            yield from items

    source = forever()
    return lambda: call(next(source), *more)


def _file(parts: Path, checksum: str, frozen: Card, codec: TrainedCodec | None, batch: int) -> Path:
    """Return where a codec's parts go: the name says all that they depend on."""
    cards = () if codec is None else (codec.card, codec.classifier_card)
    given = (checksum, VERSION, batch, *(card.sha256 for card in (frozen, *cards)))
    name = UNCOMPRESSED if codec is None else codec.name
    digest = hashlib.sha256(json.dumps(given).encode()).hexdigest()
    return parts / f"{name}-{digest[:16]}"


def _part(
    file: Path | None,
    codec: TrainedCodec | None,
    frozen: VideoViT,
    clips: ClipSet,
    indices: Sequence[int],
    batch: int,
) -> list[dict[str, Any]]:
    """Return the rows of some clips, from their file if they were measured before."""
    if file is None:
        return _outcomes(codec, frozen, clips, indices, batch)
    path = file.with_name(f"{file.name}-{indices[0]}-{len(indices)}.json")
    if path.exists():
        return _kept(path)
    rows = _outcomes(codec, frozen, clips, indices, batch)
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
    codec: TrainedCodec | None,
    frozen: VideoViT,
    clips: ClipSet,
    indices: Sequence[int],
    batch: int,
) -> list[dict[str, Any]]:
    """Return the rows of some clips."""
    with torch_threads(1):
        return [
            row for index in indices for row in _outcomes_of(codec, frozen, clips, index, batch)
        ]


def _outcomes_of(
    codec: TrainedCodec | None, frozen: VideoViT, clips: ClipSet, index: int, batch: int
) -> Iterator[dict[str, Any]]:
    """Yield the rows of a clip."""
    number = index
    if isinstance(clips, SomeClips | NumberedClips):
        number = int(clips.indices[index])
    clip = np.asarray(clips.clip(index))
    shown = [(_plain(clip), clip)] if codec is None else [*_restorations(codec, clip)]
    classifiers = {FROZEN: frozen} if codec is None else {FROZEN: frozen, OWN: codec.classifier}
    label = int(clips.labels[index])
    for name, network in classifiers.items():
        answers, confidences = _answers(network, [pixels for _, pixels in shown], batch)
        for (row, _), answer, confidence in zip(shown, answers, confidences, strict=True):
            yield row | {
                "classifier": name,
                "data_index": number,
                "label": label,
                "predicted": int(answer),
                "confidence": float(confidence),
                "correct": int(answer) == label,
            }


def _plain(clip: Clip) -> dict[str, Any]:
    return {"codec": UNCOMPRESSED, "operating_point": 0, "packets": 1, "bytes": clip.size}


def _restorations(codec: TrainedCodec, clip: Clip) -> Iterator[tuple[dict[str, Any], Clip]]:
    """Yield what a clip costs and what is left of it, at each operating point and prefix."""
    for point, encoding in enumerate(codec.coder.encodings(clip)):
        for number, length in enumerate(encoding.prefix_bytes):
            restored = codec.coder.decode(encoding.stream[:length])
            error = np.square((restored.astype(np.float32) - clip) / 255.0).mean()
            yield (
                {
                    "codec": codec.name,
                    "operating_point": point,
                    "packets": number + 1,
                    "bytes": length,
                    "frame_bytes": encoding.frame_bytes,
                    "attention": encoding.attention if codec.codec.temporal else None,
                    "psnr_db": float(-10.0 * np.log10(max(error, 1e-10))),
                },
                restored,
            )


@torch.inference_mode()
def _answers(
    classifier: VideoViT, clips: Sequence[Clip], batch: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the class answered for each clip and its probability."""
    answers, confidences = [], []
    for start in range(0, len(clips), batch):
        pixels = np.stack(clips[start : start + batch])
        floats = torch.from_numpy(pixels).permute(0, 4, 1, 2, 3).float() / 255.0
        highest = classifier(floats).softmax(dim=1).max(dim=1)
        answers.append(highest.indices.numpy())
        confidences.append(highest.values.numpy())
    return np.concatenate(answers), np.concatenate(confidences)
