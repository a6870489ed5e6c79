"""What clips are charged for: computing, sending, and waiting if that is asked for."""

import numpy as np
import pytest

from fadeline.channels.units import dbm_to_w
from fadeline.simulator.compute.profile import load_profile
from fadeline.simulator.engine.world import World, stations
from fadeline.simulator.loading.load import load_scenario
from fadeline.simulator.schemes.prepare import prepared_schemes

BOARD = load_profile("raspberry-pi-4")


def world(*changes, codec="local", ratio=""):
    schemes = f"schemes=[{{codec: {codec}{ratio}}}]"
    scenario = load_scenario(
        "rayleigh", set_values=["duration_s=8", schemes, f"baseline={codec}", *changes]
    )
    (scheme,) = prepared_schemes(scenario)
    return scenario, World(scenario, scheme, stations(scenario, 0)).run()


def computed_s(rows):
    return np.nan_to_num(rows["encoded_s"] - rows["encode_start_s"])


def test_a_part_of_a_board_is_charged_with_its_part_of_the_power():
    for change, part in (
        ("devices.share=0.25", 0.25),
        ("devices.share=1.0", 1.0),
        ("devices.slowdown=4", 0.25),
        ("devices.slowdown=0.5", 2.0),
    ):
        _, rows = world(change)
        done = rows["outcome"] == "local"
        expected = part * BOARD.power_w.value * computed_s(rows)
        assert rows["compute_j"][done] == pytest.approx(expected[done])
        assert rows["energy_j"] == pytest.approx(rows["compute_j"])
        # The same work, however it is spread in time.
        assert rows["compute_j"][done].mean() == pytest.approx(0.147, rel=0.01)


def test_waiting_is_charged_only_where_it_is_asked_for():
    assert (world()[1]["idle_j"] == 0.0).all()
    scenario, rows = world("devices.idle_power=true")
    idle_w = 0.25 * BOARD.idle_power_w.value
    for device in range(4):
        mine = rows["device"] == f"group-0/{device}"
        waited_s = scenario.horizon_s - computed_s(rows)[mine].sum()
        assert rows["idle_j"][mine] == pytest.approx(idle_w * waited_s / mine.sum(), rel=0.01)
    assert rows["energy_j"] == pytest.approx(rows["compute_j"] + rows["radio_j"] + rows["idle_j"])


def test_sending_is_charged_by_the_time_on_the_air():
    scenario, rows = world(codec="stae", ratio=", ratio: 104")
    group = scenario.devices[0]
    sending_w = group.radio_circuit_w + dbm_to_w(group.tx_power_dbm) / group.pa_efficiency
    assert rows["radio_j"] == pytest.approx(sending_w * rows["airtime_s"])
