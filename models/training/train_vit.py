"""Training a video ViT, from nothing or from other weights, to weights with their card."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fadeline.models.card import Card, read_card, weights_path
from fadeline.models.classifiers.controls import ChangedClips, shuffled_frames
from fadeline.models.classifiers.evaluation import evaluate, save_confusion
from fadeline.models.classifiers.vit import Preset, VideoViT, VideoViTConfig, vit_preset
from fadeline.models.classifiers.vit_card import measure_controls, vit_card
from fadeline.models.data.clipset import ClipSet
from fadeline.models.data.numbering import numbered_as
from fadeline.models.errors import ModelsError, WeightsError
from fadeline.models.training.clips import Log, training_clips
from fadeline.models.training.config import Precision
from fadeline.models.training.loop import Row, end_other_processes
from fadeline.models.training.progress import Tell, counted
from fadeline.models.training.vit import VitRecipe, fit_vit, start_from, vit_recipe
from fadeline.models.weights import save_weights


@dataclass(frozen=True)
class FinishedVit:
    """A video ViT that was trained.

    Attributes:
        model: In evaluation mode.
        card: As stored beside its weights.
        path: Of its weights.
        confusion: Figure of what it takes for what.
        rows: One for each epoch of each step: losses, figures and seconds.
    """

    model: VideoViT
    card: Card
    path: Path
    confusion: Path
    rows: list[Row]


def train_vit(
    out: str | Path,
    *,
    preset: Preset = "tiny",
    data: str = "actions",
    validate_on: str | None = None,
    splits: Path | None = None,
    draw: int = 1,
    skip_unreadable: bool = False,
    shuffled: bool = False,
    init: str | None = None,
    epochs: int | None = None,
    stem_epochs: int | None = None,
    seed: int = 1,
    devices: int = 1,
    precision: Precision | None = None,
    resume: bool = False,
    command: str = "fadeline.models.train_vit",
    progress: Tell | None = None,
    log: Log | None = None,
) -> FinishedVit:
    """Train a video ViT, as `fadeline train vit` does.

    Leaves `vit.safetensors` and its card in `out`, both complete or absent, and a folder for each
    step with its checkpoint and `training.csv`. The same seed, data and machine give the same
    weights, also of a training that was stopped and resumed.

    Args:
        out: Folder; made if missing.
        preset: Size, `tiny` or `base`.
        data: Data set with splits train and val, such as `actions` or `videofolder:PATH`.
        validate_on: Other clips to report on; the split val if None.
        splits: Split file or folder; None for those in the folder of the videos.
        draw: Of the split files.
        skip_unreadable: Leave out videos that cannot be decoded.
        shuffled: Shuffle the frames of every clip, as a control.
        init: Weights to start from: a shipped name or a .safetensors file.
        epochs: Of the last step; the preset's if None.
        stem_epochs: Of the first step; the preset's if None, 0 leaves it out.
        seed: Of everything random.
        devices: Processes or GPUs. With several, this script is run again in each of the others,
            and those end when the training does.
        precision: What this machine is quickest in if None.
        resume: Go on where a stopped training in `out` was; otherwise it starts again.
        command: What the card says that the weights were made by.
        progress: Called with how far each stage is.
        log: Called with a line on each thing that the user should know.

    Raises:
        ModelsError: If a setting is out of range, clips or weights cannot be used, a checkpoint
            belongs to another training, or a file cannot be written.

    Example:
        >>> from fadeline.models import train_vit
        >>> train_vit("runs/vit", epochs=1, stem_epochs=0)  # doctest: +SKIP
    """
    shape, recipe = _settings(
        preset, epochs=epochs, stem_epochs=stem_epochs, seed=seed, devices=devices,
        precision=precision,
    )  # fmt: skip
    out = Path(out)
    cached = training_clips(
        data, validate_on, frames=shape.frames, size_px=shape.size_px, splits=splits, draw=draw,
        skip_unreadable=skip_unreadable, log=log, tell=progress,
    )  # fmt: skip
    # Outputs keep the meaning that they have in the weights to start from, where those have one.
    classes = cached[0].classes if init is None else _classes_of(init, cached[0])
    network = f"the training clips {cached[0].name}"
    clips, validation = (
        _shown(numbered_as(each, classes, network=network), shuffled=shuffled) for each in cached
    )
    model = VideoViT(replace(shape, classes=len(clips.classes)), seed=seed)
    if init is not None and (new := start_from(model, weights_path(init))) and log is not None:
        log(f"{init}: other classes; starts anew: {', '.join(new)}")
    rows = fit_vit(model, clips, validation, recipe, out, resume=resume, tell=progress)
    end_other_processes()
    path, confusion = out / "vit.safetensors", out / "vit-confusion.png"
    evaluation = evaluate(model, validation, progress=counted("evaluating", progress))
    shares = measure_controls(model, validation, evaluation, progress=counted("controls", progress))
    try:
        save_confusion(evaluation, confusion)
    except OSError as error:
        raise WeightsError(f"{confusion}: cannot be written: {error.strerror}") from None
    card = vit_card(
        model, validation, evaluation, shares, checksum=cached[1].digest,
        splits={clips.name: len(clips), validation.name: len(validation)}, command=command,
        seed=seed, wall_s=sum(row["seconds"] for row in rows), confusion_figure=confusion.name,
    )  # fmt: skip
    return FinishedVit(model, save_weights(model, path, card), path, confusion, rows)


def _settings(
    preset: Preset,
    *,
    epochs: int | None,
    stem_epochs: int | None,
    seed: int,
    devices: int,
    precision: Precision | None,
) -> tuple[VideoViTConfig, VitRecipe]:
    try:
        return vit_preset(preset, classes=1), vit_recipe(
            preset, epochs=epochs, stem_epochs=stem_epochs, seed=seed, devices=devices,
            precision=precision,
        )  # fmt: skip
    except ValueError as error:
        raise ModelsError(str(error)) from None


def _classes_of(init: str, clips: ClipSet) -> Sequence[str]:
    """Return the classes of clips in the order of the weights to start from, if they are those."""
    try:
        known = read_card(weights_path(init)).classes
    except WeightsError:  # weights without a card are good enough to start from
        return clips.classes
    return known if set(known) == set(clips.classes) else clips.classes


def _shown(clips: ClipSet, *, shuffled: bool) -> ClipSet:
    return ChangedClips(clips, "shuffled frames", shuffled_frames(0)) if shuffled else clips
