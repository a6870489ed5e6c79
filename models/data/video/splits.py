"""Which clips are for training, for validation and for testing, as split files say it.

Three formats are read:

- the official one of HMDB51: a folder with a file `<class>_test_split<draw>.txt` for each class,
  lines `<clip> 1|2|0` for train, test and unused;
- the official one of UCF101: a folder with `trainlist0<draw>.txt`, lines `<class>/<clip> <number>`,
  `testlist0<draw>.txt`, lines `<class>/<clip>`, perhaps a `vallist0<draw>.txt` like either, and
  `classInd.txt`, which numbers the classes (Soomro et al., "UCF101: A Dataset of 101 Human Actions
  Classes From Videos in The Wild", CRCV-TR-12-01, 2012);
- one file with lines `<class>/<clip> train|val|test`, or, if its name ends in .csv, with rows
  `<class>/<clip>,train|val|test` and perhaps a heading `clip,split`.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fadeline.models.errors import ClipError

SPLITS = ("train", "val", "test")
"""Names of the splits."""

DEFAULT_NAMES = ("splits", "splits.txt", "splits.csv", "ucfTrainTestlist")
"""Folder or files in which splits are looked for when none are given (our choice), and the folder
in which UCF101's split files come."""

OFFICIAL_TAGS = {"0": None, "1": "train", "2": "test"}
"""What the tags in HMDB51's split files mean, as the file that comes with them says."""

_OFFICIAL_NAME = re.compile(r"(?P<class_name>.+)_test_split(?P<draw>[0-9]+)\.txt")

_CLASS_NUMBERS = "classInd.txt"
_LIST = re.compile(r"(?P<split>train|val|test)list0*(?P<draw>[1-9][0-9]*)\.txt")
_GROUP = re.compile(r"v_.+_g(?P<group>[0-9]+)_c[0-9]+(\.[A-Za-z0-9]+)?")
"""Names of UCF101's clips; those of a group share background or persons (Soomro et al. 2012)."""


@dataclass(frozen=True, slots=True)
class SplitLine:
    """What one line says of one clip.

    Attributes:
        class_name: Class of the clip.
        clip: Name of its file, perhaps without the extension.
        split: train, val or test, or None for a clip that is not used.
        where: File and number of the line.
    """

    class_name: str
    clip: str
    split: str | None
    where: str


def default_splits(folder: Path, names: Sequence[str] = DEFAULT_NAMES) -> Path | None:
    """Return the first of some split files or folders that exists in a folder, or None."""
    return next((folder / name for name in names if (folder / name).exists()), None)


def read_splits(source: Path, *, draw: int) -> list[SplitLine]:
    """Read the split of all clips.

    Args:
        source: Folder of HMDB51's or UCF101's format, one of UCF101's files, or one file of lines.
        draw: Number of the draw; one file of lines has a single draw, 1.

    Raises:
        ClipError: If it is missing, cannot be read, lacks the draw, or has a line that is not of
            the format.
    """
    if source.is_dir():
        of_hmdb51 = bool(_official_names(source)) or not _lists(source)
        return (read_official if of_hmdb51 else _read_lists)(source, draw=draw)
    if _is_list(source.name) and source.exists():
        return _read_lists(source.parent, draw=draw, given=source.name)
    if draw != 1 and source.exists():
        raise ClipError(f"{source}: one split file has only draw 1, got draw {draw}")
    rows = _csv_rows(source) if source.suffix.lower() == ".csv" else _text_rows(source)
    return [_line(where, name, tag) for where, name, tag in rows]


def read_official(folder: Path, *, draw: int) -> list[SplitLine]:
    """Read one draw of split files of HMDB51's format, classes in the order of their names.

    Raises:
        ClipError: If there is no such draw, or a file cannot be read or has a line that is not of
            the format.
    """
    files = official_files(folder, draw=draw)
    if not files:
        raise ClipError(f"{folder}: has no split files of draw {draw}{_draws_there(folder)}")
    lines = []
    for class_name, file in files.items():
        for where, clip, tag in _text_rows(file):
            if not clip or tag not in OFFICIAL_TAGS:
                raise ClipError(
                    f"{where}: must be the name of a clip and 1 (train), 2 (test) or 0 (unused), "
                    f"got {f'{clip} {tag}'.strip()!r}"
                )
            lines.append(SplitLine(class_name, clip, OFFICIAL_TAGS[tag], where))
    return lines


def official_files(folder: Path, *, draw: int) -> dict[str, Path]:
    """Return the split files of HMDB51's format of one draw, by class, ordered by class.

    Raises:
        ClipError: If the folder cannot be read.
    """
    return {
        match["class_name"]: folder / match[0]
        for match in _official_names(folder)
        if int(match["draw"]) == draw
    }


def _official_names(folder: Path) -> list[re.Match[str]]:
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except OSError as error:
        raise ClipError(f"{folder}: cannot be read: {error.strerror}") from None
    return [match for name in names if (match := _OFFICIAL_NAME.fullmatch(name))]


def _draws_there(folder: Path) -> str:
    draws = sorted({int(match["draw"]) for match in _official_names(folder)})
    if not draws:
        return (
            "; their names are <class>_test_split<draw>.txt (HMDB51) or trainlist<draw>.txt and "
            "testlist<draw>.txt (UCF101)"
        )
    return f"; it has draw {', '.join(map(str, draws))}"


def _is_list(name: str) -> bool:
    """Return whether a file is one of UCF101's split files by its name."""
    return name == _CLASS_NUMBERS or _LIST.fullmatch(name) is not None


def _read_lists(folder: Path, *, draw: int, given: str | None = None) -> list[SplitLine]:
    """Read one draw of lists of UCF101's format: training, validation if there is one, test.

    Args:
        folder: With the lists, and perhaps `classInd.txt`, against which numbers are checked.
        draw: Number of the draw.
        given: The file that the user named, if it is one; it must be of this draw.
    """
    if given is not None and (match := _LIST.fullmatch(given)) and int(match["draw"]) != draw:
        own = int(match["draw"])
        raise ClipError(f"{folder / given}: is of draw {own}, got draw {draw}; ask for draw {own}")
    files = _lists(folder)
    for split in ("train", "test"):
        if (draw, split) not in files:
            there = ", ".join(map(str, sorted({number for number, _ in files})))
            raise ClipError(
                f"{folder}: has no {split}list of draw {draw}; it has lists of draw "
                f"{there or 'none'}"
            )
    numbers = _class_numbers(folder)
    lines = [
        line
        for split in ("train", "val", "test")
        if (draw, split) in files
        for line in _lines_of_list(files[draw, split], split, numbers)
    ]
    _require_whole_groups(lines)
    return lines


def _lists(folder: Path) -> dict[tuple[int, str], Path]:
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except OSError as error:
        raise ClipError(f"{folder}: cannot be read: {error.strerror}") from None
    matches = [match for name in names if (match := _LIST.fullmatch(name))]
    return {(int(match["draw"]), match["split"]): folder / match[0] for match in matches}


def _class_numbers(folder: Path) -> dict[str, str]:
    file = folder / _CLASS_NUMBERS
    if not file.exists():
        return {}
    numbers = {}
    for where, number, name in _text_rows(file):
        if not number.isdecimal():
            raise ClipError(
                f"{where}: must be a number and a class, got {f'{number} {name}'.strip()!r}"
            )
        numbers[number] = name
    return numbers


def _lines_of_list(file: Path, split: str, numbers: dict[str, str]) -> list[SplitLine]:
    lines = []
    for where, before, last in _text_rows(file):
        numbered = bool(before) and last.isdecimal()
        name = before if numbered else f"{before} {last}".strip()
        class_name, _, clip = name.partition("/")
        if not class_name or not clip:
            raise ClipError(
                f"{where}: must be <class>/<clip>, in a training list with the number of the "
                f"class, got {name!r}"
            )
        if numbered and numbers and numbers.get(last) != class_name:
            raise ClipError(
                f"{where}: {name} is said to be of class {last}, which is "
                f"{numbers.get(last, 'not there')} in {_CLASS_NUMBERS}"
            )
        lines.append(SplitLine(class_name, clip, split, where))
    return lines


def _require_whole_groups(lines: Sequence[SplitLine]) -> None:
    first_of: dict[tuple[str, str], SplitLine] = {}
    for line in lines:
        if match := _GROUP.fullmatch(line.clip):
            first = first_of.setdefault((line.class_name, match["group"]), line)
            if first.split != line.split:
                raise ClipError(
                    f"{line.where}: {line.clip} is for {line.split}, and {first.clip} of the same "
                    f"group, so with the same background or persons, is for {first.split} "
                    f"({first.where}); keep groups together"
                )


def _line(where: str, name: str, tag: str) -> SplitLine:
    class_name, _, clip = name.partition("/")
    if not class_name or not clip or tag not in SPLITS:
        raise ClipError(
            f"{where}: must be <class>/<clip> and one of {', '.join(SPLITS)}, got {name!r} and "
            f"{tag!r}"
        )
    return SplitLine(class_name, clip, tag, where)


def _text_rows(file: Path) -> Iterator[tuple[str, str, str]]:
    """Yield where a line is, its text up to the last word (names may hold spaces), and that."""
    for number, line in enumerate(_content(file).split("\n"), start=1):
        if words := line.strip().rsplit(maxsplit=1):
            yield f"{file}:{number}", "".join(words[:-1]), words[-1]


def _csv_rows(file: Path) -> Iterator[tuple[str, str, str]]:
    reader = csv.reader(io.StringIO(_content(file), newline=""))
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if not any(cells) or (reader.line_num == 1 and cells == ["clip", "split"]):
                continue
            where = f"{file}:{reader.line_num}"
            if len(cells) != 2:
                raise ClipError(
                    f"{where}: must have two cells, <class>/<clip> and the split, got {len(cells)}"
                    "; put a name with a comma in double quotes"
                )
            yield where, cells[0], cells[1]
    except csv.Error as error:
        raise ClipError(f"{file}:{reader.line_num}: not readable as CSV: {error}") from None


def _content(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ClipError(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ClipError(f"{file}: must be text in UTF-8") from None
