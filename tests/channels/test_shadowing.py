"""Shadowing against its theory: exact covariance, and drawn spread and correlation."""

import math
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fadeline.channels.pathloss import ENVIRONMENTS
from fadeline.channels.shadowing import SHADOWING, correlated_shadowing_db

UNEVEN_M = np.array([0.0, 1.0, 1.5, 10.0, 10.0, 24.0, 300.0])


class Basis(np.random.Generator):
    """Gives a unit vector instead of noise, so that the function shows its linear map."""

    def __init__(self, index: int):
        super().__init__(np.random.PCG64(0))
        self.index = index

    def standard_normal(self, size):  # type: ignore[override]
        return np.eye(size)[self.index]


def theory(travelled_m, sigma_db, correlation_distance_m):
    """Covariance sigma² exp(-|d_i - d_j| / d_corr)."""
    apart = np.abs(np.subtract.outer(travelled_m, travelled_m))
    return sigma_db**2 * np.exp(-apart / correlation_distance_m)


def draws(travelled_m, sigma_db, correlation_distance_m, count, seed):
    rng = np.random.default_rng(seed)
    arguments = (rng, travelled_m, sigma_db, correlation_distance_m)
    return np.array([correlated_shadowing_db(*arguments) for _ in range(count)])


@given(
    st.lists(st.floats(0.0, 40.0), min_size=1, max_size=12),
    st.floats(0.1, 12.0),
    st.floats(1.0, 100.0),
)
def test_covariance_is_exactly_that_of_the_model_for_any_spacing(steps_m, sigma_db, reach_m):
    travelled_m = np.cumsum(steps_m)
    columns = [
        correlated_shadowing_db(Basis(i), travelled_m, sigma_db, reach_m)
        for i in range(len(steps_m))
    ]
    factor = np.array(columns).T  # shadowing = factor @ normals
    expected = theory(travelled_m, sigma_db, reach_m)
    np.testing.assert_allclose(factor @ factor.T, expected, rtol=1e-9, atol=1e-9 * sigma_db**2)


def test_drawn_spread_is_sigma_at_every_point():
    count, sigma_db = 20_000, 7.82
    sample = draws(UNEVEN_M, sigma_db, 13.0, count, seed=11)
    # sum x² / sigma² is chi-square with `count` degrees; 7 points at 1e-5 each: level 7e-5.
    low, high = stats.chi2.ppf([0.5e-5, 1.0 - 0.5e-5], count)
    energy = (sample**2).sum(axis=0) / sigma_db**2
    assert ((energy > low) & (energy < high)).all()


def test_drawn_values_are_gaussian():
    # Kolmogorov-Smirnov on independent draws of the last point, level 1e-4.
    sample = draws(UNEVEN_M, 4.0, 10.0, 5_000, seed=12)
    assert stats.kstest(sample[:, -1], stats.norm(0.0, 4.0).cdf).pvalue > 1e-4


@pytest.mark.parametrize("apart_m", [1.0, 5.0, 10.0, 20.0, 40.0])
def test_drawn_correlation_falls_exponentially(apart_m):
    count, reach_m = 20_000, 10.0
    first, second = draws(np.array([0.0, apart_m]), 4.0, reach_m, count, seed=13).T
    # Fisher's z is normal with standard deviation 1 / sqrt(n - 3); 4.27 is 2e-5 two-sided,
    # so 1e-4 over the five distances.
    z = math.atanh(np.corrcoef(first, second)[0, 1]) - math.atanh(math.exp(-apart_m / reach_m))
    assert abs(z) < 4.27 / math.sqrt(count - 3)


def test_a_long_uniform_path_has_the_same_law_as_many_short_ones():
    # 40 km in 1 m steps, correlation at lag 10 m. Bartlett's variance of it for r = exp(-0.1) is
    # ((1 + r²) (1 - r^20) / (1 - r²) - 20 r^20) / 40000 = 0.0122²; 4 sigma is a level of 7e-5.
    path = correlated_shadowing_db(np.random.default_rng(14), np.arange(40_000.0), 4.0, 10.0)
    assert np.corrcoef(path[:-10], path[10:])[0, 1] == pytest.approx(math.exp(-1.0), abs=4 * 0.0122)


def test_points_at_one_place_share_one_value():
    travelled_m = np.array([0.0, 0.0, 3.0, 3.0, 3.0, 8.0])
    drawn = correlated_shadowing_db(np.random.default_rng(1), travelled_m, 6.0, 50.0)
    assert drawn[0] == drawn[1]
    assert drawn[2] == drawn[3] == drawn[4]
    assert np.unique(drawn).size == 3


def test_only_differences_of_distance_matter():
    near = correlated_shadowing_db(np.random.default_rng(3), UNEVEN_M, 4.0, 10.0)
    far = correlated_shadowing_db(np.random.default_rng(3), UNEVEN_M + 1_024.0, 4.0, 10.0)
    np.testing.assert_allclose(near, far, rtol=1e-12)


def test_the_same_seed_gives_the_same_path_and_a_longer_path_extends_it():
    short = correlated_shadowing_db(np.random.default_rng(4), UNEVEN_M[:4], 4.0, 10.0)
    long = correlated_shadowing_db(np.random.default_rng(4), UNEVEN_M, 4.0, 10.0)
    np.testing.assert_array_equal(long[:4], short)


def test_no_sigma_means_no_shadowing():
    assert not correlated_shadowing_db(np.random.default_rng(0), UNEVEN_M, 0.0, 10.0).any()


def test_an_empty_path_is_an_empty_draw():
    assert correlated_shadowing_db(np.random.default_rng(0), np.empty(0), 4.0, 10.0).shape == (0,)


@pytest.mark.parametrize(
    ("travelled_m", "sigma_db", "reach_m", "message"),
    [
        ([0.0, 2.0, 1.0], 4.0, 10.0, "travelled_m must not decrease, but does at index 2"),
        ([0.0, math.nan], 4.0, 10.0, "travelled_m must be finite"),
        ([0.0, math.inf], 4.0, 10.0, "travelled_m must be finite"),
        ([[0.0, 1.0]], 4.0, 10.0, r"travelled_m must have shape \(n,\), got \(1, 2\)"),
        ([0.0], -1.0, 10.0, "sigma_db must be finite and not negative, got -1.0"),
        ([0.0], math.nan, 10.0, "sigma_db must be finite and not negative, got nan"),
        ([0.0], 4.0, 0.0, "correlation_distance_m must be positive and finite, got 0.0"),
        ([0.0], 4.0, math.inf, "correlation_distance_m must be positive and finite, got inf"),
    ],
)
def test_bad_arguments_are_named(travelled_m, sigma_db, reach_m, message):
    with pytest.raises(ValueError, match=message):
        correlated_shadowing_db(np.random.default_rng(0), np.array(travelled_m), sigma_db, reach_m)


def test_the_table_of_the_standard_is_complete_and_frozen():
    assert set(SHADOWING) == set(ENVIRONMENTS) - {"free-space"}
    values = {name: (s.sigma_db, s.correlation_distance_m) for name, s in SHADOWING.items()}
    assert values == {
        "umi-los": (4.0, 10.0),
        "umi-nlos": (7.82, 13.0),
        "uma-los": (4.0, 37.0),
        "uma-nlos": (6.0, 50.0),
    }
    with pytest.raises(FrozenInstanceError):
        SHADOWING["umi-los"].sigma_db = 0.0  # type: ignore[misc]
    with pytest.raises(TypeError):
        SHADOWING["umi-los"] = SHADOWING["uma-los"]  # type: ignore[index]
