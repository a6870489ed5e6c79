"""What surrounds a person: background, other people and things, and what stands in front.

Nothing here knows the action, and all that moves does so in a way that looks the same backwards, so
the surroundings tell nothing of the class.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from fadeline.models.data.drawn.body import Colour, Shape
from fadeline.models.data.drawn.draws import Draws
from fadeline.models.data.drawn.whole_trig import TURN, cosine, sine

Image = NDArray[np.uint8]

CORNERS = ((-1, -1), (1, -1), (1, 1), (-1, 1))
"""Of a rectangle, in units of half its sides."""

_OCTAVES = 6
"""Layers of the background texture (our choice): cells from a third of the canvas to a pixel."""


def draw_background(draws: Draws, side: int, horizon: int, *, contrast: int, things: int) -> Image:
    """Return a background: wall and floor with 1/f texture, and still things.

    Natural pictures have amplitude spectra that fall as 1/f, that is, equal contrast in every
    octave (Field, "Relations between the statistics of natural images ...", 1987).

    Args:
        draws: Stream of choices.
        side: Side of the square canvas in pixels.
        horizon: Row where the wall meets the floor, in pixels.
        contrast: Peak of each octave of the texture, in grey levels.
        things: Number of still things, at most.
    """
    canvas = np.empty((side, side, 3), dtype=np.int16)
    wall, floor = (np.array(paint(draws), dtype=np.int16) for _ in range(2))
    canvas[:horizon], canvas[horizon:] = wall, floor
    flat = np.zeros((side, side, 3), dtype=np.uint8)
    np.clip(canvas, 0, 255, out=canvas)
    flat[:] = canvas
    for _ in range(draws.between(things // 2, things)):
        _still_thing(draws, flat, side)
    texture = _texture(draws, side, contrast)
    textured: Image = np.clip(flat.astype(np.int16) + texture, 0, 255).astype(np.uint8)
    return textured


def _texture(draws: Draws, side: int, contrast: int) -> NDArray[np.int16]:
    """Return 1/f noise, shape (side, side, 3)."""
    total = np.zeros((side, side, 3), dtype=np.int16)
    for octave in range(_OCTAVES):
        cells = 3 << octave
        grid = draws.octets(cells * cells * 3).reshape(cells, cells, 3)
        grid = grid // 4 + grid[..., :1] // 4 * 3  # natural texture is mostly of brightness
        layer = cv2.resize(grid, (side, side), interpolation=cv2.INTER_LINEAR_EXACT)
        total += ((layer.astype(np.int16) - 128) * contrast) >> 7
    return total


def _still_thing(draws: Draws, canvas: Image, side: int) -> None:
    """Draw a picture frame, window, cupboard, post or bush."""
    colour = paint(draws)
    width, height = (draws.between(side // 30, side // 5) for _ in range(2))
    x, y = (draws.between(-side // 20, side) for _ in range(2))
    if draws.chance(35):
        centre = (x, y)
        cv2.circle(canvas, centre, width // 2 + 1, colour, -1)
    elif draws.chance(40):
        cv2.rectangle(canvas, (x, y), (x + width // 4 + 1, side), colour, -1)
    else:
        cv2.rectangle(canvas, (x, y), (x + width, y + height), colour, -1)
        if draws.chance(50):
            inner = paint(draws)
            edge = max(2, side // 96)
            cv2.rectangle(
                canvas, (x + edge, y + edge), (x + width - edge, y + height - edge), inner, -1
            )


def draw_movers(draws: Draws, frames: int, count: int) -> list[Shape]:
    """Return things that drift or swing to and fro, in world units."""
    time = np.arange(frames, dtype=np.int64)
    movers = []
    for _ in range(count):
        x, y = draws.between(0, 1023), draws.between(0, 1023)
        width, height = draws.between(30, 130), draws.between(30, 130)
        if draws.chance(60):  # drifts through at a steady pace
            centre = np.stack([x + time * draws.around(45), y + time * draws.around(15)], axis=-1)
            centre -= (centre[-1] - centre[0]) // 2
        else:  # swings
            way = draws.pick((-1, 1))
            angle = way * time * draws.between(20, 200) + draws.below(TURN)
            reach = draws.between(20, 120)
            centre = np.stack([x + sine(angle, reach), y + cosine(angle, reach // 3)], axis=-1)
        if draws.chance(50):
            ring = np.arange(12) * TURN // 12
            outline = np.stack([sine(ring, width // 2), cosine(ring, height // 2)], axis=-1)
        else:
            outline = np.array(CORNERS) * np.array((width // 2, height // 2))
        movers.append((centre[:, None, :] + outline[None], paint(draws)))
    return movers


def draw_occluders(draws: Draws, frames: int, count: int) -> list[Shape]:
    """Return posts, branches and boxes that stand in front of everything, in world units."""
    occluders = []
    for _ in range(count):
        x = draws.between(100, 924)
        half = draws.between(14, 55)
        if draws.chance(50):
            top, bottom = -400, 1424
        else:
            top = draws.between(200, 900)
            bottom = top + draws.between(60, 260)
        corners = np.array(
            [(x - half, top), (x + half, top), (x + half, bottom), (x - half, bottom)]
        )
        occluders.append((np.repeat(corners[None], frames, axis=0), paint(draws)))
    return occluders


def paint(draws: Draws) -> Colour:
    """Return a colour of walls and things: mostly muted."""
    level, tint = draws.between(40, 210), draws.between(5, 50)
    red, green, blue = (max(0, min(255, level + draws.around(tint))) for _ in range(3))
    return red, green, blue
