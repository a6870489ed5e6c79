"""Simulated time: SimPy's event loop, with events at exact times and ties broken by clip."""

from collections.abc import Callable
from heapq import heappush
from math import inf
from typing import Any

from simpy import Environment, Event

FIRST = 2
"""Lowest order; SimPy keeps 0 and 1 for itself."""


SAME_S = 1e-9
"""Times no further apart than this are the same: sums of times round (our choice)."""


class Happening(Event):
    """An event of SimPy that a station may be told of before the clip that waits for it."""

    def first(self, callback: Callable[[Event], None], place: int = 0) -> None:
        """Call this when it happens, before all that follows in the list of callbacks."""
        self.callbacks.insert(place, callback)

    def cancel(self) -> None:
        """Let nobody be told."""
        self.callbacks = []


class Clock(Environment):
    """SimPy's environment. What happens at the same time happens in the order of the clips.

    SimPy adds a delay to the current time, which rounds, and breaks ties in the order of calls.
    Here a time is absolute, so it is kept to the last bit, and every event brings its order.
    """

    def occurring(self, time_s: float, order: int, value: Any = True) -> Happening:
        """Return an event that happens at a time, with a value.

        Args:
            time_s: Not before now, seconds; infinity for never.
            order: Among events at that time, at least `FIRST`.
            value: What waiting for it gives.
        """
        event = Happening(self)
        self.settle(event, time_s, order, value)
        return event

    def settle(self, event: Happening, time_s: float, order: int, value: Any = True) -> None:
        """Let an event that was waited for without a time happen at this one."""
        event._ok = True
        event._value = value
        if time_s != inf:
            heappush(self._queue, (time_s, order, next(self._eid), event))  # type: ignore[misc]

    def after(self, delay_s: float, order: int, call: Callable[[], None]) -> None:
        """Call after a delay, before all else that happens then in this order; now if it is 0."""
        if delay_s:
            self.occurring(self.now + delay_s, order).first(lambda _: call())
        else:
            call()
