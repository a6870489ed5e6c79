"""Frames of video files whose rate varies, whose clock leaps, or which show but a part."""

import struct

import av
import numpy as np
import pytest

from fadeline.models.data.video.sampling import Sampling
from fadeline.models.data.video.video import read_clip

LOSSLESS = ("ffv1", "bgr0")

# Ten frames 20 ms apart, then ten 100 ms apart: 1,200 ms with the last as long as the one before.
# By number, four of them would be 2, 7, 12 and 17.
HELD_MS = [*range(0, 200, 20), *range(200, 1200, 100)]
WITH_B_FRAMES = {"bf": "3", "x264-params": "b-pyramid=2:b-adapt=0"}


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("film.mp4", ("libx264", "yuv420p"), WITH_B_FRAMES),
        ("film.mov", ("libx265", "yuv420p"), {"x265-params": "log-level=none:bframes=3"}),
        ("film.mkv", LOSSLESS, {}),
        ("film.webm", ("libvpx", "yuv420p"), {"lag-in-frames": "8", "auto-alt-ref": "1"}),
        ("film.ts", ("libx264", "yuv420p"), WITH_B_FRAMES),
        ("film.flv", ("libx264", "yuv420p"), WITH_B_FRAMES),
        ("film.gif", ("gif", "gray"), {}),
    ],
)
def test_frames_of_a_variable_rate_are_chosen_by_time(film, shown, tmp_path, name, codec, options):
    path = film(tmp_path / name, 20, codec=codec, options=options, times_ms=HELD_MS)
    *first, last = shown(read_clip(path, Sampling(frames=4), size=32))
    assert first == [7, 12, 15]
    assert last in (17, 18)  # encoders state other times for the last frame, or none
    assert shown(read_clip(path, Sampling(kind="dense", frames=4), size=32)) == [8, 9, 10, 11]


def test_drawn_frames_of_a_variable_rate_are_drawn_by_time(film, shown, tmp_path):
    path = film(tmp_path / "film.mkv", 20, times_ms=HELD_MS)
    drawn = [
        shown(read_clip(path, Sampling(frames=4), size=32, rng=np.random.default_rng(seed)))
        for seed in range(40)
    ]
    assert drawn[0] == shown(
        read_clip(path, Sampling(frames=4), size=32, rng=np.random.default_rng(0))
    )
    first, *_, last = np.array(drawn).T
    assert 5 < max(first) < 11
    assert 15 < min(last) < 19
    assert len({*map(tuple, drawn)}) > 20


def test_an_edit_list_is_obeyed(film, shown, tmp_path):
    """The part before a cut is in the file, for decoders, and is not shown."""
    options = {"x264-params": "keyint=100:bframes=0"}
    codec = ("libx264", "yuv420p")
    path = film(tmp_path / "film.mp4", 20, codec=codec, options=options, times_ms=HELD_MS)
    data = path.read_bytes()
    at = data.index(b"elst") + 4
    with av.open(path) as container:
        ticks_per_ms = container.streams.video[0].time_base.denominator // 1000
    count, _, _ = struct.unpack_from(">III", data, at + 4)
    assert (data[at], count) == (0, 1)
    cut = bytearray(data)
    struct.pack_into(">II", cut, at + 8, 1000, 200 * ticks_per_ms)  # for 1,000 ms from 200 ms on
    path.write_bytes(cut)
    assert shown(read_clip(path, Sampling(frames=10), size=32)) == [*range(10, 20)]


def test_recordings_strung_together_are_one_video(film, shown, tmp_path):
    """The clock begins again in the middle, and so says nothing of the order."""
    codec = ("mpeg1video", "yuv420p")
    first, second = (film(tmp_path / f"{name}.mpg", 20, codec=codec) for name in "ab")
    path = tmp_path / "both.mpg"
    path.write_bytes(first.read_bytes() + second.read_bytes())
    assert shown(read_clip(path, Sampling(frames=4), size=32)) == [5, 15, 5, 15]


@pytest.mark.parametrize("starts", [(0, 2500), (2500, 0), (0, 90_000), (90_000, 0)])
def test_a_clock_that_leaps_holds_no_frame(film, shown, tmp_path, starts):
    """Recordings strung together, each with a clock of its own: ten frames, and ten more."""
    levels = (10 + 12 * np.arange(20, dtype=np.uint8)).reshape(2, 10, 1, 1, 1)
    parts = [
        film(
            tmp_path / f"{part}.mpg", np.broadcast_to(levels[part], (10, 48, 64, 3)),
            codec=("mpeg1video", "yuv420p"), start=start,
        ).read_bytes()
        for part, start in enumerate(starts)
    ]  # fmt: skip
    path = tmp_path / "both.mpg"
    path.write_bytes(b"".join(parts))
    assert shown(read_clip(path, Sampling(frames=4), size=32)) == [2, 7, 12, 17]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_frame_may_be_held_for_long_where_clocks_do_not_leap(film, shown, tmp_path, suffix):
    times_ms = [*range(0, 400, 40), *range(60_000, 60_400, 40)]
    path = film(tmp_path / f"film{suffix}", 20, times_ms=times_ms)
    assert shown(read_clip(path, Sampling(frames=4), size=32)) == [9, 9, 9, 9]


def test_a_wrong_guess_does_not_change_what_is_drawn(film, shown, tmp_path):
    path = film(tmp_path / "film.h264", 20, codec=("libx264", "yuv420p"))
    for seed in range(3):
        clip = read_clip(path, Sampling(frames=4), size=32, rng=np.random.default_rng(seed))
        assert shown(clip) == Sampling(frames=4).indices(20, np.random.default_rng(seed)).tolist()
