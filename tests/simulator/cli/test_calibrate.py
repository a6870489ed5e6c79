"""`fadeline calibrate`: what it writes, shows and refuses."""

import json
from pathlib import Path

import pytest
from torch import nn

from fadeline.models.classifiers import stages
from fadeline.models.hardware import calibration, latency
from fadeline.models.hardware.calibration import Calibration, StageTiming, network_stage
from fadeline.models.hardware.latency import Effort, Timing
from fadeline.models.hardware.machine import Machine
from fadeline.models.hardware.roofline import Observation, Prediction, Roofline
from fadeline.simulator.compute import profile_writing
from fadeline.simulator.compute.profile import load_profile, read_profile
from fadeline.simulator.compute.profile_writing import calibrated_profile, name_from, write_profile

SEEN = Observation("cnn", 4, 2e9, 3e7, 0.040)
FOUND = Calibration(
    machine=Machine("A CPU", 4, 8 * 2**30, "Linux", "3.11.1", "2.13.0", 2, "2026-01-02"),
    roof=Roofline(3.791234e10, 4e9, 1e-4),
    jitter=0.05,
    serial_symbols_per_s=1e7,
    stages=(StageTiming("classify", 1, Timing(50, 0.0111, 0.01, 0.012, 0.055)),),
    check=(Prediction(SEEN, 0.050), Prediction(SEEN, 0.030), Prediction(SEEN, 0.042)),
)


@pytest.fixture
def measured(monkeypatch):
    """Replace the measurement; return what it was asked for."""
    asked = []

    def calibrate(stages, *, threads, effort, progress):
        asked.append((len(stages), threads, effort))
        for step in range(calibration.steps(stages)):
            progress(f"step {step}")
        return FOUND

    monkeypatch.setattr(calibration, "calibrate", calibrate)
    return asked


def test_a_profile_is_written_and_loads_back(fadeline, in_tmp, measured):
    answer = fadeline("calibrate", "--out", "boards/my laptop.yaml", "--threads", "1")
    assert answer.code == 0, answer.err
    profile = load_profile("boards/my laptop.yaml")
    assert profile.name == "my-laptop"
    assert profile.sustained_flops_per_s.value == 3.791e10  # four digits
    assert profile.sustained_flops_per_s.source == (
        "measured on A CPU, 2 threads, 2026-01-02: fitted to networks, which, left out in turn, "
        "are predicted with a median error of 25% and a largest of 25%"
    )
    shipped = load_profile("host").serial_symbols_per_s
    assert shipped is not None
    assert profile.single_core_factor.value == pytest.approx(shipped.value / 1e7, rel=1e-3)
    assert profile.machine is not None
    assert profile.machine.cpu == "A CPU"
    assert profile.stages["classify"][0].median_s == 0.0111
    assert profile.check[0].predicted_s == 0.05
    assert profile.power_w.value == 7.5
    assert profile.power_w.source.startswith("assumed: 3.75 W per thread")
    assert [path.name for path in Path("boards").iterdir()] == ["my laptop.yaml"]
    assert "Written: boards/my laptop.yaml" in answer.out
    assert "+25%" in answer.out
    assert "median error 25%, largest 25%" in answer.out
    assert measured == [(1, 1, Effort())]


def test_numbers_are_written_short(in_tmp):
    write_profile(calibrated_profile(FOUND, name="a", reference_symbols_per_s=1e7), Path("a.yaml"))
    text = Path("a.yaml").read_text()
    assert "value: 3.791e+10" in text
    assert "- {batch: 1, median_s: 0.0111, p5_s: 0.01, p95_s: 0.012, jitter: 0.055" in text
    assert read_profile(Path("a.yaml")).single_core_factor.value == 1.0


def test_a_scenario_uses_what_was_written(fadeline, in_tmp, measured):
    fadeline("calibrate", "--out", "mine.yaml")
    assert fadeline("check", "rayleigh", "--set", "edge.profile=mine.yaml").code == 0


def test_given_power_is_kept_and_said(fadeline, in_tmp, measured):
    flags = ("--power-w", "12", "--idle-power-w", "4", "--reference")
    assert fadeline("calibrate", "--out", "a.yaml", *flags).code == 0
    profile = load_profile("a.yaml")
    assert (profile.power_w.value, profile.idle_power_w.value) == (12, 4)
    assert profile.power_w.source == "given when it was calibrated"
    assert profile.single_core_factor.value == 1.0


def test_json_is_the_profile(fadeline, in_tmp, measured):
    answer = fadeline("calibrate", "--out", "a.yaml", "--json")
    found = json.loads(answer.out)
    assert found["file"] == "a.yaml"
    assert found["profile"]["name"] == "a"
    assert answer.err == ""


def test_quiet_prints_nothing(fadeline, in_tmp, measured):
    answer = fadeline("calibrate", "--out", "a.yaml", "--quick", "--quiet")
    assert (answer.code, answer.out, answer.err) == (0, "", "")
    assert measured == [(1, measured[0][1], latency.QUICK)]


def test_check_only_shows_the_rule_and_writes_nothing(fadeline, in_tmp, measured):
    answer = fadeline("calibrate", "--check")
    assert answer.code == 0
    assert "predicted ms" in answer.out
    assert "Written" not in answer.out
    rows = json.loads(fadeline("calibrate", "--check", "--json").out)
    assert rows[0] == {
        "network": "cnn",
        "batch": 4,
        "flops": 2e9,
        "moved_bytes": 3e7,
        "predicted_s": 0.05,
        "measured_s": 0.04,
        "error": pytest.approx(0.25),
    }
    assert list(in_tmp.iterdir()) == []
    assert measured[0][0] == 0  # no stages


# What is refused, and how the message begins.
REFUSED = {
    "exists": (("--out", "old.yaml"), "old.yaml: exists already; use --force to write over it"),
    "folder": (("--out", "folder.yaml"), "folder.yaml: is a folder; give the name of a file"),
    "ending": (("--out", "a.txt"), "a.txt: a profile's name must end in .yaml or .yml"),
    "below-a-file": (("--out", "old.yaml/a.yaml"), "old.yaml/a.yaml: cannot be written in "),
    "threads": (("--out", "a.yaml", "--threads", "5000"), "--threads 5000: this machine has "),
}


@pytest.mark.parametrize(("flags", "expected"), REFUSED.values(), ids=REFUSED)
def test_refusals(fadeline, in_tmp, measured, flags, expected):
    Path("old.yaml").write_text("old")
    Path("folder.yaml").mkdir()
    before = sorted(in_tmp.rglob("*"))
    answer = fadeline("calibrate", *flags)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.replace("\n", " ").lstrip().startswith(f"error: {expected}")
    assert sorted(in_tmp.rglob("*")) == before
    assert Path("old.yaml").read_text() == "old"


def test_an_existing_file_is_refused_before_anything_is_measured(fadeline, in_tmp, measured):
    Path("old.yaml").write_text("old")
    assert fadeline("calibrate", "--out", "old.yaml").code == 2
    assert measured == []
    assert fadeline("calibrate", "--out", "old.yaml", "--force").code == 0
    assert load_profile("old.yaml").name == "old"


def test_an_interrupted_measurement_leaves_nothing(fadeline, in_tmp, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(calibration, "calibrate", interrupted)
    assert fadeline("calibrate", "--out", "boards/a.yaml").code == 130
    assert list(in_tmp.iterdir()) == []


@pytest.mark.parametrize("before", [None, "old"])
def test_a_failed_write_leaves_the_old_file(in_tmp, monkeypatch, before):
    if before is not None:
        Path("a.yaml").write_text(before)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(profile_writing, "_with_rows_on_a_line", full)
    with pytest.raises(Exception, match=r"a\.yaml: cannot be written: No space left on device"):
        write_profile(
            calibrated_profile(FOUND, name="a", reference_symbols_per_s=1e7), Path("a.yaml")
        )
    assert [path.read_text() for path in in_tmp.iterdir()] == ([] if before is None else [before])


def test_a_real_measurement(fadeline, in_tmp, monkeypatch):
    monkeypatch.setattr(calibration, "REFERENCE_BATCHES", (1,))
    monkeypatch.setattr(latency, "QUICK", Effort(warmup_s=0.0, measure_s=0.0, at_least=2))
    small = network_stage("classify", nn.Linear(64, 10).eval(), (64,))
    monkeypatch.setattr(stages, "default_stages", lambda: (small,))
    answer = fadeline("calibrate", "--quick", "--threads", "1", "--out", "host.yaml", "--json")
    assert answer.code == 0, answer.err
    profile = load_profile("host.yaml")
    assert profile.machine is not None
    assert profile.machine.threads == 1
    assert [row.batch for row in profile.stages["classify"]] == [1, 2, 4, 8, 16]
    assert len({row.network for row in profile.check}) >= 5
    assert profile.latency_s(1e9, 1e6) > 0


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("host.yaml", "host"),
        ("a/b c.yml", "b-c"),
        ("..x.yaml", "x"),
        ("é.yaml", "host"),
        (f"{'y' * 200}.yaml", "y" * 80),
    ],
)
def test_profiles_are_named_after_their_file(file, name):
    assert name_from(Path(file)) == name
