"""Checks against theory: they pass what is right and catch what is not."""

import math

import numpy as np
import pytest

from fadeline.channels.verification.check import (
    Check,
    distribution_check,
    mean_check,
    share_check,
    value_check,
)


def test_row_has_what_a_program_reads():
    row = Check("delay, s", 1.0, 1.5, 0.5, 2.0).as_row()
    assert row == {
        "quantity": "delay, s",
        "theory": 1.0,
        "simulated": 1.5,
        "interval": [0.5, 2.0],
        "passed": True,
    }


@pytest.mark.parametrize("simulated", [0.4, 2.1, math.nan])
def test_outside_the_interval_fails(simulated):
    check = Check("delay, s", 1.0, simulated, 0.5, 2.0)
    assert not check.passed
    assert check.as_text()[-1] == "NO"


def test_mean_interval_is_that_of_student():
    # Two samples with standard error 1; with one degree of freedom t is Cauchy's tangent.
    check = mean_check("zero", 0.0, [-1.0, 1.0])
    assert check.high == pytest.approx(1.0 / math.tan(math.pi * 5e-6))
    assert check.low == -check.high


def test_mean_check_catches_a_wrong_mean():
    samples = np.random.default_rng(1).normal(0.1, 1.0, 10_000)  # ten standard errors off
    assert not mean_check("zero", 0.0, samples).passed
    assert mean_check("a tenth", 0.1, samples).passed


def test_share_interval_is_binomial():
    # Below probability 1/2 in ten trials, the chance of no hit, 2^-10, is far above 5e-6.
    check = share_check("coin", 0.5, 5, 10)
    assert (check.low, check.high) == (0.0, 1.0)
    assert not share_check("coin", 0.5, 4_700, 10_000).passed  # six standard deviations
    assert share_check("coin", 0.5, 4_900, 10_000).passed


def test_distribution_check_is_the_largest_distance():
    # Four samples at 0.1, 0.2, 0.3, 0.4 of a uniform: the steps end at 1 where theory has 0.4.
    check = distribution_check("uniform", np.array([0.4, 0.1, 0.3, 0.2]))
    assert check.simulated == pytest.approx(0.6)
    assert check.high == pytest.approx(math.sqrt(math.log(2e5) / 8))


def test_distribution_check_catches_a_slightly_wrong_distribution():
    uniform = np.random.default_rng(1).random(50_000)
    assert distribution_check("uniform", uniform).passed
    assert not distribution_check("squared", uniform**1.1).passed


def test_false_alarms_are_as_rare_as_stated():
    # At 1e-5 each, the chance of even one false alarm among 300 is 0.3 %.
    rng = np.random.default_rng(1)
    for _ in range(100):
        assert mean_check("zero", 0.0, rng.standard_normal(50)).passed
        assert share_check("tenth", 0.1, int(rng.binomial(1_000, 0.1)), 1_000).passed
        assert distribution_check("uniform", rng.random(200)).passed


def test_value_check():
    assert value_check("pi", 3.1416, math.pi, tolerance=1e-4).passed
    assert not value_check("pi", 3.15, math.pi, tolerance=1e-4).passed
