"""Archives where clips should be: what is said of them, so that it can be typed."""

import shlex
import subprocess

import pytest

from fadeline.models.data.opening import clip_notes, open_clips
from fadeline.models.data.video.hmdb51 import Hmdb51, check_hmdb51
from fadeline.models.data.video.videofolder import VideoFolder
from fadeline.models.errors import ClipError


@pytest.fixture
def packed(tmp_path):
    """Return a folder as HMDB51 is downloaded: an archive for each class."""
    folder = tmp_path / "my films"
    folder.mkdir()
    for name in ("brush_hair", "cartwheel", "catch"):
        (folder / f"{name}.rar").touch()
    return folder


@pytest.mark.parametrize("kind", ["videofolder", "hmdb51"])
def test_a_folder_of_archives_is_refused_with_the_command_that_unpacks_them(packed, kind):
    with pytest.raises(ClipError) as refusal:
        open_clips(f"{kind}:{packed}#train")
    assert str(refusal.value) == (
        f"{packed}: holds 3 archives (.rar), which must be unpacked first; type "
        f"cd '{packed}' && for f in *.rar; do unrar x \"$f\"; done"
    )


def test_the_command_works_as_it_is_said(packed, tmp_path):
    """With another tool in the place of the one that may not be installed."""
    (tmp_path / "unrar").write_text('#!/bin/sh\nmkdir "${2%.rar}"; touch "${2%.rar}/a.avi"\n')
    (tmp_path / "unrar").chmod(0o755)
    with pytest.raises(ClipError) as refusal:
        VideoFolder(packed)
    command = str(refusal.value).partition("; type ")[2]
    subprocess.run(
        ["sh", "-c", command], check=True, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, cwd=tmp_path
    )
    assert VideoFolder(packed).classes == ("brush_hair", "cartwheel", "catch")


def test_other_archives_and_ways_to_write_them(tmp_path):
    for name in ("a.ZIP", "b.7z", "c.tar", ".hidden.rar"):
        (tmp_path / name).touch()
    with pytest.raises(ClipError) as refusal:
        VideoFolder(tmp_path)
    assert "holds 3 archives (.7z, .ZIP, .tar), which must" in str(refusal.value)
    assert 'for f in *.ZIP; do unzip "$f"; done; for f in *.tar; do tar xf "$f"; done' in str(
        refusal.value
    )


def test_an_archive_in_the_place_of_the_folder(packed):
    path = packed / "catch.rar"
    with pytest.raises(ClipError) as refusal:
        VideoFolder(path)
    assert str(refusal.value) == (
        f"{path}: is a file, not a folder of videos; unpack it first; type "
        f"cd {shlex.quote(str(packed))} && unrar x catch.rar"
    )
    with pytest.raises(ClipError, match=r"gone\.rar: no such folder$"):
        VideoFolder(packed / "gone.rar")


def test_archives_in_class_folders(tree):
    folder = tree("jump/a.rar", "walk/a.avi")
    with pytest.raises(
        ClipError, match=r"jump: the class folder has no video file; .* it holds 1 "
    ) as refusal:
        VideoFolder(folder)
    assert str(refusal.value).endswith(
        f'type cd {folder}/jump && for f in *.rar; do unrar x "$f"; done'
    )


def test_classes_that_are_not_unpacked_are_named(tree):
    folder = tree("jump/a.avi")
    for name in ("jump.rar", "walk.rar", "wave.zip"):
        (folder / name).touch()
    assert VideoFolder(folder).left_out == ("walk.rar", "wave.zip")
    [note] = clip_notes(VideoFolder(folder))
    assert note.endswith("among the videos that are read: 1 .rar, 1 .zip (walk.rar, ...)")


def test_hmdb51_of_which_classes_are_not_unpacked(packed):
    (packed / "splits").mkdir()
    (packed / "catch").mkdir()
    (packed / "catch/a.avi").touch()
    with pytest.raises(
        ClipError, match=r"classes: 1, not 51; .*; it holds 3 archives \(\.rar\) that "
    ):
        Hmdb51(packed, split="train")
    rows = {row.quantity: row.found for row in check_hmdb51(packed)}
    assert rows["other files"].endswith("2 .rar (brush_hair.rar, ...)")
