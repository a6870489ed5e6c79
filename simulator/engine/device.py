"""A device: a processor that encodes clips and a modem that sends them, with one queue for both."""

from collections import deque
from typing import Literal

from simpy import Event

from fadeline.simulator.engine.clip import DROPPED_DEVICE, Clip
from fadeline.simulator.engine.clock import Clock, Happening
from fadeline.simulator.engine.uplink import Link, Radio


class Device:
    """Encodes one clip at a time, and sends one at a time while it encodes the next.

    Args:
        clock: The clock.
        radio: What it sends with.
        link: Its link.
        limit: Clips that may wait, to be encoded or sent; None for any number.
        when_full: Which one is given up when one too many waits: the oldest or the newest.
        access_delay_s: What a modem that has nothing to send waits for the band when it has again;
            one that goes on sending asks for more with what it sends.
    """

    def __init__(
        self,
        clock: Clock,
        radio: Radio,
        link: Link,
        *,
        limit: int | None,
        when_full: Literal["drop-oldest", "drop-newest"],
        access_delay_s: float = 0.0,
    ) -> None:
        self.clock, self.radio, self.link = clock, radio, link
        self.limit, self.when_full, self.access_delay_s = limit, when_full, access_delay_s
        self.to_encode: deque[Clip] = deque()
        self.to_send: deque[Clip] = deque()
        self.encoding: Clip | None = None
        self.sending: Clip | None = None

    def encode(self, clip: Clip) -> Event:
        """Return the event of a clip's encoding having ended: True, or False if it is given up."""
        clip.waiting = Happening(self.clock)
        if self.encoding is None:
            self._start_encoding(clip)
        else:
            self.to_encode.append(clip)
            self._make_room()
        return clip.waiting

    def send(self, clip: Clip) -> Event:
        """Return the event of a clip having been sent: True, or False if it is given up."""
        clip.waiting = Happening(self.clock)
        if self.sending is None:
            self.sending = clip
            self.clock.after(self.access_delay_s, clip.order, lambda: self._start_sending(clip))
        else:
            self.to_send.append(clip)
            self._make_room()
        return clip.waiting

    def stop(self, end_s: float) -> None:
        """Account for what is still being encoded at the end."""
        if self.encoding is not None:
            self.encoding.computed_s = end_s - self.encoding.encode_start_s

    def _start_encoding(self, clip: Clip) -> None:
        now_s = self.clock.now
        self.encoding = clip
        clip.encode_start_s = now_s
        clip.encoded_s = now_s + clip.encode_s
        clip.waiting.first(self._encoded)
        self.clock.settle(clip.waiting, clip.encoded_s, clip.order)

    def _encoded(self, _: Event) -> None:
        assert self.encoding is not None
        self.encoding.computed_s = self.encoding.encode_s
        self.encoding = None
        if self.to_encode:
            self._start_encoding(self.to_encode.popleft())

    def _start_sending(self, clip: Clip) -> None:
        self.sending = clip
        clip.waiting.first(self._sent)
        self.radio.start(clip, self.link)

    def _sent(self, _: Event) -> None:
        assert self.sending is not None
        self.sending.sent_bits = self.sending.air_bits
        self.sending = None
        if self.to_send:
            self._start_sending(self.to_send.popleft())

    def _make_room(self) -> None:
        """Give up clips until no more than allowed wait; those to be sent are the older ones."""
        if self.limit is None:
            return
        while len(self.to_encode) + len(self.to_send) > self.limit:
            if self.when_full == "drop-oldest":
                lost = self.to_send.popleft() if self.to_send else self.to_encode.popleft()
            else:
                lost = self.to_encode.pop() if self.to_encode else self.to_send.pop()
            lost.lose("device", DROPPED_DEVICE, self.clock.now)
            self.clock.settle(lost.waiting, self.clock.now, lost.order, value=False)
