"""A device's link, and what becomes of what is sent over it."""

from dataclasses import dataclass
from math import inf, isinf, nan

import numpy as np
from numpy.typing import NDArray

from fadeline.channels.trace import LinkTrace


@dataclass(slots=True)  # not frozen: that takes three times as long to make
class Delivery:
    """What became of one transfer: all that a link says of it.

    Attributes:
        start_s: When its first bit was on the air, seconds; NaN if none ever was.
        finish_s: When it ended, seconds; infinite if it had not by the end of the clock.
        delivered: Whether all of it arrived.
        attempts: Transmissions of the block that took most: 1 if nothing was sent twice, 0 if
            nothing was sent.
        airtime_s: Time that the device transmitted for it, seconds.
        snr_s: Integral of the linear SNR over the airtime; NaN where the link has no SNR.
    """

    start_s: float
    finish_s: float
    delivered: bool
    attempts: int
    airtime_s: float
    snr_s: float

    @property
    def mean_snr(self) -> float:
        """Linear SNR, averaged over the airtime; NaN where there is none."""
        return self.snr_s / self.airtime_s if self.airtime_s else nan


@dataclass(frozen=True)
class Link:
    """A device's link over a whole run.

    Attributes:
        trace: What it carries over time, with nobody else in its band.
        end_s: End of the simulated time; the trace covers it.
        lost: Whether what is sent in each step is lost and sent again, shape (n,); None where
            nothing ever is.
    """

    trace: LinkTrace
    end_s: float
    lost: NDArray[np.bool_] | None = None

    def transfer(self, start_s: float, bits: float) -> Delivery:
        """Return what becomes of bits that have the link to themselves.

        Args:
            start_s: When they begin, seconds.
            bits: How many.

        Example:
            >>> Link(LinkTrace.uniform([1e6], 1.0, [3.0]), end_s=1.0).transfer(0.5, 1e5).finish_s
            0.6
        """
        finish_s = self.trace.finish_s(start_s, bits)
        ends_s = min(finish_s, self.end_s)
        delivered = finish_s <= self.end_s and self.delivers(start_s, finish_s)
        airtime_s = max(ends_s - start_s, 0.0)
        return Delivery(
            start_s,
            finish_s if delivered else inf,
            delivered,
            self.attempts(start_s, ends_s),
            airtime_s,
            airtime_s * self.snr_over(start_s, ends_s) if airtime_s else 0.0,
        )

    def snr_over(self, start_s: float, end_s: float) -> float:
        """Return the time-average linear SNR between two times; NaN where the link has none."""
        return nan if self.trace.snr is None else self.trace.snr_over(start_s, end_s)

    def delivers(self, start_s: float, end_s: float) -> bool:
        """Return whether what was sent between two times arrived.

        Always, where losses are repaired; a link that gives up some time says otherwise.
        """
        return True

    def attempts(self, start_s: float, end_s: float) -> int:
        """Return how often the block that took most was sent between two times."""
        if self.lost is None:
            return 1
        first, last = (
            int(self.trace.edges_s.searchsorted(at_s, side="right")) - 1
            for at_s in (start_s, end_s if not isinf(end_s) else self.end_s)
        )
        return 1 + _longest_run(self.lost[first : last + 1])


def _longest_run(flags: NDArray[np.bool_]) -> int:
    """Return the length of the longest run of set flags.

    Example:
        >>> _longest_run(np.array([True, False, True, True, False]))
        2
    """
    clear = np.flatnonzero(~flags)
    borders = np.concatenate([[-1], clear, [len(flags)]])
    return int(np.diff(borders).max()) - 1
