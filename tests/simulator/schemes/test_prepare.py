"""What schemes make of clips, from outcome tables."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fadeline.simulator.compute.profile import load_profile
from fadeline.simulator.errors import FadelineError
from fadeline.simulator.scenario.device import DeviceGroup
from fadeline.simulator.scenario.edge import Edge
from fadeline.simulator.scenario.scheme import (
    CodecScheme,
    LocalScheme,
    RawScheme,
    TableScheme,
)
from fadeline.simulator.schemes.prepare import prepared
from tests.simulator.worlds import CLIPS, ENCODER, RAW_BYTES, VIT, outcomes, points


def draws(stage, clips=64):
    if stage == "data":
        return (np.arange(clips) % CLIPS + 0.5) / CLIPS
    return np.full(clips, 0.5)  # no jitter


def made(scheme, ratio=None, group=None, edge=None, table=None):
    ratios = () if ratio is None else (ratio,)
    found = prepared(scheme, "it", ratios, edge or Edge(), table or outcomes())
    return found, found.prepare(group or DeviceGroup(profile="raspberry-pi-4"), draws)


def column(values):
    """Return the values at the only operating point."""
    return values[:, 0]


def test_a_learned_codec_takes_its_own_classifiers_answers():
    _, clips = made(CodecScheme(codec="stae", ratio=100), 100)
    assert clips.data_index.tolist() == list(range(CLIPS)) * (64 // CLIPS)
    assert column(clips.correct).tolist() == [bool(clip >> 1 & 1) for clip in clips.data_index]
    assert set(column(clips.payload_bits)) == {80.0}


def test_times_are_those_measured_carried_over():
    found, clips = made(CodecScheme(codec="stae", ratio=10), 10, edge=Edge(slowdown=2.0))
    board, host = load_profile("raspberry-pi-4"), load_profile("host")
    # 2 ms of network on a machine half as fast: 1 ms on the host, and as many times that on the
    # board as its rate is slower.
    slower = host.sustained_flops_per_s.value / board.sustained_flops_per_s.value
    network_s = 0.001 * slower + board.overhead_s.value
    assert column(clips.encode_s) == pytest.approx(network_s + board.serial_s(0.002))
    assert column(clips.infer_s) == pytest.approx(host.serial_s(0.006, slowdown=2.0))
    for count in (1, 4):
        classifier_s = host.latency_s(count * VIT.flops, count * VIT.moved_bytes + VIT.weight_bytes)
        assert found.networks_s(count) == pytest.approx(2.0 * (0.001 * count + classifier_s))
    assert found.encode_s is not None
    by_rule_s = board.latency_s(ENCODER.flops, ENCODER.moved_bytes + ENCODER.weight_bytes)
    group = DeviceGroup(profile="raspberry-pi-4")
    assert found.encode_s(group, True) == pytest.approx(by_rule_s + board.serial_s(0.002))


def test_an_end_of_the_profiles_range_is_as_much_slower():
    scheme = CodecScheme(codec="stae", ratio=10)
    board = load_profile("raspberry-pi-4")
    low = DeviceGroup(profile="raspberry-pi-4", network_speed="low")
    more_s = column(made(scheme, 10, group=low)[1].encode_s) - column(made(scheme, 10)[1].encode_s)
    rates = board.sustained_flops_per_s
    assert rates.low is not None
    assert more_s == pytest.approx(0.001 * host_flops() * (1.0 / rates.low - 1.0 / rates.value))


def host_flops():
    return load_profile("host").sustained_flops_per_s.value


def test_a_part_of_a_board_takes_as_many_times_as_long():
    scheme = CodecScheme(codec="stae", ratio=10)
    quarter, slow = (
        column(made(scheme, 10, group=group)[1].encode_s)
        for group in (
            DeviceGroup(profile="raspberry-pi-4", share=0.25),
            DeviceGroup(profile="raspberry-pi-4", slowdown=4.0),
        )
    )
    assert quarter == pytest.approx(4.0 * column(made(scheme, 10)[1].encode_s))
    assert quarter.tolist() == slow.tolist()


def test_a_slow_device_encodes_slowly():
    slow = DeviceGroup(profile="raspberry-pi-4", slowdown=5.0)
    scheme = CodecScheme(codec="stae", ratio=10)
    ratio = column(made(scheme, 10, group=slow)[1].encode_s) / column(made(scheme, 10)[1].encode_s)
    assert ratio == pytest.approx(5.0)


def test_raw_sends_the_pixels_and_encodes_nothing():
    found, clips = made(RawScheme(codec="raw"))
    assert set(column(clips.payload_bits)) == {8.0 * RAW_BYTES}
    assert not column(clips.encode_s).any()
    assert not found.local
    assert column(clips.correct).tolist() == [clip % 4 != 3 for clip in clips.data_index]


def test_local_computes_on_the_device_and_sends_nothing():
    found, clips = made(LocalScheme(codec="local"))
    board = load_profile("raspberry-pi-4")
    expected = board.latency_s(VIT.flops, VIT.moved_bytes + VIT.weight_bytes)
    assert column(clips.encode_s) == pytest.approx(expected)
    assert not column(clips.payload_bits).any()
    assert found.local


def test_the_nearest_operating_point_is_taken_and_named():
    found, _ = made(CodecScheme(codec="stae", ratio=90), 90)
    assert found.operating_points == (1,)
    assert "measured at 100x" in found.notes[0]


def test_nothing_measured_near_is_an_error_that_says_what_is():
    with pytest.raises(FadelineError, match=r"near 70x; the nearest is 100x, \+43% off"):
        made(CodecScheme(codec="stae", ratio=70), 70)


def test_points_in_several_packets_do_not_stand_for_a_ratio():
    table = outcomes()
    facts = replace(
        table.codecs["stae"], operating_points=[*points(10.0), *points(100.0, packets=4)]
    )
    with pytest.raises(FadelineError, match="nearest is 10x"):
        made(CodecScheme(codec="stae", ratio=100), 100,
             table=replace(table, codecs={"stae": facts}))  # fmt: skip


# A user's own table


def own(tmp_path):
    rows = {
        "data_index": [2, 0, 1], "payload_bits": [20, 0, 10], "correct": [True, False, True],
        "encode_s": [0.2, 0.0, 0.1], "infer_s": [0.02, 0.0, 0.01],
    }  # fmt: skip
    pd.DataFrame(rows).to_parquet(tmp_path / "mine.parquet")
    return TableScheme(codec="table", file=str(tmp_path / "mine.parquet"))


def test_a_table_of_ones_own(tmp_path):
    _, clips = made(own(tmp_path))
    clip = clips.data_index
    assert set(clip) == {0, 1, 2}
    assert (column(clips.payload_bits) == 10 * clip).all()
    assert column(clips.encode_s) == pytest.approx(0.1 * clip)
    assert (column(clips.correct) == (clip > 0)).all()
