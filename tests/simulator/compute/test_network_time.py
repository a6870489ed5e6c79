"""Measured times of networks, carried over to boards."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fadeline.models.hardware.network_work import NetworkWork
from fadeline.models.measurement.outcomes import read_outcomes, shipped_outcomes
from fadeline.simulator.compute.network_time import NetworkTime
from fadeline.simulator.compute.profile import load_profile, shipped_profiles

HOST = load_profile("host")
REFERENCE_S = next(times.median_s for times in HOST.stages["classify"] if times.batch == 1)
WORK = NetworkWork(56_000_000, 8_000_000, 100_000)


@given(st.floats(1e-5, 1.0), st.floats(0.2, 5.0))
def test_on_the_host_it_takes_what_was_measured(measured_s, machine):
    """Whatever machine measured it: the reference network tells how fast that was."""
    network = NetworkTime.measured(WORK, measured_s * machine, REFERENCE_S * machine)
    assert network.on(HOST) == pytest.approx(measured_s + HOST.overhead_s.value)
    assert network.on(HOST, clips=4) == pytest.approx(4 * measured_s, rel=0.02)


@pytest.mark.parametrize("name", shipped_profiles())
def test_twice_as_long_on_the_host_is_twice_as_long_everywhere(name):
    board = load_profile(name)
    one, two = (NetworkTime.measured(WORK, s, REFERENCE_S).on(board) for s in (0.1, 0.2))
    overhead_s = board.overhead_s.value
    assert (two - overhead_s) / (one - overhead_s) == pytest.approx(2.0)


def test_without_a_measurement_it_is_the_rule():
    board = load_profile("t4")
    by_rule_s = board.latency_s(4 * WORK.flops, 4 * WORK.moved_bytes + WORK.weight_bytes)
    assert NetworkTime.by_rule(WORK).on(board, clips=4) == by_rule_s


@pytest.mark.parametrize("data", sorted(shipped_outcomes()))
def test_simulated_and_measured_times_agree_on_the_host(data):
    """Encoding and decoding as the simulator takes them, and whole as they were timed: 25 %."""
    outcomes = read_outcomes(shipped_outcomes()[data])
    for facts in outcomes.codecs.values():
        times = (
            (facts.encoder, facts.encoder_s, facts.encode_serial_s, facts.encode_s),
            (facts.decoder, facts.decoder_s, facts.decode_serial_s, facts.decode_s),
        )
        for work, network_s, serial_s, whole_s in times:
            network = NetworkTime.measured(work, network_s, outcomes.reference_network_s)
            for point, packets in enumerate(p["packets"] for p in facts.operating_points):
                if packets == 1:
                    simulated_s = network.on(HOST) + serial_s[point]
                    assert simulated_s == pytest.approx(whole_s[point], rel=0.25)


def test_stae_takes_longer_than_deepisc_though_both_count_as_many_operations():
    outcomes = read_outcomes(shipped_outcomes()["actions/test"])
    stae, deepisc = (outcomes.codecs[name] for name in ("stae", "deepisc-task"))
    assert stae.encoder.flops == pytest.approx(deepisc.encoder.flops, rel=0.01)
    board = load_profile("raspberry-pi-4")
    measured = [
        NetworkTime.measured(facts.encoder, facts.encoder_s, outcomes.reference_network_s)
        for facts in (stae, deepisc)
    ]
    less_overhead_s = [network.on(board) - board.overhead_s.value for network in measured]
    assert 1.3 < less_overhead_s[0] / less_overhead_s[1] < 1.6
