"""What schemes make of clips, from outcome tables."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fadeline.models.measurement.outcomes import (
    COLUMNS,
    FROZEN,
    OWN,
    UNCOMPRESSED,
    CodecFacts,
    NetworkWork,
    Outcomes,
)
from fadeline.simulator.compute.profile import load_profile
from fadeline.simulator.errors import FadelineError
from fadeline.simulator.scenario.device import DeviceGroup
from fadeline.simulator.scenario.edge import Edge
from fadeline.simulator.scenario.scheme import (
    LearnedScheme,
    LocalScheme,
    RawScheme,
    TableScheme,
)
from fadeline.simulator.schemes.prepare import handling

CLIPS = 8
RAW_BYTES = 1000
VIT = NetworkWork(600_000_000, 20_000_000, 5_000_000)
ENCODER, DECODER = NetworkWork(50_000_000, 3_000_000, 100_000), NetworkWork(90_000_000, 4, 5)

REFERENCE_S = 2.0 * next(
    t.median_s for t in load_profile("host").stages["classify"] if t.batch == 1
)
"""Of a machine that takes twice as long as the host for networks."""


def points(*ratios, packets=1):
    return [
        {"ratio": ratio, "frames": 4, "positions": 9, "channels": 2, "radius": 3,
         "packets": packets} for ratio in ratios
    ]  # fmt: skip


def host_speed():
    speed = load_profile("host").serial_symbols_per_s
    assert speed is not None
    return speed.value


def outcomes(codec="stae", ratios=(10.0, 100.0)):
    """Return a table whose clips are right where their number has the bit of the point."""
    rows = [
        _row(UNCOMPRESSED, FROZEN, 0, clip, RAW_BYTES, correct=clip % 4 != 3)
        for clip in range(CLIPS)
    ]
    for point, ratio in enumerate(ratios):
        for clip in range(CLIPS):
            size = round(RAW_BYTES / ratio)
            rows.append(_row(codec, OWN, point, clip, size, correct=bool(clip >> point & 1)))
            rows.append(_row(codec, FROZEN, point, clip, size, correct=False))
    facts = CodecFacts(
        points(*ratios), {"codec": "a", "classifier": "b"}, ENCODER, DECODER,
        [0.003, 0.004], [0.005, 0.006], [0.001, 0.002], [0.003, 0.004], 2.0 * host_speed(),
    )  # fmt: skip
    frame = pd.DataFrame(rows, columns=[*COLUMNS])
    return Outcomes(
        "actions/test",
        "1",
        "x",
        ["a", "b"],
        RAW_BYTES,
        "v",
        VIT,
        REFERENCE_S,
        {codec: facts},
        frame,
    )


def _row(codec, classifier, point, clip, size, *, correct):
    return {
        "codec": codec, "classifier": classifier, "operating_point": point, "packets": 1,
        "data_index": clip, "bytes": size, "label": 1, "predicted": int(correct),
        "confidence": 0.5, "correct": correct,
    }  # fmt: skip


def draws(stage, clips=64):
    if stage == "data":
        return (np.arange(clips) % CLIPS + 0.5) / CLIPS
    return np.full(clips, 0.5)  # no jitter


def made(scheme, ratio=None, group=None, edge=None, table=None):
    found = handling(scheme, "it", ratio, edge or Edge(), table or outcomes())
    return found, found.handle(group or DeviceGroup(profile="raspberry-pi-4"), draws)


def test_a_learned_codec_takes_its_own_classifiers_answers():
    _, handled = made(LearnedScheme(codec="stae", ratio=100), 100)
    assert handled.data_index.tolist() == list(range(CLIPS)) * (64 // CLIPS)
    assert handled.correct.tolist() == [bool(clip >> 1 & 1) for clip in handled.data_index]
    assert set(handled.payload_bits) == {80.0}


def test_times_are_those_measured_carried_over():
    found, handled = made(LearnedScheme(codec="stae", ratio=10), 10, edge=Edge(slowdown=2.0))
    board, host = load_profile("raspberry-pi-4"), load_profile("host")
    # 2 ms of network on a machine half as fast: 1 ms on the host, and as many times that on the
    # board as its rate is slower.
    slower = host.sustained_flops_per_s.value / board.sustained_flops_per_s.value
    network_s = 0.001 * slower + board.overhead_s.value
    assert handled.encode_s == pytest.approx(network_s + board.serial_s(0.002))
    assert handled.infer_s == pytest.approx(host.serial_s(0.006, slowdown=2.0))
    for clips in (1, 4):
        classifier_s = host.latency_s(clips * VIT.flops, clips * VIT.moved_bytes + VIT.weight_bytes)
        assert found.networks_s(clips) == pytest.approx(2.0 * (0.001 * clips + classifier_s))
    assert found.encode_s is not None
    by_rule_s = board.latency_s(ENCODER.flops, ENCODER.moved_bytes + ENCODER.weight_bytes)
    group = DeviceGroup(profile="raspberry-pi-4")
    assert found.encode_s(group, True) == pytest.approx(by_rule_s + board.serial_s(0.002))


def test_an_end_of_the_profiles_range_is_as_much_slower():
    scheme = LearnedScheme(codec="stae", ratio=10)
    board = load_profile("raspberry-pi-4")
    low = DeviceGroup(profile="raspberry-pi-4", network_speed="low")
    more_s = made(scheme, 10, group=low)[1].encode_s - made(scheme, 10)[1].encode_s
    rates = board.sustained_flops_per_s
    assert rates.low is not None
    assert more_s == pytest.approx(0.001 * host_flops() * (1.0 / rates.low - 1.0 / rates.value))


def host_flops():
    return load_profile("host").sustained_flops_per_s.value


def test_a_part_of_a_board_takes_as_many_times_as_long():
    scheme = LearnedScheme(codec="stae", ratio=10)
    quarter, slow = (
        made(scheme, 10, group=group)[1].encode_s
        for group in (
            DeviceGroup(profile="raspberry-pi-4", share=0.25),
            DeviceGroup(profile="raspberry-pi-4", slowdown=4.0),
        )
    )
    assert quarter == pytest.approx(4.0 * made(scheme, 10)[1].encode_s)
    assert quarter.tolist() == slow.tolist()


def test_a_slow_device_encodes_slowly():
    slow = DeviceGroup(profile="raspberry-pi-4", slowdown=5.0)
    scheme = LearnedScheme(codec="stae", ratio=10)
    ratio = made(scheme, 10, group=slow)[1].encode_s / made(scheme, 10)[1].encode_s
    assert ratio == pytest.approx(5.0)


def test_raw_sends_the_pixels_and_encodes_nothing():
    found, handled = made(RawScheme(codec="raw"))
    assert set(handled.payload_bits) == {8.0 * RAW_BYTES}
    assert not handled.encode_s.any()
    assert not found.local
    assert handled.correct.tolist() == [clip % 4 != 3 for clip in handled.data_index]


def test_local_computes_on_the_device_and_sends_nothing():
    found, handled = made(LocalScheme(codec="local"))
    board = load_profile("raspberry-pi-4")
    expected = board.latency_s(VIT.flops, VIT.moved_bytes + VIT.weight_bytes)
    assert handled.encode_s == pytest.approx(expected)
    assert not handled.payload_bits.any()
    assert found.local


def test_the_nearest_operating_point_is_taken_and_named():
    found, _ = made(LearnedScheme(codec="stae", ratio=90), 90)
    assert found.operating_point == 1
    assert "measured at 100x" in found.note


def test_nothing_measured_near_is_an_error_that_says_what_is():
    with pytest.raises(FadelineError, match=r"near 70x; the nearest is 100x, \+43% off"):
        made(LearnedScheme(codec="stae", ratio=70), 70)


def test_points_in_several_packets_do_not_stand_for_a_ratio():
    table = outcomes()
    facts = replace(
        table.codecs["stae"], operating_points=[*points(10.0), *points(100.0, packets=4)]
    )
    with pytest.raises(FadelineError, match="nearest is 10x"):
        made(LearnedScheme(codec="stae", ratio=100), 100,
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
    _, handled = made(own(tmp_path))
    clip = handled.data_index
    assert set(clip) == {0, 1, 2}
    assert (handled.payload_bits == 10 * clip).all()
    assert handled.encode_s == pytest.approx(0.1 * clip)
    assert (handled.correct == (clip > 0)).all()
