"""The `fadeline train vit` and `fadeline evaluate vit` commands."""

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from fadeline.simulator.cli.clips import cached_clips
from fadeline.simulator.cli.console import bar, errors, print_json, print_table, say
from fadeline.simulator.cli.options import (
    AsJson,
    ComputePrecision,
    Draw,
    Force,
    Quiet,
    SkipUnreadable,
    Splits,
)
from fadeline.simulator.cli.training_bars import training_bars
from fadeline.simulator.errors import FadelineError

if TYPE_CHECKING:
    from fadeline.models.card import Card
    from fadeline.models.classifiers.evaluation import Evaluation
    from fadeline.models.classifiers.vit_card import Comparison
    from fadeline.models.data.clipset import ClipSet
    from fadeline.models.proportion import Share
    from fadeline.models.training.train_vit import FinishedVit

train_app = typer.Typer(help="Train networks.", no_args_is_help=True)
evaluate_app = typer.Typer(no_args_is_help=True)

Preset = Literal["tiny", "base"]


@train_app.callback()
def _train() -> None:
    pass  # with a callback, a single command keeps its name


@train_app.command(name="vit")
def train_vit_command(
    out: Annotated[Path, typer.Option(help="Folder for checkpoints, weights and card.")],
    preset: Annotated[Preset, typer.Option(help="Size.")] = "tiny",
    data: Annotated[
        str, typer.Option(help="Its train and val splits, such as actions or videofolder:PATH.")
    ] = "actions",
    validate_on: Annotated[
        str | None, typer.Option(help="Other clips to report on (default: the val split).")
    ] = None,
    splits: Splits = None,
    draw: Draw = 1,
    skip_unreadable: SkipUnreadable = False,
    shuffled: Annotated[
        bool, typer.Option("--shuffled", help="Shuffle the frames of every clip, as a control.")
    ] = False,
    init: Annotated[
        str | None, typer.Option(help="Weights to start from: shipped name or .safetensors file.")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Of the last step (default: the preset's).")
    ] = None,
    stem_epochs: Annotated[
        int | None, typer.Option(min=0, help="Of the first step; 0 leaves it out.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 1,
    devices: Annotated[int, typer.Option(min=1, help="Processes or GPUs.")] = 1,
    precision: ComputePrecision = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where it stopped.")] = False,
    force: Force = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Train a video ViT; leaves vit.safetensors and its card, measured on validation clips."""
    prepare_processor()
    from fadeline.models.training.train_vit import train_vit

    silent = quiet or as_json
    prepare_training(out, resume=resume, force=force)
    with training_bars(quiet=silent) as progress:
        finished = train_vit(
            out, preset=preset, data=data, validate_on=validate_on, splits=splits, draw=draw,
            skip_unreadable=skip_unreadable, shuffled=shuffled, init=init, epochs=epochs,
            stem_epochs=stem_epochs, seed=seed, devices=devices, precision=precision,
            resume=resume, command=command_line(sys.argv[1:]), progress=progress,
            log=None if silent else log_line,
        )  # fmt: skip
    summary = _summary(finished)
    if as_json:
        print_json(summary)
    elif not quiet:
        for name, value in summary.items():
            print(f"{name}: {value}")


@evaluate_app.command(name="vit")
def evaluate_vit_command(
    weights: Annotated[
        str, typer.Option(help="Shipped name or .safetensors file.")
    ] = "vit-tiny-actions",
    data: Annotated[
        str | None, typer.Option(help="Clips, such as actions/test (default: the card's).")
    ] = None,
    splits: Splits = None,
    draw: Draw = 1,
    skip_unreadable: SkipUnreadable = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Clips to use, drawn among all.")] = None,
    with_controls: Annotated[
        bool, typer.Option("--controls", help="Also with detail, motion or order taken away.")
    ] = False,
    shuffled_weights: Annotated[
        str | None,
        typer.Option(help="Weights trained with --shuffled; adds their controls."),
    ] = None,
    write_card: Annotated[
        bool, typer.Option("--write-card", help="Put what is measured into the card.")
    ] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Measure a video ViT again; exit with 1 if its card claims something else."""
    prepare_processor()
    from fadeline.models.classifiers.controls import SomeClips
    from fadeline.models.classifiers.evaluation import evaluate
    from fadeline.models.classifiers.stored_vit import load_vit
    from fadeline.models.classifiers.vit_card import compare
    from fadeline.models.data.numbering import numbered_as
    from fadeline.models.data.opening import open_clips

    if write_card and (limit is not None or not weights.endswith(".safetensors")):
        raise FadelineError("--write-card needs all clips and a .safetensors file of your own")
    silent = quiet or as_json
    model, card = load_vit(weights)
    name = data or card.data
    how: dict[str, Any] = {
        "frames": model.config.frames, "size": model.config.size_px, "splits": splits,
        "draw": draw, "skip_unreadable": skip_unreadable,
    }  # fmt: skip
    found = (
        cached_clips(name, **how, silent=silent)
        if limit is None
        else SomeClips(open_clips(name, **how), limit)
    )
    clips = numbered_as(found, card.classes, network=weights)
    with bar("evaluating", quiet=silent) as progress:
        evaluation = evaluate(model, clips, progress=progress)
    shares = _shares(
        model, clips, found, evaluation, shuffled_weights,
        controls=with_controls or write_card,  # a card has its controls
        silent=silent,
    )  # fmt: skip
    if write_card:
        assert not isinstance(found, SomeClips)
        _write_card(Path(weights), model, clips, found.digest, evaluation, shares)
        _, card = load_vit(weights)  # what follows compares with what the card says now
    comparable = _comparable(name, clips.version, card)
    rows = compare(card, evaluation, shares)
    agrees = all(row.agrees for row in rows)
    if as_json:
        agreement = agrees if comparable else None
        print_json(_measured(weights, name, clips.version, evaluation, shares, card, agreement))
    elif not quiet:
        _print_comparison(f"{weights} on {name}, {len(clips)} clips", rows, card.data, comparable)
    if comparable and not agrees:
        _print_failures(rows)
        raise typer.Exit(1)


def _shares(
    model: Any,
    clips: "ClipSet",
    found: "ClipSet",
    evaluation: "Evaluation",
    shuffled_weights: str | None,
    *,
    controls: bool,
    silent: bool,
) -> "dict[str, Share]":
    """Measure the controls, and those of weights trained on shuffled frames."""
    from fadeline.models.classifiers.stored_vit import load_vit
    from fadeline.models.classifiers.vit_card import measure_controls, measure_shuffled
    from fadeline.models.data.numbering import numbered_as

    shares: dict[str, Share] = {}
    if controls:
        with bar("controls", quiet=silent) as progress:
            shares |= measure_controls(model, clips, evaluation, progress=progress)
    if shuffled_weights is not None:
        other, card = load_vit(shuffled_weights)
        theirs = numbered_as(found, card.classes, network=shuffled_weights)
        with bar("shuffled frames", quiet=silent) as progress:
            shares |= measure_shuffled(other, theirs, progress=progress)
    return shares


def _measured(
    weights: str,
    data: str,
    version: str,
    evaluation: "Evaluation",
    shares: "dict[str, Share]",
    card: "Card",
    agrees: bool | None,
) -> dict[str, Any]:
    """Return what was measured, as programs read it."""
    from fadeline.models.classifiers.vit_card import share_entry

    return {
        "weights": weights,
        "data": data,
        "version": version,
        **share_entry(evaluation.accuracy),
        "per_class_accuracy": {k: s.value for k, s in evaluation.per_class.items()},
        "controls": {k: share_entry(s) for k, s in shares.items()},
        "card": {"data": card.data, **share_entry(card.accuracy)},
        "agrees": agrees,
    }


def _comparable(name: str, version: str, card: "Card") -> bool:
    """Return whether clips must agree with what a card claims."""
    if ":" in name:  # videos: the name tells neither the draw nor what is in the folder
        return (name, version) == (card.data, card.data_version)
    # Fresh draws must agree with the card as well; other splits need not.
    same_set = name.partition("@")[0] == card.data.partition("@")[0]
    return same_set and version == card.data_version


def _print_failures(rows: "list[Comparison]") -> None:
    for row in rows:
        if not row.agrees:
            message = f"failed: {row.name}: {row.now.value:.4f}, card: {row.card.value:.4f}"
            errors().print(message, highlight=False, markup=False, soft_wrap=True)


def prepare_training(out: Path, *, resume: bool, force: bool) -> None:
    """Make the folder of a training, in the first process of those that train together.

    Raises:
        FadelineError: If it holds one that is neither to go on nor to start again.
    """
    from fadeline.models.training.loop import first_process
    from fadeline.simulator.output import prepare_folder

    if first_process():
        if any(out.glob("*/checkpoint.safetensors")) and not (resume or force):
            raise FadelineError(
                f"{out}: holds a training; --resume goes on with it, --force starts again"
            )
        prepare_folder(out, force=force or resume)


def log_line(text: str) -> None:
    """Print a line on standard error as it is."""
    say([text], quiet=False)


def _summary(finished: "FinishedVit") -> dict[str, Any]:
    card = finished.card
    low, high = card.accuracy.interval
    return {
        "weights": str(finished.path),
        "card": str(finished.path.with_suffix(".json")),
        "confusion": str(finished.confusion),
        "data": card.data,
        "accuracy": round(card.accuracy.value, 4),
        "accuracy_interval": [round(low, 4), round(high, 4)],
        "seconds": round(card.wall_s, 1),
    }


def _write_card(
    weights: Path,
    model: Any,
    clips: "ClipSet",
    checksum: str,
    evaluation: Any,
    shares: dict[str, Any],
) -> None:
    """Put what was just measured into the card beside the weights, and draw its figure."""
    from fadeline.models.classifiers.vit_card import remeasured_card
    from fadeline.models.weights import read_card, save_weights

    figure = weights.with_name(f"{weights.stem}-confusion.png")
    _save_confusion(evaluation, figure)
    card = remeasured_card(
        read_card(weights),
        clips,
        evaluation,
        shares,
        checksum=checksum,
        confusion_figure=figure.name,
    )
    save_weights(model, weights, card)


def _save_confusion(evaluation: Any, figure: Path) -> None:
    from fadeline.models.classifiers.evaluation import save_confusion

    try:
        save_confusion(evaluation, figure)
    except OSError as error:
        raise FadelineError(f"{figure}: cannot be written: {error.strerror}") from None


def _print_comparison(
    title: str, rows: "list[Comparison]", card_data: str, comparable: bool
) -> None:
    verdicts = {True: "yes", False: "NO"}
    table = []
    for row in rows:
        low, high = row.now.interval
        verdict = verdicts[row.agrees] if comparable else f"other clips ({card_data})"
        figures = (f"{row.card.value:.4f}", f"{row.now.value:.4f}", f"{low:.4f} to {high:.4f}")
        table.append((row.name, *figures, verdict))
    print_table(title, ("quantity", "card", "now", "interval", "agrees"), table)


def command_line(words: list[str]) -> str:
    """Return the command line as a card keeps it: without what is of this machine or this try.

    Example:
        >>> command_line(["train", "vit", "--out", "runs/a", "--seed", "2", "--resume"])
        'fadeline train vit --seed 2'
    """
    kept: list[str] = []
    for position, word in enumerate(words):
        of_out = word.startswith("--out=") or "--out" in (
            word,
            words[position - 1] if position else "",
        )
        if not of_out and word not in ("--resume", "--force", "--quiet", "-q", "--json"):
            kept.append(word)
    return shlex.join(["fadeline", *kept])


def prepare_processor() -> None:
    """Make training quicker on processors.

    Idle threads sleep instead of spinning, which takes time from the others; torch reads this when
    it is first imported. Memory that is freed is kept.
    """
    from fadeline.models.hardware.memory import keep_freed_memory

    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    keep_freed_memory()
