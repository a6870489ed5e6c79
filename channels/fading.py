"""Flat small-scale fading: complex channel gains of unit mean power over time.

Rayleigh fading follows Clarke's model in two steps. A white complex Gaussian spectrum is shaped by
the Doppler spectrum, each frequency bin holding exactly the power that Clarke's U-shaped density
puts into it, and transformed to a series sampled just fast enough for the Doppler band; the series
is then interpolated to the step asked for. The autocorrelation is J0(2 pi fD tau), and every
sample is exactly Gaussian, which a sum of a few sinusoids is not.

Letters: L links, N time steps, K frequency bins inside the Doppler band, P steps per slow sample,
W slow samples under the interpolation window.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fadeline.channels.doppler import check_step
from fadeline.channels.units import db_to_linear

Gains = NDArray[np.complex64]

GUARD_CYCLES = 64
"""Doppler periods that are synthesised beyond those asked for and cut off (our choice). The
synthesis is periodic; the guard keeps its end from running into its beginning: first and last
sample correlate by no more than J0(2 pi 64), 0.04 in magnitude."""

SLOW_CYCLES = 0.3
"""Doppler periods per slow sample, at most (our choice): the band then ends at 0.6 of the slow
Nyquist frequency, which leaves room for a short interpolation window."""

WINDOW = 12
"""W: with it and `SLOW_CYCLES` the interpolation error is below -75 dB of the signal (tested)."""

_LANES = 4
"""Links transformed together, always, so that a link's gains do not depend on its company."""

_BLOCK_STEPS = 32
"""Steps interpolated by one row of a matrix product, at least (measured)."""

_CHUNK_ROWS = 4096
"""Rows of such a product, which bounds the working memory of a long series."""


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

    The output does not repeat: more is synthesised than asked for, and cut (`GUARD_CYCLES`). A
    link's gains do not depend on how many links follow it.

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
        Clarke, BSTJ 47(6), 1968 (spectrum); Smith, IEEE Trans. Veh. Technol. 24(3), 1975, and
        Young and Beaulieu, IEEE Trans. Commun. 48(7), 2000 (inverse transform). Each bin's exact
        share of the power, and the slow synthesis with interpolation, are ours.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> rayleigh(rng, doppler_hz=35.0, step_s=1e-3, steps=600, links=2).shape
        (2, 600)
    """
    _check_counts(steps, links)
    check_step(step_s, doppler_hz)
    scale = np.broadcast_to(np.sqrt(np.asarray(power) / 2.0).astype(np.float32), (links,))
    if doppler_hz == 0:
        return np.repeat(_complex_normal(rng, (links, 1)) * scale[:, np.newaxis], steps, axis=1)
    cycles_per_step = doppler_hz * step_s
    pace = max(1, int(SLOW_CYCLES / cycles_per_step))
    interpolation = _interpolation(pace, steps, cycles_per_step * pace)
    synthesis = _synthesis(cycles_per_step * pace, interpolation.slow_steps(steps))
    gains = np.empty((links, steps), np.complex64)
    for first in range(0, links, _LANES):
        lanes = gains[first : first + _LANES]
        slows = synthesis.draw(rng, scale[first : first + _LANES])
        for lane, slow in zip(lanes, slows, strict=True):
            interpolation.apply(slow, lane)
    return gains


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
    fades = _complex_normal(rng, (links, int(index[-1]) + 1)) * np.float32(math.sqrt(0.5))
    if k_factor_db is not None:
        k = db_to_linear(k_factor_db)
        # A block's phase is arbitrary, so the line of sight may lie on the real axis.
        fades = (math.sqrt(k) + fades) / np.float32(math.sqrt(k + 1.0))
    gains: Gains = np.take(fades.astype(np.complex64), index, axis=1)
    return gains


def _check_counts(steps: int, links: int) -> None:
    if steps < 1 or links < 1:
        raise ValueError(f"steps and links must be at least 1, got {steps} and {links}")


def _complex_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Gains:
    """Return complex normals whose two parts have unit variance each."""
    return rng.standard_normal((*shape, 2), dtype=np.float32).view(np.complex64)[..., 0]


def _many_complex_normals(rng: np.random.Generator, amplitude: NDArray[np.float32]) -> Gains:
    """Return complex normals times an amplitude each, twice as fast as `_complex_normal`.

    Single-precision uniforms end the tail at 5.8 standard deviations, one draw in 16 million. That
    is nothing where hundreds are added up, and too coarse for a fade on its own.

    Source:
        Box and Muller, Annals of Mathematical Statistics 29(2), 1958.
    """
    uniform = rng.random((2, amplitude.size), dtype=np.float32)
    radius = np.sqrt(np.float32(-2.0) * np.log(np.float32(1.0) - uniform[0]))
    radius *= amplitude
    angle_rad = np.float32(2.0 * math.pi) * uniform[1]
    normals = np.empty(amplitude.size, np.complex64)
    np.multiply(radius, np.cos(angle_rad), out=normals.real)
    np.multiply(radius, np.sin(angle_rad), out=normals.imag)
    return normals


@dataclass(frozen=True, slots=True)
class _Synthesis:
    """A periodic Gaussian process with Clarke's spectrum.

    Attributes:
        length: Samples in a period.
        negative: How many of the bins K lie below 0 Hz.
        amplitude: Root of the power in each bin, from the lowest frequency up, shape (K,).
    """

    length: int
    negative: int
    amplitude: NDArray[np.float32]

    def draw(self, rng: np.random.Generator, scale: NDArray[np.float32]) -> Gains:
        """Return one period for each of at most `_LANES` links, shape (links, length).

        Args:
            rng: Generator that is drawn from.
            scale: Root of half the power of each link, shape (links,). Half, because the two
                parts of a complex normal bring a power of 2.
        """
        from scipy.fft import ifft

        spectrum = np.zeros((_LANES, self.length), np.complex64)
        for lane, link_scale in zip(spectrum, scale, strict=False):
            bins = _many_complex_normals(rng, self.amplitude * link_scale)
            lane[: bins.size - self.negative] = bins[self.negative :]
            lane[self.length - self.negative :] = bins[: self.negative]
        series: Gains = ifft(spectrum, axis=1, norm="forward", overwrite_x=True)
        return series[: scale.size]


def _synthesis(band: float, steps: int) -> _Synthesis:
    """Return a synthesis at `band` Doppler periods a sample, longer than `steps` by the guard.

    A bin holds the power between half a bin below and half a bin above its frequency, from the
    arcsine distribution of the Doppler shift.
    """
    from scipy.fft import next_fast_len

    guard = GUARD_CYCLES / band
    length = next_fast_len(math.ceil(max(steps + guard, 2 * guard)))
    half = math.ceil(band * length - 0.5)
    edges = np.clip((np.arange(-half, half + 2) - 0.5) / (band * length), -1.0, 1.0)
    share = np.diff(np.arcsin(edges)) / math.pi
    return _Synthesis(length, half, np.sqrt(share).astype(np.float32))


@dataclass(frozen=True, slots=True)
class _Interpolation:
    """A windowed-sinc interpolator as a matrix over a block of slow samples.

    Attributes:
        pace: Steps P per slow sample.
        span: Slow samples that a block advances.
        matrix: From span + W - 1 slow samples to the steps of a block. Real and imaginary parts
            alternate in both, as they do in memory, shape (2 (span + W - 1), 2 x steps).
    """

    pace: int
    span: int
    matrix: NDArray[np.float32]

    def slow_steps(self, steps: int) -> int:
        """Return how many slow samples it takes to interpolate `steps` steps."""
        return -(-steps // (self.pace * self.span)) * self.span + WINDOW - 1

    def apply(self, slow: Gains, out: Gains) -> None:
        """Interpolate one series into `out`, shape (N,)."""
        width, block = self.matrix.shape[0], self.matrix.shape[1] // 2
        rows = -(-out.size // block)
        windows = np.lib.stride_tricks.as_strided(
            slow.view(np.float32), (rows, width), (slow.itemsize * self.span, 4)
        )
        whole = out.size // block
        target = out[: whole * block].view(np.float32).reshape(whole, 2 * block)
        for first in range(0, whole, _CHUNK_ROWS):
            part = slice(first, min(first + _CHUNK_ROWS, whole))
            np.matmul(np.ascontiguousarray(windows[part]), self.matrix, out=target[part])
        if whole < rows:
            rest = np.ascontiguousarray(windows[whole]) @ self.matrix
            out[whole * block :] = rest.view(np.complex64)[: out.size - whole * block]


def _interpolation(pace: int, steps: int, band: float) -> _Interpolation:
    """Return an interpolator for a series whose Doppler band ends at `band` cycles a sample.

    Source:
        Kaiser window with a stop band from 1 - band, where the first image begins; Oppenheim and
        Schafer, "Discrete-Time Signal Processing", 3rd edition, 2010, section 7.5.3.
    """
    from scipy.special import i0

    phases = min(pace, steps)
    span = max(1, _BLOCK_STEPS // pace)
    # Distance from each fine step to each slow sample under the window, in slow samples.
    lag = np.arange(phases)[:, np.newaxis] / pace - (np.arange(WINDOW) - (WINDOW // 2 - 1))
    shape = math.pi * (WINDOW / 2) * (1.0 - 2.0 * band)
    window = i0(shape * np.sqrt(np.clip(1.0 - (2.0 * lag / WINDOW) ** 2, 0.0, 1.0))) / i0(shape)
    taps = (np.sinc(lag) * window).T  # (W, phases)
    matrix = np.zeros((span + WINDOW - 1, 2, span, phases, 2), np.float32)
    for offset in range(span):
        for part in range(2):
            matrix[offset : offset + WINDOW, part, offset, :, part] = taps
    return _Interpolation(pace, span, matrix.reshape(2 * (span + WINDOW - 1), -1))


def _phasor(cycles_per_step: float, phase_rad: float, steps: int) -> Gains:
    """Return exp(j (2 pi cycles_per_step n + phase)), shape (N,), from two short tables."""
    fine_steps = max(1, math.isqrt(steps))
    fine = np.exp(2j * math.pi * cycles_per_step * np.arange(fine_steps))
    starts = np.arange(-(-steps // fine_steps)) * fine_steps
    coarse = np.exp(1j * (2.0 * math.pi * cycles_per_step * starts + phase_rad))
    turning: Gains = np.outer(coarse.astype(np.complex64), fine.astype(np.complex64))
    return turning.reshape(-1)[:steps]
