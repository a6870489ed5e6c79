"""`fadeline data`: list, cache, sheet and check."""

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import cv2
import numpy as np
import psutil
import pytest
from rich.console import Console

from fadeline.models.data.cache.cache import cached
from fadeline.models.data.digest import whole_digest
from fadeline.models.data.drawn import actions
from fadeline.models.data.drawn.actions import ActionClips, Split
from fadeline.models.data.drawn.gestures import ACTIONS
from fadeline.models.data.opening import NAMES
from fadeline.models.data.video import hmdb51
from fadeline.models.data.video.hmdb51 import CountRow
from fadeline.simulator.cli import console


@pytest.fixture
def cache_folder(tmp_path, monkeypatch):
    """Keep caches in a folder of this test."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("FADELINE_CACHE", str(folder))
    return folder


@pytest.fixture
def few_clips(monkeypatch):
    """Make the validation set so small that it is drawn at once; workers would not know."""
    monkeypatch.setitem(actions.SPLITS, "val", Split(1, 20, 160, 400))


def write_video(path, *, frames=6):
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        for number in range(frames):
            picture = np.full((32, 32, 3), 40 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


# list


def test_list_shows_every_name_and_what_is_cached(fadeline, cache_folder, few_clips):
    fresh = {row["name"]: row for row in json.loads(fadeline("data", "list", "--json").out)}
    assert list(fresh) == list(NAMES)
    assert fresh["actions/val"] == {
        "name": "actions/val",
        "what": NAMES["actions/val"],
        "clips": 20,
        "classes": len(ACTIONS),
        "shape": [16, 64, 64],
        "cached": False,
        "where": None,
        "size_bytes": 0,
    }
    assert fresh["actions/test@SEED"]["clips"] is None
    path = cached(ActionClips("val"), workers=1).path
    answer = fadeline("data", "list", "--json")
    assert (answer.code, answer.err) == (0, "")
    rows = {row["name"]: row for row in json.loads(answer.out)}
    changed = {"cached": True, "where": str(path), "size_bytes": 20 * 16 * 64 * 64 * 3}
    assert rows == fresh | {"actions/val": fresh["actions/val"] | changed}


def test_list_shows_other_caches_and_which_are_outdated(
    fadeline, cache_folder, few_clips, monkeypatch
):
    larger = cached(ActionClips("val", size=112), workers=1).path
    monkeypatch.setattr(actions, "VERSION", "0")
    older = cached(ActionClips("val"), workers=1).path
    monkeypatch.undo()
    monkeypatch.setenv("FADELINE_CACHE", str(cache_folder))
    rows = json.loads(fadeline("data", "list", "--json").out)
    version = ActionClips("val").version
    found = {row["where"]: row["what"] for row in rows if row["cached"]}
    assert found == {
        str(larger): f"version {version}",
        str(older): "version actions-0; no longer used",
    }


def test_list_for_people(fadeline, cache_folder, few_clips):
    cached(ActionClips("val"), workers=1)
    answer = fadeline("data", "list")
    assert (answer.code, answer.err) == (0, "")
    lines = {line.split()[0]: line.split() for line in answer.out.splitlines() if line.strip()}
    assert set(NAMES) <= set(lines)
    assert lines["actions/val"][-4:-1] == ["16x64x64", "3.932", "MB"]
    assert lines["actions/test"][-1] == "no"


# cache


def test_cache_makes_the_cache_and_says_where(fadeline, cache_folder, few_clips):
    answer = fadeline("data", "cache", "actions/val", "--workers", 1, "--verify")
    (header,) = cache_folder.glob("*.json")
    path = header.with_suffix(".clips")
    digest = json.loads(header.read_text())["digest"]
    assert answer.code == 0
    assert answer.err == f"actions/val: caching 20 clips, 3.932 MB, in {path}\n"
    assert answer.out == (
        f"name: actions/val\nversion: {ActionClips('val').version}\nclips: 20\n"
        f"path: {path}\ndigest: {digest}\nverified: True\n"
    )


def test_cache_as_json_and_quiet(fadeline, cache_folder, few_clips):
    command = ("data", "cache", "actions/val", "--workers", 1)
    answer = fadeline(*command, "--json")
    assert (answer.code, answer.err) == (0, "")
    found = json.loads(answer.out)
    assert (found["name"], found["clips"], found["verified"]) == ("actions/val", 20, False)
    assert Path(found["path"]).is_file()
    answer = fadeline(*command, "--quiet")
    assert (answer.code, answer.out, answer.err) == (0, "", "")


def test_cache_is_made_again_only_when_asked_or_damaged(fadeline, cache_folder, few_clips):
    command = ("data", "cache", "actions/val", "--workers", 1)
    fadeline(*command)
    assert fadeline(*command).err == ""
    assert fadeline(*command, "--force").err.endswith("(as asked)\n")
    (path,) = cache_folder.glob("*.clips")
    os.truncate(path, 100)
    assert "(the one there has 100 bytes instead of 3932160)" in fadeline(*command).err
    assert fadeline(*command, "--verify").err == ""


def test_cache_shows_a_bar_on_a_terminal(fadeline, cache_folder, few_clips, monkeypatch):
    screen = io.StringIO()
    terminal = Console(file=screen, force_terminal=True, width=100)
    monkeypatch.setattr(console, "errors", lambda: terminal)
    command = ("data", "cache", "actions/val", "--workers", 1, "--verify", "--force")
    assert fadeline(*command).code == 0
    assert "caching" in screen.getvalue()
    assert "20/20" in screen.getvalue()
    assert "checking" in screen.getvalue()
    screen.truncate(0)
    assert fadeline(*command, "--quiet").code == 0
    assert "20/20" not in screen.getvalue()


def test_a_bar_takes_any_name_as_it_is(monkeypatch):
    screen = io.StringIO()
    terminal = Console(file=screen, force_terminal=True, width=100)
    monkeypatch.setattr(console, "errors", lambda: terminal)
    with console.bar("caching films[/b]{c}", quiet=False) as draw:
        assert draw is not None
        draw(1, 2)
    assert "caching films[/b]{c}" in screen.getvalue()


def test_a_damage_that_only_verify_sees_exits_with_2(fadeline, cache_folder, monkeypatch):
    monkeypatch.setitem(actions.SPLITS, "val", Split(1, 100, 160, 400))
    clips = ActionClips("val")
    monkeypatch.setattr(ActionClips, "clip", lambda self, index: np.zeros((16, 64, 64, 3), "u1"))
    monkeypatch.setattr("fadeline.models.data.cache.cache.CHECKED_BLOCKS", 2)
    path = cached(clips, workers=1).path
    with path.open("r+b") as file:
        file.seek(20 * 196_608)
        file.write(b"\x01")
    command = ("data", "cache", "actions/val", "--workers", 1)
    assert fadeline(*command).code == 0
    answer = fadeline(*command, "--verify")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        f"error: actions/val: the cache {path} is damaged at clips 16 to 31; "
        "build it again: fadeline data cache --force 'actions/val'\n"
    )


def test_cache_of_a_folder_of_videos(fadeline, cache_folder, in_tmp):
    for name in ("jump/a", "jump/b", "run/c"):
        write_video(in_tmp / f"films/{name}.mp4")
    (in_tmp / "films/splits.txt").write_text("jump/a train\njump/b test\nrun/c test\n")
    options = ("--frames", 4, "--size", 16, "--workers", 2, "--json")
    everything = json.loads(fadeline("data", "cache", "videofolder:films", *options).out)
    test = json.loads(fadeline("data", "cache", "videofolder:films#test", *options).out)
    assert (everything["clips"], test["clips"]) == (3, 2)
    assert Path(test["path"]).stat().st_size == 2 * 4 * 16 * 16 * 3


def test_folders_of_frames_are_shown_cached_and_listed(fadeline, cache_folder, in_tmp):
    for clip in ("jump/a", "run/b", "run/c"):
        folder = in_tmp / "films" / clip
        folder.mkdir(parents=True)
        for number in range(6):
            picture = np.full((32, 48, 3), 40 * number, np.uint8)
            assert cv2.imwrite(str(folder / f"img_{number:05}.jpg"), picture)
    (in_tmp / "films/run/c/img_00003.jpg").write_bytes(b"no picture")
    answer = fadeline("data", "cache", "videofolder:films", "--frames", 6, "--size", 16)
    assert answer.code == 2
    assert "1 of 3 videos cannot be read; replace them, or" in answer.err
    assert "\nfilms/run/c: img_00003.jpg: cannot be read as a picture: " in answer.err
    words = (
        "data",
        "cache",
        "videofolder:films",
        *SMALL,
        "--skip-unreadable",
        "--verify",
        "--json",
    )
    found = json.loads(fadeline(*words).out)
    assert (found["clips"], len(found["skipped"])) == (2, 1)
    rows = json.loads(fadeline("data", "list", "--json").out)
    assert found["path"] in [row["where"] for row in rows]
    sheet = ("data", "sheet", "videofolder:films", "--out", "sheet.png", "--frames", 4)
    assert fadeline(*sheet, "--classes", "jump").code == 0
    sheet_pixels = cv2.imread("sheet.png")
    assert sheet_pixels is not None
    assert sheet_pixels.max() > 150


@pytest.fixture
def damaged(in_tmp):
    """Return a folder of four videos, two of which cannot be read, and a picture."""
    for name in ("jump/a", "jump/b", "run/c", "run/d"):
        write_video(in_tmp / f"films/{name}.mp4")
    (in_tmp / "films/jump/b.mp4").write_bytes(b"")
    (in_tmp / "films/run/d.mp4").write_bytes(b"no video")
    (in_tmp / "films/run/cover.jpg").touch()
    return in_tmp / "films"


SMALL = ("--frames", 4, "--size", 16, "--workers", 1)


def test_all_damaged_videos_are_named_at_once(fadeline, cache_folder, damaged):
    answer = fadeline("data", "cache", "videofolder:films", *SMALL)
    assert answer.code == 2
    assert "error: videofolder:films: 2 of 4 videos cannot be read; replace them, or" in answer.err
    assert "--skip-unreadable" in answer.err
    for name in ("jump/b.mp4", "run/d.mp4"):
        assert f"\nfilms/{name}: cannot be read as a video: " in answer.err
    assert "left out, since not among the videos that are read: 1 .jpg (run/cover.j" in answer.err


def test_damaged_videos_are_left_out_on_request_and_recorded(fadeline, cache_folder, damaged):
    words = ("data", "cache", "videofolder:films", *SMALL, "--skip-unreadable", "--verify")
    answer = fadeline(*words)
    assert (answer.code, answer.err.count("skipped: films/")) == (0, 2)
    found = json.loads(fadeline(*words, "--json").out)
    assert found["clips"] == 2
    assert [line.partition(": ")[0] for line in found["skipped"]] == [
        "films/jump/b.mp4", "films/run/d.mp4"
    ]  # fmt: skip
    header = json.loads(Path(found["path"]).with_suffix(".json").read_text())
    assert header["skipped"] == found["skipped"]


def test_verify_decodes_again(fadeline, cache_folder, in_tmp):
    """What three samples of a file and two clips of the set do not show."""
    for name in ("a", "b", "c"):
        write_video(in_tmp / f"films/jump/{name}.mp4")
    words = ("data", "cache", "videofolder:films", *SMALL)
    assert fadeline(*words, "--verify").code == 0
    clip = json.loads(fadeline(*words, "--json").out)
    path = Path(clip["path"])
    header = json.loads(path.with_suffix(".json").read_text())
    pixels = bytearray(path.read_bytes())
    pixels[len(pixels) // 2] ^= 1
    header["blocks"] = [hashlib.sha256(pixels).hexdigest()]
    header["digest"] = whole_digest(
        header["shape"], header["classes"], header["labels"], header["blocks"]
    )
    path.write_bytes(pixels)
    path.with_suffix(".json").write_text(json.dumps(header))
    assert fadeline(*words).code == 0
    answer = fadeline(*words, "--verify")
    assert answer.code == 2
    assert "has other pixels than the source now at clips 0 to 2; build it again" in answer.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["action/val"], "error: action/val: no such data set; did you mean actions/val?"),
        (["actions/val", "--size", "65"], "error: actions/val: size must be 64 or 112 pixels"),
        (["actions/val", "--draw", "2"], "error: actions/val: splits, draw, sampling and skip"),
        (["videofolder:no"], "error: no: no such folder"),
        (["actions/val", "--workers", "0"], "Invalid value for '--workers'"),
    ],
    ids=["name", "size", "draw", "folder", "workers"],
)
def test_what_cannot_be_cached_exits_with_2(fadeline, cache_folder, in_tmp, words, message):
    answer = fadeline("data", "cache", *words)
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err
    assert not cache_folder.exists()


def test_ctrl_c_stops_the_workers_and_leaves_nothing(cache_folder):
    words = ("data", "cache", "actions/train", "--workers", "2")
    process = subprocess.Popen(
        [sys.executable, "-m", "fadeline.simulator", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    workers: list[psutil.Process] = []
    limit_s = time.monotonic() + 20
    while len(workers) < 2 and time.monotonic() < limit_s:
        time.sleep(0.05)
        workers = psutil.Process(process.pid).children()
    assert len(workers) == 2
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "interrupted"
    assert "Traceback" not in err
    assert list(cache_folder.iterdir()) == []
    assert psutil.wait_procs(workers, timeout=5)[1] == []


# sheet


def test_sheet_writes_a_picture(fadeline, in_tmp, few_clips):
    command = ("data", "sheet", "actions/val", "--classes", "wave", "--classes", "kick")
    answer = fadeline(*command, "--columns", 3, "--out", "new/sheet.png")
    assert (answer.code, answer.out, answer.err) == (0, "sheet: new/sheet.png\n", "")
    image = cv2.imread("new/sheet.png")
    assert image is not None
    assert image.shape[0] == 2 * 132 + 4
    again = fadeline(*command, "--out", "new/sheet.png")
    assert (again.code, again.out) == (2, "")
    assert again.err == "error: new/sheet.png: exists already; use --force to write over it\n"
    answer = fadeline(*command, "--per-class", 2, "--out", "new/sheet.png", "--force", "--quiet")
    assert (answer.code, answer.out, answer.err) == (0, "", "")
    wider = cv2.imread("new/sheet.png")
    assert wider is not None
    assert wider.shape[1] > image.shape[1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--out", "a.jpg"], "error: --out a.jpg: must end in .png\n"),
        (["--out", "file/a.png"], "error: file/a.png: cannot be written: File exists\n"),
        (
            ["--out", "a.png", "--classes", "wav"],
            "error: actions/val: no class 'wav'; did you mean",
        ),
        ([], "Missing option '--out'"),
    ],
    ids=["suffix", "below-a-file", "class", "nowhere"],
)
def test_a_sheet_that_cannot_be_drawn_exits_with_2(fadeline, in_tmp, few_clips, words, message):
    Path("file").write_text("mine")
    answer = fadeline("data", "sheet", "actions/val", *words)
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err
    assert [path.name for path in in_tmp.iterdir()] == ["file"]


# check


def test_check_counts_a_whole_folder(fadeline, monkeypatch):
    given = []
    rows = [CountRow("classes", "51", "51", True), CountRow("missing clips", "0", "0", True)]

    def count(*paths):
        given.append(paths)
        return rows

    monkeypatch.setattr(hmdb51, "check_hmdb51", count)
    answer = fadeline("data", "check", "films", "--splits", "lists")
    assert (answer.code, answer.err) == (0, "")
    assert given == [(Path("films"), Path("lists"))]
    lines = [line.split() for line in answer.out.splitlines()]
    assert ["classes", "51", "51", "yes"] in lines
    assert ["missing", "clips", "0", "0", "yes"] in lines
    answer = fadeline("data", "check", "films", "--quiet")
    assert (answer.code, answer.out, answer.err) == (0, "", "")
    assert given[1] == (Path("films"), None)


def test_check_exits_with_1_and_says_what_differs(fadeline, in_tmp):
    for folder in ("few/jump", "few/splits"):
        (in_tmp / folder).mkdir(parents=True)
    answer = fadeline("data", "check", "few")
    assert answer.code == 1
    assert answer.err.startswith("failed: classes: 1, not 51\n")
    lines = [line.split() for line in answer.out.splitlines()]
    assert ["classes", "51", "1", "NO"] in lines
    quiet = fadeline("data", "check", "few", "--quiet")
    assert (quiet.code, quiet.out, quiet.err) == (1, "", answer.err)
    as_json = fadeline("data", "check", "few", "--json")
    assert (as_json.code, as_json.err) == (1, answer.err)
    assert json.loads(as_json.out)[0] == {
        "quantity": "classes",
        "expected": "51",
        "found": "1",
        "ok": False,
    }


def test_check_of_no_folder_exits_with_2(fadeline, in_tmp):
    answer = fadeline("data", "check", "no")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("error: no: ")


# What it costs


@pytest.mark.parametrize(
    ("words", "heavy"),
    [
        (
            ["check", "rayleigh"],
            ["cv2", "av", "torch", "fadeline.models.data.opening", "rich.progress"],
        ),
        (["data", "list"], ["torch", "av", "matplotlib", "pandas"]),
    ],
    ids=["check", "list"],
)
def test_commands_load_only_what_they_need(loaded, words, heavy):
    assert loaded(words, heavy) == []
