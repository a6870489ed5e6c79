"""Writing a trained codec: weights, tables, cards."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from fadeline.models.card import classifier_path
from fadeline.models.classifiers.controls import ChangedClips, Control, SomeClips
from fadeline.models.classifiers.evaluation import evaluate
from fadeline.models.classifiers.vit_card import share_entry, vit_card
from fadeline.models.codecs.clip_coder import ClipCoder, fit_tables
from fadeline.models.codecs.operating_point import PAPER_RATIO
from fadeline.models.codecs.protocol import Clip
from fadeline.models.codecs.stored_codec import (
    StoredCodec,
    TrainedCodec,
    load_codec,
)
from fadeline.models.data.clipset import ClipSet
from fadeline.models.hardware.network_cost import network_cost
from fadeline.models.training.codec_objective import CodecInTraining
from fadeline.models.weights import Card, package_versions, round_to_half, save_weights

TABLE_CLIPS = 1200
"""Training clips that the probability tables are counted on (our choice)."""


def save_codec(
    model: CodecInTraining,
    name: str,
    clips: ClipSet,
    validation: ClipSet,
    path: Path,
    *,
    checksum: str,
    command: str,
    seed: int,
    wall_s: float,
    progress: Callable[[int, int], None] | None = None,
) -> TrainedCodec:
    """Count the tables, measure on validation clips, write everything; return it as loaded.

    Args:
        model: Trained, on the processor.
        name: Of the codec.
        clips: Training clips.
        validation: Clips that the cards are about.
        path: Of the codec's weights; the classifier's are put beside.
        checksum: SHA-256 of the validation clips.
        command: What the weights were made by.
        seed: Of the training.
        wall_s: Training time, seconds.
        progress: Called with the clips counted and their number.

    Raises:
        WeightsError: If a file cannot be written.
    """
    model.eval()
    round_to_half(model.classifier)
    some = SomeClips(clips, TABLE_CLIPS)

    def counted() -> Iterator[Clip]:
        for index in range(len(some)):
            yield np.asarray(some.clip(index))
            if progress is not None:
                progress(index + 1, len(some))

    stored = StoredCodec(model.codec, fit_tables(model.codec, counted())).eval()
    point = model.codec.nearest_point(PAPER_RATIO)
    ratio = model.codec.points[point].ratio
    restored = ChangedClips(validation, f"through {name}", _through(stored, point))
    splits = {clips.name: len(clips), validation.name: len(validation)}
    T, H, W = validation.shape
    evaluation = evaluate(model.classifier, restored)
    card = Card(
        task=f"compresses clips of {T} frames of {H}x{W} px; accuracy at {ratio:g}x",
        architecture=StoredCodec.__name__,
        config=stored.config(),
        classes=list(validation.classes),
        data=validation.name,
        data_version=validation.version,
        data_checksum=checksum,
        splits=splits,
        correct=evaluation.accuracy.correct,
        count=evaluation.accuracy.count,
        per_class_accuracy={k: share.value for k, share in evaluation.per_class.items()},
        confusion=evaluation.confusion.tolist(),
        parameters=sum(parameter.numel() for parameter in model.codec.parameters()),
        flops=network_cost(model.codec.encoder, torch.zeros(1, 3, T, H, W)).flops,
        command=command,
        seed=seed,
        wall_s=wall_s,
        versions=package_versions(),
    )
    save_weights(stored, path, card)
    plain = evaluate(model.classifier, validation)
    own = vit_card(
        model.classifier, validation, plain, {},
        checksum=checksum, splits=splits, command=command, seed=seed, wall_s=wall_s,
    )  # fmt: skip
    through = {f"through {name} at {ratio:g}x": share_entry(evaluation.accuracy)}
    save_weights(model.classifier, classifier_path(path), replace(own, controls=through), half=True)
    return load_codec(path)


def _through(stored: StoredCodec, point: int) -> Control:
    coder = ClipCoder(stored.codec, stored.tables)
    return lambda clip, _: coder.decode(coder.encode(clip, point).stream)
