"""Link traces of a scenario's devices: what they draw, whom it concerns, and the laws they obey."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from fadeline.channels.pathloss import umi_los_probability
from fadeline.channels.tdl import tdl_gains
from fadeline.channels.tdl_profiles import TDL_PROFILES
from fadeline.simulator import Streams, scenario_from_dict
from fadeline.simulator.errors import ScenarioWarning
from fadeline.simulator.links.traces import device_trace, flat_gains, recorded_link, step_of

FADINGS: dict[str, dict[str, Any]] = {
    "awgn": {"kind": "awgn"},
    "rayleigh": {"kind": "rayleigh"},
    "rician": {"kind": "rician", "k_factor_db": 6.0},
    "block": {"kind": "block", "block_s": 0.05},
    "rician-block": {"kind": "block", "block_s": 0.05, "k_factor_db": 6.0},
    "tdl": {"kind": "tdl", "profile": "TDL-B", "delay_spread_s": 300e-9},
    "tdl-sight": {"kind": "tdl", "profile": "TDLD30"},
    "snr-trace": {"kind": "trace", "file": "snr.csv", "at_end": "loop", "start": "fixed"},
    "rate-trace": {"kind": "trace", "file": "rate.csv", "at_end": "loop", "start": "fixed"},
    "mahimahi": {
        "kind": "trace",
        "file": "packets.txt",
        "at_end": "loop",
        "format": "mahimahi",
        "bin_s": 0.01,
    },
}
SIONNA = {"kind": "tdl", "profile": "TDL-A", "delay_spread_s": 1e-7, "backend": "sionna"}

SNR = 10.0
"""Linear mean SNR of the scenarios below, given as 10 dB."""


@pytest.fixture(autouse=True)
def recordings(in_tmp):
    Path("snr.csv").write_text("time_s,snr_db\n0,0\n0.3,10\n0.5,-inf\n0.7,20\n")
    Path("rate.csv").write_text("time_s,rate_bps\n0,1e6\n0.5,0\n1,2e6\n")
    Path("packets.txt").write_text("1\n5\n5\n300\n")


def cell(fading="rayleigh", *, devices=None, schemes=None, **channel):
    """Return a scenario of 1.1 s in all with what its kind of fading needs."""
    spec = SIONNA if fading == "sionna" else FADINGS[fading]
    spec = channel.pop("spec", spec)
    kind = spec["kind"]
    fitting = {} if fading in ("rate-trace", "mahimahi") else {"bandwidth_hz": 1e6}
    if kind != "trace" and "geometry" not in channel:
        fitting["mean_snr_db"] = 10.0
    if kind in ("rayleigh", "rician", "tdl"):
        fitting["speed_m_s"] = 3.0
    return scenario_from_dict(
        {
            "name": "cell",
            "duration_s": 1.0,
            "warmup_s": 0.0,
            "deadlines_s": [0.1],
            "report_at_s": 0.1,
            "clips": {"arrivals": {"kind": "periodic", "rate_hz": 2.0}},
            "devices": devices or {"name": "cameras", "count": 2},
            "channel": {"fading": spec, **fitting, **channel},
            "schemes": schemes or [{"codec": "constant", "payload_bits": 1000}],
        }
    )


def trace_of(scenario, *, seed=1, replication=0, group=0, device=0):
    return device_trace(
        scenario, Streams(seed), replication=replication, group=group, device=device
    )


def same(one, two):
    """Return whether two traces are bit-identical."""
    equal_snr = (one.snr is None) == (two.snr is None) and (
        one.snr is None or np.array_equal(one.snr, two.snr)
    )
    return equal_snr and np.array_equal(one.bits, two.bits)


def shannon(snr, bandwidth_hz=1e6):
    return bandwidth_hz * np.log2(1.0 + snr)


# Every kind of fading


@pytest.mark.parametrize("fading", FADINGS)
def test_a_trace_covers_the_run_and_is_the_same_every_time(fading):
    scenario = cell(fading)
    trace = trace_of(scenario)
    assert trace.end_s >= scenario.horizon_s
    assert trace.bits[-1] > 0
    assert same(trace, trace_of(scenario))


@pytest.mark.parametrize("fading", [f for f in FADINGS if FADINGS[f]["kind"] != "trace"])
def test_a_drawn_trace_ends_within_a_step_of_the_run(fading):
    scenario = cell(fading)
    trace = trace_of(scenario)
    assert trace.step_s == step_of(scenario.channel, 1)
    assert trace.end_s < scenario.drawn_s + trace.step_s


@pytest.mark.parametrize("fading", FADINGS)
def test_snr_and_rate_belong_together(fading):
    trace = trace_of(cell(fading))
    if trace.snr is not None:
        np.testing.assert_allclose(trace.rate_bps, shannon(trace.snr), rtol=1e-12)


DRAWN = ("rayleigh", "rician", "block", "rician-block", "tdl", "tdl-sight")


@pytest.mark.parametrize("fading", DRAWN)
def test_devices_groups_replications_and_seeds_fade_independently(fading):
    devices = [{"name": "one", "count": 2}, {"name": "two", "count": 2}]
    scenario = cell(fading, devices=devices)
    traces = [
        trace_of(scenario),
        trace_of(scenario, device=1),
        trace_of(scenario, group=1),
        trace_of(scenario, replication=1),
        trace_of(scenario, seed=2),
    ]
    for index, one in enumerate(traces):
        assert not any(same(one, other) for other in traces[index + 1 :])


@pytest.mark.parametrize("fading", DRAWN)
def test_what_has_nothing_to_do_with_a_device_leaves_its_trace_alone(fading):
    plain = trace_of(cell(fading), device=1)
    schemes = [{"codec": "raw"}, {"codec": "stae", "ratio": [52, 104]}]
    before = {"name": "early", "count": 7, "mean_snr_db": 3.0}
    after = {"name": "late"}
    cameras = {"name": "cameras", "count": 2}
    assert same(plain, trace_of(cell(fading, schemes=schemes), device=1))
    assert same(plain, trace_of(cell(fading, devices=cameras | {"count": 9}), device=1))
    more = cell(fading, devices=[before, cameras, after], schemes=schemes)
    assert same(plain, trace_of(more, group=1, device=1))


def test_a_longer_run_only_adds_to_block_fading():
    # Doppler fading is synthesised for a run's length as a whole; blocks are drawn one by one.
    short = trace_of(cell("block"))
    scenario = cell("block").model_copy(update={"duration_s": 5.0})
    np.testing.assert_array_equal(trace_of(scenario).snr[: short.snr.size], short.snr)


# Laws


def test_awgn_has_the_mean_snr_and_shannons_rate():
    trace = trace_of(cell("awgn"))
    assert (trace.snr == SNR).all()
    assert (trace.rate_bps == 1e6 * math.log2(1.0 + SNR)).all()


@pytest.mark.parametrize(("cap", "bits_per_symbol"), [(None, math.log2(1.0 + SNR / 2.0)), (2, 2)])
def test_gap_and_cap(cap, bits_per_symbol):
    rate = {"kind": "shannon", "gap_db": 10.0 * math.log10(2.0), "max_bits_per_symbol": cap}
    trace = trace_of(cell("awgn", rate=rate))
    np.testing.assert_allclose(trace.rate_bps, 1e6 * bits_per_symbol, rtol=1e-12)


@pytest.mark.parametrize("fading", ["rayleigh", "block", "rician-block"])
def test_the_narrowband_gain_has_the_exact_distribution(fading):
    # Power over its mean of 600 independent links, one step each; Kolmogorov-Smirnov at 1e-4.
    scenario = cell(fading, devices={"name": "cameras", "count": 600})
    rng = Streams(1).generator("test")
    gains = flat_gains(scenario.channel, rng, step_s=1e-3, steps=1, links=600)
    k = 10**0.6 if fading == "rician-block" else 0.0
    power = stats.ncx2(2, 2 * k, scale=1 / (2 * (k + 1))) if k else stats.expon()
    assert stats.kstest(np.abs(gains[:, 0]) ** 2, power.cdf).pvalue > 1e-4


def test_block_fading_holds_for_a_block():
    held = trace_of(cell("block", step_s=0.01))
    assert held.step_s == 0.01
    blocks = held.snr.reshape(-1, 5)  # 2 s of blocks of 0.05 s
    assert (blocks == blocks[:, :1]).all()
    assert np.unique(blocks[:, 0]).size == 40
    np.testing.assert_array_equal(trace_of(cell("block")).snr, blocks[:, 0])


def test_a_wide_band_averages_the_fading_out():
    # With 300 ns of delay spread, 20 MHz hold many independent fades and 1 kHz holds one.
    spreads = []
    for bandwidth_hz in (1e3, 20e6):
        scenario = cell("tdl", bandwidth_hz=bandwidth_hz)
        rates = [trace_of(scenario, replication=r).rate_bps[0] for r in range(100)]
        spreads.append(np.std(rates) / np.mean(rates))
    assert spreads[1] < 0.5 * spreads[0]


def test_lost_blocks_carry_nothing():
    rate = {"kind": "finite-blocklength", "block_symbols": 500, "error_probability": 0.2}
    trace = trace_of(cell("awgn", rate=rate))
    assert trace.step_s == 500 / 1e6
    received = trace.rate_bps > 0
    # 2200 blocks, each lost with probability 0.2; level 1e-4.
    assert stats.binomtest(int((~received).sum()), received.size, 0.2).pvalue > 1e-4
    # C - sqrt(V / n) Qinv(0.2) + log2(n) / (2 n) with Qinv(0.2) = 0.841621.
    dispersion = SNR * (SNR + 2) / (SNR + 1) ** 2 * math.log2(math.e) ** 2
    bits = math.log2(1 + SNR) - math.sqrt(dispersion / 500) * 0.841621 + math.log2(500) / 1000
    np.testing.assert_allclose(trace.rate_bps[received], 1e6 * bits, rtol=1e-6)


# Sharing


def test_fdma_gives_a_part_of_the_band_and_all_the_power():
    devices = [{"name": "one", "count": 3}, {"name": "two", "count": 2}]
    trace = trace_of(cell("awgn", devices=devices, sharing="fdma"), group=1)
    assert (trace.snr == 5 * SNR).all()
    assert (trace.rate_bps == 1e6 / 5 * math.log2(1.0 + 5 * SNR)).all()


@pytest.mark.parametrize("sharing", ["equal", "fifo"])
def test_in_time_everyone_has_the_whole_band(sharing):
    trace = trace_of(cell("awgn", sharing=sharing))
    assert (trace.rate_bps == 1e6 * math.log2(1.0 + SNR)).all()


@pytest.mark.parametrize("fading", ["rayleigh", "rician", "block"])
def test_a_part_of_the_band_meets_the_same_fades(fading):
    whole, part = trace_of(cell(fading)), trace_of(cell(fading, sharing="fdma"))
    np.testing.assert_allclose(part.snr, 2 * whole.snr, rtol=1e-12)
    np.testing.assert_allclose(part.rate_bps, shannon(part.snr, 0.5e6), rtol=1e-12)


def test_blocks_in_a_part_of_the_band_last_longer():
    rate = {"kind": "finite-blocklength", "block_symbols": 500, "error_probability": 0.2}
    whole, part = (trace_of(cell("awgn", rate=rate, sharing=s)) for s in ("equal", "fdma"))
    assert part.step_s == pytest.approx(2 * whole.step_s)  # as many symbols at half the pace
    bits = part.rate_bps.max() * part.step_s
    assert bits > whole.rate_bps.max() * whole.step_s  # in a block at twice the SNR


@pytest.mark.parametrize("device", [0, 1])
def test_parts_of_a_selective_band_lie_side_by_side(device):
    # The capacity of the device's own half of 20 MHz, from the taps it draws.
    scenario = cell("tdl", bandwidth_hz=20e6, sharing="fdma")
    trace = trace_of(scenario, device=device)
    profile, rng = TDL_PROFILES["TDL-B"], Streams(1).generator("fading", 0, "cameras", device)
    doppler_hz = 3.0 * 3.5e9 / 299_792_458.0
    taps = tdl_gains(rng, profile, doppler_hz=doppler_hz, step_s=trace.step_s, steps=trace.snr.size)
    offsets_hz = np.linspace(-10e6, 0.0, 2_001)[:, np.newaxis] + device * 10e6
    response = np.exp(-2j * np.pi * offsets_hz * profile.delays_s(300e-9)) @ taps[:, ::100]
    rate_bps = 10e6 * np.log2(1.0 + 2 * SNR * np.abs(response) ** 2).mean(axis=0)
    np.testing.assert_allclose(trace.rate_bps[::100], rate_bps, rtol=0.02)


# Place and motion

UMI_NLOS_100_M_DB = 35.3 * math.log10(math.hypot(100.0, 8.5)) + 22.4 + 21.3 * math.log10(3.5)
"""TR 38.901 table 7.4.1-1 at 100 m on the ground, antennas at 10 m and 1.5 m, 3.5 GHz."""

NOISE_DBM = 10.0 * math.log10(1.380649e-23 * 290.0 * 1e6 / 1e-3) + 5.0
"""Thermal noise in 1 MHz and a noise figure of 5 dB."""


def snr_db(trace):
    return 10.0 * np.log10(trace.snr)


@pytest.mark.parametrize("tx_power_dbm", [23.0, 10.0])
def test_mean_snr_of_a_place_by_hand(tx_power_dbm):
    devices = {"count": 1, "tx_power_dbm": tx_power_dbm}
    trace = trace_of(cell("awgn", geometry={"distance_m": 100.0}, devices=devices))
    expected_db = tx_power_dbm - UMI_NLOS_100_M_DB - NOISE_DBM
    np.testing.assert_allclose(snr_db(trace), expected_db, atol=1e-9)


def test_log_distance_by_hand():
    # Free space at 10 m, then 40 dB per decade over one decade.
    model = {"kind": "log-distance", "exponent": 4.0, "reference_m": 10.0}
    trace = trace_of(cell("awgn", geometry={"distance_m": 100.0, "path_loss": model}))
    free_db = 20.0 * math.log10(4.0 * math.pi * 10.0 * 3.5e9 / 299_792_458.0)
    np.testing.assert_allclose(snr_db(trace), 23.0 - free_db - 40.0 - NOISE_DBM, atol=1e-9)


def test_shadowing_of_devices_at_rest():
    # One value per device, normal with 7.82 dB (table 7.4.1-1): Kolmogorov-Smirnov at 1e-4.
    count = 300
    geometry = {"distance_m": 100.0, "shadowing": True}
    scenario = cell("awgn", geometry=geometry, devices={"count": count}, step_s=0.5)
    traces = [snr_db(trace_of(scenario, device=device)) for device in range(count)]
    assert all(np.ptp(trace) == 0.0 for trace in traces)
    shadowing_db = 23.0 - UMI_NLOS_100_M_DB - NOISE_DBM - np.array([t[0] for t in traces])
    assert stats.kstest(shadowing_db, stats.norm(0.0, 7.82).cdf).pvalue > 1e-4


def test_line_of_sight_is_drawn_per_device():
    count = 400
    geometry = {"distance_m": 100.0, "path_loss": "umi"}
    scenario = cell("awgn", geometry=geometry, devices={"count": count}, step_s=0.5)
    levels_db = np.array([snr_db(trace_of(scenario, device=d))[0] for d in range(count)])
    blocked_db = 23.0 - UMI_NLOS_100_M_DB - NOISE_DBM
    blocked = np.isclose(levels_db, blocked_db)
    assert (levels_db[~blocked] > blocked_db + 10.0).all()
    seen = int((~blocked).sum())
    assert stats.binomtest(seen, count, umi_los_probability(100.0)).pvalue > 1e-4


@pytest.mark.parametrize("heading_deg", [0.0, 180.0])
def test_a_device_on_a_line_by_hand(heading_deg):
    mobility = {"kind": "line", "heading_deg": heading_deg, "speed_m_s": 20.0}
    geometry = {"distance_m": 100.0, "path_loss": "free-space", "mobility": mobility}
    trace = trace_of(cell("awgn", geometry=geometry))
    middles_s = (trace.edges_s[:-1] + trace.edges_s[1:]) / 2.0
    distance_m = 100.0 + 20.0 * middles_s * math.cos(math.radians(heading_deg))
    loss_db = 20.0 * np.log10(4.0 * math.pi * distance_m * 3.5e9 / 299_792_458.0)
    # Interpolated over 0.5 m: off by at most (0.5 / 78)^2 / 8 * 20 / ln 10, below 1e-4 dB.
    np.testing.assert_allclose(snr_db(trace), 23.0 - loss_db - NOISE_DBM, atol=1e-4)


def test_motion_multiplies_the_fading_it_causes():
    walk = {"kind": "waypoint", "max_distance_m": 200.0}
    still = trace_of(cell(geometry={"distance_m": 100.0}))
    moving = trace_of(cell(geometry={"distance_m": 100.0, "mobility": walk}))
    large_scale_db = snr_db(moving) - snr_db(still)  # the fades are the same and cancel
    assert abs(large_scale_db[0]) < 0.01
    assert np.ptp(large_scale_db) > 0.1
    # 3 m/s at 97 m or more: 35.3 log10(1 + 3e-3 / 97) per millisecond at the fastest.
    assert np.abs(np.diff(large_scale_db)).max() < 5e-4


def test_walks_and_shadowing_differ_between_devices_and_not_between_rates():
    walk = {"kind": "waypoint", "max_distance_m": 200.0, "speed_m_s": 3.0}
    geometry = {"distance_m": 100.0, "mobility": walk, "shadowing": True}
    scenario = cell("awgn", geometry=geometry)
    one, two = trace_of(scenario), trace_of(scenario, device=1)
    assert not np.array_equal(one.snr, two.snr)
    gap = {"kind": "shannon", "gap_db": 3.0}
    np.testing.assert_array_equal(trace_of(cell("awgn", geometry=geometry, rate=gap)).snr, one.snr)


@pytest.mark.filterwarnings(f"ignore::{ScenarioWarning.__module__}.ScenarioWarning")
@pytest.mark.parametrize("fading", ["rayleigh", "rician", "tdl"])
def test_at_speed_0_a_fade_never_changes(fading):
    scenario = cell(fading, speed_m_s=0.0)
    fades = [trace_of(scenario, replication=r).snr for r in range(3)]
    for fade in fades:
        np.testing.assert_allclose(fade, fade[0], rtol=1e-5)
    assert np.unique([fade[0] for fade in fades]).size == 3


# Recordings


def test_a_recorded_snr_is_repeated():
    trace = trace_of(cell("snr-trace"))
    # The last row holds for as long as the median of 0.3, 0.2 and 0.2 s.
    np.testing.assert_allclose(trace.edges_s, [0, 0.3, 0.5, 0.7, 0.9, 1.2, 1.4, 1.6, 1.8])
    np.testing.assert_allclose(trace.snr, 2 * [1.0, 10.0, 0.0, 100.0])
    np.testing.assert_allclose(trace.rate_bps, shannon(trace.snr))


def test_a_recorded_rate_has_no_snr():
    trace = trace_of(cell("rate-trace"))
    np.testing.assert_allclose(trace.edges_s, [0, 0.5, 1.0, 1.5])
    np.testing.assert_allclose(trace.rate_bps, [1e6, 0.0, 2e6])
    assert trace.snr is None


def test_packets_become_rates():
    trace = trace_of(cell("mahimahi"))
    # Three packets of 1500 bytes in the first 10 ms, one in the last, 300 ms in all.
    np.testing.assert_allclose(trace.rate_bps[[0, 29, 30]], [3.6e6, 1.2e6, 3.6e6])
    assert (trace.rate_bps[1:29] == 0.0).all()


@pytest.mark.parametrize("fading", ["snr-trace", "rate-trace"])
def test_recordings_under_fdma(fading):
    whole, part = trace_of(cell(fading)), trace_of(cell(fading, sharing="fdma"))
    if fading == "rate-trace":
        np.testing.assert_allclose(part.rate_bps, whole.rate_bps / 2)
    else:
        np.testing.assert_allclose(part.snr, 2 * whole.snr)
        np.testing.assert_allclose(part.rate_bps, shannon(part.snr, 0.5e6))


def test_a_recording_is_read_again_when_its_file_changes():
    fading = cell("rate-trace").channel.fading
    first = recorded_link(fading)
    assert recorded_link(fading) is first
    Path("rate.csv").write_text("time_s,rate_bps\n0,5\n1,6\n")
    np.testing.assert_array_equal(recorded_link(fading).rate_bps, [5.0, 6.0])


# The slow reference


@pytest.mark.slow
def test_the_taps_of_sionna_serve_as_well():
    scenario = cell("sionna", bandwidth_hz=1e5)
    trace = trace_of(scenario)
    assert trace.end_s >= scenario.horizon_s
    assert same(trace, trace_of(scenario))
    assert not same(trace, trace_of(scenario, device=1))
    # Over 0.1 MHz the band is flat and its power exponential with mean 1: the mean of 40
    # replications lies within 5 standard deviations of it.
    powers = [trace_of(scenario, replication=r).snr[0] / SNR for r in range(40)]
    assert abs(np.mean(powers) - 1.0) < 5.0 / math.sqrt(40)


# What carries data


def test_overhead_and_turns_of_the_downlink_take_their_part_of_the_rate():
    whole = trace_of(cell("rayleigh")).rate_bps
    for channel, part in (
        ({"overhead": 0.2}, 0.8),
        ({"duplex": {"kind": "tdd", "uplink_share": 0.23}}, 0.23),
        ({"overhead": 0.2, "duplex": {"kind": "tdd", "uplink_share": 0.25}}, 0.2),
        ({"duplex": {"kind": "fdd"}}, 1.0),
    ):
        trace = trace_of(cell("rayleigh", **channel))
        np.testing.assert_allclose(trace.rate_bps, part * whole, rtol=1e-12)
        np.testing.assert_array_equal(trace.snr, trace_of(cell("rayleigh")).snr)


def test_the_rate_of_a_selective_band_is_the_mean_of_its_subcarriers():
    gap = {"kind": "shannon", "gap_db": 3.0, "max_bits_per_symbol": 4.0}
    plain, capped = (
        trace_of(cell("tdl", bandwidth_hz=5e6, **rate)) for rate in ({}, {"rate": gap})
    )
    np.testing.assert_allclose(plain.rate_bps, shannon(plain.snr, 5e6), rtol=1e-9)
    after = 5e6 * np.minimum(np.log2(1.0 + capped.snr / 10**0.3), 4.0)
    assert not np.allclose(capped.rate_bps, after, rtol=0.01)
    assert capped.rate_bps.max() <= 4.0 * 5e6


# Where a run begins in a recording


def long_recording():
    seconds = np.arange(1000.0)
    rows = "".join(f"{t:g},{10 * math.log10(t + 1)}\n" for t in seconds)
    Path("long.csv").write_text("time_s,snr_db\n" + rows)


def starts(replications=40, **fading):
    long_recording()
    scenario = cell("snr-trace", devices={"count": 2})
    fading = {"kind": "trace", "file": "long.csv", **fading}
    data = scenario.model_dump(mode="json", exclude_unset=True)
    data["channel"]["fading"] = fading
    scenario = scenario_from_dict(data)
    return [
        trace_of(scenario, replication=r, device=d).snr[0] - 1.0
        for r in range(replications)
        for d in range(2)
    ]


@pytest.mark.parametrize("at_end", ["loop", "error"])
def test_each_run_and_device_meets_another_stretch_of_a_long_recording(at_end):
    found = np.array(starts(at_end=at_end))
    assert np.unique(np.round(found)).size > 60  # of 80
    # Uniform over 1000 s: the mean of 80 lies within 4 standard deviations.
    assert abs(found.mean() - 500.0) < 4.0 * 1000.0 / math.sqrt(12 * 80)


def test_a_recording_can_be_met_from_its_start():
    assert np.allclose(starts(4, at_end="loop", start="fixed"), 0.0)


def test_a_short_recording_is_repeated_from_its_start_unless_asked_otherwise():
    traces = [
        trace_of(cell("snr-trace", spec=FADINGS["snr-trace"] | {"start": start}), replication=r)
        for start in (None, "random")
        for r in range(2)
    ]
    assert same(traces[0], traces[1])
    assert not same(traces[2], traces[3])


def test_a_stretch_goes_on_at_the_start_of_a_recording_that_repeats():
    scenario = cell("snr-trace", spec=FADINGS["snr-trace"] | {"start": "random"})
    for replication in range(20):
        trace = trace_of(scenario, replication=replication)
        assert trace.end_s >= scenario.horizon_s
        assert (np.diff(trace.edges_s) > 0).all()
        order = [1.0, 10.0, 0.0, 100.0]
        first = int(np.argmin(np.abs(np.array(order) - trace.snr[0])))
        expected = [order[(first + k) % 4] for k in range(trace.snr.size)]
        np.testing.assert_allclose(trace.snr, expected)
