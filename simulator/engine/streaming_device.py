"""A device that encodes and sends a clip's frames while it is still filming them."""

from collections import deque
from functools import partial

from simpy import Event

from fadeline.simulator.engine.clip import Clip
from fadeline.simulator.engine.clock import Clock, TimedEvent
from fadeline.simulator.engine.device import DeviceRules, Memory, Waiting
from fadeline.simulator.engine.records import DROPPED_DEVICE, DROPPED_LINK
from fadeline.simulator.engine.uplink import Transfer, Uplink
from fadeline.simulator.links.link import Link
from fadeline.simulator.scenario.deadlines import SAME_S


class StreamingDevice:
    """Encodes one frame at a time, and sends one at a time while it encodes the next.

    Args:
        clock: The clock.
        uplink: What it sends with.
        link: Its link.
        rules: How it queues. A full one gives up the oldest clip that has not asked for the band
            yet, or the one whose filming begins.
        memory: Its policy, and what it may know; left out: the first operating point, always.
    """

    def __init__(
        self,
        clock: Clock,
        uplink: Uplink,
        link: Link,
        rules: DeviceRules,
        memory: Memory | None = None,
    ) -> None:
        self.clock, self.uplink, self.link, self.rules = clock, uplink, link, rules
        self.memory = Memory() if memory is None else memory
        self.here: list[Clip] = []
        self.asked: set[Clip] = set()
        self.to_encode: deque[tuple[Clip, int]] = deque()
        self.to_send: deque[tuple[Clip, int]] = deque()
        self.encoding: tuple[Clip, float, TimedEvent] | None = None
        self.sending: tuple[Clip, Transfer] | None = None

    def stream(self, clip: Clip) -> TimedEvent:
        """Return the event of all frames having been sent: True, or False if it is given up."""
        now_s = self.clock.now
        clip.waiting = TimedEvent(self.clock)
        if not self.memory.choose(clip, self._waiting, now_s):
            self.clock.settle(clip.waiting, now_s, clip.order, value=False)
            return clip.waiting
        assert clip.option.frame_bits is not None
        self.here.append(clip)
        self.to_encode.extend((clip, frame) for frame in range(len(clip.option.frame_bits)))
        self._make_room(clip)
        self._encode()
        return clip.waiting

    def stop(self, end_s: float) -> None:
        """Account for what is still being encoded and sent at the end."""
        self._give_up_late()
        if self.encoding is not None:
            clip, start_s, _ = self.encoding
            clip.computed_s += max(end_s - start_s, 0.0)
        if self.sending is not None:
            clip, transfer = self.sending
            clip.credit(transfer.cut_off())

    def _waiting(self) -> Waiting:
        frames = [*self.to_send]
        bits = sum(_bits(clip, frame) for clip, frame in frames)
        clips = {clip for clip, _ in frames}
        if self.sending is not None:
            clips.add(self.sending[0])
            bits += self.sending[1].bits
        return len(self.here) - len(clips), len(clips), bits

    def _encode(self) -> None:
        if self.encoding is not None or not self.to_encode:
            return
        clip, frame = self.to_encode.popleft()
        assert clip.captured_s is not None
        start_s = max(self.clock.now, clip.captured_s[frame])
        if frame == 0:
            clip.encode_start_s = start_s
        event = self.clock.at(start_s + _encode_s(clip), clip.order)
        self.encoding = clip, start_s, event
        event.first(partial(self._encoded, clip, frame))

    def _encoded(self, clip: Clip, frame: int, _: Event) -> None:
        self.encoding = None
        clip.computed_s += _encode_s(clip)
        if _is_last(clip, frame):
            clip.encoded_s = self.clock.now
        self.to_send.append((clip, frame))
        self._give_up_late()
        self._send(self.rules.access_delay_s)
        self._encode()

    def _send(self, access_delay_s: float) -> None:
        if self.sending is not None or not self.to_send:
            return
        clip, frame = self.to_send.popleft()
        ended = TimedEvent(self.clock)
        transfer = Transfer(clip.order, _bits(clip, frame), self.link, ended)
        ended.first(partial(self._sent, clip, frame, transfer))
        self.asked.add(clip)
        self.sending = clip, transfer
        self.clock.after(access_delay_s, clip.order, lambda: self.uplink.start(transfer))

    def _sent(self, clip: Clip, frame: int, transfer: Transfer, _: Event) -> None:
        self.sending = None
        sent = transfer.delivery()
        clip.credit(sent)
        clip.sent_bits += transfer.bits
        self.memory.last = transfer.bits, sent
        if not sent.delivered:
            self._remove(clip)
            clip.lose("link", DROPPED_LINK, self.clock.now)
            self.clock.settle(clip.waiting, self.clock.now, clip.order, value=False)
        elif _is_last(clip, frame):
            clip.sent_s = self.clock.now
            self._remove(clip)
            self.clock.settle(clip.waiting, clip.sent_s, clip.order)
        self._give_up_late()
        self._send(0.0)
        self._encode()

    def _make_room(self, new: Clip) -> None:
        self._give_up_late()
        if self.rules.limit is None or len(self.here) <= self.rules.limit + 2:
            return
        # What was never sent is not worth more than what is filmed now.
        unsent = [clip for clip in self.here if clip not in self.asked]
        lost = unsent[0] if self.rules.when_full == "drop-oldest" else new
        self._lose(lost, self.clock.now)

    def _give_up_late(self) -> None:
        """Give up clips that can no longer be in time, but for what is on the air already."""
        limit_s = self.rules.drop_after_s
        if limit_s is None:
            return
        on_air = self.sending[0] if self.sending is not None else None
        for clip in [clip for clip in self.here if clip is not on_air]:
            if self.clock.now > clip.born_s + limit_s + SAME_S:
                self._lose(clip, clip.born_s + limit_s)

    def _lose(self, clip: Clip, at_s: float) -> None:
        self._remove(clip)
        clip.lose("device", DROPPED_DEVICE, at_s)
        self.clock.settle(clip.waiting, self.clock.now, clip.order, value=False)

    def _remove(self, lost: Clip) -> None:
        self.here.remove(lost)
        self.asked.discard(lost)
        for queue in (self.to_encode, self.to_send):
            for entry in [entry for entry in queue if entry[0] is lost]:
                queue.remove(entry)
        if self.encoding is not None and self.encoding[0] is lost:
            _, start_s, event = self.encoding
            lost.computed_s += max(self.clock.now - start_s, 0.0)
            event.cancel()
            self.encoding = None


def _bits(clip: Clip, frame: int) -> float:
    assert clip.option.frame_bits is not None
    return clip.option.frame_bits[frame]


def _encode_s(clip: Clip) -> float:
    """Return the time that the device computes for each frame."""
    assert clip.option.frame_bits is not None
    return clip.option.encode_s / len(clip.option.frame_bits)


def _is_last(clip: Clip, frame: int) -> bool:
    assert clip.option.frame_bits is not None
    return frame == len(clip.option.frame_bits) - 1
