"""What each part of STAE is worth: trained without it, measured on validation clips.

All variants start from one checkpoint, that of soft attention, and learn equally long from there at
two compression ratios, on all training clips or some. Each takes about twelve minutes on one core
that has instructions for bfloat16.

    python benchmarks/ablate_codecs.py --out runs/ablations [--clips N] [--only NAME ...]

What only concerns selection can also be taken from the shipped weights, without training, in some
minutes:

    python benchmarks/ablate_codecs.py --shipped
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from fadeline.models.classifiers.controls import SomeClips
from fadeline.models.classifiers.stored_vit import load_vit
from fadeline.models.codecs.learned.codec import LearnedCodec
from fadeline.models.codecs.learned.deepisc import evenly
from fadeline.models.codecs.learned.layers import Analysis
from fadeline.models.codecs.learned.stae import StaeConfig, StaeEncoder, attention_bias
from fadeline.models.codecs.stored_codec import load_codec
from fadeline.models.data.batches import batch_of, to_float
from fadeline.models.data.cache.cache import cached
from fadeline.models.data.clipset import ClipSet
from fadeline.models.data.drawn.actions import ActionClips
from fadeline.models.measurement.measuring import answer
from fadeline.models.proportion import Share
from fadeline.models.training.codec import Step, codec_recipe, new_codec, train_codec
from fadeline.models.training.codec_objective import OVERHEAD_BYTES, CodecInTraining
from fadeline.models.training.memory import keep_freed_memory

RATIOS = (104, 1000)
EPOCHS = {"hard": 1, "joint": 2}

OTHER_SEED = 2
"""Of the weights, order and augmentation of the variant that says what chance does."""

EVENLY_FIRST = 1e3
"""Weight of an even choice of frames over the scores of positions."""


def as_it_is(codec: LearnedCodec) -> None:
    """Leave STAE as it is."""


def without_attention_bias(codec: LearnedCodec) -> None:
    """Let the change of values alone say what is important."""
    for layer in _scores(codec):
        layer.register_forward_hook(lambda _, __, output: torch.zeros_like(output))


def without_frames(codec: LearnedCodec) -> None:
    """Take the frame attention module away: every frame is as important as any other."""
    codec.encoder.register_forward_hook(
        lambda _, __, output: replace(output, frame_scores=torch.zeros_like(output.frame_scores))
    )


def frames_ranked(codec: LearnedCodec) -> None:
    """Let a position's rank count what frame attention says of its frame, change left out."""
    said: list[Tensor] = []
    frame_score, _ = _scores(codec)
    frame_score.register_forward_hook(
        lambda _, __, output: said.append(attention_bias(output[:, 0]))
    )

    def ranked(_: nn.Module, __: object, output: Analysis) -> Analysis:
        added = said.pop()
        return replace(
            output,
            frame_scores=output.frame_scores - added,  # added to its positions instead
            position_scores=output.position_scores + added[:, :, None, None],
        )

    codec.encoder.register_forward_hook(ranked)


def at_random(codec: LearnedCodec) -> None:
    """Send positions drawn at random."""

    def drawn(_: nn.Module, __: object, output: Analysis) -> Analysis:
        return replace(
            output,
            frame_scores=torch.zeros_like(output.frame_scores),
            position_scores=torch.rand_like(output.position_scores),
        )

    codec.encoder.register_forward_hook(drawn)


def every_other_frame(codec: LearnedCodec) -> None:
    """Take the frame attention module away: every other frame is sent, as many positions in all."""
    codec.encoder.register_buffer(
        "even", EVENLY_FIRST * evenly(codec.config.frames), persistent=False
    )
    codec.encoder.register_forward_hook(
        lambda encoder, _, output: replace(
            output, frame_scores=encoder.even.expand_as(output.frame_scores)
        )
    )
    codec.knobs[:, 0] = codec.config.frames // 2
    codec.knobs[:, 1] = codec.knobs[:, 1].clamp(
        max=codec.config.grid_positions * codec.config.frames // 2
    )


def all_positions(codec: LearnedCodec) -> None:
    """Send every position, with as many bits in all."""
    codec.knobs[:, 1] = codec.config.frames * codec.config.grid_positions
    codec.flagged[:] = False


def within_frames(codec: LearnedCodec) -> None:
    """Let the decoder see one frame at a time: its 3D part becomes 2D."""
    for block in (codec.decoder.enter, *codec.decoder.residuals):
        block.time = nn.Identity()


VARIANTS: dict[str, Callable[[LearnedCodec], None]] = {
    "STAE": as_it_is,
    "without attention bias": without_attention_bias,
    "without frame scores": without_frames,
    "frames ranked": frames_ranked,
    "every other frame": every_other_frame,
    "random positions": at_random,
    "all positions": all_positions,
    "2D decoder": within_frames,
    "all at once": as_it_is,
    "other seed": as_it_is,
}

SELECTIONS = (
    "STAE", "without attention bias", "without frame scores", "every other frame",
    "random positions",
)  # fmt: skip
"""Variants that trained weights can be put to as they are."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path)
    parser.add_argument("--clips", type=int, help="training clips to use (default: all)")
    parser.add_argument("--only", nargs="*", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--shipped", action="store_true")
    given = parser.parse_args()
    if given.shipped:
        measure_shipped(cached(ActionClips("val")))
        return
    if given.out is None:
        parser.error("--out says where checkpoints and results go")
    keep_freed_memory()
    validation = cached(ActionClips("val"))
    clips: ClipSet = cached(ActionClips("train"))
    if given.clips is not None:
        clips = SomeClips(clips, given.clips)
    out = given.out / f"{len(clips)}-clips"  # what learnt from more or fewer does not compare
    for name in given.only:
        folder = out / name.replace(" ", "-")
        if (folder / "result.json").exists():
            continue
        seed = OTHER_SEED if name == "other seed" else 1
        soft, *later = codec_recipe("stae", seed=seed)
        recipe = tuple(
            replace(step, config=replace(step.config, epochs=EPOCHS[step.name], settle_epochs=0))
            for step in later
        )
        model = made(seed)
        if name == "all at once":  # as many epochs, all of the last kind, from the components on
            epochs = soft.config.epochs + sum(EPOCHS.values())
            recipe = (replace(recipe[-1], config=replace(recipe[-1].config, epochs=epochs)),)
        else:
            model.codec.load_state_dict(softly_started(seed, soft, clips, validation, out))
        VARIANTS[name](model.codec)
        train_codec(
            model, clips, validation, recipe, folder, further=name != "all at once", quiet=False
        )
        (folder / "result.json").write_text(json.dumps(measured(model, validation), indent=2))
    for name in VARIANTS:
        result = out / name.replace(" ", "-") / "result.json"
        if result.exists():
            for row in json.loads(result.read_text()):
                print(
                    f"{name:22}{row['ratio']:8.0f}x{row['accuracy']:8.3f} "
                    f"({row['low']:.3f} to {row['high']:.3f}); "
                    f"without entropy coding {row['plain_ratio']:.0f}x"
                )


def measure_shipped(clips: ClipSet) -> None:
    """Print how the shipped STAE does with other selections, from real streams."""
    raw_bytes = 3.0 * np.prod(clips.shape)
    for name in SELECTIONS:
        trained = load_codec("stae-actions")
        VARIANTS[name](trained.codec)
        torch.manual_seed(1)  # for positions at random
        for ratio in RATIOS:
            point = trained.codec.nearest_point(ratio)
            right = sent_bytes = 0
            for index in range(len(clips)):
                stream = trained.encode(np.asarray(clips.clip(index)), point).stream
                answered, _ = answer(trained.classifier.network, trained.decode(stream))
                right += answered == clips.labels[index]
                sent_bytes += len(stream)
            share = Share(int(right), len(clips))
            low, high = share.interval
            print(
                f"{name:22}{raw_bytes * len(clips) / sent_bytes:8.0f}x{share.value:8.3f} "
                f"({low:.3f} to {high:.3f})",
                flush=True,
            )


def softly_started(
    seed: int, step: Step, clips: ClipSet, validation: ClipSet, out: Path
) -> dict[str, Tensor]:
    """Return the weights that soft attention ends with, kept in a file for all variants."""
    start = out / f"soft-{seed}.pt"
    if not start.exists():
        model = made(seed)
        train_codec(model, clips, validation, (step,), out / f"start-{seed}", quiet=False)
        torch.save(model.codec.state_dict(), start)
    weights: dict[str, Tensor] = torch.load(start)
    return weights


def made(seed: int) -> CodecInTraining:
    points = [
        point for point in new_codec("stae").points if point.ratio in RATIOS and point.packets == 1
    ]
    return CodecInTraining(
        LearnedCodec(StaeConfig(len(points)), points, seed=seed), load_vit("vit-tiny-actions")[0]
    )


@torch.inference_mode()
def measured(model: CodecInTraining, clips: ClipSet) -> list[dict[str, float]]:
    """Return accuracy with the codec's own classifier and ratio at each operating point."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device).eval()
    rows = []
    for number, point in enumerate(model.codec.points):
        right, bits, plain_bits = 0, 0.0, 0.0
        for start in range(0, len(clips), 32):
            some = np.arange(start, min(start + 32, len(clips)))
            batch, labels = to_float(batch_of(clips, some).to(device))
            points = torch.full((len(batch),), number, device=device)
            sent = model.codec(batch, points)
            right += int((model.classifier(sent.clips).argmax(dim=1) == labels).sum())
            bits += float(model.bits(sent.plan, points).sum())
            plain_bits += float(_plain_bits(sent.plan.kept, point.channels, point.radius))
        share = Share(right, len(clips))
        raw_bits = 24.0 * model.config.frames * model.config.size_px**2
        low, high = share.interval
        rows.append(
            {
                "accuracy": share.value,
                "low": low,
                "high": high,
                "ratio": raw_bits / (bits / len(clips) + 8 * OVERHEAD_BYTES),
                "plain_ratio": raw_bits / (plain_bits / len(clips) + 8 * OVERHEAD_BYTES),
            }
        )
    return rows


def _plain_bits(kept: Tensor, channels: int, radius: int) -> Tensor:
    """Return the bits without entropy coding: a flag for each position, whole bits for a symbol."""
    symbol_bits = int(np.ceil(np.log2(2 * radius + 1)))
    return kept.sum() * channels * symbol_bits + kept.numel()


def _scores(codec: LearnedCodec) -> tuple[nn.Module, nn.Module]:
    assert isinstance(codec.encoder, StaeEncoder)
    return codec.encoder.frame_score, codec.encoder.place_score


if __name__ == "__main__":
    main()
