"""Compute profiles: the rule, the shipped boards, files that are wrong, profiles in scenarios."""

import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fadeline.models.errors import ProfileError
from fadeline.simulator import ScenarioError, load_scenario
from fadeline.simulator.compute import profile
from fadeline.simulator.compute.profile import (
    Profile,
    load_profile,
    read_profile,
    shipped_profiles,
)
from fadeline.simulator.loading import catalogue

# 1e10 FLOP/s, 1e9 byte/s, 2 ms overhead; serial work takes three times the host's.
TEXT = """\
name: demo
summary: a board
precision: float32
sustained_flops_per_s: {value: 1.0e10, source: "assumed: a round number"}
memory_bandwidth_bytes_per_s: {value: 1.0e9, source: "assumed: a round number"}
overhead_s: {value: 0.002, source: "assumed: a round number"}
jitter: {value: 0.1, source: "assumed: a round number"}
single_core_factor: {value: 3, source: "assumed: a round number"}
power_w: {value: 5, source: "assumed: a round number"}
idle_power_w: {value: 2, source: "assumed: a round number"}
"""
VALUES = [
    "sustained_flops_per_s",
    "memory_bandwidth_bytes_per_s",
    "overhead_s",
    "jitter",
    "single_core_factor",
    "power_w",
    "idle_power_w",
]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    file = tmp_path_factory.mktemp("profiles") / "demo.yaml"
    file.write_text(TEXT)
    return read_profile(file)


# The rule


def test_latency_by_hand(demo):
    # 5e8 / 1e10 = 50 ms against 2e7 / 1e9 = 20 ms, plus 2 ms.
    assert demo.latency_s(5e8, 2e7) == pytest.approx(0.052)
    # 10 ms against 20 ms, plus 2 ms; twice as slow.
    assert demo.latency_s(1e8, 2e7, slowdown=2.0) == pytest.approx(0.044)


def test_serial_work_by_hand(demo):
    assert demo.serial_s(0.004) == pytest.approx(0.012)
    assert demo.serial_s(0.004, slowdown=1.5) == pytest.approx(0.018)


COSTS = st.floats(0, 1e13)


@given(flops=COSTS, moved_bytes=COSTS, more=COSTS, slowdown=st.floats(0.01, 100))
def test_latency_grows_with_work_and_exactly_with_slowdown(
    demo, flops, moved_bytes, more, slowdown
):
    base_s = demo.latency_s(flops, moved_bytes)
    assert demo.latency_s(flops + more, moved_bytes) >= base_s
    assert demo.latency_s(flops, moved_bytes + more) >= base_s
    assert demo.latency_s(flops, moved_bytes, slowdown=slowdown) == base_s * slowdown
    assert demo.serial_s(0.5, slowdown=slowdown) == demo.serial_s(0.5) * slowdown


@pytest.mark.parametrize("slowdown", [0.0, -1.0, math.nan, math.inf])
def test_an_impossible_slowdown_is_refused(demo, slowdown):
    for call in (
        lambda: demo.latency_s(1.0, 1.0, slowdown=slowdown),
        lambda: demo.serial_s(1.0, slowdown=slowdown),
    ):
        with pytest.raises(ValueError, match="slowdown: must be a finite number above 0"):
            call()


@pytest.mark.parametrize("host_s", [-1.0, math.nan, math.inf])
def test_an_impossible_serial_time_is_refused(demo, host_s):
    with pytest.raises(ValueError, match="host_s: must be a finite number of at least 0"):
        demo.serial_s(host_s)


# What is shipped


def test_the_folder_is_the_list(monkeypatch, tmp_path):
    assert shipped_profiles() == [
        "host", "raspberry-pi-4", "jetson-nano", "jetson-orin-nano", "t4", "a100",
    ]  # fmt: skip
    assert [entry.name for entry in catalogue.profile_entries()] == shipped_profiles()
    for name in ("host", "t4"):
        text = (profile._SHIPPED / f"{name}.yaml").read_text()
        (tmp_path / f"{name}.yaml").write_text(text)
    (tmp_path / "mine.yaml").write_text(text.replace("name: t4", "name: mine"))
    monkeypatch.setattr(profile, "_SHIPPED", tmp_path)
    assert shipped_profiles() == ["host", "mine", "t4"]
    assert load_profile("mine").name == "mine"


@pytest.mark.parametrize("name", shipped_profiles())
def test_shipped_values_have_sources(name):
    profile = load_profile(name)
    assert profile.name == name
    for field in VALUES:
        source = getattr(profile, field).source
        assert any(word in source for word in ("https://", "measured", "assumed")), (field, source)
    assert profile.idle_power_w.value < profile.power_w.value


def test_published_times_come_out_again():
    # The networks that rates were derived from, within the errors that their sources state.
    t4, a100 = load_profile("t4"), load_profile("a100")
    for batch, t4_s, a100_s in [
        (1, 7.34e-3, 5.26e-3),
        (4, 13.83e-3, 6.65e-3),
        (16, 0.04058, 0.01182),
    ]:
        assert t4.latency_s(8.18e9 * batch, 0) == pytest.approx(t4_s, rel=0.03)
        assert a100.latency_s(8.18e9 * batch, 0) == pytest.approx(a100_s, rel=0.06)
    nano = load_profile("jetson-nano")
    for flops, measured_s in [(0.70e9, 0.014), (3.63e9, 0.0347), (8.18e9, 0.0817), (23e9, 0.204)]:
        assert nano.latency_s(flops, 0) == pytest.approx(measured_s, rel=0.12)
    orin = load_profile("jetson-orin-nano")
    for flops, measured_s in [(21.5e9, 0.01329), (86.9e9, 0.03559), (194.9e9, 0.06732)]:
        assert orin.latency_s(flops, 0) == pytest.approx(measured_s, rel=0.04)
    assert load_profile("raspberry-pi-4").latency_s(7.6e9, 0) == pytest.approx(0.335, rel=0.01)


def test_the_shipped_host_is_a_measurement_and_the_unit_of_serial_work():
    host = load_profile("host")
    assert host.machine is not None
    assert host.single_core_factor.value == 1.0
    assert host.serial_symbols_per_s is not None
    assert [row.batch for row in host.stages["classify"]] == [1, 2, 4, 8, 16]
    assert len({row.network for row in host.check}) >= 4


def test_reading_a_profile_loads_no_torch(tmp_path):
    code = (
        "import sys; from fadeline.simulator.compute.profile import load_profile; "
        "load_profile('host').latency_s(1e9, 1e6); "
        "sys.exit(any(name in sys.modules for name in ('torch', 'scipy', 'pandas')))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False).returncode == 0


def test_no_such_profile():
    with pytest.raises(
        ProfileError, match=r"no profile named t5; did you mean t4\?; shipped are a100"
    ):
        load_profile("t5")


# Files that are wrong: what is replaced, by what, and how the message begins.
BAD = {
    "missing": (
        'jitter: {value: 0.1, source: "assumed: a round number"}\n',
        "",
        "demo.yaml:1: jitter: missing; it must be given",
    ),
    "missing-value": ("{value: 5, ", "{", "demo.yaml:9: power_w.value: missing; it must be given"),
    "missing-source": (
        '{value: 5, source: "assumed: a round number"}',
        "{value: 5}",
        "demo.yaml:9: power_w.source: missing; it must be given",
    ),
    "bare-number": (
        '{value: 5, source: "assumed: a round number"}',
        "5",
        "demo.yaml:9: power_w: must be a mapping, got 5",
    ),
    "empty-source": (
        '{value: 5, source: "assumed: a round number"}',
        '{value: 5, source: ""}',
        "demo.yaml:9: power_w.source: must not be empty",
    ),
    "misspelt": (
        "jitter:",
        "jiter:",
        "demo.yaml:7: jiter: unknown key; did you mean jitter? (allowed: check, idle_power_w,",
    ),
    "misspelt-within": (
        "{value: 5,",
        "{value: 5, unit: W,",
        "demo.yaml:9: power_w.unit: unknown key (allowed: source, value)",
    ),
    "negative-rate": (
        "1.0e10",
        "-1.0e10",
        "demo.yaml:4: sustained_flops_per_s.value: must be at least 1000, got -10000000000.0",
    ),
    "rate-in-giga": (
        "1.0e10",
        "10",
        "demo.yaml:4: sustained_flops_per_s.value: must be at least 1000, got 10",
    ),
    "zero-bandwidth": (
        "1.0e9",
        "0",
        "demo.yaml:5: memory_bandwidth_bytes_per_s.value: must be at least 1000, got 0",
    ),
    "negative-overhead": (
        "0.002",
        "-0.002",
        "demo.yaml:6: overhead_s.value: must be at least 0, got -0.002",
    ),
    "zero-factor": (
        "value: 3",
        "value: 0",
        "demo.yaml:8: single_core_factor.value: must be at least 0.001, got 0",
    ),
    "nan": ("0.1", ".nan", "demo.yaml:7: jitter.value: must be a finite number, got nan"),
    "infinity": (
        "1.0e10",
        ".inf",
        "demo.yaml:4: sustained_flops_per_s.value: must be a finite number, got inf",
    ),
    "overflow": (
        "1.0e10",
        "1e999",
        "demo.yaml:4: sustained_flops_per_s.value: must be a finite number, got inf",
    ),
    "text": ("1.0e10", "fast", "demo.yaml:4: sustained_flops_per_s.value: must be a number, got"),
    "true": ("1.0e10", "true", "demo.yaml:4: sustained_flops_per_s.value: must be a number, got"),
    "bad-name": ("name: demo", "name: ../demo", "demo.yaml:1: name: '../demo' does not have"),
    "bad-stage": (
        "jitter:",
        "stages: {classify: [{batch: 0}]}\njitter:",
        "demo.yaml:7: stages.classify.0.batch: must be at least 1, got 0",
    ),
    "duplicate": ("jitter:", "name: a\njitter:", "demo.yaml:7: duplicate key name"),
    "tag": ("name: demo", "name: !!python/name:os.system", "demo.yaml:1: tags (!) are not allowed"),
    "alias": ("name: demo", "name: &a demo", "demo.yaml:1: anchors (&) and aliases (*) are not"),
    "damaged": ("{value: 5,", "{value: 5", "demo.yaml:9: not valid YAML"),
    "empty": (TEXT, "", "demo.yaml:1: a profile is a mapping of keys to values; the file has noth"),
    "list": (
        TEXT,
        "- 1",
        "demo.yaml:1: a profile is a mapping of keys to values; the file has a l",
    ),
    "binary": ("demo", "de\0mo", "demo.yaml: is a binary file, not a YAML text"),
    "huge": (TEXT, "#" * 200_000, "demo.yaml: larger than 100000 bytes, too large for a profile"),
}


@pytest.mark.parametrize(("old", "new", "expected"), BAD.values(), ids=BAD)
def test_bad_files(in_tmp, old, new, expected):
    assert old in TEXT
    Path("demo.yaml").write_text(TEXT.replace(old, new, 1))
    with pytest.raises(ProfileError) as caught:
        read_profile(Path("demo.yaml"))
    assert any(line.startswith(expected) for line in str(caught.value).splitlines()), caught.value


def test_all_faults_are_named_at_once(in_tmp):
    Path("demo.yaml").write_text(TEXT.replace("1.0e9", "-1").replace("0.002", "x"))
    with pytest.raises(ProfileError) as caught:
        read_profile(Path("demo.yaml"))
    lines = str(caught.value).splitlines()
    assert [line.split(":")[1] for line in lines] == ["5", "6"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("none.yaml", "none.yaml: cannot be read: No such file or directory"),
        ("folder.yaml", "folder.yaml: is a folder, not a profile file"),
    ],
)
def test_unreadable_files(in_tmp, path, expected):
    Path("folder.yaml").mkdir()
    with pytest.raises(ProfileError, match=expected):
        load_profile(path)


def test_a_changed_file_is_read_again(in_tmp):
    file = Path("demo.yaml")
    for value in (1.0e9, 2.0e9):
        file.write_text(TEXT.replace("1.0e9", str(value)))
        assert read_profile(file).memory_bandwidth_bytes_per_s.value == value


# Profiles in scenarios

SCENARIO = "extends: rayleigh\nname: mine\nedge: {profile: boards/demo.yaml}\n"


@pytest.fixture
def board(in_tmp):
    """Put a scenario, and a profile beside it, in a folder that is not the current one."""
    folder = in_tmp / "project"
    (folder / "boards").mkdir(parents=True)
    (folder / "boards" / "demo.yaml").write_text(TEXT)
    (folder / "mine.yaml").write_text(SCENARIO)
    return folder


def test_a_scenario_names_a_profile_beside_it(board):
    scenario = load_scenario(board / "mine.yaml")
    assert scenario.edge.profile == str(board / "boards" / "demo.yaml")
    assert load_profile(scenario.edge.profile).name == "demo"
    assert scenario.devices[0].profile == "raspberry-pi-4"


def test_a_profile_set_on_the_command_line_is_relative_to_the_current_folder(board, monkeypatch):
    monkeypatch.chdir(board / "boards")
    scenario = load_scenario("rayleigh", set_values=["devices.*.profile=demo.yaml"])
    assert scenario.devices[0].profile == str(board / "boards" / "demo.yaml")


def test_profiles_can_be_swept(board):
    swept = "sweep:\n  devices.*.profile: [host, boards/demo.yaml]\n"
    (board / "mine.yaml").write_text(SCENARIO + swept)
    assert load_scenario(board / "mine.yaml").sweep == {
        "devices.*.profile": ("host", str(board / "boards" / "demo.yaml"))
    }


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("demo.yaml", "other.yaml", "boards/other.yaml: cannot be read: No such file"),
        ("boards/demo.yaml", "my-board", "or a file that ends in .yaml"),
    ],
)
def test_a_scenario_with_a_bad_profile(board, old, new, expected):
    (board / "mine.yaml").write_text(SCENARIO.replace(old, new))
    with pytest.raises(ScenarioError) as caught:
        load_scenario(board / "mine.yaml")
    (problem,) = caught.value.problems
    assert problem.path == "edge.profile"
    assert problem.place.endswith("mine.yaml:3")
    assert expected in problem.message


def test_a_fault_inside_the_profile_is_named_with_its_own_line(board):
    (board / "boards" / "demo.yaml").write_text(TEXT.replace("1.0e10", "-1"))
    with pytest.raises(ScenarioError, match=r"demo.yaml:4: sustained_flops_per_s.value: must be"):
        load_scenario(board / "mine.yaml")


def test_profile_fields_name_their_units():
    units = ("_per_s", "_s", "_w", "jitter", "_factor")
    assert all(field.endswith(units) for field in VALUES)
    assert set(VALUES) <= set(Profile.model_fields)
