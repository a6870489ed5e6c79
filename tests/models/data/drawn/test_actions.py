"""The drawn data set: pure, balanced, disjoint, and honest about the order of time."""

import hashlib
import subprocess
import sys

import cv2
import numpy as np
import pytest
from scipy import stats

from fadeline.models.data.drawn.actions import SPLITS, ActionClips
from fadeline.models.data.drawn.body import JOINTS, draw_body, posed
from fadeline.models.data.drawn.draws import Draws
from fadeline.models.data.drawn.gestures import ACTIONS, ORDER_PAIRS, TEMPO_PAIRS, idle
from fadeline.models.data.drawn.scenery import draw_background, draw_movers
from fadeline.models.data.drawn.stage import Cast, Difficulty, _Stage, draw_clip
from fadeline.models.data.drawn.whole_trig import TURN, cosine, eased, sine
from fadeline.models.errors import ClipError

FALSE_ALARM = 1e-4
NAMES = [action.name for action in ACTIONS]
BY_NAME = {action.name: action for action in ACTIONS}


def cast(seed: int) -> Cast:
    return Cast(Draws(5, 0, seed), draw_body(Draws(5, 1, seed)), Draws(5, 2, seed))


def drawn(name: str, seed: int, *, size: int = 64) -> np.ndarray:
    return draw_clip(cast(seed), BY_NAME[name], Difficulty(), frames=16, size=size)


def sha256(pixels: np.ndarray) -> str:
    return hashlib.sha256(pixels.tobytes()).hexdigest()[:16]


@pytest.mark.parametrize(
    ("split", "index", "size", "expected"),
    [
        ("train", 0, 64, "c9ff9e4ee2b1b14d"),
        ("train", 5, 64, "ef84654a46542cb6"),
        ("train", 11999, 64, "07a4fbf4ae7fbfd7"),
        ("val", 7, 64, "37ae1916a6bbc6fb"),
        ("val", 1000, 112, "8c2229e98c40b991"),
        ("test", 12, 64, "cbb235b91d010793"),
        ("test", 1619, 112, "c4922d9f5ccd1da2"),
        ("test@7", 0, 64, "93c9b010a378358a"),
    ],
)
def test_probe_clips_are_the_same_on_every_machine(split, index, size, expected):
    assert sha256(ActionClips(split, size=size).clip(index)) == expected


def test_a_clip_depends_on_split_and_index_only():
    clips = ActionClips("val")
    alone = clips.clip(7)
    clips.clip(3)
    assert np.array_equal(clips.clip(7), alone)
    code = (
        "import hashlib; from fadeline.models.data.drawn.actions import ActionClips;"
        "print(hashlib.sha256(ActionClips('val').clip(7).tobytes()).hexdigest()[:16])"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == sha256(alone)


def test_clips_are_rgb_of_the_size_asked_for():
    for size in (64, 112):
        clips = ActionClips("train", size=size)
        clip = clips.clip(0)
        assert clip.shape == (*clips.shape, 3) == (16, size, size, 3)
        assert clip.dtype == np.uint8
        assert clip.flags.c_contiguous


def test_both_sizes_show_the_same_scene():
    small, large = (drawn("sit_down", 3, size=size).astype(float) for size in (64, 112))
    shrunk = np.stack(
        [cv2.resize(frame, (64, 64), interpolation=cv2.INTER_AREA) for frame in large]
    )
    assert np.corrcoef(small.ravel(), shrunk.ravel())[0, 1] > 0.95


def test_splits_are_large_enough_and_balanced():
    assert len(ActionClips("train")) >= 8000
    assert len(ActionClips("val")) >= 1200
    assert len(ActionClips("test")) >= 1600
    for split in SPLITS:
        counts = np.bincount(ActionClips(split).labels)
        assert len(counts) == len(ACTIONS) >= 16
        assert counts.min() == counts.max()


def test_splits_share_no_actor_scene_or_clip():
    people, scenes, clips = {}, {}, {}
    for split in ("train", "val", "test", "test@1", "test@2"):
        source = ActionClips(split)
        casts = [source.cast(index) for index in range(200)]
        people[split] = {one.actor for one in casts}
        scenes[split] = {tuple(one.scene.octets(16).tolist()) for one in casts}
        clips[split] = {tuple(one.draws.octets(16).tolist()) for one in casts}
    for parts in (people, scenes, clips):
        names = list(parts)
        for position, name in enumerate(names):
            for other in names[position + 1 :]:
                assert parts[name].isdisjoint(parts[other]), (name, other)


def test_fresh_draws_are_other_clips_of_the_same_size():
    test, fresh = ActionClips("test"), ActionClips("test@7")
    assert len(fresh) == len(test)
    assert not np.array_equal(fresh.clip(0), test.clip(0))
    assert not np.array_equal(fresh.clip(0), ActionClips("test@8").clip(0))


@pytest.mark.parametrize(
    "split", ["tets", "test@", "test@x", "test@-1", "train@1", "", "test@" + "1" * 5000]
)
def test_an_unknown_split_is_refused(split):
    with pytest.raises(ClipError, match=r"no such split; there are actions/train"):
        ActionClips(split)


def test_an_unknown_size_is_refused():
    with pytest.raises(ClipError, match="64 or 112 pixels, got 63"):
        ActionClips("test", size=63)
    with pytest.raises(ClipError, match="16 frames, got 8"):
        ActionClips("test", frames=8)


@pytest.mark.parametrize("index", [-1, 1620])
def test_a_clip_that_is_not_there_is_an_index_error(index):
    with pytest.raises(IndexError, match="has 1620 clips"):
        ActionClips("test").clip(index)


@pytest.mark.parametrize(("forward", "backward"), ORDER_PAIRS)
def test_order_pairs_are_exact_time_reversals(forward, backward):
    for seed in range(3):
        assert np.array_equal(drawn(forward, seed), drawn(backward, seed)[::-1])


def test_half_of_the_actions_are_in_pairs():
    paired = [name for pair in ORDER_PAIRS + TEMPO_PAIRS for name in pair]
    assert len(set(paired)) == len(paired) >= len(ACTIONS) / 2
    assert set(paired) <= set(NAMES)


@pytest.mark.parametrize("name", ["sit_down", "pick_up", "push", "wind_forward"])
def test_stills_before_and_after_are_equally_long(name):
    """So a frame's place in an order pair says nothing of which of the two it is."""
    before, after = [], []
    for seed in range(600):
        pose = BY_NAME[name].gesture(Draws(9, seed), 16).pose
        swayless = np.delete(pose, JOINTS.index("lean"), axis=1)
        moves = np.flatnonzero(np.any(np.diff(swayless, axis=0), axis=1))
        before.append(moves[0])
        after.append(14 - moves[-1])
    difference = np.subtract(before, after)
    assert stats.ttest_1samp(difference, 0).pvalue > FALSE_ALARM
    assert min(before) >= 1
    assert min(after) >= 1


@pytest.mark.parametrize(
    ("slow", "quick", "joint"), [("walk", "run", "near_thigh"), ("wave", "flap", "near_elbow")]
)
def test_tempo_pairs_differ_in_tempo(slow, quick, joint):
    """A joint turns back and forth at least 1.3 times as often; its reach is the same."""

    def turns_and_reach(name: str) -> tuple[float, float]:
        turns, reach = [], []
        for seed in range(200):
            angle = BY_NAME[name].gesture(Draws(9, seed), 16).pose[:, JOINTS.index(joint)]
            turns.append(np.count_nonzero(np.diff(np.sign(np.diff(angle)))))
            reach.append(np.ptp(angle))
        return float(np.mean(turns)), float(np.mean(reach))

    slow_turns, slow_reach = turns_and_reach(slow)
    quick_turns, quick_reach = turns_and_reach(quick)
    assert quick_turns > 1.3 * slow_turns
    assert quick_reach == pytest.approx(slow_reach, rel=0.15)


def test_actor_covers_5_to_20_percent_of_the_picture():
    clips = ActionClips("val")

    def share(index):
        stage = _Stage(clips.cast(index), ACTIONS[clips.labels[index]], Difficulty(), 16)
        canvas = np.zeros((16, 128, 128), dtype=np.uint8)
        stage.fill(canvas, [(outline, (255, 0, 0)) for outline, _ in stage.skeleton.parts])
        return (canvas > 0).mean()

    shares = [share(index) for index in range(0, len(clips), 2)]
    assert min(shares) >= 0.05
    assert max(shares) <= 0.20


def test_movers_look_the_same_backwards():
    ahead, turns = [], []
    for seed in range(600):
        for outline, _ in draw_movers(Draws(3, seed), 16, 2):
            centre = outline.mean(axis=1)
            ahead.append(centre[-1] - centre[0])
            step = np.diff(centre, axis=0)
            turns.append(np.sum(step[1:, 0] * step[:-1, 1] - step[1:, 1] * step[:-1, 0]))
    assert stats.ttest_1samp(ahead, 0).pvalue.min() > FALSE_ALARM
    assert stats.ttest_1samp(turns, 0).pvalue > FALSE_ALARM


def test_background_has_a_1_over_f_spectrum():
    side, slopes = 192, []
    for seed in range(12):
        picture = draw_background(Draws(4, seed), side, side, contrast=30, things=0)[..., 1]
        power = np.abs(np.fft.fft2(picture - picture.mean())) ** 2
        frequency = np.hypot(*np.meshgrid(*2 * [np.fft.fftfreq(side) * side]))
        band = (frequency >= 4) & (frequency <= 32)
        slopes.append(np.polyfit(np.log(frequency[band]), np.log(power[band] + 1), 1)[0])
    assert -2.6 < np.mean(slopes) < -1.6  # power falls as 1/f^2 where amplitude falls as 1/f


def test_whole_sines_are_the_rounded_ones():
    angles = np.arange(-2 * TURN, 2 * TURN)
    exact = np.sin(2 * np.pi * angles / TURN) * 1000
    assert np.abs(sine(angles, 1000) - exact).max() <= 1.1
    assert np.array_equal(cosine(angles, 1000), sine(angles + TURN // 4, 1000))
    assert sine(np.arange(TURN), 1 << 14).sum() == 0
    assert eased(np.array([0, 256, 512, 768, 1024])).tolist() == [0, 160, 512, 864, 1024]


def test_limbs_keep_their_lengths():
    body, draws = draw_body(Draws(1)), Draws(2)
    for name in NAMES:
        pose = BY_NAME[name].gesture(draws, 16).pose
        bones = posed(body, pose, height=800, facing=1, ground=(512, 900), planted=False)
        trunk = np.hypot(*(bones.shoulder - bones.hip).T)
        assert np.abs(trunk - 800 * body.trunk / 1000).max() < 3


def test_feet_stand_on_the_ground():
    body = draw_body(Draws(1))
    bones = posed(body, idle(Draws(2), 16), height=800, facing=-1, ground=(512, 900), planted=True)
    lowest = max(outline[..., 1].max() for outline, _ in bones.parts)
    assert 860 < lowest < 935


def test_downscaling_is_the_whole_number_mean():
    canvas = np.random.default_rng(1).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    blocks = canvas.reshape(64, 2, 64, 2, 3).astype(np.int64).sum(axis=(1, 3))
    small = cv2.resize(canvas, (64, 64), interpolation=cv2.INTER_AREA)
    assert np.array_equal(small, (blocks + 2) // 4)


def test_draws_are_uniform_and_fixed():
    draws = Draws(11, 1)
    counts = np.bincount([draws.between(3, 9) - 3 for _ in range(7000)], minlength=7)
    assert stats.chisquare(counts).pvalue > FALSE_ALARM
    octets = np.bincount(Draws(11, 2).octets(256_000), minlength=256)
    assert stats.chisquare(octets).pvalue > FALSE_ALARM
    assert [Draws(11, 3).below(1000) for _ in range(2)] == [Draws(11, 3).below(1000)] * 2
    assert Draws(11, 3).octets(5).tolist() == Draws(11, 3).octets(100)[:5].tolist()
