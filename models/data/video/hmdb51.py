"""HMDB51: 51 classes of actions from films and the web, with three official splits.

Kuehne et al., "HMDB: A Large Video Database for Human Motion Recognition", ICCV 2011. The videos
are not part of Fadeline: a folder with the 51 class folders and the official split files is
expected.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fadeline.models.data.video.archives import require_unpacked, unpack_hint
from fadeline.models.data.video.listing import Listing, left_out_text, list_clips
from fadeline.models.data.video.splits import (
    DEFAULT_NAMES,
    SplitLine,
    default_splits,
    official_files,
    read_official,
)
from fadeline.models.data.video.videofolder import VideoFolder, missing_clips
from fadeline.models.errors import ClipError

CLASSES = 51
"""Classes (Kuehne et al. 2011)."""

LEAST_CLIPS_PER_CLASS = 101
"""Least clips of a class (Kuehne et al. 2011)."""

DRAWS = (1, 2, 3)
"""Official draws (Kuehne et al. 2011)."""

CLIPS_PER_CLASS = {"train": 70, "test": 30}
"""Clips of each class in a split (Kuehne et al. 2011)."""

ARCHIVE_FOLDER = "testTrainMulti_7030_splits"
"""Folder that the official archive of split files unpacks to."""


@dataclass(frozen=True, slots=True)
class CountRow:
    """One count of a data set, as published and as found.

    Attributes:
        quantity: What is counted.
        expected: The published count, such as "51" or "at least 101".
        found: The count found, with names where some are missing.
        ok: Whether they agree.
    """

    quantity: str
    expected: str
    found: str
    ok: bool


class Hmdb51(VideoFolder):
    """Clips of HMDB51, one of its three draws.

    Everything that `VideoFolder` takes and has, this takes and has too.

    Args:
        path: Folder with the 51 class folders.
        split: train, test, or None for all clips; HMDB51 has no validation split.
        draw: Official draw, 1 to 3.
        splits: Folder of the official split files; by default `splits` or
            `testTrainMulti_7030_splits` in the folder.
        **how: How clips are taken: frames, size, sampling, stride, skip_unreadable.

    Raises:
        ClipError: If the folder or the split files are not those of HMDB51.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        split: str | None,
        draw: int = 1,
        splits: str | Path | None = None,
        **how: Any,
    ) -> None:
        if draw not in DRAWS:
            raise ClipError(f"HMDB51 has the draws 1, 2 and 3, got draw {draw}")
        source = _split_folder(Path(path), splits)
        listing = list_clips(Path(path), leave_out=(source,))
        rows = [*_class_rows(listing), *_draw_rows(listing, source, draw)]
        wrong = [f"{row.quantity}: {row.found}, not {row.expected}" for row in rows if not row.ok]
        if wrong:
            raise ClipError(
                f"{path}: is not the whole of HMDB51: {'; '.join(wrong)}{unpack_hint(Path(path))}"
            )
        super().__init__(path, split=split, splits=source, draw=draw, **how)
        self.name = f"hmdb51:{path}" if split is None else f"hmdb51:{path}#{split}"


def check_hmdb51(path: str | Path, splits: str | Path | None = None) -> list[CountRow]:
    """Count what HMDB51 should have, without decoding any video.

    Args:
        path: Folder with the 51 class folders.
        splits: Folder of the official split files; by default looked for in the folder.

    Returns:
        The counts of the classes and of each draw.

    Raises:
        ClipError: If a folder is missing or cannot be read, or a split file is malformed.
    """
    source = _split_folder(Path(path), splits)
    listing = list_clips(Path(path), leave_out=(source,))
    rows = _class_rows(listing)
    for draw in DRAWS:
        rows += _draw_rows(listing, source, draw)
    if text := left_out_text(listing.left_out):
        rows.append(CountRow("other files", "any", text, ok=True))
    return rows


def _split_folder(path: Path, splits: str | Path | None) -> Path:
    names = (DEFAULT_NAMES[0], ARCHIVE_FOLDER)
    folder = default_splits(path, names) if splits is None else Path(splits)
    if folder is None:
        require_unpacked(path)
        raise ClipError(
            f"{path}: the official split files of HMDB51 are missing: neither {names[0]} nor "
            f"{names[1]} is in the folder; say where they are"
        )
    if not folder.is_dir():
        raise ClipError(f"{folder}: is no folder; HMDB51 needs the folder of its split files")
    return folder


def _class_rows(listing: Listing) -> list[CountRow]:
    classes = len(listing.classes)
    sizes = {name: len(files) for name, files in listing.clips.items()}
    few = [name for name, size in sizes.items() if size < LEAST_CLIPS_PER_CLASS]
    found = "none"
    if sizes:
        smallest = min(sizes, key=lambda name: sizes[name])
        found = f"{sizes[smallest]} ({smallest})"
    return [
        CountRow("classes", f"{CLASSES}", f"{classes}", classes == CLASSES),
        CountRow(
            "clips of the smallest class",
            f"at least {LEAST_CLIPS_PER_CLASS}",
            found,
            bool(sizes) and not few,
        ),
    ]


def _draw_rows(listing: Listing, source: Path, draw: int) -> list[CountRow]:
    files = official_files(source, draw=draw)
    lines = read_official(source, draw=draw) if files else []
    rows = [_count_row(f"split files of draw {draw}", CLASSES, len(files))]
    for split, per_class in CLIPS_PER_CLASS.items():
        of_class = Counter(line.class_name for line in lines if line.split == split)
        right = sum(count == per_class for count in of_class.values())
        rows += [
            _count_row(f"{split} clips of draw {draw}", CLASSES * per_class, of_class.total()),
            _count_row(f"classes with {per_class} {split} clips in draw {draw}", CLASSES, right),
        ]
    return [*rows, _missing_row(f"missing clips of draw {draw}", missing_clips(listing, lines))]


def _count_row(quantity: str, expected: int, found: int) -> CountRow:
    return CountRow(quantity, f"{expected}", f"{found}", found == expected)


def _missing_row(quantity: str, missing: list[SplitLine]) -> CountRow:
    names = [f"{line.class_name}/{line.clip}" for line in missing[:3]]
    more = ", ..." if len(missing) > len(names) else ""
    found = f"{len(missing)} ({', '.join(names)}{more})" if missing else "0"
    return CountRow(quantity, "0", found, not missing)
