"""From signal-to-noise ratio to rate: Shannon with a gap, and finite block lengths.

`Rate` is what a link needs of a rate; a class with all of its methods is all it takes to add one.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fadeline.channels.units import db_to_linear

Floats = NDArray[np.float64]


class Rate(Protocol):
    """A rule that turns a link's SNR over time into its rate over time."""

    def slot_s(self, bandwidth_hz: float) -> float | None:
        """Return the time step that the rule needs, seconds; None if any step will do."""

    def rate_bps(self, rng: np.random.Generator, snr: Floats, bandwidth_hz: float) -> Floats:
        """Return the rate in each step.

        Args:
            rng: Generator for block errors and the like.
            snr: Linear SNR in each step, shape (n,), or of each of F equal subcarriers in each,
                shape (F, n); steps of `slot_s` where that is not None.
            bandwidth_hz: Symbols per second that carry data: the bandwidth, less what reference
                signals and the like take of it.

        Returns:
            Bits per second, shape (n,), at least 0.
        """

    def drawn(
        self, rng: np.random.Generator, snr: Floats, bandwidth_hz: float
    ) -> tuple[Floats, NDArray[np.bool_] | None]:
        """Return the rate in each step, as `rate_bps`, and whether what is sent in it is lost.

        The latter is of shape (n,); None where nothing ever is.
        """

    def mean_rate_bps(self, snr: Floats, bandwidth_hz: float) -> Floats:
        """Return the rate to expect at a steady SNR, losses included, bits per second.

        Args:
            snr: As for `rate_bps`.
            bandwidth_hz: As for `rate_bps`.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Shannon:
    """Capacity of the Gaussian channel at an SNR lowered by a gap, up to a cap.

    Over a selective band gap and cap hold for each subcarrier, as they do for a modulation and a
    code that are: the rate is the mean of theirs, not that of a mean SNR.

    Attributes:
        gap_db: How much more SNR than Shannon's bound the link needs, at least 0, dB. Uncoded QAM
            needs 8.8 dB at an error rate of 1e-6; good codes bring it down to a few dB.
        max_bits_per_symbol: Largest rate over bandwidth, bits per symbol; None for no cap.

    Source:
        Shannon, BSTJ 27, 1948; gap: Forney and Ungerboeck, IEEE Trans. Inf. Theory 44(6), 1998.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> Shannon(gap_db=0.0).rate_bps(rng, np.array([0.0, 1.0, 3.0]), 1e6)
        array([      0., 1000000., 2000000.])
    """

    gap_db: float = 0.0
    max_bits_per_symbol: float | None = None

    def slot_s(self, bandwidth_hz: float) -> float | None:
        """Return None: any time step will do."""
        return None

    def rate_bps(self, rng: np.random.Generator, snr: Floats, bandwidth_hz: float) -> Floats:
        """Return the rate in each step, shape (n,), bits per second; nothing is drawn."""
        return self.mean_rate_bps(snr, bandwidth_hz)

    def drawn(
        self, rng: np.random.Generator, snr: Floats, bandwidth_hz: float
    ) -> tuple[Floats, NDArray[np.bool_] | None]:
        """Return the rate in each step; nothing is drawn, and nothing is lost."""
        return self.mean_rate_bps(snr, bandwidth_hz), None

    def mean_rate_bps(self, snr: Floats, bandwidth_hz: float) -> Floats:
        """Return B min(log2(1 + snr / gap), cap), averaged over subcarriers, bits per second."""
        bits_per_symbol = np.asarray(np.log1p(snr / db_to_linear(self.gap_db)))
        bits_per_symbol *= 1.0 / math.log(2.0)
        if self.max_bits_per_symbol is not None:
            np.minimum(bits_per_symbol, self.max_bits_per_symbol, out=bits_per_symbol)
        if bits_per_symbol.ndim == 2:
            bits_per_symbol = bits_per_symbol.mean(axis=0)
        bits_per_symbol *= bandwidth_hz
        return bits_per_symbol


@dataclass(frozen=True, slots=True, kw_only=True)
class FiniteBlocklength:
    """Normal approximation of the best rate with blocks of finite length.

    A block fills one time step of block_symbols / bandwidth. Each is lost with the stated
    probability, and a lost block carries nothing: its step has rate 0.

    Attributes:
        block_symbols: Complex symbols in a block, at least 1.
        error_probability: Probability that a block is lost, in (0, 1).

    Source:
        Polyanskiy, Poor and Verdú, IEEE Trans. Inf. Theory 56(5), 2010, normal approximation of the
        Gaussian channel, in its complex form.
    """

    block_symbols: int
    error_probability: float

    def slot_s(self, bandwidth_hz: float) -> float | None:
        """Return the length of a block, seconds, with one symbol per second and hertz."""
        return self.block_symbols / bandwidth_hz

    def bits_per_symbol(self, snr: Floats) -> Floats:
        """Return the rate of a block that gets through, bits per symbol, in [0, C].

        C - sqrt(V / n) Qinv(epsilon) + log2(n) / (2 n) with C = log2(1 + snr) and the dispersion
        V = snr (snr + 2) / (snr + 1)^2 log2(e)^2. Clamped at 0, and at C, which the last term
        alone would exceed at a very low SNR. A block that is spread evenly over subcarriers has the
        mean C and the mean V of theirs (parallel Gaussian channels: Polyanskiy, "Channel coding:
        non-asymptotic fundamental limits", thesis, Princeton 2010, 4.5).

        Args:
            snr: Linear SNR, a number, shape (n,), or that of F subcarriers, shape (F, n).

        Returns:
            Shape (n,).

        Example:
            >>> rule = FiniteBlocklength(block_symbols=500, error_probability=1e-3)
            >>> round(float(rule.bits_per_symbol(np.array(10.0))), 3)
            3.27
        """
        from scipy.special import ndtri

        n = self.block_symbols
        capacity = np.log1p(snr) / math.log(2.0)
        dispersion = snr * (snr + 2.0) / (snr + 1.0) ** 2 / math.log(2.0) ** 2
        if np.ndim(snr) == 2:
            capacity, dispersion = capacity.mean(axis=0), dispersion.mean(axis=0)
        back_off = np.sqrt(dispersion / n) * -float(ndtri(self.error_probability))
        return np.clip(capacity - back_off + math.log2(n) / (2.0 * n), 0.0, capacity)

    def rate_bps(self, rng: np.random.Generator, snr: Floats, bandwidth_hz: float) -> Floats:
        """Return the rate in each block, shape (n,), bits per second; 0 in a lost block."""
        return self.drawn(rng, snr, bandwidth_hz)[0]

    def drawn(
        self, rng: np.random.Generator, snr: Floats, bandwidth_hz: float
    ) -> tuple[Floats, NDArray[np.bool_] | None]:
        """Return the rate in each block, as `rate_bps`, and which blocks are lost.

        A block that is too weak to carry anything is not sent, and so is none that is lost.
        """
        received = rng.random(snr.shape[-1]) >= self.error_probability
        rate_bps = self.bits_per_symbol(snr) * bandwidth_hz
        return rate_bps * received, np.asarray(~received & (rate_bps > 0.0), dtype=np.bool_)

    def mean_rate_bps(self, snr: Floats, bandwidth_hz: float) -> Floats:
        """Return the rate to expect at a steady SNR, lost blocks included, bits per second."""
        return self.bits_per_symbol(snr) * (bandwidth_hz * (1.0 - self.error_probability))
