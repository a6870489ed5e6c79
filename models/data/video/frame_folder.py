"""Frames of a clip that was taken apart: pixels of the numbered pictures in a folder."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import numpy as np

from fadeline.models.data.video.decoding import decoded, logged_errors, opened
from fadeline.models.data.video.frame_series import NumberedPicture, frame_series
from fadeline.models.data.video.picture import Image, square
from fadeline.models.data.video.sampling import Sampling
from fadeline.models.data.video.timeline import timeline_of
from fadeline.models.errors import ClipError


def read_frame_folder(
    folder: Path, sampling: Sampling, *, size: int, rng: np.random.Generator | None = None
) -> Image:
    """Read a clip from a folder of frames; only the pictures that make it are opened.

    Numbers are times: where some are missing, the picture before is held. Pixels are taken to be
    square, as whatever shows pictures takes them.

    Args:
        folder: With one series of numbered pictures, see `frame_series`.
        sampling: Which frames make the clip.
        size: Height and width of the clip, pixels, as for `read_clip` of a video.
        rng: Draws the frames; None for the fixed choice.

    Returns:
        8-bit RGB, shape (T, size, size, 3).

    Raises:
        ClipError: If the folder is no folder of frames, or one of these pictures is damaged or
            differs in size from the others.
    """
    series = frame_series(folder)
    times = timeline_of([picture.number - series[0].number for picture in series])
    chosen = sampling.choose(times, rng).tolist()
    positions = sorted(set(chosen))
    pictures = _squares(folder, (series[position] for position in positions), size)
    images = dict(zip(positions, pictures, strict=True))
    return np.stack([images[position] for position in chosen])


def check_frame_folder(folder: Path) -> None:
    """Read every picture of a folder of frames.

    Raises:
        ClipError: If the folder is no folder of frames, or a picture is damaged or differs in size
            from the others.
    """
    for _ in _squares(folder, frame_series(folder), size=1):
        pass


def _squares(folder: Path, pictures: Iterable[NumberedPicture], size: int) -> Iterator[Image]:
    first: tuple[str, int, int] | None = None
    for picture in pictures:
        frame = _frame(folder, picture.name)
        first = first or (picture.name, frame.width, frame.height)
        if (frame.width, frame.height) != first[1:]:
            raise ClipError(
                f"{folder}: {picture.name} is {frame.width} x {frame.height} pixels and "
                f"{first[0]} is {first[1]} x {first[2]}; the frames of a clip are of one size"
            )
        yield square(frame, size)


def _frame(folder: Path, name: str) -> av.VideoFrame:
    try:
        content = (folder / name).read_bytes()
        with logged_errors() as log, opened(folder / name, content=content) as (container, stream):
            packets = list(decoded(container, stream, log))
    except OSError as error:
        raise ClipError(f"{folder}: {name}: cannot be read: {error.strerror}") from None
    except ClipError as error:
        raise ClipError(f"{folder}: {str(error).removeprefix(f'{folder}/')}") from None
    frames = [frame for packet in packets for frame in packet.frames]
    if not frames or any(packet.damaged for packet in packets):
        raise ClipError(
            f"{folder}: {name}: the picture is damaged or cut short; replace the file or leave the "
            "clip out"
        )
    return frames[0]
