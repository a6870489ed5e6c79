"""Closed forms for fading channels: the values that simulations must agree with.

SNRs are linear here. `k_factor` is the linear Rician K; 0 is Rayleigh.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Floats = NDArray[np.float64]


def envelope_cdf(envelope: ArrayLike, k_factor: float = 0.0) -> Floats:
    """Return P(|h| <= envelope) for unit mean power.

    Args:
        envelope: Amplitude or amplitudes, at least 0, any shape.
        k_factor: Linear Rician K factor.

    Source:
        Stüber, "Principles of Mobile Communication", 4th edition, 2017, section 2.1.3: |h|^2 is
        noncentral chi-square with 2 degrees of freedom, which is Marcum's Q in disguise.

    Example:
        >>> round(float(envelope_cdf(math.sqrt(math.log(2.0)))), 12)
        0.5
    """
    power = np.square(np.asarray(envelope, dtype=np.float64))
    if k_factor == 0:
        return -np.expm1(-power)
    cdf: Floats = special.chndtr(2.0 * (k_factor + 1.0) * power, 2.0, 2.0 * k_factor)
    return cdf


def envelope_pdf(envelope: ArrayLike, k_factor: float = 0.0) -> Floats:
    """Return the density of the envelope |h| for unit mean power.

    Args:
        envelope: Amplitude or amplitudes, at least 0, any shape.
        k_factor: Linear Rician K factor.

    Source:
        Rice, BSTJ 24(1), 1945; Stüber 2017, equation 2.47.

    Example:
        >>> round(float(envelope_pdf(1.0)), 4)
        0.7358
    """
    r = np.asarray(envelope, dtype=np.float64)
    k = k_factor
    bessel = 2.0 * r * math.sqrt(k * (k + 1.0))
    # i0e is exp(-x) I0(x): taken together the exponents neither overflow nor cancel.
    exponent = -k - (k + 1.0) * r**2 + bessel
    pdf: Floats = 2.0 * (k + 1.0) * r * np.exp(exponent) * special.i0e(bessel)
    return pdf


def outage_probability(threshold_snr: float, mean_snr: float, k_factor: float = 0.0) -> float:
    """Return the probability that the SNR is at most a threshold.

    Source:
        Rayleigh: 1 - exp(-threshold / mean). Rician: 1 - Q1(sqrt(2K), sqrt(2(K+1) threshold /
        mean)); Simon and Alouini, "Digital Communication over Fading Channels", 2005, ch. 2.

    Example:
        >>> round(outage_probability(10**0.3, 10.0), 5)
        0.18088
        >>> round(outage_probability(10**0.3, 10.0, k_factor=4.0), 5)
        0.04705
    """
    return float(envelope_cdf(math.sqrt(threshold_snr / mean_snr), k_factor))


def autocorrelation(
    lag_s: ArrayLike, doppler_hz: float, k_factor: float = 0.0, los_angle_deg: float = 90.0
) -> NDArray[np.complex128]:
    """Return E[h(t + lag) conj(h(t))] of Clarke's model, with a line of sight if K is not 0.

    Args:
        lag_s: Lag or lags, any shape, seconds.
        doppler_hz: Maximum Doppler frequency, Hz.
        k_factor: Linear Rician K factor.
        los_angle_deg: Angle between motion and line of sight, degrees.

    Source:
        Clarke, BSTJ 47(6), 1968: J0(2 pi fD lag); the phasor adds its own turn.

    Example:
        >>> round(float(autocorrelation(0.01, 20.0).real), 4)
        0.6425
    """
    turn = 2.0 * math.pi * doppler_hz * np.asarray(lag_s, dtype=np.float64)
    los = np.exp(1j * turn * math.cos(math.radians(los_angle_deg)))
    correlation: NDArray[np.complex128] = (special.j0(turn) + k_factor * los) / (k_factor + 1.0)
    return correlation


def level_crossing_rate_hz(level: float, doppler_hz: float, k_factor: float = 0.0) -> float:
    """Return how often per second the envelope rises through a level.

    Args:
        level: Amplitude over the root-mean-square envelope.
        doppler_hz: Maximum Doppler frequency, Hz.
        k_factor: Linear Rician K factor, with the line of sight at 90 degrees to the motion.

    Source:
        Rice, BSTJ 27(1), 1948; Stüber 2017, equations 2.101 and 2.104.

    Example:
        >>> round(level_crossing_rate_hz(10 ** (-5 / 20), 20.0), 2)
        20.55
    """
    k = k_factor
    bessel = 2.0 * level * math.sqrt(k * (k + 1.0))
    exponent = -k - (k + 1.0) * level**2 + bessel
    scale = math.sqrt(2.0 * math.pi * (k + 1.0)) * doppler_hz * level
    return scale * math.exp(exponent) * float(special.i0e(bessel))


def average_fade_duration_s(level: float, doppler_hz: float, k_factor: float = 0.0) -> float:
    """Return the mean time that the envelope stays below a level once it falls through it.

    The probability of being below the level over the crossing rate; arguments as
    `level_crossing_rate_hz`, the level above 0.

    Raises:
        ValueError: If the envelope never crosses the level.

    Source:
        Stüber 2017, equation 2.107.

    Example:
        >>> round(1e3 * average_fade_duration_s(10 ** (-5 / 20), 20.0), 2)
        13.19
    """
    crossings_hz = level_crossing_rate_hz(level, doppler_hz, k_factor)
    if not crossings_hz > 0:
        raise ValueError(f"the envelope never crosses level {level} at {doppler_hz} Hz of Doppler")
    return float(envelope_cdf(level, k_factor)) / crossings_hz


def rayleigh_capacity(mean_snr: float, cap: float | None = None) -> float:
    """Return the ergodic capacity of a Rayleigh channel, bits per symbol.

    Args:
        mean_snr: Linear; over the gap, for a rate with an SNR gap.
        cap: Largest rate, bits per symbol; None for no cap.

    Source:
        Alouini and Goldsmith, IEEE Trans. Veh. Technol. 48(4), 1999, equation 34:
        log2(e) exp(1 / mean) E1(1 / mean). A cap is reached at the power x = (2^cap - 1) / mean;
        integrating the rate's slope times exp(-power) up to there takes
        log2(e) exp(1 / mean) E1(1 / mean + x) from it.

    Example:
        >>> round(rayleigh_capacity(10.0), 4)
        2.9065
        >>> round(rayleigh_capacity(10.0, cap=4.0), 4)
        2.7689
    """
    inverse = 1.0 / mean_snr
    # exp(x) E1(x) as one function, since the factors overflow and underflow at low SNR.
    capacity = float(special.hyperu(1.0, 1.0, inverse))
    if cap is not None:
        reached = (2.0**cap - 1.0) / mean_snr
        capacity -= math.exp(-reached) * float(special.hyperu(1.0, 1.0, inverse + reached))
    return capacity / math.log(2.0)


def rician_capacity(mean_snr: float, k_factor: float) -> float:
    """Return the ergodic capacity of a Rician channel, bits per symbol, by quadrature.

    Integrates log2(1 + mean_snr r^2) over the envelope's density.

    Example:
        >>> abs(rician_capacity(10.0, 0.0) - rayleigh_capacity(10.0)) < 1e-9
        True
        >>> round(rician_capacity(10.0, 1e4), 3) == round(math.log2(11.0), 3)
        True
    """
    # Beyond nine standard deviations of the scatter around the line of sight nothing is left.
    spread = 9.0 / math.sqrt(2.0 * (k_factor + 1.0))
    middle = math.sqrt(k_factor / (k_factor + 1.0))
    low, high = max(0.0, middle - spread), middle + spread
    nodes, weights = special.roots_legendre(400)
    envelope = low + (high - low) * (nodes + 1.0) / 2.0
    density = envelope_pdf(envelope, k_factor) * np.log1p(mean_snr * envelope**2)
    return float(weights @ density) * (high - low) / 2.0 / math.log(2.0)


def quasi_static_delivery_probability(
    time_s: ArrayLike,
    payload_bits: float,
    bandwidth_hz: float,
    mean_snr: float,
    k_factor: float = 0.0,
) -> Floats:
    """Return P(a transfer is over within `time_s`) when the fade does not change during it.

    The fade must reach the SNR at which payload / (bandwidth x time) bits per symbol are possible.

    Args:
        time_s: Time or times since the transfer began, at least 0, any shape, seconds.
        payload_bits: Bits to send.
        bandwidth_hz: Bandwidth, Hz.
        mean_snr: Mean linear SNR, divided by the rate's gap if it has one.
        k_factor: Linear Rician K factor.

    Source:
        From Shannon's B log2(1 + snr) and the distribution of the fade; for Rayleigh
        exp(-(2^(bits / (bandwidth t)) - 1) / mean_snr).

    Example:
        >>> round(float(quasi_static_delivery_probability(15e-3, 40e3, 1e6, 10.0)), 4)
        0.5857
    """
    time = np.asarray(time_s, dtype=np.float64)
    with np.errstate(divide="ignore", over="ignore"):
        needed_snr = np.expm1(math.log(2.0) * payload_bits / (bandwidth_hz * time))
    return 1.0 - envelope_cdf(np.sqrt(needed_snr / mean_snr), k_factor)
