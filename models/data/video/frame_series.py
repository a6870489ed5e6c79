"""Numbered pictures in a folder as the frames of one clip, listed without opening any."""

import os
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from fadeline.models.errors import ClipError

PICTURE_SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".webp")
"""Ends of the names of pictures that may be frames (our choice: what tools that take videos apart
write). Not TIFF, since FFmpeg's decoder calls tags that it does not know damage."""

_NUMBERED = re.compile(r"(?P<before>.*?)(?P<number>[0-9]+)(?P<after>[^0-9]*)", re.DOTALL)

_FLOW = ("flow_", "x_", "y_")
"""How names of pictures of optical flow begin that lie beside the frames (Wang et al., "Temporal
Segment Networks", ECCV 2016, and the tools that came after it)."""


@dataclass(frozen=True, slots=True)
class NumberedPicture:
    """One frame of a clip.

    Attributes:
        number: Its number, which is when it is shown.
        name: Name of its file.
    """

    number: int
    name: str


def is_picture(name: str) -> bool:
    """Return whether a file is a picture by its name, and not hidden."""
    return name[0] != "." and name.lower().endswith(PICTURE_SUFFIXES)


def is_frame_folder(folder: Path) -> bool:
    """Return whether a folder has a numbered picture in it; looks no further than the first.

    Raises:
        OSError: If it cannot be read.
    """
    with os.scandir(folder) as entries:
        return any(
            is_picture(entry.name) and _NUMBERED.fullmatch(Path(entry.name).stem) is not None
            for entry in entries
        )


def frame_series(folder: Path) -> tuple[NumberedPicture, ...]:
    """Return the numbered pictures of a folder, in the order of their numbers.

    The number is the last one in a name: `img_00001.jpg`, `frame1.png`, `0001.jpg` or
    `clip7_000001_rgb.jpg`. Files that are no pictures, pictures without a number, hidden ones and
    optical flow beside the frames are passed over. Numbers may begin anywhere and have gaps.

    Raises:
        ClipError: If the folder cannot be read, holds no numbered pictures, those of several
            series, or two of the same number.
    """
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if is_picture(entry.name))
    except OSError as error:
        raise ClipError(f"{folder}: cannot be read: {error.strerror}") from None
    series: dict[tuple[str, str], list[NumberedPicture]] = {}
    for name in names:
        if match := _NUMBERED.fullmatch(Path(name).stem):
            own = series.setdefault((match["before"], match["after"]), [])
            own.append(NumberedPicture(int(match["number"]), name))
    frames = {key: own for key, own in series.items() if not key[0].startswith(_FLOW)} or series
    if not frames:
        raise ClipError(f"{folder}: has no numbered pictures, such as img_00001.jpg")
    if len(frames) > 1:
        examples = ", ".join(f"{own[0].name} ({len(own)})" for own in frames.values())
        raise ClipError(
            f"{folder}: holds pictures of {len(frames)} series: {examples}; a folder of frames "
            "holds one clip; move the others away"
        )
    (pictures,) = frames.values()
    return _ordered(folder, pictures)


def _ordered(folder: Path, pictures: list[NumberedPicture]) -> tuple[NumberedPicture, ...]:
    in_order = sorted(pictures, key=lambda picture: picture.number)
    for one, other in pairwise(in_order):
        if one.number == other.number:
            raise ClipError(
                f"{folder}: {one.name} and {other.name} have the same number; remove one of them"
            )
    return tuple(in_order)
