"""A device that encodes and sends a clip's frames while it is still filming them."""

from collections import deque
from functools import partial
from typing import Literal

from simpy import Event

from fadeline.simulator.engine.clip import DROPPED_DEVICE, Clip
from fadeline.simulator.engine.clock import Clock, Happening
from fadeline.simulator.engine.uplink import Link, Radio


class StreamingDevice:
    """Encodes one frame at a time, and sends one at a time while it encodes the next.

    Args:
        clock: The clock.
        radio: What it sends with.
        link: Its link.
        limit: Clips that may wait beside the one that is filmed and the one that is sent.
        when_full: Which one is given up when one too many waits: the oldest that has not asked for
            the band yet, or the one whose filming begins.
        access_delay_s: What a modem that has nothing to send waits for the band when it has again.
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
        self.here: list[Clip] = []
        self.to_encode: deque[tuple[Clip, int]] = deque()
        self.to_send: deque[tuple[Clip, int]] = deque()
        self.encoding: tuple[Clip, float, Happening] | None = None
        self.sending: tuple[Clip, Clip] | None = None

    def stream(self, clip: Clip) -> Happening:
        """Return the event of all frames having been sent: True, or False if it is given up."""
        assert clip.frames is not None
        clip.waiting = Happening(self.clock)
        self.here.append(clip)
        self.to_encode.extend((clip, frame) for frame in range(len(clip.frames.bits)))
        self._make_room(clip)
        self._encode()
        return clip.waiting

    def stop(self, end_s: float) -> None:
        """Account for what is still being encoded and sent at the end."""
        if self.encoding is not None:
            clip, start_s, _ = self.encoding
            clip.computed_s += max(end_s - start_s, 0.0)
        if self.sending is not None:
            clip, part = self.sending
            if clip.sent_bits == 0.0:
                clip.tx_start_s = part.tx_start_s
            self._account(clip, part)

    def _encode(self) -> None:
        if self.encoding is not None or not self.to_encode:
            return
        clip, frame = self.to_encode.popleft()
        assert clip.frames is not None
        start_s = max(self.clock.now, clip.frames.captured_s[frame])
        if frame == 0:
            clip.encode_start_s = start_s
        event = self.clock.occurring(start_s + clip.frames.encode_s, clip.order)
        self.encoding = clip, start_s, event
        event.first(partial(self._encoded, clip, frame))

    def _encoded(self, clip: Clip, frame: int, _: Event) -> None:
        assert clip.frames is not None
        self.encoding = None
        clip.computed_s += clip.frames.encode_s
        if frame == len(clip.frames.bits) - 1:
            clip.encoded_s = self.clock.now
        self.to_send.append((clip, frame))
        self._send(self.access_delay_s)
        self._encode()

    def _send(self, access_delay_s: float) -> None:
        if self.sending is not None or not self.to_send:
            return
        clip, frame = self.to_send.popleft()
        assert clip.frames is not None
        part = Clip(clip.order, self.clock.now, 0.0, clip.frames.bits[frame], 0.0, 1.0, 0.0)
        part.waiting = Happening(self.clock)
        part.waiting.first(partial(self._sent, clip, frame, part))
        if frame == 0:
            clip.tx_start_s = self.clock.now  # asked for the band, and no longer given up
        self.sending = clip, part
        self.clock.after(access_delay_s, clip.order, lambda: self.radio.start(part, self.link))

    def _sent(self, clip: Clip, frame: int, part: Clip, _: Event) -> None:
        assert clip.frames is not None
        self.sending = None
        self._account(clip, part)
        if frame == 0:
            clip.tx_start_s = part.tx_start_s
        clip.sent_bits += part.air_bits
        if frame == len(clip.frames.bits) - 1:
            clip.sent_s = self.clock.now
            self.here.remove(clip)
            self.clock.settle(clip.waiting, clip.sent_s, clip.order)
        self._send(0.0)

    def _account(self, clip: Clip, part: Clip) -> None:
        clip.airtime_s += part.airtime_s
        clip.snr_s += part.snr_s

    def _make_room(self, new: Clip) -> None:
        if self.limit is None or len(self.here) <= self.limit + 2:
            return
        # What was never sent is not worth more than what is filmed now.
        unsent = [clip for clip in self.here if clip.tx_start_s != clip.tx_start_s]
        lost = unsent[0] if self.when_full == "drop-oldest" else new
        self.here.remove(lost)
        self.to_encode = deque(entry for entry in self.to_encode if entry[0] is not lost)
        self.to_send = deque(entry for entry in self.to_send if entry[0] is not lost)
        if self.encoding is not None and self.encoding[0] is lost:
            _, start_s, event = self.encoding
            lost.computed_s += max(self.clock.now - start_s, 0.0)
            event.cancel()
            self.encoding = None
        lost.lose("device", DROPPED_DEVICE, self.clock.now)
        self.clock.settle(lost.waiting, self.clock.now, lost.order, value=False)
