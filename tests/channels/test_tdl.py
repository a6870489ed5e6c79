"""Tapped delay lines against the standard's tables, theory and Sionna."""

import math
import pickle
import random
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from fadeline.channels import tdl, theory
from fadeline.channels.sionna_tdl import sionna_tdl_gains
from fadeline.channels.tdl import (
    band_frequencies_hz,
    effective_snr,
    subcarrier_snr,
    tdl_gains,
)
from fadeline.channels.tdl_profiles import LOS_DOPPLER_RATIO, TDL_PROFILES

LEVEL = 1e-4
SPREADS_S = {"TDLA30": 30e-9, "TDLB100": 100e-9, "TDLC300": 300e-9, "TDLD30": 30e-9}
SCALED = ["TDL-A", "TDL-B", "TDL-C", "TDL-D", "TDL-E"]
LOS_ANGLE_DEG = math.degrees(math.acos(0.7))
every_profile = pytest.mark.parametrize("name", list(TDL_PROFILES))


def band_snr(*band):
    """Return the effective SNR of a band over time: gains, delays, frequencies, mean SNR."""
    return np.concatenate([effective_snr(snr) for _, snr in subcarrier_snr(*band)])


def delays_s(name, delay_spread_s=100e-9):
    return TDL_PROFILES[name].delays_s(delay_spread_s if name in SCALED else None)


def tap_powers(name):
    """Return the mean power of each tap, line of sight included."""
    powers, los_power = TDL_PROFILES[name].mean_powers()
    return powers + los_power * (np.arange(powers.size) == 0)


def runs(name, *, count, steps, seed, cycles=0.1):
    """Return the taps of independent runs, shape (count, T, N)."""
    rng, profile = np.random.default_rng(seed), TDL_PROFILES[name]
    drawn = [
        tdl_gains(rng, profile, doppler_hz=cycles, step_s=1.0, steps=steps) for _ in range(count)
    ]
    return np.array(drawn)


def assert_means(samples, expected):
    """Test the mean over axis 0 of every column by Student's t at LEVEL in all (Bonferroni)."""
    samples, expected = np.asarray(samples), np.asarray(expected)
    if np.iscomplexobj(samples):
        samples = np.concatenate([samples.real, samples.imag], axis=-1)
        expected = np.concatenate([expected.real, expected.imag], axis=-1)
    error = samples.std(axis=0, ddof=1) / math.sqrt(len(samples))
    largest = stats.t.isf(LEVEL / 2.0 / error.size, len(samples) - 1)
    excess = np.abs(samples.mean(axis=0) - expected) / error
    assert np.max(excess) < largest, f"{excess} standard errors, at most {largest:.2f} allowed"


# -- Profiles ---------------------------------------------------------------------------------


def test_the_profiles_and_their_numbers_of_taps():
    taps = {name: len(profile.delays) for name, profile in TDL_PROFILES.items()}
    assert taps == {
        "TDL-A": 23,
        "TDL-B": 23,
        "TDL-C": 24,
        "TDL-D": 13,
        "TDL-E": 14,
        "TDLA30": 12,
        "TDLB100": 12,
        "TDLC300": 12,
        "TDLD30": 10,
    }
    assert all(len(p.powers_db) == len(p.delays) for p in TDL_PROFILES.values())


@pytest.mark.parametrize(
    ("name", "tap", "delay", "power_db"),
    [
        # TR 38.901, tables 7.7.2-1 to 7.7.2-5: taps counted from 1 there
        ("TDL-A", 1, 0.3819, 0.0),
        ("TDL-A", 22, 9.6586, -29.7),
        ("TDL-B", 5, 0.2986, -1.2),
        ("TDL-C", 23, 8.6523, -22.8),
        ("TDL-D", 1, 0.035, -18.8),
        ("TDL-D", 12, 12.525, -27.7),
        ("TDL-E", 13, 20.6519, -29.2),
        # TS 38.101-4, tables B.2.1.1-2 to -4
        ("TDLA30", 11, 290.0, -26.2),
        ("TDLB100", 8, 170.0, -0.8),
        ("TDLC300", 11, 2595.0, -16.0),
        ("TDLD30", 2, 40.0, -16.7),
    ],
)
def test_entries_of_the_standard(name, tap, delay, power_db):
    profile = TDL_PROFILES[name]
    assert (profile.delays[tap], profile.powers_db[tap]) == (delay, power_db)


@every_profile
def test_powers_add_up_to_one_and_delays_start_at_zero(name):
    powers, los_power = TDL_PROFILES[name].mean_powers()
    assert powers.sum() + los_power == pytest.approx(1.0, rel=1e-14)
    assert (powers > 0.0).all()
    assert delays_s(name)[0] == 0.0


@every_profile
def test_the_delay_spread_is_what_the_name_says(name):
    # Second central moment of delay, weighted by power; the tables are rounded to 1 %.
    power, delay = tap_powers(name), delays_s(name, delay_spread_s=250e-9)
    spread_s = math.sqrt(power @ delay**2 - (power @ delay) ** 2)
    assert spread_s == pytest.approx(SPREADS_S.get(name, 250e-9), rel=0.01)
    assert TDL_PROFILES[name].delay_spread_s == SPREADS_S.get(name)


@every_profile
def test_only_line_of_sight_profiles_have_a_k_factor(name):
    powers, los_power = TDL_PROFILES[name].mean_powers()
    expected_db = {"TDL-D": 13.3, "TDL-E": 22.0, "TDLD30": 12.2}.get(name)
    if expected_db is None:
        assert los_power == 0.0
    else:
        assert 10.0 * math.log10(los_power / powers[0]) == pytest.approx(expected_db, abs=1e-9)


def test_scaled_delays_grow_with_the_spread():
    np.testing.assert_allclose(delays_s("TDL-A", 300e-9), 3.0 * delays_s("TDL-A", 100e-9))
    assert delays_s("TDLC300")[-1] == pytest.approx(2595e-9)


@pytest.mark.parametrize("spread_s", [None, 0.0, -1e-9, math.nan])
def test_a_scaled_profile_needs_a_spread(spread_s):
    with pytest.raises(ValueError, match=f"delay_spread_s must be positive, got {spread_s}"):
        TDL_PROFILES["TDL-A"].delays_s(spread_s)


def test_a_fixed_profile_takes_no_spread():
    with pytest.raises(ValueError, match="fixed at 3e-08 s; leave delay_spread_s out"):
        TDL_PROFILES["TDLA30"].delays_s(30e-9)


def test_the_table_cannot_be_changed():
    with pytest.raises(TypeError):
        TDL_PROFILES["TDL-A"] = TDL_PROFILES["TDL-B"]  # type: ignore[index]


# -- Taps over time ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["TDL-A", "TDL-E", "TDLC300", "TDLD30"])
def test_taps_have_the_powers_of_the_profile(name):
    gains = runs(name, count=1_000, steps=60, seed=1)
    assert gains.shape[1:] == (len(TDL_PROFILES[name].delays), 60)
    assert gains.dtype == np.complex64
    power = (np.abs(gains) ** 2).mean(axis=2)
    assert_means(power / tap_powers(name), np.ones(power.shape[1]))


def test_scattered_taps_are_rayleigh_and_the_line_of_sight_makes_a_rician_one():
    # Kolmogorov-Smirnov on one sample of each of 2,000 runs.
    gains = runs("TDL-D", count=2_000, steps=1, seed=2)[:, :, 0] / np.sqrt(tap_powers("TDL-D"))
    k = 10.0**1.33
    rician = stats.kstest(np.abs(gains[:, 0]), lambda r: theory.envelope_cdf(r, k))
    rayleigh = stats.kstest(np.abs(gains[:, 4]), theory.envelope_cdf)
    assert min(rician.pvalue, rayleigh.pvalue) > LEVEL / 2.0
    turned = np.angle(gains[:, 0]) / (2.0 * math.pi) + 0.5
    assert stats.kstest(turned, "uniform").pvalue > LEVEL


@pytest.mark.parametrize(("name", "tap"), [("TDL-A", 1), ("TDL-D", 0), ("TDL-D", 1), ("TDLD30", 0)])
def test_doppler_of_a_tap(name, tap):
    # Clarke's spectrum in every tap, and the line of sight at 0.7 fD.
    cycles, steps = 0.05, 150
    gains = runs(name, count=700, steps=steps, seed=3, cycles=cycles)[:, tap]
    lags = np.array([1, 2, 5, 8, 12, 20, 40, 100])
    products = [(gains[:, lag:] * gains[:, : steps - lag].conj()).mean(axis=1) for lag in lags]
    powers, los_power = TDL_PROFILES[name].mean_powers()
    k = los_power / powers[0] if tap == 0 else 0.0
    expected = theory.autocorrelation(lags * cycles, 1.0, k, LOS_ANGLE_DEG)
    assert_means(np.stack(products, axis=1) / tap_powers(name)[tap], expected)
    assert LOS_DOPPLER_RATIO == 0.7


@pytest.mark.parametrize("name", ["TDL-A", "TDL-D"])
def test_taps_are_uncorrelated(name):
    # With the first tap's power scaled to 1, n |mean of a b*|² is exponential for independent
    # taps: all of up to 253 pairs below ln(pairs / LEVEL).
    count = 1_500
    gains = runs(name, count=count, steps=1, seed=4)[:, :, 0] / np.sqrt(tap_powers(name))
    correlation = gains.T @ gains.conj() / count
    pairs = np.abs(correlation[np.triu_indices(gains.shape[1], 1)])
    assert count * pairs.max() ** 2 < math.log(pairs.size / LEVEL)


def test_the_generator_decides_the_taps():
    first, again, other = (runs("TDL-D", count=1, steps=40, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.isin(first, other).any()


def test_without_doppler_the_taps_rest():
    gains = tdl_gains(
        np.random.default_rng(1), TDL_PROFILES["TDL-D"], doppler_hz=0.0, step_s=1.0, steps=9
    )
    assert (gains == gains[:, :1]).all()


def test_too_coarse_a_step_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"too coarse .* the largest allowed is 0\.01"):
        tdl_gains(rng, TDL_PROFILES["TDL-A"], doppler_hz=10.0, step_s=0.011, steps=9)


# -- Effective SNR ----------------------------------------------------------------------------


def draws(name, count, seed):
    """Return independent draws of the taps, shape (T, count): what one step of a run may be."""
    rng = np.random.default_rng(seed)
    powers, los_power = TDL_PROFILES[name].mean_powers()
    taps = rng.standard_normal((powers.size, count)) + 1j * rng.standard_normal(
        (powers.size, count)
    )
    taps *= np.sqrt(powers / 2.0)[:, np.newaxis]
    taps[0] += math.sqrt(los_power) * np.exp(2j * math.pi * rng.random(count))
    return taps.astype(np.complex64)


def response_snr(gains, delay_s, frequencies_hz, mean_snr):
    """Return mean_snr |sum of g exp(-j 2 pi f tau)|² at each frequency, tap by tap."""
    response = np.zeros((frequencies_hz.size, gains.shape[1]), complex)
    for gain, delay in zip(gains, delay_s, strict=True):
        response += gain * np.exp(-2j * math.pi * frequencies_hz * delay)[:, np.newaxis]
    return mean_snr * np.abs(response) ** 2


@given(st.floats(-40.0, 60.0), arrays.arrays(float, 3, elements=st.floats(0.0, 3.0)))
def test_a_flat_channel_has_its_own_snr(snr_db, amplitudes):
    gains = amplitudes.astype(np.complex64)[np.newaxis]
    mean_snr = 10.0 ** (snr_db / 10.0)
    for frequencies_hz in (np.zeros(1), np.linspace(-1e7, 1e7, 9)):
        snr = band_snr(gains, np.array([70e-9]), frequencies_hz, mean_snr)
        np.testing.assert_allclose(snr, mean_snr * amplitudes**2, rtol=1e-5, atol=1e-12)


@every_profile
def test_effective_snr_is_the_mean_of_capacity_over_frequency(name):
    gains, delay, frequencies_hz = (
        draws(name, 300, seed=5),
        delays_s(name),
        np.linspace(-2e6, 2e6, 9),
    )
    snr = response_snr(gains, delay, frequencies_hz, 20.0)
    effective = band_snr(gains, delay, frequencies_hz, 20.0)
    np.testing.assert_allclose(np.log2(1.0 + effective), np.log2(1.0 + snr).mean(axis=0), rtol=1e-4)
    assert (effective >= snr.min(axis=0) * (1.0 - 1e-4)).all()
    assert (effective <= snr.mean(axis=0) * (1.0 + 1e-4)).all()  # Jensen, hence at most the max


def test_two_taps_by_hand():
    # H = 0.8 + 0.6 exp(-j 2 pi f tau): 1.4, 0.2 and 1 at f tau = 0, 1/2 and 1/4.
    gains, delay = np.array([[0.8], [0.6]], np.complex64), np.array([0.0, 1e-6])
    for frequency_hz, power in ((0.0, 1.96), (0.5e6, 0.04), (0.25e6, 1.0)):
        snr = band_snr(gains, delay, np.array([frequency_hz]), 10.0)
        assert snr[0] == pytest.approx(10.0 * power, rel=1e-5)
    # Half the band at 1.96, half at 0.04: sqrt(20.6 * 1.4) - 1
    both = band_snr(gains, delay, np.array([0.0, 0.5e6]), 10.0)
    assert both[0] == pytest.approx(math.sqrt(20.6 * 1.4) - 1.0, rel=1e-5)


def test_the_mean_snr_may_vary_over_time():
    gains, delay = draws("TDL-B", 20_000, seed=6), delays_s("TDL-B")  # more than are held at once
    mean_snr, frequencies_hz = np.geomspace(0.1, 100.0, 20_000), np.linspace(-1e6, 1e6, 5)
    varying = band_snr(gains, delay, frequencies_hz, mean_snr)
    for step in (0, 8_191, 8_192, 19_999):
        alone = band_snr(gains[:, [step]], delay, frequencies_hz, float(mean_snr[step]))
        assert varying[step] == pytest.approx(alone[0], rel=1e-5)


@given(st.floats(1e3, 4e8), st.floats(1e-9, 3e-6))
def test_frequencies_fill_the_band_and_resolve_it(bandwidth_hz, spread_s):
    frequencies_hz = band_frequencies_hz(bandwidth_hz, spread_s)
    parts = frequencies_hz.size
    assert frequencies_hz.mean() == pytest.approx(0.0, abs=1e-9 * bandwidth_hz)
    assert frequencies_hz[-1] == pytest.approx(bandwidth_hz / 2.0 * (1.0 - 1.0 / parts), abs=1e-6)
    np.testing.assert_allclose(np.diff(frequencies_hz), bandwidth_hz / parts, rtol=1e-6)
    step_hz = bandwidth_hz / parts
    assert step_hz * spread_s * tdl.FREQUENCIES_PER_COHERENCE <= 1.0 + 1e-6


@every_profile
@pytest.mark.parametrize("bandwidths_per_spread", [0.1, 0.5, 2.0])
def test_four_times_the_frequencies_change_little(name, bandwidths_per_spread, monkeypatch):
    # The same fades through few and through many frequencies: no chance is left in the difference.
    spread_s = TDL_PROFILES[name].delay_spread_s or 100e-9
    gains, delay = draws(name, 20_000, seed=7), delays_s(name)
    capacity = []
    for factor in (1, 4):
        monkeypatch.setattr(tdl, "FREQUENCIES_PER_COHERENCE", 24 * factor)
        monkeypatch.setattr(tdl, "MIN_FREQUENCIES", 4 * factor)
        frequencies_hz = band_frequencies_hz(bandwidths_per_spread / spread_s, spread_s)
        snr = band_snr(gains, delay, frequencies_hz, 10.0)
        capacity.append(np.log2(1.0 + snr))
    coarse, fine = capacity
    assert math.sqrt(np.mean((coarse - fine) ** 2)) < 0.01 * fine.mean()
    assert coarse.std() == pytest.approx(fine.std(), rel=0.01)


@pytest.mark.parametrize("name", SCALED)
def test_a_wide_band_varies_less_than_a_narrow_one(name):
    # 20 MHz at 300 ns has many fades across it, 100 kHz has none: a standard deviation of less
    # than 0.8 of the narrow band's, where chance with 5,000 draws moves it by 0.02.
    gains, delay = draws(name, 5_000, seed=8), delays_s(name, 300e-9)
    spread = {}
    for bandwidth_hz in (100e3, 20e6):
        frequencies_hz = band_frequencies_hz(bandwidth_hz, 300e-9)
        spread[bandwidth_hz] = np.log2(1.0 + band_snr(gains, delay, frequencies_hz, 10.0)).std()
    assert spread[20e6] < 0.8 * spread[100e3]


@every_profile
def test_a_narrow_band_is_flat_fading(name):
    # The response at one frequency: Rayleigh, or Rician with all scatter against the line of
    # sight. Kolmogorov-Smirnov.
    _, los_power = TDL_PROFILES[name].mean_powers()
    k = los_power / (1.0 - los_power)
    snr = band_snr(draws(name, 5_000, seed=9), delays_s(name), np.array([123e3]), 10.0)
    envelope = np.sqrt(snr / 10.0)
    assert stats.kstest(envelope, lambda r: theory.envelope_cdf(r, k)).pvalue > LEVEL


# -- Sionna -----------------------------------------------------------------------------------


def sionna_arguments(name):
    return {"delay_spread_s": 100e-9 if name in SCALED else None, "doppler_hz": 30.0}


@every_profile
def test_tables_are_sionnas(name):
    from sionna.phy.channel.tr38901 import TDL

    spread_s = 100e-9 if name in SCALED else None
    model = name.removeprefix("TDL").removeprefix("-")
    published = TDL(model, delay_spread=spread_s, carrier_frequency=3.5e9, device="cpu")
    np.testing.assert_allclose(published.delays.numpy(), delays_s(name), rtol=1e-6)
    np.testing.assert_allclose(published.mean_powers.numpy(), tap_powers(name), rtol=1e-5)
    powers, los_power = TDL_PROFILES[name].mean_powers()
    assert published.los == (los_power > 0.0)
    if los_power:
        assert float(published.k_factor) == pytest.approx(los_power / powers[0], rel=1e-5)


@pytest.mark.parametrize("name", ["TDL-A", "TDL-D", "TDLB100"])
def test_sionnas_gains_have_our_powers_and_autocorrelation(name):
    # Sionna's process is not ergodic: only the mean over links is J0.
    step_s, steps, links = 2e-3, 60, 1_000
    gains = sionna_tdl_gains(
        np.random.default_rng(1),
        name,
        **sionna_arguments(name),
        step_s=step_s,
        steps=steps,
        links=links,
    )
    powers = tap_powers(name)
    assert gains.shape == (links, powers.size, steps)
    assert gains.dtype == np.complex64
    assert_means((np.abs(gains) ** 2).mean(axis=2) / powers, np.ones(powers.size))
    lags, (scatter, los_power) = np.array([1, 4, 9, 20, 50]), TDL_PROFILES[name].mean_powers()
    products = [(gains[..., lag:] * gains[..., : steps - lag].conj()).mean(axis=2) for lag in lags]
    correlation = np.stack(products, axis=2) / powers[:, np.newaxis]  # (L, T, lags)
    first = theory.autocorrelation(lags * step_s, 30.0, los_power / scatter[0], LOS_ANGLE_DEG)
    assert_means(correlation[:, 0], first)
    others = correlation[:, 1:].mean(axis=1)
    assert_means(others, theory.autocorrelation(lags * step_s, 30.0))


def test_the_generator_decides_sionnas_gains():
    arguments = sionna_arguments("TDL-D") | {"step_s": 1e-3, "steps": 5, "links": 2}
    first, again, other = (
        sionna_tdl_gains(np.random.default_rng(seed), "TDL-D", **arguments) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.isin(first, other).any()


def test_sionna_leaves_all_global_generators_as_they_were():
    import torch
    from sionna.phy import config

    def state():
        return (
            torch.get_rng_state().tolist(),
            config.seed,
            config.torch_rng("cpu").get_state().tolist(),
            config.np_rng.bit_generator.state,
            config.py_rng.getstate(),
            random.getstate(),
            pickle.dumps(np.random.get_state()),  # noqa: NPY002
        )

    before = state()
    generators = (config.torch_rng("cpu"), config.np_rng, config.py_rng)
    sionna_tdl_gains(
        np.random.default_rng(1), "TDLA30", **sionna_arguments("TDLA30"), step_s=1e-3, steps=5
    )
    assert state() == before
    assert generators == (config.torch_rng("cpu"), config.np_rng, config.py_rng)
    with pytest.raises(ValueError, match="model must be one of"):
        sionna_tdl_gains(
            np.random.default_rng(1), "TDL-Z", **sionna_arguments("TDL-A"), step_s=1e-3, steps=5
        )
    assert state() == before


@pytest.mark.slow
def test_even_the_first_import_of_sionna_leaves_torchs_generator_alone():
    script = """
import numpy as np, torch
from fadeline.channels.sionna_tdl import sionna_tdl_gains
before = torch.manual_seed(1).get_state()
sionna_tdl_gains(np.random.default_rng(1), "TDLA30", delay_spread_s=None, doppler_hz=5.0,
                 step_s=1e-3, steps=2)
assert torch.equal(torch.get_rng_state(), before)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
