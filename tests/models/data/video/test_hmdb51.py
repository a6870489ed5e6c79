"""HMDB51: counts against the published ones, without a video; clips by the official draws."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from fadeline.models.data.video.hmdb51 import Hmdb51, check_hmdb51
from fadeline.models.errors import ClipError

OFFICIAL = Path(__file__).resolve().parents[4].parent / "shared" / "data" / "hmdb51_splits"


def make_like_hmdb51(root):
    """Make 51 classes of 101 empty videos, and three draws of 70, 30 and 1 unused."""
    (root / "splits").mkdir(parents=True)
    for label in range(51):
        name = f"class_{label:02}"
        (root / name).mkdir()
        files = [f"#{number} (b)!_{name}.avi" for number in range(101)]
        for file in files:
            (root / name / file).touch()
        for draw in (1, 2, 3):
            tags = np.roll([1] * 70 + [2] * 30 + [0], 30 * draw)
            lines = "".join(f"{file} {tag} \n" for file, tag in zip(files, tags, strict=True))
            (root / "splits" / f"{name}_test_split{draw}.txt").write_text(lines)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return a folder like HMDB51, not to be changed."""
    root = tmp_path_factory.mktemp("hmdb") / "whole"
    make_like_hmdb51(root)
    return root


@pytest.fixture
def own(whole, tmp_path):
    """Return a folder like HMDB51, of which class_00 and the split files may be changed."""
    root = tmp_path / "own"
    root.mkdir()
    for folder in whole.iterdir():
        if folder.name in ("class_00", "splits"):
            shutil.copytree(folder, root / folder.name)
        else:
            (root / folder.name).symlink_to(folder)
    return root


def failed(rows):
    return {row.quantity: (row.expected, row.found) for row in rows if not row.ok}


def test_a_split(whole):
    train, test = (Hmdb51(whole, split=split) for split in ("train", "test"))
    assert train.name == f"hmdb51:{whole}#train"
    assert (len(train), len(test)) == (3570, 1530)
    assert np.bincount(test.labels).tolist() == [30] * 51
    assert not set(train.paths) & set(test.paths)
    everything = Hmdb51(whole, split=None)
    assert everything.name == f"hmdb51:{whole}"
    assert len(everything) == 51 * 101
    second = Hmdb51(whole, split="test", draw=2, frames=8, size=32, sampling="dense")
    assert second.shape == (8, 32, 32)
    assert not set(second.paths) & set(test.paths)


def test_the_counts(whole):
    rows = check_hmdb51(whole)
    assert failed(rows) == {}
    counts = {row.quantity: (row.expected, row.found) for row in rows}
    assert counts["classes"] == ("51", "51")
    assert counts["clips of the smallest class"] == ("at least 101", "101 (class_00)")
    for draw in (1, 2, 3):
        assert counts[f"split files of draw {draw}"] == ("51", "51")
        assert counts[f"train clips of draw {draw}"] == ("3570", "3570")
        assert counts[f"test clips of draw {draw}"] == ("1530", "1530")
        assert counts[f"classes with 70 train clips in draw {draw}"] == ("51", "51")
        assert counts[f"classes with 30 test clips in draw {draw}"] == ("51", "51")
        assert counts[f"missing clips of draw {draw}"] == ("0", "0")
    assert len(rows) == 2 + 3 * 6


def test_a_missing_clip_is_counted_and_refused(own):
    (own / "class_00" / "#50 (b)!_class_00.avi").unlink()
    missing = ("0", "1 (class_00/#50 (b)!_class_00.avi)")
    assert failed(check_hmdb51(own)) == {
        "clips of the smallest class": ("at least 101", "100 (class_00)"),
        **{f"missing clips of draw {draw}": missing for draw in (1, 2, 3)},
    }
    with pytest.raises(ClipError, match=r"own: is not the whole of HMDB51: clips of the smallest"):
        Hmdb51(own, split="test")


def test_a_missing_class_is_counted_and_refused(own):
    (own / "class_07").unlink()
    faults = failed(check_hmdb51(own))
    assert faults["classes"] == ("51", "50")
    expected = [f"class_07/#{number} (b)!_class_07.avi" for number in (0, 1, 2)]
    assert faults["missing clips of draw 2"] == ("0", f"100 ({', '.join(expected)}, ...)")
    with pytest.raises(ClipError, match=r"classes: 50, not 51; .*missing clips of draw 2: 100 \("):
        Hmdb51(own, split="train", draw=2)


def test_a_split_that_is_not_the_official_one(own):
    file = own / "splits" / "class_00_test_split2.txt"
    file.write_text(file.read_text().replace(" 1 ", " 2 ", 1))
    assert failed(check_hmdb51(own)) == {
        "train clips of draw 2": ("3570", "3569"),
        "test clips of draw 2": ("1530", "1531"),
        "classes with 70 train clips in draw 2": ("51", "50"),
        "classes with 30 test clips in draw 2": ("51", "50"),
    }
    Hmdb51(own, split="train", draw=1)
    with pytest.raises(
        ClipError, match=r"train clips of draw 2: 3569, not 3570; .* 1531, not 1530"
    ):
        Hmdb51(own, split="train", draw=2)
    file.unlink()
    assert failed(check_hmdb51(own))["split files of draw 2"] == ("51", "50")


def test_folders_that_cannot_be_used(own, whole, tmp_path):
    with pytest.raises(ClipError, match=r"gone: no such folder"):
        check_hmdb51(tmp_path / "gone", whole / "splits")
    with pytest.raises(ClipError, match="HMDB51 has the draws 1, 2 and 3, got draw 4"):
        Hmdb51(whole, split="train", draw=4)
    with pytest.raises(ClipError, match="split must be one of train, val, test; got 'tset'"):
        Hmdb51(whole, split="tset")
    (tmp_path / "file.txt").touch()
    with pytest.raises(ClipError, match=r"file\.txt: is no folder; HMDB51 needs the folder of its"):
        Hmdb51(whole, split="train", splits=tmp_path / "file.txt")
    (own / "splits").rename(own / "testTrainMulti_7030_splits")
    assert len(Hmdb51(own, split="train")) == 3570
    (own / "testTrainMulti_7030_splits").rename(tmp_path / "elsewhere")
    with pytest.raises(ClipError, match="the official split files of HMDB51 are missing: neither"):
        check_hmdb51(own)
    assert len(Hmdb51(own, split="train", splits=tmp_path / "elsewhere")) == 3570


def test_an_empty_folder_is_counted(tmp_path, whole):
    faults = failed(check_hmdb51(tmp_path, whole / "splits"))
    assert faults["classes"] == ("51", "0")
    assert faults["clips of the smallest class"] == ("at least 101", "none")


@pytest.mark.slow
@pytest.mark.skipif(not OFFICIAL.is_dir(), reason="the official split files are not here")
def test_the_official_split_files(tmp_path):
    for file in OFFICIAL.glob("*_test_split1.txt"):
        folder = tmp_path / file.name.removesuffix("_test_split1.txt")
        folder.mkdir()
        for line in file.read_text().splitlines():
            (folder / line.split(" ")[0]).touch()
    assert failed(check_hmdb51(tmp_path, OFFICIAL)) == {}
    assert len(Hmdb51(tmp_path, split=None, splits=OFFICIAL)) == 3570 + 1530 + 1666
    for draw in (1, 2, 3):
        train, test = (
            Hmdb51(tmp_path, split=split, splits=OFFICIAL, draw=draw) for split in ("train", "test")
        )
        assert (len(train), len(test)) == (3570, 1530)
        assert np.bincount(train.labels).tolist() == [70] * 51
        assert not set(train.paths) & set(test.paths)
