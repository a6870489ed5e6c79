"""The worked examples of docs/extending.md: installed as a package, and run."""

import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "extending.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"# file: (\S+)\n")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Return the folder of the examples' files, with their package installed beside them."""
    folder = tmp_path_factory.mktemp("toyline")
    for _, text in BLOCK.findall(PAGE.read_text()):
        if named := NAMED.match(text):
            ours = named.group(1).endswith(".yaml")
            path = folder / ("" if ours else "source") / named.group(1)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    (folder / "source" / "toyline" / "__init__.py").write_text("")
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    ran([*install, "--disable-pip-version-check", "--target", "site", "./source"], folder)
    return folder


def ran(words, folder, check=True):
    path = os.pathsep.join(filter(None, [str(folder / "site"), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=os.environ | {"PYTHONPATH": path},
        capture_output=True, text=True, check=check,
    )  # fmt: skip


def scripts():
    blocks = BLOCK.findall(PAGE.read_text())
    for (kind, text), (after, expected) in pairwise(blocks):
        if kind == "python" and not NAMED.match(text):
            assert after == "text", "what it prints stands below each script"
            yield text, expected


def fadeline(project, *words, check=True):
    return ran(["-m", "fadeline.simulator", *words], project, check=check)


@pytest.mark.slow
def test_every_script_prints_what_stands_below_it(project):
    assert len([*scripts()]) == 2
    for text, expected in scripts():
        assert ran(["-c", text], project).stdout == expected


def test_they_are_listed(project):
    listed = fadeline(project, "list").stdout
    for name in ("halves", "nakagami", "by-rate"):
        assert f" {name} " in listed


def test_their_parameters_are_checked(project):
    wrong = fadeline(project, "check", "mine.yaml", "--set", "channel.fading.m=0.1", check=False)
    assert wrong.returncode == 2
    assert "channel.fading.m: must be at least 0.5, got 0.1" in wrong.stderr
    assert fadeline(project, "check", "mine.yaml").returncode == 0


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("rayleigh = toyline.nakagami:NakagamiFading", "Fadeline has a rayleigh of its own"),
        ("gone = toyline.nowhere:Gone", "cannot be loaded: ModuleNotFoundError"),
        (
            "odd = toyline.halves:ENTRY",
            "must be of fadeline.simulator.scenario.fading",
        ),
    ],
)
def test_a_package_that_cannot_be_used_is_named(project, line, message):
    (info,) = (project / "site").glob("toyline-*.dist-info")
    entries = info / "entry_points.txt"
    before = entries.read_text()
    try:
        entries.write_text(before.replace("[fadeline.fading]", f"[fadeline.fading]\n{line}"))
        answer = fadeline(project, "list", check=False)
    finally:
        entries.write_text(before)
    assert answer.returncode == 2
    assert "package toyline, entry point" in answer.stderr
    assert message in answer.stderr
    assert "Traceback" not in answer.stderr
