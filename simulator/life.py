"""The life of a clip, and the camera that begins it."""

from collections.abc import Generator, Iterable
from dataclasses import dataclass

from simpy import Event

from fadeline.simulator.clip import DONE, LOCAL, Clip
from fadeline.simulator.clock import Clock
from fadeline.simulator.device import Device
from fadeline.simulator.edge import EdgeServer
from fadeline.simulator.ledger import Ledger

Steps = Generator[Event, bool, None]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a clip lives: the clock, its device, the edge and the ledger."""

    clock: Clock
    device: Device
    edge: EdgeServer
    ledger: Ledger


def camera(clips: Iterable[Clip], around: Surroundings) -> Steps:
    """Begin the lives of a device's clips, in the order of their births."""
    for clip in clips:
        yield around.clock.occurring(clip.born_s, clip.order)
        around.ledger.begin(clip)
        around.clock.process(life(clip, around))


def life(clip: Clip, around: Surroundings) -> Steps:
    """Take a clip from its birth to its answer, or to where it is lost."""
    clock, end = around.clock, around.ledger.end
    if not (yield around.device.encode(clip)):
        return end(clip)
    if clip.local:
        clip.done_s, clip.outcome = clock.now, LOCAL
        return end(clip)
    if not (yield around.device.send(clip)):
        return end(clip)
    if clip.round_trip_s:
        yield clock.occurring(clock.now + 0.5 * clip.round_trip_s, clip.order)
    if not (yield around.edge.infer(clip)):
        return end(clip)
    clip.done_s, clip.outcome = clock.now + 0.5 * clip.round_trip_s, DONE
    return end(clip)
