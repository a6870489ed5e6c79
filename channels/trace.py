"""What one link can carry over time, and the exact time at which a transfer ends.

A trace holds a rate that is constant within each step. The cumulative bits at the step borders
turn "when has this clip been sent?" into one search and one division, however many steps the
transfer spans and whatever outages lie in them.
"""

import math
from functools import cached_property
from typing import Any, Self, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Number = float | np.integer[Any]

_CHUNK = 8192
"""Look-ups handled at once, so that the working arrays stay in the cache (measured)."""


_SCALARS = (int, float, np.integer, np.floating)
_NEGATIVE = "start_s and bits must be at least 0"


class LinkTrace:
    """Rate and signal-to-noise ratio of one link over [0, end_s].

    Build one with `uniform` or `irregular`. Nothing is known of the link after `end_s`: a transfer
    that would need more time never finishes (`finish_s` is infinite), and any other question that
    reaches past the end is an error.

    Attributes:
        edges_s: Borders of the steps, shape (n + 1,), from 0, ascending, seconds.
        rate_bps: Rate in each step, shape (n,), bits per second; 0 is an outage.
        snr: Linear SNR in each step, shape (n,), or None where a rate trace carries none.
        bits: Bits that could have been sent by each border, shape (n + 1,).
        step_s: Length of a step when all are equal, seconds; otherwise None.
    """

    def __init__(
        self, edges_s: Floats, rate_bps: Floats, snr: Floats | None, step_s: float | None
    ) -> None:
        steps = rate_bps.size
        if steps == 0 or rate_bps.shape != (steps,) or edges_s.shape != (steps + 1,):
            raise ValueError(
                f"a trace needs n >= 1 rates and n + 1 borders, got shapes {rate_bps.shape} "
                f"and {edges_s.shape}"
            )
        if snr is not None and snr.shape != (steps,):
            raise ValueError(f"snr must have the shape of rate_bps {rate_bps.shape}: {snr.shape}")
        _require_non_negative("rate_bps", rate_bps)
        if snr is not None:
            _require_non_negative("snr", snr)
        self.edges_s = edges_s
        self.rate_bps = rate_bps
        self.snr = snr
        self.step_s = step_s
        self.bits = _cumulative(rate_bps, edges_s, step_s)

    @classmethod
    def uniform(cls, rate_bps: ArrayLike, step_s: float, snr: ArrayLike | None = None) -> Self:
        """Return a trace whose steps all last `step_s` seconds.

        Args:
            rate_bps: Rate in each step, shape (n,), at least 0, bits per second.
            step_s: Length of a step, positive, seconds.
            snr: Linear SNR in each step, shape (n,), at least 0.

        Raises:
            ValueError: If a value is negative or not finite, or the shapes differ.

        Example:
            >>> LinkTrace.uniform([1e6, 0.0, 2e6], step_s=0.5).finish_s(0.0, 600e3)
            1.05
        """
        if not (step_s > 0 and np.isfinite(step_s)):
            raise ValueError(f"step_s must be positive and finite, got {step_s}")
        rate = np.asarray(rate_bps, dtype=np.float64)
        edges_s: Floats = np.arange(rate.size + 1, dtype=np.float64) * step_s
        return cls(edges_s, rate, _optional_floats(snr), float(step_s))

    @classmethod
    def irregular(
        cls, edges_s: ArrayLike, rate_bps: ArrayLike, snr: ArrayLike | None = None
    ) -> Self:
        """Return a trace with steps of any length.

        Args:
            edges_s: Borders of the steps, shape (n + 1,), strictly ascending from 0, seconds.
            rate_bps: Rate in each step, shape (n,), at least 0, bits per second.
            snr: Linear SNR in each step, shape (n,), at least 0.

        Raises:
            ValueError: As `uniform`, or if the borders do not ascend from 0 to a finite end.

        Example:
            >>> LinkTrace.irregular([0.0, 0.1, 1.0], [0.0, 1e6]).finish_s(0.0, 100e3)
            0.2
        """
        edges = np.asarray(edges_s, dtype=np.float64)
        ascending = edges.size > 0 and edges[0] == 0 and np.all(np.diff(edges) > 0)
        if not (ascending and np.isfinite(edges[-1])):
            raise ValueError("edges_s must ascend strictly from 0 and be finite")
        return cls(edges, np.asarray(rate_bps, dtype=np.float64), _optional_floats(snr), None)

    @property
    def end_s(self) -> float:
        """Time up to which the link is known, seconds."""
        return float(self.edges_s[-1])

    @overload
    def finish_s(self, start_s: float, bits: Number) -> float: ...
    @overload
    def finish_s(self, start_s: Floats, bits: Floats | Number) -> Floats: ...
    @overload
    def finish_s(self, start_s: float, bits: Floats) -> Floats: ...
    def finish_s(self, start_s: float | Floats, bits: Number | Floats) -> float | Floats:
        """Return when a transfer ends that has the whole link to itself.

        Args:
            start_s: Start or starts of the transfers, at least 0, seconds.
            bits: Bits to send, at least 0; broadcast against `start_s`.

        Returns:
            The first time by which all bits are sent, exact for the piecewise-constant rate;
            infinity if the trace ends before that. Nothing to send ends at its start, unless that
            too lies past the end.

        Raises:
            ValueError: If a start or a number of bits is negative or NaN.

        Example:
            >>> LinkTrace.uniform([1e6, 1e6], step_s=1.0).finish_s(0.5, 5e6)
            inf
        """
        if isinstance(start_s, _SCALARS) and isinstance(bits, _SCALARS):
            return self._finish_one_s(float(start_s), float(bits))
        starts, sizes = np.broadcast_arrays(
            np.asarray(start_s, dtype=np.float64), np.asarray(bits, dtype=np.float64)
        )
        if not (np.all(starts >= 0) and np.all(sizes >= 0)):
            raise ValueError(_NEGATIVE)
        finish = np.empty(starts.shape)
        flat, flat_starts, flat_sizes = finish.reshape(-1), starts.reshape(-1), sizes.reshape(-1)
        for first in range(0, flat.size, _CHUNK):
            part = slice(first, first + _CHUNK)
            flat[part] = self._finish_many_s(flat_starts[part], flat_sizes[part])
        return finish

    def bits_between(self, start_s: float, end_s: float) -> float:
        """Return how many bits the link can carry between two times.

        Raises:
            ValueError: Unless 0 <= start_s <= end_s <= the trace's end.

        Example:
            >>> LinkTrace.uniform([1e6, 0.0], step_s=1.0).bits_between(0.75, 1.5)
            250000.0
        """
        self._require_inside(start_s, end_s)
        return self._integral(self.bits, self.rate_bps, end_s) - self._integral(
            self.bits, self.rate_bps, start_s
        )

    def snr_over(self, start_s: float, end_s: float) -> float:
        """Return the time-average linear SNR between two times; at one instant if they are equal.

        Raises:
            ValueError: Unless 0 <= start_s <= end_s <= the trace's end, or if the trace has no
                SNR.

        Example:
            >>> LinkTrace.uniform([1e6, 1e6], step_s=1.0, snr=[1.0, 3.0]).snr_over(0.5, 1.5)
            2.0
        """
        self._require_inside(start_s, end_s)
        if self.snr is None:
            raise ValueError("this trace gives rates only and has no SNR")
        if start_s == end_s:
            # Searched for, because rounding in `_step_at` may give the step before a border.
            step = int(self.edges_s.searchsorted(start_s, side="right")) - 1
            return self.snr.item(min(step, self.snr.size - 1))
        start = self._integral(self._cumulative_snr, self.snr, start_s)
        return (self._integral(self._cumulative_snr, self.snr, end_s) - start) / (end_s - start_s)

    @cached_property
    def _cumulative_snr(self) -> Floats:
        assert self.snr is not None
        return _cumulative(self.snr, self.edges_s, self.step_s)

    def _require_inside(self, start_s: float, end_s: float) -> None:
        if not 0 <= start_s <= end_s <= self.end_s:
            raise ValueError(
                f"the trace covers 0 to {self.end_s:g} s, asked for {start_s:g} to {end_s:g} s"
            )

    # One look-up at a time is the event loop's path and avoids numpy's cost per call; many at once
    # is the analyst's. Both compute the same formula in the same order, so they agree exactly.
    # The integrals are continuous, so a time that rounding put into the neighbouring step of a
    # uniform grid does no harm.

    def _step_at(self, time_s: float) -> int:
        if self.step_s is None:
            step = int(self.edges_s.searchsorted(time_s, side="right")) - 1
        else:
            step = int(time_s / self.step_s)
        return min(step, self.rate_bps.size - 1)

    def _integral(self, cumulative: Floats, density: Floats, time_s: float) -> float:
        step = self._step_at(time_s)
        return cumulative.item(step) + density.item(step) * (time_s - self.edges_s.item(step))

    def _finish_one_s(self, start_s: float, bits: float) -> float:
        if not (start_s >= 0 and bits >= 0):
            raise ValueError(_NEGATIVE)
        if start_s > self.end_s:
            return math.inf
        if bits == 0:
            return start_s
        target = self._integral(self.bits, self.rate_bps, start_s) + bits
        border = int(self.bits.searchsorted(target))
        if border == self.bits.size:
            return math.inf
        last = max(border - 1, 0)
        sent = (target - self.bits.item(last)) / self.rate_bps.item(last)
        # Rounding must not put the end of a transfer beyond its step: later transfers would
        # overtake it, and the last step's end is the end of the trace.
        return max(min(self.edges_s.item(last) + sent, self.edges_s.item(border)), start_s)

    def _finish_many_s(self, start_s: Floats, bits: Floats) -> Floats:
        last_step = self.rate_bps.size - 1
        if self.step_s is None:
            step = self.edges_s.searchsorted(start_s, side="right") - 1
        else:
            step = np.minimum(start_s / self.step_s, last_step).astype(np.int64)
        step = np.minimum(step, last_step)
        # An infinite start is the end of a transfer that never finished.
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            target = self.bits[step] + self.rate_bps[step] * (start_s - self.edges_s[step]) + bits
            border = self._search(target)
            last = np.clip(border - 1, 0, last_step)
            finish = self.edges_s[last] + (target - self.bits[last]) / self.rate_bps[last]
        finish = np.minimum(finish, self.edges_s[last + 1])
        finish = np.where(bits > 0, np.maximum(finish, start_s), start_s)
        finish[((border == self.bits.size) & (bits > 0)) | (start_s > self.end_s)] = np.inf
        return finish

    def _search(self, target: Floats) -> NDArray[np.int64]:
        # Searching in ascending order stays in the cache and pays for the sort (measured).
        order = np.argsort(target)
        border = np.empty(target.size, np.int64)
        border[order] = self.bits.searchsorted(target[order])
        return border


def _cumulative(density: Floats, edges_s: Floats, step_s: float | None) -> Floats:
    """Return the integral of a piecewise-constant density at each border, shape (n + 1,)."""
    cumulative = np.empty(edges_s.size)
    cumulative[0] = 0.0
    np.multiply(density, np.diff(edges_s) if step_s is None else step_s, out=cumulative[1:])
    np.cumsum(cumulative[1:], out=cumulative[1:])
    return cumulative


def _optional_floats(values: ArrayLike | None) -> Floats | None:
    return None if values is None else np.asarray(values, dtype=np.float64)


def _require_non_negative(name: str, values: Floats) -> None:
    wrong = ~(np.isfinite(values) & (values >= 0))
    if wrong.any():
        index = int(np.argmax(wrong))
        raise ValueError(f"{name}[{index}] must be at least 0 and finite, got {values[index]}")
