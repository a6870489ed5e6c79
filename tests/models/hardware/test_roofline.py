"""The roofline rule and its fit, against numbers worked out by hand and made-up timings."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fadeline.models.errors import ProfileError
from fadeline.models.hardware.roofline import (
    Observation,
    Prediction,
    Roofline,
    fit_roofline,
    leave_one_out,
)

COSTS = st.floats(0, 1e15)
RATES = st.floats(1e6, 1e15)


@pytest.mark.parametrize(
    ("flops", "moved_bytes", "expected_s"),
    [
        (8e9, 4e8, 2.001),  # 8e9 / 4e9 = 2 s against 4e8 / 1e9 = 0.4 s
        (8e8, 5e8, 0.501),  # 0.2 s against 0.5 s
        (4e9, 1e9, 1.001),  # both 1 s
        (0, 0, 0.001),
    ],
)
def test_the_rule_by_hand(flops, moved_bytes, expected_s):
    assert Roofline(4e9, 1e9, 0.001).latency_s(flops, moved_bytes) == pytest.approx(expected_s)


@given(rate=RATES, bandwidth=RATES, flops=COSTS, more=COSTS, moved_bytes=COSTS)
def test_the_rule_never_falls_with_work(rate, bandwidth, flops, more, moved_bytes):
    roof = Roofline(rate, bandwidth, 0.01)
    base_s = roof.latency_s(flops, moved_bytes)
    assert roof.latency_s(flops + more, moved_bytes) >= base_s
    assert roof.latency_s(flops, moved_bytes + more) >= base_s
    assert base_s >= 0.01


@pytest.mark.parametrize("bad", [-1.0, math.nan, math.inf])
@pytest.mark.parametrize("name", ["flops", "moved_bytes"])
def test_the_rule_refuses_impossible_costs(name, bad):
    with pytest.raises(ValueError, match=f"{name}: must be a finite number of at least 0"):
        Roofline(1e9, 1e9, 0.0).latency_s(**{"flops": 1.0, "moved_bytes": 1.0, name: bad})


def observed(roof, noise=0.0):
    """Return made-up networks of all intensities, timed by a roof."""
    rng = np.random.default_rng(3)
    networks = {"dense": 100.0, "conv": 20.0, "light": 8.0, "norm": 2.0, "mlp": 0.5}
    return [
        Observation(name, batch, flops, flops / intensity, measured_s)
        for name, intensity in networks.items()
        for batch in (1, 4, 16)
        for flops in [2e7 * batch * intensity]
        for measured_s in [
            roof.latency_s(flops, flops / intensity) * math.exp(noise * rng.standard_normal())
        ]
    ]


@pytest.mark.parametrize(
    "roof",
    [Roofline(5e10, 6e9, 1e-3), Roofline(2e9, 3e8, 5e-4), Roofline(1e13, 1e12, 4e-5)],
)
def test_a_fit_recovers_the_machine(roof):
    found = fit_roofline(observed(roof))
    assert found.sustained_flops_per_s == pytest.approx(roof.sustained_flops_per_s, rel=1e-3)
    assert found.memory_bandwidth_bytes_per_s == pytest.approx(
        roof.memory_bandwidth_bytes_per_s, rel=1e-3
    )
    assert found.overhead_s == pytest.approx(roof.overhead_s, rel=1e-2)


def test_a_fit_stands_noise():
    roof = Roofline(5e10, 6e9, 1e-3)
    found = fit_roofline(observed(roof, noise=0.1))
    assert found.sustained_flops_per_s == pytest.approx(roof.sustained_flops_per_s, rel=0.15)
    assert found.memory_bandwidth_bytes_per_s == pytest.approx(6e9, rel=0.15)


def test_without_overhead_none_is_found():
    assert fit_roofline(observed(Roofline(5e10, 6e9, 0.0))).overhead_s < 1e-6


def test_each_network_is_predicted_without_being_seen():
    roof = Roofline(5e10, 6e9, 1e-3)
    observations = observed(roof)
    spoilt = [
        Observation(o.network, o.batch, o.flops, o.moved_bytes, o.measured_s * 3)
        if o.network == "conv"
        else o
        for o in observations
    ]
    predictions = leave_one_out(spoilt)
    assert [each.observation for each in predictions] == spoilt
    for each in predictions:
        if each.observation.network == "conv":  # three times slower than all others promise
            assert each.error == pytest.approx(-2 / 3, abs=0.01)


def test_error_is_relative_to_what_was_measured():
    observation = Observation("a", 1, 1.0, 1.0, 0.02)
    assert Prediction(observation, 0.03).error == pytest.approx(0.5)


def test_too_few_networks_are_refused():
    with pytest.raises(ProfileError, match="2 measured networks cannot fix the rule's three"):
        fit_roofline(observed(Roofline(1e9, 1e9, 0.0))[:2])


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_impossible_measurements_are_refused(bad):
    observations = observed(Roofline(1e9, 1e9, 0.0))
    with pytest.raises(ProfileError, match="must be positive"):
        fit_roofline([*observations, Observation("bad", 1, 1.0, 1.0, bad)])
