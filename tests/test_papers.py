"""The papers around the code say what the code says."""

import re
import tomllib
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
PAPERS = [
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/architecture.md",
    ".github/pull_request_template.md",
]


def read_yaml(path):
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_citation_is_of_this_version():
    citation, here = read_yaml(ROOT / "CITATION.cff"), project()
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == here["version"]
    assert citation["license"] == here["license"]
    assert citation["authors"] == here["authors"]
    assert citation["keywords"] == here["keywords"]


def test_the_citation_names_the_work_reproduced():
    (work,) = read_yaml(ROOT / "CITATION.cff")["references"]
    assert "arXiv:2305.12796" in [entry["value"] for entry in work["identifiers"]]
    assert [author["family-names"] for author in work["authors"]] == [
        "Li", "Bennis", "Iosifidis", "Zhang",
    ]  # fmt: skip


def test_there_are_forms_for_every_kind_of_issue():
    assert [path.stem for path in FORMS] == ["bug", "config", "feature", "wrong-number"]


@pytest.mark.parametrize("path", [path for path in FORMS if path.stem != "config"], ids=str)
def test_a_form_is_one_that_the_hosting_site_takes(path):
    form = read_yaml(path)
    assert {"name", "description", "body"} <= form.keys()
    ids = [field["id"] for field in form["body"]]
    assert len(ids) == len({*ids})
    for field in form["body"]:
        assert field["type"] in {"textarea", "input"}
        assert field["attributes"]["label"]
        assert field.keys() <= {"type", "id", "attributes", "validations"}
    assert any(field.get("validations", {}).get("required") for field in form["body"])


@pytest.mark.parametrize("name", ["bug", "wrong-number"])
def test_forms_ask_for_what_is_needed_to_see_it_again(name):
    form = read_yaml(ROOT / ".github" / "ISSUE_TEMPLATE" / f"{name}.yml")
    assert {"scenario", "check", "version"} <= {field["id"] for field in form["body"]}


@pytest.mark.parametrize("name", PAPERS)
def test_links_lead_to_files_and_headings_that_are_there(name):
    path = ROOT / name
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if target.startswith("https://"):
            continue
        file, _, heading = target.partition("#")
        there = path.parent / file
        assert there.is_file(), f"{name}: {target}"
        assert not heading or heading in headings(there), f"{name}: {target}"


def headings(path):
    """Return the headings of a page as they are linked to."""
    lines = re.findall(r"(?m)^#+ (.*)$", path.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}


def test_what_the_guide_says_of_make_is_true():
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = {*re.findall(r"`make ([a-z]+)`", guide)}
    targets = {*re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"))}
    assert {"lint", "quick", "test", "bench", "architecture"} <= named <= targets


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_paths_that_a_paper_names_are_there(name):
    # From the root; paths with a NAME in capitals are to be chosen by the reader.
    paper = (ROOT / name).read_text(encoding="utf-8")
    folders = "simulator|models|channels|scenarios|tests|docs|benchmarks"
    named = re.findall(rf"`((?:{folders})/[a-z0-9_/.-]*)`", paper)
    assert len(named) > 10
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_names_in_capitals_or_private_are_in_a_file_of_the_same_line(name):
    """A list that a reader is sent to, such as `FADINGS`, is where the line says."""
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        paths = re.findall(r"`((?:simulator|models|channels)/[a-z0-9_/]*\.py)`", line)
        names = re.findall(r"`(_?[A-Z]{2,}[A-Z_]*)`", line)
        code = "".join((ROOT / path).read_text(encoding="utf-8") for path in paths)
        assert [word for word in names if paths and word not in code] == [], line


def test_nothing_is_left_to_settle():
    assert [name for name in PAPERS if "TO-SETTLE" in (ROOT / name).read_text("utf-8")] == []
