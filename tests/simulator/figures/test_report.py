"""The report of a run is one page that says all and needs nothing else."""

import base64
import json
from html.parser import HTMLParser

import pandas as pd
import pytest

from fadeline.simulator.analysis.results import Results
from fadeline.simulator.figures.report import report_page
from tests.simulator.worlds import cell

SVG = '<svg xmlns="http://www.w3.org/2000/svg"><text>Käse &amp; "quotes"</text></svg>'
WITHOUT_END = {"img", "meta"}


class Page(HTMLParser):
    """What a page holds: texts by the tag they stand in, pictures, and every address."""

    def __init__(self, text):
        super().__init__()
        self.open, self.texts, self.images, self.addresses = [], {}, [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.addresses += [named[name] for name in ("src", "href", "action") if name in named]
        if tag == "img":
            self.images.append((named["alt"], named["src"]))
        if tag not in WITHOUT_END:
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, "tags do not close one another"

    def handle_data(self, data):
        if self.open:
            self.texts[self.open[-1]][-1] += data


@pytest.fixture
def figures(tmp_path):
    paths = [tmp_path / name for name in ("accuracy.png", "accuracy.svg", "stages.svg")]
    for path in paths:
        path.write_text(SVG, encoding="utf-8")
    return paths


def page(figures, lines=("one",), **changes):
    summary = pd.DataFrame(
        {"scheme": ["<b>small</b>", "large"], "clips": [7, 8], "latency_mean_s": [0.123456, 1e-7]}
    )
    nothing = pd.DataFrame()
    results = Results(nothing, nothing, nothing, nothing, summary)
    text = report_page(cell(**changes).scenario, results, lines, figures)
    assert text.startswith("<!doctype html>\n")
    found = Page(text)
    assert found.open == []
    return found


def test_the_page_needs_nothing_else(figures):
    addresses = page(figures).addresses
    assert addresses
    assert all(address.startswith("data:") for address in addresses)


def test_every_vector_figure_is_in_the_page_once(figures):
    images = page(figures).images
    assert [name for name, _ in images] == ["accuracy", "stages"]
    for _, source in images:
        kind, _, content = source.partition(",")
        assert kind == "data:image/svg+xml;base64"
        assert base64.b64decode(content).decode("utf-8") == SVG


def test_the_verdict_is_in_the_page_line_by_line(figures):
    verdict, _ = page(figures, lines=["a < b & c", "second"]).texts["pre"]
    assert verdict == "a < b & c\nsecond"


def test_what_users_name_is_text_and_never_part_of_the_page(figures):
    found = page(figures, lines=["<script>alert(1)</script>"])
    assert "script" not in found.texts
    assert "b" not in found.texts
    assert "<b>small</b>" in found.texts["td"]


def test_the_summary_has_four_digits(figures):
    cells = page(figures).texts["td"]
    assert cells == ["<b>small</b>", "7", "0.1235", "large", "8", "1e-07"]
    assert page(figures).texts["th"] == ["scheme", "clips", "latency_mean_s"]


def test_the_scenario_is_in_the_page_as_it_was_given(figures):
    found = page(figures, name="evening", seed=9)
    assert found.texts["title"] == found.texts["h1"] == ["evening"]
    stored = json.loads(found.texts["pre"][1])
    assert (stored["name"], stored["seed"]) == ("evening", 9)
    assert stored["channel"]["mean_snr_db"] == 10.0
    assert "baseline" not in stored  # what was left out stays out


def test_without_figures_the_page_still_stands():
    assert page([]).images == []
