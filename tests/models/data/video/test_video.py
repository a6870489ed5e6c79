"""Frames of video files: the right ones, upright, scaled and cropped; and files that are none."""

import struct
import tracemalloc
from fractions import Fraction

import av
import numpy as np
import pytest

from fadeline.models.data.video.sampling import Sampling
from fadeline.models.data.video.video import read_clip
from fadeline.models.errors import ClipError

MPEG4 = ("mpeg4", "yuv420p")
MJPEG = ("mjpeg", "yuvj420p")
RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def stated_frames(path):
    with av.open(path) as container:
        return container.streams.video[0].frames


def bands(height, width, colours, *, axis):
    """Return one frame, shape (1, H, W, 3), of equal bands along an axis: 0 for rows."""
    position = np.arange((height, width)[axis]) * len(colours) // (height, width)[axis]
    line = np.array(colours, np.uint8)[position]
    across = line[:, None] if axis == 0 else line[None]
    return np.broadcast_to(across, (height, width, 3))[None]


# -- Which frames -----------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".avi", ".gif", ".mkv", ".mp4", ".ts", ".webm"])
@pytest.mark.parametrize(
    ("sampling", "positions"),
    [
        (Sampling(frames=4), [2, 7, 12, 17]),
        (Sampling(kind="dense", frames=4), [8, 9, 10, 11]),
        (Sampling(kind="dense", frames=4, stride=5), [2, 7, 12, 17]),
    ],
)
def test_the_frames_asked_for_are_taken(
    film, shown, tmp_path, suffix, sampling, positions, count_frames
):
    path = film(tmp_path / f"film{suffix}", 20)
    clip = read_clip(path, sampling, size=32)
    assert clip.shape == (4, 32, 32, 3)
    assert clip.dtype == np.uint8
    assert shown(clip) == positions
    assert count_frames(path) == 20


@pytest.mark.parametrize(("suffix", "states"), [(".mp4", 20), (".webm", 0), (".mkv", 0)])
def test_containers_that_state_no_number_of_frames(film, tmp_path, suffix, states, count_frames):
    path = film(tmp_path / f"film{suffix}", 20)
    assert stated_frames(path) == states
    assert count_frames(path) == 20


@pytest.mark.parametrize("stated", [1, 7, 19, 21, 5_000_000])
def test_a_container_that_states_a_wrong_number_of_frames(
    film, shown, tmp_path, stated, count_frames
):
    path = film(tmp_path / "film.avi", 20)
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.index(b"vids") + 32, stated)  # dwLength of the AVI header
    path.write_bytes(data)
    assert stated_frames(path) == stated
    assert count_frames(path) == 20
    assert shown(read_clip(path, Sampling(frames=4), size=32)) == [2, 7, 12, 17]


@pytest.mark.parametrize(
    ("sampling", "positions"),
    [
        (Sampling(frames=6), [0, 0, 1, 1, 2, 2]),
        (Sampling(kind="dense", frames=6), [0, 1, 2, 2, 2, 2]),
    ],
)
def test_a_video_shorter_than_a_clip(film, shown, tmp_path, sampling, positions):
    path = film(tmp_path / "film.mp4", 3)
    assert shown(read_clip(path, sampling, size=32)) == positions


def test_a_single_frame_is_a_video(film, shown, tmp_path):
    path = film(tmp_path / "film.avi", 1)
    assert shown(read_clip(path, Sampling(frames=3), size=32)) == [0, 0, 0]


@pytest.mark.parametrize("kind", ["uniform", "dense"])
def test_drawn_frames_are_those_of_the_sampling(film, shown, tmp_path, kind):
    path, sampling = film(tmp_path / "film.mp4", 20), Sampling(kind=kind, frames=4)
    for seed in range(5):
        clip = read_clip(path, sampling, size=32, rng=np.random.default_rng(seed))
        assert shown(clip) == sampling.indices(20, np.random.default_rng(seed)).tolist()


def test_a_clip_is_the_same_every_time(film, tmp_path):
    noise = np.random.default_rng(1).integers(0, 256, (9, 60, 90, 3), np.uint8)
    path = film(tmp_path / "film.mp4", noise)
    first, again = (read_clip(path, Sampling(frames=4), size=32) for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_a_long_video_is_not_held_in_memory(film, tmp_path):
    frame = np.random.default_rng(1).integers(0, 256, (1, 96, 128, 3), np.uint8)
    path = film(tmp_path / "film.avi", np.broadcast_to(frame, (500, 96, 128, 3)))
    tracemalloc.start()
    read_clip(path, Sampling(frames=16), size=32)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 10 * frame.nbytes  # of 500


# -- Which pixels -----------------------------------------------------------------------------


def test_the_centre_of_a_wide_frame_is_kept(film, tmp_path):
    # Of 96 columns, red 0-31, green 32-63, blue 64-95, the middle 64 stay: 16 to 79.
    path = film(tmp_path / "film.mkv", bands(64, 96, [RED, GREEN, BLUE], axis=1))
    clip = read_clip(path, Sampling(frames=1), size=64)
    expected = np.array([RED] * 16 + [GREEN] * 32 + [BLUE] * 16, np.uint8)
    np.testing.assert_array_equal(clip[0], np.broadcast_to(expected, (64, 64, 3)))


def test_the_centre_of_a_tall_frame_is_kept_and_scaled(film, tmp_path):
    path = film(tmp_path / "film.mkv", bands(192, 128, [RED, GREEN, BLUE], axis=0))
    clip = read_clip(path, Sampling(frames=1), size=64)
    expected = np.array([RED] * 16 + [GREEN] * 32 + [BLUE] * 16, np.uint8)
    np.testing.assert_array_equal(clip[0], np.broadcast_to(expected[:, None], (64, 64, 3)))


def test_every_source_pixel_counts_when_scaling_down(film, tmp_path):
    rows, columns = np.indices((128, 128))
    checks = np.where((rows + columns) % 2, 255, 1)[None, :, :, None].repeat(3, axis=3)
    path = film(tmp_path / "film.mkv", checks.astype(np.uint8))
    clip = read_clip(path, Sampling(frames=1), size=64)
    np.testing.assert_array_equal(clip, np.full((1, 64, 64, 3), 128))


@pytest.mark.parametrize(("height", "width"), [(17, 23), (16, 16), (33, 500), (101, 34)])
def test_any_shape_gives_a_square(film, tmp_path, height, width):
    path = film(tmp_path / "film.mkv", np.full((1, height, width, 3), 77, np.uint8))
    clip = read_clip(path, Sampling(frames=2), size=32)
    np.testing.assert_array_equal(clip, np.full((2, 32, 32, 3), 77))


@pytest.mark.parametrize(
    ("degrees", "axis", "colours"),
    [(90, 0, (BLUE, RED)), (-90, 0, (RED, BLUE)), (180, 1, (BLUE, RED))],
)
def test_a_video_filmed_on_its_side_is_turned(film, tmp_path, degrees, axis, colours):
    # Turned anticlockwise, left becomes bottom.
    left_right = bands(64, 64, [RED, BLUE], axis=1)
    path = film(tmp_path / "film.mp4", left_right, rotation_degrees=degrees)
    clip = read_clip(path, Sampling(frames=1), size=32)
    expected = bands(32, 32, colours, axis=axis).astype(int)
    assert np.abs(clip - expected)[:, [4, 4, 28, 28], [4, 28, 4, 28]].max() < 12


def disc(*, radius_rows, radius_columns, height, width):
    rows, columns = np.indices((height, width)) + 0.5
    inside = ((rows - height / 2) / radius_rows) ** 2 + (
        (columns - width / 2) / radius_columns
    ) ** 2 < 1
    return np.where(inside, 255, 0).astype(np.uint8)[None, :, :, None].repeat(3, axis=3)


@pytest.mark.parametrize(
    ("aspect", "height", "width", "degrees"),
    [
        (2, 128, 96, 0),  # shown 192 x 128
        (2, 128, 96, 90),
        (2, 128, 48, 0),  # shown 96 x 128
        (Fraction(1, 2), 96, 128, 0),  # shown 64 x 96
        (Fraction(16, 11), 144, 176, 0),  # PAL, widescreen
        (Fraction(8, 9), 120, 176, 180),  # NTSC
        (2, 40, 24, 0),  # smaller than the clip
    ],
)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_circle_is_round(film, tmp_path, suffix, aspect, height, width, degrees):
    short = min(height, width * aspect)
    picture = disc(
        radius_rows=short / 4, radius_columns=short / 4 / aspect, height=height, width=width
    )
    path = film(
        tmp_path / f"film{suffix}", picture, codec=MPEG4, pixel_aspect=Fraction(aspect),
        rotation_degrees=degrees if suffix == ".mp4" else 0,
    )  # fmt: skip
    clip = read_clip(path, Sampling(frames=1), size=64)[0, ..., 1] > 127
    assert abs(clip.any(axis=0).sum() - 32) <= 2
    assert abs(clip.any(axis=1).sum() - 32) <= 2
    assert abs(clip.sum() - np.pi * 16**2) < 0.06 * np.pi * 16**2


def test_square_pixels_are_as_if_nothing_was_said(film, tmp_path):
    picture = np.random.default_rng(1).integers(0, 256, (1, 96, 128, 3), np.uint8)
    plain, said = (
        read_clip(
            film(tmp_path / f"{aspect}.mp4", picture, pixel_aspect=aspect),
            Sampling(frames=1),
            size=64,
        )
        for aspect in (None, Fraction(1))
    )
    np.testing.assert_array_equal(plain, said)


def test_impossible_pixels_are_refused(film, tmp_path):
    picture = np.zeros((1, 400, 48, 3), np.uint8)
    path = film(tmp_path / "film.mp4", picture, pixel_aspect=Fraction(200))
    with pytest.raises(ClipError, match=r"film\.mp4: states pixels 200 times as wide as high; up "):
        read_clip(path, Sampling(frames=1), size=64)


# -- Files ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "#20 [a] (b)!.avi",
        "a&b;c~@.avi",
        "x%03d.avi",
        "http:x.avi",
        "concat:a|b.avi",
        "Überfall.avi",
    ],
)
def test_odd_names(film, shown, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    path = film(tmp_path / "plain.avi", 4).rename(name)
    assert shown(read_clip(path, Sampling(frames=2), size=32)) == [1, 3]


def test_titles_in_any_encoding(film, tmp_path, count_frames):
    path = film(tmp_path / "film.avi", 4, title="Café")
    with pytest.raises(UnicodeDecodeError):
        av.open(path)
    assert count_frames(path) == 4


def without_video(path):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.int16), "s16", "mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    return path


def test_files_that_are_no_videos_are_refused_and_named(film, tmp_path, capfd):
    whole = film(tmp_path / "whole.mp4", 20).read_bytes()
    picture = film(tmp_path / "whole.avi", 20).read_bytes()
    contents = {
        "empty.mp4": (b"", "cannot be read as a video: Invalid data found"),
        "text.avi": (b"not a video at all " * 99, "cannot be read as a video: Invalid data found"),
        "half.mp4": (whole[: len(whole) // 2], "cannot be read as a video: Invalid data found"),
        "half.avi": (
            picture[: len(picture) // 2],
            r"damaged or cut short after frame \d+; replace",
        ),
        "codec.avi": (
            picture.replace(b"MJPG", b"ZZQQ"),
            "FFmpeg has no decoder for its video; re-",
        ),
        "list.mp4": (
            b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n",
            "cannot be read as a video",
        ),
    }
    for name, (content, _) in contents.items():
        (tmp_path / name).write_bytes(content)
    film(tmp_path / "none.avi", np.zeros((0, 48, 64, 3), np.uint8))
    without_video(tmp_path / "sound.mkv")
    messages = {name: message for name, (_, message) in contents.items()} | {
        "none.avi": "the video has no frames",
        "sound.mkv": "has no video stream",
        "gone.avi": "cannot be read as a video: No such file or directory",
        ".": "cannot be read as a video: Is a directory",
    }
    capfd.readouterr()
    for name, message in messages.items():
        path = tmp_path / name
        with pytest.raises(ClipError, match=message) as refusal:
            read_clip(path, Sampling(frames=4), size=32)
        assert str(refusal.value).startswith(f"{path}: ")
    assert capfd.readouterr() == ("", "")


def test_a_damaged_frame_is_refused(film, tmp_path, count_frames):
    path = film(tmp_path / "film.mkv", 20)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 600] = bytes([255]) * 600
    path.write_bytes(data)
    with pytest.raises(ClipError, match=r"the video is damaged or cut short after frame \d+"):
        count_frames(path)
