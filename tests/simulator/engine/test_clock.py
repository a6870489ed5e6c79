"""The clock: exact times, ties by order, and SimPy's own processes beside it.

It holds for SimPy 4.1: `schedule`, `peek` and `step` are the methods that an environment may
replace, and an event's value is set as SimPy's own `Timeout` sets it.
"""

from importlib.metadata import version
from math import inf
from typing import Any

import pytest
from simpy.core import EmptySchedule

from fadeline.simulator.engine.clock import FIRST, Clock


def test_the_version_of_simpy_is_one_that_this_holds_for():
    assert version("simpy").split(".")[:2] == ["4", "1"]


def noted(clock, log, event, name):
    event.callbacks.append(lambda done: log.append((clock.now, name, done.value)))


def test_times_are_kept_to_the_last_bit_and_ties_go_by_order():
    clock = Clock()
    log: list[Any] = []
    third = 0.1 + 0.2
    for order, time_s in ((FIRST + 2, 0.3), (FIRST + 1, 0.3), (FIRST, third), (FIRST, 0.1)):
        noted(clock, log, clock.at(time_s, order, value=order), order)
    clock.run_until(1.0)
    assert log == [(0.1, 2, 2), (0.3, 3, 3), (0.3, 4, 4), (third, 2, 2)]
    assert clock.now == 1.0


def test_what_happens_at_the_end_has_not_happened():
    clock = Clock()
    log: list[Any] = []
    noted(clock, log, clock.at(1.0, FIRST), "late")
    clock.run_until(1.0)
    assert log == []
    assert clock.peek() == 1.0


def test_never_is_not_on_the_agenda():
    clock = Clock()
    clock.at(inf, FIRST)
    assert clock.peek() == inf
    with pytest.raises(EmptySchedule):
        clock.step()


def test_processes_and_timeouts_of_simpy_run_beside_timed_events():
    clock = Clock()
    log: list[Any] = []

    def process():
        yield clock.timeout(0.5)
        log.append(("timeout", clock.now))
        got = yield clock.at(0.75, FIRST, value="ours")
        log.append((got, clock.now))
        first = yield clock.timeout(5.0) | clock.at(1.5, FIRST)
        log.append((len(first.todict()), clock.now))

    clock.process(process())
    clock.run(until=10.0)
    assert log == [("timeout", 0.5), ("ours", 0.75), (1, 1.5)]
    assert clock.now == 10.0


def test_a_process_that_fails_is_not_silent():
    clock = Clock()

    def process():
        yield clock.timeout(0.5)
        raise ValueError("broken")

    clock.process(process())
    with pytest.raises(ValueError, match="broken"):
        clock.run_until(1.0)


def test_a_station_is_told_before_who_waits_and_a_plan_can_be_dropped():
    clock = Clock()
    log: list[Any] = []
    event = clock.at(1.0, FIRST)
    event.callbacks.append(lambda _: log.append("clip"))
    event.first(lambda _: log.append("station"))
    dropped = clock.at(0.5, FIRST)
    dropped.callbacks.append(lambda _: log.append("dropped"))
    dropped.cancel()
    clock.run_until(2.0)
    assert log == ["station", "clip"]
