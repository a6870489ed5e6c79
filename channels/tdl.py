"""Frequency-selective fading: tapped delay lines and the effective SNR of a band.

Each tap is a Rayleigh process of its own from the same inverse-transform generator as flat fading;
the first tap of a line-of-sight profile adds a phasor. The frequency response over the band is
taken at frequencies that resolve it; a rate is the mean over them (`fadeline.channels.rates`). The
SNR that is reported is the one at which a flat channel has the same capacity.

Letters: T taps, N time steps, F frequencies.
"""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from fadeline.channels.clarke import Gains
from fadeline.channels.fading import rayleigh
from fadeline.channels.tdl_profiles import LOS_DOPPLER_RATIO, TdlProfile

Floats = NDArray[np.float64]

FREQUENCIES_PER_COHERENCE = 24
MIN_FREQUENCIES = 4
"""Frequencies per 1 / delay spread, and at least (our choice): the capacity of a time step is then
within 1 % (root mean square) of what four times as many frequencies give, in every profile and for
bandwidths from a tenth of 1 / delay spread on (tested). The longest echo, of TDL-E, is at 20.7
delay spreads."""

_CHUNK_CELLS = 2**18
"""Frequencies times time steps whose response is held at once, which bounds the memory."""


def tdl_gains(
    rng: np.random.Generator,
    profile: TdlProfile,
    *,
    doppler_hz: float,
    step_s: float,
    steps: int,
) -> Gains:
    """Return the complex gain of each tap over time.

    Args:
        rng: Generator that is drawn from.
        profile: Powers of the taps and of the line of sight.
        doppler_hz: Maximum Doppler frequency, at least 0, Hz.
        step_s: Time between samples, seconds.
        steps: Number of samples N.

    Returns:
        Gains, shape (T, N), complex64; the powers of all taps add up to 1 in the mean.

    Raises:
        ValueError: If the step is too coarse for the Doppler frequency.

    Source:
        TR 38.901, 7.7.2 and 7.7.3: Clarke spectrum per tap, line of sight at 0.7 fD.

    Example:
        >>> from fadeline.channels.tdl_profiles import TDL_PROFILES
        >>> rng = np.random.default_rng(1)
        >>> tdl_gains(rng, TDL_PROFILES["TDL-D"], doppler_hz=35.0, step_s=1e-3, steps=50).shape
        (13, 50)
    """
    powers, los_power = profile.mean_powers()
    phase_rad = rng.uniform(0.0, 2.0 * math.pi)
    gains = rayleigh(
        rng, doppler_hz=doppler_hz, step_s=step_s, steps=steps, links=powers.size, power=powers
    )
    if los_power:
        turns = LOS_DOPPLER_RATIO * doppler_hz * step_s * np.arange(steps)
        gains[0] += math.sqrt(los_power) * np.exp(1j * (2.0 * math.pi * turns + phase_rad))
    return gains


def band_frequencies_hz(bandwidth_hz: float, delay_spread_s: float) -> Floats:
    """Return evenly spaced frequencies that resolve the channel's selectivity over a band.

    Args:
        bandwidth_hz: Width of the band, positive, Hz.
        delay_spread_s: RMS delay spread of the channel, positive, seconds.

    Returns:
        Middles of F equal parts of the band, relative to its centre, shape (F,), Hz.

    Example:
        >>> band_frequencies_hz(1e6, 100e-9)
        array([-375000., -125000.,  125000.,  375000.])
        >>> band_frequencies_hz(5e6, 100e-9).size
        12
    """
    wanted = math.ceil(FREQUENCIES_PER_COHERENCE * bandwidth_hz * delay_spread_s - 1e-9)
    parts = max(MIN_FREQUENCIES, wanted)
    return ((np.arange(parts) + 0.5) / parts - 0.5) * bandwidth_hz


def subcarrier_snr(
    gains: Gains, delays_s: Floats, frequencies_hz: Floats, mean_snr: float | Floats
) -> Iterator[tuple[slice, Floats]]:
    """Yield the SNR over a band, some time steps at a time, so that the memory stays small.

    Args:
        gains: Gain of each tap over time, shape (T, N).
        delays_s: Delay of each tap, shape (T,), seconds.
        frequencies_hz: Where the response is taken, shape (F,), Hz.
        mean_snr: Mean linear SNR over the band, a number or shape (N,).

    Yields:
        Which time steps, and mean_snr |H|^2 in them, shape (F, their number).

    Example:
        >>> gains = np.ones((1, 3), np.complex64)
        >>> [(part, snr)] = subcarrier_snr(gains, np.zeros(1), np.array([-1e5, 1e5]), 10.0)
        >>> snr
        array([[10., 10., 10.],
               [10., 10., 10.]])
    """
    turn = np.exp(-2j * math.pi * np.outer(frequencies_hz, delays_s)).astype(np.complex64)  # (F, T)
    steps = gains.shape[1]
    snr = np.broadcast_to(np.asarray(mean_snr, dtype=np.float64), (steps,))
    chunk = max(1, _CHUNK_CELLS // frequencies_hz.size)
    for first in range(0, steps, chunk):
        part = slice(first, first + chunk)
        response = turn @ gains[:, part]  # (F, chunk)
        power = (response.real**2 + response.imag**2).astype(np.float64)
        yield part, power * snr[part]


def effective_snr(snr: Floats) -> Floats:
    """Return the SNR at which a flat channel has the capacity of a band.

    Args:
        snr: Linear SNR of each of F equal subcarriers, shape (F, N).

    Returns:
        exp(mean over subcarriers of ln(1 + snr)) - 1, shape (N,).

    Source:
        Capacity effective SNR mapping; IEEE 802.16m evaluation methodology, 802.16m-08/004r5,
        section 4.3.

    Example:
        >>> effective_snr(np.array([[3.0, 1.0], [0.0, 1.0]]))
        array([1., 1.])
    """
    effective: Floats = np.expm1(np.log1p(snr).mean(axis=0))
    return effective
