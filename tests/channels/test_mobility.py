"""Mobility: geometry by hand, and the speeds, bounds and law of the random walk."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fadeline.channels.mobility import RandomWaypoint, Static, StraightLine

TIME_S = np.linspace(0.0, 600.0, 6_001)
WALK = RandomWaypoint(distance_m=55.0, speed_m_s=3.0, min_distance_m=50.0, max_distance_m=120.0)
seeds = st.integers(0, 2**32 - 1)


def test_a_static_device_stays():
    path = Static(distance_m=42.0).path(TIME_S)
    assert path.distance_m.shape == path.travelled_m.shape == TIME_S.shape
    assert (path.distance_m == 42.0).all()
    assert (path.travelled_m == 0.0).all()


@pytest.mark.parametrize(
    ("heading_deg", "expected_m"),
    [
        (0.0, [100.0, 120.0, 150.0]),  # away: 100 + 10 t at t = 0, 2, 5
        (180.0, [100.0, 80.0, 50.0]),  # towards: 100 - 10 t
        (90.0, [100.0, math.sqrt(10_400.0), math.sqrt(12_500.0)]),  # sqrt(100² + (10 t)²)
        (-90.0, [100.0, math.sqrt(10_400.0), math.sqrt(12_500.0)]),
        # sqrt(100² + s² + 200 s cos 60°): s = 20: 10000 + 400 + 2000; s = 50: 10000 + 2500 + 5000
        (60.0, [100.0, math.sqrt(12_400.0), math.sqrt(17_500.0)]),
    ],
)
def test_a_straight_line_by_hand(heading_deg, expected_m):
    line = StraightLine(distance_m=100.0, heading_deg=heading_deg, speed_m_s=10.0)
    path = line.path(np.array([0.0, 2.0, 5.0]))
    np.testing.assert_allclose(path.distance_m, expected_m, rtol=1e-12)
    np.testing.assert_allclose(path.travelled_m, [0.0, 20.0, 50.0], rtol=1e-12)


def test_a_straight_line_may_pass_the_base_station():
    line = StraightLine(distance_m=100.0, heading_deg=180.0, speed_m_s=10.0)
    distance = line.path(np.array([9.0, 10.0, 12.0])).distance_m
    np.testing.assert_allclose(distance, [10.0, 0.0, 20.0], atol=1e-10)


@given(seeds)
@settings(max_examples=50)
def test_a_walk_starts_where_told_stays_in_the_ring_and_keeps_its_speed(seed):
    path = WALK.path(np.random.default_rng(seed), TIME_S)
    assert path.distance_m[0] == 55.0
    # Strictly inside: legs avoid the inner disc by themselves, the clip only mends rounding.
    assert (path.distance_m > 50.0).all()
    assert (path.distance_m < 120.0).all()
    np.testing.assert_allclose(path.travelled_m, 3.0 * TIME_S, rtol=1e-9)
    # Nobody comes nearer or recedes faster than it walks.
    assert (np.abs(np.diff(path.distance_m)) <= 3.0 * np.diff(TIME_S) * (1.0 + 1e-9)).all()


def test_the_inner_disc_is_avoided_not_cut_off():
    # A narrow ring, where most legs between uniform points would enter the disc.
    ring = RandomWaypoint(distance_m=91.0, speed_m_s=1.0, min_distance_m=90.0, max_distance_m=100.0)
    distance = ring.path(np.random.default_rng(6), TIME_S).distance_m
    assert (distance > 90.0).all()
    assert np.ptp(distance) > 5.0


@pytest.mark.parametrize("start_m", [10.0, 200.0])
def test_a_walk_may_start_on_either_rim(start_m):
    walk = RandomWaypoint(
        distance_m=start_m, speed_m_s=2.0, min_distance_m=10.0, max_distance_m=200.0
    )
    for seed in range(200):
        distance = walk.path(np.random.default_rng(seed), TIME_S[:200]).distance_m
        assert distance[0] == start_m
        assert 10.0 <= distance.min() <= distance.max() <= 200.0


def test_pauses_stop_travel_and_distance_for_their_length():
    walk = RandomWaypoint(
        distance_m=60.0, speed_m_s=5.0, min_distance_m=10.0, max_distance_m=100.0, pause_s=7.0
    )
    path = walk.path(np.random.default_rng(8), TIME_S)
    still = np.diff(path.travelled_m) == 0.0
    assert (np.diff(path.distance_m)[still] == 0.0).all()
    assert (np.diff(path.travelled_m) >= 0.0).all()
    assert np.diff(path.travelled_m).max() == pytest.approx(5.0 * 0.1)
    # A rest of 7 s holds 69 whole steps of 0.1 s, or 70 if it begins on a sampled instant.
    edges = np.flatnonzero(np.diff(np.concatenate(([False], still, [False]))))
    rests = (edges[1::2] - edges[::2])[:-1]  # the last may be cut by the end
    assert rests.size > 5
    assert set(rests) <= {69, 70}


def test_waypoints_are_uniform_over_the_area():
    # An endless pause at the first waypoint shows where it lies. The disc is so small that it
    # rejects nothing, so distance² is uniform; Kolmogorov-Smirnov at level 1e-4.
    walk = RandomWaypoint(
        distance_m=70.0, speed_m_s=10.0, min_distance_m=1e-6, max_distance_m=100.0, pause_s=1e9
    )
    rng, late = np.random.default_rng(9), np.array([1_000.0])
    squared = [walk.path(rng, late).distance_m[0] ** 2 for _ in range(3_000)]
    assert stats.kstest(squared, stats.uniform(0.0, 100.0**2).cdf).pvalue > 1e-4


def test_legs_point_everywhere():
    # Mean of the first waypoint's radial coordinate is 0 by symmetry: recover it from the start
    # distance d0, the leg s and the end distance d: x = (d² + d0² - s²) / (2 d0). Its variance is
    # R² / 4, so the mean of 3000 lies within 4 * 50 / sqrt(3000) = 3.7 m (level 7e-5).
    walk = RandomWaypoint(
        distance_m=70.0, speed_m_s=10.0, min_distance_m=1e-6, max_distance_m=100.0, pause_s=1e9
    )
    rng, late = np.random.default_rng(10), np.array([1_000.0])
    paths = [walk.path(rng, late) for _ in range(3_000)]
    end = np.array([path.distance_m[0] for path in paths])
    leg = np.array([path.travelled_m[0] for path in paths])
    assert abs(np.mean((end**2 + 70.0**2 - leg**2) / 140.0)) < 3.7


@given(seeds, st.floats(0.0, 20.0))
@settings(max_examples=30)
def test_a_walk_does_not_depend_on_how_finely_or_how_long_it_is_seen(seed, pause_s):
    walk = RandomWaypoint(
        distance_m=30.0, speed_m_s=4.0, min_distance_m=10.0, max_distance_m=80.0, pause_s=pause_s
    )
    whole = walk.path(np.random.default_rng(seed), TIME_S)
    part = walk.path(np.random.default_rng(seed), TIME_S[:2_000:50])
    np.testing.assert_allclose(part.distance_m, whole.distance_m[:2_000:50], rtol=1e-9)
    np.testing.assert_allclose(part.travelled_m, whole.travelled_m[:2_000:50], rtol=1e-9)


def test_the_generator_decides_the_walk():
    first, again, other = (WALK.path(np.random.default_rng(s), TIME_S) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.distance_m, again.distance_m)
    assert not np.array_equal(first.distance_m, other.distance_m)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"distance_m": 9.0}, r"distance_m must be 10\.0 to 100\.0, got 9\.0"),
        ({"distance_m": 101.0}, r"distance_m must be 10\.0 to 100\.0, got 101\.0"),
        ({"distance_m": math.nan}, "distance_m must be positive and finite, got nan"),
        ({"min_distance_m": 0.0}, "min_distance_m must be positive and finite, got 0.0"),
        ({"max_distance_m": math.inf}, "max_distance_m must be positive and finite, got inf"),
        ({"min_distance_m": 100.0}, r"min_distance_m must be below max_distance_m = 100\.0"),
        ({"speed_m_s": 0.0}, "speed_m_s must be positive and finite, got 0.0"),
        ({"pause_s": -1.0}, "pause_s must be finite and not negative, got -1.0"),
    ],
)
def test_bad_walks_are_refused(changes, message):
    fields = {"distance_m": 50.0, "speed_m_s": 1.0, "min_distance_m": 10.0, "max_distance_m": 100.0}
    with pytest.raises(ValueError, match=message):
        RandomWaypoint(**(fields | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"distance_m": -1.0}, "distance_m must be positive and finite, got -1.0"),
        ({"heading_deg": math.inf}, "heading_deg must be finite, got inf"),
        ({"speed_m_s": -1.0}, "speed_m_s must be finite and not negative, got -1.0"),
    ],
)
def test_bad_lines_are_refused(changes, message):
    fields = {"distance_m": 50.0, "heading_deg": 0.0, "speed_m_s": 1.0}
    with pytest.raises(ValueError, match=message):
        StraightLine(**(fields | changes))


def test_a_static_device_needs_a_distance():
    with pytest.raises(ValueError, match=r"distance_m must be positive and finite, got 0\.0"):
        Static(distance_m=0.0)


@pytest.mark.parametrize(
    ("time_s", "message"),
    [
        ([], r"time_s must have shape \(n,\) with n at least 1, got \(0,\)"),
        ([[0.0]], r"time_s must have shape \(n,\) with n at least 1, got \(1, 1\)"),
        ([1.0, 0.5], "time_s must be finite, not negative and non-decreasing"),
        ([-1.0, 0.5], "time_s must be finite, not negative and non-decreasing"),
        ([0.0, math.nan], "time_s must be finite, not negative and non-decreasing"),
    ],
)
def test_bad_times_are_refused(time_s, message):
    time = np.array(time_s)
    with pytest.raises(ValueError, match=message):
        Static(distance_m=50.0).path(time)
    with pytest.raises(ValueError, match=message):
        StraightLine(distance_m=50.0, heading_deg=0.0, speed_m_s=1.0).path(time)
    with pytest.raises(ValueError, match=message):
        WALK.path(np.random.default_rng(0), time)
