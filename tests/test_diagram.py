"""docs/architecture.md shows the rooms as they are, and its script draws what imports say."""

import doctest
import importlib.util
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "docs" / "draw_architecture.py"

HOUSE = {
    "simulator/__init__.py": '"""Time."""\nfrom fadeline.simulator.engine.clock import Clock\n',
    "simulator/errors.py": '"""Errors."""\n',
    "simulator/engine/__init__.py": '"""The clock | and more."""\n',
    "simulator/engine/clock.py": (
        '"""A clock\n\nMore of it.\n"""\n'
        "from typing import TYPE_CHECKING\n"
        "from fadeline.simulator import errors\n"
        "if TYPE_CHECKING:\n    from fadeline.simulator.cli.app import main\n"
        "else:\n    from fadeline.models.nets import Net\n"
    ),
    "simulator/cli/__init__.py": '"""Commands."""\n',
    "simulator/cli/app.py": (
        '"""All commands."""\n'
        "import numpy\n"
        "import fadeline.simulator.errors\n"
        "def main():\n    from fadeline.simulator.engine.clock import Clock\n"
    ),
    "models/__init__.py": '"""Learning."""\n',
    "models/nets.py": '"""Networks."""\n',
    "models/data/__init__.py": '"""Clips."""\nfrom fadeline.models.nets import Net\n',
    "models/data/video/__init__.py": '"""Videos."""\n',
    "models/data/video/frames.py": '"""Frames."""\nimport fadeline.models.nets\n',
}
NAMES = [
    "packages", "simulator-diagram", "simulator-rooms", "models-diagram", "models-rooms",
]  # fmt: skip
DOCUMENT = "By hand.\n" + "".join(
    f"\n<!-- generated: {name} -->\nold\n<!-- end -->\nAlso by hand.\n" for name in NAMES
)


@pytest.fixture(scope="module")
def drawing():
    """Return the script as a module: it is in no package."""
    spec = importlib.util.spec_from_file_location("draw_architecture", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look themselves up
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture
def tree(tmp_path):
    """Return the root of a made-up house with a document."""
    for name, text in {**HOUSE, "docs/architecture.md": DOCUMENT}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def house(drawing, tree):
    return drawing.read_house(tree, ["simulator", "models"])


def arrows(diagram):
    return [line.strip() for line in diagram.splitlines() if "-> n_" in line]


def test_the_page_is_up_to_date(drawing, capsys):
    code = drawing.main(["--check"])
    assert code == 0, f"run make architecture\n{''.join(capsys.readouterr())}"


def test_examples_of_the_script_hold(drawing):
    results = doctest.testmod(drawing)
    assert results.attempted > 0
    assert results.failed == 0


def test_imports_count_at_the_top_and_inside_functions(house):
    clock = "fadeline.simulator.engine.clock"
    assert house["fadeline.simulator.cli.app"].imports == {clock, "fadeline.simulator.errors"}


def test_imports_for_type_checkers_alone_do_not_count(house):
    errors, nets = "fadeline.simulator.errors", "fadeline.models.nets"
    assert house["fadeline.simulator.engine.clock"].imports == {errors, nets}


def test_an_arrow_that_a_longer_way_says_is_left_out(drawing, house):
    assert arrows(drawing.package_diagram(house, "simulator")) == [
        "n___init___py --> n_engine",
        "n_cli --> n_engine",
        "n_engine --> n_errors_py",
    ]


def test_folders_in_a_room_are_part_of_it_in_the_diagram(drawing, house):
    diagram = drawing.package_diagram(house, "models")
    assert arrows(diagram) == ["n_data --> n_nets_py"]
    assert "video" not in diagram


def test_floors_are_said_in_words_too(drawing, house):
    said = drawing.package_diagram(house, "simulator").splitlines()[-1]
    assert said == ("Floors, from the top: `fadeline.simulator`, `cli/` > `engine/` > `errors.py`.")


def test_packages_are_drawn_with_what_they_hold(drawing, house):
    diagram = drawing.packages_diagram(house)
    assert 'n_simulator["simulator/<br/>Time."]' in diagram
    assert arrows(diagram) == ["n_simulator --> n_models"]


def test_the_lighter_arrow_of_a_circle_goes_up(drawing):
    down, up = drawing.split_by_direction({("a", "b"): 3, ("b", "c"): 2, ("c", "a"): 1})
    assert (down, up) == ({("a", "b"), ("b", "c")}, {("c", "a")})


def test_an_arrow_that_goes_up_is_dotted(drawing, tree):
    (tree / "simulator/errors.py").write_text('"""Errors."""\nimport fadeline.simulator.cli.app\n')
    diagram = drawing.package_diagram(drawing.read_house(tree, ["simulator"]), "simulator")
    assert [arrow for arrow in arrows(diagram) if "-.->" in arrow] == ["n_errors_py -.-> n_cli"]


def test_the_table_has_rooms_files_and_every_import_of_a_room(drawing, house):
    table = drawing.rooms_table(house, "simulator").splitlines()
    assert table[2:] == [
        "| **`simulator/`** | **Time.** | `engine/` |",
        "| `errors.py` | Errors. | |",
        "| **`simulator/cli/`** | **Commands.** | `engine/`, `errors.py` |",
        "| `app.py` | All commands. | |",
        "| **`simulator/engine/`** | **The clock \\| and more.** | `models/nets.py`, `errors.py` |",
        "| `clock.py` | A clock | |",
    ]


def test_text_by_hand_is_left_alone(drawing, house):
    after = drawing.renewed(DOCUMENT, drawing.sections(house))
    assert after.startswith("By hand.\n")
    assert after.count("\nAlso by hand.\n") == len(NAMES)
    assert "\nold\n" not in after
    assert drawing.renewed(after, drawing.sections(house)) == after


def test_check_shows_what_is_stale_and_writes_nothing(drawing, tree, monkeypatch, capsys):
    monkeypatch.setattr(drawing, "read_house", with_packages(drawing.read_house))
    assert drawing.main(["--check"], tree) == 1
    said = capsys.readouterr().out
    assert "-old" in said
    assert "+    n_simulator --> n_models" in said
    assert "make architecture" in said
    assert (tree / "docs/architecture.md").read_text() == DOCUMENT


def test_what_was_written_is_no_longer_stale(drawing, tree, monkeypatch):
    monkeypatch.setattr(drawing, "read_house", with_packages(drawing.read_house))
    assert drawing.main([], tree) == 0
    assert drawing.main(["--check"], tree) == 0
    assert [path.name for path in (tree / "docs").iterdir()] == ["architecture.md"]
    (tree / "simulator/engine/clock.py").write_text('"""Another clock."""\n')
    assert drawing.main(["--check"], tree) == 1


def with_packages(read_house):
    return lambda root: read_house(root, ["simulator", "models"])


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("", "has generated sections (none); there must be one each of packages, "),
        (DOCUMENT + DOCUMENT, "there must be one each of"),
        (DOCUMENT.replace("models-rooms", "moddels-rooms"), "moddels-rooms"),
    ],
)
def test_marks_that_do_not_fit_are_named(drawing, house, document, said):
    with pytest.raises(drawing.ArchitectureError, match=r"architecture\.md: ") as error:
        drawing.renewed(document, drawing.sections(house))
    assert said in str(error.value)


def test_a_file_must_say_what_it_holds(drawing, tree, monkeypatch, capsys):
    (tree / "models/nets.py").write_text("")
    assert drawing.main([], tree) == 1
    assert "nets.py: no docstring; say in its first line" in capsys.readouterr().err


def test_a_room_must_have_a_front(drawing, tree):
    (tree / "simulator/cli/__init__.py").unlink()
    house = drawing.read_house(tree, ["simulator"])
    with pytest.raises(drawing.ArchitectureError, match=r"simulator/cli/: no __init__\.py"):
        drawing.rooms_table(house, "simulator")
