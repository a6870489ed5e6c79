"""The life of a clip, and the camera that begins it."""

from collections.abc import Generator, Iterable
from dataclasses import dataclass

from simpy import Event

from fadeline.simulator.engine.clip import DONE, LOCAL, Clip
from fadeline.simulator.engine.clock import Clock
from fadeline.simulator.engine.device import Device
from fadeline.simulator.engine.edge_server import EdgeServer
from fadeline.simulator.engine.ledger import Ledger
from fadeline.simulator.engine.streaming_device import StreamingDevice

Steps = Generator[Event, bool, None]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a clip lives: the clock, its device, the edge and the ledger."""

    clock: Clock
    device: Device | StreamingDevice
    edge: EdgeServer
    ledger: Ledger


def camera(clips: Iterable[Clip], around: Surroundings) -> Steps:
    """Begin the lives of a device's clips, in the order of their births."""
    for clip in clips:
        begins_s = clip.born_s if clip.frames is None else clip.frames.captured_s[0]
        yield around.clock.occurring(begins_s, clip.order)
        around.ledger.begin(clip)
        around.clock.process(life(clip, around))


def life(clip: Clip, around: Surroundings) -> Steps:
    """Take a clip from its birth to its answer, or to where it is lost."""
    clock, device, end = around.clock, around.device, around.ledger.end
    if isinstance(device, StreamingDevice):
        if not (yield device.stream(clip)):
            return end(clip)
    else:
        if not (yield device.encode(clip)):
            return end(clip)
        if clip.local:
            clip.done_s, clip.outcome = clock.now, LOCAL
            return end(clip)
        if not (yield device.send(clip)):
            return end(clip)
    if clip.round_trip_s:
        yield clock.occurring(clock.now + 0.5 * clip.round_trip_s, clip.order)
    if not (yield around.edge.infer(clip)):
        return end(clip)
    clip.done_s, clip.outcome = clock.now + 0.5 * clip.round_trip_s, DONE
    return end(clip)
