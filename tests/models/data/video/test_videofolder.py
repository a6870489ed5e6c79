"""Folders of videos as clips: what is listed, how it is split, what is read and what is refused."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from fadeline.models.data.cache.cache import cache_path
from fadeline.models.data.clipset import ClipSet
from fadeline.models.data.video import unreadable
from fadeline.models.data.video.folder_name import parse_folder_name
from fadeline.models.data.video.videofolder import VideoFolder
from fadeline.models.errors import ClipError

DATA = Path(__file__).resolve().parents[4].parent / "shared" / "data"
FILES = ("jump/a.avi", "jump/b.avi", "jump/c.avi", "walk/a.mp4", "walk/d.mp4")
SPLITS = "jump/a.avi train\njump/b.avi test\nwalk/a train\nwalk/d.mp4 test\njump/c val\n"


def listed(clips):
    return [f"{path.parent.name}/{path.name}" for path in clips.paths]


@pytest.fixture(autouse=True)
def cache_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("FADELINE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def films(tree):
    """Return a folder of five empty videos of two classes, with a split file."""
    folder = tree(*FILES)
    (folder / "splits.txt").write_text(SPLITS)
    return folder


# -- Listing: nothing is decoded, the files are empty -----------------------------------------


def test_all_clips_in_order(films):
    clips: ClipSet = VideoFolder(films)
    assert listed(clips) == list(FILES)
    assert clips.classes == ("jump", "walk")
    assert clips.labels.tolist() == [0, 0, 0, 1, 1]
    assert clips.labels.dtype == np.int64
    assert clips.shape == (16, 64, 64)
    assert len(clips) == 5
    assert clips.name == f"videofolder:{films}"


def test_only_videos_in_visible_class_folders_count(tree):
    folder = tree(*FILES)
    tree("jump/.hidden.avi", "jump/notes.txt", "jump/frame.jpg", "jump/Thumbs.db", "jump/noend")
    tree("top.avi", ".git/x.avi", "jump/loud.MP4")
    (folder / "walk" / "folder.avi").mkdir()
    clips = VideoFolder(folder)
    assert listed(clips) == [*FILES[:3], "jump/loud.MP4", *FILES[3:]]
    assert clips.left_out == ("jump/frame.jpg",)


@pytest.mark.parametrize(
    ("split", "files"),
    [
        ("train", ["jump/a.avi", "walk/a.mp4"]),
        ("val", ["jump/c.avi"]),
        ("test", ["jump/b.avi", "walk/d.mp4"]),
    ],
)
def test_a_split_of_one_file(films, split, files):
    clips = VideoFolder(films, split=split)
    assert listed(clips) == files
    assert clips.classes == ("jump", "walk")
    assert clips.labels.tolist() == [("jump", "walk").index(file[:4]) for file in files]
    assert clips.name == f"videofolder:{films}#{split}"


def test_a_split_of_hmdb51s_format(tree):
    folder = tree(*FILES)
    (folder / "splits").mkdir()
    for draw, (a, b) in enumerate([(1, 2), (2, 1)], start=1):
        (folder / f"splits/jump_test_split{draw}.txt").write_text(f"a.avi {a}\nb {b}\nc.avi 0\n")
        (folder / f"splits/walk_test_split{draw}.txt").write_text(f"a.avi {a}\nd {b}\n")
    assert listed(VideoFolder(folder)) == list(FILES)
    assert listed(VideoFolder(folder, split="train")) == ["jump/a.avi", "walk/a.mp4"]
    assert listed(VideoFolder(folder, split="test")) == ["jump/b.avi", "walk/d.mp4"]
    assert listed(VideoFolder(folder, split="test", draw=2)) == ["jump/a.avi", "walk/a.mp4"]
    with pytest.raises(ClipError, match=r"draw 1 has no clip in split val; it has test, train"):
        VideoFolder(folder, split="val")


def test_a_split_of_ucf101s_format(tree):
    """As UCF101 comes: a folder of lists beside the class folders; one clip is misspelled."""
    clips = [f"Jump/v_Jump_g0{group}_c0{number}.avi" for group in (1, 2, 3) for number in (1, 2)]
    folder = tree(*clips, "Walk/v_Walk_g01_c01.avi", "Walk/v_Walk_g02_c01.avi")
    lists = folder / "ucfTrainTestlist"
    lists.mkdir()
    (lists / "classInd.txt").write_text("1 Jump\n2 Walk\n")
    for draw, (train, test) in enumerate([(2, 1), (1, 2)], start=1):
        (lists / f"trainlist0{draw}.txt").write_text(
            f"Jump/v_Jump_g0{train}_c01.avi 1\nJump/v_Jump_g0{train}_c02.avi 1\n"
            f"Walk/v_walk_g0{train}_c01.avi 2\n"
        )
        (lists / f"testlist0{draw}.txt").write_text(
            f"Jump/v_Jump_g0{test}_c01.avi\nWalk/v_Walk_g0{test}_c01.avi\n"
        )
    parts = [VideoFolder(folder, split=split) for split in ("train", "test")]
    assert listed(parts[0]) == [clips[2], clips[3], "Walk/v_Walk_g02_c01.avi"]
    assert listed(parts[1]) == [clips[0], "Walk/v_Walk_g01_c01.avi"]
    assert listed(VideoFolder(folder, split="train", draw=2))[:2] == clips[:2]
    given = VideoFolder(folder, split="test", splits=lists / "testlist02.txt", draw=2)
    assert listed(given)[0] == clips[2]
    assert VideoFolder(folder).classes == ("Jump", "Walk")


def test_splits_may_be_elsewhere_and_clips_not_listed_are_unused(films, tmp_path):
    other = tmp_path / "mine.csv"
    other.write_text("clip,split\nwalk/d.mp4,test\njump/c.avi,test\n")
    assert listed(VideoFolder(films, split="test", splits=other)) == ["jump/c.avi", "walk/d.mp4"]
    inside = films / "my splits"
    inside.mkdir()
    (inside / "jump_test_split1.txt").write_text("a 1\nb 2")
    (inside / "walk_test_split1.txt").write_text("a 1\nd 2")
    assert listed(VideoFolder(films, split="test", splits=inside)) == ["jump/b.avi", "walk/d.mp4"]


def test_an_exact_name_goes_before_one_without_its_extension(tree):
    folder = tree("jump/a.b.avi", "jump/a.b", "jump/a.avi", "jump/a.avi.mp4", "jump/c.avi")
    (folder / "splits.txt").write_text("jump/a.avi train\njump/a.b test\njump/a.avi.mp4 val")
    assert listed(VideoFolder(folder, split="train")) == ["jump/a.avi"]
    assert listed(VideoFolder(folder, split="test")) == ["jump/a.b.avi"]
    assert listed(VideoFolder(folder, split="val")) == ["jump/a.avi.mp4"]


def test_the_version_follows_whatever_changes_the_clips(films):
    versions = {
        VideoFolder(films).version,
        VideoFolder(films, split="train").version,
        VideoFolder(films, frames=8).version,
        VideoFolder(films, size=32).version,
        VideoFolder(films, sampling="dense").version,
        VideoFolder(films, sampling="dense", stride=2).version,
    }
    before, status = VideoFolder(films).version, (films / "jump/a.avi").stat()
    (films / "jump/a.avi").write_bytes(b"1")
    versions.add(VideoFolder(films).version)
    (films / "jump/a.avi").rename(films / "jump/a2.avi")
    versions.add(VideoFolder(films).version)
    (films / "run").mkdir()
    (films / "run/x.avi").touch()
    versions.add(VideoFolder(films).version)
    assert len(versions) == 9
    (films / "run/x.avi").unlink()
    (films / "run").rmdir()
    (films / "jump/a2.avi").rename(films / "jump/a.avi")
    (films / "jump/a.avi").write_bytes(b"")
    os.utime(films / "jump/a.avi", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert VideoFolder(films).version == before


@pytest.mark.parametrize("place", [0, 20_000, 39_999])
def test_the_version_follows_content_of_the_same_size_and_time(films, place):
    video = films / "jump/a.avi"
    content = bytearray(40_000)
    video.write_bytes(content)
    before, status = VideoFolder(films).version, video.stat()
    content[place] = 1
    video.write_bytes(content)
    os.utime(video, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert VideoFolder(films).version != before


def test_the_version_follows_the_time_of_change(films):
    before = VideoFolder(films).version
    os.utime(films / "jump/a.avi", ns=(0, 1))
    assert VideoFolder(films).version != before


def test_folders_that_look_alike_have_other_versions_and_caches(tree, monkeypatch):
    folders = [tree(*FILES, folder=f"{name}/films") for name in ("mine", "yours")]
    seen = []
    for folder in folders:
        monkeypatch.chdir(folder.parent)
        seen.append(VideoFolder("films"))
        assert seen[-1].version == VideoFolder(folder).version
    assert seen[0].name == seen[1].name
    assert seen[0].version != seen[1].version
    assert cache_path(seen[0]) != cache_path(seen[1])


def test_draws_have_other_versions_and_caches(tree):
    folder = tree(*FILES)
    (folder / "splits").mkdir()
    for draw, (a, b) in enumerate([(1, 2), (2, 1)], start=1):
        (folder / f"splits/jump_test_split{draw}.txt").write_text(f"a {a}\nb {b}\n")
        (folder / f"splits/walk_test_split{draw}.txt").write_text(f"a {a}\nd {b}\n")
    first, second = (VideoFolder(folder, split="test", draw=draw) for draw in (1, 2))
    assert first.name == second.name
    assert first.version != second.version
    assert cache_path(first) != cache_path(second)


# -- Reading ----------------------------------------------------------------------------------


@pytest.fixture
def real(film, tmp_path):
    """Return a folder of three readable videos, of 20, 20 and 3 frames."""
    for file, count in (("jump/a.avi", 20), ("jump/b.mp4", 20), ("walk/a.webm", 3)):
        film(tmp_path / "real" / file, count)
    return tmp_path / "real"


def test_clips_are_read(real, shown):
    clips = VideoFolder(real, frames=4, size=32)
    assert [shown(clips.clip(index)) for index in range(3)] == [
        [2, 7, 12, 17],
        [2, 7, 12, 17],
        [0, 1, 1, 2],
    ]
    assert clips.clip(0).shape == (4, 32, 32, 3)
    in_a_row = VideoFolder(real, frames=4, size=32, sampling="dense", stride=2)
    assert [shown(in_a_row.clip(index)) for index in (0, 2)] == [[6, 8, 10, 12], [0, 2, 2, 2]]


def test_clips_are_drawn_for_training(real, shown):
    clips = VideoFolder(real, frames=4, size=32)
    draws = [shown(clips.clip(0, rng=np.random.default_rng(seed))) for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]
    assert shown(clips.clip(0)) == [2, 7, 12, 17]


def test_clips_that_are_not_there(real):
    clips = VideoFolder(real)
    for index in (-1, 3):
        with pytest.raises(IndexError, match=rf"videofolder:.* has clips 0 to 2, got {index}"):
            clips.clip(index)


def test_other_processes_can_have_it(real):
    clips = VideoFolder(real, size=32)
    copy = pickle.loads(pickle.dumps(clips))
    np.testing.assert_array_equal(copy.clip(1), clips.clip(1))
    assert copy.version == clips.version


def test_an_unreadable_clip_is_an_error_when_it_is_read(real):
    (real / "jump/bad.avi").write_bytes(b"no video")
    clips = VideoFolder(real, size=32)
    assert clips.skipped == ()
    clips.clip(0)
    with pytest.raises(ClipError, match=r"jump/bad\.avi: cannot be read as a video"):
        clips.clip(2)


def test_unreadable_clips_are_left_out_on_request(real, film):
    (real / "jump/bad.avi").write_bytes(b"no video")
    film(real / "walk/none.avi", np.zeros((0, 48, 64, 3), np.uint8))
    clips = VideoFolder(real, size=32, skip_unreadable=True)
    assert listed(clips) == ["jump/a.avi", "jump/b.mp4", "walk/a.webm"]
    assert clips.labels.tolist() == [0, 0, 1]
    assert [message.split(": ")[0] for message in clips.skipped] == [
        f"{real}/jump/bad.avi",
        f"{real}/walk/none.avi",
    ]
    assert "the video has no frames" in clips.skipped[1]


def test_videos_are_tried_once(real, monkeypatch):
    (real / "jump/bad.avi").write_bytes(b"no video")
    first = VideoFolder(real, size=32, skip_unreadable=True)
    tried = []
    monkeypatch.setattr(unreadable, "read_clip", lambda path, *_, **__: tried.append(path))
    monkeypatch.chdir(real.parent)
    again = VideoFolder(real.name, size=32, skip_unreadable=True)
    assert (tried, again.version) == ([], first.version)
    assert again.skipped[0].startswith("real/jump/bad.avi: cannot be read as a video")
    (real / "jump/bad.avi").write_bytes(b"still no video")
    assert VideoFolder(real, size=32, skip_unreadable=True).skipped == ()
    assert len(tried) == 4


def test_leaving_out_everything_is_refused(tree):
    with pytest.raises(ClipError, match=r"none of 5 videos can be read: .*a\.avi: cannot be read"):
        VideoFolder(tree(*FILES), skip_unreadable=True)


# -- Bad input --------------------------------------------------------------------------------


def test_folders_that_cannot_be_used(tree, tmp_path, monkeypatch):
    with pytest.raises(ClipError, match=r"gone: no such folder"):
        VideoFolder(tmp_path / "gone")
    folder = tree("a.avi")
    with pytest.raises(ClipError, match=r"a\.avi: is a file, not a folder of videos"):
        VideoFolder(folder / "a.avi")
    with pytest.raises(ClipError, match=r"films: has no class folders; it needs a folder for each"):
        VideoFolder(folder)
    tree("jump/a.avi", "walk/notes.txt")
    with pytest.raises(ClipError, match=r"films/walk: the class folder has no video file; put "):
        VideoFolder(folder)

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(ClipError, match=r"films: cannot be read: Permission denied"):
        VideoFolder(folder)


def test_a_link_to_nothing_is_refused(tree):
    folder = tree(*FILES)
    (folder / "jump/link.avi").symlink_to("gone.avi")
    with pytest.raises(ClipError, match=r"jump/link\.avi: cannot be read: No such file"):
        VideoFolder(folder)


def test_unknown_and_empty_splits(films):
    with pytest.raises(
        ClipError, match=r"split must be one of train, val, test; got 'trian'; did "
    ):
        VideoFolder(films, split="trian")
    (films / "splits.txt").write_text("jump/a train\nwalk/a test\n")
    with pytest.raises(ClipError, match=r"splits\.txt: draw 1 has no clip in split val; it has te"):
        VideoFolder(films, split="val")
    (films / "splits.txt").unlink()
    with pytest.raises(ClipError, match=r"cannot take split val without split files: none of spl"):
        VideoFolder(films, split="val")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "jump/d train",
            r"splits\.txt:6: the clip jump/d is not in .*films; nothing there is named",
        ),
        ("jump/aa.avi test", r"jump/aa\.avi is not in .*; nearest: a\.avi, c\.avi, b\.avi$"),
        ("jmup/a.avi test", r"jmup/a\.avi is not in .*; the nearest class folder is jump$"),
        ("jump/x val\njump/y val\nwalk/z val", r"jump/x is not in .*; 2 more clips are missing$"),
        (
            "jump/a test",
            r"splits\.txt:6: names the clip jump/a\.avi again, after .*splits\.txt:1; r",
        ),
        ("jump/a", r"splits\.txt:6: must be <class>/<clip> and one of train, val, test"),
    ],
)
def test_split_files_that_do_not_fit_the_folder(films, line, message):
    (films / "splits.txt").write_text(SPLITS + line)
    with pytest.raises(ClipError, match=message):
        VideoFolder(films, split="train")


def test_a_class_without_a_training_clip_is_refused(films):
    lines = "jump/a.avi test", "jump/b.avi test", "jump/c val", "walk/a train", "walk/d.mp4 test"
    (films / "splits.txt").write_text("\n".join(lines))
    with pytest.raises(ClipError, match="draw 1 has no training clip of the class jump"):
        VideoFolder(films, split="train")
    assert len(VideoFolder(films, split="test")) == 3


def test_a_class_without_any_split_is_refused(films):
    (films / "run").mkdir()
    (films / "run/a.avi").touch()
    with pytest.raises(
        ClipError, match=r"draw 1 names no clip of the class run, which is a folder"
    ):
        VideoFolder(films, split="train")
    assert len(VideoFolder(films)) == 6


def test_a_name_that_fits_two_files_is_refused(films):
    (films / "jump/a.mp4").touch()
    (films / "splits.txt").write_text("jump/a train\nwalk/a test")
    with pytest.raises(
        ClipError, match=r"jump: a may be any of a\.avi, a\.mp4; name the file with"
    ):
        VideoFolder(films, split="train")


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"sampling": "even"}, "sampling must be one of uniform, dense; got 'even'"),
        ({"sampling": "dens"}, r"got 'dens'; did you mean dense\?"),
        ({"frames": 0}, "frames must be at least 1, got 0"),
        ({"stride": 0}, "stride must be at least 1, got 0"),
        ({"size": 0}, "size must be at least 1 pixel, got 0"),
        ({"split": "train", "draw": 2}, r"splits\.txt: one split file has only draw 1, got draw 2"),
    ],
)
def test_settings_that_are_impossible(films, how, message):
    with pytest.raises(ClipError, match=message):
        VideoFolder(films, **how)


# -- Names ------------------------------------------------------------------------------------


def test_names(tmp_path, monkeypatch):
    assert parse_folder_name("films") == (Path("films"), None)
    assert parse_folder_name("/a b/films#val") == (Path("/a b/films"), "val")
    assert parse_folder_name("a#b#test") == (Path("a#b"), "test")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert parse_folder_name("~/x#train") == (tmp_path / "x", "train")
    (tmp_path / "no#1").mkdir()
    assert parse_folder_name(f"{tmp_path}/no#1") == (tmp_path / "no#1", None)
    assert parse_folder_name("~/no#1") == (tmp_path / "no#1", None)
    with pytest.raises(
        ClipError, match=r"split must be one of .*; got 'tset'; did you mean test\?"
    ):
        parse_folder_name("films#tset")
    for text in ("", "#train"):
        with pytest.raises(ClipError, match=r"names no folder; write PATH or PATH#SPLIT"):
            parse_folder_name(text)


# -- Real films -------------------------------------------------------------------------------


@pytest.mark.skipif(not (DATA / "ut_interaction").is_dir(), reason="the films are not here")
def test_ut_interaction():
    folder, splits = DATA / "ut_interaction", DATA / "ut_interaction_splits"
    clips = VideoFolder(folder)
    assert len(clips) == 120
    assert clips.classes == ("handshake", "hug", "kick", "point", "punch", "push")
    assert np.bincount(clips.labels).tolist() == [20] * 6
    tested = set()
    for draw in (1, 2, 3):
        train, test = (
            VideoFolder(folder, split=split, splits=splits, draw=draw)
            for split in ("train", "test")
        )
        assert np.bincount(train.labels).tolist() == [14] * 6
        assert np.bincount(test.labels).tolist() == [6] * 6
        assert not set(train.paths) & set(test.paths)
        assert {*train.paths, *test.paths} == set(clips.paths)
        tested.add(test.version)
    assert len(tested) == 3
    for index in (0, 67, 119):
        clip = clips.clip(index)
        assert clip.shape == (16, 64, 64, 3)
        assert clip.std() > 5  # a picture
        assert np.abs(np.diff(clip.astype(int), axis=0)).mean() > 0.5  # that moves
