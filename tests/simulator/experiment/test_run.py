"""The front door for Python: runs without files, sweeps, comparisons, folders."""

import subprocess
import sys
import threading

import pandas as pd
import pytest

from fadeline.simulator import FadelineError, ScenarioError, compare, load_run, run, sweep
from fadeline.simulator.errors import NotBuiltError
from fadeline.simulator.experiment.replicate import run_plan
from fadeline.simulator.loading.load import load_scenario
from tests.simulator.worlds import LARGE, SMALL, cell

SHORT = {"replications": 2, "duration_s": 4}


@pytest.fixture(scope="module")
def found():
    return run("rayleigh", set=SHORT | {"channel.mean_snr_db": 5})


def test_nothing_is_printed_or_written(in_tmp, capsys):
    run("rayleigh", set=SHORT)
    assert capsys.readouterr() == ("", "")
    assert list(in_tmp.iterdir()) == []


@pytest.mark.slow
def test_a_run_is_what_the_command_leaves(found, fadeline, in_tmp):
    words = [f"{path}={value}" for path, value in SHORT.items()]
    given = [part for word in (*words, "channel.mean_snr_db=5") for part in ("--set", word)]
    answer = fadeline("run", "rayleigh", "--out", "by-command", *given)
    assert answer.code == 0
    found.save("by-python")
    names = sorted(path.name for path in (in_tmp / "by-command").iterdir())
    assert sorted(path.name for path in (in_tmp / "by-python").iterdir()) == names
    for name in names:
        if name.endswith((".csv", ".parquet", ".png")):
            mine, theirs = in_tmp / "by-python" / name, in_tmp / "by-command" / name
            assert mine.read_bytes() == theirs.read_bytes(), name
    assert [line for line in answer.out.splitlines() if "answers" in line] == [
        line for line in found.verdict if "answers" in line
    ]


def test_a_saved_run_comes_back(found, tmp_path):
    again = load_run(found.save(tmp_path / "run"))
    pd.testing.assert_frame_equal(again.clips, found.clips)
    pd.testing.assert_frame_equal(again.accuracy, found.accuracy, rtol=1e-8, check_dtype=False)
    assert again.verdict == found.verdict
    assert again.scenario == found.scenario
    with pytest.raises(FadelineError, match="already holds files"):
        found.save(tmp_path / "run")


def test_a_run_of_an_older_version_is_completed(found, tmp_path):
    folder = found.save(tmp_path / "run")
    clips = pd.read_parquet(folder / "clips.parquet").drop(columns="idle_j")
    clips.to_parquet(folder / "clips.parquet", index=False)
    assert (load_run(folder).clips["idle_j"] == 0.0).all()
    clips.drop(columns="outcome").to_parquet(folder / "clips.parquet", index=False)
    with pytest.raises(FadelineError, match="has no column outcome"):
        load_run(folder)


def test_a_notebook_shows_figure_and_verdict(found):
    shown = found._repr_html_()
    assert "data:image/png;base64," in shown
    assert "stae@104 answers" in shown


@pytest.mark.parametrize("kind", ["name", "scenario", "plan"])
def test_any_source_gives_the_same(found, kind):
    scenario = load_scenario("rayleigh")
    source = {"name": "rayleigh", "scenario": scenario, "plan": found.plan}[kind]
    again = run(source, set=SHORT | {"channel.mean_snr_db": 5})
    pd.testing.assert_frame_equal(again.clips, found.clips)


def test_a_sweep_takes_a_grid():
    grid = {"channel.mean_snr_db": range(0, 30, 10), "edge.workers": [1, 2]}
    swept = sweep("rayleigh", grid, set=SHORT | {"schemes": [SMALL], "baseline": "small"})
    points = swept.summary[["channel.mean_snr_db", "edge.workers"]].to_numpy().tolist()
    assert points == [[snr, n] for snr in (0.0, 10.0, 20.0) for n in (1.0, 2.0)]
    assert swept.figure() is not None


def test_runs_are_compared_by_name(found):
    other = run("rician", set=SHORT)
    table = compare(found, other)
    assert {*table["scheme"]} >= {"rayleigh: stae@104", "rician: stae@104"}
    with pytest.raises(FadelineError, match="another run is named rayleigh"):
        compare(found, found)


def test_mistakes_are_errors_of_ours():
    with pytest.raises(ScenarioError, match=r"set channel\.mean_snr_dB"):
        run("rayleigh", set={"channel.mean_snr_dB": 5})
    with pytest.raises(NotBuiltError, match="nr"):
        run("rayleigh", set={"channel.rate": {"kind": "nr"}})


def test_runs_go_in_a_thread():
    kept = []
    thread = threading.Thread(target=lambda: kept.append(run_plan(cell(), workers=2)))
    thread.start()
    thread.join()
    pd.testing.assert_frame_equal(kept[0], run_plan(cell()))


SCRIPT = """
from fadeline.simulator import run
short = {"replications": 2, "duration_s": 4}
print(len(run("rayleigh", set=short, workers=2).clips))
"""


@pytest.mark.slow
def test_a_script_needs_no_main_guard(found, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    for command, given in (([sys.executable, str(script)], None), ([sys.executable, "-"], SCRIPT)):
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=True)
        assert (done.stdout, done.stderr) == (f"{len(found.clips)}\n", "")


IN_A_POOL = """
from multiprocessing import get_context
from fadeline.simulator import run
short = {"replications": 2, "duration_s": 4}

def clips(_):
    return len(run("rayleigh", set=short, workers=2).clips)

if __name__ == "__main__":
    with get_context("spawn").Pool(1) as pool:
        print(pool.map(clips, [0])[0])
"""


def test_workers_start_in_a_process_of_a_pool(found, tmp_path):
    """Whose processes may have no children by the means of multiprocessing."""
    script = tmp_path / "script.py"
    script.write_text(IN_A_POOL)
    command = [sys.executable, str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert (done.stdout, done.stderr) == (f"{len(found.clips)}\n", "")


def test_schemes_that_are_alone_differ_only_by_themselves():
    both = run(cell(schemes=[SMALL, LARGE])).clips
    alone = run(cell(schemes=[LARGE])).clips
    mine = both[both["scheme"] == "large"].reset_index(drop=True)
    pd.testing.assert_frame_equal(mine, alone)
