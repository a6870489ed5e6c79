"""Evaluation: shares and their intervals, controls, confusion, pairs."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from fadeline.models.classifiers.controls import (
    ChangedClips,
    SomeClips,
    coarse,
    controls,
    every_nth_frame,
    middle_frame,
    shuffled_frames,
)
from fadeline.models.classifiers.evaluation import Evaluation, evaluate, save_confusion
from fadeline.models.classifiers.vit import VideoViT
from fadeline.models.classifiers.vit_card import (
    compare,
    measure_controls,
    measure_shuffled,
    share_entry,
    vit_card,
)
from fadeline.models.proportion import Share

Z = 1.959963984540054  # 97.5 % point of the standard normal distribution


def logits_of(answers, classes=3):
    return np.eye(classes, dtype=np.float32)[answers] * 2.0


def evaluation_of(labels, answers, names=("a", "b", "c")):
    return Evaluation(names, np.array(labels), logits_of(answers, len(names)))


# Shares


@pytest.mark.parametrize(("correct", "count"), [(0, 5), (1, 7), (40, 80), (77, 80), (9, 9)])
def test_wilsons_interval_solves_its_equation(correct, count):
    p = correct / count
    for bound in Share(correct, count).interval:
        # Both ends lie z standard errors of their own from what was seen.
        assert (bound - p) ** 2 == pytest.approx(Z**2 * bound * (1 - bound) / count, abs=1e-12)
    low, high = Share(correct, count).interval
    assert 0.0 <= low <= p <= high <= 1.0
    assert low < high


def test_newcombes_example():
    # Newcombe 1998, table II, column (a), method 10: 56/70 - 48/80 is 0.2, 0.0524 to 0.3339.
    one, other = Share(56, 70), Share(48, 80)
    low = 0.2 - math.hypot(one.value - one.interval[0], other.interval[1] - other.value)
    assert low == pytest.approx(0.0524, abs=1e-4)
    assert not one.agrees_with(other)
    assert not other.agrees_with(one)
    assert Share(54, 70).agrees_with(Share(52, 80)) == Share(52, 80).agrees_with(Share(54, 70))
    assert one.agrees_with(one)


def test_agreement_turns_where_the_interval_of_the_difference_leaves_zero():
    # The slack is 0.1372 for 50 against 63 of 100, and 0.1371 for 50 against 64.
    assert Share(50, 100).agrees_with(Share(63, 100))
    assert not Share(50, 100).agrees_with(Share(64, 100))


@pytest.mark.parametrize(("correct", "count"), [(1, 0), (-1, 3), (4, 3), (0, 0)])
def test_what_is_no_share_is_refused(correct, count):
    with pytest.raises(ValueError, match=f"{correct} of {count} clips is no share"):
        Share(correct, count)


# Answers


def test_figures_of_an_evaluation():
    evaluation = evaluation_of([0, 0, 1, 1, 1], [0, 1, 1, 1, 2])
    assert evaluation.accuracy == Share(3, 5)
    assert evaluation.confusion.tolist() == [[1, 1, 0], [0, 2, 1], [0, 0, 0]]
    assert evaluation.per_class == {"a": Share(1, 2), "b": Share(2, 3)}
    confidence = math.exp(2) / (math.exp(2) + 2)
    np.testing.assert_allclose(evaluation.confidence, confidence, rtol=1e-6)


def test_confidence_of_huge_logits_is_finite():
    evaluation = Evaluation(("a", "b"), np.array([0]), np.array([[1e4, -1e4]], np.float32))
    assert evaluation.confidence.tolist() == [1.0]


def test_two_way_accuracy_compares_only_two_logits():
    logits = np.array([[1, 2, 9], [2, 1, 9], [1, 2, 9], [0, 0, 9]], np.float32)
    evaluation = Evaluation(("a", "b", "c"), np.array([0, 0, 1, 2]), logits)
    assert evaluation.accuracy == Share(1, 4)
    assert evaluation.two_way("a", "b") == evaluation.two_way("b", "a") == Share(2, 3)
    with pytest.raises(ValueError, match="no class 'd'; there are a, b, c"):
        evaluation.two_way("a", "d")


class LastFrame(nn.Module):
    """Answers by the mean red and green of the last frame."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(2))

    def forward(self, clips):
        return clips[:, :2, -1].mean(dim=(2, 3)) * self.scale


def test_every_clip_is_answered_in_order_whatever_the_batch(squares):
    clips = squares(7)
    seen = []
    by_three = evaluate(LastFrame(), clips, 3, progress=lambda *done: seen.append(done))
    expected = np.stack([clips.clip(i)[-1, :, :, :2].mean(axis=(0, 1)) / 255 for i in range(7)])
    np.testing.assert_allclose(by_three.logits, expected, rtol=1e-5)
    np.testing.assert_allclose(evaluate(LastFrame(), clips).logits, by_three.logits, rtol=1e-6)
    assert by_three.labels.tolist() == clips.labels.tolist()
    assert seen == [(3, 7), (6, 7), (7, 7)]


def test_clips_are_seen_through_a_transform(squares):
    clips = squares(3)
    logits = evaluate(LastFrame(), clips, transform=middle_frame).logits
    expected = [clips.clip(i)[4, :, :, :2].mean(axis=(0, 1)) / 255 for i in range(3)]
    np.testing.assert_allclose(logits, expected, rtol=1e-5)


def test_the_confusion_figure_is_the_same_each_time(tmp_path):
    evaluation = evaluation_of([0, 0, 1, 2], [0, 1, 1, 2])
    for name in ("one.png", "two.png"):
        save_confusion(evaluation, tmp_path / name)
    one = (tmp_path / "one.png").read_bytes()
    assert one.startswith(b"\x89PNG\r\n")
    assert one == (tmp_path / "two.png").read_bytes()


# Controls


@pytest.fixture
def clip():
    return np.random.default_rng(1).integers(0, 256, (8, 16, 16, 3), dtype=np.uint8)


@pytest.mark.parametrize("side_px", [16, 8, 4, 1])
def test_coarse_clips_are_box_averages_repeated(clip, side_px):
    box = 16 // side_px
    found = coarse(side_px)(clip, 0)
    assert found.shape == clip.shape
    assert found.dtype == np.uint8
    for row in range(0, 16, box):
        for column in range(0, 16, box):
            old = clip[:, row : row + box, column : column + box]
            new = found[:, row : row + box, column : column + box].astype(float)
            mean = old.astype(float).mean(axis=(1, 2), keepdims=True)
            assert np.array_equal(new, np.rint(np.broadcast_to(mean, new.shape)))


def test_a_side_that_does_not_divide_is_refused(clip):
    with pytest.raises(ValueError, match="a clip of 16x16 px has no boxes for 5x5"):
        coarse(5)(clip, 0)


def test_frames_are_kept_repeated_or_shuffled(clip):
    assert np.array_equal(every_nth_frame(4)(clip, 0), clip[[0, 0, 0, 0, 4, 4, 4, 4]])
    assert np.array_equal(every_nth_frame(3)(clip, 0), clip[[0, 0, 0, 3, 3, 3, 6, 6]])
    assert np.array_equal(middle_frame(clip, 0), clip[[4] * 8])
    shuffled = shuffled_frames(1)
    found = shuffled(clip, 5)
    assert sorted(frame.tobytes() for frame in found) == sorted(f.tobytes() for f in clip)
    assert np.array_equal(found, shuffled(clip, 5))
    assert not np.array_equal(found, shuffled(clip, 6))
    assert not np.array_equal(found, shuffled_frames(2)(clip, 5))


def test_controls_are_what_their_names_say(clip):
    found = controls(16)
    assert list(found) == [
        "half resolution",
        "quarter resolution",
        "every fourth frame",
        "middle frame",
        "shuffled frames",
    ]
    assert np.array_equal(found["quarter resolution"](clip, 0), coarse(4)(clip, 0))


def test_changed_clips_are_a_clip_set(squares):
    clips = squares(4)
    changed = ChangedClips(clips, "one frame", middle_frame)
    assert changed.name == "squares/0 (one frame)"
    assert (len(changed), changed.shape, changed.classes) == (4, clips.shape, clips.classes)
    assert np.array_equal(changed.clip(2), middle_frame(clips.clip(2), 2))


def test_some_clips_are_drawn_with_their_labels(squares):
    clips = squares(40)
    some = SomeClips(clips, 10)
    assert len(some) == len(some.labels) == 10
    for i in range(10):
        (match,) = [k for k in range(40) if np.array_equal(clips.clip(k), some.clip(i))]
        assert some.labels[i] == clips.labels[match]
    assert len(SomeClips(clips, 99)) == 40


# Cards


def test_a_card_says_what_was_measured_and_agrees_with_it(squares, micro):
    model, clips = VideoViT(micro).eval(), squares(12)
    evaluation = evaluate(model, clips)
    shares = measure_controls(model, clips, evaluation)
    card = vit_card(
        model,
        clips,
        evaluation,
        shares,
        checksum="00",
        splits={"squares/0": 12},
        command="none",
        seed=1,
        wall_s=2.0,
    )
    assert card.accuracy == evaluation.accuracy
    assert card.config["stem_widths"] == micro.stem_widths
    assert card.task == "which of 4 actions a clip of 8 frames of 16x16 px shows"
    assert card.controls["middle frame"] == share_entry(shares["middle frame"])
    rows = compare(card, evaluation, shares)
    assert [row.name for row in rows] == ["accuracy", *shares]
    assert all(row.agrees for row in rows)
    (row,) = compare(replace(card, correct=card.count - card.correct), evaluation)
    assert not row.agrees


def test_pairs_of_actions_that_are_mixed_up_are_controls(squares, micro):
    names = ("sit_down", "stand_up", "walk", "kick")
    clips = squares(8)
    clips.classes = names
    model = VideoViT(micro).eval()
    evaluation = evaluate(model, clips)
    shares = measure_controls(model, clips, evaluation)
    pairs = [name for name in shares if " or " in name]
    assert pairs == ["sit_down or stand_up"]
    assert shares[pairs[0]] == evaluation.two_way("sit_down", "stand_up")


class Brightening:
    """Frames that get brighter, or darker."""

    name, version, classes, shape = "ramps", "1", ("sit_down", "stand_up"), (8, 4, 4)

    def __init__(self, count):
        self.labels = np.arange(count) % 2

    def __len__(self):
        return len(self.labels)

    def clip(self, index):
        ramp = np.arange(8, dtype=np.uint8)[:: 1 - 2 * int(self.labels[index])] * 30
        return np.broadcast_to(ramp[:, None, None, None], (8, 4, 4, 3)).copy()


class EndsBrighter(nn.Module):
    def __init__(self):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(()))  # says which device it is on

    def forward(self, clips):
        rise = (clips[:, :, -1] - clips[:, :, 0]).mean(dim=(1, 2, 3))
        return torch.stack([rise, -rise], dim=1)


def test_without_the_order_of_frames_a_pair_is_a_coin():
    clips = Brightening(400)
    assert evaluate(EndsBrighter(), clips).accuracy.value == 1.0
    found = measure_shuffled(EndsBrighter(), clips)
    assert set(found) == {
        "trained on shuffled frames",
        "sit_down or stand_up, trained on shuffled frames",
    }
    for share in found.values():
        assert share.count == 400
        assert 0.4 < share.value < 0.6  # four standard errors each way
