"""The records: one list of columns, which worlds, files and the documentation follow."""

from pathlib import Path

import pytest

from fadeline.simulator.engine.records import COLUMNS, markdown, missing, ordered, table
from fadeline.simulator.engine.world import World, stations
from fadeline.simulator.schemes.prepare import prepared_schemes
from tests.simulator.worlds import cell

DOCS = Path(__file__).parents[3] / "docs" / "runs.md"
NAMES = [column.name for column in COLUMNS]


def test_a_world_gives_every_column_in_order():
    scenario = cell().scenario
    found = World(scenario, prepared_schemes(scenario)[0], stations(scenario, 0)).run()
    assert list(found) == NAMES
    assert table({"edge.workers": 2.0, **found}).column_names == ["edge.workers", *NAMES]
    with pytest.raises(KeyError, match="done_s"):
        ordered({name: values for name, values in found.items() if name != "done_s"})


def test_a_world_is_stepped_as_it_is_run():
    scenario = cell(duration_s=3.0).scenario
    scheme, there = prepared_schemes(scenario)[1], stations(scenario, 0)
    at_once = World(scenario, scheme, there).run()
    stepped, ended = World(scenario, scheme, there), []
    while not stepped.over:
        ended += stepped.step()
    after = stepped.run()
    for name in NAMES:
        assert after[name].tolist() == pytest.approx(at_once[name].tolist(), nan_ok=True)
    assert len(ended) == (after["outcome"] != "unfinished").sum()
    with pytest.raises(RuntimeError, match="over"):
        stepped.step()


def test_older_runs_lack_what_was_added_since():
    assert missing([name for name in NAMES if name != "idle_j"]) == {"idle_j": 0.0}
    with pytest.raises(KeyError, match="born_s"):
        missing([name for name in NAMES if name != "born_s"])


def test_the_documentation_lists_the_columns_as_they_are():
    assert markdown() in DOCS.read_text(), "copy what fadeline.simulator.engine.records.markdown()"
