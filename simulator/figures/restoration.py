"""A picture of clips before and after: what was sent of them, and what came back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fadeline.simulator.figures.style import house_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Pixels = NDArray[np.uint8]

_DIM = 0.3  # brightness of what is not sent


@dataclass(frozen=True)
class Restoration:
    """A clip through one codec.

    Attributes:
        kept: Positions sent, bool, shape (T, h, w).
        pixels: Restored, shape (T, H, W, 3).
        size_bytes: All bytes sent.
        answer: What the classifier says.
    """

    kept: NDArray[np.bool_]
    pixels: Pixels
    size_bytes: int
    answer: str


def restoration_figure(
    clips: Sequence[tuple[str, Pixels, Mapping[str, Restoration]]], title: str
) -> "Figure":
    """Return the figure: for each clip its frames, what was sent of them and what came back.

    Args:
        clips: True class, pixels (T, H, W, 3) and, by name of the codec, what became of them.
        title: Of the figure.
    """
    from matplotlib.figure import Figure

    rows = 1 + sum(1 + (not r.kept.all()) for r in clips[0][2].values())
    T = len(clips[0][1])
    with house_style(axes_grid=False):
        figure = Figure(
            figsize=(0.55 * T + 1.6, (0.56 * rows + 0.25) * len(clips) + 0.4), layout="constrained"
        )
        axes = figure.subplots(len(clips), 1, squeeze=False)[:, 0]
        for axis, (label, pixels, restorations) in zip(axes, clips, strict=True):
            _panel(axis, label, pixels, restorations)
        figure.suptitle(title)
    return figure


def _panel(axis: Any, label: str, pixels: Pixels, restorations: Mapping[str, Restoration]) -> None:
    lines, names = [_strip(pixels)], [label]
    for codec, restoration in restorations.items():
        if not restoration.kept.all():
            lines.append(_strip(_highlighted(pixels, restoration.kept)))
            names.append(f"{codec}: sent")
        lines.append(_strip(restoration.pixels))
        names.append(f"{codec}: {restoration.size_bytes} bytes, {restoration.answer}")
    height = len(lines[0])
    axis.imshow(np.concatenate(lines), interpolation="nearest")
    axis.set_yticks([height * (n + 0.5) - 0.5 for n in range(len(lines))], names)
    axis.tick_params(length=0)
    axis.set_xticks([])
    for spine in axis.spines.values():
        spine.set_visible(False)


def _strip(pixels: Pixels) -> Pixels:
    """Return frames (T, H, W, 3) side by side, with a thin white line after each."""
    framed = np.pad(pixels, ((0, 0), (0, 2), (0, 2), (0, 0)), constant_values=255)
    return np.concatenate([*framed], axis=1)


def _highlighted(pixels: Pixels, kept: NDArray[np.bool_]) -> Pixels:
    """Return pixels (T, H, W, 3) that are dark where nothing is sent."""
    side = pixels.shape[1] // kept.shape[1]
    bright = np.where(kept, 1.0, _DIM).repeat(side, axis=1).repeat(side, axis=2)[..., None]
    return np.asarray((pixels * bright).astype(np.uint8))
