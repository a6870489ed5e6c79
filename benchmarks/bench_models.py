"""Speed of drawing and caching clips and of the video ViT, as a table.

Run with `make bench`. Close other programs: both cores are used.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # read when torch is first imported

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import torch

from fadeline.models.classifiers.controls import SomeClips
from fadeline.models.classifiers.vit import VideoViT, vit_preset
from fadeline.models.data.cache.cache import cached
from fadeline.models.data.drawn.actions import ActionClips

CLIPS = 8_000


def best_s(call: Callable[[], object], repeats: int = 3) -> float:
    times_s = []
    for _ in range(repeats):
        start_s = time.perf_counter()
        call()
        times_s.append(time.perf_counter() - start_s)
    return min(times_s)


def drawing(size: int) -> float:
    clips = ActionClips("val", size=size)
    return 100 / best_s(lambda: [clips.clip(index) for index in range(100)])


def caching() -> tuple[float, float]:
    """Return the seconds and the growth of anonymous memory, MB, of caching 8,000 clips."""
    before = psutil.Process().memory_full_info().uss
    with tempfile.TemporaryDirectory() as folder:
        start_s = time.perf_counter()
        cached(SomeClips(ActionClips("train"), CLIPS), folder=Path(folder), workers=2)
        seconds = time.perf_counter() - start_s
    return seconds, (psutil.Process().memory_full_info().uss - before) / 1e6


@torch.inference_mode()
def forward(batch: int) -> float:
    model = VideoViT(vit_preset("tiny", classes=18)).eval()
    clips = torch.rand(batch, 3, 16, 64, 64)
    model(clips)
    return batch / best_s(lambda: model(clips), repeats=10)


def main() -> None:
    cache_s, grown_mb = caching()
    rows = [
        ("draw 64x64, one core", f"{drawing(64):.0f} clips/s"),
        ("draw 112x112, one core", f"{drawing(112):.0f} clips/s"),
        (f"cache {CLIPS} clips, two workers", f"{cache_s:.0f} s, {grown_mb:.0f} MB more memory"),
        *((f"tiny ViT, batch {b}", f"{forward(b):.0f} clips/s") for b in (1, 4, 16)),
    ]
    for name, figure in rows:
        print(f"{name:32s} {figure}")


if __name__ == "__main__":
    main()
