"""The uplink: transfers over the links of devices, which share the band.

A transfer is one event. Only when another starts or ends is its end planned anew.
"""

from collections import deque
from dataclasses import dataclass
from functools import partial
from math import inf, nan
from typing import Literal, Protocol

from simpy import Event

from fadeline.channels.trace import LinkTrace
from fadeline.simulator.engine.clip import Clip
from fadeline.simulator.engine.clock import Clock, Happening


@dataclass(frozen=True)
class Link:
    """A device's link.

    Attributes:
        trace: What it carries over time, with nobody else in its band.
        end_s: End of the simulated time; the trace covers it.
    """

    trace: LinkTrace
    end_s: float

    def charge(self, clip: Clip, start_s: float, end_s: float, share: float) -> None:
        """Add to a clip's airtime a share of the time between two others."""
        end_s = min(end_s, self.end_s)
        if end_s <= start_s:
            return
        airtime_s = share * (end_s - start_s)
        clip.airtime_s += airtime_s
        if self.trace.snr is None:
            clip.snr_s = nan
        else:
            clip.snr_s += airtime_s * self.trace.snr_over(start_s, end_s)


class Radio(Protocol):
    """A way of sharing the band."""

    def start(self, clip: Clip, link: Link) -> None:
        """Send a clip; `clip.waiting` then happens when it is sent."""

    def stop(self) -> None:
        """Account for what is still on the air at the end."""


def radio(clock: Clock, sharing: Literal["equal", "fdma", "fifo"]) -> Radio:
    """Return the radio for a way of sharing.

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
        self.active: dict[Clip, Link] = {}

    def start(self, clip: Clip, link: Link) -> None:
        """Send a clip."""
        clip.tx_start_s = self.clock.now
        end_s = link.trace.finish_s(clip.tx_start_s, clip.air_bits)
        self.active[clip] = link
        clip.waiting.first(partial(self._ended, clip))
        self.clock.settle(clip.waiting, end_s, clip.order)

    def _ended(self, clip: Clip, _: Event) -> None:
        clip.sent_s = self.clock.now
        self.active.pop(clip).charge(clip, clip.tx_start_s, clip.sent_s, 1.0)

    def stop(self) -> None:
        """Account for what is still on the air at the end."""
        for clip, link in self.active.items():
            link.charge(clip, clip.tx_start_s, inf, 1.0)


class OneByOne:
    """One clip at a time has the whole band."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.waiting: deque[tuple[Clip, Link]] = deque()
        self.alone = OwnParts(clock)

    def start(self, clip: Clip, link: Link) -> None:
        """Send a clip when those before it are sent."""
        self.waiting.append((clip, link))
        self._next()

    def _next(self) -> None:
        if self.waiting and not self.alone.active:
            clip, link = self.waiting.popleft()
            self.alone.start(clip, link)
            clip.waiting.first(lambda _: self._next(), 1)

    def stop(self) -> None:
        """Account for what is still on the air at the end."""
        self.alone.stop()


@dataclass(slots=True, eq=False)
class _Transfer:
    clip: Clip
    link: Link
    left_bits: float


class EqualTurns:
    """All who send take turns of equal length, too short to matter: n of them get 1/n each."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.active: list[_Transfer] = []
        self.since_s = 0.0
        self.planned: Happening | None = None

    def start(self, clip: Clip, link: Link) -> None:
        """Send a clip."""
        self._advance()
        clip.tx_start_s = self.clock.now
        self.active.append(_Transfer(clip, link, clip.air_bits))
        self._plan()

    def stop(self) -> None:
        """Account for what is still on the air at the end."""
        for transfer in self.active:
            transfer.link.charge(transfer.clip, self.since_s, inf, 1.0 / len(self.active))

    def _advance(self) -> None:
        """Bring every transfer up to now."""
        since_s, now_s, count = self.since_s, self.clock.now, len(self.active)
        self.since_s = now_s
        if now_s == since_s:
            return
        for transfer in self.active:
            sent_bits = transfer.link.trace.bits_between(since_s, now_s) / count
            transfer.left_bits = max(transfer.left_bits - sent_bits, 0.0)
            transfer.link.charge(transfer.clip, since_s, now_s, 1.0 / count)

    def _plan(self) -> None:
        """Plan the next end; an earlier plan is void."""
        if self.planned is not None:
            self.planned.cancel()
            self.planned = None
        now_s, count = self.clock.now, len(self.active)
        ends = [
            (transfer.link.trace.finish_s(now_s, transfer.left_bits * count), transfer.clip.order)
            for transfer in self.active
        ]
        if ends and (end := min(ends))[0] < inf:
            self.planned = self.clock.occurring(*end)
            self.planned.first(partial(self._ended, self.active[ends.index(end)]))

    def _ended(self, transfer: _Transfer, _: Event) -> None:
        self.planned = None
        self._advance()
        self.active.remove(transfer)
        clip = transfer.clip
        clip.sent_s = self.clock.now
        self.clock.settle(clip.waiting, clip.sent_s, clip.order)
        self._plan()
