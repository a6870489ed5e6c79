"""The edge server: a queue, workers, and batches of clips that are inferred together."""

from collections.abc import Callable, Sequence
from heapq import heapify, heappop, heappush
from math import inf
from typing import Literal

from simpy import Event

from fadeline.simulator.engine.clip import Clip
from fadeline.simulator.engine.clock import Clock, TimedEvent
from fadeline.simulator.engine.records import DROPPED_EDGE
from fadeline.simulator.scenario.deadlines import SAME_S

Order = Literal["fifo", "lifo", "edf", "shortest"]


class EdgeServer:
    """Infers clips, one batch at a time on each worker.

    Args:
        clock: The clock.
        service_s: How long a batch takes, seconds.
        workers: Batches at the same time.
        order: Which clip is next: the first or last to come, the first that was born (all have the
            same deadline), or the one that alone would take the shortest time.
        limit: Clips that may wait; one that comes when so many do is given up. None for any number.
        drop_after_s: Clips older than this are given up when their turn comes; None for never.
        batch_size: Clips in a batch, at most.
        batch_wait_s: How long a clip waits for others before it is inferred all the same.
    """

    def __init__(
        self,
        clock: Clock,
        service_s: Callable[[Sequence[Clip]], float],
        *,
        workers: int = 1,
        order: Order = "fifo",
        limit: int | None = None,
        drop_after_s: float | None = None,
        batch_size: int = 1,
        batch_wait_s: float = 0.0,
    ) -> None:
        self.clock, self.service_s, self.idle = clock, service_s, workers
        self.order, self.limit, self.drop_after_s = order, limit, drop_after_s
        self.batch_size, self.batch_wait_s = batch_size, batch_wait_s
        self.waiting: list[tuple[float, int, Clip]] = []
        self.arrivals = 0
        self.timer_s = inf

    def infer(self, clip: Clip) -> Event:
        """Return the event of a clip having been inferred: True, or False if it is given up."""
        clip.waiting = TimedEvent(self.clock)
        clip.edge_arrive_s = self.clock.now
        if self.idle and self.batch_size == 1 and not self._expired(clip):  # then nobody waits
            self.idle -= 1
            self._start([clip])
            return clip.waiting
        self.arrivals += 1
        heappush(self.waiting, (self._rank(clip), self.arrivals, clip))
        self._serve()
        if self.limit is not None and len(self.waiting) > self.limit:
            self.waiting = [entry for entry in self.waiting if entry[2] is not clip]
            heapify(self.waiting)
            self._lose(clip)
        return clip.waiting

    def _rank(self, clip: Clip) -> float:
        if self.order == "fifo":
            return 0.0
        if self.order == "lifo":
            return -float(self.arrivals)
        return clip.born_s if self.order == "edf" else self.service_s([clip])

    def _serve(self) -> None:
        while self.idle and self.waiting:
            if self._gathers():
                return
            batch: list[Clip] = []
            while self.waiting and len(batch) < self.batch_size:
                clip = heappop(self.waiting)[2]
                if self._expired(clip):
                    self._lose(clip)
                else:
                    batch.append(clip)
            if batch:
                self.idle -= 1
                self._start(batch)

    def _gathers(self) -> bool:
        """Return whether the clips that wait should wait for more, and see that they do."""
        if not self.batch_wait_s or len(self.waiting) >= self.batch_size:
            return False
        due_s = min(entry[2].edge_arrive_s for entry in self.waiting) + self.batch_wait_s
        if due_s <= self.clock.now:
            return False
        if due_s != self.timer_s:
            self.timer_s = due_s
            order = min(entry[2].order for entry in self.waiting)
            timer = self.clock.at(due_s, order)
            timer.first(lambda _: self._serve())
        return True

    def _expired(self, clip: Clip) -> bool:
        if self.drop_after_s is None:
            return False
        return self.clock.now > clip.born_s + self.drop_after_s + SAME_S

    def _lose(self, clip: Clip) -> None:
        clip.lose("edge", DROPPED_EDGE, self.clock.now)
        self.clock.settle(clip.waiting, self.clock.now, clip.order, value=False)

    def _start(self, batch: list[Clip]) -> None:
        now_s = self.clock.now
        end_s = now_s + self.service_s(batch)
        batch[0].waiting.first(self._ended)
        for clip in batch:
            clip.edge_start_s, clip.inferred_s, clip.batch_size = now_s, end_s, len(batch)
            self.clock.settle(clip.waiting, end_s, clip.order)

    def _ended(self, _: Event) -> None:
        self.idle += 1
        self._serve()
