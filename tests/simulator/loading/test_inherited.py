"""What a child inherits and has no use for is dropped; what it gives itself is refused."""

from pathlib import Path

import pytest

from fadeline.simulator import load_scenario
from fadeline.simulator.errors import ScenarioError
from fadeline.simulator.loading.load import plan_of
from fadeline.simulator.scenario.fading import BlockFading, RicianFading

RATES = "time_s,rate_bps\n0,1000000\n60,2000000\n"
SNRS = "time_s,snr_db\n0,1\n60,2\n"
WALKER = "{kind: waypoint, max_distance_m: 90, speed_m_s: 1.0}"


@pytest.fixture
def child(in_tmp):
    """Return a function that loads a child of a shipped scenario."""
    Path("rates.csv").write_text(RATES)
    Path("snrs.csv").write_text(SNRS)

    def load(parent, text, **options):
        Path("child.yaml").write_text(f"extends: {parent}\nname: child\n{text}")
        return load_scenario("child.yaml", **options)

    return load


def unset(channel, *fields):
    return all(getattr(channel, field) == type(channel).model_fields[field].default
               for field in fields)  # fmt: skip


@pytest.mark.parametrize(
    ("fading", "gone"),
    [
        ("{kind: awgn}", ["speed_m_s"]),
        ("{kind: block, block_s: 0.1}", ["speed_m_s"]),
        ("{kind: trace, file: snrs.csv}", ["speed_m_s", "mean_snr_db", "geometry"]),
        (
            "{kind: trace, file: rates.csv}",
            ["speed_m_s", "mean_snr_db", "geometry", "bandwidth_hz", "overhead"],
        ),
    ],
)
@pytest.mark.parametrize("parent", ["rayleigh", "rician"])
def test_another_fading_drops_what_only_the_old_one_used(child, parent, fading, gone):
    channel = child(parent, f"channel: {{fading: {fading}}}").channel
    assert unset(channel, *gone)
    rest = ({"mean_snr_db", "bandwidth_hz", "overhead"} - set(gone)) | {"carrier_hz", "sharing"}
    old = load_scenario(parent).channel
    assert all(getattr(channel, field) == getattr(old, field) for field in rest)


def test_another_file_of_the_same_kind_drops_too(child):
    assert unset(child("trace", "channel: {fading: {file: rates.csv}}").channel, "bandwidth_hz")
    assert child("trace", "channel: {fading: {file: snrs.csv}}").channel.bandwidth_hz == 360e3


def test_another_rate_drops_a_time_step(child, in_tmp):
    Path("own.yaml").write_text("extends: rayleigh\nname: own\nchannel: {step_s: 0.0001}\n")
    blocks = "{kind: finite-blocklength, block_symbols: 100, error_probability: 0.1}"
    assert child("own.yaml", f"channel: {{rate: {blocks}}}").channel.step_s is None
    with pytest.raises(ScenarioError, match=r"child\.yaml:3: channel\.step_s: the block length"):
        child("own.yaml", f"channel: {{step_s: 0.0001, rate: {blocks}}}")


def test_the_walk_of_another_fading_is_dropped_within_its_geometry(child, in_tmp):
    place = f"{{distance_m: 50, mobility: {WALKER}}}"
    Path("still.yaml").write_text(
        f"extends: block-fading\nname: still\nchannel: {{geometry: {place}}}\n"
    )
    channel = child("still.yaml", "channel: {fading: {kind: rayleigh}, speed_m_s: 2}").channel
    assert channel.geometry.mobility.speed_m_s is None
    assert channel.geometry.mobility.max_distance_m == 90


def test_a_groups_own_fading_drops_what_the_group_inherits(child, in_tmp):
    Path("fast.yaml").write_text("extends: rayleigh\nname: fast\ndevices: {speed_m_s: 9}\n")
    (group,) = child("fast.yaml", "devices: {fading: {kind: awgn}}").devices
    assert group.speed_m_s is None
    (group,) = child("fast.yaml", "channel: {fading: {kind: awgn}}").devices
    assert group.speed_m_s is None
    (group,) = child("fast.yaml", "").devices
    assert group.speed_m_s == 9


@pytest.mark.parametrize(
    "changes",
    [
        ["channel.fading={kind: awgn}"],
        ["channel.fading.kind=awgn"],
        ["channel.fading.kind=trace", "channel.fading.file=snrs.csv"],
        ["channel.fading.file=snrs.csv", "channel.fading.kind=trace"],
    ],
)
def test_an_option_drops_as_a_child_does(child, changes):
    assert child("rician", "", set_values=changes).channel.speed_m_s is None


def test_an_option_that_changes_the_kind_keeps_the_keys_that_both_have(child):
    arrivals = child("rayleigh", "", set_values=["clips.arrivals.kind=poisson"]).clips.arrivals
    assert (arrivals.kind, arrivals.rate_hz) == ("poisson", 2.0)
    changes = ["channel.fading.kind=block", "channel.fading.block_s=0.1"]
    fading = child("rician", "", set_values=changes).channel.fading
    assert isinstance(fading, BlockFading)
    before = load_scenario("rician").channel.fading
    assert isinstance(before, RicianFading)
    assert fading.k_factor_db == before.k_factor_db


def test_a_swept_fading_drops_at_its_own_point_only(child):
    sweep = "sweep: {channel.fading: [{kind: awgn}, {kind: rayleigh}]}"
    scenario = child("rayleigh", sweep)
    speeds = [point.scenario.channel.speed_m_s for point in plan_of(scenario).points]
    assert speeds == [None, 1.0]


def test_a_drop_lasts_through_a_chain_of_children(child, in_tmp):
    Path("still.yaml").write_text(
        "extends: rayleigh\nname: still\nchannel: {fading: {kind: awgn}}\n"
    )
    assert child("still.yaml", "seed: 4").channel.speed_m_s is None
    moving = child("still.yaml", "channel: {fading: {kind: rayleigh}}").channel
    assert moving.speed_m_s == 1.0  # from the first parent


def test_videos_no_longer_used_take_their_splits_with_them(child, in_tmp):
    Path("films").mkdir()
    Path("splits").mkdir()
    Path("films.yaml").write_text(
        "extends: rayleigh\nname: films\n"
        "clips: {data: 'videofolder:films', splits: splits, draw: 2}\n"
    )
    clips = child("films.yaml", "clips: {data: actions/val}").clips
    assert unset(clips, "splits", "draw")


# Channel of the child, options, and how the message begins.
REFUSED = {
    "given-by-the-child": (
        "{fading: {kind: awgn}, speed_m_s: 3}",
        [],
        "child.yaml:3: channel.speed_m_s: awgn fading has no Doppler frequency",
    ),
    "given-by-an-option": (
        "{fading: {kind: awgn}}",
        ["channel.speed_m_s=3"],
        "--set channel.speed_m_s: channel.speed_m_s: awgn fading has no Doppler frequency",
    ),
    "of-no-kind": (
        "{fading: {kind: awgn, speed: 3}}",
        [],
        "child.yaml:3: channel.fading.speed: unknown key",
    ),
    "missing": (
        "{fading: {kind: tdl, profile: TDL-A}}",
        [],
        "child.yaml:3: channel.fading.delay_spread_s: missing",
    ),
    "too-wide": (
        "{fading: {kind: tdl, profile: TDL-A, delay_spread_s: 1.0e-4}}",
        ["channel.bandwidth_hz=1e9"],
        "--set channel.bandwidth_hz: channel.bandwidth_hz: too wide",
    ),
    "carrier": (
        "\n  geometry: {distance_m: 50}\n  carrier_hz: 1.0e8",
        [],
        "child.yaml:5: channel.carrier_hz: umi-nlos: carrier_hz must be",
    ),
}


@pytest.mark.parametrize(("channel", "changes", "expected"), REFUSED.values(), ids=REFUSED)
def test_what_the_child_gives_itself_is_refused_at_its_own_line(child, channel, changes, expected):
    with pytest.raises(ScenarioError) as refusal:
        child("rayleigh", f"channel: {channel}", set_values=changes)
    assert str(refusal.value).startswith(expected)


def test_a_rule_that_a_child_breaks_is_laid_to_its_line(child):
    with pytest.raises(ScenarioError) as refusal:
        child("rayleigh", "seed: 3\nduration_s: 1")
    (problem,) = refusal.value.problems
    assert problem.place == "child.yaml:4"
    assert problem.message.startswith("must be shorter than duration_s, 1; got 2; warmup_s comes")
    assert "rayleigh.yaml:6" in problem.message


def test_what_another_group_needs_is_not_dropped(child):
    devices = "devices: [{name: a}, {name: b, fading: {kind: rayleigh}}]"
    with pytest.raises(ScenarioError) as refusal:
        child("rayleigh", f"channel: {{fading: {{kind: awgn}}}}\n{devices}")
    (problem,) = refusal.value.problems
    assert str(problem).startswith("child.yaml:3: channel.speed_m_s: awgn fading has no Doppler")


def test_a_parents_own_fault_stays_where_it_is(child, in_tmp):
    Path("bad.yaml").write_text("extends: rayleigh\nname: bad\nchannel: {speed_ms: 3}\n")
    with pytest.raises(ScenarioError, match=r"^bad\.yaml:3: channel\.speed_ms: unknown key"):
        child("bad.yaml", "channel: {fading: {kind: awgn}}")
