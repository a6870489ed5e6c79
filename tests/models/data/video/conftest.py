"""Small videos whose frames can be told apart."""

from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.stream import VideoStream

from fadeline.models.data.video.decoding import decoded, logged_errors, opened
from fadeline.models.data.video.sampling import Sampling
from fadeline.models.data.video.video import read_clip

CODECS = {
    ".avi": ("mjpeg", "yuvj420p"),
    ".gif": ("gif", "gray"),
    ".mkv": ("ffv1", "bgr0"),
    ".mp4": ("mpeg4", "yuv420p"),
    ".ts": ("mpeg2video", "yuv420p"),
    ".webm": ("libvpx", "yuv420p"),
}


def grey_frames(count, *, height=48, width=64):
    """Return frames of one grey each, 12 levels apart, which no lossy codec bridges."""
    levels = (10 + 12 * np.arange(count)).astype(np.uint8)
    return np.broadcast_to(levels[:, None, None, None], (count, height, width, 3))


@pytest.fixture
def film():
    """Return a function that encodes frames, of shape (n, H, W, 3), or n grey ones.

    They are shown at `times_ms`, or 25 a second, the first after `start` of such steps.
    """

    def encode(
        path, frames=20, *, codec=None, rotation_degrees=0, title=None, times_ms=None,
        pixel_aspect=None, options=None, start=0,
    ):  # fmt: skip
        pictures = grey_frames(frames) if isinstance(frames, int) else frames
        name, pixel_format = codec or CODECS[path.suffix]
        path.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(path), "w", metadata_encoding="latin-1") as container:
            if title is not None:
                container.metadata["title"] = title
            stream = container.add_stream(name, rate=25, options=options or {})
            assert isinstance(stream, VideoStream)
            stream.height, stream.width = pictures.shape[1:3]
            stream.pix_fmt = pixel_format
            stream.bit_rate = 4_000_000  # ample for these sizes: levels stay apart
            if times_ms is not None:
                stream.codec_context.time_base = Fraction(1, 1000)
            if pixel_aspect is not None:
                stream.codec_context.sample_aspect_ratio = pixel_aspect
            if rotation_degrees:
                stream.set_display_rotation(rotation_degrees)
            if not len(pictures):
                container.start_encoding()
            for number, picture in enumerate(pictures):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
                if times_ms is None:
                    frame.pts, frame.time_base = start + number, Fraction(1, 25)
                else:
                    frame.pts, frame.time_base = times_ms[number], Fraction(1, 1000)
                container.mux(stream.encode(frame))
            if len(pictures):
                container.mux(stream.encode())
        return path

    return encode


@pytest.fixture
def count_frames():
    """Return a function that counts the frames of a video, and refuses what is no healthy one."""

    def count(path):
        read_clip(path, Sampling(frames=1), size=1)
        with logged_errors() as log, opened(path) as (container, stream):
            return sum(len(found.frames) for found in decoded(container, stream, log))

    return count


@pytest.fixture
def shown():
    """Return a function that tells which of the grey frames a clip shows."""

    def positions(clip):
        means = clip.mean(axis=(1, 2, 3))
        found = np.rint((means - 10) / 12)
        assert np.abs(means - (10 + 12 * found)).max() < 4
        return found.astype(int).tolist()

    return positions


@pytest.fixture
def tree(tmp_path):
    """Return a function that makes empty files, `class/name` each, in a folder and returns it."""

    def make(*files, folder="films"):
        root = tmp_path / folder
        root.mkdir(parents=True, exist_ok=True)
        for file in files:
            (root / file).parent.mkdir(exist_ok=True)
            (root / file).touch()
        return root

    return make
