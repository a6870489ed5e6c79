"""Folders of numbered pictures as clips: order, gaps, strays, and what is refused."""

import os
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from fadeline.models.data.cache.cache import cached
from fadeline.models.data.digest import content_digest
from fadeline.models.data.video import unreadable
from fadeline.models.data.video.file_stamp import clip_stamp
from fadeline.models.data.video.frame_folder import check_frame_folder, read_frame_folder
from fadeline.models.data.video.frame_series import frame_series
from fadeline.models.data.video.sampling import Sampling
from fadeline.models.data.video.video import read_clip
from fadeline.models.data.video.videofolder import VideoFolder
from fadeline.models.errors import ClipError


@pytest.fixture(autouse=True)
def cache_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("FADELINE_CACHE", str(tmp_path / "cache"))


def grey(number, *, height=48, width=64):
    return np.full((height, width, 3), 10 + 12 * number, np.uint8)


def save(folder, pictures):
    """Write pictures by file name; a number stands for one of its grey."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in pictures.items():
        pixels = grey(picture) if isinstance(picture, int) else picture
        assert cv2.imwrite(str(folder / name), pixels)
    return folder


def numbered(count, form="img_{:05}.jpg", start=1):
    return {form.format(start + position): position for position in range(count)}


@pytest.fixture
def apart(tmp_path):
    """Return a folder of two classes whose three clips are folders of 20, 20 and 3 pictures."""
    for clip, count in (("jump/a", 20), ("jump/b", 20), ("walk/a", 3)):
        save(tmp_path / "films" / clip, numbered(count))
    return tmp_path / "films"


# -- One folder -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form",
    [
        "img_{:05}.jpg", "frame{:06}.png", "{}.jpeg", "{:03}.PNG", "f{}.bmp", "a7 (b)-{:04}.webp",
        "v_Jump_g01_c02_{}_rgb.jpg", "50% x%03d {}.jpg",
    ],
)  # fmt: skip
def test_pictures_are_taken_in_the_order_of_their_numbers(tmp_path, shown, form):
    folder = save(tmp_path / "clip", numbered(20, form, start=7))
    assert [picture.number for picture in frame_series(folder)] == [*range(7, 27)]
    clip = read_frame_folder(folder, Sampling(frames=4), size=32)
    assert clip.shape == (4, 32, 32, 3)
    assert clip.dtype == np.uint8
    assert shown(clip) == [2, 7, 12, 17]
    dense = Sampling(kind="dense", frames=4, stride=2)
    assert shown(read_frame_folder(folder, dense, size=32)) == [6, 8, 10, 12]


def generator(seed):
    return None if seed is None else np.random.default_rng(seed)


def test_a_clip_is_as_from_a_video_of_its_pictures(film, tmp_path):
    noise = np.random.default_rng(1).integers(0, 256, (9, 60, 90, 3), np.uint8)
    video = film(tmp_path / "film.mkv", noise)
    folder = save(tmp_path / "clip", {f"{n}.png": noise[n, :, :, ::-1] for n in range(9)})
    for seed in (None, 1):
        one, other = (
            read(
                path,
                Sampling(frames=4),
                size=32,
                rng=None if seed is None else np.random.default_rng(seed),
            )
            for read, path in ((read_clip, video), (read_frame_folder, folder))
        )
        np.testing.assert_array_equal(one, other)


def test_numbers_are_times(tmp_path, shown):
    """Every third frame is kept, or some are missing: the picture before is held."""
    every_third = save(tmp_path / "third", {f"{3 * n}.png": n for n in range(20)})
    assert shown(read_frame_folder(every_third, Sampling(frames=4), size=32)) == [2, 7, 12, 17]
    numbers = [*range(10), *range(30, 40)]
    gap = save(tmp_path / "gap", {f"{n:04}.png": k for k, n in enumerate(numbers)})
    assert shown(read_frame_folder(gap, Sampling(frames=4), size=32)) == [5, 9, 9, 15]
    stamps = save(tmp_path / "stamps", {f"{10**18 + 40 * n}.png": n for n in range(20)})
    assert shown(read_frame_folder(stamps, Sampling(frames=4), size=32)) == [2, 7, 12, 17]


def test_what_lies_beside_the_pictures_is_passed_over(tmp_path, shown):
    folder = save(tmp_path / "clip", {**numbered(4), "cover.jpg": 19, ".img_00000.jpg": 19})
    save(folder, {f"flow_{axis}_{n:05}.jpg": 19 for axis in "xy" for n in range(3)})
    save(folder, {f"x_{n:05}.jpg": 19 for n in range(3)})
    (folder / "Thumbs.db").touch()
    (folder / "labels_1.txt").touch()
    (folder / "deeper").mkdir()
    assert shown(read_frame_folder(folder, Sampling(frames=4), size=32)) == [0, 1, 2, 3]


def test_optical_flow_alone_is_a_clip_of_its_own(tmp_path):
    folder = save(tmp_path / "clip", numbered(3, "flow_x_{}.png"))
    assert len(frame_series(folder)) == 3


@pytest.mark.parametrize(
    ("pictures", "message"),
    [
        ({"cover.jpg": 1}, r"clip: has no numbered pictures, such as img_00001\.jpg$"),
        (
            {"left_1.jpg": 1, "left_2.jpg": 1, "right_1.jpg": 1},
            r"clip: holds pictures of 2 series: left_1\.jpg \(2\), right_1\.jpg \(1\); a folder of",
        ),
        ({"1.jpg": 1, "01.jpg": 1}, r"clip: 01\.jpg and 1\.jpg have the same number; remove one"),
        ({"1.jpg": 1, "1.png": 1}, r"clip: 1\.jpg and 1\.png have the same number; remove one"),
        (
            {"1.png": 1, "2.png": grey(1, height=50)},
            r"clip: 2\.png is 64 x 50 pixels and 1\.png is 64 x 48; the frames of a clip are of o",
        ),
    ],
)
def test_folders_that_are_no_clip_are_refused(tmp_path, pictures, message):
    folder = save(tmp_path / "clip", pictures)
    with pytest.raises(ClipError, match=message):
        read_frame_folder(folder, Sampling(frames=4), size=32)
    with pytest.raises(ClipError, match=message):
        check_frame_folder(folder)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ClipError, match=r"gone: cannot be read: No such file or directory"):
        frame_series(tmp_path / "gone")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".webp"])
@pytest.mark.parametrize("kind", ["half", "empty", "text", "gone"])
def test_a_damaged_picture_is_refused_and_named(tmp_path, suffix, kind):
    noise = np.random.default_rng(1).integers(0, 256, (60, 90, 3), np.uint8)
    folder = save(tmp_path / "clip", {f"{n}{suffix}": noise for n in (1, 2)})
    path = folder / f"2{suffix}"
    whole = path.read_bytes()
    content = {"half": whole[: len(whole) // 2], "empty": b"", "text": b"no picture at all " * 9}
    if kind == "gone":
        path.unlink()
        path.symlink_to("nowhere")
    else:
        path.write_bytes(content[kind])
    with pytest.raises(
        ClipError, match=rf"^{folder}: 2{suffix}: (cannot be read|the picture is d)"
    ):
        read_frame_folder(folder, Sampling(frames=2), size=32)


def test_pictures_of_other_kinds_are_made_rgb(tmp_path):
    colour = np.zeros((32, 32, 3), np.uint8)
    colour[:] = (10, 120, 240)  # OpenCV's order: blue first
    folder = save(tmp_path / "clip", {"1.png": colour, "3.bmp": colour})
    save(folder, {"2.png": np.dstack([colour, np.full((32, 32), 255, np.uint8)])})
    save(folder, {"4.png": np.full((32, 32), 90, np.uint8)})
    save(folder, {"5.png": np.full((32, 32), 90 * 257, np.uint16)})
    clip = read_frame_folder(folder, Sampling(frames=5), size=16)
    expected = [(240, 120, 10)] * 3 + [(90, 90, 90)] * 2
    np.testing.assert_array_equal(clip[:, 8, 8], expected)


# -- Sets of them -----------------------------------------------------------------------------


def listed(clips):
    return [f"{path.parent.name}/{path.name}" for path in clips.paths]


def test_folders_of_pictures_are_the_clips_of_a_class_without_videos(apart, film, shown):
    film(apart / "run/a.avi", 4)
    save(apart / "run/thumbs", numbered(2))
    (apart / "jump/empty").mkdir()
    (apart / "jump/.hidden").mkdir()
    save(apart / "jump/covers", {"front.jpg": 1})
    clips = VideoFolder(apart, frames=4, size=32)
    assert listed(clips) == ["jump/a", "jump/b", "run/a.avi", "walk/a"]
    assert clips.labels.tolist() == [0, 0, 1, 2]
    assert clips.left_out == ("run/thumbs/",)
    assert shown(clips.clip(0)) == [2, 7, 12, 17]
    assert shown(clips.clip(2)) == [0, 1, 2, 3]
    assert shown(clips.clip(3)) == [0, 1, 1, 2]
    draws = [shown(clips.clip(0, rng=np.random.default_rng(seed))) for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]


def test_split_files_name_them_with_or_without_the_extension_of_the_video(apart):
    save(apart / "jump/c.d", numbered(3))
    (apart / "splits.txt").write_text(
        "jump/a.avi train\njump/b test\njump/c.d.avi train\nwalk/a.mp4 train\n"
    )
    assert listed(VideoFolder(apart, split="train")) == ["jump/a", "jump/c.d", "walk/a"]
    assert listed(VideoFolder(apart, split="test")) == ["jump/b"]


def test_folders_of_other_pictures_are_explained(tmp_path):
    save(tmp_path / "films/jump/a", numbered(3, "{}.tif"))
    with pytest.raises(
        ClipError,
        match=r"no video file; .*; a clip may also be a folder in it, of numbered pictures \(\.b",
    ):
        VideoFolder(tmp_path / "films")


def test_loose_pictures_in_a_class_folder_are_explained(tmp_path):
    save(tmp_path / "films/jump", numbered(3))
    with pytest.raises(
        ClipError,
        match=r"films/jump: the class folder has no video file; .* remove it; it holds pictures: "
        r"the frames of a clip belong in a folder of their own, as jump/CLIP/img_00001\.jpg$",
    ):
        VideoFolder(tmp_path / "films")


def test_the_version_follows_the_pictures(apart):
    folder = apart / "jump/a"
    versions, status = [VideoFolder(apart).version], (folder / "img_00005.jpg").stat()
    os.utime(folder / "img_00005.jpg", ns=(0, 1))
    versions.append(VideoFolder(apart).version)
    os.utime(folder / "img_00005.jpg", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert VideoFolder(apart).version == versions[0]
    (folder / "img_00006.jpg").rename(folder / "img_00106.jpg")
    versions.append(VideoFolder(apart).version)
    (folder / "img_00106.jpg").unlink()
    versions.append(VideoFolder(apart).version)
    (folder / "notes.txt").touch()
    assert VideoFolder(apart).version == versions[-1]
    assert len(set(versions)) == 4


@pytest.mark.parametrize("number", [1, 11, 20])
def test_the_version_follows_content_of_the_same_size_and_time(apart, number):
    picture = apart / f"jump/a/img_{number:05}.jpg"
    before, status = clip_stamp(apart / "jump/a"), picture.stat()
    content = bytearray(picture.read_bytes())
    content[-1] ^= 1
    picture.write_bytes(content)
    os.utime(picture, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert clip_stamp(apart / "jump/a") != before


def test_clips_with_a_damaged_picture_are_left_out_on_request(apart, monkeypatch):
    """Also one that the fixed choice of frames does not take."""
    (apart / "jump/b/img_00001.jpg").write_bytes(b"no picture")
    clips = VideoFolder(apart, frames=4, size=32)
    clips.clip(1)
    [(path, reason)] = clips.unreadable().items()
    assert path == apart / "jump/b"
    assert reason.startswith(f"{path}: img_00001.jpg: cannot be read as a picture: ")
    fewer = VideoFolder(apart, frames=4, size=32, skip_unreadable=True)
    assert listed(fewer) == ["jump/a", "walk/a"]
    assert fewer.skipped == (reason,)
    monkeypatch.setattr(unreadable, "check_frame_folder", None)  # it is found once
    monkeypatch.chdir(apart.parent)
    again = VideoFolder("films", frames=4, size=32, skip_unreadable=True)
    assert again.skipped == (reason.replace(f"{apart.parent}/", ""),)


@pytest.mark.parametrize("number", [1, 4])
def test_a_clip_with_a_picture_that_is_gone_is_left_out_on_request(apart, number):
    """A link to nowhere, as where the pictures were not fetched with their names."""
    picture = apart / f"jump/b/img_{number:05}.jpg"
    before = VideoFolder(apart).version
    content = picture.read_bytes()
    picture.unlink()
    picture.symlink_to("nowhere")
    clips = VideoFolder(apart, frames=4, size=32, skip_unreadable=True)
    assert listed(clips) == ["jump/a", "walk/a"]
    assert clips.skipped == (
        f"{apart}/jump/b: {picture.name}: cannot be read: No such file or directory",
    )
    assert VideoFolder(apart).version != before
    (apart / "jump/b/nowhere").write_bytes(content)
    assert len(VideoFolder(apart, frames=4, size=32, skip_unreadable=True)) == 3


def test_they_are_cached(apart):
    clips = VideoFolder(apart, frames=4, size=32)
    found = cached(clips, workers=1)
    assert found.digest == content_digest(clips)
    found.verify(clips)
    np.testing.assert_array_equal(cached(clips, workers=1).clip(2), clips.clip(2))


def test_all_damaged_clips_are_named_when_a_set_is_cached(apart):
    for clip in ("jump/a", "walk/a"):
        (apart / clip / "img_00002.jpg").write_bytes(b"")
    with pytest.raises(ClipError, match=r"2 of 3 videos cannot be read; .*\n.*jump/a: .*\n.*walk"):
        cached(VideoFolder(apart, frames=20, size=32), workers=1)


def test_pixels_are_taken_for_square(tmp_path):
    """What a picture says of its density is about printing, mostly."""
    folder = tmp_path / "clip"
    folder.mkdir()
    with av.open(str(folder / "1.jpg"), "w", format="image2") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuvj420p"
        stream.codec_context.sample_aspect_ratio = Fraction(2)
        picture = np.zeros((64, 64, 3), np.uint8)
        picture[16:48, 16:48] = 255
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    clip = read_frame_folder(folder, Sampling(frames=1), size=64)[0, ..., 0] > 127
    assert (clip.any(axis=0).sum(), clip.any(axis=1).sum()) == (32, 32)
