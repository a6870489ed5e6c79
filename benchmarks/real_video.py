"""How codecs do on filmed clips: draws taken together, and what lies beyond their range.

From the folders that `fadeline evaluate --codec` leaves, one for each draw of disjoint test clips:

    python benchmarks/real_video.py runs/ut-1-rate runs/ut-2-rate runs/ut-3-rate

With --codec, also how often values of clips are cut off at the largest number that is sent:

    python benchmarks/real_video.py ... --codec runs/ut-1-stae/stae.safetensors \
        --data videofolder:PATH#test --splits PATH
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from fadeline.models.codecs.stored_codec import load_codec
from fadeline.models.data.opening import open_clips
from fadeline.models.measurement.outcomes import OWN, UNCOMPRESSED, read_outcomes
from fadeline.models.measurement.rate_accuracy import PairedDifference
from fadeline.models.proportion import Share


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--codec", nargs="*", default=[])
    parser.add_argument("--data")
    parser.add_argument("--splits", type=Path)
    given = parser.parse_args()
    rows = pd.concat([single_packets(folder) for folder in given.folders], ignore_index=True)
    raw = rows[rows.codec == UNCOMPRESSED]
    print(f"{'uncompressed':16}{shown(raw.correct)}")
    own = rows[rows.classifier == OWN]
    for ratio, here in own.groupby("aimed_ratio"):
        right = {str(name): x.correct.to_numpy() for name, x in here.groupby("codec")}
        mean_bytes = here.groupby("codec").bytes.mean()
        for name, answers in right.items():
            print(f"{name:16}{ratio:6.0f}x {shown(answers)}", end="")
            print(f" at {raw.bytes.mean() / mean_bytes[name]:.0f}x", end="")
            if name != "stae" and "stae" in right:
                difference = PairedDifference.of(right["stae"], answers)
                low, high = difference.interval
                print(f"; stae less that {difference.value:+.3f} ({low:.3f} to {high:.3f})", end="")
            print()
    for name in given.codec:
        print_limits(name, given.data, given.splits)


def single_packets(folder: Path) -> pd.DataFrame:
    """Return the rows of a draw that are in one packet, in the order of its clips."""
    outcomes = read_outcomes(folder / "outcomes.parquet")
    parts = [outcomes.rows[outcomes.rows.codec == UNCOMPRESSED]]
    for name, facts in outcomes.codecs.items():
        for number, point in enumerate(facts.operating_points):
            chosen = (outcomes.rows.codec == name) & (outcomes.rows.operating_point == number)
            if point["packets"] == 1:
                parts.append(outcomes.rows[chosen].assign(aimed_ratio=point["ratio"]))
    return pd.concat(parts).sort_values("data_index", kind="stable")


def shown(answers: "pd.Series[bool]") -> str:
    share = Share(int(np.sum(answers)), len(answers))
    low, high = share.interval
    return f"{share.value:.3f} ({low:.3f} to {high:.3f})"


@torch.inference_mode()
def print_limits(name: str, data: str, splits: Path | None) -> None:
    """Print the share of first frames' first channel that is cut off, at the lowest ratios."""
    codec = load_codec(name).codec
    frames, size = codec.config.frames, codec.config.size_px
    clips = open_clips(data, frames=frames, size=size, splits=splits)
    for number, point in enumerate(codec.points[:3]):
        cut, sent = 0, 0
        for index in range(len(clips)):
            clip = torch.from_numpy(np.array(clips.clip(index))).permute(3, 0, 1, 2)[None]
            plan = codec.plan(codec.encoder(clip.float() / 255.0), torch.tensor([number]))
            first = plan.steps[0, 0, ..., 0][plan.kept[0, 0]].round().abs()
            cut += int((first >= point.radius).sum())
            sent += first.numel()
        print(f"{name}: {point.ratio:.0f}x, {cut / sent:.3f} of {sent} at the limit {point.radius}")


if __name__ == "__main__":
    main()
