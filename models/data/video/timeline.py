"""When each frame of a video is shown."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """Moments at which frames appear, in any unit.

    Attributes:
        starts: When each frame appears, ascending, shape (n,).
        end: When the last one goes.
    """

    starts: NDArray[np.float64]
    end: float

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.starts)

    @property
    def is_constant(self) -> bool:
        """Whether every frame appears at most one frame's time from where a constant rate puts it.

        So what a container rounds, a camera's jitter and a last frame of another length do not make
        a rate variable, and a frame chosen by its number is the one shown at that share of the
        duration, or a neighbour of it.
        """
        step = (self.end - self.starts[0]) / len(self)
        even = self.starts[0] + step * np.arange(len(self))
        return bool(np.abs(self.starts - even).max() <= step)

    def shown_at(self, shares: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the frames that are shown at some shares of the duration, 0 to below 1."""
        moments = self.starts[0] + shares * (self.end - self.starts[0])
        positions = np.searchsorted(self.starts, moments, side="right") - 1
        return np.asarray(np.clip(positions, 0, len(self) - 1), np.int64)


def timeline_of(
    times: Sequence[float | None], *, last: float = 0, longest: float = math.inf
) -> Timeline:
    """Return when frames are shown, as a container states it and made good where it does not.

    A missing time is put evenly between those around it. Where the clock goes back or leaps, as
    where recordings were strung together, it goes on instead by the usual step, which is the
    median. Without any two times the rate is constant.

    Args:
        times: When each frame appears, in the order in which they are shown; None where unknown.
            At least one.
        last: How long the last frame is shown; 0 if that is unknown, and then the usual step.
        longest: Longest time for which a frame may be held; the clock leaps if there is more
            between two.

    Example:
        >>> timeline_of([0, 40, None, 120, 200], last=80)
        Timeline(starts=array([  0.,  40.,  80., 120., 200.]), end=280.0)
    """
    stated = np.array([np.nan if time is None else time for time in times], np.float64)
    known = np.flatnonzero(np.isfinite(stated))
    if len(known) < 2:
        return Timeline(np.arange(len(stated), dtype=np.float64), float(len(stated)))
    inside = np.arange(known[0], known[-1] + 1)
    stated[inside] = np.interp(inside, known, stated[known])
    steps = np.diff(stated)
    forward = steps[steps > 0]
    usual = float(np.median(forward)) if len(forward) else 1.0
    steps[~((steps >= 0) & (steps <= longest))] = usual  # not known, backwards, or a leap
    starts = np.concatenate([[0.0], np.cumsum(steps)])
    return Timeline(starts, float(starts[-1]) + (last if last > 0 else usual))
