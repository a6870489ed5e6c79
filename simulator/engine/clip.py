"""A clip on its way from the camera to its answer: what it needs, and what became of it."""

from dataclasses import dataclass, field
from math import nan

from fadeline.simulator.engine.clock import Happening

DONE, LOCAL = "done", "local"
DROPPED_DEVICE, DROPPED_LINK, DROPPED_EDGE = "dropped_device", "dropped_link", "dropped_edge"
DECLINED, UNFINISHED = "declined", "unfinished"
OUTCOMES = (DONE, LOCAL, DROPPED_DEVICE, DROPPED_LINK, DROPPED_EDGE, DECLINED, UNFINISHED)
"""What can become of a clip; exactly one of them does."""


@dataclass(frozen=True, slots=True)
class Frames:
    """The frames of a clip that is encoded and sent while it is filmed.

    Attributes:
        captured_s: When each is there.
        encode_s: Time that the device computes for each.
        bits: To send for each, headers included.
    """

    captured_s: list[float]
    encode_s: float
    bits: list[float]


@dataclass(slots=True, eq=False)
class Clip:
    """One clip.

    Attributes:
        order: Place among all clips when things happen at the same time: by device, then number.
        born_s: When its last frame is captured.
        encode_s: Time that the device computes for it.
        air_bits: Bits to send, headers included; 0 for nothing, if it is answered on the device.
        infer_s: Time at the edge of its own, whatever batch it is in.
        infer_factor: On the time of the networks, if it is the first of its batch.
        round_trip_s: Core network, both ways.
        local: Whether the device answers.
        encode_start_s ... done_s: When things happened; NaN for what did not.
        batch_size: Clips that were inferred together; 0 for none.
        airtime_s: Time that the device transmitted for it.
        snr_s: Integral of the linear SNR over the airtime; NaN where the link has no SNR.
        outcome: One of `OUTCOMES`.
        lost_in: Where it was lost: device, link or edge.
        computed_s: Time that the device has computed for it.
        sent_bits: Bits that were sent for it, headers included.
        frames: Its frames, if they are encoded and sent one by one.
        waiting: The event that the clip waits for.
    """

    order: int
    born_s: float
    encode_s: float
    air_bits: float
    infer_s: float
    infer_factor: float
    round_trip_s: float
    local: bool = False
    encode_start_s: float = nan
    encoded_s: float = nan
    tx_start_s: float = nan
    sent_s: float = nan
    edge_arrive_s: float = nan
    edge_start_s: float = nan
    inferred_s: float = nan
    done_s: float = nan
    batch_size: int = 0
    airtime_s: float = 0.0
    snr_s: float = 0.0
    outcome: str = UNFINISHED
    lost_in: str = ""
    lost_s: float = nan
    computed_s: float = 0.0
    sent_bits: float = 0.0
    frames: "Frames | None" = None
    waiting: Happening = field(init=False)

    def lose(self, where: str, outcome: str, now_s: float) -> None:
        """Note that the clip is lost."""
        self.lost_in, self.outcome, self.lost_s = where, outcome, now_s
