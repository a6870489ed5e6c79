"""One picture that shows a data set: a row of frames for each class, with its name."""

import difflib
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fadeline.models.data.clipset import ClipSet
from fadeline.models.errors import ClipError
from fadeline.models.files import complete_or_absent

# Frames are shown at least this wide: 64-pixel ones twice as large, in whole steps, so that every
# pixel stays a square.
SHOWN_PX = 128

GAP_PX = 4
PAPER = 255
INK = (0, 0, 0)
FONT = cv2.FONT_HERSHEY_SIMPLEX
# The smallest scale at which this font is easy to read.
FONT_SCALE = 0.5


def contact_sheet(
    clips: ClipSet,
    *,
    classes: Sequence[str] | None = None,
    per_class: int = 1,
    columns: int = 8,
    seed: int = 0,
) -> NDArray[np.uint8]:
    """Return a picture of classes by frames, the names of the classes on the left.

    Args:
        clips: The data set.
        classes: Names of the classes to show, in this order [all].
        per_class: Clips to show of each class, a row each; all of them if there are fewer.
        columns: Frames to show of each clip, evenly spread from the first to the last; all of
            them if there are fewer.
        seed: Which clips are shown. Those of one class do not depend on which others are shown.

    Returns:
        8-bit RGB, shape (height, width, 3).

    Raises:
        ClipError: If there is no such class, nothing to show, or a clip cannot be read.
    """
    if per_class < 1 or columns < 1:
        raise ClipError(
            f"contact sheet of {clips.name}: {per_class} clips of each class and {columns} "
            "frames of each clip; at least 1 of both are needed"
        )
    wanted = clips.classes if classes is None else classes
    chosen = {name: _choose(clips, _label(clips, name), per_class, seed) for name in wanted}
    rows = [
        (name if index == indices[0] else "", _row(clips.clip(index), columns))
        for name, indices in chosen.items()
        for index in indices
    ]
    if not rows:
        raise ClipError(f"contact sheet of {clips.name}: there are no clips of these classes")
    width_px = max(_text_width_px(name) for name, _ in rows) + 2 * GAP_PX
    lines = [np.hstack([_title(name, width_px, row.shape[0]), row]) for name, row in rows]
    return np.vstack([_gap(lines[0].shape[1]), *lines])


def save_png(image: NDArray[np.uint8], target: Path) -> None:
    """Write a picture as PNG: the whole file, or none.

    Args:
        image: 8-bit RGB, shape (height, width, 3).
        target: The file.

    Raises:
        OSError: If it cannot be written.
    """
    _, content = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    with complete_or_absent(target) as partial:
        partial.write_bytes(content.tobytes())


def _label(clips: ClipSet, name: str) -> int:
    if name in clips.classes:
        return clips.classes.index(name)
    near = difflib.get_close_matches(name, clips.classes, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise ClipError(f"{clips.name}: no class {name!r}; {hint}there are {', '.join(clips.classes)}")


def _choose(clips: ClipSet, label: int, count: int, seed: int) -> list[int]:
    """Return some clips of a class, in the order of the set."""
    members = np.flatnonzero(clips.labels == label)
    random = np.random.default_rng([seed, label])
    chosen = random.choice(members, min(count, len(members)), replace=False)
    return sorted(chosen.tolist())


def _row(pixels: NDArray[np.uint8], columns: int) -> NDArray[np.uint8]:
    """Return some frames of a clip side by side, with a gap after each and below."""
    frames, height, width, _ = pixels.shape
    times = np.linspace(0, frames - 1, min(columns, frames)).round().astype(int)
    scale = max(1, SHOWN_PX // max(height, width))
    shown = pixels[times].repeat(scale, axis=1).repeat(scale, axis=2)
    framed = np.pad(shown, ((0, 0), (0, GAP_PX), (0, GAP_PX), (0, 0)), constant_values=PAPER)
    return np.hstack(list(framed))


def _title(name: str, width_px: int, height_px: int) -> NDArray[np.uint8]:
    image = np.full((height_px, width_px, 3), PAPER, np.uint8)
    cv2.putText(image, name, (GAP_PX, height_px // 2), FONT, FONT_SCALE, INK, 1, cv2.LINE_AA)
    return image


def _text_width_px(text: str) -> int:
    (width_px, _), _ = cv2.getTextSize(text, FONT, FONT_SCALE, 1)
    return width_px


def _gap(width_px: int) -> NDArray[np.uint8]:
    return np.full((GAP_PX, width_px, 3), PAPER, np.uint8)
