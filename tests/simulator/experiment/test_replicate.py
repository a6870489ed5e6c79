"""Runs: the same whatever the workers, stopped or not, and whoever else is there."""

import json

import numpy as np
import pandas as pd
import pytest

from fadeline.simulator.analysis.curves import Judged, accuracy_rows
from fadeline.simulator.analysis.results import evaluated
from fadeline.simulator.analysis.verdict import verdict
from fadeline.simulator.analysis.warmup import mser5_s
from fadeline.simulator.compute.profile import load_profile
from fadeline.simulator.engine.world import World, stations
from fadeline.simulator.errors import FadelineError, OutputError, ScenarioWarning
from fadeline.simulator.experiment import replicate
from fadeline.simulator.experiment.files import read_results, write_clips, write_results
from fadeline.simulator.experiment.parts import Parts
from fadeline.simulator.experiment.provenance import fingerprint
from fadeline.simulator.experiment.replicate import run_plan
from fadeline.simulator.scenario.deadlines import acted_deadlines_s
from fadeline.simulator.schemes.prepare import prepared_schemes
from tests.simulator.worlds import LARGE, SMALL, cell, outcomes

RNG = np.random.default_rng(0)


def kept(plan, folder, **options):
    """Run a plan with its parts in a folder."""
    return run_plan(plan, parts=Parts(folder, fingerprint(plan)), **options)


def only_world(plan):
    """Return the records of the first scheme in the first replication."""
    scenario = plan.points[0].scenario
    return World(scenario, prepared_schemes(scenario)[0], stations(scenario, 0)).run()


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    return run_plan(cell())


def test_every_clip_has_exactly_one_outcome(rows):
    assert not rows.duplicated(["replication", "scheme", "device", "clip_id"]).any()
    answered = rows["outcome"] == "done"
    assert (rows["done_s"].notna() == answered).all()
    lost = rows["outcome"].str.startswith("dropped")
    assert (rows["lost_s"].notna() == lost).all()
    assert ((rows["lost_in"] != "") == lost).all()
    assert {*rows["outcome"]} >= {"done", "dropped_device"}


def test_counted_clips_are_born_between_warmup_and_duration(rows):
    born_s = rows["born_s"]
    assert (rows["counted"] == ((born_s >= 1.0) & (born_s < 12.0))).all()
    assert born_s.max() > 12.0  # arrivals go on, so the load is stationary to the end


def test_times_follow_one_another(rows):
    names = ["born_s", "encode_start_s", "encoded_s", "tx_start_s", "sent_s", "edge_arrive_s",
             "edge_start_s", "inferred_s", "done_s"]  # fmt: skip
    steps = np.diff(rows.loc[rows["outcome"] == "done", names].to_numpy(), axis=1)
    assert (steps >= 0).all()


@pytest.mark.slow
def test_any_number_of_workers_gives_the_same(rows, tmp_path):
    for workers in (2, 4):
        pd.testing.assert_frame_equal(run_plan(cell(), workers=workers), rows)


def test_a_stopped_run_goes_on_with_what_is_missing(rows, tmp_path):
    parts = tmp_path / "parts"
    seen = []

    def stop(done, total):
        seen.append((done, total))
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept(cell(), parts, progress=stop)
    there = sorted(parts.glob("*.arrow"))
    assert [path.name for path in there] == ["00000-00000.arrow", "00000-00001.arrow"]
    before = [path.stat().st_mtime_ns for path in there]
    again = kept(cell(), parts)
    pd.testing.assert_frame_equal(again, rows)
    assert [path.stat().st_mtime_ns for path in there] == before


def test_parts_of_another_scenario_are_refused(tmp_path):
    kept(cell(replications=1), tmp_path)
    with pytest.raises(OutputError, match="parts of another scenario"):
        kept(cell(seed=4), tmp_path)


def test_more_replications_leave_the_first_as_they_were(rows, tmp_path):
    fewer = run_plan(cell(replications=2))
    first = rows[rows["replication"] < 2].reset_index(drop=True)
    pd.testing.assert_frame_equal(fewer, first)


@pytest.mark.parametrize(
    "changes",
    [
        {"schemes": [SMALL, LARGE | {"name": "other"}]},
        {"schemes": [LARGE, SMALL]},
        {"devices": [{"count": 2, "name": "a"}, {"count": 1, "name": "b"}, {"name": "c"}]},
        {"edge": {"round_trip_s": 0.004, "workers": 3}},
    ],
)
def test_adding_anything_moves_no_other_draw(rows, tmp_path, changes):
    """Other schemes change nothing; others in the cell change queues, no birth and no answer."""
    mine = rows[rows["scheme"] == "small"].reset_index(drop=True)
    other = run_plan(cell(**changes))
    other = other[(other["scheme"] == "small") & ~other["device"].str.startswith("c")]
    other = other.reset_index(drop=True)
    drawn = ["replication", "device", "clip_id", "born_s", "correct", "payload_bits"]
    pd.testing.assert_frame_equal(other[drawn], mine[drawn])
    if "schemes" in changes:
        pd.testing.assert_frame_equal(other, mine)


def test_schemes_meet_the_same_clips(rows):
    births = [group["born_s"].to_numpy() for _, group in rows.groupby("scheme", sort=False)]
    assert (births[0] == births[1]).all()


def test_deadlines_do_not_move_the_fades():
    """However long the horizon, up to a second of deadlines the links are the same."""
    first = [
        stations(cell(duration_s=60.0, deadlines_s=[deadline_s], report_at_s=0.04).scenario, 0)[0]
        for deadline_s in (0.05, 0.5)
    ]
    np.testing.assert_array_equal(first[0].link.trace.snr, first[1].link.trace.snr)


def test_one_run_gives_the_whole_curve_where_nobody_acts(rows, tmp_path):
    """A deadline of its own changes nothing but the horizon."""
    mine = rows[rows["scheme"] == "large"]
    curve = accuracy_rows(Judged.of(mine, 3), [0.05, 0.1, 0.2], RNG)
    for number, deadline_s in enumerate((0.05, 0.1, 0.2)):
        alone = cell(deadlines_s=[deadline_s], report_at_s=deadline_s)
        found = run_plan(alone)
        found = found[found["scheme"] == "large"]
        at = accuracy_rows(Judged.of(found, 3), [deadline_s], RNG)
        assert at["accuracy"][0] == curve["accuracy"][number]


def test_acting_on_the_deadline_makes_a_world_for_each(tmp_path):
    acting = cell(edge={"queue": {"drop_expired": True}, "workers": 1}, schemes=[LARGE])
    assert acted_deadlines_s(acting.scenario) == [0.05, 0.1, 0.2]
    found = run_plan(acting)
    assert sorted(found["acted_deadline_s"].unique()) == [0.05, 0.1, 0.2]
    results = evaluated(acting, found)
    assert results.accuracy["deadline_s"].tolist() == [0.05, 0.1, 0.2]
    expired = found[found["outcome"] == "dropped_edge"]
    assert (expired["lost_s"] > expired["born_s"] + expired["acted_deadline_s"]).all()
    assert acted_deadlines_s(cell().scenario) == [None]
    many = cell(
        edge={"queue": {"drop_expired": True}},
        deadlines_s={"start": 0.01, "stop": 0.5, "points": 50}, report_at_s=0.033,
    )  # fmt: skip
    assert len(acted_deadlines_s(many.scenario)) == 12
    assert 0.033 in acted_deadlines_s(many.scenario)


def test_energy_is_what_meters_on_the_devices_read():
    """Compute power over busy time plus radio power over time on the air, lost clips included."""
    crowded = cell(devices={"count": 1, "profile": "raspberry-pi-4"}, schemes=[LARGE],
                       clips={"arrivals": {"kind": "periodic", "rate_hz": 20.0}})  # fmt: skip
    rows, crowded = only_world(crowded), crowded.scenario
    assert (rows["outcome"] == "dropped_device").any()
    encoding = [
        (start, min(end, crowded.horizon_s) if end == end else crowded.horizon_s)
        for start, end in zip(rows["encode_start_s"], rows["encoded_s"], strict=True)
        if start == start
    ]
    sending = [
        (start, end if end == end else crowded.horizon_s)
        for start, end in zip(rows["tx_start_s"], rows["sent_s"], strict=True)
        if start == start
    ]
    group = crowded.devices[0]
    radio_w = group.radio_circuit_w + 10.0 ** (group.tx_power_dbm / 10.0 - 3.0) / 0.35
    compute_w = load_profile("raspberry-pi-4").power_w.value
    metered_j = compute_w * _union_s(encoding) + radio_w * _union_s(sending)
    assert rows["energy_j"].sum() == pytest.approx(metered_j, rel=1e-9)


def _union_s(spans):
    """Return how long at least one of some spans lasts."""
    total_s, until_s = 0.0, 0.0
    for start_s, end_s in sorted(spans):
        total_s += max(end_s - max(start_s, until_s), 0.0)
        until_s = max(until_s, end_s)
    return total_s


def test_a_sweep_has_a_row_of_its_own_for_each_value(tmp_path):
    swept = cell(replications=2, schemes=[SMALL], sweep={"channel.mean_snr_db": [0, 20]})
    found = run_plan(swept)
    assert found["channel.mean_snr_db"].unique().tolist() == [0, 20]
    accuracy = evaluated(swept, found).accuracy
    weak, strong = accuracy[accuracy["deadline_s"] == 0.1]["accuracy"]
    assert weak < strong
    alone = run_plan(cell(replications=2, schemes=[SMALL], channel=_channel(20.0)))
    same = found[found["channel.mean_snr_db"] == 20].drop(columns="channel.mean_snr_db")
    pd.testing.assert_frame_equal(same.reset_index(drop=True), alone)


def _channel(mean_snr_db):
    return {**json.loads(cell().scenario.channel.model_dump_json(exclude_unset=True)),
            "mean_snr_db": mean_snr_db}  # fmt: skip


def test_a_swept_ratio_keeps_the_names_of_its_schemes(tmp_path, monkeypatch):
    from fadeline.simulator.schemes import prepare

    monkeypatch.setattr(prepare, "outcome_table", lambda *_, **__: outcomes())
    swept = cell(
        schemes=[{"codec": "stae", "ratio": 10}, SMALL], baseline="stae", replications=2,
        sweep={"schemes.0.ratio": [10, 100]},
    )  # fmt: skip
    rows = run_plan(swept)
    assert rows["scheme"].unique().tolist() == ["stae", "small"]
    assert rows[rows["scheme"] == "stae"].groupby("schemes.0.ratio")[
        "payload_bits"
    ].max().tolist() == [800.0, 80.0]
    results = evaluated(swept, rows)
    assert results.paired["baseline"].unique().tolist() == ["stae"]


@pytest.mark.parametrize(
    "values",
    [[0.004, {"kind": "exponential", "mean_s": 0.004}], [0.0, 0.004]],
)
def test_any_values_can_be_swept(tmp_path, values):
    swept = cell(replications=2, schemes=[SMALL], sweep={"edge.round_trip_s": values})
    rows = run_plan(swept)
    assert rows["edge.round_trip_s"].nunique() == 2
    write_clips(rows, tmp_path)
    results = evaluated(swept, rows)
    write_results(results, tmp_path)
    assert len(verdict(swept.scenario, read_results(tmp_path))) == 4


def test_schemes_may_be_called_anything(tmp_path):
    named = cell(replications=2, schemes=[SMALL | {"name": "1"}, LARGE | {"name": "NA"}])
    write_results(evaluated(named, run_plan(named)), tmp_path)
    lines = verdict(named.scenario, read_results(tmp_path))
    assert lines[1].startswith("  1 answers 0.")
    assert "against 1" in lines[2]


def test_parts_of_other_versions_of_a_file_are_refused(tmp_path):
    def table(bits):
        columns = {"data_index": [0], "payload_bits": [bits], "correct": [True]}
        times = {"encode_s": [0.0], "infer_s": [0.0]}
        pd.DataFrame(columns | times).to_parquet(tmp_path / "t.parquet")

    table(1000)
    mine = cell(schemes=[{"codec": "table", "file": str(tmp_path / "t.parquet")}],
                    replications=1)  # fmt: skip
    rows = kept(mine, tmp_path / "parts")
    assert set(rows["payload_bits"]) == {1000.0}
    table(5000)
    with pytest.raises(OutputError, match="other versions of its files"):
        kept(mine, tmp_path / "parts")
    assert set(kept(mine, tmp_path / "new")["payload_bits"]) == {5000.0}


def test_tables_of_other_clips_are_refused(tmp_path):
    schemes = []
    for name, clips in (("a", [0, 1, 2]), ("b", [0, 2])):
        pd.DataFrame({"data_index": clips, "payload_bits": 1, "correct": True, "encode_s": 0.0,
                      "infer_s": 0.0}).to_parquet(tmp_path / f"{name}.parquet")  # fmt: skip
        schemes.append({"codec": "table", "name": name, "file": str(tmp_path / f"{name}.parquet")})
    with pytest.raises(FadelineError, match=r"1 are in one only \(data_index 1\)"):
        run_plan(cell(schemes=schemes))


def test_a_latency_that_is_the_deadline_is_in_time():
    exact = {"codec": "constant", "payload_bits": 20_000, "encode_s": 0.01, "infer_s": 0.02}
    steady = cell(
        devices={"count": 1}, schemes=[exact], edge={},
        channel={"fading": {"kind": "awgn"}, "carrier_hz": 3.5e9, "bandwidth_hz": 1e6,
                 "mean_snr_db": 0.0, "sharing": "equal", "rate": {"kind": "shannon"}},
    )  # fmt: skip
    rows = pd.DataFrame(only_world(steady))
    judged = Judged.of(rows.assign(replication=0), 1)
    assert judged.in_time([0.05])[judged.latency_s < 0.06].all()
    assert not judged.in_time([0.0499]).any()


def test_replications_without_a_counted_clip_count_as_such(tmp_path):
    sparse = cell(devices={"count": 1}, schemes=[SMALL], replications=10, duration_s=4.0,
                      clips={"arrivals": {"kind": "poisson", "rate_hz": 0.1}})  # fmt: skip
    rows = run_plan(sparse)
    assert rows[rows["counted"]]["replication"].nunique() < 10
    assert (evaluated(sparse, rows).accuracy["replications"] == 10).all()


def test_no_counted_clip_is_said(tmp_path):
    empty = cell(duration_s=1.2, warmup_s=1.1,
                     clips={"arrivals": {"kind": "poisson", "rate_hz": 0.01}})  # fmt: skip
    with pytest.raises(FadelineError, match="no clip is counted"):
        evaluated(empty, run_plan(empty))


def test_load_above_capacity_runs(tmp_path):
    much = cell(schemes=[LARGE | {"payload_bits": 5_000_000}], replications=2)
    rows = run_plan(much)
    results = evaluated(much, rows)
    assert results.summary["answered"][0] < 0.5
    assert results.accuracy["accuracy"].max() == 0.0


def test_auto_stops_after_whole_blocks(tmp_path):
    wanted = {"auto": {"at_least": 10, "half_width": 0.2}}
    rows = run_plan(cell(replications=wanted, schemes=[SMALL]))
    assert rows["replication"].max() == 9
    strict = {"auto": {"at_least": 10, "half_width": 0.028}}
    rows = run_plan(cell(replications=strict, schemes=[SMALL]))
    runs = rows["replication"].max() + 1
    assert runs > 10
    assert runs % 10 == 0


def test_auto_goes_on_while_all_replications_agree(tmp_path, monkeypatch):
    """Every clip is answered rightly: what is unseen falls below 2 x 0.1 in 20 replications."""
    sure = SMALL | {"accuracy": 1.0, "payload_bits": 8}
    wanted = {"auto": {"at_least": 10, "half_width": 0.1}}
    rows = run_plan(cell(replications=wanted, schemes=[sure]))
    assert rows["replication"].max() + 1 == 20
    monkeypatch.setattr(replicate, "MOST_REPLICATIONS", 20)
    wanted["auto"]["half_width"] = 0.05
    with pytest.warns(ScenarioWarning, match=r"stops at 20 .* small \(all replications agree\)"):
        run_plan(cell(replications=wanted, schemes=[sure]))


def test_auto_believes_the_interval_that_is_reported(tmp_path):
    wanted = {"auto": {"at_least": 10, "half_width": 0.03}}
    mine = cell(replications=wanted, schemes=[SMALL])
    rows = run_plan(mine)
    table = evaluated(mine, rows).accuracy
    at = table[table["deadline_s"] == 0.1]
    assert (at["accuracy_hi"] - at["accuracy_lo"]).item() <= 0.06


def test_mser5_finds_the_end_of_a_ramp():
    born_s = np.arange(200) * 1.0
    slow = np.maximum(40.0 - born_s, 1.0) + np.where(np.arange(200) % 2, 0.1, -0.1)
    frame = pd.DataFrame(
        {"replication": 0, "scheme": "a", "acted_deadline_s": np.nan, "born_s": born_s,
         "done_s": born_s + slow}
    )  # fmt: skip
    assert 30.0 <= mser5_s(frame, 1000.0) <= 45.0
    flat = frame.assign(done_s=frame["born_s"] + 1.0)
    assert mser5_s(flat, 1000.0) == 0.0
