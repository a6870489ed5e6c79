"""Units: exact values, round trips and the noise floor everyone knows."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fadeline.channels.units import (
    db_to_linear,
    dbm_to_w,
    linear_to_db,
    thermal_noise_dbm,
    w_to_dbm,
)

levels_db = st.floats(-300.0, 300.0)


@pytest.mark.parametrize(
    ("db", "ratio"),
    [(0.0, 1.0), (10.0, 10.0), (-10.0, 0.1), (20.0, 100.0), (-30.0, 1e-3), (-math.inf, 0.0)],
)
def test_round_levels(db, ratio):
    assert db_to_linear(db) == pytest.approx(ratio, rel=1e-15)
    assert linear_to_db(ratio) == pytest.approx(db, rel=1e-15)


def test_three_decibels_are_not_quite_double():
    assert db_to_linear(3.0) == pytest.approx(1.9952623149688795, rel=1e-15)
    assert linear_to_db(2.0) == pytest.approx(3.010299956639812, rel=1e-15)


def test_milliwatts_and_watts():
    assert dbm_to_w(0.0) == pytest.approx(1e-3, rel=1e-15)
    assert dbm_to_w(23.0) == pytest.approx(0.19952623149688797, rel=1e-14)
    assert w_to_dbm(1.0) == pytest.approx(30.0, rel=1e-15)
    assert w_to_dbm(0.2) == pytest.approx(23.010299956639813, rel=1e-14)


@given(levels_db)
def test_decibels_survive_a_round_trip(db):
    assert linear_to_db(db_to_linear(db)) == pytest.approx(db, rel=1e-14, abs=1e-13)
    assert w_to_dbm(dbm_to_w(db)) == pytest.approx(db, rel=1e-14, abs=1e-13)


@given(levels_db, levels_db)
def test_adding_decibels_multiplies_ratios(a_db, b_db):
    assert db_to_linear(a_db + b_db) == pytest.approx(
        db_to_linear(a_db) * db_to_linear(b_db), rel=1e-12
    )


@given(st.lists(levels_db, min_size=1, max_size=9))
def test_arrays_are_converted_value_by_value(db):
    levels = np.array(db)
    np.testing.assert_array_equal(db_to_linear(levels), [db_to_linear(x) for x in db])
    ratios = db_to_linear(levels)
    np.testing.assert_array_equal(linear_to_db(ratios), [linear_to_db(x) for x in ratios.tolist()])


def test_numbers_give_floats_and_arrays_keep_their_shape():
    assert type(db_to_linear(3.0)) is float
    assert type(linear_to_db(2.0)) is float
    assert db_to_linear(np.zeros((2, 3))).shape == (2, 3)
    assert db_to_linear(np.zeros(2, np.float32)).dtype == np.float64


def test_no_power_is_minus_infinity_without_a_warning():
    np.testing.assert_array_equal(linear_to_db(np.array([0.0, 1.0])), [-math.inf, 0.0])


def test_thermal_noise():
    # 10 log10(1.380649e-23 * 290 / 1e-3) = 10 log10(4.003882e-18) = -173.975
    assert thermal_noise_dbm(1.0) == pytest.approx(-173.9752, abs=1e-4)
    # 10 MHz: + 70 dB; with a noise figure of 7 dB: + 7
    assert thermal_noise_dbm(10e6) == pytest.approx(-103.9752, abs=1e-4)
    assert thermal_noise_dbm(10e6, noise_figure_db=7.0) == pytest.approx(-96.9752, abs=1e-4)


@pytest.mark.parametrize("bandwidth_hz", [0.0, -1.0, math.nan])
def test_noise_needs_a_bandwidth(bandwidth_hz):
    with pytest.raises(ValueError, match=f"bandwidth_hz must be positive, got {bandwidth_hz}"):
        thermal_noise_dbm(bandwidth_hz)
