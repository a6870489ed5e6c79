"""Closed forms against values worked out elsewhere, each other, quadrature and Monte Carlo."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from fadeline.channels import theory
from fadeline.channels.units import db_to_linear

K_FACTORS = [0.0, 0.1, 1.0, 4.0, 10.0**1.3, 1e4]
k_factors = st.one_of(st.just(0.0), st.floats(1e-6, 1e4))


def line_of_sight(k):
    """Amplitude of the line of sight and standard deviation of the scatter in its direction."""
    return math.sqrt(k / (k + 1.0)), math.sqrt(0.5 / (k + 1.0))


def integral(function, low, high, k):
    """Integrate over the envelope, with break points where a density with K factor k lives."""
    middle, sigma = line_of_sight(k)
    points = [x for x in middle + sigma * np.arange(-12.0, 13.0) if low < x < high]
    edges = [low, *points, high]
    return sum(
        integrate.quad(function, a, b, epsabs=1e-13, epsrel=1e-11)[0] for a, b in pairwise(edges)
    )


# -- Envelope ---------------------------------------------------------------------------------


def test_rayleigh_envelope():
    assert theory.envelope_cdf(0.0) == 0.0
    assert theory.envelope_cdf(1.0) == pytest.approx(1.0 - math.exp(-1.0), rel=1e-15)
    assert theory.envelope_pdf(0.5) == pytest.approx(math.exp(-0.25), rel=1e-15)  # 2 r exp(-r²)


def test_the_smallest_envelopes_keep_their_digits():
    assert theory.envelope_cdf(1e-8) == pytest.approx(1e-16, rel=1e-9)


@pytest.mark.parametrize("k", K_FACTORS)
def test_density_integrates_to_the_distribution(k):
    middle, sigma = line_of_sight(k)
    for envelope in (0.2, 0.7, 1.0, 1.3, 2.0, middle - sigma, middle + 3.0 * sigma):
        if envelope <= 0.0:
            continue
        area = integral(lambda r: float(theory.envelope_pdf(r, k)), 0.0, envelope, k)
        assert area == pytest.approx(float(theory.envelope_cdf(envelope, k)), abs=1e-9)
    whole = integral(lambda r: float(theory.envelope_pdf(r, k)), 0.0, middle + 12.0 * sigma, k)
    assert whole == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("k", K_FACTORS)
def test_mean_power_is_one(k):
    middle, sigma = line_of_sight(k)
    power = integral(
        lambda r: r**2 * float(theory.envelope_pdf(r, k)), 0.0, middle + 12.0 * sigma, k
    )
    assert power == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("k", K_FACTORS)
def test_envelope_is_scipys_rice(k):
    middle, sigma = line_of_sight(k)
    rice = stats.rice(middle / sigma, scale=sigma)
    envelope = np.linspace(0.01, 2.5, 50)
    np.testing.assert_allclose(theory.envelope_cdf(envelope, k), rice.cdf(envelope), atol=1e-12)
    np.testing.assert_allclose(
        theory.envelope_pdf(envelope, k), rice.pdf(envelope), rtol=1e-7, atol=1e-12
    )


@pytest.mark.parametrize("envelope", [0.1, 0.8, 2.0])
def test_a_vanishing_line_of_sight_leaves_rayleigh(envelope):
    k = 1e-9
    for law in (theory.envelope_cdf, theory.envelope_pdf):
        assert law(envelope, k) == pytest.approx(law(envelope), abs=2e-9)
    assert theory.level_crossing_rate_hz(envelope, 20.0, k) == pytest.approx(
        theory.level_crossing_rate_hz(envelope, 20.0), rel=1e-8
    )
    assert theory.rician_capacity(10.0, k) == pytest.approx(theory.rayleigh_capacity(10.0), 1e-8)


def test_a_strong_line_of_sight_leaves_a_narrow_gaussian():
    # Terms of relative order 1 / sqrt(K) = 1 % remain.
    k = 1e4
    middle, sigma = line_of_sight(k)
    for z in (-3.0, -1.0, 0.0, 1.0, 3.0):
        envelope = middle + z * sigma
        assert theory.envelope_cdf(envelope, k) == pytest.approx(stats.norm.cdf(z), abs=3e-3)
        assert theory.envelope_pdf(envelope, k) * sigma == pytest.approx(
            stats.norm.pdf(z), abs=5e-3
        )


@given(st.floats(0.0, 100.0), st.floats(0.0, 1e5))
def test_envelope_stays_finite_and_in_range(envelope, k):
    assert 0.0 <= theory.envelope_cdf(envelope, k) <= 1.0
    assert 0.0 <= theory.envelope_pdf(envelope, k) < 1e3


def test_arrays_keep_their_shape():
    envelope = np.ones((2, 3))
    for k in (0.0, 4.0):
        assert theory.envelope_cdf(envelope, k).shape == (2, 3)
        assert theory.envelope_pdf(envelope, k).shape == (2, 3)
    assert theory.autocorrelation(envelope, 20.0).shape == (2, 3)


# -- Outage -----------------------------------------------------------------------------------


def test_outage_at_known_points():
    # 3 dB over 10 dB: 1 - exp(-0.1995262) = 0.180881; K = 4 from reference/peers.md, section 5.
    threshold = db_to_linear(3.0)
    assert theory.outage_probability(threshold, 10.0) == pytest.approx(0.180881, abs=1e-6)
    assert theory.outage_probability(threshold, 10.0, 4.0) == pytest.approx(0.04705, abs=5e-6)


@pytest.mark.parametrize("k", K_FACTORS)
def test_outage_is_scipys_noncentral_chi_square(k):
    for threshold, mean in ((0.1, 1.0), (2.0, 10.0), (30.0, 10.0)):
        x = 2.0 * (k + 1.0) * threshold / mean
        expected = stats.ncx2.cdf(x, 2, 2.0 * k)
        assert theory.outage_probability(threshold, mean, k) == pytest.approx(expected, abs=1e-12)


def test_outage_at_the_ends():
    for k in (0.0, 4.0):
        assert theory.outage_probability(0.0, 10.0, k) == 0.0
        assert theory.outage_probability(1e9, 10.0, k) == 1.0
    assert theory.outage_probability(1e-9, 1.0) == pytest.approx(1e-9, rel=1e-8)


# -- Doppler ----------------------------------------------------------------------------------


def test_autocorrelation():
    # J0 at its first zero 2.404826 and first minimum J0(3.831706) = -0.402759
    lag_s = np.array([0.0, 2.404826, 3.831706]) / (2.0 * math.pi * 20.0)
    expected = [1.0, 0.0, -0.402759]
    np.testing.assert_allclose(theory.autocorrelation(lag_s, 20.0), expected, atol=1e-6)


def test_autocorrelation_is_the_integral_over_angles_of_arrival():
    # Waves from all directions, 2 pi fD cos(angle) each, and one of power K at the given angle.
    angles = (np.arange(4_000) + 0.5) / 4_000 * 2.0 * math.pi
    for lag_s in (0.003, 0.04, 0.2):
        turn = 2.0 * math.pi * 30.0 * lag_s
        waves = np.exp(1j * turn * np.cos(angles)).mean()
        los = np.exp(1j * turn * math.cos(math.radians(60.0)))
        expected = (waves + 2.5 * los) / 3.5
        assert theory.autocorrelation(lag_s, 30.0, 2.5, 60.0) == pytest.approx(expected, abs=1e-12)


@given(st.floats(0.0, 10.0), k_factors, st.floats(0.0, 180.0))
def test_autocorrelation_is_hermitian_and_bounded(lag_s, k, angle_deg):
    ahead = complex(theory.autocorrelation(lag_s, 7.0, k, angle_deg))
    assert complex(theory.autocorrelation(-lag_s, 7.0, k, angle_deg)) == ahead.conjugate()
    assert abs(ahead) <= 1.0 + 1e-12


def test_level_crossings_and_fades_at_known_points():
    level = 10.0 ** (-5.0 / 20.0)
    assert theory.level_crossing_rate_hz(level, 20.0) == pytest.approx(20.55, abs=5e-3)
    assert theory.average_fade_duration_s(level, 20.0) == pytest.approx(13.19e-3, abs=5e-6)
    # (exp(rho²) - 1) / (rho fD sqrt(2 pi)) at rho = 1: 1.718282 / (20 * 2.506628)
    assert theory.average_fade_duration_s(1.0, 20.0) == pytest.approx(34.275e-3, abs=1e-6)


@pytest.mark.parametrize("k", K_FACTORS)
@pytest.mark.parametrize("level", [0.3, 1.0, 1.1])
def test_crossings_are_density_times_mean_rising_slope(k, level):
    # Rice: N = p(level) E[max(slope, 0)]. The slope of the envelope is Gaussian and independent
    # of it, with half the scatter's power per part, 1 / (2 (K + 1)), times (2 pi fD)² / 2; the
    # positive part of a Gaussian has mean sigma / sqrt(2 pi).
    sigma = 2.0 * math.pi * 20.0 / math.sqrt(4.0 * (k + 1.0))
    expected = float(theory.envelope_pdf(level, k)) * sigma / math.sqrt(2.0 * math.pi)
    assert theory.level_crossing_rate_hz(level, 20.0, k) == pytest.approx(expected, rel=1e-12)


@given(st.floats(0.05, 2.0), st.floats(1.0, 500.0), st.floats(0.0, 20.0))
def test_fades_are_as_long_as_the_share_of_time_below_asks_for(level, fd_hz, k):
    fade_s = theory.average_fade_duration_s(level, fd_hz, k)
    share = fade_s * theory.level_crossing_rate_hz(level, fd_hz, k)
    assert share == pytest.approx(float(theory.envelope_cdf(level, k)), rel=1e-12)


# -- Capacity ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("snr_db", "expected"),
    [
        # log2(e) exp(1 / g) E1(1 / g) by mpmath 1.3 with 40 digits
        (-60.0, 1.44269359819681e-6),
        (-30.0, 0.00144125522261644),
        (-10.0, 0.132097967802192),
        (0.0, 0.860347382270886),
        (10.0, 2.9065148084148),
        (60.0, 19.0988429335754),
        (200.0, 65.6058157204704),
    ],
)
def test_rayleigh_capacity_at_known_points(snr_db, expected):
    snr = db_to_linear(snr_db)
    assert theory.rayleigh_capacity(snr) == pytest.approx(expected, rel=1e-9)
    assert theory.rician_capacity(snr, 0.0) == pytest.approx(expected, rel=1e-9)


def test_rayleigh_capacity_far_out():
    # log2(g) minus Euler's constant over ln 2 when g is huge, g / ln 2 when it is tiny.
    euler = 0.5772156649015329
    assert theory.rayleigh_capacity(1e300) == pytest.approx(math.log2(1e300) - euler / math.log(2))
    assert theory.rayleigh_capacity(1e-12) == pytest.approx(1e-12 / math.log(2.0), rel=1e-9)


@pytest.mark.parametrize("k", K_FACTORS)
@pytest.mark.parametrize("snr_db", [-30.0, 0.0, 10.0, 40.0])
def test_capacity_by_integrating_the_probability_of_more(k, snr_db):
    # By parts: E[ln(1 + g x)] is the integral of P(x > t) g / (1 + g t), with scipy's law of x.
    snr = db_to_linear(snr_db)
    survival = stats.ncx2(2, 2.0 * k).sf if k else stats.chi2(2).sf

    def tail(r):  # t = r², to break the integral where the envelope lives
        return float(survival(2.0 * (k + 1.0) * r**2)) * snr / (1.0 + snr * r**2) * 2.0 * r

    middle, sigma = line_of_sight(k)
    expected = integral(tail, 0.0, middle + 12.0 * sigma, k) / math.log(2.0)
    assert theory.rician_capacity(snr, k) == pytest.approx(expected, rel=1e-8)
    if k == 0.0:
        assert theory.rayleigh_capacity(snr) == pytest.approx(expected, rel=1e-8)


def test_capacity_by_monte_carlo():
    # 400,000 draws; level 1e-4 over the three by 4.15 standard errors.
    rng, count = np.random.default_rng(1), 400_000
    scatter = (rng.standard_normal(count) + 1j * rng.standard_normal(count)) / math.sqrt(2.0)
    for k in (0.0, 1.0, 10.0):
        gain = np.abs(math.sqrt(k / (k + 1.0)) + scatter / math.sqrt(k + 1.0)) ** 2
        rate = np.log2(1.0 + 10.0 * gain)
        error = rate.std() / math.sqrt(count)
        assert abs(rate.mean() - theory.rician_capacity(10.0, k)) < 4.15 * error


@given(st.floats(-60.0, 100.0), st.floats(0.0, 1e4))
def test_capacity_lies_between_fading_and_none(snr_db, k):
    snr = db_to_linear(snr_db)
    capacity = theory.rician_capacity(snr, k)
    assert theory.rayleigh_capacity(snr) * (1.0 - 1e-9) <= capacity
    assert capacity <= math.log2(1.0 + snr) * (1.0 + 1e-9)


def test_forty_decibels_of_line_of_sight_are_nearly_no_fading():
    for snr in (1e-3, 10.0, 1e10):
        assert theory.rician_capacity(snr, 1e4) == pytest.approx(math.log2(1.0 + snr), rel=1e-4)


# -- Quasi-static delivery --------------------------------------------------------------------


def test_delivery_at_a_known_point():
    # 40 kbit over 1 MHz in 15 ms is 2.6667 bit a symbol: exp(-(2^2.6667 - 1) / 10)
    probability = theory.quasi_static_delivery_probability(15e-3, 40e3, 1e6, 10.0)
    assert float(probability) == pytest.approx(0.5857, abs=5e-5)


@pytest.mark.parametrize("k", K_FACTORS)
def test_delivery_at_the_ends_of_time(k):
    times = np.array([0.0, 1e-9, math.inf])
    probability = theory.quasi_static_delivery_probability(times, 40e3, 1e6, 10.0, k)
    assert probability.tolist() == [0.0, 0.0, 1.0]


@given(k_factors, st.floats(-20.0, 40.0))
def test_delivery_never_gets_less_likely_with_time(k, snr_db):
    times = np.geomspace(1e-4, 1e3, 60)
    probability = theory.quasi_static_delivery_probability(
        times, 40e3, 1e6, db_to_linear(snr_db), k
    )
    assert (np.diff(probability) >= -1e-14).all()
    assert ((probability >= 0.0) & (probability <= 1.0)).all()


@pytest.mark.parametrize("k", [0.0, 4.0])
def test_delivery_is_the_share_of_fades_that_are_good_enough(k):
    # Drawn fades, the time each takes, and an exact binomial interval; level 1e-4 over 3 times.
    rng, count = np.random.default_rng(2), 100_000
    scatter = (rng.standard_normal(count) + 1j * rng.standard_normal(count)) / math.sqrt(2.0)
    gain = np.abs(math.sqrt(k / (k + 1.0)) + scatter / math.sqrt(k + 1.0)) ** 2
    taken_s = 40e3 / (1e6 * np.log2(1.0 + 10.0 * gain))
    for time_s in (10e-3, 15e-3, 30e-3):
        p = float(theory.quasi_static_delivery_probability(time_s, 40e3, 1e6, 10.0, k))
        low, high = stats.binom.ppf([1.5e-5, 1.0 - 1.5e-5], count, p)
        assert low <= np.count_nonzero(taken_s <= time_s) <= high
