"""Path loss and line-of-sight probability against values worked out by hand from the tables."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fadeline.channels import pathloss
from fadeline.channels.pathloss import (
    ENVIRONMENTS,
    LOS_PROBABILITIES,
    draw_los,
    free_space_db,
    log_distance_db,
    uma_los_db,
    uma_los_probability,
    uma_nlos_db,
    umi_los_db,
    umi_los_probability,
    umi_nlos_db,
)

URBAN = [umi_los_db, umi_nlos_db, uma_los_db, uma_nlos_db]
distances = st.floats(10.0, 5_000.0)
carriers = st.floats(0.5e9, 100e9)


def test_free_space_at_a_known_point():
    # 20 log10(4 pi 1000 / (299792458 / 1e9)) = 20 log10(41916.9) = 20 * 4.622389 = 92.4478
    assert free_space_db(1_000.0, 1e9) == pytest.approx(92.4478, abs=1e-4)


def test_log_distance_at_a_known_point():
    # 1 m, 1 GHz: 92.4478 - 60 = 32.4478; 200 m at n = 3.5: + 35 * 2.301030 = 80.5360
    assert log_distance_db(200.0, 1e9, 3.5) == pytest.approx(112.9838, abs=1e-4)
    # Reference 10 m: 52.4478 + 35 log10(20) = 52.4478 + 35 * 1.301030 = 97.9838
    assert log_distance_db(200.0, 1e9, 3.5, reference_m=10.0) == pytest.approx(97.9838, abs=1e-4)


@given(st.floats(1.0, 1e5), carriers)
def test_log_distance_with_exponent_two_is_free_space(distance_m, carrier_hz):
    loss = log_distance_db(distance_m, carrier_hz, 2.0)
    assert loss == pytest.approx(free_space_db(distance_m, carrier_hz), abs=1e-9)


# fc = 2 GHz throughout: 20 log10(2) = 6.0206, 21.3 log10(2) = 6.4119.
# UMi: d'_BP = 4 * 9 * 0.5 * 2e9 / 3e8 = 120 m, height difference 8.5 m.
# UMa: d'_BP = 4 * 24 * 0.5 * 2e9 / 3e8 = 320 m, height difference 23.5 m.
@pytest.mark.parametrize(
    ("loss_db", "distance_m", "expected_db"),
    [
        # d_3D = sqrt(100² + 8.5²) = 100.3606; 32.4 + 21 * 2.001563 + 6.0206
        (umi_los_db, 100.0, 80.4534),
        # d_3D = 500.0722; 32.4 + 40 * 2.699033 + 6.0206 - 9.5 log10(120² + 8.5² = 14472.25)
        #                = 32.4 + 107.9613 + 6.0206 - 9.5 * 4.160536
        (umi_los_db, 500.0, 106.8568),
        # 35.3 * 2.001563 + 22.4 + 6.4119
        (umi_nlos_db, 100.0, 99.4671),
        # d_3D = sqrt(100² + 23.5²) = 102.7241; 28 + 22 * 2.011672 + 6.0206
        (uma_los_db, 100.0, 78.2774),
        # d_3D = 1000.2761; 28 + 40 * 3.000120 + 6.0206 - 9 log10(320² + 23.5² = 102952.25)
        #                 = 28 + 120.0048 + 6.0206 - 9 * 5.012636
        (uma_los_db, 1_000.0, 108.9117),
        # 13.54 + 39.08 * 2.011672 + 6.0206
        (uma_nlos_db, 100.0, 98.1767),
    ],
)
def test_urban_loss_at_hand_computed_points(loss_db, distance_m, expected_db):
    assert loss_db(distance_m, 2e9) == pytest.approx(expected_db, abs=2e-4)


def test_a_higher_device_loses_less_without_line_of_sight():
    # UMi: 0.3 dB per metre, and d_3D falls from hypot(1000, 8.5) to hypot(1000, 5.5):
    # 35.3 log10(1000.0361 / 1000.0151) = 0.0003
    gain_db = umi_nlos_db(1_000.0, 2e9) - umi_nlos_db(1_000.0, 2e9, ut_height_m=4.5)
    assert gain_db == pytest.approx(0.9 + 0.0003, abs=1e-4)
    # UMa: 0.6 dB per metre; 39.08 log10(1000.2761 / 1000.2101) = 0.0011
    gain_db = uma_nlos_db(1_000.0, 2e9) - uma_nlos_db(1_000.0, 2e9, ut_height_m=4.5)
    assert gain_db == pytest.approx(1.8 + 0.0011, abs=1e-4)


@pytest.mark.parametrize(("loss_db", "break_m"), [(umi_los_db, 120.0), (uma_los_db, 320.0)])
def test_slope_changes_at_the_breakpoint_without_a_jump(loss_db, break_m):
    at = loss_db(np.array([break_m - 1e-6, break_m, break_m + 1e-6]), 2e9)
    assert np.ptp(at) < 1e-5
    near, far = np.diff(loss_db(break_m * np.array([0.98, 0.99, 1.01, 1.02]), 2e9))[[0, 2]]
    assert far > 1.7 * near  # 40 over 22 or 21 dB per decade


@pytest.mark.parametrize("loss_db", URBAN)
def test_loss_grows_with_distance(loss_db):
    for carrier_hz in (0.5e9, 3.5e9, 100e9):
        assert (np.diff(loss_db(np.geomspace(10.0, 5_000.0, 2_000), carrier_hz)) > 0.0).all()


@given(distances, carriers, st.floats(1.5, 13.0))
def test_no_line_of_sight_never_loses_less(distance_m, carrier_hz, ut_height_m):
    for los_db, nlos_db in [(umi_los_db, umi_nlos_db), (uma_los_db, uma_nlos_db)]:
        los = los_db(distance_m, carrier_hz, ut_height_m=ut_height_m)
        assert nlos_db(distance_m, carrier_hz, ut_height_m=ut_height_m) >= los


def test_loss_with_line_of_sight_is_the_floor_where_the_nlos_formula_falls_below_it():
    # UMa, 10 m, h_BS 4.5 m, 2 GHz: d_3D = 10.4403, log10 = 1.018713.
    # LOS 28 + 22.4117 = 50.4117 against 13.54 + 39.8113 = 53.3513 (both + 6.0206): NLOS' rules.
    # h_UT 8 m: d_3D = 10.5948 (3.5 m apart), log10 = 1.025092; LOS 28 + 22.5520 = 50.5520 against
    # NLOS' 13.54 + 40.0606 - 3.9 = 49.7006: LOS rules.
    assert uma_nlos_db(10.0, 2e9, 4.5, 1.5) == pytest.approx(53.3513 + 6.0206, abs=1e-3)
    assert uma_nlos_db(10.0, 2e9, 4.5, 8.0) == pytest.approx(50.5520 + 6.0206, abs=1e-3)


@pytest.mark.parametrize("loss_db", ENVIRONMENTS.values(), ids=ENVIRONMENTS)
def test_scalars_give_floats_and_arrays_give_arrays_of_the_same_values(loss_db):
    array = loss_db(np.array([[10.0, 50.0], [700.0, 5_000.0]]), 3.5e9)
    assert array.shape == (2, 2)
    assert array.dtype == np.float64
    scalar = loss_db(700.0, 3.5e9)
    assert type(scalar) is float
    assert scalar == array[1, 0]


def test_los_probability_of_umi():
    assert umi_los_probability(10.0) == 1.0
    assert umi_los_probability(18.0) == 1.0
    # 18/36 + exp(-1) (1 - 18/36) = 0.5 + 0.367879 * 0.5
    assert umi_los_probability(36.0) == pytest.approx(0.68394, abs=1e-5)
    # 18/180 + exp(-5) * 0.9 = 0.1 + 0.0067379 * 0.9
    assert umi_los_probability(180.0) == pytest.approx(0.106064, abs=1e-6)


def test_los_probability_of_uma():
    assert uma_los_probability(18.0) == 1.0
    # 18/63 + exp(-1) * 45/63 = 0.285714 + 0.262771
    assert uma_los_probability(63.0) == pytest.approx(0.548485, abs=1e-6)
    assert uma_los_probability(63.0, ut_height_m=13.0) == uma_los_probability(63.0)
    # h_UT 23 m: C' = 1; 150 m: (0.12 + exp(-150/63) * 0.88) (1 + 1.25 * 3.375 exp(-1))
    #   = (0.12 + 0.092461 * 0.88) * (1 + 1.551991) = 0.201366 * 2.551991 = 0.513884
    assert uma_los_probability(150.0, ut_height_m=23.0) == pytest.approx(0.513884, abs=2e-5)
    assert uma_los_probability(18.001, ut_height_m=23.0) == 1.0  # the table's own value is 1.0065
    # h_UT 18 m: C' = 0.5^1.5 = 0.353553; 0.201366 * (1 + 0.353553 * 1.551991) = 0.311857
    assert uma_los_probability(150.0, ut_height_m=18.0) == pytest.approx(0.311857, abs=2e-5)


@given(distances, st.floats(1.5, 23.0))
def test_los_probability_is_a_probability(distance_m, ut_height_m):
    assert 0.0 < umi_los_probability(distance_m) <= 1.0
    assert 0.0 < uma_los_probability(distance_m, ut_height_m) <= 1.0


@pytest.mark.parametrize("environment", LOS_PROBABILITIES)
def test_line_of_sight_is_drawn_as_often_as_its_probability_says(environment):
    rng, draws = np.random.default_rng(2024), 20_000
    states = [draw_los(rng, environment, 60.0) for _ in range(draws)]
    assert set(states) == {f"{environment}-los", f"{environment}-nlos"} <= set(ENVIRONMENTS)
    # Normal approximation of the binomial, z = 3.9: false alarm 1e-4 (seed is fixed).
    probability = LOS_PROBABILITIES[environment](60.0)
    spread = math.sqrt(probability * (1.0 - probability) / draws)
    share = states.count(f"{environment}-los") / draws
    assert abs(share - probability) < 3.9 * spread


def test_near_places_always_have_line_of_sight():
    rng = np.random.default_rng(5)
    assert {draw_los(rng, "uma", 18.0) for _ in range(1_000)} == {"uma-los"}


def test_only_an_environment_with_both_states_has_one_to_draw():
    with pytest.raises(ValueError, match=r"environment must be one of umi, uma, got 'free-space'"):
        draw_los(np.random.default_rng(0), "free-space", 100.0)


@pytest.mark.parametrize("function", [*URBAN, umi_los_probability, uma_los_probability])
@pytest.mark.parametrize("distance_m", [9.999, 5_000.1, 0.0, -20.0, math.nan, math.inf])
def test_distances_outside_the_table_are_refused(function, distance_m):
    arguments = (3.5e9,) if function in URBAN else ()
    message = rf"distance_m must be 10 to 5000 for TR 38\.901 .*, got {distance_m}$"
    with pytest.raises(ValueError, match=message):
        function(distance_m, *arguments)
    with pytest.raises(ValueError, match=message):
        function(np.array([100.0, distance_m]), *arguments)


@pytest.mark.parametrize("loss_db", URBAN)
@pytest.mark.parametrize("carrier_hz", [0.499e9, 100.1e9, 3.5, -1e9, math.nan, math.inf])
def test_carriers_outside_the_table_are_refused(loss_db, carrier_hz):
    with pytest.raises(ValueError, match=r"carrier_hz must be 5e\+08 to 1e\+11 for TR 38\.901"):
        loss_db(100.0, carrier_hz)


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (umi_los_db, {"ut_height_m": 22.6}, r"ut_height_m must be 1\.5 to 22\.5 .*got 22\.6"),
        (umi_nlos_db, {"ut_height_m": 1.4}, r"ut_height_m must be 1\.5 to 22\.5 .*got 1\.4"),
        (uma_los_db, {"ut_height_m": 13.1}, r"ut_height_m must be 1\.5 to 13 .*got 13\.1"),
        (uma_nlos_db, {"ut_height_m": math.nan}, r"ut_height_m must be 1\.5 to 13 .*got nan"),
        (umi_los_db, {"bs_height_m": 1.0}, r"bs_height_m must be above 1 m .*got 1\.0"),
        (uma_los_db, {"bs_height_m": math.inf}, r"bs_height_m must be above 1 m .*got inf"),
    ],
)
def test_heights_outside_the_table_are_refused(function, arguments, message):
    with pytest.raises(ValueError, match=message):
        function(100.0, 3.5e9, **arguments)


def test_height_of_the_los_probability_is_checked():
    with pytest.raises(ValueError, match=r"ut_height_m must be 1\.5 to 23 .*got 24\.0"):
        uma_los_probability(100.0, ut_height_m=24.0)


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_free_space_and_log_distance_refuse_what_is_not_positive_and_finite(bad):
    with pytest.raises(ValueError, match="distance_m must be positive and finite, got"):
        free_space_db(bad, 1e9)
    with pytest.raises(ValueError, match="carrier_hz must be positive and finite, got"):
        free_space_db(10.0, bad)
    with pytest.raises(ValueError, match="exponent must be positive and finite, got"):
        log_distance_db(10.0, 1e9, bad)
    with pytest.raises(ValueError, match="reference_m must be positive and finite, got"):
        log_distance_db(10.0, 1e9, 3.0, reference_m=bad)
    with pytest.raises(ValueError, match="distance_m must be 1 to inf for the log-distance model"):
        log_distance_db(bad, 1e9, 3.0)


def test_the_tables_of_environments_cannot_be_changed():
    for table in (pathloss.ENVIRONMENTS, pathloss.LOS_PROBABILITIES):
        with pytest.raises(TypeError):
            table["mars"] = free_space_db  # type: ignore[index]
