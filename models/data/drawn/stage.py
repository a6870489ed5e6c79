"""A clip of one action: the actor is placed, the camera moves, everything is drawn.

The whole finished clip of a backwards action is turned round in time, light, camera and noise with
it, so nothing but the order of its frames tells it from the forward one.
"""

from dataclasses import dataclass
from functools import cache
from statistics import NormalDist

import cv2
import numpy as np
from numpy.typing import NDArray

from fadeline.models.data.drawn.body import Body, Colour, Shape, Skeleton, draw_body, posed
from fadeline.models.data.drawn.draws import Draws
from fadeline.models.data.drawn.gestures import Action, Gesture, idle
from fadeline.models.data.drawn.scenery import (
    CORNERS,
    draw_background,
    draw_movers,
    draw_occluders,
    paint,
)

WORLD = 1024
"""World units to the side of the picture."""

_SHIFT = 4  # fractional bits of the coordinates that OpenCV's polygon filler takes
_OVERSAMPLING = 2  # canvas pixels to the side of a picture's pixel
# A cup and a telephone are a pixel or two wide: seen at full resolution for their contrast alone.
_CHINA = (240, 240, 236)
_EBONITE = (16, 18, 22)
_LIGHT_BITS = 6  # the brightest pixel times the strongest light still fits 16 bits


@dataclass(frozen=True, slots=True)
class Difficulty:
    """How hard clips are to recognise; set once, on validation clips.

    Attributes:
        height: Height of the standing actor, world units, lowest and highest.
        contrast: Peak of each octave of the background's texture, grey levels, lowest and highest.
        things: Still things in the background, at most.
        movers: Moving things behind the actor, at most.
        nearer: Moving things in front of the actor, at most.
        bystander: Chance that somebody stands about, percent.
        occluder: Chance of a thing standing in front of the actor, percent.
        pan: Way of the camera over the clip, world units, at most.
        shake: Jump of the camera from frame to frame, world units, at most.
        light: Change of brightness over the clip, percent, at most.
        noise: Standard deviation of the sensor's noise, grey levels, lowest and highest.
    """

    height: tuple[int, int] = (556, 700)
    contrast: tuple[int, int] = (5, 28)
    things: int = 6
    movers: int = 2
    nearer: int = 1
    bystander: int = 20
    occluder: int = 25
    pan: int = 80
    shake: int = 10
    light: int = 35
    noise: tuple[int, int] = (1, 5)


@dataclass(frozen=True, slots=True)
class Cast:
    """Who acts and where.

    Attributes:
        draws: The clip's own stream.
        actor: The person who acts.
        scene: The scene's stream.
    """

    draws: Draws
    actor: Body
    scene: Draws


def draw_clip(
    cast: Cast, action: Action, difficulty: Difficulty, *, frames: int, size: int
) -> NDArray[np.uint8]:
    """Return a clip of an action: 8-bit RGB, shape (frames, size, size, 3)."""
    stage = _Stage(cast, action, difficulty, frames)
    side = size * _OVERSAMPLING
    canvas = stage.filmed(side)
    small = cv2.resize(
        canvas.reshape(frames * side, side, 3), (size, frames * size), interpolation=cv2.INTER_AREA
    ).reshape(frames, size, size, 3)
    lit = (small.astype(np.int16) * stage.light[:, None, None, None]) >> _LIGHT_BITS
    octets = cast.draws.octets(lit.size).reshape(lit.shape)
    np.clip(lit + stage.grain[octets], 0, 255, out=lit)
    clip = lit.astype(np.uint8)
    return np.ascontiguousarray(clip[::-1]) if action.backwards else clip


class _Stage:
    """Everything of a clip that does not depend on the size of the picture."""

    def __init__(self, cast: Cast, action: Action, difficulty: Difficulty, frames: int) -> None:
        draws, scene = cast.draws, cast.scene
        self._scene, self._frames = scene, frames
        self._contrast = scene.between(*difficulty.contrast)
        self._things = difficulty.things
        gesture = action.gesture(draws, frames)
        height, facing = draws.between(*difficulty.height), draws.pick((-1, 1))
        ground_y = draws.between(max(height + 60, 700), 1000)
        self._horizon = ground_y - scene.between(40, 260)
        self.skeleton = self._placed(cast.actor, gesture, height, facing, ground_y, draws)
        self._camera = self._path(draws, difficulty)
        behind = draw_movers(draws, frames, draws.between(0, difficulty.movers))
        nearer = draw_movers(draws, frames, draws.between(0, difficulty.nearer))
        occluders = draw_occluders(draws, frames, int(draws.chance(difficulty.occluder)))
        self._shapes: list[Shape] = [
            *behind,
            *self._bystander(draws, difficulty.bystander, ground_y, height),
            *self._props(gesture, height, facing, ground_y, draws),
            *nearer,
            *occluders,
        ]
        change = draws.around(difficulty.light)
        ramp = 100 + change * (2 * np.arange(frames) - (frames - 1)) // (2 * (frames - 1))
        level = draws.between(75, 120)
        self.light = (ramp * level * (1 << _LIGHT_BITS) // 10_000).astype(np.int16)
        self.grain = _grain(draws.between(*difficulty.noise))

    def filmed(self, side: int) -> NDArray[np.uint8]:
        """Return the frames before light and noise, shape (T, side, side, 3)."""
        margin = side // 4
        wide = side + 2 * margin
        background = draw_background(
            self._scene,
            wide,
            margin + self._horizon * side // WORLD,
            contrast=self._contrast,
            things=self._things,
        )
        canvas = np.empty((self._frames, side, side, 3), dtype=np.uint8)
        corners = np.clip(margin + (self._camera * side) // WORLD, 0, 2 * margin)
        for picture, (x, y) in zip(canvas, corners.tolist(), strict=True):
            picture[:] = background[y : y + side, x : x + side]
        self.fill(canvas, self._shapes)
        return canvas

    def fill(self, canvas: NDArray[np.uint8], shapes: list[Shape]) -> None:
        """Draw shapes over frames, shape (T, side, side) or (T, side, side, 3)."""
        side = canvas.shape[1]
        for outline, colour in shapes:
            seen = ((outline - self._camera[:, None, :]) * (side << _SHIFT) // WORLD).astype(
                np.int32
            )
            for picture, points in zip(canvas, seen, strict=True):
                cv2.fillConvexPoly(picture, points, colour, cv2.LINE_8, _SHIFT)

    def _placed(
        self, body: Body, gesture: Gesture, height: int, facing: int, ground_y: int, draws: Draws
    ) -> Skeleton:
        """Return the actor where the whole action fits into the picture."""

        def at(x: int) -> Skeleton:
            return posed(
                body,
                gesture.pose,
                height=height,
                facing=facing,
                ground=(x, ground_y),
                planted=gesture.planted,
            )

        trial = at(0).hip[:, 0]
        reach = height * 22 // 100
        left, right = reach - int(trial.min()), WORLD - reach - int(trial.max())
        return at(draws.between(left, right) if left < right else (left + right) // 2)

    def _path(self, draws: Draws, difficulty: Difficulty) -> NDArray[np.int64]:
        """Return where the camera looks in each frame, (T, 2): it follows, drifts and shakes."""
        frames = self._frames
        hip = self.skeleton.hip
        middle = (hip.max(axis=0) + hip.min(axis=0)) // 2
        followed = (hip[:, :1] - middle[0]) * draws.between(0, 100) // 100
        drift = np.array([draws.around(difficulty.pan), draws.around(difficulty.pan // 3)])
        time = (2 * np.arange(frames)[:, None] - (frames - 1)) * drift // (2 * (frames - 1))
        shake = np.array(
            [[draws.around(difficulty.shake) for _ in range(2)] for _ in range(frames)]
        )
        path: NDArray[np.int64] = time + shake
        path[:, :1] += followed
        return path

    def _bystander(self, draws: Draws, chance: int, ground_y: int, height: int) -> list[Shape]:
        if not draws.chance(chance):
            return []
        person = draw_body(draws)
        smaller = height * draws.between(45, 75) // 100
        skeleton = posed(
            person,
            idle(draws, self._frames),
            height=smaller,
            facing=draws.pick((-1, 1)),
            ground=(draws.between(60, WORLD - 60), ground_y - draws.between(40, 120)),
            planted=True,
        )
        return list(skeleton.parts)

    def _props(
        self, gesture: Gesture, height: int, facing: int, ground_y: int, draws: Draws
    ) -> list[Shape]:
        """Return the actor and what is used, back to front."""
        skeleton = self.skeleton
        body = list(skeleton.parts)
        colour = paint(draws)

        def size(low: int, high: int) -> int:
            return height * draws.between(low, high) // 1000

        if gesture.prop == "chair":
            return [*self._chair(skeleton, height, facing, ground_y, colour), *body]
        if gesture.prop == "box":
            width, tall = size(180, 330), size(520, 760)
            x = (skeleton.near_hand[:, 0] + skeleton.far_hand[:, 0]) // 2
            steady = x[:1] + skeleton.hip[:, 0] - skeleton.hip[:1, 0]  # the hands may tremble
            centre = np.stack(
                [steady + facing * width // 2, np.full_like(steady, ground_y - tall // 2)], axis=-1
            )
            return [(_box(centre, width, tall), colour), *body]
        if gesture.prop == "parcel":
            side = size(110, 170)
            return self._parcel(gesture, skeleton, side, ground_y, colour, paint(draws), body)
        if gesture.prop == "cup":
            width, tall = size(26, 37), size(41, 56)
            return [*body, (_box(skeleton.near_hand, width, tall), _CHINA)]
        if gesture.prop == "telephone":
            width, tall = size(19, 27), size(62, 84)
            return [*body, (_box(skeleton.near_hand, width, tall), _EBONITE)]
        return body

    def _chair(
        self, skeleton: Skeleton, height: int, facing: int, ground_y: int, colour: Colour
    ) -> list[Shape]:
        """Return seat, back and legs; the seat is where the hip is when it is lowest."""
        lowest = int(skeleton.hip[:, 1].argmax())
        x, y = skeleton.hip[lowest].tolist()
        y += height * 70 // 1000
        deep, thick = height * 130 // 1000, height * 30 // 1000
        back = x - facing * deep
        parts = [
            ((back, x + facing * deep), (y, y + thick)),
            ((back, back + facing * thick), (y - height * 300 // 1000, ground_y)),
            ((x + facing * (deep - thick), x + facing * deep), (y, ground_y)),
        ]
        return [(self._still(xs, ys), colour) for xs, ys in parts]

    def _parcel(
        self,
        gesture: Gesture,
        skeleton: Skeleton,
        side: int,
        ground_y: int,
        colour: Colour,
        stool: Colour,
        body: list[Shape],
    ) -> list[Shape]:
        """Return a parcel that lies on a stool until it is gripped and then goes with the hand."""
        hand = skeleton.near_hand
        first = hand[int(gesture.grip.argmax())]
        centre = np.where(gesture.grip[:, None], hand, first[None])
        x, top = int(first[0]), int(first[1]) + side // 2
        legs = self._still((x - side * 2 // 3, x + side * 2 // 3), (top, max(top, ground_y)))
        return [(legs, stool), *body, (_box(centre, side, side), colour)]

    def _still(self, xs: tuple[int, int], ys: tuple[int, int]) -> NDArray[np.int64]:
        """Return a rectangle that does not move, (T, 4, 2)."""
        corners = np.array(
            [(xs[0], ys[0]), (xs[1], ys[0]), (xs[1], ys[1]), (xs[0], ys[1])], dtype=np.int64
        )
        return np.repeat(corners[None], self._frames, axis=0)


def _box(centre: NDArray[np.int64], width: int, height: int) -> NDArray[np.int64]:
    """Return upright rectangles about centres (T, 2): shape (T, 4, 2)."""
    corners: NDArray[np.int64] = np.array(CORNERS) * np.array((width // 2, height // 2))
    return centre[:, None, :] + corners


@cache
def _grain(deviation: int) -> NDArray[np.int16]:
    """Return noise for each value of a random octet, shape (256,): normal quantiles, rounded."""
    normal = NormalDist(0, deviation)
    levels = [round(normal.inv_cdf((k + 0.5) / 256)) for k in range(256)]
    grain = np.array(levels, dtype=np.int16)
    grain.flags.writeable = False  # it is shared between clips
    return grain
