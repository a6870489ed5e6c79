"""Doppler frequency, coherence time and the choice and check of the time step."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fadeline.channels.doppler import (
    DEFAULT_STEP_CYCLES,
    LARGEST_STEP_CYCLES,
    MAX_STEP_S,
    check_step,
    coherence_time_s,
    default_step_s,
    doppler_hz,
)

dopplers_hz = st.floats(1e-6, 1e5)


@pytest.mark.parametrize(
    ("speed_m_s", "carrier_hz", "expected_hz"),
    [
        (0.0, 3.5e9, 0.0),
        (1.0, 299_792_458.0, 1.0),  # a wavelength of 1 m
        (3.0, 3.5e9, 35.024229),  # 3 * 3.5e9 / 299792458 = 1.05e10 / 299792458
        (100 / 3.6, 28e9, 2594.387),  # 27.77778 * 28e9 / 299792458 = 7.777778e11 / 299792458
    ],
)
def test_doppler_is_speed_over_wavelength(speed_m_s, carrier_hz, expected_hz):
    assert doppler_hz(speed_m_s, carrier_hz) == pytest.approx(expected_hz, rel=1e-6)


@pytest.mark.parametrize(
    ("speed_m_s", "carrier_hz", "message"),
    [
        (-1.0, 1e9, "speed_m_s must be at least 0, got -1.0"),
        (math.nan, 1e9, "speed_m_s must be at least 0, got nan"),
        (1.0, 0.0, r"carrier_hz must be positive, got 0\.0"),
        (1.0, -1e9, "carrier_hz must be positive, got -1"),
        (1.0, math.nan, "carrier_hz must be positive, got nan"),
    ],
)
def test_bad_speeds_and_carriers_are_refused(speed_m_s, carrier_hz, message):
    with pytest.raises(ValueError, match=message):
        doppler_hz(speed_m_s, carrier_hz)


def test_coherence_time():
    assert coherence_time_s(35.0) == pytest.approx(12.0857e-3, rel=1e-5)  # 0.423 / 35
    assert coherence_time_s(0.0) == math.inf


def test_default_step_is_a_subframe_until_the_doppler_asks_for_less():
    assert default_step_s(0.0) == default_step_s(1e-3) == default_step_s(20.0) == 1e-3
    assert default_step_s(40.0) == pytest.approx(0.5e-3)  # 0.02 / 40


@given(dopplers_hz)
def test_the_default_step_is_short_enough_and_accepted(fd_hz):
    step_s = default_step_s(fd_hz)
    assert 0 < step_s <= MAX_STEP_S
    assert step_s * fd_hz <= DEFAULT_STEP_CYCLES * (1 + 1e-15)
    check_step(step_s, fd_hz)


@given(dopplers_hz)
def test_the_largest_step_is_accepted_and_no_longer_one(fd_hz):
    largest_s = LARGEST_STEP_CYCLES / fd_hz
    check_step(largest_s, fd_hz)
    with pytest.raises(ValueError, match="too coarse") as refusal:
        check_step(math.nextafter(largest_s, math.inf), fd_hz)
    # The step that the message names is, up to its four digits, the largest, and allowed.
    named_s = float(str(refusal.value).rsplit(" ", 1)[1])
    assert largest_s * 0.999 < named_s <= largest_s
    check_step(named_s, fd_hz)


def test_a_refusal_says_what_was_asked_and_what_is_allowed():
    message = (
        r"step_s 0\.01 is too coarse for a Doppler frequency of 35 Hz; "
        r"the largest allowed is 0\.002857"  # 0.1 / 35
    )
    with pytest.raises(ValueError, match=message):
        check_step(0.01, 35.0)


def test_without_doppler_any_step_will_do():
    check_step(1e6, 0.0)


@pytest.mark.parametrize("step_s", [0.0, -1e-3, math.nan])
def test_a_step_is_positive(step_s):
    with pytest.raises(ValueError, match=f"step_s must be positive, got {step_s}"):
        check_step(step_s, 0.0)


@pytest.mark.parametrize("fd_hz", [-1.0, math.nan])
def test_a_doppler_frequency_is_not_negative(fd_hz):
    with pytest.raises(ValueError, match=f"doppler_hz must be at least 0, got {fd_hz}"):
        check_step(1e-3, fd_hz)
