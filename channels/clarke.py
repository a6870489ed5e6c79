"""Clarke's process: complex Gaussian, with the Doppler spectrum of scatter from all directions.

Two steps. A white complex Gaussian spectrum is shaped by the Doppler spectrum, each frequency bin
holding exactly the power that Clarke's U-shaped density puts into it, and transformed to a series
sampled just fast enough for the Doppler band. The series is then interpolated to the step asked
for; where that is very much finer, in several rounds. The autocorrelation is J0(2 pi fD tau), and
every sample is Gaussian, which a sum of a few sinusoids is not.

Letters: L links, N time steps, K frequency bins inside the Doppler band, P steps per slow sample,
W slow samples under the interpolation window.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Gains = NDArray[np.complex64]

GUARD_CYCLES = 64
"""Doppler periods that are synthesised beyond those asked for and cut off (our choice). The
synthesis is periodic; the guard keeps its end from running into its beginning: the repetition adds
at most J0(2 pi 64), 0.04 in magnitude, to any correlation."""

SLOW_CYCLES = 0.3
"""Doppler periods per slow sample, at most (our choice): the band then ends at 0.6 of the slow
Nyquist frequency, which leaves room for a short interpolation window."""

WINDOW = 12
"""W: with it and `SLOW_CYCLES` the interpolation error is below -75 dB of the signal (tested)."""

MAX_PACE = 1024
"""Steps per slow sample in one round of interpolation, at most, which bounds its matrix."""

_LANES = 4
"""Links transformed together, always, so that a link's gains do not depend on its company."""

_BLOCK_STEPS = 32
"""Steps interpolated by one row of a matrix product, at least (measured)."""

_CHUNK_ROWS = 512
"""Rows of such a product, so that its operands stay in the cache (measured)."""


def clarke_process(
    rng: np.random.Generator, cycles_per_step: float, steps: int, power: NDArray[np.float64]
) -> Gains:
    """Return independent series with Clarke's Doppler spectrum.

    Args:
        rng: Generator that is drawn from.
        cycles_per_step: Doppler frequency times step, in (0, 0.3].
        steps: Number of samples N, at least 1.
        power: Mean power of each series, shape (L,).

    Returns:
        Complex gains, shape (L, N), complex64. A series does not depend on those after it.

    Source:
        Clarke, BSTJ 47(6), 1968 (spectrum); Smith, IEEE Trans. Veh. Technol. 24(3), 1975, and
        Young and Beaulieu, IEEE Trans. Commun. 48(7), 2000 (inverse transform). Each bin's exact
        share of the power, and the slow synthesis with interpolation, are ours.

    Example:
        >>> clarke_process(np.random.default_rng(1), 0.02, 500, np.ones(3)).shape
        (3, 500)
    """
    pace = max(1, min(MAX_PACE, int(SLOW_CYCLES / cycles_per_step + 1e-9)))
    slow_cycles = cycles_per_step * pace
    interpolation = _interpolation(pace, steps, slow_cycles)
    slow_steps = interpolation.slow_steps(steps)
    gains = np.empty((power.size, steps), np.complex64)
    if 2.0 * slow_cycles <= SLOW_CYCLES:  # another round would still slow it down
        slow = clarke_process(rng, slow_cycles, slow_steps, power)
        for series, out in zip(slow, gains, strict=True):
            interpolation.apply(series, out)
        return gains
    synthesis = _synthesis(slow_cycles, slow_steps)
    for first in range(0, power.size, _LANES):
        lanes = slice(first, first + _LANES)
        for series, out in zip(synthesis.draw(rng, power[lanes]), gains[lanes], strict=True):
            interpolation.apply(series, out)
    return gains


@dataclass(frozen=True, slots=True)
class _Synthesis:
    """A periodic Gaussian process with Clarke's spectrum.

    Attributes:
        length: Samples in a period.
        negative: How many of the bins K lie below 0 Hz.
        amplitude: Root of half the power in each bin, from the lowest frequency up, shape (K,).
            Half, because the two parts of a complex normal bring a power of 2.
    """

    length: int
    negative: int
    amplitude: NDArray[np.float32]

    def draw(self, rng: np.random.Generator, power: NDArray[np.float64]) -> Gains:
        """Return one period of at most `_LANES` series of given power, shape (L, length)."""
        from scipy.fft import ifft

        spectrum = np.zeros((_LANES, self.length), np.complex64)
        scale = np.sqrt(power).astype(np.float32)
        for lane, lane_scale in zip(spectrum, scale, strict=False):
            bins = _complex_normals(rng, self.amplitude * lane_scale)
            lane[: bins.size - self.negative] = bins[self.negative :]
            lane[self.length - self.negative :] = bins[: self.negative]
        series: Gains = ifft(spectrum, axis=1, norm="forward", overwrite_x=True)
        return series[: power.size]


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
    return _Synthesis(length, half, np.sqrt(share / 2.0).astype(np.float32))


def _complex_normals(rng: np.random.Generator, amplitude: NDArray[np.float32]) -> Gains:
    """Return complex normals, both parts of unit variance, times an amplitude each.

    Twice as fast as numpy's own. Single-precision uniforms end the tail at 5.8 standard
    deviations, one draw in 16 million: nothing where hundreds of draws are added up, as here.

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

    phases = min(pace, steps)  # where all fits into one slow sample, no more is needed
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
