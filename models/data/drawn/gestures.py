"""The actions: how a body moves in each, as poses over time.

Four pairs of actions are exact time reversals of each other (sit down and stand up, ...): only the
first of each pair has poses here, the second is the whole finished clip played backwards. Two pairs
differ only in tempo. Four raise a hand to the head: they differ in where it ends and what it holds.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fadeline.models.data.drawn.body import JOINTS
from fadeline.models.data.drawn.draws import Draws
from fadeline.models.data.drawn.whole_trig import TURN, eased, sine

Pose = NDArray[np.int64]
Track = NDArray[np.int64]

TICKS = 64
"""Parts of a frame in which times are drawn (our choice): finer than any motion shows."""


@dataclass(frozen=True, slots=True)
class Gesture:
    """One way of moving.

    Attributes:
        pose: Poses, shape (T, 12); see `JOINTS`.
        grip: From which frames on the near hand holds something: bool, shape (T,).
        prop: What is used: "none", "chair", "box", "parcel", "cup" or "telephone".
        planted: Whether the feet stay where they are.
    """

    pose: Pose
    grip: NDArray[np.bool_]
    prop: str
    planted: bool


@dataclass(frozen=True, slots=True)
class Action:
    """A class of the data set.

    Attributes:
        name: Name of the class.
        gesture: Makes the poses of one performance of T frames.
        backwards: Whether the finished clip is played backwards.
    """

    name: str
    gesture: Callable[[Draws, int], Gesture]
    backwards: bool = False


def idle(draws: Draws, frames: int) -> Pose:
    """Return poses of somebody who stands about, shape (T, 12)."""
    return _gesture(_columns(frames, draws)).pose


def _columns(frames: int, draws: Draws) -> dict[str, Track]:
    """Return the tracks of a body that stands about: each (T,)."""
    tracks = {joint: np.zeros(frames, dtype=np.int64) for joint in JOINTS}
    tracks["lean"] += draws.between(-8, 20)
    tracks["head"] += draws.between(-15, 25)
    tracks["near_thigh"] += draws.between(0, 35)
    tracks["far_thigh"] -= draws.between(0, 35)
    tracks["near_knee"] += draws.between(0, 20)
    tracks["far_knee"] += draws.between(0, 20)
    _rest_arm(tracks, "near", draws)
    _rest_arm(tracks, "far", draws)
    sway = draws.between(0, 6)
    tracks["lean"] += sine(_clock(frames) * draws.between(3, 8) + draws.below(TURN), sway)
    return tracks


def _rest_arm(tracks: dict[str, Track], side: str, draws: Draws) -> None:
    if draws.chance(70):  # hanging
        tracks[f"{side}_arm"] += draws.between(-45, 40)
        tracks[f"{side}_elbow"] += draws.between(0, 70)
    else:  # hand on the hip, or before the belly
        tracks[f"{side}_arm"] += draws.between(-110, -30)
        tracks[f"{side}_elbow"] += draws.between(150, 260)


def _clock(frames: int) -> Track:
    return np.arange(frames, dtype=np.int64) * TICKS


def _window(draws: Draws, frames: int, shortest: int, longest: int) -> tuple[int, int]:
    """Return start and length of the action in ticks, with stills before and after.

    Start and end are drawn alike, so that a reversed clip has the same odds.
    """
    length = draws.between(shortest * TICKS, longest * TICKS)
    margin = TICKS
    return draws.between(margin, (frames - 1) * TICKS - length - margin), length


def _phase(frames: int, start: int, length: int) -> Track:
    """Return how far the action is in each frame: 0 before, 1,024 after."""
    return np.clip((_clock(frames) - start) * 1024 // length, 0, 1024)


def _between(low: Track | int, high: Track | int, phase: Track) -> Track:
    """Return values moving from `low` to `high` as the phase goes from 0 to 1,024."""
    return low + ((high - low) * phase >> 10)


def _held(phase: Track, rise: int) -> Track:
    """Return a phase that rises in the first `rise` parts, holds, and falls in the last `rise`."""
    up = np.clip(phase * 1024 // rise, 0, 1024)
    down = np.clip((1024 - phase) * 1024 // rise, 0, 1024)
    return eased(np.minimum(up, down))


def _set(tracks: dict[str, Track], weight: Track, **targets: Track | int) -> None:
    """Move joints from where they are to `targets` by a weight from 0 to 1,024."""
    for joint, target in targets.items():
        tracks[joint] = _between(tracks[joint], target, weight)


def _gesture(
    tracks: dict[str, Track],
    prop: str = "none",
    grip: NDArray[np.bool_] | None = None,
    planted: bool = True,
) -> Gesture:
    pose = np.stack([tracks[joint] for joint in JOINTS], axis=-1)
    empty = np.zeros(len(pose), dtype=np.bool_)
    return Gesture(pose, empty if grip is None else grip, prop, planted)


def _sit(draws: Draws, frames: int) -> Gesture:
    tracks = _columns(frames, draws)
    start, length = _window(draws, frames, 3, 7)
    phase = eased(_phase(frames, start, length))
    thigh = draws.between(225, 265)
    _set(
        tracks, phase,
        near_thigh=thigh, far_thigh=thigh - draws.between(5, 25),
        near_knee=draws.between(225, 275), far_knee=draws.between(215, 275),
        near_arm=draws.between(40, 110), near_elbow=draws.between(60, 160),
        far_arm=draws.between(40, 110), far_elbow=draws.between(60, 160),
    )  # fmt: skip
    bow = sine(phase // 2, draws.between(80, 130))
    tracks["lean"] = tracks["lean"] + bow
    return _gesture(tracks, "chair")


def _pick(draws: Draws, frames: int) -> Gesture:
    tracks = _columns(frames, draws)
    start, length = _window(draws, frames, 6, 9)
    phase = _phase(frames, start, length)
    down = _held(phase, 512)
    _set(
        tracks, down,
        lean=draws.between(150, 220), head=draws.between(-60, 0),
        near_thigh=draws.between(90, 170), near_knee=draws.between(140, 230),
        far_thigh=draws.between(40, 110), far_knee=draws.between(120, 220),
        near_arm=draws.between(60, 120), near_elbow=draws.between(0, 40),
        far_arm=draws.between(40, 120), far_elbow=draws.between(0, 60),
    )  # fmt: skip
    carry = eased(np.clip((phase - 512) * 2, 0, 1024))
    _set(tracks, carry, near_arm=draws.between(10, 60), near_elbow=draws.between(120, 220))
    return _gesture(tracks, "parcel", phase >= 512)


def _push(draws: Draws, frames: int) -> Gesture:
    tracks = _columns(frames, draws)
    start, length = _window(draws, frames, 7, 10)
    ticks = np.clip(_clock(frames) - start, 0, length)
    cycle = draws.between(9 * TICKS, 12 * TICKS)
    whole = np.full(frames, 1024, dtype=np.int64)
    angle = ticks * TURN // cycle + draws.below(TURN)
    _set(tracks, whole, **_steps(angle, draws.between(60, 90)))
    arm = draws.between(190, 240)
    _set(
        tracks, whole,
        lean=draws.between(45, 100), head=draws.between(-60, -10),
        near_arm=arm, near_elbow=draws.between(5, 50),
        far_arm=arm + draws.around(15), far_elbow=draws.between(5, 50),
    )  # fmt: skip
    tracks["travel"] = ticks * draws.between(500, 750) // cycle
    return _gesture(tracks, "box", planted=False)


def _wind(draws: Draws, frames: int) -> Gesture:
    tracks = _columns(frames, draws)
    start, length = _window(draws, frames, 9, 13)
    ticks = np.clip(_clock(frames) - start, 0, length)
    cycle = draws.between(8 * TICKS, 12 * TICKS)
    turns = max(1, length // cycle)
    angle = ticks * turns * TURN // length
    straight = np.full(frames, 1024, dtype=np.int64)
    _set(tracks, straight, near_elbow=draws.between(70, 140))
    tracks["near_arm"] = tracks["near_arm"] + angle
    if draws.chance(50):
        _set(tracks, straight, far_elbow=draws.between(70, 140))
        tracks["far_arm"] = tracks["far_arm"] + angle
    return _gesture(tracks)


def _steps(angle: Track, stride: int) -> dict[str, Track]:
    """Return legs that swing against each other; a knee bends as its leg comes forward."""
    swing, knee = sine(angle, stride), sine(angle + TURN // 4, stride * 6 // 5)
    return {
        "near_thigh": stride // 5 + swing,
        "far_thigh": stride // 5 - swing,
        "near_knee": 15 + np.maximum(0, knee),
        "far_knee": 15 + np.maximum(0, -knee),
    }


def _stride(draws: Draws, frames: int, fastest: int, slowest: int) -> Gesture:
    """Walk or run: alike but for the time a cycle of two steps takes, in ticks."""
    tracks = _columns(frames, draws)
    start, length = _window(draws, frames, 10, 13)
    ticks = np.clip(_clock(frames) - start, 0, length)
    moving = _held(_phase(frames, start, length), 150)
    angle = ticks * TURN // draws.between(fastest, slowest) + draws.below(TURN)
    stride, elbow = draws.between(60, 105), draws.between(20, 220)
    swing = sine(angle, stride * draws.between(50, 110) // 100)
    _set(tracks, moving, **_steps(angle, stride))
    _set(tracks, moving, near_elbow=elbow, far_elbow=elbow, near_arm=-swing, far_arm=swing)
    _set(tracks, moving, lean=draws.between(5, 60))
    bounce = draws.between(5, 30)
    _set(tracks, moving, lift=bounce - np.abs(sine(angle, bounce)))
    tracks["travel"] = ticks * draws.between(300, 700) // (9 * TICKS)
    return _gesture(tracks, planted=False)


def _walk(draws: Draws, frames: int) -> Gesture:
    return _stride(draws, frames, 11 * TICKS, 14 * TICKS)


def _run(draws: Draws, frames: int) -> Gesture:
    return _stride(draws, frames, 11 * TICKS // 2, 7 * TICKS)


def _swing_hand(draws: Draws, frames: int, fastest: int, slowest: int) -> Gesture:
    """Wave a raised hand, slowly or quickly: the time of one swing in ticks."""
    tracks = _columns(frames, draws)
    start, length = _window(draws, frames, 10, 13)
    phase = _phase(frames, start, length)
    cycle = draws.between(fastest, slowest)
    swing = sine(_clock(frames) * TURN // cycle + draws.below(TURN), draws.between(45, 88))
    side = draws.pick(("near", "far"))
    raised = _held(phase, 200)
    arm, elbow = draws.between(300, 420), draws.between(60, 140)
    targets: dict[str, Track | int] = {f"{side}_arm": arm, f"{side}_elbow": elbow + swing}
    _set(tracks, raised, **targets)
    return _gesture(tracks)


def _wave(draws: Draws, frames: int) -> Gesture:
    return _swing_hand(draws, frames, 9 * TICKS, 12 * TICKS)


def _flap(draws: Draws, frames: int) -> Gesture:
    return _swing_hand(draws, frames, 7 * TICKS // 2, 5 * TICKS)


def _to_face(
    draws: Draws, frames: int, arm: tuple[int, int], elbow: tuple[int, int], head: tuple[int, int]
) -> tuple[dict[str, Track], Track]:
    """Raise the near hand to a place of the head and lower it again; return how far it is up."""
    tracks = _columns(frames, draws)
    start, length = _window(draws, frames, 9, 13)
    raised = _held(_phase(frames, start, length), 340)
    _set(
        tracks, raised,
        near_arm=draws.between(*arm), near_elbow=draws.between(*elbow), head=draws.between(*head),
    )  # fmt: skip
    return tracks, raised


def _drink(draws: Draws, frames: int) -> Gesture:
    tracks, _ = _to_face(draws, frames, (166, 192), (398, 416), (-35, 20))
    return _gesture(tracks, "cup", np.ones(frames, dtype=np.bool_))


def _phone(draws: Draws, frames: int) -> Gesture:
    tracks, _ = _to_face(draws, frames, (258, 292), (378, 402), (-30, 15))
    return _gesture(tracks, "telephone", np.ones(frames, dtype=np.bool_))


def _salute(draws: Draws, frames: int) -> Gesture:
    tracks, _ = _to_face(draws, frames, (258, 292), (344, 368), (-30, 15))
    return _gesture(tracks)


def _cough(draws: Draws, frames: int) -> Gesture:
    tracks, raised = _to_face(draws, frames, (166, 192), (398, 416), (-35, 20))
    bows = np.abs(sine(_clock(frames) * draws.between(2, 3) + draws.below(TURN), 1024))
    tracks["lean"] = tracks["lean"] + (raised * bows * draws.between(10, 28) >> 20)
    return _gesture(tracks)


def _punch(draws: Draws, frames: int) -> Gesture:
    tracks = _columns(frames, draws)
    start, length = _window(draws, frames, 9, 13)
    phase = _phase(frames, start, length)
    guard = _held(phase, 200)
    beats = draws.between(2, 3)
    out = sine((phase * beats * (TURN // 2)) >> 10, 1024)
    thrust = np.abs(out)
    _set(
        tracks, guard,
        near_arm=_between(draws.between(10, 60), draws.between(230, 275), thrust),
        near_elbow=_between(draws.between(280, 340), draws.between(0, 30), thrust),
        far_arm=draws.between(20, 80), far_elbow=draws.between(280, 360),
        near_thigh=draws.between(40, 80), far_thigh=-draws.between(30, 70),
    )  # fmt: skip
    tracks["lean"] = tracks["lean"] + (thrust * guard * draws.between(20, 50) >> 20)
    return _gesture(tracks)


def _kick(draws: Draws, frames: int) -> Gesture:
    tracks = _columns(frames, draws)
    start, length = _window(draws, frames, 6, 10)
    phase = _phase(frames, start, length)
    thrust = _held(phase, 480)
    chamber = np.minimum(1024, sine(phase // 2, 1300))
    _set(
        tracks, chamber,
        near_thigh=draws.between(150, 290), near_knee=draws.between(130, 220),
        lean=-draws.between(20, 90), near_arm=-draws.between(20, 120),
        far_arm=draws.between(60, 200), far_elbow=draws.between(60, 200),
    )  # fmt: skip
    _set(tracks, thrust, near_knee=draws.between(0, 30))
    tracks["far_thigh"] = tracks["far_thigh"] - (thrust * 30 >> 10)
    return _gesture(tracks, planted=False)


ACTIONS: tuple[Action, ...] = (
    Action("sit_down", _sit),
    Action("stand_up", _sit, backwards=True),
    Action("pick_up", _pick),
    Action("put_down", _pick, backwards=True),
    Action("push", _push),
    Action("pull", _push, backwards=True),
    Action("wind_forward", _wind),
    Action("wind_backward", _wind, backwards=True),
    Action("walk", _walk),
    Action("run", _run),
    Action("wave", _wave),
    Action("flap", _flap),
    Action("drink", _drink),
    Action("phone", _phone),
    Action("salute", _salute),
    Action("cough", _cough),
    Action("punch", _punch),
    Action("kick", _kick),
)
"""All classes; a label is a position in this list."""

ORDER_PAIRS = (("sit_down", "stand_up"), ("pick_up", "put_down"), ("push", "pull"),
               ("wind_forward", "wind_backward"))  # fmt: skip
"""Actions that are time reversals of each other."""

TEMPO_PAIRS = (("walk", "run"), ("wave", "flap"))
"""Actions that differ in tempo only."""
