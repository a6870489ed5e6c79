"""Tiny worlds that several tests build: clips given by hand, cells of a few devices, tables."""

from math import inf
from typing import Any

import pandas as pd

from fadeline.channels.trace import LinkTrace
from fadeline.models.hardware.network_work import NetworkWork
from fadeline.models.measurement.outcomes import (
    COLUMNS,
    FROZEN,
    OWN,
    UNCOMPRESSED,
    CodecFacts,
    Outcomes,
)
from fadeline.simulator.compute.profile import load_profile
from fadeline.simulator.engine.clip import Clip, Option
from fadeline.simulator.engine.clip_process import Stations, camera
from fadeline.simulator.engine.clock import FIRST, Clock
from fadeline.simulator.engine.device import Device, DeviceRules, Memory
from fadeline.simulator.engine.edge_server import EdgeServer
from fadeline.simulator.engine.ledger import TIMES, Ledger
from fadeline.simulator.engine.records import OUTCOMES
from fadeline.simulator.engine.streaming_device import StreamingDevice
from fadeline.simulator.engine.uplink import uplink
from fadeline.simulator.links.link import Link
from fadeline.simulator.loading.load import plan_from_dict

STEADY = LinkTrace.uniform([1000.0] * 100, 1.0, [3.0] * 100)
"""A thousand bits a second, for a hundred seconds."""

WITHOUT_LIMIT: Any = (None, "drop-oldest")


def fixed_clip(order, born_s, encode_s, bits, infer_s, trip_s=0.0, *, local=False):
    """Return a clip with one operating point."""
    return Clip(order, born_s, [Option(encode_s, bits, infer_s, local)], 1.0, trip_s)


def world(
    *devices, sharing="equal", queue=None, traces=None, end_s=100.0, access_delay_s=0.0,
    device_drop_s=None, policy=None, link=Link, **edge
):  # fmt: skip
    """Return what became of the clips of devices; each clip is (born, encode, bits, infer, trip).

    A device's `queue` is (limit, when_full). Instead of encode, bits and infer, a clip may have a
    list of options.
    """
    limit, when_full = queue or WITHOUT_LIMIT
    rules = DeviceRules(limit, when_full, device_drop_s, access_delay_s)
    clock = Clock()
    air = uplink(clock, sharing)
    server = EdgeServer(clock, lambda batch: sum(clip.option.infer_s for clip in batch), **edge)
    ledger = Ledger(sum(map(len, devices)), end_s)
    order, made = FIRST, []
    for number, rows in enumerate(devices):
        memory = None if policy is None else Memory(policy, (), device_drop_s or inf)
        there = link(traces[number] if traces else STEADY, end_s)
        device = Device(clock, air, there, rules, memory)
        clips = [
            row(order + k) if callable(row) else fixed_clip(order + k, *row)
            for k, row in enumerate(rows)
        ]
        order += len(clips)
        made.append(device)
        clock.process(camera(clips, Stations(clock, device, server, ledger)))
    clock.run_until(end_s)
    air.stop()
    for device in made:
        device.stop(end_s)
    return ledger.close()


def streamed(
    *clips, limit=None, when_full="drop-oldest", trace=STEADY, sharing="equal", devices=1,
    access_delay_s=0.0, drop_s=None, end_s=50.0,
):  # fmt: skip
    """Return what became of clips, each (captured, encode_s, bits), on each of some devices."""
    clock = Clock()
    air = uplink(clock, sharing)
    server = EdgeServer(clock, lambda batch: 0.5)
    ledger = Ledger(len(clips) * devices, end_s)
    rules = DeviceRules(limit, when_full, drop_s, access_delay_s)
    made = []
    for number in range(devices):
        device = StreamingDevice(clock, air, Link(trace, end_s), rules)
        rows = []
        for k, (captured, encode_s, bits) in enumerate(clips):
            option = Option(encode_s * len(bits), sum(bits), 0.0, frame_bits=bits)
            order = FIRST + number * len(clips) + k
            rows.append(Clip(order, captured[-1], [option], 1.0, 0.0, captured))
        clock.process(camera(rows, Stations(clock, device, server, ledger)))
        made.append(device)
    clock.run_until(end_s)
    air.stop()
    for device in made:
        device.stop(end_s)
    return ledger.close()


def times(found, clip):
    """Return the times of a clip's way: encoding, sent, at the edge, done."""
    return [float(found[name][clip]) for name in TIMES[1:9]]


def outcomes_of(found):
    """Return what became of each clip."""
    return [OUTCOMES[int(number)] for number in found["outcome"]]


# Outcome tables

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


# Cells

SMALL = {"codec": "constant", "name": "small", "payload_bits": 20_000, "accuracy": 0.8,
         "encode_s": 0.01, "infer_s": 0.02}  # fmt: skip
LARGE = {"codec": "constant", "name": "large", "payload_bits": 400_000, "accuracy": 0.9,
         "encode_s": 0.01, "infer_s": {"kind": "exponential", "mean_s": 0.02}}  # fmt: skip


def cell(**changes):
    """Return the plan of three devices on a Rayleigh channel, two schemes, three replications."""
    data = {
        "name": "s", "seed": 3, "replications": 3, "duration_s": 12.0, "warmup_s": 1.0,
        "deadlines_s": [0.05, 0.1, 0.2], "report_at_s": 0.1,
        "clips": {"arrivals": {"kind": "poisson", "rate_hz": 2.0}},
        "devices": [{"count": 2, "name": "a"}, {"count": 1, "name": "b"}],
        "channel": {
            "fading": {"kind": "rayleigh"}, "speed_m_s": 1.0, "carrier_hz": 3.5e9,
            "mean_snr_db": 10.0, "bandwidth_hz": 1e6, "sharing": "equal",
            "rate": {"kind": "shannon", "gap_db": 3.0, "max_bits_per_symbol": 6.0},
        },
        "edge": {"round_trip_s": 0.004},
        "schemes": [SMALL, LARGE],
    }  # fmt: skip
    return plan_from_dict(data | changes)
