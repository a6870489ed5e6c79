"""What is measured of a trained video ViT, put into its card and compared with it."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import nn

from fadeline.models.classifiers.controls import ChangedClips, controls, shuffled_frames
from fadeline.models.classifiers.evaluation import Evaluation, evaluate
from fadeline.models.classifiers.vit import VideoViT
from fadeline.models.data.clipset import ClipSet
from fadeline.models.data.drawn.gestures import ORDER_PAIRS, TEMPO_PAIRS
from fadeline.models.hardware.network_cost import network_cost
from fadeline.models.proportion import Share
from fadeline.models.weights import MISSING, Card, package_versions


@dataclass(frozen=True)
class Comparison:
    """A figure of the card beside the same figure measured now.

    Attributes:
        name: Such as "accuracy" or "middle frame".
        card: As the card says.
        now: As measured.
    """

    name: str
    card: Share
    now: Share

    @property
    def agrees(self) -> bool:
        """Whether the difference is within what the numbers of clips allow."""
        return self.now.agrees_with(self.card)


def measure_controls(
    model: VideoViT,
    clips: ClipSet,
    evaluation: Evaluation,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Share]:
    """Return the accuracy on changed clips, and within pairs of classes that are easily mixed up.

    Args:
        model: The classifier.
        clips: The clips of the evaluation.
        evaluation: The answers to them unchanged.
        progress: Called with the clips done and their number, over all controls.
    """
    found = {}
    changes = controls(clips.shape[1])
    for number, (name, control) in enumerate(changes.items()):
        done = number * len(clips)

        def show(count: int, total: int, done: int = done) -> None:
            if progress is not None:
                progress(done + count, total * len(changes))

        found[name] = evaluate(model, clips, transform=control, progress=show).accuracy
    present = {evaluation.classes[k] for k in set(evaluation.labels.tolist())}
    for first, second in (*ORDER_PAIRS, *TEMPO_PAIRS):
        if {first, second} <= present:
            found[f"{first} or {second}"] = evaluation.two_way(first, second)
    return found


def measure_shuffled(
    model: nn.Module,
    clips: ClipSet,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Share]:
    """Return what a model that was trained on shuffled frames makes of shuffled clips.

    Within an order pair it should be right half of the time: nothing else tells the two apart.

    Args:
        model: Trained on frames in random order.
        clips: In their right order; they are shuffled here.
        progress: Called with the clips done and their number.
    """
    shuffled = ChangedClips(clips, "shuffled frames", shuffled_frames(0))
    evaluation = evaluate(model, shuffled, progress=progress)
    suffix = "trained on shuffled frames"
    found = {suffix: evaluation.accuracy}
    for first, second in ORDER_PAIRS:
        if {first, second} <= set(clips.classes):
            found[f"{first} or {second}, {suffix}"] = evaluation.two_way(first, second)
    return found


def vit_card(
    model: VideoViT,
    clips: ClipSet,
    evaluation: Evaluation,
    controls: Mapping[str, Share],
    *,
    checksum: str,
    splits: Mapping[str, int],
    command: str,
    seed: int,
    wall_s: float,
    confusion_figure: str = MISSING,
) -> Card:
    """Return the card of trained weights.

    Args:
        model: The classifier.
        clips: The clips it was evaluated on.
        evaluation: Its answers.
        controls: From `measure_controls`.
        checksum: SHA-256 of the clips.
        splits: Number of clips of every set that played a part, by name.
        command: What the weights were made by.
        seed: Of the training.
        wall_s: Training time, seconds.
        confusion_figure: File name of the figure.
    """
    T, H, W = clips.shape
    return Card(
        task=f"which of {len(evaluation.classes)} actions a clip of {T} frames of {H}x{W} px shows",
        architecture=type(model).__name__,
        config=asdict(model.config),
        classes=list(evaluation.classes),
        splits=dict(splits),
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        flops=network_cost(model, torch.zeros(1, 3, T, H, W)).flops,
        command=command,
        seed=seed,
        wall_s=wall_s,
        versions=package_versions(),
        **_measured(clips, evaluation, controls, checksum, confusion_figure),
    )


def remeasured_card(
    card: Card,
    clips: ClipSet,
    evaluation: Evaluation,
    controls: Mapping[str, Share],
    *,
    checksum: str,
    confusion_figure: str,
) -> Card:
    """Return a card with its figures measured on other clips; how it was trained stays.

    Args:
        card: The card of the weights.
        clips: The clips now evaluated on.
        evaluation: The answers to them.
        controls: From `measure_controls`; if empty, the card has none.
        checksum: SHA-256 of the clips.
        confusion_figure: File name of the figure.
    """
    splits = card.splits | {clips.name: len(clips)}
    measured = _measured(clips, evaluation, controls, checksum, confusion_figure)
    return replace(card, splits=splits, **measured)


def _measured(
    clips: ClipSet,
    evaluation: Evaluation,
    controls: Mapping[str, Share],
    checksum: str,
    confusion_figure: str,
) -> dict[str, Any]:
    """Return the fields of a card that say how good the weights are, and on which clips."""
    accuracy = evaluation.accuracy
    return {
        "data": clips.name,
        "data_version": clips.version,
        "data_checksum": checksum,
        "correct": accuracy.correct,
        "count": accuracy.count,
        "per_class_accuracy": {name: share.value for name, share in evaluation.per_class.items()},
        "confusion": evaluation.confusion.tolist(),
        "confusion_figure": confusion_figure,
        "controls": {name: share_entry(share) for name, share in controls.items()},
    }


def share_entry(share: Share) -> dict[str, Any]:
    """Return a share as cards and programs read it."""
    low, high = share.interval
    return {
        "accuracy": share.value,
        "interval": [low, high],
        "correct": share.correct,
        "count": share.count,
    }


def compare(
    card: Card, evaluation: Evaluation, controls: Mapping[str, Share] | None = None
) -> list[Comparison]:
    """Return the figures that the card and a new measurement share."""
    rows = [Comparison("accuracy", card.accuracy, evaluation.accuracy)]
    for name, now in (controls or {}).items():
        stored = card.controls.get(name)
        if stored is not None:
            rows.append(Comparison(name, Share(stored["correct"], stored["count"]), now))
    return rows
