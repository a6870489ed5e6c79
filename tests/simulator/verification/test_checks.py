"""`fadeline verify`: every check passes, and a wrong formula is caught."""

import json
import sys

import pytest

from fadeline.channels import theory
from fadeline.channels.verification import fading as fading_checks
from fadeline.channels.verification.check import Check
from fadeline.simulator import Streams
from fadeline.simulator.cli import app as cli
from fadeline.simulator.verification import checks as verification

SUBJECTS = (
    "Rayleigh: envelope", "Rician, K = 6 dB: envelope", "level crossings", "mean fade duration",
    "outage", "ergodic capacity", "sent within", "block length", "path loss", "shadowing",
    "RMS delay spread", "K factor", "Sionna", "line of sight at 0.7 fD", "M/M/1", "M/D/1", "M/M/3",
    "M/M/1/4", "device, then edge", "band shared", "quasi-static", "replications agree",
    "an outage takes", "symbols with data", "TDL-B over", "ratio on the air", "access delay",
    "where runs begin", "energy of a clip", "encoding on one core",
)  # fmt: skip


def run_cli(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["fadeline", *arguments])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    return stop.value.code


@pytest.mark.slow
def test_everything_agrees_with_theory():
    """One test, since processes that share the work would each make the checks."""
    checks = verification.all_checks(1)
    assert [check.quantity for check in checks if not check.passed] == []
    assert len(checks) >= 112
    for subject in SUBJECTS:
        assert any(subject in check.quantity for check in checks), subject
    for name in ("Rayleigh: autocorrelation", "LOS at 45 deg: autocorrelation"):
        assert sum(name in check.quantity for check in checks) >= 6
    json.dumps([check.as_row() for check in checks])  # as `verify --json` prints them


@pytest.mark.slow
def test_a_wrong_formula_is_caught(monkeypatch):
    right = theory.outage_probability
    monkeypatch.setattr(theory, "outage_probability", lambda *a: 1.1 * right(*a))
    rows = fading_checks.fading_checks(Streams(1).generator("verify", "fading"))
    failed = [check.quantity for check in rows if not check.passed]
    assert failed
    assert all("outage" in quantity for quantity in failed)


@pytest.mark.parametrize(("simulated", "code"), [(1.0, 0), (3.0, 1)])
def test_exit_code_and_json(monkeypatch, capsys, simulated, code):
    monkeypatch.setattr(
        verification, "all_checks", lambda seed: [Check("one", 1.0, simulated, 0.5, 1.5)]
    )
    assert run_cli(monkeypatch, "verify", "--json") == code
    rows = json.loads(capsys.readouterr().out)
    assert [row["passed"] for row in rows] == [code == 0]


def test_table_says_how_many_failed(monkeypatch, capsys):
    rows = [Check("right", 1.0, 1.0, 0.5, 1.5), Check("wrong", 1.0, 9.0, 0.5, 1.5)]
    monkeypatch.setattr(verification, "all_checks", lambda seed: rows)
    assert run_cli(monkeypatch, "verify") == 1
    printed = capsys.readouterr()
    assert "1 passed, 1 failed" in printed.out
    assert "wrong" in printed.err
