"""What everybody uses, beside the trained codecs: H.264 by x264, and Motion JPEG.

Clips go through each at several qualities; the classifier of clips as they are and those that were
trained with STAE and DeepISC say what they still see. None was trained on what these two restore.
STAE and `deepisc-task` stand beside them at the nearest ratio, on the same clips, from the shipped
outcome table.

    python benchmarks/classic_codecs.py --out build/classic.csv   # --clips 1260 for all

One process on one core, some ten minutes of it. Close other programs: the last table is of times.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # read when torch is first imported

import argparse
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pandas as pd
import torch
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import Interpolation
from numpy.typing import NDArray
from torch import nn

from fadeline.models.classifiers.controls import SomeClips
from fadeline.models.classifiers.stored_vit import load_vit
from fadeline.models.codecs.stored_codec import TrainedCodec, load_codec
from fadeline.models.data.clipset import ClipSet
from fadeline.models.data.opening import open_clips
from fadeline.models.files import complete_or_absent
from fadeline.models.hardware.latency import QUICK, Effort, time_call
from fadeline.models.measurement.coding_times import TIMED
from fadeline.models.measurement.outcomes import (
    FROZEN,
    OWN,
    Outcomes,
    read_outcomes,
    refuse_other_outcomes,
    shipped_checksums,
    shipped_outcomes,
)
from fadeline.models.measurement.rate_accuracy import Answers, PairedDifference
from fadeline.models.proportion import Share

Clip = NDArray[np.uint8]
Through = Callable[[Clip], tuple[dict[str, int], Clip]]

RIVALS = ("stae", "deepisc-task")
TIMED_CODECS = ("stae", "deepisc", "deepisc-task")
CLASSIFIERS = (FROZEN, *RIVALS)

CRFS = (16.3, 20.7, 25.8, 31.9, 41.2, 51.0)
"""Qualities of x264 at STAE's ratios from 26x to 400x, and its worst (our choice)."""

JPEG_QUALITIES = (1, 5, 10, 20, 40)
"""From libjpeg's worst on, up to about 26x without headers (our choice)."""

CLIPS, QUICK_CLIPS, BATCH = 432, 36, 16
"""Clips: 24 or 2 for each action; how many a classifier sees at a time (our choice)."""

ROUNDS = 3
"""Times that everything is timed, in turn; the least counts, as others may disturb (our choice)."""

FRAMES_PER_S = 25
"""FFmpeg's own for pictures without times. x264 takes it for how long a frame is looked at, so it
moves which crf gives which ratio."""

REPEATABLE = "avx2,fma3,bmi2,lzcnt"
"""What x264 may use of a processor that has AVX-512. With all of it, up to a quarter of clips this
small came out differently from run to run (27 of 105); without it, none did."""

SEI, SPS, PPS = 6, 7, 8  # ITU-T H.264, table 7-1: types of a unit
START_CODE = re.compile(rb"\x00?\x00\x00\x01")  # annex B; nothing within a unit looks like one

JPEG_START_OF_SCAN = b"\xff\xda"
SCAN_HEADER_BYTES, END_OF_IMAGE_BYTES = 14, 2  # ITU-T T.81, B.2.3; always the same

_COLOURS = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.BITEXACT
"""How colours are converted there and back, the same on every processor."""


def encode_h264(clip: Clip, crf: float) -> bytes:
    """Return a clip (T, H, W, 3) as an elementary stream of its own, with all that decoding needs.

    x264, preset medium, one group of pictures, 4:2:0, one thread. The unit in which x264 states its
    version and settings, of some 670 bytes, is left out: no decoder reads it.

    Args:
        clip: 8-bit RGB; sides even.
        crf: Quality, 0 (best) to 51.

    Source:
        ITU-T H.264, 7.3.1 and annex B.
    """
    T, height, width, _ = clip.shape
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.framerate, encoder.time_base = Fraction(FRAMES_PER_S), Fraction(1, FRAMES_PER_S)
    encoder.gop_size, encoder.thread_count = T, 1
    asm = REPEATABLE if torch.backends.cpu.get_cpu_capability() == "AVX512" else "auto"
    encoder.options = {"preset": "medium", "crf": str(crf), "x264-params": f"asm={asm}"}
    packets = []
    for time, pixels in enumerate(clip):
        picture = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        picture = picture.reformat(format="yuv420p", interpolation=_COLOURS)
        picture.pts = time
        packets += encoder.encode(picture)
    packets += encoder.encode(None)
    stream = b"".join(bytes(packet) for packet in packets)
    return b"".join(unit for unit in units(stream) if unit_type(unit) != SEI)


def decode_h264(stream: bytes) -> Clip:
    """Return the clip (T, H, W, 3) of an elementary stream.

    Raises:
        av.error.FFmpegError: If it is none.
    """
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_count = 1
    pictures = []
    for packet in [*decoder.parse(stream), *decoder.parse(None), None]:  # None: what is held back
        pictures += decoder.decode(packet)
    return np.stack(
        [picture.to_ndarray(format="rgb24", interpolation=_COLOURS) for picture in pictures]
    )


def units(stream: bytes) -> Iterator[bytes]:
    """Yield the units of an elementary stream, each with its start code."""
    starts = [found.start() for found in START_CODE.finditer(stream)]
    for start, end in itertools.pairwise([*starts, len(stream)]):
        yield stream[start:end]


def unit_type(unit: bytes) -> int:
    """Return what a unit holds: the lower 5 bits after its start code."""
    return unit[unit.index(1) + 1] & 31


def through_h264(clip: Clip, crf: float) -> tuple[dict[str, int], Clip]:
    """Return how many bytes a clip costs, with and without headers, and what is restored."""
    stream = encode_h264(clip, crf)
    slices = sum(len(unit) for unit in units(stream) if unit_type(unit) not in (SPS, PPS))
    return {"all": len(stream), "without headers": slices}, decode_h264(stream)


def through_jpeg(clip: Clip, quality: int) -> tuple[dict[str, int], Clip]:
    """Return how many bytes a clip costs with every frame a JPEG, and what is restored.

    All bytes: with the tables of the standard; with tables made for each frame, which decode to the
    same pixels; and without any header, which is less than any file can have.
    """
    sizes = {"all": 0, "all, own tables": 0, "without headers": 0}
    frames = []
    for frame in clip:
        file = encode_jpeg(frame, quality)
        scan = file.index(JPEG_START_OF_SCAN) + SCAN_HEADER_BYTES
        sizes["all"] += len(file)
        sizes["all, own tables"] += len(encode_jpeg(frame, quality, own_tables=True))
        sizes["without headers"] += len(file) - scan - END_OF_IMAGE_BYTES
        decoded = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR)
        assert decoded is not None
        frames.append(decoded[..., ::-1])
    return sizes, np.stack(frames).astype(np.uint8)


def encode_jpeg(frame: Clip, quality: int, *, own_tables: bool = False) -> bytes:
    """Return a frame (H, W, 3) as a JPEG file."""
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, int(own_tables)]
    _, file = cv2.imencode(".jpg", frame[..., ::-1], settings)
    return file.tobytes()


@dataclass(frozen=True)
class Row:
    """What became of clips through a codec at a setting.

    Attributes:
        codec: Its name.
        setting: As printed.
        bytes_mean: Of a clip, by what is counted; "all" comes first.
        raw_bytes: Of a clip in 8-bit pixels.
        psnr_db: Mean over clips.
        right: Which clips each classifier is right about, shape (N,).
    """

    codec: str
    setting: str
    bytes_mean: dict[str, float]
    raw_bytes: int
    psnr_db: float
    right: dict[str, Answers]

    def ratio(self, counted: str = "all") -> float:
        """Return the compression ratio: raw over mean bytes."""
        return self.raw_bytes / self.bytes_mean[counted]

    def nearest(self, others: Sequence["Row"], counted: str) -> "Row":
        """Return which of other rows is nearest in ratio."""
        return min(others, key=lambda row: abs(np.log(row.ratio() / self.ratio(counted))))


def measured(
    codec: str,
    setting: str,
    through: Through,
    clips: ClipSet,
    classifiers: dict[str, nn.Module],
) -> Row:
    """Send clips through a codec and ask the classifiers."""
    sizes, psnr_db = [], []
    restored = np.empty((len(clips), *clips.shape, 3), np.uint8)
    for index in range(len(clips)):
        clip = np.asarray(clips.clip(index))
        size, restored[index] = through(clip)
        error = np.square((restored[index].astype(np.float32) - clip) / 255.0).mean()
        sizes.append(size)
        psnr_db.append(-10.0 * np.log10(max(error, 1e-10)))  # as outcome tables have it
    return Row(
        codec,
        setting,
        pd.DataFrame(sizes).mean().to_dict(),
        int(restored[0].size),
        float(np.mean(psnr_db)),
        {name: right(vit, restored, clips.labels) for name, vit in classifiers.items()},
    )


@torch.inference_mode()
def right(vit: nn.Module, clips: Clip, labels: NDArray[np.int64]) -> Answers:
    """Return which clips (N, T, H, W, 3) a classifier is right about."""
    answers = []
    for start in range(0, len(clips), BATCH):
        floats = torch.from_numpy(clips[start : start + BATCH]).permute(0, 4, 1, 2, 3).float()
        answers.append(vit(floats / 255.0).argmax(dim=1).numpy())
    return np.asarray(np.concatenate(answers) == labels)


def rivals(outcomes: Outcomes, codec: str, indices: NDArray[np.int64]) -> list[Row]:
    """Return a trained codec's rows from an outcome table: some clips, in one packet."""
    rows = outcomes.rows[outcomes.rows.data_index.isin(indices)].sort_values("data_index")
    found = []
    for number, point in enumerate(outcomes.codecs[codec].operating_points):
        if point["packets"] > 1:
            continue
        here = rows[(rows.codec == codec) & (rows.operating_point == number)]
        frozen, own = (here[here.classifier == name] for name in (FROZEN, OWN))
        found.append(
            Row(
                codec,
                f"{point['ratio']:.0f}x",
                {"all": float(own.bytes.mean())},
                outcomes.raw_bytes,
                float(own.psnr_db.mean()),
                {FROZEN: frozen.correct.to_numpy(bool), codec: own.correct.to_numpy(bool)},
            )
        )
    return found


def print_heading() -> None:
    print(f"{'':24}{'bytes':>7}{'ratio':>7}{'PSNR':>7}", end="")
    print("".join(f"{'classifier ' + name:>26}" for name in CLASSIFIERS))


def print_row(row: Row) -> None:
    """Print what became of clips, a line under the heading."""
    print(f"{row.codec:14}{row.setting:10}{row.bytes_mean['all']:7.0f}", end="")
    print(f"{row.ratio():6.0f}x{row.psnr_db:7.1f}", end="")
    told = [shown(share_of(row.right[name])) if name in row.right else "-" for name in CLASSIFIERS]
    print("".join(f"{text:>26}" for text in told), end="")
    others = [f"; {name} {row.ratio(name):.0f}x" for name in row.bytes_mean if name != "all"]
    print("".join(others), flush=True)


def print_differences(rows: Sequence[Row], others: dict[str, list[Row]]) -> None:
    """Print how much more often the nearest rival, with its own classifier, is right."""
    for name in RIVALS:
        print(f"{name} at the nearest ratio, with its own classifier, less the same clips through")
        for row in rows:
            rival = row.nearest(others[name], "all")
            print(
                f"  {row.codec} {row.setting:10} {row.ratio():5.0f}x, {rival.ratio():5.0f}x", end=""
            )
            for classifier in CLASSIFIERS:
                difference = PairedDifference.of(rival.right[name], row.right[classifier])
                print(f"{shown(difference, '+'):>26}", end="")
            print()


def records(row: Row, others: dict[str, list[Row]]) -> Iterator[dict[str, Any]]:
    """Yield what a file keeps: a line for each way to count bytes and each classifier."""
    for counted, classifier in itertools.product(row.bytes_mean, row.right):
        answers = row.right[classifier]
        share = share_of(answers)
        low, high = share.interval
        record = {
            "codec": row.codec,
            "setting": row.setting,
            "counted": counted,
            "bytes_mean": row.bytes_mean[counted],
            "ratio": row.ratio(counted),
            "psnr_db": row.psnr_db,
            "classifier": classifier,
            "clips": share.count,
            "accuracy": share.value,
            "accuracy_lo": low,
            "accuracy_hi": high,
        }
        for name, candidates in others.items():
            rival = row.nearest(candidates, counted)
            difference = PairedDifference.of(rival.right[name], answers)
            key = name.replace("-", "_")
            record[f"{key}_ratio"] = rival.ratio()
            record[f"{key}_accuracy"] = share_of(rival.right[name]).value
            record[f"{key}_difference"] = difference.value
            record[f"{key}_difference_lo"], record[f"{key}_difference_hi"] = difference.interval
        yield record


def print_times(
    clips: ClipSet, crfs: Sequence[float], trained: Sequence[TrainedCodec], effort: Effort
) -> None:
    """Print how long a clip takes on one core, from pixels to bytes and back, and beside STAE's."""
    some = [np.array(clips.clip(i)) for i in range(0, len(clips), max(len(clips) // 16, 1))]
    jobs: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {}
    for codec in trained:
        point = codec.codec.nearest_point(104)
        encode = partial(stream_of, codec, point)
        jobs[f"{codec.name} 104x"] = there_and_back(encode, codec.decode, some)
    for crf in crfs:
        jobs[f"x264 crf {crf:g}"] = there_and_back(partial(encode_h264, crf=crf), decode_h264, some)
    rounds = [
        [[time_call(call, effort).median_s for call in calls] for calls in jobs.values()]
        for _ in range(ROUNDS)
    ]
    least_ms = 1e3 * np.min(rounds, axis=0)
    print("milliseconds a clip, one core, one clip at a time; in brackets over STAE's")
    for name, (encode_ms, decode_ms) in zip(jobs, least_ms, strict=True):
        print(f"  {name:18} encode {encode_ms:6.2f} ({encode_ms / least_ms[0, 0]:.1f})", end="")
        print(f", decode {decode_ms:6.2f} ({decode_ms / least_ms[0, 1]:.1f})")


def stream_of(codec: TrainedCodec, point: int, clip: Clip) -> bytes:
    """Return the bytes of a clip."""
    return codec.encode(clip, point).stream


def there_and_back(
    encode: Callable[[Clip], bytes], decode: Callable[[bytes], object], clips: Sequence[Clip]
) -> tuple[Callable[[], object], Callable[[], object]]:
    """Return calls that encode, and that decode, one clip after the other."""
    return in_turn(encode, clips), in_turn(decode, [encode(clip) for clip in clips])


def in_turn(call: Callable[[Any], object], items: Sequence[Any]) -> Callable[[], object]:
    """Return a call that takes one item after the other, and again from the first."""
    source = itertools.cycle(items)
    return lambda: call(next(source))


def share_of(answers: Answers) -> Share:
    return Share(int(answers.sum()), len(answers))


def shown(value: Share | PairedDifference, sign: str = "") -> str:
    """Return a value and its interval, in percent."""
    low, high = value.interval
    return f"{100 * value.value:{sign}.1f} ({100 * low:.1f} to {100 * high:.1f})"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", choices=shipped_outcomes(), default="actions/val")
    parser.add_argument("--clips", type=int, help=f"how many are drawn (default: {CLIPS})")
    parser.add_argument("--out", type=Path, help="CSV file to write")
    parser.add_argument("--quick", action="store_true", help="see that it runs; not to be quoted")
    given = parser.parse_args()
    if given.clips is None:
        given.clips = QUICK_CLIPS if given.quick else CLIPS
    if given.clips < 1:
        parser.error(f"--clips: got {given.clips}; give 1 or more")
    if given.out is not None and not given.out.parent.is_dir():
        parser.error(f"--out: {given.out.parent} is no folder; make it first")
    return given


def main() -> None:
    given = arguments()
    torch.set_num_threads(1)
    clips = SomeClips(open_clips(given.data), given.clips)
    outcomes = read_outcomes(shipped_outcomes()[given.data])
    refuse_other_outcomes(
        outcomes, given.data, data_version=clips.version, weights=shipped_checksums(RIVALS)
    )
    trained = [load_codec(f"{name}-actions") for name in TIMED_CODECS]
    classifiers: dict[str, nn.Module] = {FROZEN: load_vit("vit-tiny-actions")[0]}
    learned = (codec for codec in trained if codec.name in RIVALS)
    classifiers |= {codec.name: codec.classifier.network for codec in learned}
    crfs, qualities = (CRFS[2:4], JPEG_QUALITIES[:1]) if given.quick else (CRFS, JPEG_QUALITIES)

    print(
        f"{len(clips)} clips of {given.data}, percent right with 95 % intervals; all bytes counted"
    )
    print_heading()
    settings: list[tuple[str, str, Through]] = [
        ("as they are", "", lambda clip: ({"all": clip.size}, clip)),
        *(("x264", f"crf {crf:g}", partial(through_h264, crf=crf)) for crf in crfs),
        *(("Motion JPEG", f"quality {q}", partial(through_jpeg, quality=q)) for q in qualities),
    ]
    classic = []
    for codec, setting, through in settings:
        classic.append(measured(codec, setting, through, clips, classifiers))
        print_row(classic[-1])
    others = {name: rivals(outcomes, name, clips.indices) for name in RIVALS}
    for row in itertools.chain(*others.values()):
        print_row(row)
    print_differences(classic[1:], others)
    if given.out is not None:
        rows = [record for row in classic for record in records(row, others)]
        with complete_or_absent(given.out) as partial_file:
            pd.DataFrame(rows).to_csv(partial_file, index=False)
    print_times(clips, crfs, trained, QUICK if given.quick else TIMED)


if __name__ == "__main__":
    main()
