"""An articulated person: proportions and clothing, a pose, and the shapes it is drawn with.

Lengths are in world units: 1,024 to the side of the picture. Angles are in 1/1024 turns; a limb at
0 hangs straight down and a positive angle is towards where the person faces.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fadeline.models.data.drawn.draws import Draws
from fadeline.models.data.drawn.whole_trig import TURN, cosine, sine

Points = NDArray[np.int64]
Colour = tuple[int, int, int]
Shape = tuple[Points, Colour]
"""Outline in each frame, (T, K, 2) in world units, and 8-bit RGB colour."""

JOINTS = (
    "lean", "head",
    "near_thigh", "near_knee", "far_thigh", "far_knee",
    "near_arm", "near_elbow", "far_arm", "far_elbow",
    "lift", "travel",
)  # fmt: skip
"""Columns of a pose: angles, then height above the ground and way forward, both in thousandths of
the body's height."""

_LEAN, _HEAD, _NTHIGH, _NKNEE, _FTHIGH, _FKNEE, _NARM, _NELBOW, _FARM, _FELBOW, _LIFT, _TRAVEL = (
    range(len(JOINTS))
)

_SKIN: tuple[Colour, ...] = (
    (241, 204, 180), (224, 172, 138), (198, 140, 103), (160, 104, 72), (112, 70, 46), (84, 54, 38),
)  # fmt: skip
_HAIR: tuple[Colour, ...] = (
    (28, 22, 20), (62, 40, 26), (110, 72, 38), (176, 138, 84), (150, 148, 146), (120, 46, 24),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Body:
    """A person's proportions, in thousandths of the height, and colours (8-bit RGB).

    The means are those of Winter, "Biomechanics and Motor Control of Human Movement", figure 4.1
    (trunk 288, thigh 245, shank 246, upper arm 186, forearm with half a hand 200), with the head
    and the limbs drawn stouter than life so that they stay visible at 64 pixels.
    """

    head: int
    neck: int
    trunk: int
    thigh: int
    shank: int
    upper_arm: int
    forearm: int
    shoulder_radius: int
    hip_radius: int
    leg_radius: int
    arm_radius: int
    depth: int
    skin: Colour
    hair: Colour
    shirt: Colour
    trousers: Colour
    shoes: Colour
    sleeves: bool
    shorts: bool


def draw_body(draws: Draws) -> Body:
    """Return a random person."""

    def about(mean: int, percent: int) -> int:
        reach = mean * percent // 100
        return mean + draws.around(reach)

    build = draws.between(105, 145)  # slim to stout, percent
    return Body(
        head=about(76, 8),
        neck=about(118, 6),
        trunk=about(288, 6),
        thigh=about(245, 6),
        shank=about(246, 6),
        upper_arm=about(180, 6),
        forearm=about(190, 6),
        shoulder_radius=about(80, 8) * build // 100,
        hip_radius=about(72, 8) * build // 100,
        leg_radius=about(46, 8) * build // 100,
        arm_radius=about(34, 8) * build // 100,
        depth=about(40, 40),
        skin=draws.pick(_SKIN),
        hair=draws.pick(_HAIR),
        shirt=_cloth(draws),
        trousers=_cloth(draws),
        shoes=_cloth(draws),
        sleeves=draws.chance(60),
        shorts=draws.chance(25),
    )


@dataclass(frozen=True, slots=True)
class Skeleton:
    """Where the joints of a posed body are, over T frames; points have shape (T, 2)."""

    hip: Points
    shoulder: Points
    near_hand: Points
    far_hand: Points
    parts: tuple[Shape, ...]
    """What is drawn, back to front."""


def posed(
    body: Body,
    pose: NDArray[np.int64],
    *,
    height: int,
    facing: int,
    ground: tuple[int, int],
    planted: bool,
) -> Skeleton:
    """Return a body in a sequence of poses.

    Args:
        body: Proportions and colours.
        pose: Shape (T, 12), columns as in `JOINTS`.
        height: Height of the standing person, world units.
        facing: 1 for right, -1 for left.
        ground: Where the person stands: x and y in world units.
        planted: Whether the feet stay where they are while the hip moves.
    """

    def size(thousandths: int) -> int:
        return height * thousandths // 1000

    def limb(start: Points, angle: Points, length: int) -> Points:
        return start + np.stack([facing * sine(angle, length), cosine(angle, length)], axis=-1)

    column = pose.T
    near_shin = column[_NTHIGH] - column[_NKNEE]
    far_shin = column[_FTHIGH] - column[_FKNEE]
    thigh, shank = size(body.thigh), size(body.shank)
    near_reach = sine(column[_NTHIGH], thigh) + sine(near_shin, shank)
    far_reach = sine(column[_FTHIGH], thigh) + sine(far_shin, shank)
    near_drop = cosine(column[_NTHIGH], thigh) + cosine(near_shin, shank)
    far_drop = cosine(column[_FTHIGH], thigh) + cosine(far_shin, shank)

    hip_x = ground[0] + facing * ((column[_TRAVEL] * height) // 1000)
    if planted:
        hip_x = hip_x - facing * ((near_reach + far_reach) >> 1)
    hip_y = ground[1] - np.maximum(near_drop, far_drop) - (column[_LIFT] * height) // 1000
    hip = np.stack([hip_x, hip_y - size(body.leg_radius)], axis=-1)

    half = np.array([facing * size(body.depth) // 2, 0])
    up = TURN // 2  # a trunk points upwards
    shoulder = limb(hip, up - column[_LEAN], size(body.trunk))
    head = limb(shoulder, up - column[_LEAN] - column[_HEAD], size(body.neck))
    near_hip, far_hip = hip + half, hip - half
    near_knee = limb(near_hip, column[_NTHIGH], thigh)
    far_knee = limb(far_hip, column[_FTHIGH], thigh)
    near_foot = limb(near_knee, near_shin, shank)
    far_foot = limb(far_knee, far_shin, shank)
    near_shoulder, far_shoulder = shoulder + half, shoulder - half
    near_fore = column[_NARM] + column[_NELBOW]
    far_fore = column[_FARM] + column[_FELBOW]
    near_elbow = limb(near_shoulder, column[_NARM], size(body.upper_arm))
    far_elbow = limb(far_shoulder, column[_FARM], size(body.upper_arm))
    near_hand = limb(near_elbow, near_fore, size(body.forearm))
    far_hand = limb(far_elbow, far_fore, size(body.forearm))

    leg, arm = size(body.leg_radius), size(body.arm_radius)
    lower_leg = body.skin if body.shorts else body.trousers
    lower_arm = body.shirt if body.sleeves else body.skin
    toe = np.array([facing * leg, 0])

    def leg_parts(a: Points, b: Points, c: Points, far: bool) -> list[Shape]:
        return [
            (_capsule(b, c, leg * 4 // 5, leg * 3 // 5), _shade(lower_leg, far)),
            (_capsule(c - toe // 3, c + toe, leg * 3 // 5, leg // 2), _shade(body.shoes, far)),
            (_capsule(a, b, leg, leg * 4 // 5), _shade(body.trousers, far)),
        ]

    def arm_parts(a: Points, b: Points, c: Points, far: bool) -> list[Shape]:
        return [
            (_capsule(b, c, arm * 9 // 10, arm * 3 // 4), _shade(lower_arm, far)),
            (_disc(c, arm * 11 // 10), _shade(body.skin, True)),  # a hand shows before the face
            (_capsule(a, b, arm * 11 // 10, arm), _shade(body.shirt, far)),
        ]

    radius = size(body.head)
    crown = limb(head, up - column[_LEAN] - column[_HEAD] + TURN // 8, radius // 3)
    face = head + np.array([facing * radius // 2, radius // 5])
    trunk = _capsule(hip, shoulder, size(body.hip_radius), size(body.shoulder_radius))
    parts = (
        *arm_parts(far_shoulder, far_elbow, far_hand, True),
        *leg_parts(far_hip, far_knee, far_foot, True),
        (_capsule(shoulder, head, arm, arm), body.skin),
        *leg_parts(near_hip, near_knee, near_foot, False),
        (trunk, body.shirt),
        (_disc(crown, radius), body.hair),
        (_disc(head + np.array([facing * radius // 5, 0]), radius * 9 // 10), body.skin),
        (_disc(face, radius // 3), _shade(body.skin, True)),
        *arm_parts(near_shoulder, near_elbow, near_hand, False),
    )
    return Skeleton(hip, shoulder, near_hand, far_hand, parts)


_ROUND = np.arange(12) * TURN // 12


def _disc(centre: Points, radius: int) -> Points:
    ring = np.stack([sine(_ROUND, radius), cosine(_ROUND, radius)], axis=-1)
    return centre[:, None, :] + ring[None]


def _capsule(start: Points, end: Points, start_radius: int, end_radius: int) -> Points:
    """Return the outline of a limb with round ends, tapering: shape (T, 12, 2).

    The normal is taken from whichever multiple of a twelfth turn fits best, so no square root is
    needed and the outline stays convex.
    """
    ring_start = np.stack([sine(_ROUND, start_radius), cosine(_ROUND, start_radius)], axis=-1)
    ring_end = np.stack([sine(_ROUND, end_radius), cosine(_ROUND, end_radius)], axis=-1)
    way = end - start
    unit = np.stack([sine(_ROUND, 1 << 10), cosine(_ROUND, 1 << 10)], axis=-1)
    ahead = way @ unit.T > 0  # (T, 12): which points of the ring look towards the end
    return np.where(
        ahead[..., None], end[:, None, :] + ring_end[None], start[:, None, :] + ring_start[None]
    )


def _shade(colour: Colour, far: bool) -> Colour:
    return (colour[0] * 3 // 4, colour[1] * 3 // 4, colour[2] * 3 // 4) if far else colour


def _cloth(draws: Draws) -> Colour:
    """Return a colour of clothes: any hue, from dark to bright."""
    level = draws.between(40, 220)
    spread = draws.between(0, 90)
    red, green, blue = (max(10, min(245, level + draws.around(spread))) for _ in range(3))
    return red, green, blue
