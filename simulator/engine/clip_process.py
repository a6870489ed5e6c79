"""The way of a clip through the world as a SimPy process, and the camera that begins it."""

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Any

from simpy import Event

from fadeline.simulator.engine.clip import Clip
from fadeline.simulator.engine.clock import Clock
from fadeline.simulator.engine.device import Device
from fadeline.simulator.engine.edge_server import EdgeServer
from fadeline.simulator.engine.ledger import Ledger
from fadeline.simulator.engine.records import DONE, LOCAL
from fadeline.simulator.engine.streaming_device import StreamingDevice

Steps = Generator[Event, bool, None]


@dataclass(frozen=True, slots=True)
class Stations:
    """What clips of one device go through: the device, the edge server, and the ledger."""

    clock: Clock
    device: Device | StreamingDevice
    edge: EdgeServer
    ledger: Ledger


def camera(clips: Iterable[Clip], stations: Stations) -> Steps:
    """Let a device's clips begin, in the order of their births."""
    for clip in clips:
        begins_s = clip.born_s if clip.captured_s is None else clip.captured_s[0]
        yield stations.clock.at(begins_s, clip.order)
        stations.ledger.begin(clip)
        begin(clip_process(clip, stations))


def begin(steps: Steps) -> None:
    """Let a process go its steps, from now on: SimPy's `Process` for one that nobody waits for.

    That one has an event for its beginning and another for its end, two of seven of a clip.
    """

    def go_on(event: Event) -> None:
        answer: Any = event.value
        try:
            steps.send(answer).callbacks.append(go_on)
        except StopIteration:
            return

    try:
        next(steps).callbacks.append(go_on)
    except StopIteration:
        return


def clip_process(clip: Clip, stations: Stations) -> Steps:
    """Take a clip from its birth to its answer, or to where it is lost."""
    clock, device, end = stations.clock, stations.device, stations.ledger.end
    if isinstance(device, StreamingDevice):
        if not (yield device.stream(clip)):
            return end(clip)
    else:
        if not (yield device.encode(clip)):
            return end(clip)
        if clip.option.local:
            clip.done_s, clip.outcome = clock.now, LOCAL
            return end(clip)
        if not (yield device.send(clip)) or clip.lost_in:
            return end(clip)
    if clip.round_trip_s:
        yield clock.at(clock.now + 0.5 * clip.round_trip_s, clip.order)
    if not (yield stations.edge.infer(clip)):
        return end(clip)
    clip.done_s, clip.outcome = clock.now + 0.5 * clip.round_trip_s, DONE
    return end(clip)
