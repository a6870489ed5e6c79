"""What is healthy is accepted, whatever its container; what is damaged is noticed, mostly."""

from pathlib import Path

import av
import numpy as np
import pytest

from fadeline.models.data.video.listing import VIDEO_SUFFIXES
from fadeline.models.data.video.sampling import Sampling
from fadeline.models.data.video.video import read_clip
from fadeline.models.errors import ClipError

SHARED = Path(__file__).resolve().parents[4].parent / "shared"
X264 = "x264-params"
OPEN = {X264: "open-gop=1:keyint=12:bframes=3:b-pyramid=2"}
HEVC = {"x265-params": "log-level=none:keyint=12:open-gop=1:bframes=3"}

# Name: container, codec, pixels, options of the codec, least share of damages that is noticed.
FILMS = {
    "h264.mp4": ("mp4", "libx264", "yuv420p", {"bf": "3"}, 0.5),
    "open.mp4": ("mp4", "libx264", "yuv420p", OPEN, 0.5),
    "refresh.mp4": ("mp4", "libx264", "yuv420p", {X264: "intra-refresh=1:keyint=20"}, 0.5),
    "hevc.mp4": ("mp4", "libx265", "yuv420p", HEVC, 0.2),
    "mpeg4.mp4": ("mp4", "mpeg4", "yuv420p", {"bf": "2"}, 0.6),
    "h264.mov": ("mov", "libx264", "yuv420p", {"bf": "2"}, 0.5),
    "h264.mkv": ("matroska", "libx264", "yuv420p", {"bf": "3"}, 0.6),
    "ffv1.mkv": ("matroska", "ffv1", "yuv420p", {"level": "3", "slicecrc": "1"}, 0.95),
    "vp8.webm": ("webm", "libvpx", "yuv420p", {"lag-in-frames": "8", "auto-alt-ref": "1"}, 0.2),
    "vp9.webm": ("webm", "libvpx-vp9", "yuv420p", {"deadline": "realtime"}, 0.2),
    "mpeg4.avi": ("avi", "mpeg4", "yuv420p", {"bf": "2"}, 0.6),
    "jpeg.avi": ("avi", "mjpeg", "yuvj420p", {}, 0.4),
    "mpeg1.mpg": ("mpeg", "mpeg1video", "yuv420p", {"bf": "2"}, 0.6),
    "field.mpg": ("mpeg", "mpeg2video", "yuv420p", {"bf": "2", "flags": "+ilme+ildct"}, 0.6),
    "mpeg2.vob": ("vob", "mpeg2video", "yuv420p", {}, 0.6),
    "h264.ts": ("mpegts", "libx264", "yuv420p", OPEN, 0.6),
    "hevc.ts": ("mpegts", "libx265", "yuv420p", HEVC, 0.3),
    "mpeg2.ts": ("mpegts", "mpeg2video", "yuv420p", {"bf": "2"}, 0.5),
    "h264.m2ts": ("mpegts", "libx264", "yuv420p", {}, 0.6),
    "h264.flv": ("flv", "libx264", "yuv420p", {}, 0.5),
    "flv1.flv": ("flv", "flv", "yuv420p", {}, 0.6),
    "wmv2.wmv": ("asf", "wmv2", "yuv420p", {}, 0.5),
    "mpeg2.mxf": ("mxf", "mpeg2video", "yuv420p", {}, 0.4),
    "mpeg4.3gp": ("3gp", "mpeg4", "yuv420p", {}, 0.6),
    "film.gif": ("gif", "gif", "gray", {}, 0.4),
    "cam.h264": ("h264", "libx264", "yuv420p", OPEN, 0.2),
    "cam.m2v": ("mpeg2video", "mpeg2video", "yuv420p", {"bf": "2"}, 0.6),
    "cam.mjpeg": ("mjpeg", "mjpeg", "yuvj420p", {}, 0.3),
}
LARGER = {"h261": (176, 144), "h263": (176, 144), "rv10": (176, 144), "dvvideo": (720, 576)}
FRAMES = 36


def write(path, container, codec, pixels, options=None, frames=FRAMES, **muxing):
    """Encode a textured world that moves."""
    rng = np.random.default_rng(0)
    world = rng.integers(0, 256, (20, 24, 3)).repeat(8, axis=0).repeat(8, axis=1)
    width, height = LARGER.get(codec, (96, 64))
    with av.open(str(path), "w", format=container, options=muxing) as file:
        stream = file.add_stream(codec, rate=25, options=options or {})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        if codec not in ("ffv1", "gif", "wrapped_avframe", "dvvideo"):
            stream.bit_rate = 300_000
        if "libx26" not in codec:
            stream.codec_context.gop_size = 12
        for t in range(frames):
            picture = world[t : t + 64, 2 * t : 2 * t + 96] + rng.integers(-6, 7, (64, 96, 3))
            frame = av.VideoFrame.from_ndarray(
                np.clip(picture, 0, 255).astype(np.uint8), format="rgb24"
            )
            file.mux(stream.encode(frame.reformat(width, height, pixels)))
        file.mux(stream.encode())
    return path


def shown(path):
    """Return what FFmpeg shows of a file if it is not asked whether it is whole."""
    try:
        with av.open(str(path)) as container:
            return [frame.to_ndarray(format="rgb24").tobytes() for frame in container.decode()]
    except (av.error.FFmpegError, IndexError):
        return []


def is_refused(path):
    try:
        read_clip(path, Sampling(frames=1), size=1)
    except ClipError as error:
        return str(error).startswith(f"{path}: ")
    return False


def damaged(whole, rng):
    """Yield copies damaged in several ways."""
    for at in rng.integers(len(whole) // 20, len(whole) * 19 // 20, 3).tolist():
        yield whole[:at] + rng.bytes(64) + whole[at + 64 :]
        yield whole[:at] + bytes(512) + whole[at + 512 :]
        yield whole[:at] + whole[at + 200 :]
        yield whole[:at] + bytes([whole[at] ^ 1 << int(rng.integers(8))]) + whole[at + 1 :]


@pytest.mark.parametrize("name", FILMS)
def test_a_healthy_film_is_accepted_and_most_damages_are_noticed(tmp_path, name, count_frames):
    *how, least = FILMS[name]
    path = write(tmp_path / name, *how)
    assert count_frames(path) == FRAMES
    whole, before = path.read_bytes(), shown(path)
    noticed = []
    for content in damaged(whole, np.random.default_rng(1)):
        path.write_bytes(content)
        if shown(path) == before:
            continue
        noticed.append(is_refused(path))
    assert len(noticed) >= 8
    assert np.mean(noticed) >= least


def test_the_second_damaged_film_is_noticed_like_the_first(tmp_path, count_frames):
    """What FFmpeg says of both is the same, and it may not be left out as repeated."""
    path = write(tmp_path / "film.gif", *FILMS["film.gif"][:4])
    content = next(damaged(path.read_bytes(), np.random.default_rng(3)))
    for name in ("a.gif", "b.gif"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ClipError, match=rf"{name}: the video is damaged .* after frame \d+;"):
            count_frames(tmp_path / name)


@pytest.mark.parametrize("codec", ["libx264", "libx265", "mpeg2video"])
@pytest.mark.parametrize("packets", [5, 33, 60, 90])
def test_a_recording_that_begins_in_mid_stream_is_accepted(tmp_path, codec, packets, count_frames):
    options = {"libx264": OPEN, "libx265": HEVC}.get(codec, {"bf": "2"})
    path = write(tmp_path / "film.ts", "mpegts", codec, "yuv420p", options)
    path.write_bytes(path.read_bytes()[188 * packets :])
    assert count_frames(path) == len(shown(path)) > 0


@pytest.mark.parametrize("first", [0, 7, 12])
def test_a_film_cut_without_encoding_it_again_is_accepted(tmp_path, first, count_frames):
    """Edit lists, and open groups of pictures whose beginning is gone."""
    path = write(tmp_path / "film.mkv", "matroska", "libx264", "yuv420p", OPEN)
    with av.open(str(path)) as source, av.open(str(tmp_path / "cut.mp4"), "w") as cut:
        template = source.streams.video[0]
        stream = cut.add_stream_from_template(template)
        for number, packet in enumerate(source.demux(template)):
            if packet.dts is not None and number >= first:
                packet.stream = stream
                cut.mux(packet)
    assert count_frames(tmp_path / "cut.mp4") == len(shown(tmp_path / "cut.mp4")) > 0


def test_damage_after_a_beginning_in_mid_stream_is_noticed(tmp_path, count_frames):
    path = write(tmp_path / "film.ts", "mpegts", "libx264", "yuv420p", {X264: "keyint=6"})
    data = bytearray(path.read_bytes()[188 * 20 :])
    at = len(data) * 3 // 4
    data[at : at + 400] = bytes(400)
    path.write_bytes(data)
    with pytest.raises(ClipError, match="is damaged"):
        count_frames(path)


WRITTEN = {
    ".264": ("h264", "libx264"), ".265": ("hevc", "libx265"), ".avc": ("h264", "libx264"),
    ".divx": ("avi", "mpeg4"), ".dv": ("dv", "dvvideo"), ".f4v": ("f4v", "libx264"),
    ".h261": ("h261", "h261"), ".h263": ("h263", "h263"), ".h264": ("h264", "libx264"),
    ".h265": ("hevc", "libx265"), ".hevc": ("hevc", "libx265"), ".ivf": ("ivf", "libvpx"),
    ".m1v": ("mpeg1video", "mpeg1video"), ".m2p": ("mpeg", "mpeg2video"),
    ".m2t": ("mpegts", "mpeg2video"), ".m2v": ("mpeg2video", "mpeg2video"),
    ".m4v": ("m4v", "mpeg4"), ".mjpeg": ("mjpeg", "mjpeg"), ".mjpg": ("mjpeg", "mjpeg"),
    ".mk3d": ("matroska", "libx264"), ".mod": ("mpeg", "mpeg2video"), ".mp4v": ("mp4", "mpeg4"),
    ".mpe": ("mpeg", "mpeg1video"), ".mpv": ("mpeg2video", "mpeg2video"), ".nut": ("nut", "mpeg4"),
    ".obu": ("obu", "libsvtav1"), ".qt": ("mov", "libx264"), ".rm": ("rm", "rv10"),
    ".rmvb": ("rm", "rv10"), ".tod": ("mpegts", "mpeg2video"), ".trp": ("mpegts", "mpeg2video"),
    ".wtv": ("wtv", "mpeg2video"), ".xvid": ("avi", "mpeg4"),
    ".y4m": ("yuv4mpegpipe", "wrapped_avframe"),
}  # fmt: skip


@pytest.mark.parametrize("suffix", WRITTEN)
def test_raw_streams_and_rarer_containers_are_read(tmp_path, suffix, count_frames):
    assert suffix in VIDEO_SUFFIXES
    container, codec = WRITTEN[suffix]
    options = HEVC if codec == "libx265" else {}
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    path = write(tmp_path / f"film{suffix}", container, codec, pixels, options, frames=10)
    assert count_frames(path) == 10


@pytest.mark.slow
@pytest.mark.skipif(not (SHARED / "data/ut_interaction").is_dir(), reason="the films are not here")
def test_filmed_videos_are_accepted(count_frames):
    films = [*(SHARED / "data/ut_interaction").rglob("*.mp4")]
    assert len(films) == 120
    assert min(map(count_frames, films)) > 0


@pytest.mark.skipif(not (SHARED / "cases").is_dir(), reason="the streams are not here")
def test_a_cameras_stream_is_read(count_frames):
    assert count_frames(SHARED / "cases/32-raw-streams/cam.h264") == 30
