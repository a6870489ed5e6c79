"""The recipes of the codecs, in steps.

    soft        soft attention: nothing is left out, bits cost nothing
    hard        selection, quantisation and the rate weight; the classifier stays as it is
    joint       codec and classifier together
    restore     bits and pixels count, answers do not (`deepisc` only)
    classifier  the classifier alone, on what the codec restores (`deepisc` only)

STAE and `deepisc-task` are trained the same way; `deepisc` learns to restore images, as image
codecs do, and its classifier then learns from them. Both take 18 epochs, STAE one less: all take
about as long. Wherever a classifier learns, it also learns from what the one that it started from
says of the clips as they are.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from fadeline.models.codecs.learned.codec import LearnedCodec
from fadeline.models.codecs.learned.deepisc import DeepIscConfig
from fadeline.models.codecs.learned.stae import StaeConfig
from fadeline.models.codecs.operating_point import MAX_RADIUS, OperatingPoint
from fadeline.models.data.augmentation import Augmentation
from fadeline.models.data.batches import batch_of, to_float
from fadeline.models.data.clipset import ClipSet
from fadeline.models.training.codec_objective import Aims, CodecInTraining, codec_objective
from fadeline.models.training.gain_fitting import fit_gains
from fadeline.models.training.loop import Precision, Row, TrainingConfig, quickest_precision, train
from fadeline.models.training.principal_components import start_from_components

CodecName = Literal["stae", "deepisc", "deepisc-task"]
"""STAE; DeepISC trained to restore; DeepISC trained for the task as STAE is."""

_START_CLIPS = 192
"""Training clips whose principal components the codecs start from (our choice)."""

_GAIN_CLIPS = 64
"""Training clips that first gains are fitted to (our choice)."""


@dataclass(frozen=True)
class Step:
    """A step of a recipe.

    Attributes:
        name: And folder.
        aims: What counts.
        config: How long and how fast.
        codec: Whether the codec learns.
        classifier: Whether its classifier does.
    """

    name: str
    aims: Aims
    config: TrainingConfig
    codec: bool = True
    classifier: bool = False


def new_codec(name: CodecName, *, seed: int = 1) -> LearnedCodec:
    """Return an untrained codec with the operating points that were chosen for it.

    Raises:
        ValueError: If there is no such codec.
    """
    if name == "stae":
        points = _stae_points()
        return LearnedCodec(StaeConfig(len(points)), points, seed=seed)
    if name in get_args(CodecName):
        points = _deepisc_points()
        return LearnedCodec(DeepIscConfig(len(points)), points, seed=seed)
    raise ValueError(f"no codec {name!r}; there are {', '.join(get_args(CodecName))}")


def codec_recipe(
    name: CodecName,
    *,
    further: bool = False,
    length: float = 1.0,
    seed: int = 1,
    devices: int = 1,
    precision: Precision | None = None,
) -> tuple[Step, ...]:
    """Return the steps of a codec's training.

    Args:
        name: Which codec.
        further: For one that is trained already, to get used to other clips: without the steps
            that only bring it on its way.
        length: Epochs of every step in parts of the usual; each step has at least one.
        seed: Of all steps.
        devices: Of all steps.
        precision: Of all steps; what this machine is quickest in if None.

    Raises:
        ValueError: If a number is out of range.
    """

    def config(epochs: int, learning_rate: float, settle_epochs: int = 0) -> TrainingConfig:
        return TrainingConfig(
            epochs=max(round(epochs * length), 1),
            learning_rate=learning_rate,
            weight_decay=0.01,
            warmup_epochs=0.3,
            augmentation=Augmentation(),
            settle_epochs=round(settle_epochs * length),
            seed=seed,
            devices=devices,
            precision=precision or quickest_precision(),
        )

    if name == "deepisc":
        looks = Aims(fidelity=1.0, likeness=1.0)
        answers = Aims(recognition=0.5, guidance=0.5, rate=False)
        return (
            Step("restore", looks, config(10, 4e-4)),
            Step("classifier", answers, config(8, 4e-4, 4), codec=False, classifier=True),
        )
    joint = Aims(recognition=0.5, guidance=0.5, fidelity=0.1)
    epochs = 14 if name == "stae" else 15
    together = Step("joint", joint, config(epochs, 4e-4, 4), classifier=True)
    if further:
        return (together,)
    soft = Aims(recognition=1.0, fidelity=0.3, likeness=0.5, soft=True)
    hard = replace(soft, soft=False)
    return (
        Step("soft", soft, config(1, 3e-4)),
        Step("hard", hard, config(2, 3e-4)),
        together,
    )


def train_codec(
    model: CodecInTraining,
    clips: ClipSet,
    validation: ClipSet,
    recipe: tuple[Step, ...],
    out: Path,
    *,
    further: bool = False,
    resume: bool = False,
    quiet: bool = True,
    started: Callable[[str], None] = lambda name: None,
) -> list[Row]:
    """Train a codec in place, step by step; each step has a folder in `out`.

    Args:
        model: Untrained codec (but see `further`), trained classifier.
        clips: Training clips.
        validation: Clips to report on.
        recipe: From `codec_recipe`.
        out: Folder.
        further: Whether the codec is trained already and goes on from there.
        resume: Go on where a stopped training was, in whichever step that is.
        quiet: Show no progress.
        started: Called with the name of each step.

    Returns:
        The rows of all steps, one after the other.

    Raises:
        WeightsError: If a checkpoint belongs to another training.
        ClipError: If a clip cannot be read.
    """
    if not resume:  # what an earlier training left must not be taken for this one's
        for step in recipe:
            (out / step.name / "checkpoint.safetensors").unlink(missing_ok=True)
    some = np.linspace(0, len(clips) - 1, min(_START_CLIPS, len(clips))).astype(int)
    floats, _ = to_float(batch_of(clips, some))
    if not further:
        start_from_components(model.codec, floats)
        few = floats[:: _START_CLIPS // _GAIN_CLIPS]
        _fit_gains(model, few, recipe)
    rows: list[Row] = []
    for step in recipe:
        started(step.name)
        model.requires_grad_(False)
        model.codec.requires_grad_(step.codec)
        model.classifier.requires_grad_(step.classifier)
        if model.classifier.stem_head is not None:  # not asked here
            model.classifier.stem_head.requires_grad_(False)
        objective = codec_objective(step.aims)
        rows += train(
            model, objective, clips, validation, step.config, out / step.name,
            resume=resume, quiet=quiet,
        )  # fmt: skip
    model.requires_grad_(True)
    model.teacher.requires_grad_(False)
    _fit_gains(model, floats, recipe)
    return rows


def _fit_gains(model: CodecInTraining, clips: Tensor, recipe: tuple[Step, ...]) -> None:
    """Fit gains where the model is trained, and leave it on the processor."""
    here = all(step.config.accelerator != "cpu" for step in recipe) and torch.cuda.is_available()
    device = torch.device("cuda" if here else "cpu")
    fit_gains(model.codec.to(device), clips.to(device), model.target_bits)
    model.codec.cpu()


def _stae_points() -> tuple[OperatingPoint, ...]:
    """Return STAE's (our choice of positions, on validation clips).

    All send every channel: gains learn which are worth it, and fewer channels measured worse.
    """
    return (
        OperatingPoint(26, 16, 1024, 24, MAX_RADIUS),
        OperatingPoint(52, 16, 650, 24, MAX_RADIUS),
        OperatingPoint(104, 16, 420, 24, MAX_RADIUS),
        OperatingPoint(200, 16, 300, 24, MAX_RADIUS),
        OperatingPoint(400, 16, 240, 24, MAX_RADIUS),
        OperatingPoint(700, 16, 190, 24, MAX_RADIUS),
        OperatingPoint(1000, 16, 150, 24, MAX_RADIUS),
        OperatingPoint(1500, 16, 115, 24, MAX_RADIUS),
        OperatingPoint(2000, 16, 90, 24, MAX_RADIUS),
        OperatingPoint(60, 16, 600, 24, MAX_RADIUS, packets=4),
        OperatingPoint(240, 16, 280, 24, MAX_RADIUS, packets=4),
    )


def _deepisc_points() -> tuple[OperatingPoint, ...]:
    """Return DeepISC's, at the ratios of STAE: all positions of all frames.

    Our choice on validation clips: with frames left out, answers are as bad as guesses.
    """
    return tuple(
        OperatingPoint(point.ratio, 16, 1024, 24, point.radius, packets=point.packets)
        for point in _stae_points()
    )
