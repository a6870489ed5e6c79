"""`fadeline run`, `plot`, `compare` and `rerun`, as users meet them."""

import json
import os
import signal
import subprocess
import sys
import time

import pandas as pd
import psutil
import pyarrow as pa
import pytest

from fadeline.simulator.experiment.files import MANIFEST, read_clips

YAML = """
name: cell
seed: 3
replications: 3
duration_s: 8
warmup_s: 1
deadlines_s: {start: 0.02, stop: 0.3, points: 15}
report_at_s: 0.1
clips: {arrivals: {kind: periodic, rate_hz: 2.0}}
devices: {count: 2}
channel:
  fading: {kind: rayleigh}
  speed_m_s: 1.0
  carrier_hz: 3.5e9
  mean_snr_db: 10
  bandwidth_hz: 1.0e6
  sharing: equal
  rate: {kind: shannon, gap_db: 3.0, max_bits_per_symbol: 6.0}
edge: {round_trip_s: 0.004}
schemes:
  - {codec: constant, name: small, payload_bits: 20000, accuracy: 0.8, encode_s: 0.01}
  - {codec: constant, name: large, payload_bits: 150000, accuracy: 0.95, encode_s: 0.01}
"""

FILES = {
    "accuracy.csv", "accuracy.png", "accuracy.svg", "clips.parquet", "link.parquet",
    "manifest.json", "misses.csv", "misses.png", "misses.svg", "paired.csv", "report.html",
    "stages.csv", "stages.png", "stages.svg", "summary.csv",
}  # fmt: skip


@pytest.fixture
def cell(tmp_path):
    (tmp_path / "cell.yaml").write_text(YAML)
    return tmp_path / "cell.yaml"


@pytest.fixture
def finished(fadeline, cell, tmp_path):
    assert fadeline("run", cell, "--out", tmp_path / "run", "--workers", 1, "--quiet").code == 0
    return tmp_path / "run"


def test_a_run_leaves_everything_and_says_what_it_means(fadeline, cell, tmp_path):
    answer = fadeline("run", cell, "--out", tmp_path / "run", "--workers", 1)
    assert answer.code == 0
    assert {path.name for path in (tmp_path / "run").iterdir()} == FILES
    lines = answer.out.splitlines()
    assert lines[0] == "At a deadline of 100 ms:"
    assert lines[1].startswith("  small answers 0.")
    assert " against small" in lines[2]
    assert "accuracy.png" in lines[-1]
    accuracy = pd.read_csv(tmp_path / "run" / "accuracy.csv")
    assert {"scheme", "deadline_s", "accuracy", "accuracy_lo", "accuracy_hi", "accuracy_total_lo",
            "reliability", "clips", "replications"} <= {*accuracy.columns}  # fmt: skip
    assert len(accuracy) == 2 * 15
    manifest = json.loads((tmp_path / "run" / MANIFEST).read_text())
    assert manifest["scenario"]["seed"] == 3
    assert manifest["verdict"] == lines[:-1]
    page = (tmp_path / "run" / "report.html").read_text()
    assert "data:image/svg+xml" in page
    assert 'src="http' not in page


def test_what_did_not_happen_is_null(finished):
    stored = pd.read_parquet(finished / "clips.parquet")
    assert stored["data_index"].isna().all()
    assert str(stored["label"].dtype) == "Int64"
    assert (read_clips(finished)["data_index"] == -1).all()


def test_plot_draws_the_same_again_from_the_files(fadeline, finished):
    names = ("accuracy.png", "stages.svg", "misses.png", "report.html")
    before = {name: (finished / name).read_bytes() for name in names}
    for name in names:
        (finished / name).unlink()
    (finished / "clips.parquet").unlink()
    assert fadeline("plot", finished).code == 0
    assert {name: (finished / name).read_bytes() for name in names} == before


def test_rerun_agrees_and_finds_what_was_changed(fadeline, finished):
    answer = fadeline("rerun", finished, "--workers", 1)
    assert (answer.code, answer.out) == (0, f"{finished}: every clip fares as before\n")
    clips = pd.read_parquet(finished / "clips.parquet")
    clips.loc[4, "payload_bits"] += 1.0
    clips.to_parquet(finished / "clips.parquet")
    answer = fadeline("rerun", finished, "--workers", 1)
    assert answer.code == 1
    assert "row 4, payload_bits: 20001.0 then, 20000.0 now" in answer.out


def test_compare_lays_runs_over_one_another(fadeline, cell, finished, tmp_path):
    other = tmp_path / "weak"
    change = ("--set", "channel.mean_snr_db=0")
    assert fadeline("run", cell, "--out", other, "--workers", 1, "--quiet", *change).code == 0
    answer = fadeline("compare", finished, other, "--out", tmp_path / "both", "--json")
    rows = {row["scheme"]: row["accuracy"] for row in json.loads(answer.out)["rows"]}
    assert set(rows) == {"run: small", "run: large", "weak: small", "weak: large"}
    assert rows["weak: small"] < rows["run: small"]
    assert (tmp_path / "both" / "compare.svg").exists()


def test_a_sweep_draws_accuracy_against_the_swept_value(fadeline, cell, tmp_path):
    sweep = ("--set", "sweep={channel.mean_snr_db: [0, 10, 20]}")
    assert fadeline("run", cell, "--out", tmp_path / "one", "--workers", 1, "-q", *sweep).code == 0
    assert (tmp_path / "one" / "sweep-channel.mean_snr_db.png").exists()
    sweep = ("--set", "sweep={channel.mean_snr_db: [0, 20], devices.count: [1, 3]}")
    assert fadeline("run", cell, "--out", tmp_path / "two", "--workers", 1, "-q", *sweep).code == 0
    assert (tmp_path / "two" / "sweep.png").exists()
    rows = pd.read_csv(tmp_path / "two" / "summary.csv")
    assert len(rows) == 2 * 2 * 2


def test_folders_are_not_written_over(fadeline, cell, finished):
    answer = fadeline("run", cell, "--out", finished)
    assert answer.code == 2
    assert "--force" in answer.err
    answer = fadeline("run", cell, "--out", finished, "--resume")
    assert answer.code == 2
    assert "is finished" in answer.err
    assert fadeline("run", cell, "--out", finished, "--force", "-q", "--workers", 1).code == 0


def test_an_unfinished_run_is_not_taken_for_a_finished_one(fadeline, cell, finished):
    (finished / MANIFEST).unlink()
    for command in ("plot", "rerun", "compare"):
        answer = fadeline(command, finished)
        assert answer.code == 2
        assert "no finished run" in answer.err


def test_a_folder_that_is_none_is_refused(fadeline, tmp_path):
    answer = fadeline("plot", tmp_path / "nowhere")
    assert (answer.code, answer.out) == (2, "")
    assert "no such folder" in answer.err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kill", "code", "workers"),
    [(signal.SIGINT, 130, 1), (signal.SIGINT, 130, 2), (signal.SIGKILL, -signal.SIGKILL, 1)],
)
def test_a_killed_run_keeps_what_is_done_and_resumes(fadeline, cell, tmp_path, kill, code, workers):
    words = ["run", str(cell), "--out", str(tmp_path / "run"), "--workers", str(workers), "-q"]
    words += ["--set", "replications=40", "--set", "duration_s=40"]
    program = "from fadeline.simulator.cli.app import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, *words], env={**os.environ, "COLUMNS": "100"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    parts = tmp_path / "run" / "parts"
    until = time.monotonic() + 60
    while len([*parts.glob("0*.arrow")]) < 3 and time.monotonic() < until:
        time.sleep(0.005)
    os.killpg(process.pid, kill)  # as a terminal does: to all processes of the run
    _, err = process.communicate(timeout=60)
    assert process.returncode == code
    if kill == signal.SIGINT:
        assert err == "interrupted\n"
    done = [*parts.glob("0*.arrow")]
    assert 3 <= len(done) < 40
    assert not (tmp_path / "run" / MANIFEST).exists()
    answer = fadeline(*words)
    assert "--resume" in answer.err
    assert fadeline(*words, "--resume").code == 0
    straight = tmp_path / "straight"
    assert fadeline(*words[:3], straight, *words[4:]).code == 0
    pd.testing.assert_frame_equal(read_clips(tmp_path / "run"), read_clips(straight))


def test_ctrl_c_while_processes_start_is_said_once(cell, tmp_path):
    words = ["run", str(cell), "--out", str(tmp_path / "run"), "--workers", "2", "-q"]
    program = "from fadeline.simulator.cli.app import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    until = time.monotonic() + 60
    while len(psutil.Process(process.pid).children()) < 2 and time.monotonic() < until:
        time.sleep(0.005)
    time.sleep(0.2)  # they are importing now
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "interrupted\n")


def test_a_run_without_a_table_measures_one(fadeline, tmp_path, monkeypatch):
    from fadeline.simulator.errors import FadelineError

    def refused(wanted, **_):
        codecs = ", ".join(codec.codec for codec in wanted.codecs)
        raise FadelineError(f"asked to measure {codecs} on {wanted.data}")

    monkeypatch.setenv("FADELINE_CACHE", str(tmp_path / "cache"))
    words = (
        "run",
        "rayleigh",
        "--out",
        tmp_path / "run",
        "--set",
        "clips.data=actions/test@9",
        "--set",
        "schemes=[{codec: stae, ratio: 104, name: x}]",
        "--set",
        "baseline=x",
    )
    monkeypatch.setattr("fadeline.simulator.experiment.measure.measure_table", refused)
    answer = fadeline(*words)
    assert answer.code == 2
    assert answer.err == "error: asked to measure stae on actions/test@9\n"
    assert not (tmp_path / "run").exists()


def test_a_single_clip_is_enough(fadeline, cell, tmp_path):
    words = ("--set", "clips.arrivals.rate_hz=0.13", "--set", "devices.count=1")
    answer = fadeline("run", cell, "--out", tmp_path / "run", "--workers", 1, *words)
    assert answer.code == 0
    assert pd.read_csv(tmp_path / "run" / "summary.csv")["clips"].max() <= 3


def test_when_all_are_lost_it_is_said(fadeline, cell, tmp_path):
    words = ("--set", "channel.mean_snr_db=-60")
    answer = fadeline("run", cell, "--out", tmp_path / "run", "--workers", 1, *words)
    assert answer.code == 0
    assert "small answers 0.000" in answer.out
    assert "small: only 0% of clips are ever answered (" in answer.out


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_said(fadeline, cell, tmp_path):
    tmp_path.chmod(0o500)
    answer = fadeline("run", cell, "--out", tmp_path / "run")
    tmp_path.chmod(0o700)
    assert answer.code == 2
    assert "cannot be used" in answer.err


def test_a_full_disk_is_said_and_leaves_nothing_half_written(fadeline, cell, tmp_path, monkeypatch):
    def full(self, *_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pa.ipc, "new_file", full)
    answer = fadeline("run", cell, "--out", tmp_path / "run", "--workers", 1)
    assert answer.code == 2
    assert "No space left on device" in answer.err
    assert "Traceback" not in answer.err
    assert [path.name for path in (tmp_path / "run" / "parts").iterdir()] == ["scenario.sha256"]
