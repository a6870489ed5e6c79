"""The cache of clips: what it keeps, notices, refuses, and what an interruption leaves."""

import errno
import fcntl
import hashlib
import importlib
import json
import os
import pickle
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest

from fadeline.models.data.cache import cache
from fadeline.models.data.cache.build import UNLOCKED_S
from fadeline.models.data.cache.cache import cache_folder, cache_path, cached, list_cached
from fadeline.models.data.cache.header import read_header
from fadeline.models.data.digest import BLOCK_CLIPS, content_digest
from fadeline.models.errors import ClipError
from fadeline.models.files import UNFINISHED

# In a module of its own, so that worker processes can import it.
FAKE = '''
import os
import signal
import time

import numpy as np

from fadeline.models.errors import ClipError


class FakeClips:
    """Clips whose pixels are their index and position, and that fail in a chosen way."""

    def __init__(self, count=40, *, version="1", shape=(2, 4, 4), name="fake/set", fault=None):
        self.name, self.version, self.shape = name, version, shape
        self.classes = ("jump", "run", "wave")
        self.labels = np.arange(count, dtype=np.int64) % 3
        self.fault = fault

    def __len__(self):
        return len(self.labels)

    def clip(self, index):
        if self.fault is not None:
            getattr(self, self.fault)(index)
        if self.fault == "shapeless":
            return np.zeros(3)
        frames, height, width = self.shape
        row = np.arange(width * 3, dtype=np.uint8).reshape(width, 3) + np.uint8(index % 256)
        return np.broadcast_to(row, (frames, height, width, 3))

    def unreadable(self, index):
        raise ClipError(f"clip {index}: damaged")

    def missing(self, index):
        raise FileNotFoundError(2, "No such file", "a.avi")

    def buggy(self, index):
        raise ZeroDivisionError("a bug")

    def killed(self, index):
        os.kill(os.getpid(), signal.SIGKILL)

    def chatty(self, index):
        os.write(1, b"drawing")

    def slow(self, index):
        time.sleep(0.02)

    def shapeless(self, index):
        pass

    def fragile(self, index):
        if 0 < index < len(self) - 1:
            raise ZeroDivisionError("drawn again")
'''


@pytest.fixture(scope="module")
def fake_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fake")
    (folder / "fake_clips_of_tests.py").write_text(FAKE)
    return folder


@pytest.fixture
def fake(fake_folder, monkeypatch):
    """Return the class of fake clips; workers find it on the search path."""
    monkeypatch.syspath_prepend(fake_folder)
    return importlib.import_module("fake_clips_of_tests").FakeClips


def start_python(code, fake_folder, tmp_path, *words):
    env = os.environ | {"PYTHONPATH": str(fake_folder), "FADELINE_CACHE": str(tmp_path)}
    return subprocess.Popen(
        [sys.executable, "-P", "-c", code, *words],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def flip_byte(path, offset):
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)


# What is kept


def test_clips_come_back_exactly(fake, tmp_path):
    clips = fake(40)
    found = cached(clips, folder=tmp_path, workers=1)
    assert (found.name, found.version, found.classes) == ("fake/set", "1", clips.classes)
    assert (found.shape, len(found)) == ((2, 4, 4), 40)
    np.testing.assert_array_equal(found.labels, clips.labels)
    assert found.labels.dtype == np.int64
    for index in range(40):
        pixels = found.clip(index)
        assert pixels.dtype == np.uint8
        np.testing.assert_array_equal(pixels, clips.clip(index))


def test_the_file_is_the_pixels_and_nothing_else(fake, tmp_path):
    clips = fake(20)
    found = cached(clips, folder=tmp_path, workers=1)
    pixels = np.stack([clips.clip(index) for index in range(20)])
    assert found.path.read_bytes() == pixels.tobytes()
    assert sorted(tmp_path.iterdir()) == [found.path, found.path.with_suffix(".json")]


def test_a_batch_is_in_the_order_asked_for(fake, tmp_path):
    found = cached(fake(40), folder=tmp_path, workers=1)
    batch = found.batch([7, 0, 7, 39])
    assert batch.shape == (4, 2, 4, 4, 3)
    for pixels, index in zip(batch, [7, 0, 7, 39], strict=True):
        np.testing.assert_array_equal(pixels, found.clip(index))
    assert found.batch(np.array([], dtype=np.int64)).shape == (0, 2, 4, 4, 3)


def test_what_is_returned_is_the_callers_to_change(fake, tmp_path):
    found = cached(fake(4), folder=tmp_path, workers=1)
    found.clip(1)[:] = 0
    found.batch([1])[:] = 0
    np.testing.assert_array_equal(found.clip(1), fake(4).clip(1))
    assert type(found.clip(1)) is type(found.batch([1])) is np.ndarray


@pytest.mark.parametrize("index", [-1, 4])
def test_a_clip_that_is_not_there_is_an_index_error(fake, tmp_path, index):
    found = cached(fake(4), folder=tmp_path, workers=1)
    message = f"fake/set: no clip {index}; there are 0 to 3"
    with pytest.raises(IndexError, match=message):
        found.clip(index)
    with pytest.raises(IndexError, match=message):
        found.batch([0, index])


def test_every_number_of_workers_gives_the_same_files(fake, tmp_path):
    made = [cached(fake(70), folder=tmp_path / f"{n}", workers=n) for n in (1, 2, 3)]
    assert len({found.path.read_bytes() for found in made}) == 1
    assert len({found.path.with_suffix(".json").read_text() for found in made}) == 1


def test_more_workers_than_blocks_are_not_started(fake, tmp_path, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", None)
    assert len(cached(fake(BLOCK_CLIPS), folder=tmp_path, workers=8)) == BLOCK_CLIPS


def test_progress_counts_to_the_number_of_clips(fake, tmp_path):
    for workers in (1, 2):
        calls: list[tuple[int, int]] = []
        found = cached(
            fake(70),
            folder=tmp_path / f"{workers}",
            workers=workers,
            progress=lambda *call, calls=calls: calls.append(call),
        )
        assert [total for _, total in calls] == [70] * 5
        done = [done for done, _ in calls]
        assert (done == sorted(done), done[-1]) == (True, 70)
        calls.clear()
        found.verify(progress=lambda *call, calls=calls: calls.append(call))
        assert calls == [(16, 70), (32, 70), (48, 70), (64, 70), (70, 70)]


def test_a_second_opening_draws_only_the_ends_and_says_nothing(fake, tmp_path):
    lines: list[str] = []
    first = cached(fake(40), folder=tmp_path, workers=1, log=lines.append)
    assert lines == [f"fake/set: caching 40 clips, 3.84 kB, in {first.path}"]
    second = cached(fake(40, fault="fragile"), folder=tmp_path, log=lines.append)
    assert len(lines) == 1
    assert second.digest == first.digest


def test_a_cache_of_a_cache_is_itself(fake, tmp_path):
    found = cached(fake(4), folder=tmp_path, workers=1)
    assert cached(found) is found


def test_it_can_be_asked_to_make_it_again(fake, tmp_path):
    found = cached(fake(40), folder=tmp_path, workers=1)
    flip_byte(found.path, 0)
    lines: list[str] = []
    cached(fake(40), folder=tmp_path, workers=1, rebuild=True, log=lines.append).verify()
    assert lines[0].endswith(" (as asked)")


def test_copies_in_other_processes_read_the_same_file(fake, tmp_path):
    found = cached(fake(40), folder=tmp_path, workers=1)
    content = pickle.dumps(found)
    assert len(content) < found.path.stat().st_size
    copy = pickle.loads(content)
    assert (copy.path, copy.digest) == (found.path, found.digest)
    np.testing.assert_array_equal(copy.clip(3), found.clip(3))


# The digest


def test_the_digest_is_the_same_without_a_cache(fake, tmp_path):
    clips = fake(40)
    calls: list[tuple[int, int]] = []
    digest = content_digest(clips, progress=lambda *call: calls.append(call))
    assert digest == cached(clips, folder=tmp_path, workers=1).digest
    assert calls == [(16, 40), (32, 40), (40, 40)]
    assert digest == content_digest(fake(40, version="2", name="other/name"))


def test_the_digest_is_the_documented_one(fake):
    clips = fake(20)
    pixels = np.stack([clips.clip(index) for index in range(20)])
    content = {
        "blocks": [
            hashlib.sha256(part.tobytes()).hexdigest() for part in (pixels[:16], pixels[16:])
        ],
        "classes": ["jump", "run", "wave"],
        "labels": [index % 3 for index in range(20)],
        "shape": [2, 4, 4],
    }
    expected = hashlib.sha256(json.dumps(content).encode()).hexdigest()
    assert content_digest(clips) == expected


@pytest.mark.parametrize("change", ["pixel", "label", "class", "order", "shape", "count"])
def test_the_digest_changes_with_the_content(fake, change):
    clips = fake(20)
    digest = content_digest(clips)
    draw = clips.clip
    if change == "pixel":
        clips.clip = lambda index: draw(index) ^ np.uint8(index == 19)
    elif change == "label":
        clips.labels[19] = 0
    elif change == "class":
        clips.classes = ("jump", "run", "waves")
    elif change == "order":
        clips.clip = lambda index: draw(index ^ 1)
    else:
        clips = fake(20, shape=(4, 4, 2)) if change == "shape" else fake(21)
    assert content_digest(clips) != digest


# What is noticed


def test_another_version_is_made_beside_the_old_one(fake, tmp_path):
    old = cached(fake(40), folder=tmp_path, workers=1)
    lines: list[str] = []
    new = cached(fake(40, version="2"), folder=tmp_path, workers=1, log=lines.append)
    assert new.version == "2"
    assert lines == [
        f"fake/set: caching 40 clips, 3.84 kB, in {new.path} "
        f"(version 2; no longer used: {old.path} of version 1)"
    ]


def test_sets_that_differ_have_files_of_their_own(fake, tmp_path):
    sets = [
        fake(4),
        fake(4, version="2"),
        fake(4, shape=(2, 4, 6)),
        fake(4, name="fake/set@1"),
        fake(4, name="fake-set"),
        fake(4, name="videofolder:" + "/long" * 100),
        fake(4, name="videofolder:/other" + "/long" * 100),
    ]
    paths = {cached(clips, folder=tmp_path, workers=1).path for clips in sets}
    assert len(paths) == len(sets)
    assert len(list(tmp_path.iterdir())) == 2 * len(sets)
    assert [header.name for _, header in list_cached(tmp_path)] == sorted(s.name for s in sets)


def edit_header(path, **changes):
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | changes))


def reseal(path, **changes):
    """Change a header and give it the digest of its new content."""
    edit_header(path, **changes)
    content = json.loads(path.read_text())
    kept = {key: content[key] for key in ("shape", "classes", "labels", "blocks")}
    digest = hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()
    edit_header(path, digest=digest)


DAMAGES = {
    "truncated": (
        lambda pixels, header: os.truncate(pixels, 3839),
        "the one there has 3839 bytes instead of 3840",
    ),
    "longer": (
        lambda pixels, header: os.truncate(pixels, 3841),
        "the one there has 3841 bytes instead of 3840",
    ),
    "first block": (lambda pixels, header: flip_byte(pixels, 0), "the one there is damaged"),
    "last block": (lambda pixels, header: flip_byte(pixels, 3839), "the one there is damaged"),
    "no pixels": (lambda pixels, header: pixels.unlink(), ""),
    "no header": (lambda pixels, header: header.unlink(), ""),
    "no JSON": (
        lambda pixels, header: os.truncate(header, 50),
        "the one there has a damaged header",
    ),
    "list": (
        lambda pixels, header: header.write_text("[]"),
        "the one there has a damaged header",
    ),
    "not text": (
        lambda pixels, header: header.write_bytes(b"\xff\xfe"),
        "the one there has a damaged header",
    ),
    "format": (
        lambda pixels, header: edit_header(header, format=0),
        "the one there is of format 0, and this version reads 1",
    ),
    "version": (
        lambda pixels, header: edit_header(header, version="0"),
        "the one there is of version 0, and this is 1",
    ),
    "label": (
        lambda pixels, header: edit_header(header, labels=[0] * 40),
        "the one there has a damaged header",
    ),
    "key": (
        lambda pixels, header: header.write_text(header.read_text().replace("shape", "shade")),
        "the one there has a damaged header",
    ),
    "few blocks": (
        lambda pixels, header: reseal(header, blocks=[]),
        "the one there has a damaged header",
    ),
    "other labels": (
        lambda pixels, header: reseal(header, labels=[0] * 40),
        "the one there has other labels, classes or shape",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_cache_is_made_again_and_it_is_said(fake, tmp_path, damage):
    found = cached(fake(40), folder=tmp_path, workers=1)
    pixels, header = found.path, found.path.with_suffix(".json")
    whole = pixels.read_bytes(), header.read_text()
    break_it, reason = DAMAGES[damage]
    break_it(pixels, header)
    lines: list[str] = []
    again = cached(fake(40), folder=tmp_path, workers=1, log=lines.append)
    because = f" ({reason})" if reason else ""
    assert lines == [f"fake/set: caching 40 clips, 3.84 kB, in {pixels}{because}"]
    assert (pixels.read_bytes(), header.read_text()) == whole
    again.verify()


def test_a_cache_that_cannot_be_read_nor_replaced_is_refused(fake, tmp_path):
    header = cached(fake(40), folder=tmp_path, workers=1).path.with_suffix(".json")
    header.unlink()
    header.mkdir()
    lines: list[str] = []
    with pytest.raises(ClipError, match="cannot be written: Is a directory"):
        cached(fake(40), folder=tmp_path, workers=1, log=lines.append)
    assert lines[0].endswith(" (the one there cannot be read (Is a directory))")


@pytest.mark.parametrize("index", [0, 39])
def test_pixels_that_changed_without_a_new_version_are_noticed(fake, tmp_path, index):
    cached(fake(40), folder=tmp_path, workers=1)
    clips = fake(40)
    draw = clips.clip
    clips.clip = lambda wanted: draw(wanted) ^ np.uint8(wanted == index)
    lines: list[str] = []
    found = cached(clips, folder=tmp_path, workers=1, log=lines.append)
    assert lines[0].endswith("(the one there has other pixels than are drawn now)")
    np.testing.assert_array_equal(found.clip(index), draw(index) ^ 1)


@pytest.mark.parametrize("place", ["first", "unchecked", "last"])
def test_verify_finds_one_changed_bit_anywhere(fake, tmp_path, place):
    count = 20 * BLOCK_CLIPS
    found = cached(fake(count), folder=tmp_path, workers=1)
    found.verify()
    clip = {"first": 0, "unchecked": BLOCK_CLIPS + 3, "last": count - 1}[place]
    flip_byte(found.path, clip * 96 + 50)
    lines: list[str] = []
    if place != "unchecked":
        cached(fake(count), folder=tmp_path, workers=1, log=lines.append).verify()
        assert lines[0].endswith("(the one there is damaged)")
        return
    opened = cached(fake(count), folder=tmp_path, workers=1, log=lines.append)
    assert lines == []
    with pytest.raises(ClipError) as caught:
        opened.verify()
    assert str(caught.value) == (
        f"fake/set: the cache {found.path} is damaged at clips 16 to 31; "
        "build it again: fadeline data cache --force 'fake/set'"
    )


def test_opening_reads_the_ends_and_some_blocks_between(fake, tmp_path, monkeypatch):
    found = cached(fake(20 * BLOCK_CLIPS), folder=tmp_path, workers=1)
    read: list[int] = []
    is_whole = cache.CachedClips._is_whole

    def noted(self, number):
        read.append(number)
        return is_whole(self, number)

    monkeypatch.setattr(cache.CachedClips, "_is_whole", noted)
    assert found.looks_whole()
    assert read == [0, 5, 10, 14, 19]


# What is refused


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("fault", "error", "message"),
    [
        ("unreadable", ClipError, r"clip \d+: damaged"),
        ("missing", ClipError, r"fake/set: clip \d+: cannot be read: .*No such file.*a\.avi"),
        (
            "shapeless",
            ClipError,
            r"clip \d+: is float64 of shape \(3,\); .* uint8 of shape \(2, 4, 4, 3\)",
        ),
        ("buggy", ZeroDivisionError, "a bug"),
    ],
)
def test_a_clip_that_cannot_be_drawn_leaves_nothing(fake, tmp_path, workers, fault, error, message):
    with pytest.raises(error, match=message) as caught:
        cached(fake(40, fault=fault), folder=tmp_path, workers=workers)
    assert list(tmp_path.iterdir()) == []
    if workers == 2 and fault == "buggy":
        assert "in buggy" in caught.value.__notes__[0]  # where it happened


def test_a_killed_worker_is_an_error(fake, tmp_path):
    with pytest.raises(ClipError, match="worker process ended with status -9"):
        cached(fake(40, fault="killed"), folder=tmp_path, workers=2)
    assert list(tmp_path.iterdir()) == []


def test_what_a_set_prints_does_not_disturb_its_worker(fake, tmp_path, capfd):
    cached(fake(40, fault="chatty"), folder=tmp_path, workers=2).verify()
    assert capfd.readouterr().out == ""


def test_a_set_that_cannot_be_sent_is_refused(fake, tmp_path, monkeypatch):
    clips = fake(40)
    clips.draw = lambda: None
    hint = "define its class in a module that can be imported, or use 1 worker"
    with pytest.raises(ClipError, match=hint):
        cached(clips, folder=tmp_path, workers=2)
    clips = fake(40)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if "fake" not in p])
    with pytest.raises(ClipError, match=f"No module named 'fake_clips_of_tests'.*{hint}"):
        cached(clips, folder=tmp_path, workers=2)
    assert list(tmp_path.iterdir()) == []


def test_nothing_to_cache_and_nobody_to_do_it_are_refused(fake, tmp_path):
    with pytest.raises(ClipError, match="fake/set: holds no clips"):
        cached(fake(0), folder=tmp_path)
    with pytest.raises(ClipError, match="fake/set: 0 workers; at least 1 is needed"):
        cached(fake(4), folder=tmp_path, workers=0)


def test_a_folder_that_cannot_be_used_is_refused(fake, tmp_path):
    (tmp_path / "file").write_text("mine")
    for folder in ("file", "file/below"):
        with pytest.raises(ClipError, match=r"cannot be written: .*; set FADELINE_CACHE"):
            cached(fake(4), folder=tmp_path / folder, workers=1)
    assert (tmp_path / "file").read_text() == "mine"


# A full disk


def full(*_args):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("call", ["posix_fallocate", "pwrite"])
def test_a_full_disk_leaves_nothing(fake, tmp_path, monkeypatch, call):
    monkeypatch.setattr(os, call, full)
    with pytest.raises(ClipError) as caught:
        cached(fake(40), folder=tmp_path, workers=1)
    path = cache_path(fake(40), folder=tmp_path)
    assert str(caught.value).startswith(
        f"fake/set: the cache {path} cannot be written: No space left on device; "
        "it needs 3.84 kB, and "
    )
    assert str(caught.value).endswith(
        f" GB are free at {tmp_path}; "
        "set FADELINE_CACHE to a folder with room that you may write to"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_nearly_full_disk_takes_a_part_of_a_write(fake, tmp_path, monkeypatch):
    write = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda handle, part, at: write(handle, part[:50], at))
    cached(fake(40), folder=tmp_path, workers=1).verify()
    monkeypatch.setattr(os, "pwrite", lambda *_: 0)
    with pytest.raises(ClipError, match="No space left on device"):
        cached(fake(41), folder=tmp_path / "other", workers=1)


def test_a_folder_that_cannot_reserve_room_is_used_all_the_same(fake, tmp_path, monkeypatch):
    def unsupported(*_args):
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr(os, "posix_fallocate", unsupported)
    cached(fake(40), folder=tmp_path, workers=1).verify()


LIMITED = """
import os, resource, sys
from fake_clips_of_tests import FakeClips
from fadeline.models.data.cache.cache import cached
from fadeline.models.errors import ClipError
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
if sys.argv[1] == "while drawing":
    os.posix_fallocate = os.ftruncate = lambda *_: None
try:
    cached(FakeClips(40), workers=2)
except ClipError as error:
    print(error)
"""


@pytest.mark.parametrize("moment", ["while reserving", "while drawing"])
def test_a_real_limit_on_the_size_of_files_leaves_nothing(fake_folder, tmp_path, moment):
    process = start_python(LIMITED, fake_folder, tmp_path, moment)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
    assert "cannot be written: File too large; it needs 3.84 kB, and" in out
    assert list(tmp_path.iterdir()) == []


# Interruptions


SLOW = """
import time
from fake_clips_of_tests import FakeClips
from fadeline.models.data.cache.cache import cached
cached(FakeClips(400, fault="slow"), workers=2, progress=lambda *call: print(*call, flush=True))
"""


def test_a_killed_build_leaves_nothing_under_the_final_name(fake, fake_folder, tmp_path):
    process = start_python(SLOW, fake_folder, tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "16 400\n"
    workers = psutil.Process(process.pid).children()
    assert len(workers) == 2
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert alive == []
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(UNFINISHED)
    assert list_cached(tmp_path) == []

    cached(fake(400), folder=tmp_path, workers=1).verify()
    assert left.exists()  # it may be another process's that has just begun
    old = time.time() - 2 * UNLOCKED_S
    os.utime(left, (old, old))
    with left.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        cached(fake(41), folder=tmp_path, workers=1)
        assert left.exists()  # another process writes to it
    cached(fake(42), folder=tmp_path, workers=1)
    assert not left.exists()


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupted_build_leaves_nothing(fake, tmp_path, workers):
    def interrupt(done, total):
        raise KeyboardInterrupt

    children = psutil.Process().children
    before = children()
    with pytest.raises(KeyboardInterrupt):
        cached(fake(100), folder=tmp_path, workers=workers, progress=interrupt)
    assert list(tmp_path.iterdir()) == []
    assert children() == before


def test_an_interrupted_rebuild_keeps_the_old_cache(fake, tmp_path):
    found = cached(fake(40), folder=tmp_path, workers=1)
    with pytest.raises(ZeroDivisionError):
        cached(fake(40, fault="buggy"), folder=tmp_path, workers=1, rebuild=True)
    cached(fake(40, fault="fragile"), folder=tmp_path).verify()
    assert len(list(tmp_path.iterdir())) == 2
    found.verify()


def test_two_may_build_the_same_cache_at_once(fake, tmp_path):
    clips = fake(100)
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda n: cached(clips, folder=tmp_path, workers=n), (1, 2, 1, 2)))
    for found in made:
        found.verify()
    assert sorted(tmp_path.iterdir()) == [made[0].path, made[0].path.with_suffix(".json")]
    assert read_header(made[0].path.with_suffix(".json")).describes(clips)


# Memory


MEMORY = """
from pathlib import Path
from fake_clips_of_tests import FakeClips
from fadeline.models.data.cache.cache import cached

def anonymous_kb(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("RssAnon")))

def all_kb(*_):
    children = Path("/proc/self/task").glob("*/children")
    workers = [pid for file in children for pid in file.read_text().split()]
    peaks.append(anonymous_kb("self") + sum(map(anonymous_kb, workers)))

peaks = []
all_kb()
found = cached(FakeClips(2000, shape=(16, 64, 64)), workers=2, progress=all_kb)
found.verify(progress=all_kb)
for index in range(2000):
    found.clip(index)
all_kb()
print(found.path.stat().st_size // 1024, peaks[0], max(peaks))
"""


def test_memory_does_not_grow_with_the_set(fake_folder, tmp_path):
    process = start_python(MEMORY, fake_folder, tmp_path)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    size_kb, before_kb, peak_kb = map(int, out.split())
    assert size_kb == 2000 * 192
    # Two fresh interpreters with numpy and a clip each; a third of the set.
    assert peak_kb < before_kb + 128 * 1024


# Where


@pytest.mark.parametrize(
    ("chosen", "shared", "expected"),
    [
        ("/a/b", "/x", "/a/b"),
        ("~/mine", "/x", "/home/me/mine"),
        ("", "/x", "/x/fadeline"),
        ("", "", "/home/me/.cache/fadeline"),
        ("", "relative", "/home/me/.cache/fadeline"),
        (None, None, "/home/me/.cache/fadeline"),
    ],
)
def test_where_caches_are(monkeypatch, chosen, shared, expected):
    monkeypatch.setenv("HOME", "/home/me")
    for name, value in (("FADELINE_CACHE", chosen), ("XDG_CACHE_HOME", shared)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    assert cache_folder() == Path(expected)


def test_the_file_is_named_after_the_set(fake, monkeypatch, tmp_path):
    monkeypatch.setenv("FADELINE_CACHE", str(tmp_path / "new"))
    found = cached(fake(4, name="actions/test@7"), workers=1)
    assert found.path.parent == tmp_path / "new"
    assert found.path.name.startswith("actions-test@7-2x4x4-")
    name = cache_path(fake(4, name="videofolder:" + "/é" * 500)).name
    assert len(name.encode()) < 120
