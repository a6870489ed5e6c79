"""The trained classifier that comes with the package is what its card says."""

import pytest

from fadeline.models.classifiers.controls import SomeClips
from fadeline.models.classifiers.evaluation import evaluate
from fadeline.models.classifiers.stored_vit import load_vit
from fadeline.models.data.drawn.actions import ActionClips
from fadeline.models.data.drawn.gestures import ORDER_PAIRS
from fadeline.models.weights import shipped_weights

NAME = "vit-tiny-actions"
MOST_BYTES = 8_000_000


@pytest.fixture(scope="module")
def shipped():
    return load_vit(NAME)


def test_files_are_small_and_have_a_card_and_a_figure():
    path = shipped_weights()[NAME]
    _, card = load_vit(NAME)
    assert path.stat().st_size < MOST_BYTES
    assert path.with_suffix(".json").is_file()
    assert path.with_name(card.confusion_figure).is_file()


def test_card_is_of_the_test_clips_as_they_are_drawn_now(shipped):
    _, card = shipped
    clips = ActionClips("test")
    assert (card.data, card.data_version, card.count) == (clips.name, clips.version, len(clips))
    assert tuple(card.classes) == clips.classes
    assert card.splits.keys() == {"actions/train", "actions/val", "actions/test"}


def test_accuracy_leaves_room_above_and_below(shipped):
    _, card = shipped
    assert 0.88 <= card.accuracy.value <= 0.97


def test_detail_motion_and_order_matter(shipped):
    _, card = shipped
    full = card.accuracy.value
    loss = {name: full - control["accuracy"] for name, control in card.controls.items()}
    assert loss["half resolution"] >= 0.05
    assert loss["quarter resolution"] >= 0.15
    assert loss["every fourth frame"] >= 0.05
    assert card.controls["middle frame"]["accuracy"] < 0.5
    for first, second in ORDER_PAIRS:
        without_order = card.controls[f"{first} or {second}, trained on shuffled frames"]
        assert 0.4 <= without_order["accuracy"] <= 0.6


@pytest.mark.slow
@pytest.mark.parametrize("split", ["val", "test@11"])
def test_clips_that_it_never_saw_agree_with_the_card(shipped, split):
    """On 240 clips, within what that number allows (false alarms: one draw in twenty)."""
    model, card = shipped
    now = evaluate(model, SomeClips(ActionClips(split), 240)).accuracy
    assert now.agrees_with(card.accuracy), f"{now.value:.3f}, card {card.accuracy.value:.3f}"
