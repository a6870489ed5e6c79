"""Speed of the codecs on one core, as tables.

Run with `make bench`. Close other programs.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # read when torch is first imported

import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from fadeline.models.codecs.entropy.coding import decode_symbols, encode_symbols, ideal_bits
from fadeline.models.codecs.entropy.probability_tables import Counts
from fadeline.models.codecs.stored_codec import TrainedCodec, load_codec
from fadeline.models.data.drawn.actions import ActionClips
from fadeline.models.measurement.coding_times import time_coder, time_coding
from fadeline.models.weights import shipped_weights


def best_s(call: Callable[[], object], repeats: int = 5) -> float:
    times_s = []
    for _ in range(repeats):
        start_s = time.perf_counter()
        call()
        times_s.append(time.perf_counter() - start_s)
    return min(times_s)


def entropy_coding() -> None:
    """A million symbols in one stream, 7 levels, three in four of them zero."""
    rng = np.random.default_rng(1)
    shape = (16, 64, 64, 16)  # frames, rows, columns, channels
    levels = rng.choice(7, size=shape, p=[0.02, 0.03, 0.07, 0.76, 0.07, 0.03, 0.02])
    symbols = (levels - 3).astype(np.int8)
    kept = np.ones((16, 64, 64), dtype=np.bool_)
    counts = Counts(16, 3)
    counts.add(symbols, kept, temporal=True)
    tables = counts.tables()
    write = partial(encode_symbols, symbols, kept, tables, temporal=True, all_positions=True)
    stream = write()
    million = symbols.size / 1e6
    written_s = best_s(write)
    read = partial(decode_symbols, stream, (16, 64, 64), tables, temporal=True, all_positions=True)
    read_s = best_s(read)
    bits = ideal_bits(symbols, kept, tables, temporal=True, all_positions=True)
    waste = len(stream) - bits / 8
    print(f"entropy coding of {million:.2f} million symbols, contexts included, one core")
    print(f"  write {million / written_s:.1f}, read {million / read_s:.1f} million symbols/s")
    print(f"  {waste:.1f} bytes more than the entropy, of {len(stream)}")


def codecs() -> None:
    """Whole codecs, clips to bytes and back."""
    clips = ActionClips("val")
    for name in ("stae-actions", "deepisc-actions", "deepisc-task-actions"):
        if name not in shipped_weights():
            continue
        trained = load_codec(name)
        whole_s = time_coder(trained, clips)
        coding_s = time_coding(trained, trained.networks(), clips)
        times_s = zip(trained.codec.points, *whole_s, *coding_s, strict=True)
        print(f"{name}, one core, one clip at a time; in brackets selection and range coding of it")
        for point, encode, decode, write, read in times_s:
            packets = f", {point.packets} packets" if point.packets > 1 else ""
            print(
                f"  {point.ratio:6.0f}x  encode {encode * 1e3:5.2f} ms ({write * 1e3:.2f}; "
                f"{1 / encode:.0f} clips/s), decode {decode * 1e3:5.2f} ms "
                f"({read * 1e3:.2f}){packets}"
            )

        print(f"  choosing alone, at 104x: {choosing_s(trained, clips) * 1e3:.2f} ms")


@torch.inference_mode()
def choosing_s(trained: TrainedCodec, clips: ActionClips) -> float:
    """Return the seconds a clip of choosing and rounding, a part of those in brackets, at 104x."""
    point = torch.tensor([trained.codec.nearest_point(104)])
    some = [trained.coder.analysed(clips.clip(index)) for index in range(0, len(clips), 80)]
    return best_s(lambda: [trained.codec.plan(each, point) for each in some], 20) / len(some)


def main() -> None:
    torch.set_num_threads(1)
    parts = {"entropy": entropy_coding, "codecs": codecs}
    for name in sys.argv[1:] or parts:
        parts[name]()


if __name__ == "__main__":
    main()
