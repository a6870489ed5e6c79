"""Flat small-scale fading: complex channel gains over time.

Letters: L links, N time steps.
"""

import math

import numpy as np
from numpy.typing import NDArray

from fadeline.channels.clarke import Gains, clarke_process
from fadeline.channels.doppler import check_step
from fadeline.channels.units import db_to_linear


def rayleigh(
    rng: np.random.Generator,
    *,
    doppler_hz: float,
    step_s: float,
    steps: int,
    links: int = 1,
    power: float | NDArray[np.float64] = 1.0,
) -> Gains:
    """Return Rayleigh-fading gains with Clarke's Doppler spectrum.

    The output does not repeat (see `clarke.GUARD_CYCLES`), and a link's gains do not depend on how
    many links follow it.

    Args:
        rng: Generator that is drawn from.
        doppler_hz: Maximum Doppler frequency, at least 0, Hz. At 0 the gain never changes.
        step_s: Time between samples, seconds; at most a tenth of a Doppler period.
        steps: Number of samples N, at least 1.
        links: Number of independent links L, at least 1.
        power: Mean power E|h|^2, at least 0: a number, or one for each link, shape (L,).

    Returns:
        Complex gains, shape (L, N), complex64.

    Raises:
        ValueError: If the step is too coarse for the Doppler frequency or a count is below 1.

    Source:
        Clarke, BSTJ 47(6), 1968; how it is made: `fadeline.channels.clarke`.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> rayleigh(rng, doppler_hz=35.0, step_s=1e-3, steps=600, links=2).shape
        (2, 600)
    """
    _check_counts(steps, links)
    check_step(step_s, doppler_hz)
    powers = np.broadcast_to(np.asarray(power, dtype=np.float64), (links,))
    # Less than a billionth of a Doppler period in all: single precision could not show a change.
    if doppler_hz * step_s * steps < 1e-9:
        fades = _complex_normals(rng, (links, 1)) * np.sqrt(powers)[:, np.newaxis]
        return np.repeat(fades.astype(np.complex64), steps, axis=1)
    return clarke_process(rng, doppler_hz * step_s, steps, powers)


def rician(
    rng: np.random.Generator,
    *,
    k_factor_db: float,
    los_angle_deg: float,
    doppler_hz: float,
    step_s: float,
    steps: int,
    links: int = 1,
) -> Gains:
    """Return Rician-fading gains: a line-of-sight phasor plus Rayleigh scatter.

    Args:
        rng: Generator that is drawn from.
        k_factor_db: Power of the line of sight over that of the scatter, dB.
        los_angle_deg: Angle between the direction of motion and the line of sight, degrees; the
            phasor turns with fD cos(angle), so 90 degrees gives a phasor at rest.
        doppler_hz: Maximum Doppler frequency, at least 0, Hz.
        step_s: Time between samples, seconds.
        steps: Number of samples N.
        links: Number of independent links L.

    Returns:
        Complex gains with E|h|^2 = 1, shape (L, N), complex64. Each link's phasor starts at a
        uniformly drawn phase.

    Raises:
        ValueError: As `rayleigh`.

    Source:
        Stüber, "Principles of Mobile Communication", 4th edition, 2017, section 2.1.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> h = rician(rng, k_factor_db=60.0, los_angle_deg=90.0, doppler_hz=35.0, step_s=1e-3,
        ...            steps=1000)
        >>> bool(np.allclose(np.abs(h), 1.0, atol=0.01))
        True
    """
    k = db_to_linear(k_factor_db)
    phases_rad = rng.uniform(0.0, 2.0 * math.pi, links)
    gains = rayleigh(
        rng,
        doppler_hz=doppler_hz,
        step_s=step_s,
        steps=steps,
        links=links,
        power=1.0 / (k + 1.0),
    )
    los_cycles_per_step = doppler_hz * math.cos(math.radians(los_angle_deg)) * step_s
    for link, phase_rad in zip(gains, phases_rad, strict=True):
        link += math.sqrt(k / (k + 1.0)) * _phasor(los_cycles_per_step, phase_rad, steps)
    return gains


def block(
    rng: np.random.Generator,
    *,
    block_s: float,
    step_s: float,
    steps: int,
    k_factor_db: float | None = None,
    links: int = 1,
) -> Gains:
    """Return block-fading gains: constant over a block, independent from block to block.

    Args:
        rng: Generator that is drawn from.
        block_s: Length of a block, positive, seconds.
        step_s: Time between samples, seconds; a step belongs to the block in which it begins.
        steps: Number of samples N.
        k_factor_db: Rician K factor, dB; None gives Rayleigh blocks.
        links: Number of independent links L.

    Returns:
        Complex gains with E|h|^2 = 1, shape (L, N), complex64.

    Raises:
        ValueError: If a length is not positive, a step is longer than a block, or a count is
            below 1.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> h = block(rng, block_s=0.1, step_s=0.05, steps=4)[0]
        >>> bool(h[0] == h[1]), bool(h[1] == h[2])
        (True, False)
    """
    _check_counts(steps, links)
    if not 0 < step_s <= block_s:
        raise ValueError(f"step_s must be in (0, block_s = {block_s:g}], got {step_s:g}")
    # The small addition keeps a step that begins on a border, up to rounding, in the later block.
    index = np.floor(np.arange(steps) * (step_s / block_s) + 1e-9).astype(np.int64)
    fades = _complex_normals(rng, (links, int(index[-1]) + 1))
    if k_factor_db is not None:
        k = db_to_linear(k_factor_db)
        # A block's phase is arbitrary, so the line of sight may lie on the real axis.
        fades = (math.sqrt(k) + fades) / np.float32(math.sqrt(k + 1.0))
    gains: Gains = np.take(fades.astype(np.complex64), index, axis=1)
    return gains


def _check_counts(steps: int, links: int) -> None:
    if steps < 1 or links < 1:
        raise ValueError(f"steps and links must be at least 1, got {steps} and {links}")


def _complex_normals(rng: np.random.Generator, shape: tuple[int, ...]) -> Gains:
    """Return complex normals of unit power."""
    parts = rng.standard_normal((*shape, 2), dtype=np.float32) * np.float32(math.sqrt(0.5))
    return parts.view(np.complex64)[..., 0]


def _phasor(cycles_per_step: float, phase_rad: float, steps: int) -> Gains:
    """Return exp(j (2 pi cycles_per_step n + phase)), shape (N,), from two short tables."""
    fine_steps = max(1, math.isqrt(steps))
    fine = np.exp(2j * math.pi * cycles_per_step * np.arange(fine_steps))
    starts = np.arange(-(-steps // fine_steps)) * fine_steps
    coarse = np.exp(1j * (2.0 * math.pi * cycles_per_step * starts + phase_rad))
    turning: Gains = np.outer(coarse.astype(np.complex64), fine.astype(np.complex64))
    return turning.reshape(-1)[:steps]
