"""Scenarios as they are meant to be: every form loads, inherits, changes and survives a dump."""

from pathlib import Path
from typing import Any

import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fadeline.simulator import Streams, load_scenario, scenario_from_dict
from fadeline.simulator.documents.document import parse_mapping, parse_value
from fadeline.simulator.errors import ScenarioWarning
from fadeline.simulator.links.traces import device_trace
from fadeline.simulator.loading.load import plan_of, shipped_names, shipped_summaries
from fadeline.simulator.scenario.scheme import scheme_names

# Every key of a scenario, each in its first form; the other forms are in VARIANTS.
WHOLE = """\
name: rayleigh
seed: 1
replications: 10
duration_s: 60
warmup_s: 2
deadlines_s: {start: 0.005, stop: 0.3, points: 60}
report_at_s: 0.05
baseline: deepisc
clips:
  data: actions/test
  arrivals: {kind: periodic, rate_hz: 2.0}
devices:
  - {count: 4, profile: raspberry-pi-4, queue: {limit: 2, when_full: drop-oldest}, tx_power_dbm: 23,
     pa_efficiency: 0.35}
channel:
  fading: {kind: rayleigh}
  carrier_hz: 3.5e9
  speed_m_s: 1.0
  mean_snr_db: 10
  bandwidth_hz: 1.0e6
  sharing: equal
  rate: {kind: shannon, gap_db: 3.0, max_bits_per_symbol: 6.0}
edge:
  profile: host
  workers: 1
  queue: {order: fifo, limit: 64, drop_expired: false}
  batch: {max_size: 1, max_wait_s: 0.0}
  round_trip_s: 0.004
schemes:
  - {codec: stae, ratio: 104}
  - {codec: deepisc, ratio: 104}
  - {codec: raw}
  - {codec: local}
  - {name: adaptive, codec: stae, policy: {kind: expected-accuracy, ratios: [52, 104, 400]},
     delivery: anytime}
  - {codec: table, file: mine.parquet}
  - {codec: constant, payload_bits: 40000, accuracy: 0.8, encode_s: 0.0, infer_s: 0.0}
sweep:
  channel.mean_snr_db: [0, 5, 10, 15, 20]
"""

SMALL: dict[str, Any] = {
    "name": "small",
    "clips": {"arrivals": {"kind": "periodic", "rate_hz": 2.0}},
    "channel": {"fading": {"kind": "awgn"}, "mean_snr_db": 10, "bandwidth_hz": 1e6},
    "schemes": [{"codec": "constant", "payload_bits": 1000}],
}

STILL = ("channel.speed_m_s=null",)
PLACED = ("sweep=null", "channel.mean_snr_db=null")

# What is changed and to what; what else has to change with it.
VARIANTS = {
    "auto": ("replications", "{auto: {at_least: 10, half_width: 0.01}}"),
    "auto-strict": ("replications", "{auto: {at_least: 20, half_width: 0.002}}"),
    "mser5": ("warmup_s", "mser5"),
    "deadline-list": ("deadlines_s", "[0.01, 0.05, 0.1]"),
    "poisson": ("clips.arrivals", "{kind: poisson, rate_hz: 2.0}"),
    "validation": ("clips.data", "actions/val"),
    "training": ("clips.data", "actions/train"),
    "fresh-draw": ("clips.data", "actions/test@17"),
    "folder-of-videos": ("clips.data", "'videofolder:data/mine'"),
    "hmdb51": ("clips.data", "'hmdb51:data/hmdb51'"),
    "awgn": ("channel.fading", "{kind: awgn}", *STILL),
    "rician": ("channel.fading", "{kind: rician, k_factor_db: 9, los_angle_deg: 45}"),
    "block": ("channel.fading", "{kind: block, block_s: 0.5, k_factor_db: 3}", *STILL),
    "tdl": ("channel.fading", "{kind: tdl, profile: TDL-A, delay_spread_s: 1.0e-7}"),
    "tdl-fixed": ("channel.fading", "{kind: tdl, profile: TDLC300, backend: sionna}"),
    "trace": (
        "channel.fading",
        "{kind: trace, file: trace.csv, at_end: loop}",
        *STILL,
        *PLACED,
    ),
    "mahimahi": (
        "channel.fading",
        "{kind: trace, file: packets.txt, at_end: loop, format: mahimahi, bin_s: 0.1}",
        *STILL,
        *PLACED,
        "channel.bandwidth_hz=null",
    ),
    "geometry": (
        "channel.geometry",
        "{distance_m: 120, noise_figure_db: 5, path_loss: umi-nlos, shadowing: true, "
        "mobility: {kind: static}}",
        *PLACED,
    ),
    "drawn-sight": ("channel.geometry", "{distance_m: 120, path_loss: uma}", *PLACED),
    "log-distance": (
        "channel.geometry",
        "{distance_m: 120, path_loss: {kind: log-distance, exponent: 3.5}}",
        *PLACED,
    ),
    "line": (
        "channel.geometry",
        "{distance_m: 120, mobility: {kind: line, heading_deg: 30}}",
        *PLACED,
    ),
    "waypoint": (
        "channel.geometry",
        "{distance_m: 120, mobility: {kind: waypoint, min_distance_m: 20, max_distance_m: 250, "
        "pause_s: 5}}",
        *PLACED,
    ),
    "moving-awgn": (
        "channel.geometry",
        "{distance_m: 120, mobility: {kind: line, heading_deg: 30, speed_m_s: 2}}",
        *PLACED,
        *STILL,
        "channel.fading={kind: awgn}",
    ),
    "fdma": ("channel.sharing", "fdma"),
    "fifo": ("channel.sharing", "fifo"),
    "uncapped": ("channel.rate", "{kind: shannon}"),
    "blocks": (
        "channel.rate",
        "{kind: finite-blocklength, block_symbols: 500, error_probability: 1.0e-3}",
    ),
    "nr": (
        "channel.rate",
        "{kind: nr, subcarrier_spacing_hz: 30000, mcs_table: 1, bler_target: 0.1}",
    ),
    "step": ("channel.step_s", "0.0005"),
    "edf": ("edge.queue", "{order: edf, limit: 0, drop_expired: true}"),
    "random-trip": ("edge.round_trip_s", "{kind: exponential, mean_s: 0.1}"),
    "random-times": (
        "schemes.6",
        "{codec: constant, payload_bits: 1, encode_s: {kind: exponential, mean_s: 0.1}, "
        "infer_s: {kind: exponential, mean_s: 0.2}}",
    ),
    "ratios": ("schemes.0.ratio", "[52, 104]"),
    "streaming": ("schemes.1", "{codec: deepisc, ratio: 104, streaming: true}"),
    "task-codec": ("schemes.2", "{codec: deepisc-task, ratio: 104}"),
    "one-group": ("devices", "{count: 4}"),
    "two-groups": (
        "devices",
        "[{name: near, count: 2, mean_snr_db: 20}, {name: far, fading: {kind: awgn}, "
        "geometry: {distance_m: 300}}, {name: fast, speed_m_s: 20, slowdown: 2.0}]",
    ),
    "swept-twice": ("sweep", "{channel.mean_snr_db: [0, 5], devices.*.count: [1, 2, 4]}"),
    "no-sweep": ("sweep", "{}"),
    "no-baseline": ("baseline", "null"),
}


@pytest.fixture
def whole(tmp_path, monkeypatch):
    """Write the whole scenario and the files it names, and return its path."""
    monkeypatch.chdir(tmp_path)
    Path("mine.parquet").touch()
    Path("trace.csv").write_text("time_s,snr_db\n0,10\n1,-inf\n2,12\n")
    Path("packets.txt").write_text("1\n5\n5\n300\n")
    for folder in ("data/mine", "data/hmdb51", "a=b"):
        Path(folder).mkdir(parents=True)
    Path("whole.yaml").write_text(WHOLE)
    return "whole.yaml"


@pytest.mark.parametrize("name", shipped_names())
def test_shipped_scenarios_load_under_their_own_name(name):
    assert load_scenario(name).name == name


def test_shipped_scenarios_say_what_they_are():
    summaries = dict(shipped_summaries())
    assert list(summaries) == shipped_names()
    assert "rayleigh" in summaries
    assert all(summary.endswith(".") for summary in summaries.values())


def test_the_whole_scenario_says_what_it_holds(whole):
    scenario = load_scenario(whole)
    expected = parse_mapping(WHOLE, "")
    assert holds(scenario.model_dump(), expected.data)
    names = [name for scheme in scenario.schemes for name in scheme_names(scheme)]
    assert names == ["stae@104", "deepisc@104", "raw", "local", "adaptive", "table", "constant"]


@pytest.mark.parametrize(
    ("path", "value", "others"),
    [
        pytest.param(path, value, others, id=name)
        for name, (path, value, *others) in VARIANTS.items()
    ],
)
def test_every_form_of_a_value_loads(whole, path, value, others):
    scenario = load_scenario(whole, set_values=[*others, f"{path}={value}"])
    expected = parse_value(value, "")[0]
    keys = [int(part) if part.isdecimal() else part for part in path.split(".")]
    found = value_at(scenario, keys)
    assert holds(
        found, [expected] if path == "devices" and isinstance(expected, dict) else expected
    )


def value_at(scenario, path):
    found: Any = scenario.model_dump()
    for part in path:
        found = found[part]
    return found


def located(text):
    """Return the name of a file or set of videos in the current folder as a scenario keeps it."""
    kind, colon, path = text.rpartition(":")
    there = Path(path).is_file() or (colon and Path(path).is_dir())
    return f"{kind}{colon}{Path(path).absolute()}" if there else None


def holds(actual, expected):
    """Return whether all that is expected is there; defaults may come on top."""
    if isinstance(expected, dict):
        return all(key in actual and holds(actual[key], expected[key]) for key in expected)
    if isinstance(expected, str) and (named := located(expected)) is not None:
        return actual == named
    if isinstance(expected, list):
        return len(actual) == len(expected) and all(map(holds, actual, expected))
    return actual == expected and isinstance(actual, str) == isinstance(expected, str)


def test_auto_is_spelt_out(whole):
    scenario = load_scenario(whole, set_values=["replications=auto"])
    assert value_at(scenario, ["replications", "auto"]) == {"at_least": 10, "half_width": 0.01}


@pytest.mark.parametrize(
    "kind", ["rayleigh", "rician, k_factor_db: 3", "tdl, profile: TDLA30"], ids=lambda k: k[:6]
)
def test_speed_0_with_moving_fading_is_warned_of(whole, kind):
    changes = ["channel.speed_m_s=0", f"channel.fading={{kind: {kind}}}"]
    with pytest.warns(ScenarioWarning, match=r"^devices\.0: at speed 0 the \w+ fade never changes"):
        assert load_scenario(whole, set_values=changes).channel.speed_m_s == 0


# Resolved scenarios


def test_scenarios_are_immutable(whole):
    scenario = load_scenario(whole)
    for part, field in [(scenario, "seed"), (scenario.channel, "fading"), (scenario.edge, "queue")]:
        with pytest.raises(pydantic.ValidationError, match="frozen"):
            setattr(part, field, None)
    assert isinstance(scenario.devices, tuple)
    assert isinstance(scenario.schemes, tuple)


@pytest.mark.parametrize("exclude_none", [False, True], ids=["whole", "without-nothing"])
@pytest.mark.parametrize("name", [*shipped_names(), "whole.yaml"])
def test_a_resolved_scenario_loads_again(whole, name, exclude_none):
    scenario = load_scenario(name)
    again = scenario_from_dict(scenario.model_dump(mode="json", exclude_none=exclude_none))
    assert again == scenario


numbers = st.floats(min_value=1e-300, max_value=1e300)


@given(st.lists(st.one_of(numbers, numbers.map(lambda x: -x), st.integers(-(2**60), 2**60))))
@settings(deadline=None)
def test_numbers_in_yaml_come_back_exactly(values):
    text = f"a: [{', '.join(map(repr, values))}]"
    found = parse_mapping(text, "").data["a"]
    assert found == values
    assert list(map(type, found)) == list(map(type, values))


@given(
    snr_db=st.floats(-200, 200),
    bandwidth_hz=st.floats(1, 1e12),
    duration_s=st.floats(2.5, 1e3),
    count=st.integers(1, 100_000),
    seed=st.integers(0, 2**63 - 1),
    deadlines_s=st.lists(st.floats(1e-9, 1e3), min_size=1),
    times_s=st.one_of(
        st.floats(0, 10),
        st.floats(1e-9, 10).map(lambda mean: {"kind": "exponential", "mean_s": mean}),
    ),
)
@settings(max_examples=50, deadline=None)
def test_valid_numbers_are_accepted_and_survive_a_dump(
    snr_db, bandwidth_hz, duration_s, count, seed, deadlines_s, times_s
):
    channel = {"fading": {"kind": "awgn"}, "mean_snr_db": snr_db, "bandwidth_hz": bandwidth_hz}
    scheme = {"codec": "constant", "payload_bits": count, "infer_s": times_s}
    data = SMALL | {
        "duration_s": duration_s,
        "seed": seed,
        "deadlines_s": deadlines_s,
        "devices": {"count": count},
        "channel": channel,
        "schemes": [scheme],
    }
    scenario = scenario_from_dict(data)
    dump = scenario.model_dump(mode="json")
    assert holds(dump, data | {"devices": [{"count": count}]})
    assert scenario_from_dict(dump) == scenario


# Derived properties


@pytest.mark.parametrize(
    ("changes", "deadlines_s", "horizon_s"),
    [
        ({}, 60, 60.3),  # the default grid ends at 0.3 s
        ({"deadlines_s": [0.2, 0.1, 0.2]}, [0.1, 0.2], 60.2),
        ({"deadlines_s": [0.1], "report_at_s": 0.5}, [0.1], 60.5),
        ({"deadlines_s": {"start": 1, "stop": 2, "points": 5}}, [1, 1.25, 1.5, 1.75, 2], 62),
        ({"duration_s": 5, "deadlines_s": [0.1, 0.3]}, [0.1, 0.3], 5.3),
    ],
    ids=["default", "list", "report-later", "grid", "short"],
)
def test_the_horizon_is_the_longest_deadline_after_the_end(changes, deadlines_s, horizon_s):
    scenario = scenario_from_dict(SMALL | changes)
    found = scenario.deadline_values_s
    assert len(found) == deadlines_s if isinstance(deadlines_s, int) else list(found) == deadlines_s
    assert scenario.horizon_s == pytest.approx(horizon_s, rel=1e-12)


@pytest.mark.parametrize(("sharing", "parts"), [("equal", 1), ("fifo", 1), ("fdma", 5)])
def test_only_fdma_cuts_the_band(sharing, parts):
    devices = [{"count": 2}, {"count": 3}]
    channel = SMALL["channel"] | {"sharing": sharing}
    scenario = scenario_from_dict(SMALL | {"devices": devices, "channel": channel})
    assert scenario.band_parts == parts
    assert scenario.group_names == ("group-0", "group-1")


CELL = {"fading": {"kind": "rayleigh"}, "speed_m_s": 1.0, "mean_snr_db": 10, "bandwidth_hz": 1e6}
PLACE = {"distance_m": 50.0}


@pytest.mark.parametrize(
    ("cell", "group", "expected"),
    [
        ({}, {}, {"speed_m_s": 1.0, "mean_snr_db": 10, "geometry": None}),
        ({}, {"mean_snr_db": 3}, {"mean_snr_db": 3, "geometry": None}),
        ({}, {"geometry": PLACE}, {"mean_snr_db": None, "geometry": PLACE}),
        (
            {"mean_snr_db": None, "geometry": PLACE},
            {"mean_snr_db": 3},
            {"mean_snr_db": 3, "geometry": None},
        ),
        ({}, {"speed_m_s": 9.0}, {"speed_m_s": 9.0, "fading": {"kind": "rayleigh"}}),
        ({}, {"fading": {"kind": "awgn"}}, {"fading": {"kind": "awgn"}, "speed_m_s": None}),
        (
            {},
            {"fading": {"kind": "rician", "k_factor_db": 3.0}},
            {"fading": {"kind": "rician", "k_factor_db": 3.0}, "speed_m_s": 1.0},
        ),
        (
            {"step_s": 1e-3},
            {"fading": {"kind": "trace", "file": "snr.csv"}},
            {"speed_m_s": None, "mean_snr_db": None, "geometry": None, "step_s": None},
        ),
        # A rate has no use for the band, which the other group needs.
        (
            {},
            {"fading": {"kind": "trace", "file": "rate.csv"}},
            {"mean_snr_db": None, "bandwidth_hz": 1e6},
        ),
    ],
    ids=[
        "nothing",
        "snr",
        "geometry-for-snr",
        "snr-for-geometry",
        "speed",
        "still-fading",
        "moving-fading",
        "snr-trace",
        "rate-trace",
    ],
)
def test_what_a_group_says_overrides_the_cell(in_tmp, cell, group, expected):
    Path("snr.csv").write_text("time_s,snr_db\n0,1\n60,2\n")
    Path("rate.csv").write_text("time_s,rate_bps\n0,1\n60,2\n")
    devices = [group, {"name": "plain"}]
    scenario = scenario_from_dict(SMALL | {"channel": CELL | cell, "devices": devices})
    assert holds(scenario.channel_of(scenario.devices[0]).model_dump(), expected)
    assert scenario.channel_of(scenario.devices[1]) == scenario.channel


def test_points_of_a_sweep_are_all_combinations_the_last_path_running_fastest():
    scenario = scenario_from_dict(SMALL | {"sweep": {"seed": [1, 2], "edge.workers": [5, 6]}})
    assert [tuple(point.swept.values()) for point in plan_of(scenario).points] == [
        (1, 5),
        (1, 6),
        (2, 5),
        (2, 6),
    ]
    assert list(plan_of(scenario).points[0].swept) == ["seed", "edge.workers"]
    assert [point.swept for point in plan_of(scenario_from_dict(SMALL)).points] == [{}]


# Inheritance


def test_a_byte_order_mark_and_a_document_start_do_no_harm(in_tmp):
    Path("a.yaml").write_bytes(b"\xef\xbb\xbf---\nextends: rayleigh\n...\n")
    assert load_scenario("a.yaml").name == "rayleigh"


def test_a_child_changes_what_it_names_and_keeps_the_rest(in_tmp):
    Path("a.yaml").write_text("extends: rayleigh\nname: a\nchannel: {mean_snr_db: 3}\n")
    parent, child = load_scenario("rayleigh"), load_scenario("a.yaml")
    assert child.channel.mean_snr_db == 3
    channel = parent.channel.model_copy(update={"mean_snr_db": 3.0})
    assert child == parent.model_copy(update={"name": "a", "channel": channel})


def test_a_chain_of_parents_in_folders(in_tmp):
    Path("far/deep").mkdir(parents=True)
    Path("far/top.yaml").write_text("extends: rician\nname: top\nseed: 7\nduration_s: 5\n")
    Path("far/deep/plain").write_text("extends: ../top.yaml\nname: middle\nduration_s: 6\n")
    Path("low.yaml").write_text("extends: far/deep/plain\nname: low\n")
    scenario = load_scenario("low.yaml")
    assert (scenario.name, scenario.seed, scenario.duration_s) == ("low", 7, 6)
    assert scenario.channel.fading.kind == "rician"


def test_files_are_found_beside_the_yaml_that_names_them(in_tmp):
    Path("far").mkdir()
    Path("far/t.csv").write_text("time_s,snr_db\n0,1\n60,2\n")
    Path("far/mine.parquet").touch()
    Path("far/top.yaml").write_text(
        "extends: rayleigh\nname: top\nbaseline: null\n"
        "channel:\n  fading: {kind: trace, file: t.csv}\n  speed_m_s: null\n  mean_snr_db: null\n"
        "schemes: [{codec: table, file: mine.parquet}]\n"
        "sweep: {channel.fading.file: [t.csv], channel.fading: [{kind: trace, file: t.csv}]}\n"
    )
    Path("low.yaml").write_text("extends: far/top.yaml\n")
    for source in ("far/top.yaml", "low.yaml"):
        found = load_scenario(source).model_dump()
        assert found["channel"]["fading"]["file"] == str(in_tmp / "far/t.csv")
        assert found["schemes"][0]["file"] == str(in_tmp / "far/mine.parquet")
        assert found["sweep"]["channel.fading.file"] == (str(in_tmp / "far/t.csv"),)
        assert found["sweep"]["channel.fading"][0]["file"] == str(in_tmp / "far/t.csv")


def test_a_file_goes_before_a_shipped_scenario_of_its_name(in_tmp):
    Path("rician").write_text("extends: rayleigh\nname: mine\n")
    assert load_scenario("rician").name == "mine"
    assert load_scenario(Path("rician")).name == "mine"


# Changes on the command line


@pytest.mark.parametrize(
    ("assignment", "path", "value"),
    [
        ("channel.mean_snr_db=5", ("channel", "mean_snr_db"), 5),
        ("channel.mean_snr_db = 1e1", ("channel", "mean_snr_db"), 10),
        ("devices.0.count=9", ("devices", 0, "count"), 9),
        ("devices.*.count=9", ("devices", 0, "count"), 9),
        ("devices=[{count: 9}, {}]", ("devices", 1, "count"), 1),
        ("schemes.1.name=mine", ("schemes", 1, "name"), "mine"),
        ("edge.queue.limit=3", ("edge", "queue", "limit"), 3),
        ("baseline=", ("baseline",), None),
        ("sweep.channel.mean_snr_db=[1, 2]", ("sweep", "channel.mean_snr_db"), (1, 2)),
        ("clips.data='videofolder:a=b'", ("clips", "data"), "videofolder:a=b"),
    ],
    ids=lambda value: value.split("=")[0].strip() if isinstance(value, str) else "",
)
def test_set_changes_one_value(whole, assignment, path, value):
    assert holds(value_at(load_scenario(whole, set_values=[assignment]), path), value)


def test_later_settings_see_earlier_ones(whole):
    changes = ["devices=[{}, {}, {}]", "devices.*.count=2", "devices.1.count=3"]
    scenario = load_scenario(whole, set_values=changes)
    assert [group.count for group in scenario.devices] == [2, 3, 2]


@pytest.mark.parametrize("path", ["devices.count", "devices.0.count", "devices.*.count"])
def test_a_single_group_counts_as_a_list_of_one(path):
    assert load_scenario("rayleigh", set_values=[f"{path}=8"]).devices[0].count == 8


def test_a_star_changes_the_items_that_have_the_key():
    scenario = load_scenario("rayleigh", set_values=["schemes.*.ratio=52"])
    dumped = [scheme.model_dump().get("ratio") for scheme in scenario.schemes]
    assert dumped == [52, 52, 52, 52, 52, None, None]  # raw and local have none


def test_a_star_changes_every_item_where_none_has_the_key():
    groups = "devices=[{count: 1}, {count: 2}]"
    scenario = load_scenario("rayleigh", set_values=[groups, "devices.*.mean_snr_db=3"])
    assert [group.mean_snr_db for group in scenario.devices] == [3, 3]


def test_a_fade_that_never_changes_is_warned_of_at_every_swept_point_once():
    sweep = "sweep={channel.speed_m_s: [1, 0], channel.mean_snr_db: [5, 10]}"
    with pytest.warns(ScenarioWarning, match="never changes") as caught:
        load_scenario("rayleigh", set_values=[sweep])
    assert len(caught) == 1


def test_files_are_found_after_a_change_of_folder(in_tmp, monkeypatch):
    Path("t.csv").write_text("time_s,snr_db\n0,1\n60,2\n")
    changes = ["channel.fading.kind=trace", "channel.fading.file=t.csv"]
    changes += ["channel.speed_m_s=null", "channel.mean_snr_db=null"]
    scenario = load_scenario("rayleigh", set_values=changes)
    monkeypatch.chdir("/")
    trace = device_trace(scenario, Streams(1), replication=0, group=0, device=0)
    assert trace.end_s >= scenario.horizon_s
