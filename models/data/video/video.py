"""Frames of a video file as pixels.

The first usable picture track is read. What is not wanted is dropped while decoding, so a long
video takes no more memory than the clip taken from it.
"""

import copy
import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from fadeline.models.data.video.decoding import decoded, logged_errors, opened
from fadeline.models.data.video.picture import Image, square
from fadeline.models.data.video.sampling import Sampling
from fadeline.models.data.video.timeline import Timeline, timeline_of
from fadeline.models.errors import ClipError

DECODING = 1
"""Number of the way from file to pixels. Raise it with every change that alters a pixel of videos
of constant rate and square pixels, which most are; all caches are made anew then."""

WIDEST_PIXEL = 16.0
"""Pixels this much wider than high, or higher than wide, are a damaged header (our choice; the
largest ratio that H.264 has a code for is 160:99, of film 2:1)."""

LONGEST_HELD_S = 10.0
"""Longest time for which a frame is held in containers whose clock may leap, as FFmpeg marks them
(MPEG-TS, MPEG-PS, Ogg and others); more is a leap (FFmpeg's own limit, `-dts_delta_threshold`)."""

_CLOCK_MAY_LEAP = 0x0200
"""FFmpeg's mark of such containers: AVFMT_TS_DISCONT in libavformat/avformat.h."""


def read_clip(
    path: Path, sampling: Sampling, *, size: int, rng: np.random.Generator | None = None
) -> Image:
    """Read a clip from a video.

    What the container states of the number of frames is not relied on: all are decoded and
    counted, and read again if the first guess, made from the times of its packets, was wrong.

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
    guess = _likely_times(path)
    # From a copy, so that what is drawn in the end does not depend on the guess.
    likely = sampling.choose(guess, copy.deepcopy(rng)).tolist() if guess else []
    images, times = _decode(path, likely, size)
    if times is None:
        raise ClipError(f"{path}: the video has no frames")
    chosen = sampling.choose(times, rng).tolist()
    if not images.keys() >= set(chosen):
        images, _ = _decode(path, chosen, size)
    return np.stack([images[index] for index in chosen])


def _likely_times(path: Path) -> Timeline | None:
    """Return when frames are shown, from the packets alone; None if there are no packets."""
    shown: list[tuple[int | None, int]] = []
    with logged_errors(), opened(path) as (container, stream):
        longest = _longest_held(container, stream)
        try:
            for packet in container.demux(stream):
                if packet.size and not packet.is_discard:
                    shown.append((packet.pts, packet.duration or 0))
        except FFmpegError:
            pass  # decoding will say how far it came
    if not shown:
        return None
    times = [time for time, _ in shown if time is not None]
    if len(times) < len(shown):
        return timeline_of([None] * len(shown))
    last = max((time or 0, took) for time, took in shown)[1]
    return timeline_of(sorted(times), last=last, longest=longest)


def _decode(
    path: Path, wanted: Iterable[int], size: int
) -> tuple[dict[int, Image], Timeline | None]:
    """Return the wanted frames that the video has, by position, and when all are shown.

    The latter is None if it has no frames.
    """
    keep = frozenset(wanted)
    images: dict[int, Image] = {}
    times: list[int | None] = []
    last = 0
    with logged_errors() as log, opened(path) as (container, stream):
        aspect, longest = _pixel_aspect(path, stream), _longest_held(container, stream)
        for found in decoded(container, stream, log):
            if found.damaged:
                raise ClipError(
                    f"{path}: the video is damaged or cut short after frame {len(times)}; replace "
                    "the file or leave it out"
                )
            for frame in found.frames:
                if len(times) in keep:
                    images[len(times)] = square(frame, size, pixel_aspect=aspect)
                times.append(frame.pts)
                last = frame.duration
    return images, timeline_of(times, last=last, longest=longest) if times else None


def _longest_held(container: InputContainer, stream: VideoStream) -> float:
    """Return for how long one frame may be held, in ticks of the stream's clock."""
    if stream.time_base is None or not container.format.flags & _CLOCK_MAY_LEAP:
        return math.inf
    return LONGEST_HELD_S / float(stream.time_base)


def _pixel_aspect(path: Path, stream: VideoStream) -> float:
    """Return how much wider than high pixels are to be shown; 1 if the file does not say."""
    aspect = float(stream.sample_aspect_ratio or 1)
    if not 1 / WIDEST_PIXEL <= aspect <= WIDEST_PIXEL:
        raise ClipError(
            f"{path}: states pixels {aspect:g} times as wide as high; up to {WIDEST_PIXEL:g} times "
            "as wide or as high are believed; correct its sample aspect ratio or leave it out"
        )
    return aspect
