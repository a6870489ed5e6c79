"""The `fadeline train` commands of the codecs, and `fadeline evaluate` for them."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fadeline.simulator.cli.clips import cached_clips
from fadeline.simulator.cli.console import bar, errors, print_json, print_table
from fadeline.simulator.cli.options import (
    AsJson,
    ComputePrecision,
    Draw,
    Force,
    Quiet,
    SkipUnreadable,
    Splits,
    Workers,
)
from fadeline.simulator.cli.train import (
    command_line,
    prepare_processor,
    prepare_training,
    split_of,
)
from fadeline.simulator.errors import FadelineError

if TYPE_CHECKING:
    from fadeline.models.codecs.learned.codec import LearnedCodec
    from fadeline.models.codecs.stored_codec import TrainedCodec
    from fadeline.models.data.clipset import ClipSet
    from fadeline.models.measurement.outcomes import Outcomes
    from fadeline.models.training.codec import CodecName

SUMMARIES: "dict[CodecName, str]" = {
    "stae": "Train STAE: attention chooses what is sent, answers decide what is good.",
    "deepisc": "Train DeepISC to restore images, then its classifier.",
    "deepisc-task": "Train DeepISC the way STAE is trained.",
}
"""The codecs that can be trained."""


TABLE = "outcomes.parquet"
"""Name of a measured table in its folder."""

PARTS = "parts"
"""Folder, in that of a measurement, of what is done so far; gone when it is finished."""

PICTURE_RATIO = 1000.0
"""Compression ratio of the picture of restored clips (our choice: where the codecs differ)."""


def train_codec_command(name: "CodecName") -> Callable[..., None]:
    """Return the command that trains a codec."""

    def command(
        out: Annotated[Path, typer.Option(help="Folder for checkpoints, weights and cards.")],
        data: Annotated[
            str, typer.Option(help="Its train and val splits, such as actions.")
        ] = "actions",
        validate_on: Annotated[
            str | None, typer.Option(help="Other clips to report on (default: the val split).")
        ] = None,
        classifier: Annotated[
            str, typer.Option(help="Trained on these clips: shipped name or .safetensors file.")
        ] = "vit-tiny-actions",
        init: Annotated[
            str | None,
            typer.Option(help="Go on from this codec: shipped name or .safetensors file."),
        ] = None,
        splits: Splits = None,
        draw: Draw = 1,
        skip_unreadable: SkipUnreadable = False,
        length: Annotated[
            float, typer.Option(min=0.0, help="Epochs of every step, in parts of the usual.")
        ] = 1.0,
        seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 1,
        devices: Annotated[int, typer.Option(min=1, help="Processes or GPUs.")] = 1,
        precision: ComputePrecision = None,
        resume: Annotated[bool, typer.Option("--resume", help="Go on where it stopped.")] = False,
        force: Force = False,
        quiet: Quiet = False,
        as_json: AsJson = False,
    ) -> None:
        prepare_processor()
        from fadeline.models.classifiers.stored_vit import load_vit
        from fadeline.models.data.numbering import numbered_as
        from fadeline.models.training.codec import codec_recipe, new_codec, train_codec
        from fadeline.models.training.codec_objective import CodecInTraining
        from fadeline.models.training.loop import first_process

        silent = quiet or as_json
        try:
            recipe = codec_recipe(
                name,
                further=init is not None,
                length=length,
                seed=seed,
                devices=devices,
                precision=precision,
            )
        except ValueError as error:
            raise FadelineError(str(error)) from None
        prepare_training(out, resume=resume, force=force)
        frozen, frozen_card = load_vit(classifier)
        learner, _ = load_vit(classifier)
        codec = new_codec(name, seed=seed) if init is None else _trained(init, name)
        _refuse_shape(classifier, frozen.config, codec.config)
        cached_train, cached_validation = (
            cached_clips(
                chosen, frames=codec.config.frames, size=codec.config.size_px,
                splits=splits, draw=draw, skip_unreadable=skip_unreadable, silent=silent,
            )
            for chosen in (split_of(data, "train"), validate_on or split_of(data, "val"))
        )  # fmt: skip
        clips, validation = (
            numbered_as(found, frozen_card.classes, network=classifier)
            for found in (cached_train, cached_validation)
        )
        model = CodecInTraining(codec, learner)
        rows = train_codec(
            model, clips, validation, recipe, out, further=init is not None, resume=resume,
            quiet=silent, started=lambda step: None if silent else errors().print(f"step {step}"),
        )  # fmt: skip
        if not first_process():
            return
        from fadeline.models.hardware.machine import usable_cores
        from fadeline.models.measurement.measuring import measure_outcomes
        from fadeline.models.training.codec_card import save_codec

        with bar("probability tables", quiet=silent) as progress:
            trained = save_codec(
                model, name, clips, validation, out / f"{name}.safetensors",
                checksum=cached_validation.digest,
                command=command_line(sys.argv[1:]),
                seed=seed,
                wall_s=sum(row["seconds"] for row in rows),
                progress=progress,
            )  # fmt: skip
        with bar("measuring", quiet=silent) as progress:
            outcomes = measure_outcomes(
                [trained], frozen, frozen_card, validation,
                checksum=cached_validation.digest, workers=usable_cores(), parts=out / PARTS,
                progress=progress,
            )  # fmt: skip
        _keep(outcomes, out)
        _report(outcomes, out, quiet=quiet, as_json=as_json)

    command.__doc__ = SUMMARIES[name]
    return command


def _trained(init: str, name: str) -> "LearnedCodec":
    """Return a trained codec to go on from.

    Raises:
        FadelineError: If it is one of another kind.
    """
    from fadeline.models.codecs.stored_codec import load_codec

    codec = load_codec(init).codec
    if codec.temporal != (name == "stae"):
        raise FadelineError(f"--init {init}: holds {'STAE' if codec.temporal else 'DeepISC'}")
    return codec


def evaluate_codecs(
    context: typer.Context,
    codec: Annotated[
        list[str] | None,
        typer.Option(help="stae, deepisc, deepisc-task, or a .safetensors file; repeatable."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for table and figure.")] = None,
    data: Annotated[str, typer.Option(help="Clips, such as actions/test@7.")] = "actions/test",
    classifier: Annotated[
        str | None,
        typer.Option(help="Trained on clips as they are (default: vit-tiny-actions)."),
    ] = None,
    from_tables: Annotated[
        bool, typer.Option("--from-tables", help="Read what was measured; runs no network.")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Clips to use, drawn among all.")] = None,
    workers: Workers = None,
    splits: Splits = None,
    draw: Draw = 1,
    skip_unreadable: SkipUnreadable = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where it stopped.")] = False,
    force: Force = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Measure codecs: accuracy against compression ratio."""
    if context.invoked_subcommand is not None:
        return
    if not codec or out is None:
        raise FadelineError("evaluate needs --codec NAME and --out DIR; or: fadeline evaluate vit")
    given = {
        "--limit": limit, "--splits": splits, "--classifier": classifier, "--workers": workers,
        "--resume": resume or None, "--draw": None if draw == 1 else draw,
        "--skip-unreadable": skip_unreadable or None,
    }  # fmt: skip
    if from_tables and (unused := [word for word, value in given.items() if value is not None]):
        raise FadelineError(f"--from-tables reads what was measured; leave {', '.join(unused)} out")
    from fadeline.simulator.output import prepare_folder, prepare_work

    if from_tables:
        prepare_folder(out, force=force)
        outcomes = _read(codec, data)
    else:
        prepare_work(out, parts=PARTS, result=TABLE, resume=resume, force=force)
        outcomes = _measured(
            codec, data, classifier or "vit-tiny-actions", out,
            limit=limit, splits=splits, draw=draw, skip_unreadable=skip_unreadable,
            workers=workers, silent=quiet or as_json,
        )  # fmt: skip
        _keep(outcomes, out)
    _report(outcomes, out, quiet=quiet, as_json=as_json)


def _measured(
    names: list[str],
    data: str,
    classifier: str,
    out: Path,
    *,
    limit: int | None,
    splits: Path | None,
    draw: int,
    skip_unreadable: bool,
    workers: int | None,
    silent: bool,
) -> "Outcomes":
    prepare_processor()
    from fadeline.models.classifiers.controls import SomeClips
    from fadeline.models.classifiers.stored_vit import load_vit
    from fadeline.models.codecs.stored_codec import load_codec
    from fadeline.models.data.digest import content_digest
    from fadeline.models.data.numbering import numbered_as
    from fadeline.models.data.opening import open_clips
    from fadeline.models.hardware.machine import usable_cores
    from fadeline.models.measurement.measuring import measure_outcomes

    codecs = [load_codec(weights_name(name)) for name in names]
    frozen, card = load_vit(classifier)
    _refuse_twice(codecs)
    shape = codecs[0].codec.config
    for name, config in (
        (classifier, frozen.config),
        *((trained.name, trained.codec.config) for trained in codecs),
    ):
        _refuse_shape(name, config, shape)
    how: dict[str, Any] = {
        "frames": shape.frames, "size": shape.size_px, "splits": splits, "draw": draw,
        "skip_unreadable": skip_unreadable,
    }  # fmt: skip
    clips: ClipSet
    if limit is None:
        cached = cached_clips(data, **how, silent=silent)
        clips, checksum = cached, cached.digest
    else:
        clips = SomeClips(open_clips(data, **how), limit)
        checksum = content_digest(clips)
    for name, theirs in (*((trained.name, trained.card) for trained in codecs), (classifier, card)):
        clips = numbered_as(clips, theirs.classes, network=name)
    _save_picture(codecs, clips, PICTURE_RATIO, out)
    with bar("measuring", quiet=silent) as progress:
        return measure_outcomes(
            codecs, frozen, card, clips,
            checksum=checksum, workers=workers or usable_cores(), parts=out / PARTS,
            progress=progress,
        )  # fmt: skip


def _keep(outcomes: "Outcomes", out: Path) -> None:
    """Write a table; the parts that it was made of are not needed any more."""
    from fadeline.models.measurement.outcomes import write_outcomes

    write_outcomes(outcomes, out / TABLE)
    shutil.rmtree(out / PARTS, ignore_errors=True)


def _save_picture(codecs: "list[TrainedCodec]", clips: "ClipSet", ratio: float, out: Path) -> None:
    """Draw a clip of each of six classes, before and after, at the operating point for a ratio."""
    import numpy as np

    from fadeline.models.measurement.measuring import answer
    from fadeline.simulator.figures.channel import save_figure
    from fadeline.simulator.figures.restoration import Restoration, restoration_figure

    classes = list(clips.classes)
    numbers = np.linspace(0, len(classes) - 1, min(6, len(classes))).astype(int)
    panels = []
    for number in numbers:
        having = np.flatnonzero(np.asarray(clips.labels) == number)
        if not len(having):
            continue
        pixels = np.asarray(clips.clip(int(having[0])))
        found = {}
        for trained in codecs:
            stream = trained.encode(pixels, trained.codec.nearest_point(ratio)).stream
            restored = trained.decode(stream)
            name = classes[answer(trained.classifier.network, restored)[0]]
            found[trained.name] = Restoration(
                trained.coder.renewed(stream), restored, len(stream), name
            )
        panels.append((classes[number], pixels, found))
    title = (
        f"{clips.name} at about {ratio:,.0f}x: what is sent, what comes back, what it is taken for"
    )
    save_figure(restoration_figure(panels, title), out, "restored")


def _refuse_twice(codecs: "list[TrainedCodec]") -> None:
    names = [trained.name for trained in codecs]
    if len(set(names)) < len(names):
        raise FadelineError(
            f"--codec: two codecs have the same name: {', '.join(names)}; a file's codec has the "
            "name of the file: copy it, its card and its classifier under another"
        )


def _refuse_shape(name: str, config: Any, expected: Any) -> None:
    """Refuse a network for clips of another shape."""
    theirs, mine = ((c.frames, c.size_px) for c in (config, expected))
    if theirs != mine:
        raise FadelineError(
            f"{name}: takes clips of {theirs[0]} frames of {theirs[1]} px, the codec of {mine[0]} "
            f"frames of {mine[1]} px"
        )


def _read(names: list[str], data: str) -> "Outcomes":
    from fadeline.simulator.schemes.outcome_tables import outcome_table
    from fadeline.simulator.schemes.wanted import WantedCodec, WantedTable

    otherwise = "to measure them, or a file of weights, leave --from-tables out"
    if other := [name for name in names if name not in SUMMARIES]:
        raise FadelineError(f"{data}: no outcome table has {', '.join(other)}; {otherwise}")
    wanted = WantedTable(data, tuple(WantedCodec(name) for name in dict.fromkeys(names)))
    return outcome_table(wanted, otherwise=otherwise)


def _report(outcomes: "Outcomes", out: Path, *, quiet: bool, as_json: bool) -> None:
    """Write rate_accuracy.csv and the figure, and print what they say."""
    from fadeline.models.measurement.rate_accuracy import rate_accuracy
    from fadeline.simulator.figures.channel import save_figure
    from fadeline.simulator.figures.rate import rate_figure
    from fadeline.simulator.links.packets import air_bits
    from fadeline.simulator.output import complete_or_absent
    from fadeline.simulator.scenario.channel import HEADERS_BYTES

    rows = rate_accuracy(outcomes)
    on_air_bits = air_bits(8.0 * rows["bytes_mean"], HEADERS_BYTES)
    rows.insert(
        rows.columns.get_loc("ratio") + 1, "air_ratio", 8.0 * outcomes.raw_bytes / on_air_bits
    )
    with complete_or_absent(out / "rate_accuracy.csv") as partial:
        rows.to_csv(partial, index=False, float_format="%.6g")
    clips = int((outcomes.rows.codec == "uncompressed").sum())
    title = f"{outcomes.data}, {clips:,} clips; bands: 95 % intervals"
    figures = save_figure(rate_figure(rows, title), out, "rate_accuracy")
    if as_json:
        print_json(rows.astype(object).where(rows.notna(), None).to_dict("records"))
    elif not quiet:
        print_table(
            title,
            ("codec", "classifier", "ratio", "on air", "bytes", "packets", "accuracy", "interval"),
            [
                (
                    row.codec, row.classifier, f"{row.ratio:.4g}", f"{row.air_ratio:.4g}",
                    f"{row.bytes_mean:.0f}",
                    "" if row.packets != row.packets else f"{row.packets:.0f}",
                    f"{row.accuracy:.4f}", f"{row.accuracy_lo:.4f} to {row.accuracy_hi:.4f}",
                )
                for row in rows.itertuples()
            ],
        )  # fmt: skip
        print(f"written: {out / 'rate_accuracy.csv'}, {', '.join(map(str, figures))}")


def weights_name(codec: str) -> str:
    """Return the name of shipped weights, or a path as it is.

    Example:
        >>> weights_name("stae"), weights_name("mine/stae.safetensors")
        ('stae-actions', 'mine/stae.safetensors')
    """
    return f"{codec}-actions" if codec in SUMMARIES else codec


def add_commands(train_app: Any, evaluate_app: Any) -> None:
    """Add the commands of the codecs."""
    for name in SUMMARIES:
        train_app.command(name=name)(train_codec_command(name))
    evaluate_app.callback(invoke_without_command=True)(evaluate_codecs)
