"""A device: a processor that encodes clips and a modem that sends them, with one queue for both."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, log10, nan
from typing import Literal

from simpy import Event

from fadeline.simulator.engine.clip import Clip
from fadeline.simulator.engine.clock import Clock, TimedEvent
from fadeline.simulator.engine.records import DROPPED_DEVICE, DROPPED_LINK
from fadeline.simulator.engine.uplink import Transfer, Uplink
from fadeline.simulator.links.link import Delivery, Link
from fadeline.simulator.scenario.deadlines import SAME_S
from fadeline.simulator.scenario.policy import First, Observation, Point, Policy


@dataclass(frozen=True)
class DeviceRules:
    """How a device queues and asks for the band.

    Attributes:
        limit: Clips that may wait, to be encoded or sent; None for any number. One that streams has
            room for the one that is filmed and the one that is sent beside them.
        when_full: Which one is given up when one too many waits: the oldest or the newest.
        drop_after_s: Clips that wait and are older than this are given up; None for never.
        access_delay_s: What a modem that has nothing to send waits for the band when it has again;
            one that goes on sending asks for more with what it sends.
    """

    limit: int | None
    when_full: Literal["drop-oldest", "drop-newest"] = "drop-oldest"
    drop_after_s: float | None = None
    access_delay_s: float = 0.0


Waiting = tuple[int, int, float]
"""Clips that wait to be encoded, clips that wait to be sent, and the bits of the latter."""

NOTHING = Observation(nan, nan, inf, 0, 0, 0.0, nan, nan, ())
"""What a policy that does not look is shown."""


class Memory:
    """What a device knows of the operating points and of its last transfer, and its policy."""

    def __init__(
        self, policy: Policy | None = None, points: Sequence[Point] = (), deadline_s: float = inf
    ) -> None:
        self.policy = First() if policy is None else policy
        self.points, self.deadline_s = points, deadline_s
        self.last: tuple[float, Delivery] | None = None
        """Bits of the last transfer, and what became of it."""

    def choose(self, clip: Clip, waiting: Callable[[], Waiting], now_s: float) -> bool:
        """Let the policy choose for a clip; False if it does without it."""
        column = self.policy.choose(
            self._seen(clip, waiting(), now_s) if self.policy.looks else NOTHING
        )
        if column is None:
            clip.decline()
            return False
        clip.take(column)
        return True

    def _seen(self, clip: Clip, waiting: Waiting, now_s: float) -> Observation:
        rate_bps = snr_db = nan
        if self.last is not None:
            bits, sent = self.last
            spent_s = sent.finish_s - sent.start_s
            rate_bps = bits / spent_s if spent_s > 0.0 else inf
            snr_db = 10.0 * log10(sent.mean_snr) if sent.mean_snr > 0.0 else nan
        return Observation(
            now_s, clip.born_s, self.deadline_s, *waiting, rate_bps, snr_db, self.points
        )


class Device:
    """Encodes one clip at a time, and sends one at a time while it encodes the next.

    Args:
        clock: The clock.
        uplink: What it sends with.
        link: Its link.
        rules: How it queues.
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
        self.to_encode: deque[Clip] = deque()
        self.to_send: deque[Clip] = deque()
        self.encoding: Clip | None = None
        self.sending: Clip | None = None
        self.transfer: Transfer | None = None

    def encode(self, clip: Clip) -> Event:
        """Return the event of a clip's encoding having ended: True, or False if it is given up."""
        clip.waiting = TimedEvent(self.clock)
        if self.encoding is None:
            self._start_encoding(clip)
        else:
            self.to_encode.append(clip)
            self._make_room()
        return clip.waiting

    def send(self, clip: Clip) -> Event:
        """Return the event of a clip having been sent: True, or False if it is given up."""
        clip.waiting = TimedEvent(self.clock)
        if self.sending is None:
            self.sending = clip
            self.clock.after(
                self.rules.access_delay_s, clip.order, lambda: self._start_sending(clip)
            )
        else:
            self.to_send.append(clip)
            self._make_room()
        return clip.waiting

    def stop(self, end_s: float) -> None:
        """Account for what is still being encoded and sent at the end."""
        self._give_up_late()
        if self.encoding is not None:
            self.encoding.computed_s = end_s - self.encoding.encode_start_s
        if self.sending is not None and self.transfer is not None:
            self.sending.credit(self.transfer.cut_off())

    def _start_encoding(self, clip: Clip) -> None:
        now_s = self.clock.now
        if not self.memory.choose(clip, self._waiting, now_s):
            self.clock.settle(clip.waiting, now_s, clip.order, value=False)
            clip.waiting.first(self._next_to_encode)
            return
        self.encoding = clip
        clip.encode_start_s = now_s
        clip.encoded_s = now_s + clip.option.encode_s
        clip.waiting.first(self._encoded)
        self.clock.settle(clip.waiting, clip.encoded_s, clip.order)

    def _waiting(self) -> Waiting:
        to_send = [*self.to_send] if self.sending is None else [self.sending, *self.to_send]
        bits = sum(clip.option.air_bits for clip in to_send)
        return len(self.to_encode), len(to_send), bits

    def _encoded(self, event: Event) -> None:
        assert self.encoding is not None
        self.encoding.computed_s = self.encoding.option.encode_s
        self.encoding = None
        self._next_to_encode(event)

    def _next_to_encode(self, _: Event) -> None:
        if self.rules.drop_after_s is not None:
            self._give_up_late()
        if self.to_encode and self.encoding is None:
            self._start_encoding(self.to_encode.popleft())

    def _start_sending(self, clip: Clip) -> None:
        self.sending = clip
        clip.waiting.first(self._sent)
        self.transfer = Transfer(clip.order, clip.option.air_bits, self.link, clip.waiting)
        self.uplink.start(self.transfer)

    def _sent(self, _: Event) -> None:
        assert self.sending is not None
        assert self.transfer is not None
        clip, bits, sent = self.sending, self.transfer.bits, self.transfer.delivery()
        self.sending = self.transfer = None
        clip.credit(sent)
        clip.sent_bits = bits
        self.memory.last = bits, sent
        if sent.delivered:
            clip.sent_s = sent.finish_s
        else:
            clip.lose("link", DROPPED_LINK, sent.finish_s)
        if self.rules.drop_after_s is not None:
            self._give_up_late()
        if self.to_send:
            self._start_sending(self.to_send.popleft())

    def _make_room(self) -> None:
        """Give up clips until no more than allowed wait; those to be sent are the older ones."""
        self._give_up_late()
        if self.rules.limit is None:
            return
        while len(self.to_encode) + len(self.to_send) > self.rules.limit:
            if self.rules.when_full == "drop-oldest":
                lost = self.to_send.popleft() if self.to_send else self.to_encode.popleft()
            else:
                lost = self.to_encode.pop() if self.to_encode else self.to_send.pop()
            self._lose(lost, self.clock.now)

    def _give_up_late(self) -> None:
        """Give up clips that wait and can no longer be in time, as of when they could not."""
        limit_s = self.rules.drop_after_s
        if limit_s is None:
            return
        for queue in (self.to_send, self.to_encode):
            while queue and self.clock.now > queue[0].born_s + limit_s + SAME_S:
                late = queue.popleft()
                self._lose(late, late.born_s + limit_s)

    def _lose(self, clip: Clip, at_s: float) -> None:
        clip.lose("device", DROPPED_DEVICE, at_s)
        self.clock.settle(clip.waiting, self.clock.now, clip.order, value=False)
