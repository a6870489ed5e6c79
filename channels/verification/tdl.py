"""Tapped delay lines against the standard and against Sionna."""

import math
import warnings
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from fadeline.channels import theory
from fadeline.channels.sionna_tdl import sionna_tdl_gains
from fadeline.channels.tdl import tdl_gains
from fadeline.channels.tdl_profiles import LOS_DOPPLER_RATIO, TDL_PROFILES
from fadeline.channels.verification.check import Check, mean_check, value_check

DOPPLER_HZ = 35.0
STEP_S = 1e-3
DELAY_SPREAD_S = 100e-9


def tdl_checks(rng: np.random.Generator) -> Iterator[Check]:
    """Yield the checks of the delay lines; the ones against Sionna import it."""
    for name in TDL_PROFILES:
        yield _delay_spread(name)
    yield from _simulated(rng)
    yield from _sionna(rng)


def _delay_spread(name: str) -> Check:
    profile = TDL_PROFILES[name]
    fixed_s = profile.delay_spread_s
    delays_s = profile.delays_s(None if fixed_s else DELAY_SPREAD_S)
    powers = _tap_powers(name)
    mean_s = powers @ delays_s
    spread_s = math.sqrt(powers @ delays_s**2 - mean_s**2)
    # The standard rounds its tables to a few digits, so the spread is right to about 1 %.
    expected_s = fixed_s or DELAY_SPREAD_S
    return value_check(
        f"{name}: RMS delay spread of the table, ns",
        1e9 * expected_s,
        1e9 * spread_s,
        tolerance=1e7 * expected_s,
    )


def _tap_powers(name: str) -> NDArray[np.float64]:
    powers, los_power = TDL_PROFILES[name].mean_powers()
    powers[0] += los_power
    return powers


def _simulated(rng: np.random.Generator) -> Iterator[Check]:
    gains = np.array([_ours(rng, "TDL-A") for _ in range(100)])  # (links, taps, steps)
    power = _mean_power(gains)
    strongest = int(np.argmax(_tap_powers("TDL-A")))
    for tap in (0, strongest, 10, 22):
        yield mean_check(
            f"TDL-A: power of tap {tap + 1}", float(_tap_powers("TDL-A")[tap]), power[:, tap]
        )
    unit = (gains[:, strongest] / math.sqrt(_tap_powers("TDL-A")[strongest])).astype(np.complex64)
    for cycles_lag in (7, 14, 29):
        yield mean_check(
            f"TDL-A: autocorrelation of the strongest tap at {cycles_lag} ms",
            float(theory.autocorrelation(cycles_lag * STEP_S, DOPPLER_HZ).real),
            _correlation(unit, cycles_lag),
        )
    los_gains = np.array([_ours(rng, "TDL-D")[0] for _ in range(100)])
    yield _k_factor("TDL-D: K factor of the first tap, dB", 13.3, los_gains)
    powers, los_power = TDL_PROFILES["TDL-D"].mean_powers()
    first = float(powers[0])
    expected = first * theory.autocorrelation(7e-3, DOPPLER_HZ).real + los_power * math.cos(
        2.0 * math.pi * LOS_DOPPLER_RATIO * DOPPLER_HZ * 7e-3
    )
    yield mean_check(
        "TDL-D: first tap, line of sight at 0.7 fD, correlation at 7 ms, over its power",
        float(expected) / (first + los_power),
        _correlation(los_gains, 7) / (first + los_power),
    )


def _sionna(rng: np.random.Generator) -> Iterator[Check]:
    for name in ("TDL-A", "TDL-D", "TDLC300"):
        theirs = _theirs(rng, name, links=48)
        ours = np.array([_ours(rng, name, steps=2_000) for _ in range(48)])
        # Each tap's power over the standard's, averaged over the taps of a link.
        relative = (_mean_power(ours) - _mean_power(theirs)) / _tap_powers(name)
        yield mean_check(
            f"{name}: mean difference to Sionna in tap power, relative", 0.0, relative.mean(axis=1)
        )
        late = 14
        difference = _correlation(ours.sum(axis=1), late) - _correlation(theirs.sum(axis=1), late)
        yield mean_check(
            f"{name}: difference to Sionna in correlation at {late} ms", 0.0, difference
        )
    both = (
        _theirs(rng, "TDL-D", links=64)[:, 0],
        np.array([_ours(rng, "TDL-D")[0] for _ in range(64)]),
    )
    theirs_db, ours_db = (_k_factor("", 0.0, gains) for gains in both)
    reach = math.hypot(theirs_db.high, ours_db.high)
    yield Check(
        "TDL-D: K factor against Sionna, dB",
        theirs_db.simulated,
        ours_db.simulated,
        theirs_db.simulated - reach,
        theirs_db.simulated + reach,
    )


def _ours(rng: np.random.Generator, name: str, steps: int = 20_000) -> NDArray[np.complex64]:
    profile = TDL_PROFILES[name]
    return tdl_gains(rng, profile, doppler_hz=DOPPLER_HZ, step_s=STEP_S, steps=steps)


def _theirs(rng: np.random.Generator, name: str, links: int) -> NDArray[np.complex64]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Sionna's imports
        return sionna_tdl_gains(
            rng,
            name,
            delay_spread_s=None if TDL_PROFILES[name].delay_spread_s else DELAY_SPREAD_S,
            doppler_hz=DOPPLER_HZ,
            step_s=STEP_S,
            steps=2_000,
            links=links,
        )


def _mean_power(gains: NDArray[np.complex64]) -> NDArray[np.float64]:
    power: NDArray[np.float64] = np.mean(np.abs(gains) ** 2, axis=-1, dtype=np.float64)
    return power


def _correlation(gains: NDArray[np.complex64], lag: int) -> NDArray[np.float64]:
    product = gains[:, lag:] * gains[:, : gains.shape[1] - lag].conj()
    correlation: NDArray[np.float64] = np.mean(product.real, axis=1, dtype=np.float64)
    return correlation


def _k_factor(quantity: str, theory_db: float, gains: NDArray[np.complex64]) -> Check:
    """Return the check of K from the second and fourth moments of the amplitude.

    Source:
        Greenstein, Michelson and Erceg, IEEE Commun. Lett. 3(6), 1999.
    """
    power = np.abs(gains.astype(np.complex128)) ** 2
    first = power.mean(axis=1)
    los = np.sqrt(np.maximum(2.0 * first**2 - (power**2).mean(axis=1), 0.0))
    k_db = 10.0 * np.log10(los / (first - los))
    return mean_check(quantity, theory_db, k_db)
