"""Split files: all formats as they are found in the world, and lines that are of none."""

import pytest

from fadeline.models.data.video.splits import SplitLine, default_splits, official_files, read_splits
from fadeline.models.errors import ClipError


@pytest.fixture
def written(tmp_path):
    """Return a function that writes a split file and gives its path."""

    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def triples(lines):
    return [(line.class_name, line.clip, line.split) for line in lines]


def test_the_format_of_hmdb51(written):
    path = written("s/wave_test_split2.txt", "b.avi 1 \na.avi 2 \n\nc.avi 0 ").parent
    written("s/clap_hands_test_split2.txt", "#x [a](b) !&;.avi 1\r\n")
    written("s/wave_test_split1.txt", "b.avi 2\n")
    written("s/wave_test_split12.txt", "b.avi 0\n")
    written("s/groups.csv", "nonsense")
    lines = read_splits(path, draw=2)
    assert triples(lines) == [
        ("clap_hands", "#x [a](b) !&;.avi", "train"),
        ("wave", "b.avi", "train"),
        ("wave", "a.avi", "test"),
        ("wave", "c.avi", None),
    ]
    assert lines[3] == SplitLine("wave", "c.avi", None, f"{path}/wave_test_split2.txt:4")
    assert triples(read_splits(path, draw=12)) == [("wave", "b.avi", None)]
    assert list(official_files(path, draw=2)) == ["clap_hands", "wave"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("splits.txt", "a/x.mp4 train\nb/y z.mp4  val\n\nb/v\ttest"),
        ("splits.csv", "a/x.mp4,train\nb/y z.mp4, val\n\nb/v,test\n"),
        ("SPLITS.CSV", b'\xef\xbb\xbfclip,split\r\n"a/x.mp4",train\r\nb/y z.mp4,val\r\nb/v,test'),
    ],
)
def test_one_file(written, name, text):
    assert triples(read_splits(written(name, text), draw=1)) == [
        ("a", "x.mp4", "train"),
        ("b", "y z.mp4", "val"),
        ("b", "v", "test"),
    ]


def test_a_name_with_a_comma_is_quoted(written):
    path = written("splits.csv", 'a/"x",train\n"a/x, y.mp4",test\n')
    assert triples(read_splits(path, draw=1))[1] == ("a", "x, y.mp4", "test")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("s.txt", "a/x train\na/x\n", r"s\.txt:2: must be <class>/<clip> and one of train, val, "),
        ("s.txt", "\n\ntrain\n", r"s\.txt:3: .* got '' and 'train'"),
        ("s.txt", "x train\n", r"s\.txt:1: .* got 'x' and 'train'"),
        ("s.txt", "/x train\n", r"s\.txt:1: .* got '/x' and 'train'"),
        ("s.txt", "a/ train\n", r"s\.txt:1: .* got 'a/' and 'train'"),
        ("s.txt", "a/x training\n", r"s\.txt:1: .* got 'a/x' and 'training'"),
        ("s.txt", "a/x 1\n", r"s\.txt:1: .* got 'a/x' and '1'"),
        ("s.txt", b"a/\xff train\n", r"s\.txt: must be text in UTF-8"),
        ("s.csv", "a/x,train\na/y\n", r"s\.csv:2: must have two cells, .*, got 1; put a name"),
        ("s.csv", "a/x,y,train\n", r"s\.csv:1: must have two cells, .*, got 3; put a name with a"),
        ("s.csv", "a/x,trian\n", r"s\.csv:1: .* got 'a/x' and 'trian'"),
        ("s.csv", f"a/x,{'t' * 140_000}\n", r"s\.csv:1: not readable as CSV: field larger than"),
    ],
)
def test_malformed_lines_are_refused_and_named(written, name, text, message):
    with pytest.raises(ClipError, match=message):
        read_splits(written(name, text), draw=1)


@pytest.mark.parametrize(
    ("text", "given"),
    [("a.avi 1\na.avi\n", "a.avi"), ("b 1\na.avi 3\n", "a.avi 3"), ("b 1\n1", "1")],
)
def test_malformed_lines_of_hmdb51s_format(written, text, given):
    folder = written("s/wave_test_split1.txt", text).parent
    message = rf"wave_test_split1\.txt:2: must be the name of a clip and 1 .* got '{given}'$"
    with pytest.raises(ClipError, match=message):
        read_splits(folder, draw=1)


def test_draws_that_are_not_there(written):
    folder = written("s/wave_test_split1.txt", "a 1").parent
    written("s/wave_test_split3.txt", "a 1")
    with pytest.raises(ClipError, match=r"has no split files of draw 2; it has draw 1, 3$"):
        read_splits(folder, draw=2)
    with pytest.raises(ClipError, match=r"splits\.txt: one split file has only draw 1, got draw 2"):
        read_splits(written("splits.txt", "a/x train"), draw=2)
    other = written("t/splits.csv", "a/x,train").parent
    with pytest.raises(ClipError, match=r"draw 1; their names are <class>_test_split<draw>\.txt"):
        read_splits(other, draw=1)


def test_missing_files(tmp_path):
    with pytest.raises(ClipError, match=r"gone\.txt: cannot be read: No such file or directory"):
        read_splits(tmp_path / "gone.txt", draw=1)
    with pytest.raises(ClipError, match=r"gone: cannot be read: No such file or directory"):
        read_splits(tmp_path / "gone", draw=2)
    with pytest.raises(ClipError, match=r"gone: cannot be read: No such file or directory"):
        official_files(tmp_path / "gone", draw=1)


def test_where_splits_are_looked_for(tmp_path):
    assert default_splits(tmp_path) is None
    for name in ("splits.csv", "splits.txt"):
        (tmp_path / name).touch()
        assert default_splits(tmp_path) == tmp_path / name
    (tmp_path / "splits").mkdir()
    assert default_splits(tmp_path) == tmp_path / "splits"
    assert default_splits(tmp_path, ["other"]) is None


# -- UCF101 -----------------------------------------------------------------------------------

TRAIN = "Archery/v_Archery_g08_c01.avi 2\nApplyLipstick/v_ApplyLipstick_g08_c02.avi 1\r\n\n"
TEST = "Archery/v_Archery_g01_c01.avi\n"


@pytest.fixture
def lists(written):
    """Return a folder of UCF101's lists of draws 1 and 3, with numbers of two classes."""
    for draw in (1, 3):
        written(f"u/trainlist0{draw}.txt", TRAIN.replace("g08", f"g1{draw}"))
        written(f"u/testlist0{draw}.txt", TEST)
    return written("u/classInd.txt", "1 ApplyLipstick\r\n2 Archery\r\n").parent


def test_the_format_of_ucf101(lists):
    expected = [
        ("Archery", "v_Archery_g13_c01.avi", "train"),
        ("ApplyLipstick", "v_ApplyLipstick_g13_c02.avi", "train"),
        ("Archery", "v_Archery_g01_c01.avi", "test"),
    ]
    lines = read_splits(lists, draw=3)
    assert triples(lines) == expected
    assert lines[2].where == f"{lists}/testlist03.txt:1"
    for name in ("trainlist03.txt", "testlist03.txt", "classInd.txt"):
        assert triples(read_splits(lists / name, draw=3)) == expected
    (lists / "classInd.txt").unlink()
    assert triples(read_splits(lists, draw=3)) == expected
    assert default_splits(lists.parent) is None
    lists.rename(lists.parent / "ucfTrainTestlist")
    assert default_splits(lists.parent) == lists.parent / "ucfTrainTestlist"


def test_a_list_for_validation_of_whole_groups(lists):
    (lists / "vallist01.txt").write_text("Archery/v_Archery_g09_c01.avi 2\n")
    assert ("Archery", "v_Archery_g09_c01.avi", "val") in triples(read_splits(lists, draw=1))
    assert "val" not in {line.split for line in read_splits(lists, draw=3)}


@pytest.mark.parametrize("name", ["vallist01.txt", "testlist01.txt"])
def test_a_group_on_both_sides_of_a_split_is_refused(lists, name):
    """Its clips show the same persons or background, so they would give the answer away."""
    (lists / name).write_text("Archery/v_Archery_g11_c05.avi\n")
    with pytest.raises(
        ClipError,
        match=r"list01\.txt:1: v_Archery_g11_c05\.avi is for (val|test), and v_Archery_g11_c01\.avi"
        r" of the same group, .* is for train \(.*trainlist01\.txt:1\); keep groups together$",
    ):
        read_splits(lists, draw=1)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "trainlist01.txt",
            "v_A_g01_c01.avi 1",
            r"list01\.txt:1: must be <class>/<clip>, .* got 'v_A",
        ),
        ("trainlist01.txt", "A/ 1", r"trainlist01\.txt:1: must be <class>/<clip>, .* got 'A/'"),
        ("testlist01.txt", "\n17", r"testlist01\.txt:2: must be <class>/<clip>, .* got '17'"),
        (
            "trainlist01.txt",
            "Archery/a.avi 1",
            r"said to be of class 1, which is ApplyLipstick in ",
        ),
        (
            "trainlist01.txt",
            "Archery/a.avi 9",
            r"said to be of class 9, which is not there in class",
        ),
        (
            "classInd.txt",
            "Archery 1",
            r"classInd\.txt:1: must be a number and a class, got 'Archery",
        ),
        ("testlist01.txt", b"\xff", r"testlist01\.txt: must be text in UTF-8"),
    ],
)
def test_malformed_lines_of_ucf101s_format(lists, name, text, message):
    (lists / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ClipError, match=message):
        read_splits(lists, draw=1)


def test_draws_of_ucf101_that_are_not_there(lists):
    with pytest.raises(ClipError, match=r"has no trainlist of draw 2; it has lists of draw 1, 3$"):
        read_splits(lists, draw=2)
    with pytest.raises(
        ClipError, match=r"trainlist03\.txt: is of draw 3, got draw 1; ask for draw 3"
    ):
        read_splits(lists / "trainlist03.txt", draw=1)
    (lists / "testlist03.txt").unlink()
    with pytest.raises(ClipError, match=r"has no testlist of draw 3; it has lists of draw 1, 3$"):
        read_splits(lists, draw=3)
    with pytest.raises(ClipError, match=r"gone/trainlist01\.txt: cannot be read: No such file"):
        read_splits(lists / "gone/trainlist01.txt", draw=1)
