"""Simulated time: SimPy's processes and events, with exact times and ties broken by clip."""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from math import inf
from typing import Any

from simpy import Environment, Event
from simpy.core import EmptySchedule

FIRST = 2
"""Lowest order of a timed event; 0 and 1 are SimPy's, for processes that begin or end."""


class TimedEvent(Event):
    """An event at an exact time.

    A station may be told of it before the clip that waits for it.
    """

    time_s: float = inf
    callbacks: list[Callable[[Any], None]]

    def first(self, callback: Callable[[Event], None], place: int = 0) -> None:
        """Call this when it happens, before all that follows in the list of callbacks."""
        self.callbacks.insert(place, callback)

    def settled(self, time_s: float, value: Any) -> None:
        """Take time and value, as SimPy's own `Timeout` takes its value."""
        self.time_s, self._ok, self._value = time_s, True, value

    def cancel(self) -> None:
        """Let nobody be told."""
        self.callbacks.clear()


class Clock(Environment):
    """A SimPy environment with an agenda of its own.

    SimPy's agenda adds a delay to the current time, which rounds, and breaks ties in the order of
    calls. In this one a time is absolute, so it is kept to the last bit, and every timed event
    brings its order. Whatever else SimPy schedules (processes, timeouts) goes by delay and
    priority, as there. `schedule`, `peek` and `step` are the methods that SimPy has for this.
    """

    now: float = 0.0  # a plain attribute, which is quicker than SimPy's property

    def __init__(self) -> None:
        super().__init__()
        self._agenda: list[tuple[float, int, int, Event]] = []
        self._numbers = count()

    def at(self, time_s: float, order: int, value: Any = True) -> TimedEvent:
        """Return an event that happens at a time, with a value.

        Args:
            time_s: Not before now, seconds; infinity for never.
            order: Among events at that time, at least `FIRST`.
            value: What waiting for it gives.
        """
        event = TimedEvent(self)
        self.settle(event, time_s, order, value)
        return event

    def settle(self, event: TimedEvent, time_s: float, order: int, value: Any = True) -> None:
        """Let an event that was waited for without a time happen at this one."""
        if time_s != inf:
            event.settled(time_s, value)
            heappush(self._agenda, (time_s, order, next(self._numbers), event))

    def after(self, delay_s: float, order: int, call: Callable[[], None]) -> None:
        """Call after a delay, before all else that happens then in this order; now if it is 0."""
        if delay_s:
            self.at(self.now + delay_s, order).first(lambda _: call())
        else:
            call()

    def schedule(self, event: Event, priority: int = 1, delay: float = 0.0) -> None:
        """Put one of SimPy's own events on the agenda."""
        entry = self.now + delay, priority, next(self._numbers), event
        heappush(self._agenda, entry)

    def peek(self) -> float:
        """Return the time of the next event, seconds; infinity if there is none."""
        return self._agenda[0][0] if self._agenda else inf

    def step(self) -> None:
        """Let the next event happen.

        Raises:
            EmptySchedule: If there is none.
        """
        if not self._agenda:
            raise EmptySchedule
        self.now, _, _, event = heappop(self._agenda)
        callbacks, event.callbacks = event.callbacks, None  # type: ignore[assignment]
        for callback in callbacks:
            callback(event)
        if type(event) is not TimedEvent:
            _raise_failure(event)

    def run_until(self, end_s: float) -> None:
        """Let all events before a time happen, and be at that time."""
        agenda, timed = self._agenda, TimedEvent
        while agenda and agenda[0][0] < end_s:  # as `step`, without a call for each event
            self.now, _, _, event = heappop(agenda)
            callbacks, event.callbacks = event.callbacks, None  # type: ignore[assignment]
            for callback in callbacks:
                callback(event)
            if type(event) is not timed:
                _raise_failure(event)
        self.now = end_s


def _raise_failure(event: Event) -> None:
    """Raise what a process failed with, if nobody waits for it."""
    if not event.ok and not event.defused:
        raise event.value  # type: ignore[misc]
