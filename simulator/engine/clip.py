"""A clip on its way from the camera to its answer: what it needs, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import nan

from fadeline.simulator.engine.clock import TimedEvent
from fadeline.simulator.engine.records import DECLINED, UNFINISHED
from fadeline.simulator.links.link import Delivery


@dataclass(slots=True)  # not frozen: that takes three times as long to make
class Option:
    """A clip at one operating point: what it takes to have it answered.

    Attributes:
        encode_s: Time that the device computes for it.
        air_bits: Bits to send, headers included; 0 for nothing, if it is answered on the device.
        infer_s: Time at the edge of its own, whatever batch it is in.
        local: Whether the device answers.
        frame_bits: Bits of each frame, headers included, if it is encoded and sent frame by frame.
    """

    encode_s: float
    air_bits: float
    infer_s: float
    local: bool = False
    frame_bits: Sequence[float] | None = None


@dataclass(slots=True, eq=False)
class Clip:
    """One clip.

    Attributes:
        order: Place among all clips when things happen at the same time: by device, then number.
        born_s: When its last frame is captured.
        options: What it is at each operating point; a policy takes one when its encoding begins.
        infer_factor: On the time of the networks, if it is the first of its batch.
        round_trip_s: Core network, both ways.
        captured_s: When each frame is there, if it is encoded while it is filmed.
        column: Which option was taken; -1 while none is. With a single one there is no choice.
        encode_start_s ... done_s: When things happened; NaN for what did not.
        batch_size: Clips that were inferred together; 0 for none.
        attempts, airtime_s, snr_s: As of a `Delivery`, over all that was sent for it.
        outcome: What became of it, one of `records.OUTCOMES`.
        lost_in: Where it was lost: device, link or edge.
        computed_s: Time that the device has computed for it.
        sent_bits: Bits that were sent for it, headers included.
        waiting: The event that the clip waits for.
    """

    order: int
    born_s: float
    options: Sequence[Option]
    infer_factor: float
    round_trip_s: float
    captured_s: Sequence[float] | None = None
    column: int = -1
    option: Option = field(init=False)
    encode_start_s: float = nan
    encoded_s: float = nan
    tx_start_s: float = nan
    sent_s: float = nan
    edge_arrive_s: float = nan
    edge_start_s: float = nan
    inferred_s: float = nan
    done_s: float = nan
    batch_size: int = 0
    attempts: int = 0
    airtime_s: float = 0.0
    snr_s: float = 0.0
    outcome: str = UNFINISHED
    lost_in: str = ""
    lost_s: float = nan
    computed_s: float = 0.0
    sent_bits: float = 0.0
    waiting: TimedEvent = field(init=False)

    def __post_init__(self) -> None:
        self.option = self.options[0]
        if len(self.options) == 1:
            self.column = 0

    def take(self, column: int) -> None:
        """Let the clip be handled at one of its operating points."""
        self.column, self.option = column, self.options[column]

    def lose(self, where: str, outcome: str, now_s: float) -> None:
        """Note that the clip is lost."""
        self.lost_in, self.outcome, self.lost_s = where, outcome, now_s

    def decline(self) -> None:
        """Note that a policy does without the clip; it is not lost anywhere."""
        self.outcome = DECLINED

    def credit(self, sent: Delivery) -> None:
        """Add what was sent for it, whole or in part."""
        if self.tx_start_s != self.tx_start_s:
            self.tx_start_s = sent.start_s
        self.attempts = max(self.attempts, sent.attempts)
        self.airtime_s += sent.airtime_s
        self.snr_s += sent.snr_s
