"""The uplink: transfers over the links of devices, which share the band.

A transfer is one event. Only when another starts or ends is its end planned anew.
"""

from collections import deque
from dataclasses import dataclass
from functools import partial
from math import inf, nan
from typing import Literal, Protocol

from simpy import Event

from fadeline.simulator.engine.clock import Clock, TimedEvent
from fadeline.simulator.links.link import Delivery, Link


@dataclass(slots=True, eq=False)
class Transfer:
    """Bits that a device sends.

    Attributes:
        order: Among what happens at the same time.
        bits: To send, headers included.
        link: Of the device.
        ended: The event of its end.
        start_s: When its first bit is on the air; NaN before.
        left_bits: What is still to be sent.
        airtime_s: Time that the device has transmitted.
        snr_s: Integral of the linear SNR over the airtime; NaN where the link has no SNR.
    """

    order: int
    bits: float
    link: Link
    ended: TimedEvent
    start_s: float = nan
    left_bits: float = 0.0
    airtime_s: float = 0.0
    snr_s: float = 0.0

    def charge(self, start_s: float, end_s: float, share: float) -> None:
        """Add to the airtime a share of the time between two others."""
        end_s = min(end_s, self.link.end_s)
        if end_s > start_s:
            airtime_s = share * (end_s - start_s)
            self.airtime_s += airtime_s
            self.snr_s += airtime_s * self.link.snr_over(start_s, end_s)

    def delivery(self) -> Delivery:
        """Return what became of it, now that it has ended."""
        start_s, now_s, link = self.start_s, self.ended.time_s, self.link
        delivered, attempts = link.delivers(start_s, now_s), link.attempts(start_s, now_s)
        return Delivery(start_s, now_s, delivered, attempts, self.airtime_s, self.snr_s)

    def cut_off(self) -> Delivery:
        """Return what has become of it by the end of the clock, which it has not lived to see."""
        started = self.start_s == self.start_s
        attempts = self.link.attempts(self.start_s, inf) if started else 0
        return Delivery(self.start_s, inf, False, attempts, self.airtime_s, self.snr_s)


class Uplink(Protocol):
    """A way of sharing the band."""

    def start(self, transfer: Transfer) -> None:
        """Send; `transfer.ended` happens when all is sent."""

    def stop(self) -> None:
        """Account for what is still on the air at the end."""


def uplink(clock: Clock, sharing: Literal["equal", "fdma", "fifo"]) -> Uplink:
    """Return the uplink for a way of sharing.

    Args:
        clock: The clock.
        sharing: `equal`: all who send take turns, each with the whole band for an equal part of the
            time. `fdma`: each has a part of the band to itself (its link says what that carries).
            `fifo`: one after the other, in the order in which they asked.
    """
    if sharing == "equal":
        return EqualTurns(clock)
    return OwnParts(clock) if sharing == "fdma" else OneByOne(clock)


class OwnParts:
    """Every device sends whenever it likes."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.active: dict[Transfer, None] = {}

    def start(self, transfer: Transfer) -> None:
        """Send at once."""
        transfer.start_s = self.clock.now
        end_s = transfer.link.trace.finish_s(transfer.start_s, transfer.bits)
        self.active[transfer] = None
        transfer.ended.first(partial(self._ended, transfer))
        self.clock.settle(transfer.ended, end_s, transfer.order)

    def _ended(self, transfer: Transfer, _: Event) -> None:
        del self.active[transfer]
        transfer.charge(transfer.start_s, self.clock.now, 1.0)

    def stop(self) -> None:
        """Account for what is still on the air at the end."""
        for transfer in self.active:
            transfer.charge(transfer.start_s, inf, 1.0)


class OneByOne:
    """One transfer at a time has the whole band."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.waiting: deque[Transfer] = deque()
        self.alone = OwnParts(clock)

    def start(self, transfer: Transfer) -> None:
        """Send when those before it are sent."""
        self.waiting.append(transfer)
        self._next()

    def _next(self) -> None:
        if self.waiting and not self.alone.active:
            transfer = self.waiting.popleft()
            self.alone.start(transfer)
            transfer.ended.first(lambda _: self._next(), 1)

    def stop(self) -> None:
        """Account for what is still on the air at the end."""
        self.alone.stop()


class EqualTurns:
    """All who send take turns of equal length, too short to matter: n of them get 1/n each."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.active: list[Transfer] = []
        self.since_s = 0.0
        self.planned: TimedEvent | None = None

    def start(self, transfer: Transfer) -> None:
        """Send from now on."""
        self._advance()
        transfer.start_s, transfer.left_bits = self.clock.now, transfer.bits
        self.active.append(transfer)
        self._plan()

    def stop(self) -> None:
        """Account for what is still on the air at the end."""
        for transfer in self.active:
            transfer.charge(self.since_s, inf, 1.0 / len(self.active))

    def _advance(self) -> None:
        """Bring every transfer up to now."""
        since_s, now_s, count = self.since_s, self.clock.now, len(self.active)
        self.since_s = now_s
        if now_s == since_s:
            return
        for transfer in self.active:
            sent_bits = transfer.link.trace.bits_between(since_s, now_s) / count
            transfer.left_bits = max(transfer.left_bits - sent_bits, 0.0)
            transfer.charge(since_s, now_s, 1.0 / count)

    def _plan(self) -> None:
        """Plan the next end; an earlier plan is void."""
        if self.planned is not None:
            self.planned.cancel()
            self.planned = None
        now_s, count = self.clock.now, len(self.active)
        ends = [
            (transfer.link.trace.finish_s(now_s, transfer.left_bits * count), transfer.order)
            for transfer in self.active
        ]
        if ends and (end := min(ends))[0] < inf:
            self.planned = self.clock.at(*end)
            self.planned.first(partial(self._ended, self.active[ends.index(end)]))

    def _ended(self, transfer: Transfer, _: Event) -> None:
        self.planned = None
        self._advance()
        self.active.remove(transfer)
        self.clock.settle(transfer.ended, self.clock.now, transfer.order)
        self._plan()
