"""Runs side by side: whose curve is whose, and what cannot be compared."""

from types import SimpleNamespace

import pandas as pd
import pytest

from fadeline.simulator.analysis.results import Results
from fadeline.simulator.errors import FadelineError
from fadeline.simulator.experiment.comparison import compared, compared_folders
from fadeline.simulator.experiment.files import write_manifest, write_results
from tests.simulator.worlds import cell


def curves(*schemes, accuracy=0.5):
    rows = [(name, deadline_s, accuracy) for name in schemes for deadline_s in (0.1, 0.2)]
    return pd.DataFrame(rows, columns=["scheme", "deadline_s", "accuracy"])


def made(*schemes, accuracy=0.5, **changes):
    """Return what is compared of a run: its scenario and its accuracy."""
    return SimpleNamespace(
        scenario=cell(**changes).scenario, accuracy=curves(*schemes, accuracy=accuracy)
    )


def folder(path, *schemes, accuracy=0.5, **changes):
    """Leave a finished run in a folder, as far as a comparison reads it."""
    path.mkdir()
    run = made(*schemes, accuracy=accuracy, **changes)
    nothing = pd.DataFrame({"scheme": [*schemes]})
    write_results(Results(run.accuracy, nothing, nothing, nothing, nothing), path)
    write_manifest({"scenario": run.scenario.model_dump(mode="json")}, path)
    return path


def test_schemes_are_named_after_run_and_scheme():
    table = compared([("x", made("a", "b", accuracy=0.1)), ("y", made("a", accuracy=0.2))])
    assert table["scheme"].tolist() == ["x: a", "x: a", "x: b", "x: b", "y: a", "y: a"]
    assert table["accuracy"].tolist() == [0.1] * 4 + [0.2] * 2
    assert table["deadline_s"].tolist() == [0.1, 0.2] * 3
    assert table.index.tolist() == list(range(6))


def test_a_run_alone_keeps_the_names_of_its_schemes():
    assert compared([("x", made("a"))])["scheme"].tolist() == ["a", "a"]


def test_each_run_reports_at_its_own_deadline():
    table = compared([("x", made("a", report_at_s=0.1)), ("y", made("a", report_at_s=0.2))])
    assert table["report_at_s"].tolist() == [0.1, 0.1, 0.2, 0.2]


def test_the_runs_themselves_stay_as_they_are():
    run = made("a")
    compared([("x", run), ("y", made("b"))])
    pd.testing.assert_frame_equal(run.accuracy, curves("a"))


def test_sweeps_are_refused():
    swept = made("a", sweep={"channel.mean_snr_db": [0, 5]})
    with pytest.raises(FadelineError, match="y: is a sweep; compare runs without one"):
        compared([("x", made("a")), ("y", swept)])


def test_runs_of_the_same_name_are_refused():
    with pytest.raises(FadelineError, match="x: another run is named x too; rename one of them"):
        compared([("x", made("a")), ("x", made("b"))])


def test_folders_are_named_after_themselves(tmp_path):
    first = folder(tmp_path / "calm", "a", accuracy=0.25)
    second = folder(tmp_path / "rough", "a", "1", report_at_s=0.2, accuracy=0.125)
    table = compared_folders([first, second])
    assert table["scheme"].unique().tolist() == ["calm: a", "rough: a", "rough: 1"]
    assert table["accuracy"].tolist() == [0.25] * 2 + [0.125] * 4
    assert table["report_at_s"].tolist() == [0.1] * 2 + [0.2] * 4


def test_a_folder_may_be_named_from_inside(tmp_path, monkeypatch):
    folder(tmp_path / "calm", "a")
    other = folder(tmp_path / "rough", "a")
    monkeypatch.chdir(tmp_path / "calm")
    table = compared_folders([(tmp_path / "calm").relative_to(tmp_path / "calm"), other])
    assert table["scheme"].unique().tolist() == ["calm: a", "rough: a"]


def test_a_folder_without_a_finished_run_is_refused(tmp_path):
    with pytest.raises(FadelineError, match=r"has no manifest\.json; it holds no finished run"):
        compared_folders([tmp_path])
    with pytest.raises(FadelineError, match="no such folder; give that of a run"):
        compared_folders([tmp_path / "nowhere"])
