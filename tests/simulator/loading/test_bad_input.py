"""Whatever is wrong with a scenario: exit 2, one message that helps, no traceback, no output."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fadeline.simulator import ScenarioError, load_scenario

BASE = """\
name: demo
duration_s: 10
warmup_s: 1
deadlines_s: [0.05, 0.1]
clips:
  arrivals: {kind: periodic, rate_hz: 2.0}
devices:
  - {name: cameras, count: 2}
channel:
  fading: {kind: rayleigh}
  speed_m_s: 1.0
  mean_snr_db: 10
  bandwidth_hz: 1.0e6
  rate: {kind: shannon, gap_db: 3.0}
schemes:
  - {codec: stae, ratio: 104}
  - {codec: deepisc, ratio: 104}
  - {codec: constant, payload_bits: 1000, accuracy: 0.8}
"""
SCHEMES = BASE[BASE.index("schemes:") :]
FILE = "demo.yaml"


def table(rows):
    """Return the parameters of a test from a mapping of ids to rows."""
    return [pytest.param(*row, id=name) for name, row in rows.items()]


@pytest.fixture
def refused(in_tmp, fadeline):
    """Return a function that checks a refusal by every command, and returns its lines."""

    def refuse(*words):
        before = everything_in(in_tmp)
        answers = [fadeline("check", *words), fadeline("channel", *words, "--out", "made")]
        for answer in answers:
            assert answer.code == 2, answer.out
            assert answer.out == ""
            assert "Traceback" not in answer.err
        assert answers[0] == answers[1]
        assert everything_in(in_tmp) == before
        return answers[0].err.splitlines()

    return refuse


def everything_in(folder):
    return sorted(folder.rglob("*"))


def assert_message(lines, expected):
    here = str(Path.cwd())  # files are named in full
    lines = [line.replace(f"{here}/", "").replace(here, ".") for line in lines]
    assert any(line.startswith(f"error: {expected}") for line in lines), "\n".join(lines)


def test_the_scenario_that_is_spoilt_below_is_good(in_tmp, fadeline):
    Path(FILE).write_text(BASE)
    answer = fadeline("check", FILE)
    assert (answer.code, answer.err) == (0, "")


# What is replaced, by what, and how the message begins.
VALUES = {
    # Keys
    "misspelt": (
        "mean_snr_db",
        "mean_snr_dB",
        "demo.yaml:12: channel.mean_snr_dB: unknown key; did you mean mean_snr_db? (allowed: acce",
    ),
    "misspelt-at-top": (
        "duration_s",
        "duratoin_s",
        "demo.yaml:2: duratoin_s: unknown key; did you mean duration_s?",
    ),
    "unknown": (
        "duration_s",
        "colour",
        "demo.yaml:2: colour: unknown key (allowed: baseline, channel, clips, deadlines_s, devices",
    ),
    "misspelt-in-group": (
        "count: 2",
        "cuont: 2",
        "demo.yaml:8: devices.0.cuont: unknown key; did you mean count?",
    ),
    "misspelt-in-single-group": (
        "\n  - {name: cameras, count: 2}",
        " {cuont: 2}",
        "demo.yaml:7: devices.cuont: unknown key; did you mean count?",
    ),
    "misspelt-in-kind": (
        "{kind: rayleigh}",
        "{kind: rician, k_factor: 3}",
        "demo.yaml:10: channel.fading.k_factor: unknown key; did you mean k_factor_db? (allowed: k",
    ),
    "key-of-another-kind": (
        "{kind: rayleigh}",
        "{kind: rayleigh, k_factor_db: 3}",
        "demo.yaml:10: channel.fading.k_factor_db: unknown key (allowed: kind)",
    ),
    "misspelt-in-scheme": (
        "ratio: 104",
        "ratoi: 104",
        "demo.yaml:16: schemes.0.ratoi: unknown key; did you mean ratio?",
    ),
    "duplicate": (
        "speed_m_s: 1.0",
        "fading: {kind: awgn}",
        "demo.yaml:11: duplicate key fading; each key may be given once",
    ),
    "duplicate-inline": (
        "ratio: 104",
        "ratio: 104, 'ratio': 52",
        "demo.yaml:16: duplicate key ratio; each key may be given once",
    ),
    "missing": (
        "name: demo\n",
        "",
        "demo.yaml:1: name: missing; it must be given",
    ),
    "missing-within": (
        "kind: periodic, rate_hz: 2.0",
        "kind: periodic",
        "demo.yaml:6: clips.arrivals.rate_hz: missing; it must be given",
    ),
    # Types
    "true-count": (
        "count: 2",
        "count: true",
        "demo.yaml:8: devices.0.count: must be a whole number, got true",
    ),
    "fractional-count": (
        "count: 2",
        "count: 2.5",
        "demo.yaml:8: devices.0.count: must be a whole number, got 2.5",
    ),
    "true-number": (
        "mean_snr_db: 10",
        "mean_snr_db: true",
        "demo.yaml:12: channel.mean_snr_db: must be a number, got true",
    ),
    "quoted-number": (
        "mean_snr_db: 10",
        "mean_snr_db: '10'",
        "demo.yaml:12: channel.mean_snr_db: must be a number, got '10'",
    ),
    "unit-in-value": (
        "mean_snr_db: 10",
        "mean_snr_db: 10 dB",
        "demo.yaml:12: channel.mean_snr_db: must be a number, got '10 dB'",
    ),
    "yes-for-true": (
        "ratio: 104",
        "ratio: 104, streaming: yes",
        "demo.yaml:16: schemes.0.streaming: must be true or false, got 'yes'",
    ),
    "number-for-text": (
        "name: demo",
        "name: 5",
        "demo.yaml:1: name: must be a text, got 5",
    ),
    "text-for-mapping": (
        "fading: {kind: rayleigh}",
        "fading: rayleigh",
        "demo.yaml:10: channel.fading: must be a mapping, got 'rayleigh'",
    ),
    "list-for-mapping": (
        "{kind: periodic, rate_hz: 2.0}",
        "[periodic, 2.0]",
        "demo.yaml:6: clips.arrivals: must be a mapping, got a list",
    ),
    "mapping-for-list": (
        SCHEMES,
        "schemes: {codec: raw}",
        "demo.yaml:15: schemes: must be a list, got a mapping",
    ),
    "nothing-for-mapping": (
        "{kind: periodic, rate_hz: 2.0}",
        "",
        "demo.yaml:6: clips.arrivals: must be a mapping, got nothing",
    ),
    "nothing-in-list": (
        "- {codec: stae, ratio: 104}",
        "-",
        "demo.yaml:16: schemes.0: must be a mapping, got nothing",
    ),
    "number-for-list": (
        "deadlines_s: [0.05, 0.1]",
        "deadlines_s: 0.1",
        "demo.yaml:4: deadlines_s: must be a mapping or a list, got 0.1",
    ),
    "text-for-replications": (
        "warmup_s: 1",
        "replications: many",
        "demo.yaml:3: replications: must be a number or a mapping, got 'many'",
    ),
    "text-for-warmup": (
        "warmup_s: 1",
        "warmup_s: mser",
        "demo.yaml:3: warmup_s: must be one of mser5; got 'mser'; did you mean mser5?",
    ),
    # Ranges
    "nan": (
        "mean_snr_db: 10",
        "mean_snr_db: .nan",
        "demo.yaml:12: channel.mean_snr_db: must be a finite number, got nan",
    ),
    "infinity": (
        "mean_snr_db: 10",
        "mean_snr_db: -.inf",
        "demo.yaml:12: channel.mean_snr_db: must be a finite number, got -inf",
    ),
    "overflow": (
        "duration_s: 10",
        "duration_s: 1e999",
        "demo.yaml:2: duration_s: must be a finite number, got inf",
    ),
    "nan-in-list": (
        "[0.05, 0.1]",
        "[0.05, .NaN]",
        "demo.yaml:4: deadlines_s.1: must be a finite number, got nan",
    ),
    "negative-bandwidth": (
        "bandwidth_hz: 1.0e6",
        "bandwidth_hz: -1.0e6",
        "demo.yaml:13: channel.bandwidth_hz: must be at least 1, got -1000000.0",
    ),
    "huge-bandwidth": (
        "bandwidth_hz: 1.0e6",
        "bandwidth_hz: 1.0e306",
        "demo.yaml:13: channel.bandwidth_hz: must be at most 1e+12, got 1e+306",
    ),
    "accuracy-above-1": (
        "accuracy: 0.8",
        "accuracy: 1.5",
        "demo.yaml:18: schemes.2.accuracy: must be at most 1, got 1.5",
    ),
    "ratio-below-1": (
        "ratio: 104",
        "ratio: [52, 0.5]",
        "demo.yaml:16: schemes.0.ratio.1: must be at least 1, got 0.5",
    ),
    "no-schemes": (SCHEMES, "schemes: []", "demo.yaml:15: schemes: must not be empty"),
    "no-deadlines": ("[0.05, 0.1]", "[]", "demo.yaml:4: deadlines_s: must not be empty"),
    "no-ratios": ("ratio: 104", "ratio: []", "demo.yaml:16: schemes.0.ratio: must not be empty"),
    "no-groups": (
        "\n  - {name: cameras, count: 2}",
        " []",
        "demo.yaml:7: devices: must not be empty",
    ),
    "no-devices": (
        "count: 2",
        "count: 0",
        "demo.yaml:8: devices.0.count: must be at least 1, got 0",
    ),
    "negative-deadline": (
        "[0.05, 0.1]",
        "[0.05, -0.1]",
        "demo.yaml:4: deadlines_s.1: must be greater than 0, got -0.1",
    ),
    "endless-deadline": (
        "[0.05, 0.1]",
        "[0.05, 1e300]",
        "demo.yaml:4: deadlines_s.1: must be at most 1e+06, got 1e+300",
    ),
    "backward-deadlines": (
        "[0.05, 0.1]",
        "{start: 0.3, stop: 0.1, points: 5}",
        "demo.yaml:4: deadlines_s.stop: must be later than start, 0.3",
    ),
    "negative-seed": (
        "warmup_s: 1",
        "seed: -1",
        "demo.yaml:3: seed: must be at least 0, got -1",
    ),
    "long-number": (
        "warmup_s: 1",
        f"seed: {'9' * 50}",
        "demo.yaml:3: not a usable number: 99999",
    ),
    "binary-number": ("warmup_s: 1", "seed: 0b11", "demo.yaml:3: not a usable number: 0b11"),
    "warmup-longer-than-run": (
        "warmup_s: 1",
        "warmup_s: 11",
        "demo.yaml:3: warmup_s: must be shorter than duration_s, 10; got 11",
    ),
    "warmup-as-long-as-run": (
        "warmup_s: 1",
        "warmup_s: 10",
        "demo.yaml:3: warmup_s: must be shorter than duration_s, 10; got 10",
    ),
    # Names
    "fading": (
        "kind: rayleigh",
        "kind: rayliegh",
        "demo.yaml:10: channel.fading.kind: must be one of awgn, rayleigh, rician, block, tdl, "
        "trace; got 'rayliegh'; did you mean rayleigh?",
    ),
    "no-kind": (
        "{kind: rayleigh}",
        "{}",
        "demo.yaml:10: channel.fading.kind: missing; it must be one of awgn, rayleigh, rician, ",
    ),
    "codec": (
        "codec: stae",
        "codec: stea",
        "demo.yaml:16: schemes.0.codec: must be one of stae, deepisc, deepisc-task, raw, local, "
        "table, constant; got 'stea'; did you mean stae?",
    ),
    "policy": (
        "ratio: 104",
        "policy: {kind: expected-acuracy, ratios: [52]}",
        "demo.yaml:16: schemes.0.policy.kind: must be one of fixed, expected-accuracy; got "
        "'expected-acuracy'; did you mean expected-accuracy?",
    ),
    "device-profile": (
        "count: 2",
        "profile: raspbery-pi-4",
        "demo.yaml:8: devices.0.profile: must be one of host, raspberry-pi-4, jetson-nano, "
        "jetson-orin-nano, t4, a100; got 'raspbery-pi-4'; did you mean raspberry-pi-4?",
    ),
    "share-of-nothing": (
        "count: 2",
        "share: 0",
        "demo.yaml:8: devices.0.share: must be greater than 0",
    ),
    "share-and-slowdown": (
        "count: 2",
        "share: 0.25, slowdown: 2",
        "demo.yaml:8: devices.0.slowdown: given together with share: 0.25, which says the same as "
        "slowdown: 4; leave one out",
    ),
    "no-range-of-speeds": (
        "count: 2",
        "network_speed: low",
        "demo.yaml:8: devices.0.network_speed: profile host has no low end of "
        "sustained_flops_per_s; network_speed can only be typical",
    ),
    "network-speed": (
        "count: 2",
        "network_speed: fast",
        "demo.yaml:8: devices.0.network_speed: must be one of typical, low, high; got 'fast'",
    ),
    "all-overhead": (
        "  mean_snr_db: 10",
        "  mean_snr_db: 10\n  overhead: 1.0",
        "demo.yaml:13: channel.overhead: must be less than 1",
    ),
    "duplex-kind": (
        "  mean_snr_db: 10",
        "  mean_snr_db: 10\n  duplex: {kind: tddd}",
        "demo.yaml:13: channel.duplex.kind: must be one of fdd, tdd; got 'tddd'; did you mean tdd?",
    ),
    "negative-delay": (
        "  mean_snr_db: 10",
        "  mean_snr_db: 10\n  access_delay_s: -0.01",
        "demo.yaml:13: channel.access_delay_s: must be at least 0, got -0.01",
    ),
    "headers": (
        "  mean_snr_db: 10",
        "  mean_snr_db: 10\n  headers_bytes: 36.5",
        "demo.yaml:13: channel.headers_bytes: must be a whole number",
    ),
    "edge-profile": (
        "warmup_s: 1",
        "edge: {profile: hots}",
        "demo.yaml:3: edge.profile: must be one of host, raspberry-pi-4, jetson-nano, "
        "jetson-orin-nano, t4, a100; got 'hots'; did you mean host?",
    ),
    "baseline": (
        "warmup_s: 1",
        "baseline: deepics",
        "demo.yaml:3: baseline: no scheme or codec deepics here; did you mean deepisc? (schemes: "
        "stae@104, deepisc@104, constant)",
    ),
    "bad-name": ("name: demo", "name: ../demo", "demo.yaml:1: name: '../demo' does not have the"),
    "data-set": (
        "  arrivals",
        "  data: actions/tset\n  arrivals",
        "demo.yaml:6: clips.data: 'actions/tset' does not have the form ^(actions/(train|val|test",
    ),
    # Channel
    "rician-without-k": (
        "{kind: rayleigh}",
        "{kind: rician}",
        "demo.yaml:10: channel.fading.k_factor_db: missing; it must be given",
    ),
    "k-too-large": (
        "{kind: rayleigh}",
        "{kind: rician, k_factor_db: 41}",
        "demo.yaml:10: channel.fading.k_factor_db: must be at most 40, got 41",
    ),
    "k-too-small": (
        "{kind: rayleigh}",
        "{kind: block, block_s: 1, k_factor_db: -21}",
        "demo.yaml:10: channel.fading.k_factor_db: must be at least -20, got -21",
    ),
    "snr-and-geometry": (
        "  mean_snr_db: 10",
        "  mean_snr_db: 10\n  geometry: {distance_m: 100}",
        "demo.yaml:12: channel.mean_snr_db: given together with geometry, which fixes the mean "
        "SNR; leave one out or set it to null",
    ),
    "snr-and-geometry-in-group": (
        "count: 2",
        "mean_snr_db: 3, geometry: {distance_m: 100}",
        "demo.yaml:8: devices.0.mean_snr_db: given together with geometry, which fixes",
    ),
    "neither-snr-nor-geometry": (
        "  mean_snr_db: 10\n",
        "",
        "demo.yaml:9: channel.mean_snr_db: missing; give mean_snr_db or geometry",
    ),
    "no-bandwidth": (
        "  bandwidth_hz: 1.0e6\n",
        "",
        "demo.yaml:9: channel.bandwidth_hz: missing; it must be given",
    ),
    "no-speed": (
        "  speed_m_s: 1.0\n",
        "",
        "demo.yaml:9: channel.speed_m_s: missing; rayleigh fading takes its Doppler frequency",
    ),
    "speed-with-awgn": (
        "{kind: rayleigh}",
        "{kind: awgn}",
        "demo.yaml:11: channel.speed_m_s: awgn fading has no Doppler frequency and takes no "
        "speed; leave it out or set it to null",
    ),
    "speed-with-block": (
        "{kind: rayleigh}",
        "{kind: block, block_s: 1}",
        "demo.yaml:11: channel.speed_m_s: block fading has no Doppler frequency",
    ),
    "speed-with-awgn-in-group": (
        "count: 2",
        "fading: {kind: awgn}, speed_m_s: 3",
        "demo.yaml:8: devices.0.speed_m_s: awgn fading has no Doppler frequency",
    ),
    "fixed-profile-with-spread": (
        "{kind: rayleigh}",
        "{kind: tdl, profile: TDLA30, delay_spread_s: 1.0e-7}",
        "demo.yaml:10: channel.fading.delay_spread_s: TDLA30 has fixed delays; leave it out",
    ),
    "scaled-profile-without-spread": (
        "{kind: rayleigh}",
        "{kind: tdl, profile: TDL-A}",
        "demo.yaml:10: channel.fading.delay_spread_s: missing; it scales the delays of TDL-A",
    ),
    "tdl-profile": (
        "{kind: rayleigh}",
        "{kind: tdl, profile: TDL_A}",
        "demo.yaml:10: channel.fading.profile: must be one of TDL-A, TDL-B, TDL-C, TDL-D, TDL-E, "
        "TDLA30, TDLB100, TDLC300, TDLD30; got 'TDL_A'; did you mean TDL-A?",
    ),
    "coarse-step": (
        "  speed_m_s: 1.0",
        "  speed_m_s: 30.0\n  step_s: 0.001",
        # A tenth of a period of 30 m/s x 3.5 GHz / c = 350.2 Hz.
        "demo.yaml:12: channel.step_s: step_s 0.001 is too coarse for a Doppler frequency of "
        "350.2 Hz; the largest allowed is 0.0002855",
    ),
    "too-many-steps": (
        "duration_s: 10",
        "duration_s: 1e6",
        "demo.yaml:2: duration_s: 1e+09 time steps of 0.001 s per link; the most allowed are "
        "2e+07: simulate less time per replication, or a slower channel",
    ),
    "long-block": (
        "{kind: shannon, gap_db: 3.0}",
        "{kind: finite-blocklength, block_symbols: 500000, error_probability: 0.01}",
        # A tenth of a period of 11.67 Hz at a million symbols per second.
        "demo.yaml:14: channel.rate.block_symbols: a block of 500000 symbols lasts 0.5 s, too "
        "long for this speed and carrier; the largest allowed is 8565",
    ),
    "block-and-step": (
        "  rate: {kind: shannon, gap_db: 3.0}",
        "  step_s: 0.001\n"
        "  rate: {kind: finite-blocklength, block_symbols: 500, error_probability: 0.01}",
        "demo.yaml:14: channel.step_s: the block length sets the time step here; leave step_s out",
    ),
    "step-longer-than-fading-block": (
        "{kind: rayleigh}\n  speed_m_s: 1.0",
        "{kind: block, block_s: 0.01}\n  step_s: 0.02",
        "demo.yaml:11: channel.step_s: a time step of 0.02 s is longer than block_s",
    ),
    # Schemes and groups
    "policy-and-ratio": (
        "ratio: 104",
        "ratio: 104, policy: {kind: expected-accuracy, ratios: [52]}",
        "demo.yaml:16: schemes.0.ratio: a policy chooses the ratio; give policy.ratios and leave "
        "ratio out",
    ),
    "neither-policy-nor-ratio": (
        "codec: stae, ratio: 104",
        "codec: stae",
        "demo.yaml:16: schemes.0.ratio: missing; give a ratio, a list of ratios, or a policy",
    ),
    "streaming-stae": (
        "ratio: 104",
        "ratio: 104, streaming: true",
        "demo.yaml:16: schemes.0.streaming: stae needs the whole clip; only deepisc and "
        "deepisc-task stream",
    ),
    "same-scheme-twice": (
        "codec: deepisc",
        "codec: stae",
        "demo.yaml:17: schemes.1: a second scheme named stae@104; give one of them a name",
    ),
    "same-ratio-twice": (
        "ratio: 104",
        "ratio: [104, 104]",
        "demo.yaml:16: schemes.0: a second scheme named stae@104",
    ),
    "no-table-file": (
        "codec: stae, ratio: 104",
        "codec: table, file: mine.parquet",
        "demo.yaml:16: schemes.0.file: no such file: mine.parquet",
    ),
    "same-group-twice": (
        "count: 2}",
        "count: 2}\n  - {name: cameras}",
        "demo.yaml:9: devices.1.name: a second group named cameras",
    ),
}


@pytest.mark.parametrize(("old", "new", "expected"), table(VALUES))
def test_bad_values(refused, old, new, expected):
    assert old in BASE
    Path(FILE).write_text(BASE.replace(old, new, 1))
    assert_message(refused(FILE), expected)


def test_every_fault_is_named_at_once(refused):
    Path(FILE).write_text(BASE.replace("count: 2", "count: 0").replace("0.8", "1.5"))
    assert refused(FILE) == [
        "error: demo.yaml:8: devices.0.count: must be at least 1, got 0",
        "error: demo.yaml:18: schemes.2.accuracy: must be at most 1, got 1.5",
    ]


# In one of two parts of the band, a block lasts twice as long.
@pytest.mark.parametrize(("sharing", "largest"), [("equal", 8565), ("fdma", 4282)])
def test_the_longest_block_that_a_message_names_is_accepted(in_tmp, sharing, largest):
    Path(FILE).write_text(BASE)
    rate = "channel.rate={kind: finite-blocklength, error_probability: 0.01, block_symbols: %d}"
    share = f"channel.sharing={sharing}"
    load_scenario(FILE, set_values=[share, rate % largest])
    with pytest.raises(ScenarioError, match=rf"the largest allowed is {largest}$"):
        load_scenario(FILE, set_values=[share, rate % (largest + 1)])


# What `sweep:` holds, and how the message goes on after "demo.yaml:LINE: sweep".
SWEEPS = {
    "no-such-path": (
        "{channel.mean_snr: [1, 2]}",
        ".channel.mean_snr: with channel.mean_snr=1: channel.mean_snr: unknown key; did you mean "
        "mean_snr_db?",
    ),
    "no-such-folder": (
        "{chanel.mean_snr_db: [1]}",
        ".chanel.mean_snr_db: with chanel.mean_snr_db=1: chanel: unknown key; did you mean chan",
    ),
    "through-a-number": (
        "{channel.speed_m_s.x: [1]}",
        ".channel.speed_m_s.x: with channel.speed_m_s.x=1: channel.speed_m_s.x: "
        "channel.speed_m_s is a single value",
    ),
    "through-a-list": (
        "{devices.count: [1]}",
        ".devices.count: with devices.count=1: devices.count: devices is a list of 1; use * for "
        "every item or a position from 0 to 0",
    ),
    "second-value-wrong": (
        "{channel.mean_snr_db: [1, high]}",
        ".channel.mean_snr_db: with channel.mean_snr_db='high': channel.mean_snr_db: must be a "
        "number, got 'high'",
    ),
    "shared-by-all-points": (
        "{seed: [1], warmup_s: [1, 2]}",
        ".warmup_s: cannot be swept; all points are simulated and judged alike",
    ),
    "every-item": (
        "{devices.*.count: [1, 0]}",
        ".devices.*.count: with devices.*.count=0: devices.0.count: must be at least 1, got 0",
    ),
    "removed-by-null": (
        "{channel.mean_snr_db: [1, null]}",
        ".channel.mean_snr_db: with channel.mean_snr_db=None: channel.mean_snr_db: missing",
    ),
    "misspelt-null": (
        "{channel.mean_snr: [null]}",
        ".channel.mean_snr: with channel.mean_snr=None: channel.mean_snr: unknown key",
    ),
    "no-values": ("{seed: []}", ".seed: must not be empty"),
    "single-value": ("{seed: 5}", ".seed: must be a list, got 5"),
    "list": ("[seed]", ": must be a mapping, got a list"),
    "name": ("{name: [a]}", ".name: cannot be swept; sweep a value of the experiment"),
    "extends": ("{extends: [rician]}", ".extends: cannot be swept"),
    "sweep": ("{sweep.seed: [[1]]}", ".sweep.seed: cannot be swept"),
    "empty-part": ("{devices..count: [1]}", ".devices..count: with devices..count=1: devices: an"),
    "too-many": (
        f"{{seed: {list(range(200))}, channel.mean_snr_db: {list(range(51))}}}",
        ": 10200 combinations; the most allowed are 10000",
    ),
}


@pytest.mark.parametrize(("sweep", "expected"), table(SWEEPS))
def test_bad_sweeps(refused, sweep, expected):
    Path(FILE).write_text(f"{BASE}sweep: {sweep}\n")
    assert_message(refused(FILE), f"demo.yaml:19: sweep{expected}")


# Fading kind, speed, geometry, and how the message goes on after "demo.yaml:LINE: channel".
GEOMETRIES = {
    "near": (
        "rayleigh",
        1.0,
        "{distance_m: 5}",
        ".geometry.distance_m: umi-nlos: distance_m must be 10 to 5000 for TR 38.901 Table "
        "7.4.1-1, got 5.0",
    ),
    "far": ("rayleigh", 1.0, "{distance_m: 6000}", ".geometry.distance_m: umi-nlos: distance_m"),
    "beyond-all-range": (
        "rayleigh",
        1.0,
        "{distance_m: 1e300, path_loss: free-space}",
        ".geometry.distance_m: must be at most 1e+07, got 1e+300",
    ),
    "path-loss": (
        "rayleigh",
        1.0,
        "{distance_m: 50, path_loss: umi-nloss}",
        ".geometry.path_loss: must be one of free-space, umi, umi-los, umi-nlos, uma, uma-los, "
        "uma-nlos; got 'umi-nloss'; did you mean umi-nlos?",
    ),
    "below-reference": (
        "rayleigh",
        1.0,
        "{distance_m: 5, path_loss: {kind: log-distance, exponent: 3, reference_m: 10}}",
        ".geometry.distance_m: log-distance: distance_m must be 10 to inf",
    ),
    "carrier": (
        "rayleigh",
        1.0,
        "{distance_m: 50}\n  carrier_hz: 1.0e8",
        ".carrier_hz: umi-nlos: carrier_hz must be 5e+08 to 1e+11 for TR 38.901 Table 7.4.1-1",
    ),
    "ring-inside-out": (
        "rayleigh",
        1.0,
        "{distance_m: 100, mobility: {kind: waypoint, min_distance_m: 200, max_distance_m: 50}}",
        ".geometry.mobility: needs distance_m between min_distance_m and max_distance_m, the "
        "latter at least 1.01 times the former; got 100, 200 and 50",
    ),
    "outside-the-ring": (
        "rayleigh",
        1.0,
        "{distance_m: 100, mobility: {kind: waypoint, max_distance_m: 50}}",
        ".geometry.mobility: needs distance_m between min_distance_m and max_distance_m, the "
        "latter at least 1.01 times the former; got 100, 10 and 50",
    ),
    "ring-out-of-range": (
        "rayleigh",
        1.0,
        "{distance_m: 100, mobility: {kind: waypoint, max_distance_m: 9000}}",
        ".geometry.mobility: umi-nlos: distance_m must be 10 to 5000 for TR 38.901 Table 7.4.1-1",
    ),
    # 10.1 s at 1 m/s: from 14 m to within 10 m, and from 4990 m to beyond 5000 m.
    "line-too-near": (
        "rayleigh",
        1.0,
        "{distance_m: 14, mobility: {kind: line, heading_deg: 180}}",
        ".geometry.mobility: umi-nlos: distance_m must be 10 to 5000",
    ),
    "line-too-far": (
        "rayleigh",
        1.0,
        "{distance_m: 4990, mobility: {kind: line, heading_deg: 0}}",
        ".geometry.mobility: umi-nlos: distance_m must be 10 to 5000",
    ),
    # Passes the base station at 50 sin 3 deg = 2.6 m in mid-run, and ends 51 m away again.
    "line-passes-too-near": (
        "rayleigh",
        10.0,
        "{distance_m: 50, mobility: {kind: line, heading_deg: 177}}",
        ".geometry.mobility: umi-nlos: distance_m must be 10 to 5000 for TR 38.901 Table "
        "7.4.1-1, got 2.6",
    ),
    "two-speeds": (
        "rayleigh",
        1.0,
        "{distance_m: 100, mobility: {kind: line, heading_deg: 0, speed_m_s: 3}}",
        ".geometry.mobility.speed_m_s: the speed that sets the Doppler frequency moves the "
        "device; leave it out",
    ),
    "no-speed": (
        "awgn",
        None,
        "{distance_m: 100, mobility: {kind: line, heading_deg: 0}}",
        ".geometry.mobility.speed_m_s: missing; the device needs a speed",
    ),
    "mobility": (
        "rayleigh",
        1.0,
        "{distance_m: 100, mobility: {kind: lin, heading_deg: 0}}",
        ".geometry.mobility.kind: must be one of static, line, waypoint; got 'lin'; did you mean",
    ),
}


@pytest.mark.parametrize(("fading", "speed", "geometry", "expected"), table(GEOMETRIES))
def test_bad_geometries(refused, fading, speed, geometry, expected):
    text = BASE.replace("kind: rayleigh", f"kind: {fading}")
    text = text.replace("  speed_m_s: 1.0\n", f"  speed_m_s: {speed}\n" if speed else "")
    Path(FILE).write_text(text.replace("mean_snr_db: 10", f"geometry: {geometry}"))
    line = 13 if "carrier_hz" in geometry else 12 if speed else 11
    assert_message(refused(FILE), f"demo.yaml:{line}: channel{expected}")


def rows(header, *lines):
    return "\n".join([header, *lines, ""])


# Name and content of the file, options beside it, and how the message goes on after the place.
TRACES = {
    "missing": ("t.csv", None, "", ".file: t.csv: no such trace file"),
    "empty": ("t.csv", "", "", ".file: t.csv: the trace file is empty"),
    "folder": (".", None, "", ".file: .: is a folder, not a trace file"),
    "long-name": (f"{'x' * 300}.csv", None, "", ".file: [Errno 36] File name too long"),
    "unsorted": (
        "t.csv",
        rows("time_s,snr_db", "0,1", "2,2", "1,3"),
        "",
        ".file: t.csv: data row 3 (time_s 1, snr_db 3): time_s must ascend from row to row",
    ),
    "gap": (
        "t.csv",
        rows("time_s,snr_db", "0,1", "1,2", "2,2", "9,2"),
        "",
        ".file: t.csv: a gap of 7 s after time_s 2 (data row 3), longer than 2 s; fill it in, or "
        "set max_gap_s",
    ),
    "too-short": (
        "t.csv",
        rows("time_s,snr_db", "0,1", "1,2", "2,3"),
        "",
        ".file: the trace ends after 3 s and the run needs 10.1 s; shorten the run, or set at_end",
    ),
    "nan": (
        "t.csv",
        rows("time_s,snr_db", "0,1", "1,nan", "2,3"),
        "",
        ".file: t.csv: data row 2 (time_s 1, snr_db nan): snr_db is missing or impossible",
    ),
    "hole": (
        "t.csv",
        rows("time_s,snr_db", "0,1", "1,", "2,3"),
        "",
        ".file: t.csv: data row 2 (time_s 1, snr_db nan): snr_db is missing or impossible",
    ),
    "negative-rate": (
        "t.csv",
        rows("time_s,rate_bps", "0,1", "1,-1", "2,3"),
        "",
        ".file: t.csv: data row 2 (time_s 1, rate_bps -1): rate_bps is missing or impossible",
    ),
    "columns": (
        "t.csv",
        rows("time,snr", "0,1", "1,2"),
        "",
        ".file: t.csv: needs the column time_s and one of snr_db or rate_bps",
    ),
    "both-columns": (
        "t.csv",
        rows("time_s,snr_db,rate_bps", "0,1,2", "1,2,3"),
        "",
        ".file: t.csv: needs the column time_s and one of snr_db or rate_bps",
    ),
    "words": (
        "t.csv",
        rows("time_s,snr_db", "0,high", "1,low"),
        "",
        ".file: t.csv: column snr_db holds string, not numbers",
    ),
    "ragged": (
        "t.csv",
        rows("time_s,snr_db", "0,1", "1", "2,3"),
        "",
        ".file: t.csv: not readable as CSV: CSV parse error: Expected 2 columns, got 1",
    ),
    "not-csv": ("t.csv", "\0\1\2", "", ".file: t.csv: not readable as CSV"),
    "not-parquet": ("t.parquet", "hello", "", ".file: t.parquet: not readable as Parquet"),
    "other-ending": ("t.txt", "hello", "", ".file: t.txt: the name must end in .csv or .parquet"),
    "impossible-snr": (
        "t.csv",
        rows("time_s,snr_db", "0,1", "1,500"),
        ", at_end: loop",
        ".file: holds an SNR above 200 dB",
    ),
    "impossible-rate": (
        "t.csv",
        rows("time_s,rate_bps", "0,1", "1,1e300"),
        ", at_end: loop",
        ".file: holds a rate above 1e+15 bit/s",
    ),
    "impossible-time": (
        "t.csv",
        rows("time_s,snr_db", "0,1", "1e12,2"),
        "",
        ".file: lasts longer than 1e+09 s",
    ),
    "endless-loop": (
        "t.csv",
        rows("time_s,snr_db", "0,1", "1e-7,2"),
        ", at_end: loop",
        ".at_end: repeated, the trace has over 2e+07 time steps",
    ),
    "mahimahi-without-bin": (
        "t.txt",
        "1\n2\n",
        ", format: mahimahi",
        ".bin_s: a Mahimahi trace needs the length of the bins it is averaged over",
    ),
    "mahimahi-words": (
        "t.txt",
        "1\nx\n",
        ", format: mahimahi, bin_s: 0.01",
        ".file: t.txt: a Mahimahi trace has one integer per line",
    ),
    "bin-without-mahimahi": (
        "t.csv",
        rows("time_s,snr_db", "0,1", "1,2"),
        ", bin_s: 0.01",
        ".bin_s: only for format: mahimahi",
    ),
}

TRACE_SCENARIO = BASE.replace("  speed_m_s: 1.0\n  mean_snr_db: 10\n", "")


@pytest.mark.parametrize(("name", "content", "options", "expected"), table(TRACES))
def test_bad_traces(refused, name, content, options, expected):
    if content is not None:
        Path(name).write_text(content)
    fading = f"{{kind: trace, file: {name}{options}}}"
    Path(FILE).write_text(TRACE_SCENARIO.replace("{kind: rayleigh}", fading))
    assert_message(refused(FILE), f"demo.yaml:10: channel.fading{expected}")


def test_a_damaged_parquet_trace(refused):
    pq.write_table(pa.table({"time_s": [0.0, 1.0], "snr_db": [1.0, 2.0]}), "t.parquet")
    content = bytearray(Path("t.parquet").read_bytes())
    content[4:100] = b"x" * 96  # the data, not the footer
    Path("t.parquet").write_bytes(content)
    Path(FILE).write_text(TRACE_SCENARIO.replace("rayleigh", "trace, file: t.parquet"))
    assert_message(refused(FILE), "demo.yaml:10: channel.fading.file: ")


TRACE_COMPANIONS = {
    "snr": ("  mean_snr_db: 10", "mean_snr_db: a trace brings its own SNR or rate; leave it out"),
    "geometry": ("  geometry: {distance_m: 99}", "geometry: a trace brings its own SNR or rate"),
    "speed": ("  speed_m_s: 1", "speed_m_s: trace fading has no Doppler frequency"),
    "step": ("  step_s: 0.1", "step_s: a trace brings its own time steps; leave step_s out"),
}


@pytest.mark.parametrize(("addition", "expected"), table(TRACE_COMPANIONS))
def test_what_a_trace_brings_itself(refused, addition, expected):
    Path("t.csv").write_text(rows("time_s,snr_db", "0,1", "10,2"))
    text = TRACE_SCENARIO.replace("rayleigh", "trace, file: t.csv")
    Path(FILE).write_text(text.replace("  rate:", f"{addition}\n  rate:"))
    assert_message(refused(FILE), f"demo.yaml:12: channel.{expected}")


@pytest.mark.parametrize(
    ("column", "old", "new", "expected"),
    [
        (
            "snr_db",
            "  bandwidth_hz: 1.0e6\n",
            "",
            "9: channel.bandwidth_hz: missing; the trace giv",
        ),
        ("rate_bps", "", "", "11: channel.bandwidth_hz: the trace gives rates, so a bandwidth"),
        (
            "rate_bps",
            "  bandwidth_hz: 1.0e6\n",
            "  overhead: 0.2\n",
            "11: channel.overhead: the trace gives rates, which are what is left for data",
        ),
        (
            "rate_bps",
            "  bandwidth_hz: 1.0e6\n",
            "  duplex: {kind: tdd}\n",
            "11: channel.duplex: the trace gives rates, which are what is left for data",
        ),
        (
            "snr_db",
            "{kind: shannon, gap_db: 3.0}",
            "{kind: finite-blocklength, block_symbols: 500, error_probability: 0.01}",
            "12: channel.rate: finite-blocklength needs time steps of one block",
        ),
    ],
    ids=[
        "snr-without-bandwidth",
        "rate-with-bandwidth",
        "rate-with-overhead",
        "rate-in-tdd",
        "snr-with-blocks",
    ],
)
def test_what_fits_a_trace_depends_on_its_column(refused, column, old, new, expected):
    Path("t.csv").write_text(rows(f"time_s,{column}", "0,1", "10,2"))
    text = TRACE_SCENARIO.replace("rayleigh", "trace, file: t.csv")
    Path(FILE).write_text(text.replace(old, new, 1))
    assert_message(refused(FILE), f"demo.yaml:{expected}")


TAG = "tags (!) are not allowed"
DIRECTIVE = "directives (%) are not allowed"
ALIAS = "anchors (&) and aliases (*) are not allowed; write the value out"
KEY = "a key must be a plain text"
MAPPING = "a scenario is a mapping of keys to values; the file has"
DEEP = "nested more than 20 levels deep"
BOMB = "a: &a [x, x]\n" + "".join(
    f"{this}: &{this} [{', '.join(9 * ['*' + last])}]\n"
    for last, this in zip("abcdefgh", "bcdefghi", strict=True)
)

# The whole file, the line, and how the message begins.
DOCUMENTS = {
    "list": ("- a\n- b\n", 1, f"{MAPPING} a list"),
    "scalar": ("hello\n", 1, f"{MAPPING} a single value ('hello')"),
    "empty": ("", 1, f"{MAPPING} nothing"),
    "comments": ("# one\n\n# two\n", 1, f"{MAPPING} nothing"),
    "utf-8": (BASE.encode() + b"# caf\xe9\n", 19, "is not UTF-8 text"),
    "control": (f"{BASE}# \1\n", 19, "not valid YAML: unacceptable character #x0001"),
    "tab": (BASE.replace("  speed", "\tspeed"), 11, "a tab where YAML wants spaces; indent with"),
    "indent": ("a: 1\n  b: 2\n", 2, "not valid YAML: mapping values are not allowed here"),
    "unclosed": ("a: [1, 2\n", 2, "not valid YAML: while parsing a flow sequence"),
    "python": ("a: !!python/object/apply:os.system [touch made]\n", 1, TAG),
    "python-top": ("!!python/object/apply:os.system [touch made]\n", 1, TAG),
    "python-new": ("a: !!python/object/new:os.system [touch made]\n", 1, TAG),
    "python-name": ("a: !!python/name:os.system\n", 1, TAG),
    "str": ("a: 1\nname: !!str demo\n", 2, TAG),
    "own": ("name: !foo demo\n", 1, f"{TAG}: !foo"),
    "plain": ("name: ! demo\n", 1, TAG),
    "on-mapping": ("!!map\nname: demo\n", 1, TAG),
    "on-key": ("!!str name: demo\n", 1, TAG),
    "yaml-1.1": (f"%YAML 1.1\n---\n{BASE}", 1, DIRECTIVE),
    "yaml-1.2": (f"# hi\n%YAML 1.2\n---\n{BASE}", 2, DIRECTIVE),
    "tag-directive": (f"%TAG ! tag:example.org,2000:\n---\n{BASE}", 1, DIRECTIVE),
    "other-directive": (f"%FOO bar\n---\n{BASE}", 1, DIRECTIVE),
    "merge": (
        f"{BASE}edge:\n  <<: {{workers: 2}}\n",
        20,
        "merge keys (<<) are not allowed; use ext",
    ),
    "anchor": ("name: &x demo\n", 1, ALIAS),
    "alias": ("name: *x\n", 1, ALIAS),
    "bomb": (BOMB, 1, ALIAS),
    "recursive": ("b: 1\na: &a [*a]\n", 2, ALIAS),
    "on-itself": ("&a a: *a\n", 1, ALIAS),
    "two": (f"{BASE}---\n{BASE}", 19, "holds more than one document (---)"),
    "two-ended": (f"{BASE}...\n---\n{BASE}", 20, "holds more than one document (---)"),
    "deep-lists": ("[" * 10_000, 1, DEEP),
    "deep-maps": ("{a: " * 10_000, 1, DEEP),
    "deep-lines": ("".join(f"{' ' * n}a:\n" for n in range(400)), 21, DEEP),
    "number-key": ("a: 1\n5: x\n", 2, KEY),
    "true-key": ("true: x\n", 1, KEY),
    "null-key": ("null: x\n", 1, KEY),
    "empty-key": (": x\n", 1, KEY),
    "list-key": ("[a]: x\n", 1, KEY),
    "mapping-key": ("? {a: b}\n: x\n", 1, KEY),
    "two-line-key": ('"a\\nb": x\n', 1, KEY),
    "half-character-key": ('"\\ud800": x\n', 1, KEY),
}


@pytest.mark.parametrize(("content", "line", "expected"), table(DOCUMENTS))
def test_bad_documents(refused, content, line, expected):
    Path(FILE).write_bytes(content if isinstance(content, bytes) else content.encode())
    (message,) = refused(FILE)
    assert message.startswith(f"error: demo.yaml:{line}: {expected}")


@pytest.mark.parametrize(
    "content",
    [bytes(range(256)), BASE.encode("utf-16"), b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"],
    ids=["bytes", "utf-16", "png"],
)
def test_binary_files(refused, content):
    Path(FILE).write_bytes(content)
    assert refused(FILE) == ["error: demo.yaml: is a binary file, not a YAML text"]


def test_a_huge_file_is_not_read(refused):
    with Path(FILE).open("wb") as stream:
        stream.truncate(100 * 2**20)
    start_s = time.perf_counter()
    assert refused(FILE) == ["error: demo.yaml: larger than 100000 bytes, too large for a scenario"]
    assert time.perf_counter() - start_s < 2.0


# The argument, and how the message begins.
SOURCES = {
    "missing": ("no.yaml", "no.yaml: cannot be read: No such file or directory"),
    "below-a-file": ("a.yaml/b.yaml", "a.yaml/b.yaml: cannot be read: Not a directory"),
    "folder": ("folder.yaml", "folder.yaml: is a folder, not a scenario file"),
    "here": (".", ".: is a folder, not a scenario file"),
    "long-name": ("x" * 300, f"no scenario named {'x' * 300}; shipped are block-fading, crowded"),
    "long-file": (f"{'x' * 300}.yaml", f"{'x' * 300}.yaml: cannot be read: File name too long"),
    "shipped": (
        "raylei",
        "no scenario named raylei; did you mean rayleigh?; shipped are block-fading, crowded-cell, "
        "paper-claim, rayleigh, rician, slow-device, tdl-urban, trace, urban-walk; or give the "
        "path of a YAML file",
    ),
    "nothing": ("", "no scenario named ;"),
}


@pytest.mark.parametrize(("source", "expected"), table(SOURCES))
def test_bad_sources(refused, in_tmp, source, expected):
    Path("a.yaml").write_text(BASE)
    Path("folder.yaml").mkdir()
    (message,) = refused(source)
    assert message.startswith(f"error: {expected}")


FORM = "must be a shipped scenario's name or a YAML file's path"

# The files, and how the message begins.
PARENTS = {
    "missing": ("extends: no.yaml", None, "demo.yaml:2: extends: no such file: no.yaml"),
    "shipped": (
        "extends: raylei",
        None,
        "demo.yaml:2: extends: no scenario named raylei; did you mean rayleigh?; shipped are",
    ),
    "folder": ("extends: .", None, "demo.yaml:2: extends: no such file: ."),
    "long-name": ("extends: " + "x" * 300, None, "demo.yaml:2: extends: no scenario named xxx"),
    "zero-byte": ('extends: "a\\0b.yaml"', None, "demo.yaml:2: extends: no such file: a"),
    "itself": ("extends: demo.yaml", None, "demo.yaml:2: extends: demo.yaml extends this file in"),
    "in-turn": (
        "extends: b.yaml",
        "extends: demo.yaml",
        "b.yaml:1: extends: demo.yaml extends this file in turn",
    ),
    "number": ("extends: 5", None, f"demo.yaml:2: extends: {FORM}"),
    "list": ("extends: [rayleigh]", None, f"demo.yaml:2: extends: {FORM}"),
    "null": ("extends:", None, f"demo.yaml:2: extends: {FORM}"),
    "fault-of-parent": (
        "extends: b.yaml",
        BASE.replace("mean_snr_db: 10", "mean_snr_db: high"),
        "b.yaml:12: channel.mean_snr_db: must be a number, got 'high'",
    ),
    "fault-of-child": (
        "extends: b.yaml\nchannel: {mean_snr_db: high}",
        BASE,
        "demo.yaml:3: channel.mean_snr_db: must be a number, got 'high'",
    ),
    "syntax-of-parent": ("extends: b.yaml", "a: 1\nb: ]", "b.yaml:2: not valid YAML: while pars"),
    "removed": (
        "extends: b.yaml\nchannel: null",
        BASE,
        "demo.yaml:1: channel: missing; it must be given",
    ),
    "misspelt-null": (
        "extends: b.yaml\nchannel: {speed_ms: null}",
        BASE,
        "demo.yaml:3: channel.speed_ms: unknown key; did you mean speed_m_s?",
    ),
}


@pytest.mark.parametrize(("child", "parent", "expected"), table(PARENTS))
def test_bad_parents(refused, child, parent, expected):
    Path(FILE).write_text(f"name: child\n{child}\n")
    if parent is not None:
        Path("b.yaml").write_text(parent)
    (message,) = refused(FILE)
    assert message.startswith(f"error: {expected}")


SET_FORM = "must look like channel.mean_snr_db=5"
SETS = {
    "no-value": ("channel.mean_snr_db", f"--set channel.mean_snr_db: {SET_FORM}"),
    "no-path": ("=5", f"--set =5: {SET_FORM}"),
    "nothing": ("", f"--set : {SET_FORM}"),
    "unknown": (
        "channel.mean_snr=5",
        "--set channel.mean_snr: channel.mean_snr: unknown key; did you mean mean_snr_db?",
    ),
    "unknown-top": (
        "chanel.mean_snr_db=5",
        "--set chanel.mean_snr_db: chanel: unknown key; did you mean channel?",
    ),
    "unknown-null": ("channel.mean_snr=null", "--set channel.mean_snr: channel.mean_snr: unknown"),
    "unknown-empty": ("chanel=", "--set chanel: chanel: unknown key; did you mean channel?"),
    "wrong": (
        "channel.mean_snr_db=high",
        "--set channel.mean_snr_db: channel.mean_snr_db: must be a number, got 'high'",
    ),
    "breaks-rule": (
        "warmup_s=99",
        "--set warmup_s: warmup_s: must be shorter than duration_s, 10; got 99",
    ),
    "list-without-position": (
        "devices.count=3",
        "--set devices.count: devices.count: devices is a list of 1; use * for every item or a "
        "position from 0 to 0",
    ),
    "list-beyond-end": ("devices.1.count=3", "--set devices.1.count: devices.1: devices is a list"),
    "through-number": (
        "channel.speed_m_s.x=3",
        "--set channel.speed_m_s.x: channel.speed_m_s.x: channel.speed_m_s is a single value",
    ),
    "empty-part": ("channel..x=3", "--set channel..x: channel: an empty part in the path"),
    "long-path": (f"{'a.' * 2_000}a=1", f"--set {'a.' * 2_000}a: a path of more than 20 parts"),
    "removed": ("channel.mean_snr_db=null", "demo.yaml:9: channel.mean_snr_db: missing; give"),
    "extends": ("extends=rician", "--set extends: extends: unknown key"),
    "syntax": ("seed=[1", "--set seed: not valid YAML: while parsing"),
    "python": ("seed=!!python/object/apply:os.system [touch made]", f"--set seed: {TAG}"),
    "alias": ("seed=*a", f"--set seed: {ALIAS}"),
    "sweep": (
        "sweep.channel.mean_snr_db=[1, high]",
        "--set sweep.channel.mean_snr_db: sweep.channel.mean_snr_db: with channel.mean_snr_db=",
    ),
}


@pytest.mark.parametrize(("assignment", "expected"), table(SETS))
def test_bad_set_options(refused, assignment, expected):
    Path(FILE).write_text(BASE)
    (message,) = refused(FILE, "--set", assignment)
    assert message.startswith(f"error: {expected}")


# The same through a real process, where a traceback or an exit code could still slip through.
PROCESSES = {
    "value": (BASE.replace("count: 2", "count: 0"), "demo.yaml:8: devices.0.count: must be at"),
    "python": ("a: !!python/object/apply:os.system [touch made]\n", f"demo.yaml:1: {TAG}"),
    "bomb": (BOMB, f"demo.yaml:1: {ALIAS}"),
    "deep": ("[" * 10_000, f"demo.yaml:1: {DEEP}"),
}


@pytest.mark.parametrize(("content", "expected"), table(PROCESSES))
def test_bad_input_in_a_process_of_its_own(in_tmp, content, expected):
    Path(FILE).write_text(content)
    assert_process_refuses(FILE, expected)
    assert everything_in(in_tmp) == [in_tmp / FILE]


def test_a_name_that_is_not_text_in_a_process_of_its_own(in_tmp):
    assert_process_refuses(os.fsdecode(b"\xff.yaml"), "\\udcff.yaml: cannot be read")


def assert_process_refuses(source, expected):
    command = [sys.executable, "-m", "fadeline.simulator", "check", source]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"error: {expected}")
    assert "Traceback" not in result.stderr


# Values that are far out, each refused by name instead of ending in memory or time.
WALK = "channel.geometry.mobility={kind: waypoint, "
FAR_OUT = {
    "block": (
        ["channel.fading={kind: block, block_s: 1e12}", "channel.speed_m_s=null"],
        "channel.fading.block_s",
    ),
    "step": (["channel.step_s=1e300"], "channel.step_s"),
    "walker": ([WALK + "max_distance_m: 1e200}"], "max_distance_m"),
    "thin-ring": (
        [WALK + "min_distance_m: 299.9999, max_distance_m: 300}"],
        "channel.geometry.mobility: needs distance_m between",
    ),
    "runner": (["channel.speed_m_s=1e8"], "channel.speed_m_s"),
    "echoes": (
        [
            "channel.fading={kind: tdl, profile: TDL-A, delay_spread_s: 1e-4}",
            "channel.bandwidth_hz=1e12",
        ],
        "channel.bandwidth_hz: too wide",
    ),
    "free-shadow": (
        ["channel.geometry.path_loss=free-space"],
        "geometry.shadowing: nothing shadows",
    ),
    "no-sigma": (
        ["channel.geometry.path_loss={kind: log-distance, exponent: 3}"],
        "geometry.shadowing: log-distance shadows with",
    ),
    "twice": (["sweep={channel.carrier_hz: [1e9, 1e9]}"], "sweep.channel.carrier_hz: gives"),
}


@pytest.mark.parametrize(("changes", "message"), FAR_OUT.values(), ids=FAR_OUT)
def test_far_out_values(in_tmp, fadeline, changes, message):
    flags = [part for change in changes for part in ("--set", change)]
    answer = fadeline("channel", "urban-walk", *flags, "--out", "made")
    assert answer.code == 2
    assert message in answer.err
    assert not Path("made").exists()


@pytest.mark.parametrize(
    "changes",
    [
        ["channel.speed_m_s=1e-310"],
        ["duration_s=1e-9", "warmup_s=0", "deadlines_s=[1e-9]", "report_at_s=1e-9"],
    ],
    ids=["hardly-moving", "hardly-any-time"],
)
def test_tiny_values_run(in_tmp, fadeline, changes):
    flags = [part for change in changes for part in ("--set", change)]
    assert fadeline("channel", "rayleigh", *flags, "--out", "made").code == 0
