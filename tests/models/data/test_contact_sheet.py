"""The contact sheet of a data set: what is on it, where, and how it is written."""

from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest

from fadeline.models.data.contact_sheet import GAP_PX, contact_sheet, save_png
from fadeline.models.errors import ClipError


@dataclass
class FlatClips:
    """Clips of one colour a frame, made of index and frame, so that a sheet can be read back."""

    labels: np.ndarray = field(default_factory=lambda: np.arange(12) % 3)
    shape: tuple[int, int, int] = (16, 64, 64)
    classes: tuple[str, ...] = ("jump", "run", "wave")
    name: str = "flat"
    version: str = "1"

    def __len__(self):
        return len(self.labels)

    def clip(self, index):
        pixels = np.zeros((*self.shape, 3), np.uint8)
        pixels[..., 0] = index
        pixels[..., 1] = np.arange(self.shape[0])[:, None, None]
        pixels[..., 2] = 200
        return pixels


def cells(sheet, width_px=128, height_px=128):
    """Return (index, frame) of every picture on a sheet of flat clips, row by row."""
    rows = range(GAP_PX + height_px // 2, sheet.shape[0], height_px + GAP_PX)
    columns = range(sheet.shape[1] - GAP_PX - width_px // 2, 0, -(width_px + GAP_PX))
    found = [
        [tuple(sheet[y, x, :2].tolist()) for x in columns if sheet[y, x, 2] == 200][::-1]
        for y in rows
    ]
    return [row for row in found if row]


def test_a_row_for_each_class_and_frames_from_first_to_last():
    sheet = contact_sheet(FlatClips())
    assert sheet.dtype == np.uint8
    found = cells(sheet)
    assert [row[0][0] % 3 for row in found] == [0, 1, 2]
    for row in found:
        assert len({index for index, _ in row}) == 1
        assert [frame for _, frame in row] == [0, 2, 4, 6, 9, 11, 13, 15]
    assert sheet.shape[0] == GAP_PX + 3 * (128 + GAP_PX)


def test_small_pictures_are_enlarged_and_large_ones_are_not():
    for side_px, shown_px in ((64, 128), (48, 96), (112, 112), (224, 224)):
        clips = FlatClips(shape=(2, side_px, side_px))
        sheet = contact_sheet(clips, columns=1)
        assert sheet.shape[0] == GAP_PX + 3 * (shown_px + GAP_PX)
        row = sheet[GAP_PX + shown_px // 2]
        assert (row[:, 2] == 200).sum() == shown_px


def test_pixels_are_repeated_and_not_blurred():
    clips = FlatClips()
    noise = np.random.default_rng(1).integers(0, 256, (16, 64, 64, 3), dtype=np.uint8)
    clips.clip = lambda index: noise  # type: ignore[method-assign]
    sheet = contact_sheet(clips, columns=2)
    last = sheet[GAP_PX : GAP_PX + 128, -GAP_PX - 128 : -GAP_PX]
    np.testing.assert_array_equal(last[::2, ::2], noise[15])
    np.testing.assert_array_equal(last[1::2, 1::2], noise[15])


def test_chosen_classes_in_the_order_asked_for():
    found = cells(contact_sheet(FlatClips(), classes=["wave", "jump"], columns=2))
    assert [row[0][0] % 3 for row in found] == [2, 0]


def test_several_clips_of_a_class_are_different_ones():
    found = cells(contact_sheet(FlatClips(), per_class=3, columns=1))
    indices = [row[0][0] for row in found]
    assert [index % 3 for index in indices] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert len(set(indices)) == 9


def test_all_there_is_where_more_is_asked_for():
    clips = FlatClips(labels=np.array([0, 0, 1]), shape=(3, 64, 64))
    found = cells(contact_sheet(clips, per_class=5, columns=9))
    assert found == [[(i, 0), (i, 1), (i, 2)] for i in (0, 1, 2)]


def test_the_seed_chooses_and_other_classes_do_not_matter():
    clips = FlatClips(labels=np.arange(90) % 3)
    one, same, other = (cells(contact_sheet(clips, columns=1, seed=s)) for s in (1, 1, 2))
    assert one == same
    assert one != other
    assert cells(contact_sheet(clips, classes=["wave"], columns=1, seed=1)) == one[2:]


def test_the_name_of_a_class_is_on_the_left_of_its_first_row():
    sheet = contact_sheet(FlatClips(), per_class=2, columns=1)
    names = sheet[:, : -GAP_PX - 128 - GAP_PX, :]
    has_ink = [
        bool((names[top : top + 128] < 128).any())
        for top in range(GAP_PX, sheet.shape[0], 128 + GAP_PX)
    ]
    assert has_ink == [True, False] * 3
    long = FlatClips(classes=("a very long name of a class", "run", "wave"))
    wide = contact_sheet(long, per_class=2, columns=1)
    assert wide.shape[1] > sheet.shape[1] + 100  # the name is not cut off


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"classes": ["wav"]},
            "flat: no class 'wav'; did you mean wave? there are jump, run, wave",
        ),
        ({"classes": ["xyz"]}, "flat: no class 'xyz'; there are jump, run, wave"),
        ({"classes": []}, "contact sheet of flat: there are no clips of these classes"),
        (
            {"per_class": 0},
            "contact sheet of flat: 0 clips of each class and 8 frames of each clip; "
            "at least 1 of both are needed",
        ),
        (
            {"columns": 0},
            "contact sheet of flat: 1 clips of each class and 0 frames of each clip; "
            "at least 1 of both are needed",
        ),
    ],
)
def test_what_cannot_be_shown_is_refused(options, message):
    with pytest.raises(ClipError) as caught:
        contact_sheet(FlatClips(), **options)
    assert str(caught.value) == message


def test_a_class_without_clips_has_no_row():
    found = cells(contact_sheet(FlatClips(labels=np.array([0, 2])), columns=1))
    assert found == [[(0, 0)], [(1, 0)]]


def test_a_picture_is_written_exactly_or_not_at_all(tmp_path, monkeypatch):
    sheet = contact_sheet(FlatClips(), columns=2)
    target = tmp_path / "sheet.png"
    save_png(sheet, target)
    read = cv2.imread(str(target))
    assert read is not None
    np.testing.assert_array_equal(cv2.cvtColor(read, cv2.COLOR_BGR2RGB), sheet)
    before = target.read_bytes()

    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        save_png(sheet[:50], target)
    assert target.read_bytes() == before
    assert list(tmp_path.iterdir()) == [target]
