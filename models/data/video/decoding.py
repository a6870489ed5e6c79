"""Files opened, their packets as frames, and whether the decoder found anything wrong with them.

FFmpeg conceals damage: it shows something and goes on. What it says of it is in three places, and
no codec uses all of them: errors that it returns if asked to (`err_detect`), frames and packets
that it marks as corrupt, and errors that it only logs.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from fadeline.models.errors import ClipError

STRICT = {"err_detect": "crccheck+bitstream+buffer+explode"}
"""Options of decoders: look at checksums and at what cannot be, and return what is found."""

Log = list[tuple[int, str, str]]


@dataclass(frozen=True, slots=True)
class Decoded:
    """What came of one packet.

    Attributes:
        frames: Pictures, in the order in which they are shown.
        damaged: Whether something was wrong with the packet, or a picture.
    """

    frames: tuple[av.VideoFrame, ...]
    damaged: bool


@contextmanager
def logged_errors() -> Iterator[Log]:
    """Collect what FFmpeg logs in this thread, errors at least.

    The level of FFmpeg's log is of the whole process: raised here if need be, and left so, since
    other threads may be reading videos.
    """
    level = av.logging.get_level()
    if level is None or level < av.logging.ERROR:
        av.logging.set_level(av.logging.ERROR)
    av.logging.set_skip_repeated(False)  # or the second damaged video would say nothing
    with av.logging.Capture() as log:
        yield log


@contextmanager
def opened(
    path: Path, *, content: bytes | None = None
) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a file that FFmpeg reads, and its pictures, with a decoder that conceals no damage.

    Args:
        path: The file.
        content: What is in it, if that was read before; its name then says nothing of its format.

    Raises:
        ClipError: If it cannot be read, here or later on, or has no pictures that can be decoded.
    """
    # The prefix and the list of protocols keep odd names and playlists from meaning anything else
    # than this file. Damaged names and titles inside the file do not matter.
    source = f"file:{path.absolute()}" if content is None else io.BytesIO(content)
    try:
        with av.open(
            source,
            mode="r",
            options={"protocol_whitelist": "file"},
            metadata_errors="replace",
        ) as container:
            yield container, _video_stream(path, container)
    except (FFmpegError, OSError) as error:
        what = "a video" if content is None else "a picture"
        raise ClipError(f"{path}: cannot be read as {what}: {error.strerror}") from None


def _video_stream(path: Path, container: InputContainer) -> VideoStream:
    stream = container.streams.best("video")
    if not isinstance(stream, VideoStream):
        raise ClipError(f"{path}: has no video stream")
    if stream.codec_context is None:
        raise ClipError(f"{path}: FFmpeg has no decoder for its video; re-encode it, as MP4 say")
    stream.codec_context.thread_count = 1  # clips are read in parallel, not frames
    stream.codec_context.options = STRICT
    return stream


def decoded(container: InputContainer, stream: VideoStream, log: Log) -> Iterator[Decoded]:
    """Yield what comes of each packet of a video.

    Args:
        container: Of the video.
        stream: Its pictures; its decoder has the options `STRICT`.
        log: From `logged_errors`.
    """
    start = _Start()
    names = {stream.codec_context.name, container.format.name}
    log.clear()  # what is wrong with a header, or with sound, is another matter
    for packet in container.demux(stream):
        start.meet(packet)
        frames, refused = _frames(packet)
        corrupt = any(frame.is_corrupt and not start.precedes(frame) for frame in frames)
        logged = any(level <= av.logging.ERROR and name in names for level, name, _ in log)
        log.clear()
        found = (refused or logged) and not start.is_unsettled
        yield Decoded(frames, packet.is_corrupt or found or corrupt)


def _frames(packet: "av.Packet[Any]") -> tuple[tuple[av.VideoFrame, ...], bool]:
    """Return the pictures that come of a packet, and whether it was refused."""
    try:
        return tuple(frame for frame in packet.decode() if isinstance(frame, av.VideoFrame)), False
    except FFmpegError:
        return (), True


class _Start:
    """Whether a video begins in mid-stream, and where it has settled.

    A recording may begin at a picture that is no key frame, or at one before which others are to be
    shown that build on what is missing (an open group of pictures). Until the next key frame, what
    a decoder finds wrong with that is no damage.
    """

    def __init__(self) -> None:
        self._keys = 0
        self._first_pts: int | None = None
        self._second_pts: int | None = None
        self._midway = False

    def meet(self, packet: "av.Packet[Any]") -> None:
        """Take in the next packet."""
        if not packet.size or self._keys > 1:
            return
        if packet.is_keyframe:
            self._keys += 1
            if self._keys == 1:
                self._first_pts = packet.pts
            else:
                self._second_pts = packet.pts
        elif self._keys == 0 or _earlier(packet.pts, self._first_pts):
            self._midway = True

    @property
    def is_unsettled(self) -> bool:
        """Whether nothing can be said of the packet met last."""
        return self._midway and self._keys < 2

    def precedes(self, frame: av.VideoFrame) -> bool:
        """Return whether a picture is shown before the video has settled."""
        return self.is_unsettled or (self._midway and _earlier(frame.pts, self._second_pts))


def _earlier(pts: int | None, other: int | None) -> bool:
    return pts is not None and other is not None and pts < other
