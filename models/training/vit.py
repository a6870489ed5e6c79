"""The recipe of the video ViT, in steps.

    stem   the convolutional stem with its own head, as a small CNN classifier
    whole  stem and transformer together, from the stem that step 1 left

From scratch the transformer stays at chance for many epochs; on a trained stem it learns at once.
A ViT without a stem (`base`) has the second step only, and wants other weights to start from.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

from torch import Tensor, nn

from fadeline.models.classifiers.vit import Preset, VideoViT
from fadeline.models.data.augmentation import Augmentation
from fadeline.models.data.clipset import ClipSet
from fadeline.models.errors import ClipError
from fadeline.models.training.loop import Precision, Row, TrainingConfig, quickest_precision, train
from fadeline.models.training.objectives import Objective, classification
from fadeline.models.weights import warm_start


@dataclass(frozen=True)
class VitRecipe:
    """How a `VideoViT` is trained.

    Attributes:
        stem: Step 1; None to leave it out.
        whole: Step 2.
        label_smoothing: In both steps.
        stem_weight: Weight of the stem's own loss in step 2, which keeps its features separable.
    """

    stem: TrainingConfig | None = field(
        default_factory=lambda: TrainingConfig(
            epochs=10, learning_rate=4e-3, augmentation=Augmentation()
        )
    )
    whole: TrainingConfig = field(
        default_factory=lambda: TrainingConfig(
            epochs=16, learning_rate=1e-3, augmentation=Augmentation()
        )
    )
    label_smoothing: float = 0.1
    stem_weight: float = 0.3


def vit_recipe(
    preset: Preset,
    *,
    epochs: int | None = None,
    stem_epochs: int | None = None,
    seed: int = 1,
    devices: int = 1,
    precision: Precision | None = None,
) -> VitRecipe:
    """Return the recipe of a preset, with what the user chose.

    Args:
        preset: Of `vit_preset`. For `base`, the whole is fine-tuned from other weights at a lower
            rate (our choice, after VideoMAE's fine-tuning; not tuned here).
        epochs: Of the step "whole"; the preset's if None.
        stem_epochs: Of the step "stem"; the preset's if None, 0 leaves it out.
        seed: Of both steps.
        devices: Of both steps.
        precision: Of both steps; what this machine is quickest in if None.

    Raises:
        ValueError: If a number is out of range.
    """
    precision = precision or quickest_precision()
    recipe = VitRecipe()
    stem, whole = recipe.stem, recipe.whole
    if preset == "base":
        stem, whole = None, replace(whole, epochs=30, learning_rate=1e-4)
    if stem is not None:
        stem = replace(stem, seed=seed, devices=devices, precision=precision)
        if stem_epochs is not None:
            stem = replace(stem, epochs=stem_epochs) if stem_epochs else None
    whole = replace(whole, seed=seed, devices=devices, precision=precision)
    whole = replace(whole, epochs=epochs or whole.epochs)
    return replace(recipe, stem=stem, whole=whole)


def train_vit(
    model: VideoViT,
    clips: ClipSet,
    validation: ClipSet,
    recipe: VitRecipe,
    out: Path,
    *,
    resume: bool = False,
    quiet: bool = True,
) -> list[Row]:
    """Train a ViT in place, step by step; each step has a folder in `out`.

    Args:
        model: New, or with weights to go on from.
        clips: Training clips, of the model's frames, size and classes.
        validation: Clips to report on.
        recipe: How.
        out: Folder.
        resume: Go on where a stopped training was, in whichever step that is.
        quiet: Show no progress.

    Returns:
        The rows of all steps, one after the other.

    Raises:
        WeightsError: If a checkpoint belongs to another training.
        ClipError: If the clips do not fit the model, or one cannot be read.
    """
    for part in (clips, validation):
        _refuse_misfit(model, part)
    if tuple(clips.classes) != tuple(validation.classes):
        raise ClipError(f"{validation.name}: its classes are not those of {clips.name}")
    if not resume:  # what an earlier training left must not be taken for this one's
        for name in ("stem", "whole"):
            (out / name / "checkpoint.safetensors").unlink(missing_ok=True)

    def step(name: str, objective: Objective, config: TrainingConfig) -> list[Row]:
        return train(
            model, objective, clips, validation, config, out / name, resume=resume, quiet=quiet
        )

    stem_weight = 0.0
    rows: list[Row] = []
    if model.stem_head is not None:
        stem_weight = recipe.stem_weight
        if recipe.stem is not None:
            _train_only(model, [model.stem, model.stem_head])
            objective = classification(_stem_logits, label_smoothing=recipe.label_smoothing)
            rows += step("stem", objective, recipe.stem)
    model.requires_grad_(True)
    if model.stem_head is not None and stem_weight == 0.0:
        model.stem_head.requires_grad_(False)
    rows += step("whole", _with_stem(recipe.label_smoothing, stem_weight), recipe.whole)
    model.requires_grad_(True)
    return rows


def start_from(model: VideoViT, path: Path) -> list[str]:
    """Put stored weights into a ViT to go on from; heads for other classes start anew.

    Returns:
        Names of the tensors that start anew.

    Raises:
        WeightsError: If the file cannot be read, or is of another network.
    """
    return warm_start(model, path, replaceable=("head", "stem_head"))


def _refuse_misfit(model: VideoViT, clips: ClipSet) -> None:
    config = model.config
    expected = (config.frames, config.size_px, config.size_px)
    if tuple(clips.shape) != expected:
        raise ClipError(
            f"{clips.name}: clips are {tuple(clips.shape)} (frames, height, width); this ViT takes "
            f"{expected}"
        )
    if len(clips.classes) != config.classes:
        raise ClipError(
            f"{clips.name}: has {len(clips.classes)} classes; this ViT has {config.classes}"
        )


def _stem_logits(model: nn.Module, clips: Tensor) -> Tensor:
    assert isinstance(model, VideoViT)
    return model.stem_logits(clips)


def _train_only(model: nn.Module, parts: list[nn.Module]) -> None:
    model.requires_grad_(False)
    for part in parts:
        part.requires_grad_(True)


def _with_stem(label_smoothing: float, stem_weight: float) -> Objective:
    """Return the loss of the ViT's answer plus that of the stem's own, over one pass."""

    def objective(
        model: nn.Module, clips: Tensor, labels: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        assert isinstance(model, VideoViT)
        grid = model.features(clips)
        logits = model.classify(grid).float()
        loss = nn.functional.cross_entropy(logits, labels, label_smoothing=label_smoothing)
        if stem_weight:
            own = model.classify_stem(grid).float()
            loss = loss + stem_weight * nn.functional.cross_entropy(
                own, labels, label_smoothing=label_smoothing
            )
        return loss, {"accuracy": (logits.argmax(dim=1) == labels).float().mean()}

    return objective
