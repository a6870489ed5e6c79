"""Rates at known points, their bounds, and a rate of our own making."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fadeline.channels.rates import FiniteBlocklength, Rate, Shannon
from fadeline.channels.units import db_to_linear

RNG = np.random.default_rng(0)
B_HZ = 1e6
snrs_db = st.floats(-60.0, 60.0)


def capacity(snr):
    return np.log1p(snr) / math.log(2.0)


# -- Shannon ----------------------------------------------------------------------------------


def test_shannon_at_known_points():
    snr = np.array([0.0, 1.0, 3.0, 10.0, 1023.0])
    expected = [0.0, 1e6, 2e6, 3.4594316e6, 10e6]
    np.testing.assert_allclose(Shannon().mean_rate_bps(snr, B_HZ), expected, rtol=1e-7)
    np.testing.assert_allclose(Shannon().mean_rate_bps(snr, 2e6), np.multiply(2, expected), 1e-7)


def test_a_gap_lowers_the_snr():
    # 30 dB with a gap of 10 dB is 20 dB: log2(101) = 6.658211
    rate = Shannon(gap_db=10.0).mean_rate_bps(np.array([1000.0]), B_HZ)
    np.testing.assert_allclose(rate, [6.658211e6], rtol=1e-6)


def test_a_cap_cuts_the_top():
    # With a gap of 3 dB, SNR 10 is 10 / 1.995262 = 5.011872 and log2(6.011872) = 2.587814
    rule = Shannon(gap_db=3.0, max_bits_per_symbol=2.6)
    rate = rule.mean_rate_bps(np.array([0.0, 10.0, 100.0, 1e9]), B_HZ)
    np.testing.assert_allclose(rate, [0.0, 2.587814e6, 2.6e6, 2.6e6], rtol=1e-6)


@given(snrs_db)
def test_small_snrs_do_not_lose_their_digits(snr_db):
    snr = np.array([db_to_linear(snr_db - 120.0)])
    series = (snr - snr**2 / 2.0 + snr**3 / 3.0) / math.log(2.0)  # snr is at most 1e-6
    np.testing.assert_allclose(Shannon().mean_rate_bps(snr, 1.0), series, rtol=1e-13)


def test_shannon_draws_nothing_and_does_not_touch_the_snr():
    snr, rng = np.array([1.0, 3.0]), np.random.default_rng(1)
    rule = Shannon(gap_db=1.0, max_bits_per_symbol=1.5)
    before = rng.bit_generator.state
    np.testing.assert_array_equal(rule.rate_bps(rng, snr, B_HZ), rule.mean_rate_bps(snr, B_HZ))
    assert rng.bit_generator.state == before
    assert snr.tolist() == [1.0, 3.0]
    assert rule.slot_s(B_HZ) is None


@pytest.mark.parametrize(
    "rule",
    [
        Shannon(),
        Shannon(gap_db=2.0, max_bits_per_symbol=3.0),
        FiniteBlocklength(block_symbols=500, error_probability=1e-3),
    ],
)
def test_a_steady_snr_may_be_a_single_number(rule):
    one = rule.mean_rate_bps(np.array(10.0), B_HZ)
    assert np.shape(one) == ()
    assert float(one) == rule.mean_rate_bps(np.array([10.0]), B_HZ)[0]


# -- Finite block lengths ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "epsilon", "snr", "expected"),
    [
        # V = 10 * 12 / 121 * 2.081368 = 2.064167; Qinv(1e-3) = 3.090232; C = 3.459432
        # 3.459432 - sqrt(2.064167 / 500) * 3.090232 + 8.965784 / 1000
        (500, 1e-3, 10.0, 3.269844),
        # 3.459432 - sqrt(2.064167 / 100) * 4.264891 + 6.643856 / 200
        (100, 1e-5, 10.0, 2.879905),
        # V = 3 / 4 * 2.081368 = 1.561026; 1 - sqrt(1.561026 / 200) * 1.281552 + 7.643856 / 400
        (200, 0.1, 1.0, 0.905889),
    ],
)
def test_the_normal_approximation_by_hand(n, epsilon, snr, expected):
    rule = FiniteBlocklength(block_symbols=n, error_probability=epsilon)
    assert float(rule.bits_per_symbol(np.array(snr))) == pytest.approx(expected, abs=2e-6)


@given(snrs_db, st.integers(1, 100_000), st.floats(1e-9, 0.49))
def test_a_block_carries_between_nothing_and_capacity(snr_db, n, epsilon):
    rule = FiniteBlocklength(block_symbols=n, error_probability=epsilon)
    snr = np.array([0.0, db_to_linear(snr_db)])
    bits = rule.bits_per_symbol(snr)
    assert bits[0] == 0.0
    assert 0.0 <= bits[1] <= capacity(snr[1]) * (1 + 1e-14) + 1e-16


def test_where_the_approximation_is_negative_the_rate_is_nothing():
    # C = 0.13750, V = 0.1 * 2.1 / 1.21 * 2.0814 = 0.36123: 0.1375 - 0.26 + 0.0332 < 0
    rule = FiniteBlocklength(block_symbols=100, error_probability=1e-5)
    assert rule.bits_per_symbol(np.array([0.1])).tolist() == [0.0]


@given(st.floats(0.0, 40.0), st.floats(1e-9, 0.4))
def test_long_blocks_reach_capacity(snr_db, epsilon):
    snr = np.array(db_to_linear(snr_db))
    gaps = []
    for n in (10**4, 10**6, 10**8, 10**10):
        rule = FiniteBlocklength(block_symbols=n, error_probability=epsilon)
        gaps.append(float(capacity(snr) - rule.bits_per_symbol(snr)))
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] < 1e-4  # sqrt(V) Qinv / 1e5 < 1.45 * 6 / 1e5


def test_a_slot_is_a_block_at_one_symbol_per_second_and_hertz():
    rule = FiniteBlocklength(block_symbols=500, error_probability=1e-3)
    assert rule.slot_s(1e6) == 0.5e-3
    assert rule.slot_s(20e6) == 25e-6


@pytest.mark.parametrize("epsilon", [1e-3, 0.05, 0.4])
def test_as_many_blocks_are_lost_as_stated(epsilon):
    # Exact binomial interval, level 1e-4.
    n, rule = 200_000, FiniteBlocklength(block_symbols=300, error_probability=epsilon)
    rate = rule.rate_bps(np.random.default_rng(3), np.full(n, 10.0), B_HZ)
    low, high = stats.binom.ppf([0.5e-4, 1.0 - 0.5e-4], n, epsilon)
    assert low <= np.count_nonzero(rate == 0.0) <= high
    sent = float(rule.bits_per_symbol(np.array(10.0))) * B_HZ
    assert np.unique(rate).tolist() == [0.0, pytest.approx(sent)]


def test_losses_are_independent_from_block_to_block():
    # Pairs of lost neighbours: disjoint pairs are independent; exact binomial, level 1e-4.
    pairs, epsilon = 100_000, 0.1
    rule = FiniteBlocklength(block_symbols=300, error_probability=epsilon)
    lost = rule.rate_bps(np.random.default_rng(4), np.full(2 * pairs, 10.0), B_HZ) == 0.0
    both = np.count_nonzero(lost[::2] & lost[1::2])
    low, high = stats.binom.ppf([0.5e-4, 1.0 - 0.5e-4], pairs, epsilon**2)
    assert low <= both <= high


@pytest.mark.parametrize(
    "rule",
    [
        Shannon(gap_db=3.0, max_bits_per_symbol=4.0),
        FiniteBlocklength(block_symbols=200, error_probability=0.1),
    ],
)
def test_the_mean_rate_is_the_mean_of_the_rates(rule):
    # Standard error 0.1 % of the rate with 90,000 blocks lost with 0.1; 4.06 of them, level 5e-5.
    for snr in (0.5, 10.0, 1000.0):
        mean = float(rule.mean_rate_bps(np.array([snr]), B_HZ)[0])
        rates = rule.rate_bps(np.random.default_rng(5), np.full(90_000, snr), B_HZ)
        assert rates.mean() == pytest.approx(mean, rel=4.06 * math.sqrt(0.1 / 0.9 / 90_000))


def test_the_generator_decides_which_blocks_are_lost():
    rule, snr = FiniteBlocklength(block_symbols=300, error_probability=0.5), np.full(1_000, 10.0)
    first, again, other = (rule.rate_bps(np.random.default_rng(s), snr, B_HZ) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


# -- The protocol -----------------------------------------------------------------------------


class Table:
    """A stand-in for NR: a rate for each range of SNR, in slots of 0.5 ms; 10 % are lost."""

    thresholds = db_to_linear(np.array([-6.0, 2.0, 10.0, 18.0]))
    bits_per_symbol = np.array([0.0, 0.15, 0.88, 2.57, 5.12])

    def slot_s(self, bandwidth_hz: float) -> float | None:
        return 0.5e-3

    def mean_rate_bps(self, snr, bandwidth_hz):
        row = np.searchsorted(self.thresholds, snr, side="right")
        return 0.9 * bandwidth_hz * self.bits_per_symbol[row]

    def rate_bps(self, rng, snr, bandwidth_hz):
        return self.mean_rate_bps(snr, bandwidth_hz) / 0.9 * (rng.random(snr.shape) >= 0.1)

    def drawn(self, rng, snr, bandwidth_hz):
        rate_bps = self.rate_bps(rng, snr, bandwidth_hz)
        return rate_bps, rate_bps == 0.0


RATES: tuple[Rate, ...] = (
    Shannon(),
    FiniteBlocklength(block_symbols=400, error_probability=0.01),
    Table(),
)


@pytest.mark.parametrize("rule", RATES, ids=lambda rule: type(rule).__name__)
def test_every_rate_keeps_the_protocol(rule: Rate) -> None:
    slot_s = rule.slot_s(B_HZ)
    assert slot_s is None or slot_s > 0.0
    snr = db_to_linear(np.linspace(-20.0, 40.0, 601))
    mean, drawn = rule.mean_rate_bps(snr, B_HZ), rule.rate_bps(RNG, snr, B_HZ)
    assert mean.shape == drawn.shape == snr.shape
    assert mean.dtype == drawn.dtype == np.float64
    assert (drawn >= 0.0).all()
    assert (np.diff(mean) >= 0.0).all()
    assert (mean <= B_HZ * capacity(snr) * (1.0 + 1e-12)).all()
    assert rule.mean_rate_bps(np.zeros(2), B_HZ).tolist() == [0.0, 0.0]
