"""One world: one scheme alone, one replication, from the first birth to the end of the clock."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fadeline.channels.trace import LinkTrace
from fadeline.channels.units import dbm_to_w
from fadeline.simulator.compute.profile import load_profile
from fadeline.simulator.engine.arrivals import Workload, durations_s, workload
from fadeline.simulator.engine.clip import OUTCOMES, Clip, Frames
from fadeline.simulator.engine.clip_process import Surroundings, camera
from fadeline.simulator.engine.clock import FIRST, Clock
from fadeline.simulator.engine.device import Device
from fadeline.simulator.engine.edge_server import EdgeServer
from fadeline.simulator.engine.ledger import PLACES, WAY, Ledger
from fadeline.simulator.engine.streaming_device import StreamingDevice
from fadeline.simulator.engine.uplink import Link, radio
from fadeline.simulator.links.packets import air_bits
from fadeline.simulator.links.traces import device_trace
from fadeline.simulator.scenario.device import DeviceGroup
from fadeline.simulator.scenario.scenario import Scenario
from fadeline.simulator.schemes.prepare import Handled, Handling
from fadeline.simulator.streams import Streams

Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Station:
    """A device of a scenario in one replication: what all schemes find there.

    Attributes:
        group: Position of its group.
        device: Number in the group.
        trace: Of its link.
        clips: Its clips.
    """

    group: int
    device: int
    trace: LinkTrace
    clips: Workload


def stations(scenario: Scenario, replication: int) -> list[Station]:
    """Return every device of a replication, in order."""
    streams = Streams(scenario.seed)
    return [
        Station(
            group,
            device,
            device_trace(scenario, streams, replication=replication, group=group, device=device),
            workload(scenario, streams, replication=replication, group=group, device=device),
        )
        for group, devices in enumerate(scenario.devices)
        for device in range(devices.count)
    ]


def run_world(
    scenario: Scenario,
    handling: Handling,
    there: Sequence[Station],
    *,
    acted_deadline_s: float | None = None,
) -> Columns:
    """Return a row for each clip, by device and number, as columns.

    Args:
        scenario: Checked scenario.
        handling: The scheme.
        there: From `stations`.
        acted_deadline_s: Deadline that components act on, if any does.
    """
    clock, edge_spec = Clock(), scenario.edge
    networks_s = handling.networks_s

    def service_s(batch: Sequence[Clip]) -> float:
        own_s = batch[0].infer_s if len(batch) == 1 else sum(clip.infer_s for clip in batch)
        return networks_s(len(batch)) * batch[0].infer_factor + own_s

    edge = EdgeServer(
        clock,
        service_s,
        workers=edge_spec.workers,
        order=edge_spec.queue.order,
        limit=edge_spec.queue.limit,
        drop_after_s=acted_deadline_s if edge_spec.queue.drop_expired else None,
        batch_size=edge_spec.batch.max_size,
        batch_wait_s=edge_spec.batch.max_wait_s,
    )
    air = radio(clock, scenario.channel.sharing)
    ledger = Ledger(sum(len(station.clips.born_s) for station in there), scenario.horizon_s)
    handled: list[Handled] = []
    devices: list[Device | StreamingDevice] = []
    first = FIRST
    for station in there:
        group = scenario.devices[station.group]
        made = handling.handle(group, station.clips.draws)
        kind = Device if made.frame_bits is None else StreamingDevice
        device = kind(
            clock,
            air,
            Link(station.trace, scenario.horizon_s),
            limit=group.queue.limit,
            when_full=group.queue.when_full,
            access_delay_s=scenario.channel.access_delay_s,
        )
        clips = _clips(scenario, station, made, handling, first)
        clock.process(camera(clips, Surroundings(clock, device, edge, ledger)))
        handled.append(made)
        devices.append(device)
        first += len(station.clips.born_s)
    clock.run(until=scenario.horizon_s)
    air.stop()
    for device in devices:
        device.stop(scenario.horizon_s)
    return _columns(scenario, handling, there, handled, ledger.close())


def _clips(
    scenario: Scenario, station: Station, handled: Handled, handling: Handling, first: int
) -> Iterator[Clip]:
    """Yield the clips of a device, each when it is born: few are alive at a time."""
    headers_bytes = scenario.channel.headers_bytes if handling.in_packets else 0
    frame_bits = handled.frame_bits
    if frame_bits is not None:
        frame_bits = air_bits(frame_bits, headers_bytes)
    round_trips_s = durations_s(scenario.edge.round_trip_s, station.clips.draws("core"))
    values = (
        station.clips.born_s,
        handled.encode_s,
        air_bits(handled.payload_bits, headers_bytes),
        handled.infer_s,
        handled.infer_factor,
        round_trips_s,
    )
    rows = zip(*(column.tolist() for column in values), strict=True)
    for number, (born_s, encode_s, bits, infer_s, factor, trip_s) in enumerate(rows):
        clip = Clip(first + number, born_s, encode_s, bits, infer_s, factor, trip_s, handling.local)
        if frame_bits is not None:
            clip.frames = _frames(clip, frame_bits[number].tolist(), scenario)
        yield clip


def _frames(clip: Clip, bits: list[float], scenario: Scenario) -> Frames:
    """Return a clip's frames; those that would be there before the clock starts are there then."""
    last, rate_hz = len(bits) - 1, scenario.clips.frame_rate_hz
    captured_s = [max(clip.born_s - (last - k) / rate_hz, 0.0) for k in range(last + 1)]
    return Frames(captured_s, clip.encode_s / len(bits), bits)


def _columns(
    scenario: Scenario,
    handling: Handling,
    there: Sequence[Station],
    handled: Sequence[Handled],
    times: Columns,
) -> Columns:
    counts = [len(station.clips.born_s) for station in there]

    def spread(values: Sequence[float]) -> NDArray[np.float64]:
        return np.repeat(np.asarray(values, dtype=np.float64), counts)

    def joined(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(made, name) for made in handled])

    groups = [scenario.devices[station.group] for station in there]
    names = [f"{scenario.group_names[station.group]}/{station.device}" for station in there]
    # A part of the board that computes longer is charged with a part of its power.
    compute_w = spread(
        [load_profile(group.profile).power_w.value * group.board_share for group in groups]
    )
    radio_w = spread(
        [
            group.radio_circuit_w + dbm_to_w(group.tx_power_dbm) / group.pa_efficiency
            for group in groups
        ]
    )
    computed_s = np.nan_to_num(times["computed_s"])
    compute_j = compute_w * computed_s
    idle_j = np.repeat(_idle_j(scenario, groups, computed_s, counts), counts)
    airtime_s = np.nan_to_num(times["airtime_s"])
    radio_j = radio_w * airtime_s
    with np.errstate(divide="ignore", invalid="ignore"):
        snr_db = 10.0 * np.log10(times["snr_s"] / airtime_s)
    outcome = np.array(OUTCOMES)[np.nan_to_num(times["outcome"]).astype(int)]
    return {
        "device": np.repeat(np.array(names), counts),
        "clip_id": np.concatenate([np.arange(count) for count in counts]),
        "counted": _counted(scenario, times["born_s"]),
        "data_index": joined("data_index"),
        "operating_point": np.full(len(airtime_s), handling.operating_point),
        "payload_bits": joined("payload_bits"),
        "sent_bits": np.nan_to_num(times["sent_bits"]),
        **{name: times[name] for name in WAY},
        "batch_size": np.nan_to_num(times["batch_size"]).astype(np.int64),
        "attempts": np.isfinite(times["tx_start_s"]).astype(np.int64),
        "airtime_s": airtime_s,
        "snr_db": np.where(airtime_s > 0, snr_db, np.nan),
        "compute_j": compute_j,
        "radio_j": radio_j,
        "idle_j": idle_j,
        "energy_j": compute_j + radio_j + idle_j,
        "label": joined("label"),
        "predicted": joined("predicted"),
        "confidence": joined("confidence"),
        "correct": joined("correct"),
        "outcome": outcome,
        "lost_in": np.array(PLACES)[np.nan_to_num(times["lost_in"]).astype(int)],
        "lost_s": times["lost_s"],
    }


def _idle_j(
    scenario: Scenario,
    groups: Sequence[DeviceGroup],
    computed_s: NDArray[np.float64],
    counts: Sequence[int],
) -> list[float]:
    """Return what each clip of a device is charged for the board's waiting, where that is asked."""
    ends = np.cumsum(counts)
    found = []
    for group, count, end in zip(groups, counts, ends, strict=True):
        if not group.idle_power or not count:
            found.append(0.0)
            continue
        waited_s = scenario.horizon_s - float(computed_s[end - count : end].sum())
        idle_w = load_profile(group.profile).idle_power_w.value * group.board_share
        found.append(idle_w * waited_s / count)
    return found


def _counted(scenario: Scenario, born_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    first_s = 0.0 if isinstance(scenario.warmup_s, str) else scenario.warmup_s
    counted: NDArray[np.bool_] = (born_s >= first_s) & (born_s < scenario.duration_s)
    return counted
