"""The commands: what they print, write and answer, and what they refuse."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from fadeline.simulator import scenario_from_dict
from fadeline.simulator.compute.profile import shipped_profiles
from fadeline.simulator.documents.document import parse_mapping, read_document
from fadeline.simulator.errors import ScenarioWarning
from fadeline.simulator.loading import load as loading
from fadeline.simulator.loading.load import load_scenario, shipped_names
from fadeline.simulator.output import complete_or_absent
from fadeline.simulator.scenario.fading import fading_kinds
from fadeline.simulator.scenario.schema import scenario_schema

SCENARIOS = Path(loading.__file__).parents[2] / "scenarios"
HEAVY = ["torch", "sionna", "matplotlib", "pandas", "scipy.stats"]

# Quick to draw: no Doppler, few steps.
AWGN = ("--set", "channel.fading={kind: awgn}", "--set", "channel.speed_m_s=null")
SHORT = ("--set", "duration_s=3")

CODECS = ["stae", "deepisc", "deepisc-task", "raw", "local", "table", "constant"]


# check


def test_check_prints_the_scenario_and_what_follows(fadeline):
    answer = fadeline("check", "rayleigh")
    assert (answer.code, answer.err) == (0, "")
    resolved, _, derived = answer.out.partition("Derived values")
    assert scenario_from_dict(parse_mapping(resolved, "").data) == load_scenario("rayleigh")
    rows = [line.split() for line in derived.splitlines()]
    assert ["group-0", "doppler_hz", "8.45585", "speed", "x", "carrier", "/", "c"] in rows
    assert "the queue grows without end" in derived  # raw video does not fit


@pytest.mark.parametrize("name", shipped_names())
def test_check_as_json_resolves_the_scenario(fadeline, name):
    answer = fadeline("check", name, "--json")
    assert (answer.code, answer.err) == (0, "")
    found = json.loads(answer.out)
    scenario = load_scenario(name)
    assert scenario_from_dict(found["scenario"]) == scenario
    devices = sum(group.count for group in scenario.devices)
    assert {"where": "all", "quantity": "devices", "value": devices, "note": ""} in found["derived"]


def test_check_applies_settings_in_order(fadeline):
    answer = fadeline("check", "rayleigh", "--json", "--set", "seed=5", "--set", "seed=6")
    assert json.loads(answer.out)["scenario"]["seed"] == 6


@pytest.mark.filterwarnings(f"default::{ScenarioWarning.__module__}.ScenarioWarning")
def test_check_warns_of_a_frozen_fade_and_spells_infinity_as_null(fadeline):
    answer = fadeline("check", "rayleigh", "--json", "--set", "channel.speed_m_s=0")
    assert answer.code == 0
    assert answer.err.startswith("warning: devices.0: at speed 0 the rayleigh fade never changes")
    derived = {row["quantity"]: row["value"] for row in json.loads(answer.out)["derived"]}
    assert derived["coherence_time_s"] is None


# list and schema


def test_list_shows_every_name_and_whether_it_runs(fadeline):
    answer = fadeline("list")
    assert (answer.code, answer.err) == (0, "")
    lines = [line.split() for line in answer.out.splitlines() if line.strip()]
    names = {line[0] for line in lines}
    assert {*shipped_names(), *CODECS, *fading_kinds(), "shannon", "finite-blocklength"} <= names
    (nr,) = (line for line in lines if line[0] == "nr")
    assert nr[-2:] == ["not", "yet"]
    (rayleigh,) = (line for line in lines if line[:2] == ["rayleigh", "Clarke's"])
    assert rayleigh[-1] == "yes"


def test_list_as_json_agrees_with_what_scenarios_accept(fadeline):
    found = json.loads(fadeline("list", "--json").out)
    names = {section: [entry["name"] for entry in entries] for section, entries in found.items()}
    assert names == {
        "scenarios": shipped_names(),
        "channels": list(fading_kinds()),
        "rates": ["shannon", "finite-blocklength", "nr"],
        "codecs": list(CODECS),
        "policies": ["fixed", "expected-accuracy"],
        "profiles": shipped_profiles(),
    }
    assert all(entry["summary"] for entries in found.values() for entry in entries)


SCHEMA = jsonschema.Draft202012Validator(scenario_schema())


def test_schema_is_printed_and_valid(fadeline):
    answer = fadeline("schema")
    assert (answer.code, answer.err) == (0, "")
    assert json.loads(answer.out) == scenario_schema()
    jsonschema.Draft202012Validator.check_schema(scenario_schema())


@pytest.mark.parametrize("name", shipped_names())
def test_the_schema_accepts_shipped_files_and_what_they_resolve_to(name):
    SCHEMA.validate(read_document(SCENARIOS / f"{name}.yaml").data)
    SCHEMA.validate(load_scenario(name).model_dump(mode="json", exclude_none=True))


@pytest.mark.parametrize(
    "change",
    [
        {"replications": "auto"},
        {"replications": {"auto": {"half_width": 0.002}}},
        {"devices": [{"count": 2}, {"mean_snr_db": 3}]},
        {"deadlines_s": [0.1, 0.2]},
        {"warmup_s": "mser5"},
        {"edge": {"round_trip_s": {"kind": "exponential", "mean_s": 0.1}}},
        {"sweep": {"channel.mean_snr_db": [0, 5]}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_schema_accepts_every_shorthand(change):
    whole = load_scenario("rayleigh").model_dump(mode="json", exclude_none=True)
    SCHEMA.validate(whole | change)
    SCHEMA.validate({"extends": "rayleigh"} | change)


@pytest.mark.parametrize(
    "change",
    [
        {"seeed": 1},
        {"channel": {"mean_snr_dB": 3}},
        {"channel": {"fading": {"kind": "rayliegh"}}},
        {"channel": {"mean_snr_db": "10"}},
        {"devices": {"count": 0}},
        {"devices": [{"cuont": 1}]},
        {"schemes": []},
        {"schemes": [{"codec": "constant"}]},
        {"sweep": {"seed": 5}},
    ],
    ids=lambda change: str(change).replace(" ", ""),
)
@pytest.mark.parametrize("inherits", [False, True], ids=["whole", "extends"])
def test_the_schema_refuses_what_the_loader_refuses(change, inherits):
    whole = load_scenario("rayleigh").model_dump(mode="json", exclude_none=True)
    file = {"extends": "rayleigh"} if inherits else whole
    assert not SCHEMA.is_valid(file | change)


def test_the_schema_lets_only_children_leave_things_out():
    child = {"name": "a", "channel": {"speed_m_s": 2, "mean_snr_db": None}, "baseline": None}
    assert SCHEMA.is_valid({"extends": "rayleigh"} | child)
    assert SCHEMA.is_valid({"extends": "rayleigh", "clips": {"arrivals": {"rate_hz": 1.0}}})
    assert not SCHEMA.is_valid(child)
    assert not SCHEMA.is_valid({})


# channel


def test_channel_writes_a_figure_in_two_formats_and_says_where(fadeline, in_tmp):
    answer = fadeline("channel", "rayleigh", *SHORT, "--out", "made/here")
    assert answer.code == 0
    assert answer.out.startswith("title: rayleigh: Rayleigh fading, fD = 8.46 Hz\nstep_s: 0.001\n")
    assert answer.out.endswith("figures: made/here/channel.png, made/here/channel.svg\n")
    assert (in_tmp / "made/here/channel.png").read_bytes().startswith(b"\x89PNG\r\n")
    assert "<svg" in (in_tmp / "made/here/channel.svg").read_text()
    assert len(list(in_tmp.glob("made/here/*"))) == 2


def test_channel_goes_to_a_folder_of_the_scenarios_name(fadeline, in_tmp):
    assert fadeline("channel", "rayleigh", *AWGN, *SHORT, "--set", "name=mine").code == 0
    assert (in_tmp / "runs/channel-mine/channel.png").is_file()


def test_channel_as_json(fadeline, in_tmp):
    answer = fadeline("channel", "rayleigh", *AWGN, *SHORT, "--out", "made", "--json")
    assert (answer.code, answer.err) == (0, "")
    found = json.loads(answer.out)
    assert found["mean_snr_db"] == pytest.approx(10.0)
    # 10 dB less a gap of 3 dB, over two resource blocks less 20 % of overhead.
    assert found["mean_rate_bps"] == pytest.approx(288e3 * math.log2(1.0 + 10**0.7))
    assert found["figures"] == ["made/channel.png", "made/channel.svg"]


def test_channel_can_be_quiet(fadeline, in_tmp):
    answer = fadeline("channel", "rayleigh", *AWGN, *SHORT, "--quiet")
    assert (answer.code, answer.out, answer.err) == (0, "", "")


def test_an_outage_for_ever_is_drawn_and_its_snr_is_null(fadeline, in_tmp):
    Path("dead.csv").write_text("time_s,snr_db\n0,-inf\n1,-inf\n")
    trace = "channel={fading: {kind: trace, file: dead.csv, at_end: loop}, bandwidth_hz: 1e6}"
    answer = fadeline("channel", "rayleigh", *SHORT, "--set", trace, "--json")
    assert answer.code == 0
    found = json.loads(answer.out)
    assert (found["mean_snr_db"], found["mean_rate_bps"]) == (None, 0.0)


@pytest.mark.slow
def test_the_same_scenario_gives_the_same_bytes(fadeline, in_tmp):
    for folder in ("one", "two"):
        assert fadeline("channel", "rician", *SHORT, "--out", folder).code == 0
    assert fadeline("channel", "rician", *SHORT, "--out", "three", "--set", "seed=2").code == 0
    for name in ("channel.png", "channel.svg"):
        one, two, three = ((in_tmp / f / name).read_bytes() for f in ("one", "two", "three"))
        assert one == two
        assert one != three


def test_channel_of_a_chosen_group(fadeline, in_tmp):
    groups = "devices=[{name: near}, {name: far, mean_snr_db: 0}]"
    command = ("channel", "rayleigh", *AWGN, *SHORT, "--set", groups, "--json")
    far = fadeline(*command, "--group", "far", "--out", "far")
    first = fadeline(*command, "--out", "first")
    assert json.loads(far.out)["mean_snr_db"] == pytest.approx(0.0)
    assert json.loads(first.out)["mean_snr_db"] == pytest.approx(10.0)


def test_an_unknown_group_is_refused(fadeline, in_tmp):
    answer = fadeline("channel", "rayleigh", "--group", "near", "--out", "made")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == "error: --group near: no such device group; there are group-0\n"
    assert list(in_tmp.iterdir()) == []


def test_a_folder_in_use_is_left_alone_without_force(fadeline, in_tmp):
    Path("made").mkdir()
    Path("made/notes.txt").write_text("mine")
    command = ("channel", "rayleigh", *AWGN, *SHORT, "--out", "made")
    answer = fadeline(*command)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == "error: made: already holds files; use --force to write over them\n"
    assert list(Path("made").iterdir()) == [Path("made/notes.txt")]
    assert fadeline(*command, "--force").code == 0
    assert Path("made/notes.txt").read_text() == "mine"
    assert Path("made/channel.png").is_file()


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("file", "file: is a file; give a folder"),
        ("file/below", "file/below: cannot be used: Not a directory"),
        ("x" * 300, f"{'x' * 300}: cannot be used: File name too long"),
    ],
    ids=["file", "below-a-file", "long-name"],
)
def test_a_folder_that_cannot_be_made_is_refused(fadeline, in_tmp, out, message):
    Path("file").write_text("mine")
    answer = fadeline("channel", "rayleigh", "--out", out)
    assert (answer.code, answer.out, answer.err) == (2, "", f"error: {message}\n")
    assert [(path.name, path.read_text()) for path in in_tmp.iterdir()] == [("file", "mine")]


def test_a_figure_that_cannot_be_written_is_an_error(fadeline, in_tmp, monkeypatch):
    def refuse(*_args, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    answer = fadeline("channel", "rayleigh", *AWGN, *SHORT, "--out", "made", "--quiet")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == "error: made/channel.png: cannot be written: Permission denied\n"
    assert list(Path("made").iterdir()) == []


@pytest.mark.parametrize("before", [None, "old"], ids=["new", "old"])
def test_a_file_is_complete_or_absent(in_tmp, before):
    target = Path("a.txt")
    if before is not None:
        target.write_text(before)

    def write(text, *, killed):
        with complete_or_absent(target) as path:
            path.write_text(text)
            if killed:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write("half", killed=True)
    assert [path.read_text() for path in in_tmp.iterdir()] == ([] if before is None else [before])
    write("whole", killed=False)
    assert [(path.name, path.read_text()) for path in in_tmp.iterdir()] == [("a.txt", "whole")]


# The command line itself


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["chek", "rayleigh"], "No such command 'chek'"),
        (["check"], "Missing argument 'SCENARIO'"),
        (["check", "rayleigh", "rician"], "Got unexpected extra argument"),
        (["check", "rayleigh", "--colour"], "No such option: --colour"),
        (["check", "rayleigh", "--set"], "Option '--set' requires an argument"),
    ],
    ids=["command", "argument", "extra", "option", "value"],
)
def test_wrong_usage_exits_with_2(fadeline, words, message):
    answer = fadeline(*words)
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err


def test_help_is_no_error(fadeline):
    answer = fadeline("--help")
    assert answer.code == 0
    for command in ("check", "channel", "list", "schema", "run", "verify"):
        assert command in answer.out


def test_help_tells_the_defaults_that_are_words(fadeline):
    answer = fadeline("channel", "--help")
    words = " ".join(answer.out.split())  # a text in square brackets would be taken for markup
    assert "Folder (default: runs/channel-NAME)." in words
    assert "Device group (default: the first)." in words


def test_an_interrupt_exits_with_130(fadeline, monkeypatch):
    def interrupt(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(loading, "load_plan", interrupt)
    answer = fadeline("check", "rayleigh")
    assert (answer.code, answer.out) == (130, "")
    assert answer.err.strip() == "interrupted"


@pytest.mark.parametrize("words", [["check", "rayleigh"], ["check", "urban-walk"], ["list"]])
def test_light_commands_load_nothing_heavy(loaded, words):
    assert loaded(words, HEAVY) == []


@pytest.mark.parametrize("words", [["schema"], ["list"], ["check", "rayleigh", "--json"]])
def test_a_reader_that_leaves_early_is_no_error(words):
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "fadeline.simulator", *words]
    # Buffered, a short text only fails when it is flushed; a long one fails while it is printed.
    result = subprocess.run(
        command,
        stdout=writer,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": ""},
        check=False,
    )
    os.close(writer)
    assert (result.returncode, result.stderr) == (0, b"")


def test_what_a_killed_run_left_does_not_stop_the_next(in_tmp, fadeline):
    Path("made").mkdir()
    Path("made/.fadeline-unfinished-x.png").write_bytes(b"half")
    assert fadeline("channel", "rayleigh", "--out", "made", "--quiet").code == 0


def test_another_exit_code_is_passed_on(monkeypatch, fadeline):
    from fadeline.simulator.verification import checks as verification

    def leave(seed):
        raise SystemExit(3)

    monkeypatch.setattr(verification, "all_checks", leave)
    assert fadeline("verify").code == 3
