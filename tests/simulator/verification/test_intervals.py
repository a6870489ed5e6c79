"""Intervals agree with what is known of them, and a wrong one is caught."""

import numpy as np
import pytest

from fadeline.simulator.analysis import mean_interval
from fadeline.simulator.verification.intervals import interval_checks


def failed():
    return [each for each in interval_checks(np.random.default_rng(1)) if not each.passed]


def test_all_pass():
    assert failed() == []


@pytest.mark.parametrize(("runs", "caught"), [(40, 3), (10, 0)])
def test_counting_more_than_the_replications_is_caught(monkeypatch, runs, caught):
    right = mean_interval.unseen
    monkeypatch.setattr(mean_interval, "unseen", lambda given: right(given * runs // 10))
    assert len(failed()) == caught
