"""What `fadeline check` derives from a scenario, against calculations by hand."""

import itertools
import math
from pathlib import Path

import pytest
from scipy import integrate, special, stats

from fadeline.simulator import scenario_from_dict
from fadeline.simulator.analysis.derived import derived_values, mean_rate_bps
from fadeline.simulator.errors import ScenarioWarning

SNR = 10.0
BAND_HZ = 1e6
RAW_BITS = 16 * 64 * 64 * 24
"""A clip of the actions set: 16 frames of 64 x 64 pixels of 24 bits."""


def cell(fading=None, **changes):
    """Return a scenario of two groups, three devices in all, that film two clips a second each."""
    fading = fading or {"kind": "awgn"}
    moving = {"speed_m_s": 3.0} if fading["kind"] in ("rayleigh", "rician", "tdl") else {}
    channel = {"fading": fading, "mean_snr_db": 10.0, "bandwidth_hz": BAND_HZ, **moving}
    channel |= changes.pop("channel", {})
    return scenario_from_dict(
        {
            "name": "cell",
            "replications": 10,
            "duration_s": 60.0,
            "warmup_s": 2.0,
            "clips": {"arrivals": {"kind": "periodic", "rate_hz": 2.0}},
            "devices": [{"name": "near"}, {"name": "far", "count": 2, "mean_snr_db": 0.0}],
            "schemes": [{"codec": "constant", "payload_bits": 1000}],
        }
        | changes
        | {"channel": channel}
    )


def derive(scenario):
    """Return the derived values by group or scheme, and quantity."""
    return {(row.where, row.quantity): row.value for row in derived_values(scenario)}


def rate_in(scenario, group=0):
    return mean_rate_bps(scenario, scenario.devices[group])


def bits_per_symbol(snr, gap=1.0, cap=math.inf):
    return min(math.log2(1.0 + snr / gap), cap)


# Counts


def test_counts_of_a_cell():
    values = derive(cell())
    assert values["all", "devices"] == 3
    assert values["all", "clips_per_s"] == 6.0
    assert values["all", "horizon_s"] == pytest.approx(60.3)  # the longest deadline is 0.3 s
    assert values["all", "counted_clips"] == 10 * 6 * 58


def test_counted_clips_are_known_in_advance_only_if_replications_are():
    assert ("all", "counted_clips") not in derive(cell(replications="auto"))
    assert derive(cell(warmup_s="mser5"))["all", "counted_clips"] == 10 * 6 * 60


# Fading over time


def test_doppler_and_coherence_time():
    values = derive(cell({"kind": "rayleigh"}))
    assert values["near", "doppler_hz"] == pytest.approx(3.0 * 3.5e9 / 299_792_458.0)
    assert values["near", "coherence_time_s"] == pytest.approx(0.423 / 35.024, rel=1e-4)
    assert values["near", "step_s"] == pytest.approx(0.02 / 35.024, rel=1e-4)
    assert values["near", "steps"] == math.ceil(61.0 / values["near", "step_s"])


def test_each_group_has_a_doppler_of_its_own():
    devices = [{"name": "slow"}, {"name": "fast", "speed_m_s": 30.0}, {"fading": {"kind": "awgn"}}]
    values = derive(cell({"kind": "rayleigh"}, devices=devices))
    assert values["fast", "doppler_hz"] == pytest.approx(10 * values["slow", "doppler_hz"])
    assert ("group-2", "doppler_hz") not in values


def test_standing_still_the_channel_stays_for_ever():
    with pytest.warns(ScenarioWarning):
        scenario = cell({"kind": "rayleigh"}, channel={"speed_m_s": 0.0})
    values = derive(scenario)
    assert (values["near", "doppler_hz"], values["near", "coherence_time_s"]) == (0.0, math.inf)


@pytest.mark.parametrize(("sharing", "step_s"), [("equal", 5e-4), ("fdma", 1.5e-3)])
def test_the_step_of_blocks_is_their_length(sharing, step_s):
    rate = {"kind": "finite-blocklength", "block_symbols": 500, "error_probability": 0.01}
    values = derive(cell(channel={"rate": rate, "sharing": sharing}))
    assert values["near", "step_s"] == pytest.approx(step_s)


# Mean SNR

NOISE_DBM = -173.975 + 60.0 + 5.0
"""290 K in 1 MHz with a noise figure of 5 dB."""


def test_a_given_snr_is_passed_on():
    values = derive(cell())
    assert (values["near", "mean_snr_db"], values["far", "mean_snr_db"]) == (10.0, 0.0)


def test_mean_snr_of_a_place():
    geometry = {"distance_m": 100.0}  # umi-nlos, TR 38.901 table 7.4.1-1
    values = derive(cell(channel={"mean_snr_db": None, "geometry": geometry}))
    loss_db = 35.3 * math.log10(math.hypot(100.0, 8.5)) + 22.4 + 21.3 * math.log10(3.5)
    assert values["near", "noise_dbm"] == pytest.approx(NOISE_DBM, abs=1e-3)
    assert values["near", "path_loss_db"] == pytest.approx(loss_db, abs=1e-9)
    assert values["near", "mean_snr_db"] == pytest.approx(23.0 - loss_db - NOISE_DBM, abs=1e-3)
    assert values["far", "mean_snr_db"] == 0.0


def test_where_sight_is_drawn_both_cases_are_shown():
    geometry = {"distance_m": 100.0, "path_loss": "uma"}
    scenario = cell(channel={"mean_snr_db": None, "geometry": geometry})
    rows = [row for row in derived_values(scenario) if row.where == "near"]
    losses = [(row.note, row.value) for row in rows if row.quantity == "path_loss_db"]
    assert [note for note, _ in losses] == ["uma-los", "uma-nlos"]
    assert losses[0][1] + 10.0 < losses[1][1]
    assert rate_in(scenario) is None


# Mean rate


def test_mean_rate_without_fading_is_exact():
    assert rate_in(cell()) == BAND_HZ * math.log2(1.0 + SNR)
    assert rate_in(cell(), group=1) == BAND_HZ


RATES = {
    "plain": ({"kind": "shannon"}, {}),
    "gap": ({"kind": "shannon", "gap_db": 3.0}, {"gap": 10**0.3}),
    "cap": ({"kind": "shannon", "max_bits_per_symbol": 3.0}, {"cap": 3.0}),
}


@pytest.mark.parametrize(("rate", "shape"), RATES.values(), ids=RATES)
@pytest.mark.parametrize("fading", ["rayleigh", "block"])
def test_mean_rate_in_rayleigh_fading(fading, rate, shape):
    spec = {"kind": "rayleigh"} if fading == "rayleigh" else {"kind": "block", "block_s": 1.0}
    expected, _ = integrate.quad(
        lambda power: math.exp(-power) * bits_per_symbol(SNR * power, **shape), 0, 60, limit=200
    )
    found = rate_in(cell(spec, channel={"rate": rate}))
    assert found == pytest.approx(BAND_HZ * expected, rel=1e-4)


def test_mean_rate_in_rayleigh_fading_has_a_closed_form():
    # exp(1 / snr) E1(1 / snr) / ln 2: Alouini and Goldsmith, IEEE Trans. Veh. Technol. 48(4), 1999.
    expected = math.exp(1.0 / SNR) * special.exp1(1.0 / SNR) / math.log(2.0)
    assert rate_in(cell({"kind": "rayleigh"})) == pytest.approx(BAND_HZ * expected, rel=1e-4)


@pytest.mark.parametrize("k_factor_db", [-20.0, 0.0, 9.0, 40.0])
def test_mean_rate_in_rician_fading(k_factor_db):
    k = 10 ** (k_factor_db / 10)
    power = stats.ncx2(2, 2 * k, scale=1 / (2 * (k + 1)))
    points = [power.ppf(q) for q in (1e-9, 0.1, 0.5, 0.9, 1 - 1e-9)]
    expected = sum(
        integrate.quad(lambda x: power.pdf(x) * bits_per_symbol(SNR * x), low, high)[0]
        for low, high in itertools.pairwise(points)
    )
    found = rate_in(cell({"kind": "rician", "k_factor_db": k_factor_db}))
    assert found == pytest.approx(BAND_HZ * expected, rel=1e-4)


def test_lost_blocks_lower_the_mean_rate():
    rate = {"kind": "finite-blocklength", "block_symbols": 500, "error_probability": 0.2}
    dispersion = SNR * (SNR + 2) / (SNR + 1) ** 2 * math.log2(math.e) ** 2
    bits = math.log2(1 + SNR) - math.sqrt(dispersion / 500) * 0.841621 + math.log2(500) / 1000
    found = rate_in(cell(channel={"rate": rate}))
    assert found == pytest.approx(0.8 * BAND_HZ * bits, rel=1e-6)


def test_mean_rate_in_a_part_of_the_band():
    scenario = cell(channel={"sharing": "fdma"})
    assert rate_in(scenario) == pytest.approx(BAND_HZ / 3 * math.log2(1.0 + 3 * SNR))


def test_under_fdma_every_device_loads_its_own_part():
    # 2 clips of 1,000 bits a second; the busiest are the far ones: 0 dB over the band, so three
    # times that in a third of it.
    rows = derived_values(cell(channel={"sharing": "fdma"}))
    (load,) = [row for row in rows if row.quantity == "link_load"]
    assert load.value == pytest.approx(2_000 / (BAND_HZ / 3 * math.log2(1.0 + 3.0)))
    assert load.note == "of the busiest part of the band; share of time busy"


@pytest.mark.parametrize(
    ("header", "band", "expected_bps"),
    [
        # Rows of 10, 30 and, like the median, 20 s.
        ("rate_bps", {"bandwidth_hz": None}, (10 * 1.0 + 30 * 0.0 + 20 * 3.0) / 60),
        (
            "snr_db",
            {},
            BAND_HZ * (10 * math.log2(1 + 10**0.1) + 30 + 20 * math.log2(1 + 10**0.3)) / 60,
        ),
    ],
    ids=["rate", "snr"],
)
def test_mean_rate_of_a_recording_weighs_by_time(in_tmp, header, band, expected_bps):
    Path("t.csv").write_text(f"time_s,{header}\n0,1\n10,0\n40,3\n")
    fading = {"kind": "trace", "file": "t.csv", "at_end": "loop", "max_gap_s": 30.0}
    scenario = cell(fading, devices={"name": "one"}, channel={"mean_snr_db": None, **band})
    assert rate_in(scenario) == pytest.approx(expected_bps)
    assert derive(scenario)["one", "trace_s"] == 60.0


@pytest.mark.parametrize(
    ("fading", "rate"),
    [
        (
            {"kind": "tdl", "profile": "TDLA30"},
            {"kind": "finite-blocklength", "block_symbols": 100, "error_probability": 0.01},
        ),
        ({"kind": "rayleigh"}, {"kind": "nr"}),
    ],
    ids=["tdl", "nr"],
)
def test_no_mean_rate_and_no_load_without_a_closed_form(fading, rate):
    scenario = cell(fading, channel={"rate": rate})
    assert rate_in(scenario) is None
    assert ("constant", "link_load") not in derive(scenario)
    assert derive(scenario)["constant", "offered_bps"] == 6000.0


# Load


def test_offered_load_by_hand():
    schemes = [
        {"codec": "constant", "payload_bits": 1000},
        {"codec": "raw"},
        {"codec": "stae", "ratio": [52, 104]},
        {"codec": "local"},
    ]
    values = derive(cell(schemes=schemes))
    payloads = {
        "constant": 1000,
        "raw": RAW_BITS,
        "stae@52": RAW_BITS / 52,
        "stae@104": RAW_BITS / 104,
    }
    assert {where for where, what in values if what == "payload_bits"} == set(payloads)
    for name, bits in payloads.items():
        assert values[name, "payload_bits"] == pytest.approx(bits)
        packets = 0 if name == "constant" else math.ceil(bits / 8 / 1472)
        bits += 8 * 36 * packets
        assert values.get((name, "sent_bits"), bits) == pytest.approx(bits)
        assert values[name, "offered_bps"] == pytest.approx(6 * bits)
        # Two clips a second at log2(11) bits per symbol, four at 1 bit per symbol.
        busy = 2 * bits / (BAND_HZ * math.log2(11.0)) + 4 * bits / BAND_HZ
        assert values[name, "link_load"] == pytest.approx(busy)


def test_an_overloaded_link_is_pointed_out():
    notes = {
        row.where: row.note
        for row in derived_values(cell(schemes=[{"codec": "raw"}, {"codec": "stae", "ratio": 999}]))
        if row.quantity == "link_load"
    }
    assert notes == {
        "raw": "of the shared link; above 1: the queue grows without end",
        "stae@999": "of the shared link; share of time busy",
    }


def test_payloads_of_other_data_follow_from_the_classifier(tmp_path):
    clips = {"data": f"videofolder:{tmp_path}", "arrivals": {"kind": "poisson", "rate_hz": 2.0}}
    schemes = [{"codec": "raw"}, {"codec": "constant", "payload_bits": 1000}]
    values = derive(cell(clips=clips, schemes=schemes))
    assert values["raw", "payload_bits"] == 16 * 64 * 64 * 24
    assert values["constant", "payload_bits"] == 1000
