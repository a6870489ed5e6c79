"""Networks in a run, against the table that they were measured in."""

import pandas as pd
import pytest

from fadeline.models.classifiers.controls import SomeClips
from fadeline.models.classifiers.stored_vit import load_vit
from fadeline.models.codecs.stored_codec import load_codec
from fadeline.models.data.opening import open_clips
from fadeline.models.measurement.measuring import measure_outcomes
from fadeline.models.measurement.outcomes import write_outcomes
from fadeline.simulator.experiment.replicate import run_plan
from fadeline.simulator.loading.load import load_plan
from fadeline.simulator.schemes.outcome_tables import table_path
from fadeline.simulator.schemes.wanted import WantedCodec, WantedTable

DATA = "actions/test@7"
CODECS = ("deepisc", "stae")


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Measure some clips, one at a time, where runs look for tables."""
    monkeypatch.setenv("FADELINE_CACHE", str(tmp_path))
    classifier, card = load_vit("vit-tiny-actions")
    clips = SomeClips(open_clips(DATA, frames=16, size=64), 8)
    codecs = [load_codec(f"{name}-actions") for name in CODECS]
    outcomes = measure_outcomes(codecs, classifier, card, clips, checksum="of some", batch=1)
    (tmp_path / "tables").mkdir()
    wanted = WantedTable(DATA, tuple(WantedCodec(name) for name in CODECS))
    write_outcomes(outcomes, table_path(wanted))


@pytest.mark.slow
def test_networks_say_what_their_table_says(table, tmp_path):
    schemes = [
        {"codec": "stae", "ratio": 104},
        {"codec": "deepisc", "ratio": 1000, "streaming": True},
        {"codec": "raw"},
    ]
    plan = load_plan(
        "rayleigh",
        set_values=[
            f"clips.data={DATA}", f"schemes={schemes}", "baseline=raw", "devices.count=1",
            "replications=1", "duration_s=3", "warmup_s=1", "deadlines_s=[0.1, 0.5]",
        ],
    )  # fmt: skip
    from_table = run_plan(plan)
    live = run_plan(plan, live=True)
    pd.testing.assert_frame_equal(live, from_table)
    assert live["payload_bits"].nunique() > 3
    assert live["confidence"].nunique() > 3
