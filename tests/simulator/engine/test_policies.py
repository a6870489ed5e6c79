"""Policies on the clock: what they see, what they choose, and what they do without."""

from math import inf, isnan

import numpy as np
import pytest

from fadeline.simulator.engine.clip import Clip, Option
from fadeline.simulator.links.link import Link
from tests.simulator.worlds import outcomes_of, times, world


class Noting:
    """Takes what it is told to, in turn, and keeps what it saw."""

    looks = True

    def __init__(self, *choices):
        self.choices, self.seen = list(choices), []

    def choose(self, seen):
        self.seen.append(seen)
        return self.choices.pop(0)


def clip(born_s, *options):
    """Return what makes a clip; each option is (encode, bits, infer)."""
    return lambda order: Clip(order, born_s, [Option(*each) for each in options], 1.0, 0.0)


LARGE, SMALL = (0.5, 2000.0, 0.0), (0.25, 500.0, 0.0)


def test_each_clip_is_what_the_policy_takes():
    found = world([clip(0.0, LARGE, SMALL), clip(10.0, LARGE, SMALL)], policy=Noting(0, 1))
    assert times(found, 0)[:4] == [0.0, 0.5, 0.5, 2.5]
    assert times(found, 1)[:4] == [10.0, 10.25, 10.25, 10.75]
    assert found["column"].tolist() == [0.0, 1.0]


def test_it_sees_what_waits_and_how_the_last_transfer_went():
    policy = Noting(0, 1, 1)
    world([clip(0.0, LARGE, SMALL), clip(1.0, LARGE, SMALL), clip(20.0, LARGE, SMALL)],
          policy=policy)  # fmt: skip
    first, second, third = policy.seen
    assert (first.clips_to_encode, first.clips_to_send, first.bits_to_send) == (0, 0, 0.0)
    assert isnan(first.rate_bps)
    assert isnan(first.snr_db)
    assert (second.now_s, second.clips_to_send, second.bits_to_send) == (1.0, 1, 2000.0)
    assert isnan(second.rate_bps)  # on the air until 2.5
    assert third.rate_bps == pytest.approx(1000.0)
    assert third.snr_db == pytest.approx(10.0 * np.log10(3.0))
    assert third.deadline_s == inf


def test_a_clip_that_is_declined_takes_nothing_and_is_lost_nowhere():
    clips = [clip(0.0, LARGE), clip(0.1, LARGE), clip(0.2, LARGE)]
    found = world(clips, policy=Noting(None, 0, 0))
    assert outcomes_of(found) == ["declined", "done", "done"]
    assert np.isnan(found["lost_s"][0])
    assert found["computed_s"][0] == 0.0
    assert found["encode_start_s"].tolist()[1:] == [0.1, 0.6]


def test_clips_that_wait_may_be_declined_in_their_turn():
    clips = [clip(0.0, LARGE), clip(0.1, LARGE), clip(0.2, LARGE), clip(0.3, LARGE)]
    found = world(clips, policy=Noting(0, None, None, 0))
    assert outcomes_of(found) == ["done", "declined", "declined", "done"]
    assert found["encode_start_s"][3] == 0.5


# Clips that can no longer be in time


def test_a_clip_that_waits_too_long_to_be_encoded_is_given_up():
    found = world([(0.0, 3.0, 10.0, 0.0), (1.0, 1.0, 10.0, 0.0), (2.5, 1.0, 10.0, 0.0)],
                  device_drop_s=1.5)  # fmt: skip
    assert outcomes_of(found) == ["done", "dropped_device", "done"]
    assert found["lost_s"][1] == 2.5  # when it could no longer be in time, not when it was seen
    assert found["encode_start_s"][2] == 3.0


def test_a_clip_that_waits_too_long_to_be_sent_is_given_up():
    found = world([(0.0, 0.0, 5000.0, 0.0), (0.5, 0.0, 10.0, 0.0)], device_drop_s=2.0)
    assert outcomes_of(found) == ["done", "dropped_device"]  # what is on the air goes on
    assert found["lost_s"][1] == 2.5


def test_those_who_gave_up_leave_their_place_to_others():
    clips = [(0.0, 5.0, 10.0, 0.0), (1.0, 1.0, 10.0, 0.0), (4.0, 1.0, 10.0, 0.0)]
    found = world(clips, queue=(1, "drop-newest"), device_drop_s=2.0)
    assert outcomes_of(found) == ["done", "dropped_device", "done"]


def test_impatience_is_as_in_theory():
    """M/M/1 where who waits longer than T leaves (Barrer, 1957): at load r, with w = e^-(1-r)T/s,

    a share (1 - r) r w / (1 - r^2 w) leaves. 40,000 clips: wrong by chance in 1 of 10,000.
    """
    rng, load, patience_s, count = np.random.default_rng(5), 0.8, 2.0, 40_000
    born_s = rng.exponential(1.0 / load, count).cumsum()
    services_s = rng.exponential(1.0, count)
    rows = [(born, took, 0.0, 0.0) for born, took in zip(born_s, services_s, strict=True)]
    found = world(rows, device_drop_s=patience_s, end_s=float(born_s[-1]) + 100.0,
                  traces=[_endless(born_s[-1] + 200.0)])  # fmt: skip
    lost = np.array([outcome == "dropped_device" for outcome in outcomes_of(found)])
    w = np.exp(-(1.0 - load) * patience_s)
    expected = (1.0 - load) * load * w / (1.0 - load**2 * w)
    batches = lost.reshape(40, -1).mean(axis=1)
    assert abs(batches.mean() - expected) < 4.4 * batches.std(ddof=1) / np.sqrt(len(batches))


def _endless(end_s):
    from fadeline.channels.trace import LinkTrace

    return LinkTrace.uniform([1e9], end_s)


# Links that give up


class Lossy(Link):
    """Gives up what is on the air at 3 s."""

    def delivers(self, start_s, end_s):
        return not start_s <= 3.0 < end_s


def test_what_a_link_does_not_deliver_is_lost_on_the_link():
    clips = [(0.0, 0.0, 1000.0, 0.0), (2.5, 0.0, 1000.0, 0.0), (2.6, 0.0, 1000.0, 0.0)]
    found = world(clips, link=Lossy)
    assert outcomes_of(found) == ["done", "dropped_link", "done"]
    assert found["lost_s"][1] == 3.5
    assert np.isnan(found["sent_s"][1])
    assert found["airtime_s"][1] == pytest.approx(1.0)  # what was spent on it is spent
    assert found["tx_start_s"][2] == 3.5
