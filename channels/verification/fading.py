"""Flat fading against theory: distribution, autocorrelation, level crossings, outage, capacity."""

import math
from collections.abc import Iterator

import numpy as np

from fadeline.channels import theory
from fadeline.channels.clarke import Gains
from fadeline.channels.fading import rayleigh, rician
from fadeline.channels.units import db_to_linear
from fadeline.channels.verification.check import Check, distribution_check, mean_check, share_check

DOPPLER_HZ = 35.0
LAGS_CYCLES = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
LEVELS_DB = (-10.0, -5.0, 0.0)
K_FACTOR_DB = 6.0


def fading_checks(rng: np.random.Generator) -> Iterator[Check]:
    """Yield the checks of Rayleigh and Rician fading."""
    yield from _distributions(rng)
    yield from _autocorrelations(rng)
    yield from _crossings(rng)


def _independent(rng: np.random.Generator, k_factor_db: float | None) -> np.ndarray:
    """Return amplitudes so far apart, 70 Doppler periods, that they are as good as independent."""
    gains = _gains(rng, k_factor_db, step_s=1e-3, steps=20_000, links=2_000)
    return np.abs(gains[:, ::2_000]).astype(np.float64)


def _gains(
    rng: np.random.Generator,
    k_factor_db: float | None,
    *,
    step_s: float,
    steps: int,
    links: int,
    los_angle_deg: float = 90.0,
) -> Gains:
    if k_factor_db is None:
        return rayleigh(rng, doppler_hz=DOPPLER_HZ, step_s=step_s, steps=steps, links=links)
    return rician(
        rng,
        k_factor_db=k_factor_db,
        los_angle_deg=los_angle_deg,
        doppler_hz=DOPPLER_HZ,
        step_s=step_s,
        steps=steps,
        links=links,
    )


def _distributions(rng: np.random.Generator) -> Iterator[Check]:
    mean_snr, threshold_snr = 10.0, db_to_linear(3.0)
    for k_factor_db in (None, K_FACTOR_DB):
        k = 0.0 if k_factor_db is None else db_to_linear(k_factor_db)
        name = "Rayleigh" if k_factor_db is None else f"Rician, K = {k_factor_db:g} dB"
        amplitude = _independent(rng, k_factor_db)
        yield distribution_check(
            f"{name}: envelope, KS distance", theory.envelope_cdf(amplitude, k)
        )
        snr = mean_snr * amplitude.ravel() ** 2
        yield share_check(
            f"{name}: outage at 3 dB, mean 10 dB",
            theory.outage_probability(threshold_snr, mean_snr, k),
            int(np.count_nonzero(snr <= threshold_snr)),
            snr.size,
        )
        capacity = theory.rician_capacity(mean_snr, k) if k else theory.rayleigh_capacity(mean_snr)
        yield mean_check(f"{name}: ergodic capacity at 10 dB, bit/s/Hz", capacity, np.log2(1 + snr))


def _autocorrelations(rng: np.random.Generator) -> Iterator[Check]:
    step_s, links, angle_deg = 1.0 / (DOPPLER_HZ * 40.0), 400, 45.0
    for k_factor_db in (None, 3.0):
        k = 0.0 if k_factor_db is None else db_to_linear(k_factor_db)
        name = "Rayleigh" if k_factor_db is None else f"Rician, K = 3 dB, LOS at {angle_deg:g} deg"
        gains = _gains(
            rng, k_factor_db, step_s=step_s, steps=20_000, links=links, los_angle_deg=angle_deg
        )
        for cycles in LAGS_CYCLES:
            lag = round(cycles * 40.0)
            late, early = gains[:, lag:], gains[:, : gains.shape[1] - lag]
            product = late.real * early.real + late.imag * early.imag
            expected = theory.autocorrelation(lag * step_s, DOPPLER_HZ, k, angle_deg).real
            yield mean_check(
                f"{name}: autocorrelation at {cycles:g} / fD",
                float(expected),
                product.mean(axis=1, dtype=np.float64),
            )


def _crossings(rng: np.random.Generator) -> Iterator[Check]:
    # Fine steps, a thousand to a Doppler period, because a sampled envelope misses short fades.
    step_s, steps, links = 1.0 / (DOPPLER_HZ * 1e3), 200_000, 100
    for k_factor_db in (None, 3.0):
        k = 0.0 if k_factor_db is None else db_to_linear(k_factor_db)
        name = "Rayleigh" if k_factor_db is None else "Rician, K = 3 dB, LOS at 90 deg"
        gains = _gains(rng, k_factor_db, step_s=step_s, steps=steps, links=links)
        power = gains.real**2 + gains.imag**2
        for level_db in LEVELS_DB:
            level = math.sqrt(db_to_linear(level_db))
            below = power < level**2
            rises = np.count_nonzero(below[:, :-1] & ~below[:, 1:], axis=1)
            rate_hz = theory.level_crossing_rate_hz(level, DOPPLER_HZ, k)
            yield mean_check(
                f"{name}: level crossings at {level_db:g} dB, 1/s",
                rate_hz,
                rises / (steps * step_s),
            )
            # A mean of ratios is biased, so the ratio of means is linearised around the theory.
            fade_s = theory.average_fade_duration_s(level, DOPPLER_HZ, k)
            below_s = np.count_nonzero(below, axis=1) * step_s
            excess_s = (below_s - fade_s * rises) / rises.mean()
            yield mean_check(
                f"{name}: mean fade duration at {level_db:g} dB, s",
                fade_s,
                fade_s + excess_s,
            )
