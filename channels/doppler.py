"""Doppler frequency, coherence time and the time step that a fading channel needs."""

from decimal import ROUND_DOWN, Context

from fadeline.channels.units import SPEED_OF_LIGHT_M_S

MAX_STEP_S = 1e-3
"""Longest default step: one NR subframe (TS 38.211, 4.3.1)."""

DEFAULT_STEP_CYCLES = 0.02
"""Default step in Doppler periods (our choice): neighbouring steps correlate with
J0(2 pi 0.02) = 0.996, so holding the gain over a step loses little."""

LARGEST_STEP_CYCLES = 0.1
"""Largest step accepted, in Doppler periods (our choice): neighbouring steps correlate with
J0(2 pi 0.1) = 0.904; beyond that the fades between two steps are no longer seen."""


def doppler_hz(speed_m_s: float, carrier_hz: float) -> float:
    """Return the maximum Doppler frequency, speed over wavelength, in Hz.

    Args:
        speed_m_s: Speed of the device or of its surroundings, at least 0, m/s.
        carrier_hz: Carrier frequency, positive, Hz.

    Source:
        Clarke, "A statistical theory of mobile-radio reception", BSTJ 47(6), 1968.

    Example:
        >>> round(doppler_hz(3.0, 3.5e9), 3)
        35.024
    """
    if not speed_m_s >= 0:
        raise ValueError(f"speed_m_s must be at least 0, got {speed_m_s}")
    if not carrier_hz > 0:
        raise ValueError(f"carrier_hz must be positive, got {carrier_hz}")
    return speed_m_s * carrier_hz / SPEED_OF_LIGHT_M_S


def coherence_time_s(doppler_hz: float) -> float:
    """Return the coherence time, 0.423 / fD, in seconds; infinite without Doppler.

    Source:
        Rappaport, "Wireless Communications", 2nd edition, 2002, equation 5.40.c.

    Example:
        >>> coherence_time_s(42.3)
        0.01
    """
    return 0.423 / doppler_hz if doppler_hz > 0 else float("inf")


def default_step_s(doppler_hz: float) -> float:
    """Return the time step used when none is given: 1 ms, or less if the Doppler asks for it.

    Example:
        >>> default_step_s(10.0), default_step_s(100.0)
        (0.001, 0.0002)
    """
    return min(MAX_STEP_S, DEFAULT_STEP_CYCLES / doppler_hz) if doppler_hz > 0 else MAX_STEP_S


def check_step(step_s: float, doppler_hz: float) -> None:
    """Refuse a time step too coarse for the Doppler frequency.

    Raises:
        ValueError: If the step is not positive, or longer than a tenth of a Doppler period (the
            message gives the largest step allowed), or if the Doppler frequency is negative.

    Example:
        >>> check_step(1e-3, 35.0)
    """
    if not step_s > 0:
        raise ValueError(f"step_s must be positive, got {step_s}")
    if not doppler_hz >= 0:
        raise ValueError(f"doppler_hz must be at least 0, got {doppler_hz}")
    if doppler_hz > 0 and step_s > LARGEST_STEP_CYCLES / doppler_hz:
        # Rounded down, so that the step named is itself allowed.
        largest_s = Context(prec=4, rounding=ROUND_DOWN).create_decimal_from_float(
            LARGEST_STEP_CYCLES / doppler_hz
        )
        raise ValueError(
            f"step_s {step_s:g} is too coarse for a Doppler frequency of {doppler_hz:.4g} Hz; "
            f"the largest allowed is {float(largest_s):g}"
        )
