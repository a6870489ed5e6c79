"""One decoded frame as a square of pixels: in true proportion, upright, scaled and cropped."""

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

Image = NDArray[np.uint8]

_TO_RGB = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.BITEXACT
"""How colours are converted: bicubic is FFmpeg's own choice; the other two make every processor
give the same pixels."""


def square(frame: av.VideoFrame, size: int, *, pixel_aspect: float = 1.0) -> Image:
    """Return the centre of a frame.

    Args:
        frame: The frame as decoded; it may be on its side, and its pixels need not be square.
        size: Height and width of the result, pixels. The short side of the frame as it is shown is
            scaled to it and the centre of the long side is kept.
        pixel_aspect: Width of a stored pixel divided by its height, as it is to be shown.

    Returns:
        8-bit RGB, shape (size, size, 3).
    """
    pixels = frame.to_ndarray(format="rgb24", interpolation=_TO_RGB)
    quarters = round(frame.rotation / 90)
    upright = np.ascontiguousarray(np.rot90(pixels, quarters), dtype=np.uint8)
    height, width = upright.shape[:2]
    shown_height, shown_width = float(height), float(width)
    if quarters % 2:
        shown_height *= pixel_aspect
    else:
        shown_width *= pixel_aspect
    short = min(shown_height, shown_width)
    new_height, new_width = round(shown_height * size / short), round(shown_width * size / short)
    scaled = _scaled(upright, new_height, new_width, at_once=pixel_aspect == 1)
    top, left = (new_height - size) // 2, (new_width - size) // 2
    # A copy, so that the pixels around it are let go.
    return np.array(scaled[top : top + size, left : left + size], dtype=np.uint8)


def _scaled(pixels: Image, height: int, width: int, *, at_once: bool) -> Image:
    """Scale each side by its own factor.

    OpenCV averages areas only where both sides shrink, so sides of different factors go one by one.
    """
    if not at_once:
        pixels = _resized(pixels, pixels.shape[0], width)
    return _resized(pixels, height, width)


def _resized(pixels: Image, height: int, width: int) -> Image:
    resized = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(resized, dtype=np.uint8)
