"""Data sets by name: what opens, with which options, and what is refused."""

import re
from pathlib import Path

import pytest

from fadeline.models.data.drawn.actions import ActionClips
from fadeline.models.data.opening import ACTION_SPLITS, NAMES, open_clips
from fadeline.models.data.video import hmdb51, videofolder
from fadeline.models.errors import ClipError


class Recorder:
    """Takes the place of a class of data sets and keeps what it was made with."""

    def __init__(self, path, **options):
        self.path, self.options = path, options


@pytest.fixture
def recorded(monkeypatch):
    """Put recorders in the place of the sets that need videos."""
    monkeypatch.setattr(videofolder, "VideoFolder", Recorder)
    monkeypatch.setattr(hmdb51, "Hmdb51", Recorder)


@pytest.mark.parametrize("split", [*ACTION_SPLITS, "test@7"])
def test_actions_open_by_name(split):
    clips = open_clips(f"actions/{split}", size=112)
    assert isinstance(clips, ActionClips)
    assert (clips.name, clips.shape) == (f"actions/{split}", (16, 112, 112))


def test_every_split_of_the_actions_is_offered():
    from fadeline.models.data.drawn import actions

    assert tuple(actions.SPLITS) == ACTION_SPLITS
    assert {f"actions/{split}" for split in ACTION_SPLITS} < set(NAMES)


@pytest.mark.parametrize(
    ("name", "path", "split"),
    [
        ("videofolder:films", "films", None),
        ("videofolder:films#train", "films", "train"),
        ("videofolder:/a b/c:d#val", "/a b/c:d", "val"),
        ("hmdb51:/data/hmdb#train", "/data/hmdb", "train"),
        ("hmdb51:hmdb#test", "hmdb", "test"),
    ],
)
def test_videos_open_with_all_options(recorded, name, path, split):
    clips = open_clips(name, frames=8, size=32, splits=Path("s.txt"), draw=2, sampling="dense")
    assert isinstance(clips, Recorder)
    assert clips.path == Path(path)
    assert clips.options == {
        "split": split,
        "frames": 8,
        "size": 32,
        "splits": Path("s.txt"),
        "draw": 2,
        "sampling": "dense",
        "skip_unreadable": False,
    }


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("action/test", "action/test: no such data set; did you mean actions/test? there are "),
        ("actions/tset", "actions/tset: no such data set; did you mean actions/test? there are "),
        ("actions", "actions: no such data set; did you mean actions/"),
        ("actions/", "actions/: no such data set; did you mean actions/"),
        ("hmdb:x#test", "hmdb:x#test: no such data set; did you mean hmdb51:PATH#test? there"),
        ("zzz", "zzz: no such data set; there are actions/train, actions/val, actions/test, "),
        ("", "'': no such data set; there are actions/train, "),
        ("videofolder:", "videofolder:: names no folder; write videofolder:PATH#SPLIT"),
        ("videofolder:#test", "videofolder:#test: names no folder; write videofolder:PATH#SPLIT"),
        ("hmdb51:", "hmdb51:: names no folder; write hmdb51:PATH#SPLIT"),
        (
            "hmdb51:a",
            "hmdb51:a: no split given; there are two splits: write hmdb51:a#train or #test",
        ),
        (
            "hmdb51:a#val",
            "hmdb51:a#val: #val given; there are two splits: write hmdb51:a#train or #test",
        ),
        ("videofolder:a#tset", "videofolder:a#tset: "),
        ("actions/test@x", "actions/test@x: "),
        ("actions/train@1", "actions/train@1: "),
    ],
)
def test_other_names_are_refused_with_the_nearest(name, start):
    with pytest.raises(ClipError) as caught:
        open_clips(name)
    assert str(caught.value).startswith(start)
    assert "test" in str(caught.value) or "PATH" in str(caught.value)  # says what is allowed


@pytest.mark.parametrize(
    "options",
    [{"splits": Path("s.txt")}, {"draw": 2}, {"sampling": "dense"}, {"skip_unreadable": True}],
)
def test_options_of_videos_are_refused_for_drawn_clips(options):
    message = "actions/test: splits, draw, sampling and skip_unreadable are for data sets of videos"
    with pytest.raises(ClipError, match=re.escape(message)):
        open_clips("actions/test", **options)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    for name in (f"videofolder:{tmp_path}/no", f"hmdb51:{tmp_path}/no#test"):
        with pytest.raises(ClipError, match=f"{tmp_path}/no"):
            open_clips(name)
