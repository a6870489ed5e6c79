"""Links against theory: transmission times, finite block lengths, path loss and shadowing."""

import math
from collections.abc import Iterator

import numpy as np

from fadeline.channels import pathloss, theory
from fadeline.channels.fading import block
from fadeline.channels.rates import FiniteBlocklength, Shannon
from fadeline.channels.shadowing import SHADOWING, correlated_shadowing_db
from fadeline.channels.trace import LinkTrace
from fadeline.channels.verification.check import Check, mean_check, share_check, value_check

# Worked by hand from the formulas of the standard, with d_3D from the heights of the scenario:
# UMi 100 m: d_3D = sqrt(100^2 + 8.5^2) = 100.3606, UMa 500 m: d_3D = sqrt(500^2 + 23.5^2) =
# 500.5519; both nearer than the breakpoint 4 h'_BS h'_UT f / c (UMi 210 m, UMa 560 m).
# Free space:  20 log10(4 pi 100 3.5e9 / c)                     =  83.3289
# UMi LOS:     32.4 + 21 log10(d_3D) + 20 log10(3.5)            =  85.3142
# UMi NLOS:    22.4 + 35.3 log10(d_3D) + 21.3 log10(3.5)        = 104.6435
# UMa LOS:     28 + 22 log10(d_3D) + 20 log10(3.5)              =  98.2693
# UMa NLOS:    13.54 + 39.08 log10(d_3D) + 20 log10(3.5)        = 129.9158
PATH_LOSS_DB = (
    ("free-space", 100.0, 83.3289),
    ("umi-los", 100.0, 85.3142),
    ("umi-nlos", 100.0, 104.6435),
    ("uma-los", 500.0, 98.2693),
    ("uma-nlos", 500.0, 129.9158),
)


def link_checks(rng: np.random.Generator) -> Iterator[Check]:
    """Yield the checks of transfers, finite block lengths, path loss and shadowing."""
    yield from _transmission_times(rng)
    yield from _finite_blocklength(rng)
    yield from _path_loss()
    yield from _shadowing(rng)


def _transmission_times(rng: np.random.Generator) -> Iterator[Check]:
    blocks, bits, bandwidth_hz, mean_snr = 40_000, 40e3, 1e6, 10.0
    gains = block(rng, block_s=1.0, step_s=1.0, steps=blocks)[0]
    snr = mean_snr * np.abs(gains.astype(np.complex128)) ** 2
    trace = LinkTrace.uniform(Shannon().rate_bps(rng, snr, bandwidth_hz), 1.0, snr)
    starts_s = np.arange(blocks, dtype=np.float64)
    taken_s = trace.finish_s(starts_s, bits) - starts_s
    for time_s in (0.010, 0.015, 0.030, 0.100):
        expected = theory.quasi_static_delivery_probability(time_s, bits, bandwidth_hz, mean_snr)
        yield share_check(
            f"block Rayleigh: 40 kbit over 1 MHz at 10 dB sent within {1e3 * time_s:g} ms",
            float(expected),
            int(np.count_nonzero(taken_s <= time_s)),
            blocks,
        )


def _finite_blocklength(rng: np.random.Generator) -> Iterator[Check]:
    rule = FiniteBlocklength(block_symbols=500, error_probability=1e-3)
    snr = np.full(1_000_000, 10.0)
    yield value_check(
        "finite block length: n = 500, error 1e-3, 10 dB, bit/symbol",
        3.270,
        float(rule.bits_per_symbol(np.array(10.0))),
        tolerance=5e-4,
    )
    lost = int(np.count_nonzero(rule.rate_bps(rng, snr, 1e6) == 0))
    yield share_check("finite block length: share of blocks lost", 1e-3, lost, snr.size)


def _path_loss() -> Iterator[Check]:
    for environment, distance_m, expected_db in PATH_LOSS_DB:
        yield value_check(
            f"path loss {environment} at {distance_m:g} m, 3.5 GHz, dB",
            expected_db,
            pathloss.ENVIRONMENTS[environment](distance_m, 3.5e9),
            tolerance=1e-3,
        )
    yield value_check(
        "probability of a line of sight, UMi at 36 m",
        0.5 + 0.5 * math.exp(-1.0),
        pathloss.umi_los_probability(36.0),
        tolerance=1e-9,
    )


def _shadowing(rng: np.random.Generator) -> Iterator[Check]:
    model = SHADOWING["umi-nlos"]
    distances_m = np.array([0.0, 5.0, 13.0, 30.0])
    paths = np.array(
        [
            correlated_shadowing_db(rng, distances_m, model.sigma_db, model.correlation_distance_m)
            for _ in range(20_000)
        ]
    )
    yield mean_check("shadowing UMi NLOS: variance, dB^2", model.sigma_db**2, paths[:, 0] ** 2)
    for index, distance_m in enumerate(distances_m[1:], start=1):
        yield mean_check(
            f"shadowing UMi NLOS: correlation over {distance_m:g} m",
            math.exp(-distance_m / model.correlation_distance_m),
            paths[:, 0] * paths[:, index] / model.sigma_db**2,
        )
