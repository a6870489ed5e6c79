"""Changes to training clips and the batches they are made in."""

import numpy as np
import pytest
import torch

from fadeline.models.data.augmentation import Augmentation
from fadeline.models.data.batches import batch_of, batches_of, to_float

NOTHING = Augmentation(0.0, 0, 0, 0.0, 0.0, 0.0)


def only(**changes):
    return Augmentation(**dict.fromkeys(vars(NOTHING), 0) | changes)


def rng(seed=0):
    return np.random.default_rng(seed)


def moved(augmentation, clip, draws):
    return clip[np.ix_(*augmentation.places(clip.shape[:3], draws))]


@pytest.fixture
def clip():
    return rng(1).integers(0, 256, (5, 7, 6, 3), dtype=np.uint8)


def test_nothing_changes_nothing(clip):
    assert np.array_equal(moved(NOTHING, clip, rng()), clip)
    gain, offset = NOTHING.recolouring(rng())
    assert np.array_equal(gain, np.ones(3))
    assert offset == 0.0


def test_settled_clips_are_mirrored_and_hardly_changed(clip):
    settled = Augmentation().settled()
    for seed in range(20):
        found = moved(settled, clip, rng(seed)).astype(int)
        gain, offset = settled.recolouring(rng(seed))
        assert np.abs(gain - 1.0).max() < 0.1
        assert abs(offset) < 0.06
        padded = np.pad(clip, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge").astype(int)
        places = [padded[:, y : y + 7, x : x + 6] for y in range(3) for x in range(3)]
        assert any(np.array_equal(found, p) or np.array_equal(found, p[:, :, ::-1]) for p in places)


def test_a_flip_mirrors_every_frame(clip):
    assert np.array_equal(moved(only(flip=1.0), clip, rng()), clip[:, :, ::-1])


def test_a_shift_is_a_crop_of_the_padded_clip_with_one_place_for_all_frames(clip):
    padded = np.pad(clip, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="edge")
    crops = {padded[:, y : y + 7, x : x + 6].tobytes(): (y, x) for y in range(5) for x in range(5)}
    draws = rng()
    seen = {crops[moved(only(shift_px=2), clip, draws).tobytes()] for _ in range(300)}
    assert len(seen) == 25


def test_a_shift_in_time_repeats_the_first_or_last_frame(clip):
    padded = np.pad(clip, ((1, 1), (0, 0), (0, 0), (0, 0)), mode="edge")
    windows = {padded[start : start + 5].tobytes(): start for start in range(3)}
    draws = rng()
    seen = {windows[moved(only(shift_frames=1), clip, draws).tobytes()] for _ in range(50)}
    assert seen == {0, 1, 2}


def test_recolouring_stays_within_its_limits():
    augmentation = only(brightness=0.1, contrast=0.2, colour=0.1)
    draws = rng()
    found = [augmentation.recolouring(draws) for _ in range(500)]
    gains = np.stack([gain for gain, _ in found])
    offsets = np.array([offset for _, offset in found])
    assert 0.72 < gains.min() < 0.75
    assert 1.29 < gains.max() < 1.32
    assert abs(offsets).max() < 0.2
    grey = 0.5 * np.array([only(contrast=0.5).recolouring(draws)[0][0] for _ in range(9)])
    assert grey.std() > 0
    draws = rng()
    for _ in range(9):
        gain, offset = only(contrast=0.5).recolouring(draws)
        assert 0.5 * gain + offset == pytest.approx(0.5)  # contrast leaves mid-grey alone


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shift_px": -1}, "shift_px must be at least 0, got -1"),
        ({"contrast": float("nan")}, "contrast must be at least 0, got nan"),
        ({"flip": 1.5}, "flip is a chance, at most 1, got 1.5"),
    ],
)
def test_impossible_changes_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        Augmentation(**changes)


# Batches


def test_a_batch_holds_the_clips_as_floats_in_the_order_asked_for(squares):
    clips = squares(8)
    floats, labels = to_float(batch_of(clips, np.array([5, 2])))
    assert floats.shape == (2, 3, 8, 16, 16)
    assert labels.tolist() == [1, 2]
    expected = np.moveaxis(clips.clip(2), -1, 0).astype(np.float32) / 255.0
    np.testing.assert_allclose(floats[1], expected, atol=1e-7)


def test_changes_depend_on_seed_and_clip_but_not_on_the_batch(squares):
    clips, augmentation = squares(8), Augmentation()

    def floats(indices, seed):
        return to_float(batch_of(clips, np.array(indices), augmentation, seed))[0]

    together = floats([3, 4, 6], seed=1)
    assert torch.equal(together[1:2], floats([4], seed=1))
    assert not torch.equal(together[1:2], floats([4], seed=2))
    assert together.min() >= 0.0
    assert together.max() <= 1.0


def test_a_set_that_reads_batches_is_asked_for_batches(squares):
    clips = squares(8)
    asked = []

    def batch(indices):
        asked.append(indices.tolist())
        pixels = np.stack([clips.clip(index) for index in indices])
        pixels.setflags(write=False)
        return pixels

    clips.batch = batch
    floats, _ = to_float(batch_of(clips, np.array([1, 3])))
    assert asked == [[1, 3]]
    np.testing.assert_allclose(floats[1, 0], clips.clip(3)[..., 0] / 255.0, atol=1e-7)


def test_all_clips_come_once_and_in_order(squares):
    clips = squares(7)
    batches = list(batches_of(clips, 3))
    assert [len(labels) for _, labels in batches] == [3, 3, 1]
    assert torch.cat([labels for _, labels in batches]).tolist() == clips.labels.tolist()
