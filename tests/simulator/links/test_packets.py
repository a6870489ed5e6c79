"""What goes over the air beside the payload."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fadeline.simulator.engine.world import World, stations
from fadeline.simulator.links.packets import PACKET_PAYLOAD_BYTES, air_bits
from fadeline.simulator.loading.load import load_scenario, scenario_from_dict
from fadeline.simulator.schemes.prepare import prepared_schemes


def test_every_packet_has_its_headers():
    full = 8.0 * PACKET_PAYLOAD_BYTES
    assert air_bits([0.0, 1.0, full, full + 8.0], 36).tolist() == [
        0.0, 1.0 + 288.0, full + 288.0, full + 8.0 + 576.0
    ]  # fmt: skip


@given(st.floats(0.0, 1e9), st.integers(0, 1000))
def test_headers_only_add(bits, headers_bytes):
    assert bits <= air_bits(bits, headers_bytes) < bits * (1 + headers_bytes / 1472) + 8001
    assert air_bits(bits, 0) == bits


def world(**channel):
    changes = [f"channel.{key}={value}" for key, value in channel.items()]
    scenario = load_scenario("rayleigh", set_values=["duration_s=4", *changes])
    return {
        scheme.name: World(scenario, scheme, stations(scenario, 0)).run()
        for scheme in prepared_schemes(scenario)
    }


def test_a_frame_sent_by_itself_is_a_packet():
    rows = world(headers_bytes=36)
    sent = {name: one["sent_bits"] - one["payload_bits"] for name, one in rows.items()}
    done = {name: one["outcome"] == "done" for name, one in rows.items()}
    streaming = sent["deepisc-streaming@104"][done["deepisc-streaming@104"]]
    # One for each of 16 frames, less those of which nothing is final before the next.
    assert streaming.min() > 10 * 288.0
    assert streaming.max() == pytest.approx(16 * 288.0)
    for name in ("stae@104", "deepisc@104"):
        assert set(np.round(sent[name][done[name]])) <= {288.0, 576.0}
    assert (rows["local"]["sent_bits"] == 0.0).all()


def test_headers_take_time_on_the_air():
    without, with_headers = world(headers_bytes=0), world(headers_bytes=36)
    name = "deepisc-streaming@104"
    assert (without[name]["sent_bits"] <= without[name]["payload_bits"]).all()
    assert with_headers[name]["airtime_s"].sum() > 1.2 * without[name]["airtime_s"].sum()


def test_a_constant_scheme_has_no_headers():
    scenario = scenario_from_dict(
        {
            "name": "exact", "duration_s": 2.0, "warmup_s": 0,
            "clips": {"arrivals": {"kind": "periodic", "rate_hz": 1.0}},
            "channel": {"fading": {"kind": "awgn"}, "bandwidth_hz": 1e6, "mean_snr_db": 0.0},
            "schemes": [{"codec": "constant", "payload_bits": 5000}],
        }
    )  # fmt: skip
    rows = World(scenario, prepared_schemes(scenario)[0], stations(scenario, 0)).run()
    assert rows["airtime_s"] == pytest.approx(0.005)
