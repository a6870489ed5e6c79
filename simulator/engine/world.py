"""One world: one scheme alone, one replication, from the first birth to the end of the clock."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fadeline.simulator.engine.arrivals import Workload, workload
from fadeline.simulator.engine.clip import Clip, Option
from fadeline.simulator.engine.clip_process import Stations, camera
from fadeline.simulator.engine.clock import FIRST, Clock
from fadeline.simulator.engine.device import Device, DeviceRules, Memory
from fadeline.simulator.engine.edge_server import EdgeServer
from fadeline.simulator.engine.energy import energy_columns
from fadeline.simulator.engine.ledger import Ledger
from fadeline.simulator.engine.records import OUTCOMES, PLACES, WAY, Columns, ordered
from fadeline.simulator.engine.streaming_device import StreamingDevice
from fadeline.simulator.engine.uplink import uplink
from fadeline.simulator.links.link import Link
from fadeline.simulator.links.packets import air_bits
from fadeline.simulator.links.traces import device_link
from fadeline.simulator.scenario.scenario import Scenario
from fadeline.simulator.schemes.draws import durations_s
from fadeline.simulator.schemes.scheme import PreparedClips, PreparedScheme
from fadeline.simulator.streams import Streams


@dataclass(frozen=True)
class Station:
    """A device of a scenario in one replication: what all schemes find there.

    Attributes:
        replication: Number of the replication.
        group: Position of the device's group.
        device: Number in the group.
        link: Of the device.
        clips: Its clips.
    """

    replication: int
    group: int
    device: int
    link: Link
    clips: Workload


def stations(scenario: Scenario, replication: int) -> list[Station]:
    """Return every device of a replication, in order."""
    streams = Streams(scenario.seed)
    return [
        Station(
            replication,
            group,
            device,
            device_link(scenario, streams, replication=replication, group=group, device=device),
            workload(scenario, streams, replication=replication, group=group, device=device),
        )
        for group, devices in enumerate(scenario.devices)
        for device in range(devices.count)
    ]


class World:
    """Clips, devices, the uplink and the edge server, on a clock.

    `run` takes it to the end of the clock at once; `step` lets one event happen at a time.

    Args:
        scenario: Checked scenario, without a sweep.
        scheme: What handles the clips.
        there: From `stations`.
        acted_deadline_s: Deadline that components act on, if any does.

    Example:
        >>> from fadeline.simulator.loading.load import load_scenario
        >>> from fadeline.simulator.schemes.prepare import prepared_schemes
        >>> short = load_scenario("rayleigh", set_values=["duration_s=3"])
        >>> world = World(short, prepared_schemes(short)[0], stations(short, replication=0))
        >>> sorted({*world.run()["outcome"].tolist()})
        ['done']
    """

    def __init__(
        self,
        scenario: Scenario,
        scheme: PreparedScheme,
        there: Sequence[Station],
        *,
        acted_deadline_s: float | None = None,
    ) -> None:
        self.scenario, self.scheme, self.there = scenario, scheme, there
        self.acted_deadline_s = acted_deadline_s
        self.clock = Clock()
        self.edge = self._edge_server()
        self.uplink = uplink(self.clock, scenario.channel.sharing)
        clips = sum(len(station.clips.born_s) for station in there)
        self.ledger = Ledger(clips, scenario.horizon_s)
        self.prepared: list[PreparedClips] = []
        self.devices: list[Device | StreamingDevice] = []
        first = FIRST
        for station in there:
            made = scheme.prepare(scenario.devices[station.group], station.clips.draws)
            device = self._device(station)
            self.prepared.append(made)
            self.devices.append(device)
            born = _clips(scenario, station, made, scheme, first)
            self.clock.process(
                camera(born, Stations(self.clock, device, self.edge, self.ledger))
            )  # fmt: skip
            first += len(station.clips.born_s)

    @property
    def over(self) -> bool:
        """Whether nothing more can happen before the end of the clock."""
        return self.clock.peek() >= self.scenario.horizon_s

    def step(self) -> list[Clip]:
        """Let the next event happen; return the clips that ended in it.

        Raises:
            RuntimeError: If the world is over.
        """
        if self.over:
            raise RuntimeError("the world is over; there is no next event")
        self.ledger.ended = []
        self.clock.step()
        return self.ledger.ended

    def run(self) -> Columns:
        """Take the world to the end of the clock; return its records.

        Returns:
            A row for each clip, by device and number: the columns of `clips.parquet` that are not
            of the run as a whole.
        """
        end_s = self.scenario.horizon_s
        self.clock.run_until(end_s)
        self.uplink.stop()
        for device in self.devices:
            device.stop(end_s)
        return self._records(self.ledger.close())

    def _edge_server(self) -> EdgeServer:
        edge, networks_s = self.scenario.edge, self.scheme.networks_s

        def service_s(batch: Sequence[Clip]) -> float:
            if len(batch) == 1:
                own_s = batch[0].option.infer_s
            else:
                own_s = sum(clip.option.infer_s for clip in batch)
            return networks_s(len(batch)) * batch[0].infer_factor + own_s

        return EdgeServer(
            self.clock,
            service_s,
            workers=edge.workers,
            order=edge.queue.order,
            limit=edge.queue.limit,
            drop_after_s=self.acted_deadline_s if edge.queue.drop_expired else None,
            batch_size=edge.batch.max_size,
            batch_wait_s=edge.batch.max_wait_s,
        )

    def _device(self, station: Station) -> Device | StreamingDevice:
        group = self.scenario.devices[station.group]
        queue = group.queue
        rules = DeviceRules(
            queue.limit,
            queue.when_full,
            self.acted_deadline_s if queue.drop_expired else None,
            self.scenario.channel.access_delay_s,
        )
        kind = StreamingDevice if self.scheme.streaming else Device
        return kind(self.clock, self.uplink, station.link, rules, self._memory(station))

    def _memory(self, station: Station) -> Memory:
        scheme, group = self.scheme, self.scenario.devices[station.group]
        if scheme.policy is None:
            return Memory()
        owner = station.replication, self.scenario.group_names[station.group], station.device
        rng = Streams(self.scenario.seed).generator("policy", scheme.name, *owner)
        deadline_s = inf if self.acted_deadline_s is None else self.acted_deadline_s
        return Memory(scheme.policy.start(rng), scheme.points(group), deadline_s)

    def _records(self, kept: Columns) -> Columns:
        scenario, prepared = self.scenario, self.prepared
        counts = [len(station.clips.born_s) for station in self.there]
        single = len(self.scheme.operating_points) == 1
        column = np.nan_to_num(kept["column"], nan=0.0 if single else -1.0).astype(np.int64)

        def joined(name: str) -> NDArray[Any]:
            return np.concatenate([getattr(made, name) for made in prepared])

        def of_option(name: str, otherwise: float) -> NDArray[Any]:
            values = joined(name)
            taken = values[np.arange(len(column)), column]
            return np.where(column < 0, otherwise, taken) if (column < 0).any() else taken

        names = [f"{scenario.group_names[at.group]}/{at.device}" for at in self.there]
        airtime_s = np.nan_to_num(kept["airtime_s"])
        with np.errstate(divide="ignore", invalid="ignore"):
            snr_db = 10.0 * np.log10(kept["snr_s"] / airtime_s)
        points = np.array([*self.scheme.operating_points, -1])
        everything = {
            "acted_deadline_s": np.full(
                len(column), np.nan if self.acted_deadline_s is None else self.acted_deadline_s
            ),
            "replication": np.repeat([at.replication for at in self.there], counts),
            "scheme": np.full(len(column), self.scheme.name),
            "device": np.repeat(np.array(names), counts),
            "clip_id": np.concatenate([np.arange(count) for count in counts]),
            "counted": _counted(scenario, kept["born_s"]),
            "data_index": joined("data_index"),
            "operating_point": points[column],
            "payload_bits": of_option("payload_bits", np.nan),
            "sent_bits": np.nan_to_num(kept["sent_bits"]),
            **{name: kept[name] for name in WAY},
            "batch_size": np.nan_to_num(kept["batch_size"]).astype(np.int64),
            "attempts": np.nan_to_num(kept["attempts"]).astype(np.int64),
            "airtime_s": airtime_s,
            "snr_db": np.where(airtime_s > 0, snr_db, np.nan),
            **energy_columns(
                [scenario.devices[at.group] for at in self.there],
                counts,
                np.nan_to_num(kept["computed_s"]),
                airtime_s,
                scenario.horizon_s,
            ),
            "label": joined("label"),
            "predicted": of_option("predicted", -1),
            "confidence": of_option("confidence", np.nan),
            "correct": of_option("correct", False),
            "outcome": np.array(OUTCOMES)[np.nan_to_num(kept["outcome"]).astype(int)],
            "lost_in": np.array(PLACES)[np.nan_to_num(kept["lost_in"]).astype(int)],
            "lost_s": kept["lost_s"],
        }
        return ordered(everything)


def _clips(
    scenario: Scenario, station: Station, made: PreparedClips, scheme: PreparedScheme, first: int
) -> Iterator[Clip]:
    """Yield the clips of a device, each when it is born: few are alive at a time."""
    headers_bytes = scenario.channel.headers_bytes if scheme.in_packets else 0
    local = scheme.local
    born_s, factors = station.clips.born_s.tolist(), made.infer_factor.tolist()
    trips_s = durations_s(scenario.edge.round_trip_s, station.clips.draws("core")).tolist()
    encode_s, infer_s = made.encode_s.tolist(), made.infer_s.tolist()
    bits = air_bits(made.payload_bits, headers_bytes).tolist()
    frame_bits = None
    if made.frame_bits is not None:
        frame_bits = air_bits(made.frame_bits, headers_bytes)
    for number, (born, factor, trip) in enumerate(zip(born_s, factors, trips_s, strict=True)):
        frames = [None] * len(bits[number])
        if frame_bits is not None:
            frames = frame_bits[number].tolist()
        options = [
            Option(encode, sent, infer, local, frame)
            for encode, sent, infer, frame in zip(
                encode_s[number], bits[number], infer_s[number], frames, strict=True
            )
        ]
        captured_s = None
        if frame_bits is not None:
            captured_s = _captured_s(born, frame_bits.shape[2], scenario.clips.frame_rate_hz)
        yield Clip(first + number, born, options, factor, trip, captured_s)


def _captured_s(born_s: float, frames: int, rate_hz: float) -> list[float]:
    """Return when frames are there; those from before the clock starts are there when it does."""
    return [max(born_s - (frames - 1 - k) / rate_hz, 0.0) for k in range(frames)]


def _counted(scenario: Scenario, born_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    first_s = 0.0 if isinstance(scenario.warmup_s, str) else scenario.warmup_s
    counted: NDArray[np.bool_] = (born_s >= first_s) & (born_s < scenario.duration_s)
    return counted
