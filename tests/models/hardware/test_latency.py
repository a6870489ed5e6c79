"""Timing of calls; what is asserted holds on slow and busy machines too."""

import math
import time

import numpy as np
import pytest
import torch

from fadeline.models.hardware.latency import (
    BATCHES,
    QUICK,
    Effort,
    Stage,
    time_call,
    timing_of,
    torch_threads,
)


def test_a_known_pause_is_found():
    timing = time_call(lambda: time.sleep(0.01), Effort(warmup_s=0, measure_s=0.1, at_least=5))
    assert 0.01 <= timing.p5_s <= timing.median_s <= timing.p95_s
    assert timing.median_s < 0.1
    assert 5 <= timing.repeats <= 10


def test_calls_are_warmed_up_before_they_count():
    calls = []
    timing = time_call(lambda: calls.append(1), Effort(0.0, 0.0, at_least=4))
    assert (timing.repeats, len(calls)) == (4, 6)  # two to warm up


def test_short_calls_are_limited_in_number():
    timing = time_call(lambda: None, Effort(0.0, measure_s=5.0, at_least=1, at_most=7))
    assert timing.repeats == 7


def test_median_and_spread_by_hand():
    # 0.1, 0.2, ..., 10.1: percentiles fall on samples.
    timing = timing_of([0.1 * n for n in range(1, 102)])
    assert timing.repeats == 101
    assert timing.median_s == pytest.approx(5.1)
    assert timing.p5_s == pytest.approx(0.6)
    assert timing.p95_s == pytest.approx(9.6)
    assert timing.jitter == pytest.approx(math.log(16) / 3.2897072539)


def test_jitter_is_the_deviation_of_a_lognormal():
    draws = 0.02 * np.exp(0.3 * np.random.default_rng(1).standard_normal(20_000))
    timing = timing_of(draws.tolist())
    assert timing.jitter == pytest.approx(0.3, rel=0.03)
    assert timing.median_s == pytest.approx(0.02, rel=0.02)


def test_one_interruption_does_not_move_the_jitter():
    calm = [0.01, 0.0101, 0.0102] * 20
    assert timing_of([*calm, 5.0]).jitter < 0.01


def test_threads_are_set_and_restored_also_after_a_failure():
    before = torch.get_num_threads()

    def inside():
        with torch_threads(before + 1):
            assert torch.get_num_threads() == before + 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        inside()
    assert torch.get_num_threads() == before


def test_stages_are_measured_at_all_batch_sizes():
    assert Stage("encode", lambda batch: lambda: batch).batches == BATCHES == (1, 2, 4, 8, 16)
    assert QUICK.measure_s < Effort().measure_s
