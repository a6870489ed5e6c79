"""Training a codec from nothing, or from another one, to weights with their cards."""

from dataclasses import dataclass
from pathlib import Path

from fadeline.models.classifiers.stored_vit import load_vit
from fadeline.models.codecs.learned.codec import LearnedCodec
from fadeline.models.codecs.learned.shape import refuse_other_clips
from fadeline.models.codecs.stored_codec import TrainedCodec, load_codec
from fadeline.models.data.clipset import ClipSet
from fadeline.models.data.numbering import numbered_as
from fadeline.models.errors import ModelsError, WeightsError
from fadeline.models.training.clips import Log, training_clips
from fadeline.models.training.codec import CodecName, Step, codec_recipe, fit_codec, new_codec
from fadeline.models.training.codec_card import save_codec
from fadeline.models.training.codec_objective import CodecInTraining
from fadeline.models.training.config import Precision
from fadeline.models.training.loop import Row, end_other_processes
from fadeline.models.training.progress import Tell, counted


@dataclass(frozen=True)
class FinishedCodec:
    """A codec that was trained.

    Attributes:
        codec: As loaded from its file.
        path: Of its weights; card and classifier are beside it.
        rows: One for each epoch of each step: losses, figures and seconds.
        validation: The clips that its cards are about, numbered as its classifier numbers them.
        checksum: SHA-256 over those clips.
    """

    codec: TrainedCodec
    path: Path
    rows: list[Row]
    validation: ClipSet
    checksum: str


def train_codec(
    name: CodecName,
    out: str | Path,
    *,
    data: str = "actions",
    validate_on: str | None = None,
    classifier: str = "vit-tiny-actions",
    init: str | None = None,
    splits: Path | None = None,
    draw: int = 1,
    skip_unreadable: bool = False,
    length: float = 1.0,
    seed: int = 1,
    devices: int = 1,
    precision: Precision | None = None,
    resume: bool = False,
    command: str = "fadeline.models.train_codec",
    progress: Tell | None = None,
    log: Log | None = None,
) -> FinishedCodec:
    """Train a codec and the classifier of what it restores, as `fadeline train` does.

    Leaves `NAME.safetensors`, `NAME-classifier.safetensors` and their cards in `out`, all complete
    or absent, and a folder for each step with its checkpoint and `training.csv`. The same seed,
    data and machine give the same weights, also of a training that was stopped and resumed.

    Args:
        name: `stae`, `deepisc` or `deepisc-task`.
        out: Folder; made if missing.
        data: Data set with splits train and val, such as `actions` or `videofolder:PATH`.
        validate_on: Other clips to report on; the split val if None.
        classifier: Trained on these clips as they are: a shipped name or a .safetensors file.
        init: Go on from this codec: a shipped name or a .safetensors file.
        splits: Split file or folder; None for those in the folder of the videos.
        draw: Of the split files.
        skip_unreadable: Leave out videos that cannot be decoded.
        length: Epochs of every step, in parts of the usual; each step has at least one.
        seed: Of everything random.
        devices: Processes or GPUs. With several, this script is run again in each of the others,
            and those end when the training does.
        precision: What this machine is quickest in if None.
        resume: Go on where a stopped training in `out` was; otherwise it starts again.
        command: What the cards say that the weights were made by.
        progress: Called with how far each stage is.
        log: Called with a line on each thing that the user should know of the clips.

    Raises:
        ModelsError: If a setting is out of range, clips or weights cannot be used, a checkpoint
            belongs to another training, or a file cannot be written.

    Example:
        >>> from fadeline.models import train_codec
        >>> train_codec("stae", "runs/stae", length=0.1)  # doctest: +SKIP
    """
    recipe = _recipe(
        name, further=init is not None, length=length, seed=seed, devices=devices,
        precision=precision,
    )  # fmt: skip
    out = Path(out)
    (frozen, card), (learner, _) = load_vit(classifier), load_vit(classifier)
    codec = new_codec(name, seed=seed) if init is None else _trained(init, name)
    refuse_other_clips(classifier, frozen.config, codec.config)
    cached = training_clips(
        data, validate_on, frames=codec.config.frames, size_px=codec.config.size_px,
        splits=splits, draw=draw, skip_unreadable=skip_unreadable, log=log, tell=progress,
    )  # fmt: skip
    clips, validation = (numbered_as(each, card.classes, network=classifier) for each in cached)
    model = CodecInTraining(codec, learner)
    rows = fit_codec(
        model, clips, validation, recipe, out, further=init is not None, resume=resume,
        tell=progress,
    )  # fmt: skip
    end_other_processes()
    path, checksum = out / f"{name}.safetensors", cached[1].digest
    trained = save_codec(
        model, name, clips, validation, path, checksum=checksum, command=command, seed=seed,
        wall_s=sum(row["seconds"] for row in rows),
        progress=counted("probability tables", progress),
    )  # fmt: skip
    return FinishedCodec(trained, path, rows, validation, checksum)


def _recipe(
    name: CodecName,
    *,
    further: bool,
    length: float,
    seed: int,
    devices: int,
    precision: Precision | None,
) -> tuple[Step, ...]:
    try:
        return codec_recipe(
            name, further=further, length=length, seed=seed, devices=devices, precision=precision
        )
    except ValueError as error:
        raise ModelsError(str(error)) from None


def _trained(init: str, name: CodecName) -> LearnedCodec:
    """Return a trained codec to go on from."""
    codec = load_codec(init).codec
    if codec.temporal != (name == "stae"):
        held = "STAE" if codec.temporal else "DeepISC"
        raise WeightsError(f"{init}: holds {held}; {name} cannot go on from it")
    return codec
