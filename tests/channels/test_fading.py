"""Fading against Clarke's model: distribution, Doppler, crossings, and what a link may depend on.

Statistical tests take links as independent samples: correlation in time, slow and strong in a
fading channel, then never counts as evidence. Times are in Doppler periods where fD is 1.
"""

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import fft, signal, stats

from fadeline.channels import theory
from fadeline.channels.clarke import GUARD_CYCLES
from fadeline.channels.fading import block, rayleigh, rician
from fadeline.channels.units import db_to_linear

LEVEL = 1e-4
INTERPOLATION_ERROR_DB = -75.0  # as documented


def rng(seed):
    return np.random.default_rng(seed)


def powers(gains):
    return gains.real.astype(np.float64) ** 2 + gains.imag.astype(np.float64) ** 2


def assert_means(samples, expected):
    """Test the mean over links, axis 0, of every column by Student's t at LEVEL in all.

    Real and imaginary parts are tested apart; Bonferroni's bound divides the level.
    """
    samples, expected = np.asarray(samples), np.asarray(expected)
    if np.iscomplexobj(samples) or np.iscomplexobj(expected):
        samples = np.concatenate([samples.real, samples.imag], axis=-1)
        expected = np.concatenate([expected.real, expected.imag], axis=-1)
    links = len(samples)
    error = samples.std(axis=0, ddof=1) / math.sqrt(links)
    largest = stats.t.isf(LEVEL / 2.0 / error.size, links - 1)
    excess = np.abs(samples.mean(axis=0) - expected) / error
    assert np.max(excess) < largest, f"{excess} standard errors, at most {largest:.2f} allowed"


def lag_products(gains, lags, *, conjugate=True):
    """Return the time average of h(t + lag) h*(t), or of h(t + lag) h(t), shape (L, lags)."""
    steps = gains.shape[1]
    other = gains.conj() if conjugate else gains
    products = (gains[:, lag:] * other[:, : steps - lag] for lag in lags)
    return np.stack([product.mean(axis=1, dtype=np.complex128) for product in products], axis=1)


def lags_of(cycles_per_step, steps):
    """Return lags in steps: one step, and up to 5 Doppler periods, past J0's zeros and extremes."""
    wanted = np.array([0.05, 0.1, 0.25, 0.3827, 0.61, 1.0, 1.37, 2.0, 3.3, 5.0])
    lags = np.unique(np.append(1, np.rint(wanted / cycles_per_step)).astype(int))
    return lags[(lags >= 1) & (lags < steps)]


# -- Distribution -----------------------------------------------------------------------------


@pytest.mark.parametrize("cycles", [0.001, 0.02, 0.1])
def test_rayleigh_power_is_one_at_every_time(cycles):
    gains = rayleigh(rng(1), doppler_hz=1.0, step_s=cycles, steps=75, links=4_000)
    power = powers(gains)[:, [0, 1, 31, 32, 33, 74]]
    assert_means(power, np.ones(6))


@pytest.mark.parametrize("step", [0, -1])
def test_rayleigh_power_is_exponential(step):
    # Kolmogorov-Smirnov on one sample of each link.
    gains = rayleigh(rng(2), doppler_hz=1.0, step_s=0.09, steps=40, links=20_000)
    assert stats.kstest(powers(gains[:, step]), stats.expon.cdf).pvalue > LEVEL


@pytest.mark.parametrize("cycles", [0.025, 0.1])
def test_rayleigh_moments_are_those_of_a_gaussian_process(cycles):
    # E|h|^4 = 2 and E|h|^6 = 6. A sum of 20 sinusoids has 1.95 and is six standard errors off.
    gains = rayleigh(rng(26), doppler_hz=1.0, step_s=cycles, steps=6_000, links=1_000)
    power = powers(gains)
    assert_means(np.stack([(power**2).mean(axis=1), (power**3).mean(axis=1)], 1), [2.0, 6.0])


@pytest.mark.parametrize("k_db", [-5.0, 3.0, 9.0])
@pytest.mark.parametrize("angle_deg", [0.0, 90.0])
def test_rician_envelope_follows_theory(k_db, angle_deg):
    gains = rician(
        rng(3),
        k_factor_db=k_db,
        los_angle_deg=angle_deg,
        doppler_hz=1.0,
        step_s=0.05,
        steps=20,
        links=10_000,
    )
    k = db_to_linear(k_db)
    for step in (0, -1):
        envelope = np.abs(gains[:, step])
        assert stats.kstest(envelope, lambda r: theory.envelope_cdf(r, k)).pvalue > LEVEL
    assert_means(powers(gains)[:, [0, -1]], [1.0, 1.0])


def test_phases_are_uniform_and_independent_of_the_envelope():
    gains = rician(
        rng(4),
        k_factor_db=3.0,
        los_angle_deg=90.0,
        doppler_hz=1.0,
        step_s=0.1,
        steps=1,
        links=9_000,
    )[:, 0]
    assert stats.kstest(np.angle(gains), stats.uniform(-math.pi, 2 * math.pi).cdf).pvalue > LEVEL
    assert_means(np.stack([gains, gains * np.abs(gains)], 1), [0.0, 0.0])


def test_a_given_power_scales_each_link():
    def draw(power):
        return rayleigh(rng(5), doppler_hz=1.0, step_s=0.05, steps=90, links=3, power=power)

    unit, scaled = draw(1.0), draw(np.array([0.0, 0.25, 9.0]))
    np.testing.assert_allclose(scaled, unit * np.array([[0.0], [0.5], [3.0]]), rtol=1e-5, atol=1e-6)


# -- Doppler ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cycles", "steps", "links"),
    [(0.001, 15_000, 300), (0.02, 1_000, 2_000), (0.035, 600, 2_500), (0.1, 250, 4_000)],
)
def test_rayleigh_autocorrelation_is_bessel(cycles, steps, links):
    # Lags far beyond one step matter: an AR(1) process is right at one step and wrong after.
    gains = rayleigh(rng(6), doppler_hz=1.0, step_s=cycles, steps=steps, links=links)
    lags = lags_of(cycles, steps)
    assert lags.size >= 6
    assert_means(lag_products(gains, lags), theory.autocorrelation(lags * cycles, 1.0))


def test_autocorrelation_at_ten_thousand_steps_per_doppler_period():
    # Every 500th step of 60 periods of each link.
    cycles, thin, generator = 1e-4, 500, rng(27)
    gains = np.concatenate(
        [
            rayleigh(generator, doppler_hz=1.0, step_s=cycles, steps=600_000)[:, ::thin]
            for _ in range(120)
        ]
    )
    lags = lags_of(thin * cycles, gains.shape[1])
    assert_means(lag_products(gains, lags), theory.autocorrelation(lags * thin * cycles, 1.0))


@pytest.mark.parametrize(("cycles", "steps"), [(1e-4, 700), (0.001, 400), (0.02, 12), (0.1, 4)])
def test_autocorrelation_of_traces_shorter_than_a_doppler_period(cycles, steps):
    gains = rayleigh(rng(7), doppler_hz=1.0, step_s=cycles, steps=steps, links=6_000)
    lags = np.unique(np.linspace(1, steps - 1, 6).astype(int))
    # From the first sample on, not averaged over time: the process must be stationary.
    products = gains[:, lags] * gains[:, :1].conj()
    assert_means(products, theory.autocorrelation(lags * cycles, 1.0))


@pytest.mark.parametrize("angle_deg", [0.0, 60.0, 90.0, 135.0, 180.0])
def test_rician_autocorrelation_turns_with_the_line_of_sight(angle_deg):
    cycles, steps, k_db = 0.02, 700, 3.0
    gains = rician(
        rng(8),
        k_factor_db=k_db,
        los_angle_deg=angle_deg,
        doppler_hz=1.0,
        step_s=cycles,
        steps=steps,
        links=1_200,
    )
    lags = lags_of(cycles, steps)
    expected = theory.autocorrelation(lags * cycles, 1.0, db_to_linear(k_db), angle_deg)
    assert_means(lag_products(gains, lags), expected)


def test_the_phasor_keeps_its_frequency_over_a_long_trace():
    # With next to no scatter the phase is 2 pi fD cos(angle) t plus a constant, whatever t.
    steps, cycles, angle_deg = 200_000, 0.09, 40.0
    gains = rician(
        rng(9),
        k_factor_db=100.0,
        los_angle_deg=angle_deg,
        doppler_hz=1.0,
        step_s=cycles,
        steps=steps,
    )[0]
    turns = cycles * math.cos(math.radians(angle_deg)) * np.arange(steps)
    steady = gains * np.exp(-2j * math.pi * turns)
    np.testing.assert_allclose(steady, steady[0], atol=2e-4)


@pytest.mark.parametrize("cycles", [0.001, 0.02, 0.1])
def test_rayleigh_is_circularly_symmetric(cycles):
    # E[h(t + lag) h(t)] = 0 at all lags: both parts have one power and one autocorrelation, and
    # their cross-correlation is odd in the lag. It is 0 as the autocorrelation is real, above.
    steps, links = int(10.0 / cycles), 400
    gains = rayleigh(rng(10), doppler_hz=1.0, step_s=cycles, steps=steps, links=links)
    lags = np.append(0, lags_of(cycles, steps))
    assert_means(lag_products(gains, lags, conjugate=False), np.zeros(lags.size))
    assert_means(gains[:, [0, -1]], [0.0, 0.0])


@pytest.mark.parametrize("cycles", [5e-6, 1e-4, 0.001, 0.0065, 0.02, 0.035, 0.0999, 0.1])
def test_no_power_outside_the_doppler_band_but_the_interpolation_error(cycles):
    steps, shape = 60_000, 28.0  # side lobes of this window: below -200 dB
    gains = rayleigh(rng(11), doppler_hz=1.0, step_s=cycles, steps=steps, links=4)
    window = signal.windows.kaiser(steps, shape)
    spectrum = np.abs(np.fft.fft(gains.astype(np.complex128) * window, axis=1)) ** 2
    main_lobe = 1.2 * shape / math.pi / steps
    outside = np.abs(np.fft.fftfreq(steps)) > cycles + main_lobe
    assert outside.sum() > steps / 2
    error_db = 10.0 * math.log10(spectrum[:, outside].sum() / spectrum.sum())
    assert error_db < INTERPOLATION_ERROR_DB


@pytest.mark.parametrize("k_db", [-math.inf, 5.0])
def test_level_crossings_and_fades(k_db):
    # 250 links of 60 periods: about 15,000 crossings a level. Sampling every 1/400 period misses
    # some 0.2 % of them, far less than the 1 % that this test resolves.
    cycles, steps = 0.0025, 24_000
    gains = rician(
        rng(12),
        k_factor_db=k_db,
        los_angle_deg=90.0,
        doppler_hz=1.0,
        step_s=cycles,
        steps=steps,
        links=250,
    )
    k, power = db_to_linear(k_db), powers(gains)
    for level_db in (-10.0, -5.0, 0.0):
        level = 10.0 ** (level_db / 20.0)
        below = power < level**2
        rises = (below[:, :-1] & ~below[:, 1:]).sum(axis=1)
        rate_hz = rises / ((steps - 1) * cycles)
        expected_hz = theory.level_crossing_rate_hz(level, 1.0, k)
        assert_means(rate_hz[:, np.newaxis], [expected_hz])
        # Time below = fades x mean duration; tested as a mean of differences over the links.
        fade_s = theory.average_fade_duration_s(level, 1.0, k)
        time_s = below[:, 1:].sum(axis=1) * cycles
        assert_means((time_s - rises * fade_s)[:, np.newaxis], [0.0])


def test_mean_capacity_is_the_ergodic_one():
    gains = rayleigh(rng(13), doppler_hz=1.0, step_s=0.1, steps=500, links=500)
    capacity = np.log2(1.0 + 10.0 * powers(gains)).mean(axis=1)
    assert_means(capacity[:, np.newaxis], [theory.rayleigh_capacity(10.0)])


# -- What may and may not repeat --------------------------------------------------------------


def test_the_output_does_not_repeat_and_its_end_is_not_its_beginning():
    # The autocorrelation at all lags from the guard on, by transforms of the padded series, is
    # at most what the guard leaves, the envelope of J0(2 pi 64), from either side of the period.
    # A mean of L complex products has |mean|² L exponential: level exp(-a²) for each lag. With
    # a period in the output it would be 1; without a guard the last lag's would be 1.
    cycles, steps, links = 0.1, 3_000, 1_000
    gains = rayleigh(rng(14), doppler_hz=1.0, step_s=cycles, steps=steps, links=links)
    energy = np.abs(fft.fft(gains, 2 * steps, axis=1)) ** 2
    correlation = fft.ifft(energy.mean(axis=0))[:steps] / np.arange(steps, 0, -1)
    assert correlation[0].real == pytest.approx(1.0, abs=0.05)
    far = np.abs(correlation[int(GUARD_CYCLES / cycles) :])
    guarded = math.sqrt(1.0 / (math.pi**2 * GUARD_CYCLES))  # sqrt(2 / (pi x)), x = 2 pi 64
    assert far.size > 1_000
    assert far.max() < 1.3 * guarded + math.sqrt(math.log(steps / LEVEL) / links)


def test_links_are_independent():
    gains = rayleigh(rng(15), doppler_hz=1.0, step_s=0.1, steps=300, links=3_000)
    neighbours = (gains[:-1:2] * gains[1::2].conj()).mean(axis=1)  # within and across lanes
    in_two = (gains[0::4] * gains[2::4].conj()).mean(axis=1)
    next_lanes = (gains[3:-1:4] * gains[4::4].conj()).mean(axis=1)
    for products in (neighbours, in_two, next_lanes):
        assert_means(products[:, np.newaxis], [0.0])


@pytest.mark.parametrize("cycles", [0.0, 1e-7, 0.001, 0.02, 0.1])
@pytest.mark.parametrize("steps", [1, 50, 1_000])
def test_a_link_does_not_depend_on_the_links_after_it(cycles, steps):
    arguments = {"doppler_hz": cycles, "step_s": 1.0, "steps": steps}
    most = rayleigh(rng(16), links=7, **arguments)
    for links in (1, 4, 5):
        np.testing.assert_array_equal(rayleigh(rng(16), links=links, **arguments), most[:links])


def test_blocks_of_a_link_do_not_depend_on_the_links_after_it():
    most = block(rng(17), block_s=0.3, step_s=0.1, steps=50, links=7)
    for links in (1, 4, 5):
        drawn = block(rng(17), block_s=0.3, step_s=0.1, steps=50, links=links)
        np.testing.assert_array_equal(drawn, most[:links])


@pytest.mark.parametrize("cycles", [0.0, 0.001, 0.1])
def test_the_generator_decides_the_gains(cycles):
    arguments = {
        "k_factor_db": 3.0,
        "los_angle_deg": 30.0,
        "doppler_hz": cycles,
        "step_s": 1.0,
        "steps": 300,
        "links": 5,
    }
    first, again, other = (rician(rng(seed), **arguments) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.isin(first, other).any()


# -- Special cases ----------------------------------------------------------------------------


def test_without_doppler_the_gain_never_changes():
    gains = rayleigh(rng(18), doppler_hz=0.0, step_s=1e9, steps=100, links=20_000)
    assert (gains == gains[:, :1]).all()
    assert stats.kstest(powers(gains[:, 0]), stats.expon.cdf).pvalue > LEVEL
    still = rician(
        rng(18), k_factor_db=3.0, los_angle_deg=0.0, doppler_hz=0.0, step_s=1.0, steps=100
    )
    assert (still == still[0, 0]).all()


def test_very_slow_fading_is_nearly_constant_and_still_rayleigh():
    # 1e-6 Hz for 1 s: the gain changes by about sqrt(2) pi fD t |h| = 4e-6.
    gains = rayleigh(rng(19), doppler_hz=1e-6, step_s=1e-3, steps=1_000, links=4_000)
    assert np.ptp(np.abs(gains), axis=1).max() < 1e-4
    assert stats.kstest(powers(gains[:, 0]), stats.expon.cdf).pvalue > LEVEL


@pytest.mark.parametrize("steps", [1, 2, 31, 32, 33, 63, 64, 65, 1_000, 1_001])
@pytest.mark.parametrize("cycles", [0.0, 1e-6, 0.01, 0.035, 0.1])
def test_shape_type_and_finite_values_for_any_length(cycles, steps):
    gains = rayleigh(rng(20), doppler_hz=cycles, step_s=1.0, steps=steps, links=2)
    assert gains.shape == (2, steps)
    assert gains.dtype == np.complex64
    assert np.isfinite(gains).all()
    # No seam between the parts that a trace is put together from: a step changes h by about
    # sqrt(2) pi fD dt, and 8 times that is out of reach. (At 0.1 a step may be anything.)
    if 0.0 < cycles < 0.1:
        assert np.abs(np.diff(gains)).max(initial=0.0) < 8.0 * math.sqrt(2.0) * math.pi * cycles


@pytest.mark.parametrize("cycles", [0.001, 0.035, 0.1])
@pytest.mark.parametrize("los", [False, True])
def test_one_long_link_takes_at_most_four_times_its_memory(cycles, los):
    def draw(steps):
        if not los:
            return rayleigh(rng(21), doppler_hz=cycles, step_s=1.0, steps=steps)
        return rician(
            rng(21), k_factor_db=3.0, los_angle_deg=9.0, doppler_hz=cycles, step_s=1.0, steps=steps
        )

    draw(10)  # imports
    tracemalloc.start()
    try:
        gains = draw(1_000_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= 4.0 * gains.nbytes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"step_s": 0.004}, r"too coarse .* 35 Hz; the largest allowed is 0\.002857"),
        ({"step_s": 0.0}, r"step_s must be positive, got 0\.0"),
        ({"doppler_hz": -1.0}, r"doppler_hz must be at least 0, got -1\.0"),
        ({"doppler_hz": math.nan}, "doppler_hz must be at least 0, got nan"),
        ({"steps": 0}, "steps and links must be at least 1, got 0 and 1"),
        ({"links": 0}, "steps and links must be at least 1, got 10 and 0"),
    ],
)
def test_bad_arguments_are_refused(changes, message):
    arguments = {"doppler_hz": 35.0, "step_s": 1e-3, "steps": 10, "links": 1} | changes
    with pytest.raises(ValueError, match=message):
        rayleigh(rng(0), **arguments)
    with pytest.raises(ValueError, match=message):
        rician(rng(0), k_factor_db=3.0, los_angle_deg=0.0, **arguments)


# -- Block fading -----------------------------------------------------------------------------


def test_blocks_by_hand():
    # Steps begin at 0, 0.1, 0.2 | 0.3 (0.25 is past), 0.4 | 0.5 (on the border), 0.6, 0.7 | 0.8
    gains = block(rng(22), block_s=0.25, step_s=0.1, steps=9)[0]
    starts = np.flatnonzero(np.append(True, gains[1:] != gains[:-1]))
    assert starts.tolist() == [0, 3, 5, 8]


@given(st.integers(1, 40), st.floats(1e-5, 10.0), st.integers(1, 5_000))
@settings(max_examples=60)
def test_a_step_on_a_border_opens_the_new_block(steps_per_block, step_s, steps):
    gains = block(rng(23), block_s=steps_per_block * step_s, step_s=step_s, steps=steps)[0]
    starts = np.flatnonzero(np.append(True, gains[1:] != gains[:-1]))
    np.testing.assert_array_equal(starts, np.arange(0, steps, steps_per_block))


def test_blocks_are_independent_and_rayleigh():
    # A block a step: all samples are independent.
    gains = block(rng(24), block_s=1.0, step_s=1.0, steps=200, links=200)
    assert stats.kstest(powers(gains).ravel(), stats.expon.cdf).pvalue > LEVEL
    lags = np.arange(1, 7)
    assert_means(lag_products(gains, lags), np.zeros(6))
    assert_means(lag_products(gains, [0, 1], conjugate=False), [0.0, 0.0])
    assert_means((gains[::2] * gains[1::2].conj()).mean(axis=1)[:, np.newaxis], [0.0])


@pytest.mark.parametrize("k_db", [-5.0, 3.0, 9.0])
def test_rician_blocks(k_db):
    gains = block(rng(25), block_s=1.0, step_s=1.0, steps=300, links=100, k_factor_db=k_db)
    k, envelope = db_to_linear(k_db), np.abs(gains).ravel()
    assert gains.dtype == np.complex64
    assert stats.kstest(envelope, lambda r: theory.envelope_cdf(r, k)).pvalue > LEVEL
    assert_means(powers(gains).mean(axis=1)[:, np.newaxis], [1.0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"step_s": 0.2}, r"step_s must be in \(0, block_s = 0\.1\], got 0\.2"),
        ({"step_s": 0.0}, r"step_s must be in \(0, block_s = 0\.1\], got 0"),
        ({"block_s": -1.0}, r"step_s must be in \(0, block_s = -1\], got 0\.1"),
        ({"block_s": math.nan}, r"step_s must be in \(0, block_s = nan\], got 0\.1"),
        ({"steps": 0}, "steps and links must be at least 1, got 0 and 1"),
        ({"links": 0}, "steps and links must be at least 1, got 4 and 0"),
    ],
)
def test_bad_blocks_are_refused(changes, message):
    arguments = {"block_s": 0.1, "step_s": 0.1, "steps": 4} | changes
    with pytest.raises(ValueError, match=message):
        block(rng(0), **arguments)
