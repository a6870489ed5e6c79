"""Frames of a video file as pixels: decoded, turned upright, scaled and cropped to a square.

Pixels are taken to be square and the first usable picture track is read. What is not wanted is
dropped while decoding, so a long video takes no more memory than the clip taken from it.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.reformatter import Interpolation
from av.video.stream import VideoStream
from numpy.typing import NDArray

from fadeline.models.data.video.decoding import STRICT, decoded, logged_errors
from fadeline.models.data.video.sampling import Sampling
from fadeline.models.errors import ClipError

Image = NDArray[np.uint8]

DECODING = 1
"""Number of the way from file to pixels. Raise it with every change that alters a pixel."""

_TO_RGB = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.BITEXACT
"""How colours are converted: bicubic is FFmpeg's own choice; the other two make every processor
give the same pixels."""


def read_clip(
    path: Path, sampling: Sampling, *, size: int, rng: np.random.Generator | None = None
) -> Image:
    """Read a clip from a video.

    What the container states of the number of frames is not relied on: all are decoded and
    counted, and read again if the first guess was wrong.

    Args:
        path: File of any container and codec that FFmpeg reads.
        sampling: Which frames make the clip.
        size: Height and width of the clip, pixels. The short side is scaled to it and the centre
            of the long side is kept.
        rng: Draws the frames; None for the fixed choice.

    Returns:
        8-bit RGB, shape (T, size, size, 3).

    Raises:
        ClipError: If the file is missing, is not a video, is damaged or has no frames.
    """
    guess = _likely_frames(path)
    indices = sampling.indices(max(guess, 1), rng)
    images, total = _decode(path, indices.tolist(), size)
    if total == 0:
        raise ClipError(f"{path}: the video has no frames")
    if total != guess:
        indices = sampling.indices(total, rng)
        images, _ = _decode(path, indices.tolist(), size)
    return np.stack([images[index] for index in indices.tolist()])


def count_frames(path: Path) -> int:
    """Return the number of frames of a video, by decoding all.

    Raises:
        ClipError: If the file is missing, is not a video or is damaged.
    """
    _, total = _decode(path, (), size=1)
    return total


def _likely_frames(path: Path) -> int:
    with logged_errors(), _opened(path) as (container, stream):
        return stream.frames or sum(packet.size > 0 for packet in container.demux(stream))


def _decode(path: Path, wanted: Iterable[int], size: int) -> tuple[dict[int, Image], int]:
    """Return the wanted frames that the video has, by position, and how many it has in all."""
    keep = frozenset(wanted)
    images = {}
    total = 0
    with logged_errors() as log, _opened(path) as (container, stream):
        for found in decoded(container, stream, log):
            if found.damaged:
                raise ClipError(
                    f"{path}: the video is damaged or cut short after frame {total}; replace the "
                    "file or leave it out"
                )
            for frame in found.frames:
                if total in keep:
                    images[total] = _square(frame, size)
                total += 1
    return images, total


@contextmanager
def _opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    # The prefix and the list of protocols keep odd names and playlists from meaning anything else
    # than this file. Damaged names and titles inside the file do not matter.
    try:
        with av.open(
            f"file:{path.absolute()}",
            mode="r",
            options={"protocol_whitelist": "file"},
            metadata_errors="replace",
        ) as container:
            yield container, _video_stream(path, container)
    except (FFmpegError, OSError) as error:
        raise ClipError(f"{path}: cannot be read as a video: {error.strerror}") from None


def _video_stream(path: Path, container: InputContainer) -> VideoStream:
    stream = container.streams.best("video")
    if not isinstance(stream, VideoStream):
        raise ClipError(f"{path}: has no video stream")
    if stream.codec_context is None:
        raise ClipError(f"{path}: FFmpeg has no decoder for its video; re-encode it, as MP4 say")
    stream.codec_context.thread_count = 1  # clips are read in parallel, not frames
    stream.codec_context.options = STRICT
    return stream


def _square(frame: av.VideoFrame, size: int) -> Image:
    pixels = frame.to_ndarray(format="rgb24", interpolation=_TO_RGB)
    upright = np.ascontiguousarray(np.rot90(pixels, round(frame.rotation / 90)), dtype=np.uint8)
    height, width = upright.shape[:2]
    short = min(height, width)
    new_height, new_width = round(height * size / short), round(width * size / short)
    scaled = cv2.resize(upright, (new_width, new_height), interpolation=cv2.INTER_AREA)
    top, left = (new_height - size) // 2, (new_width - size) // 2
    # A copy, so that the pixels around it are let go.
    return np.array(scaled[top : top + size, left : left + size], dtype=np.uint8)
