"""Mobility: how far a device is from its base station, and how far it has travelled, over time.

All motion is on the ground with the base station at the origin, and starts at time 0. Each model is
a frozen dataclass whose `path` is evaluated at the times asked for; times need no fixed step.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """Distances of a moving device at n instants."""

    distance_m: NDArray[np.float64]  # to the base station on the ground, shape (n,), m
    travelled_m: NDArray[np.float64]  # along the path since time 0, shape (n,), non-decreasing, m


@dataclass(frozen=True, slots=True, kw_only=True)
class Static:
    """A device that stays at `distance_m` (m, positive)."""

    distance_m: float

    def __post_init__(self) -> None:
        _check_positive("distance_m", self.distance_m)

    def path(self, time_s: NDArray[np.float64]) -> Path:
        """Return the constant distance and zero travel.

        Args:
            time_s: Instants, shape (n,), n at least 1, from 0, non-decreasing, s.

        Returns:
            The path at these instants, arrays of shape (n,), m.

        Raises:
            ValueError: If `time_s` is not as above.

        Source:
            Definition.

        Example:
            >>> Static(distance_m=50.0).path(np.array([0.0, 1.0])).distance_m
            array([50., 50.])
        """
        time = _checked_time(time_s)
        return Path(distance_m=np.full_like(time, self.distance_m), travelled_m=np.zeros_like(time))


@dataclass(frozen=True, slots=True, kw_only=True)
class StraightLine:
    """A device that goes straight from `distance_m` (m, positive) at `speed_m_s` (not negative).

    `heading_deg` is measured from the ray that leads from the base station through the start: 0 is
    away from the base station, 180 towards it, 90 sideways. Nothing keeps the device from the base
    station: heading 180 reaches distance 0 after distance_m / speed_m_s seconds and then recedes.
    """

    distance_m: float
    heading_deg: float
    speed_m_s: float

    def __post_init__(self) -> None:
        _check_positive("distance_m", self.distance_m)
        if not math.isfinite(self.heading_deg):
            raise ValueError(f"heading_deg must be finite, got {self.heading_deg}")
        if not (self.speed_m_s >= 0.0 and math.isfinite(self.speed_m_s)):
            raise ValueError(f"speed_m_s must be finite and not negative, got {self.speed_m_s}")

    def path(self, time_s: NDArray[np.float64]) -> Path:
        """Return the distances along the line.

        Args:
            time_s: Instants, shape (n,), n at least 1, from 0, non-decreasing, s.

        Returns:
            The path at these instants, arrays of shape (n,), m.

        Raises:
            ValueError: If `time_s` is not as above.

        Source:
            Law of cosines.

        Example:
            >>> line = StraightLine(distance_m=30.0, heading_deg=90.0, speed_m_s=4.0)
            >>> line.path(np.array([0.0, 10.0])).distance_m
            array([30., 50.])
        """
        travelled = self.speed_m_s * _checked_time(time_s)
        heading = math.radians(self.heading_deg)
        x = self.distance_m + travelled * math.cos(heading)
        y = travelled * math.sin(heading)
        return Path(distance_m=np.hypot(x, y), travelled_m=travelled)


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomWaypoint:
    """A device that walks from waypoint to waypoint in a ring around the base station.

    It starts at `distance_m`, moving at once. Each waypoint is uniform over the area of the ring
    between `min_distance_m` and `max_distance_m`, and drawn again while the straight leg to it
    would enter the inner disc; so every leg is straight, at full speed, and inside the ring. The
    device rests for `pause_s` at each waypoint.

    Two known properties: the long-run position is not uniform (legs cross the middle more often
    than the rim), and the start is not drawn from it, so early and late distances differ in law.

    Distances in m with 0 < min <= distance_m <= max and min < max, `speed_m_s` positive, `pause_s`
    not negative.
    """

    distance_m: float
    speed_m_s: float
    min_distance_m: float
    max_distance_m: float
    pause_s: float = 0.0

    def __post_init__(self) -> None:
        for name in ("distance_m", "speed_m_s", "min_distance_m", "max_distance_m"):
            _check_positive(name, getattr(self, name))
        low, high = self.min_distance_m, self.max_distance_m
        if not low < high:
            raise ValueError(f"min_distance_m must be below max_distance_m = {high}, got {low}")
        if not low <= self.distance_m <= high:
            raise ValueError(f"distance_m must be {low} to {high}, got {self.distance_m}")
        if not (self.pause_s >= 0.0 and math.isfinite(self.pause_s)):
            raise ValueError(f"pause_s must be finite and not negative, got {self.pause_s}")

    def path(self, rng: np.random.Generator, time_s: NDArray[np.float64]) -> Path:
        """Return one random walk; a later last instant extends the walk and changes nothing else.

        Args:
            rng: Source of the waypoints.
            time_s: Instants, shape (n,), n at least 1, from 0, non-decreasing, s.

        Returns:
            The path at these instants, arrays of shape (n,), m.

        Raises:
            ValueError: If `time_s` is not as above.

        Source:
            Johnson and Maltz, "Dynamic Source Routing in Ad Hoc Wireless Networks", in Mobile
            Computing, Kluwer, 1996, with constant speed and the ring added.

        Example:
            >>> walk = RandomWaypoint(
            ...     distance_m=50.0, speed_m_s=2.0, min_distance_m=10.0, max_distance_m=100.0
            ... )
            >>> walk.path(np.random.default_rng(0), np.array([0.0, 30.0])).travelled_m
            array([ 0., 60.])
        """
        time = _checked_time(time_s)
        node_s, node_travelled, node_x, node_y = self._nodes(rng, float(time[-1])).T
        distance = np.hypot(np.interp(time, node_s, node_x), np.interp(time, node_s, node_y))
        travelled = np.interp(time, node_s, node_travelled)
        # Both bounds hold for the exact walk; interpolation may miss them in the last bit.
        return Path(
            distance_m=np.clip(distance, self.min_distance_m, self.max_distance_m),
            travelled_m=np.maximum.accumulate(travelled),
        )

    def _nodes(self, rng: np.random.Generator, end_s: float) -> NDArray[np.float64]:
        """Return where the motion changes, shape (nodes, 4): time, travelled, x, y."""
        now, travelled, here = 0.0, 0.0, complex(self.distance_m)
        nodes = [(now, travelled, here.real, here.imag)]
        while now < end_s:
            there = self._draw_waypoint(rng, here)
            leg = abs(there - here)
            now, travelled, here = now + leg / self.speed_m_s, travelled + leg, there
            nodes.append((now, travelled, here.real, here.imag))
            if self.pause_s > 0.0:
                now += self.pause_s
                nodes.append((now, travelled, here.real, here.imag))
        return np.array(nodes)

    def _draw_waypoint(self, rng: np.random.Generator, here: complex) -> complex:
        """Return a point of the ring, as x + iy, that is reached without entering the disc."""
        while True:
            squared = rng.uniform(self.min_distance_m**2, self.max_distance_m**2)
            angle = rng.uniform(0.0, 2.0 * math.pi)
            there = math.sqrt(squared) * complex(math.cos(angle), math.sin(angle))
            if _closest(here, there) >= self.min_distance_m:
                return there


def _closest(start: complex, end: complex) -> float:
    """Return the least distance from the origin to the segment between two points x + iy."""
    leg = end - start
    share = -(start * leg.conjugate()).real / abs(leg) ** 2  # of the leg, to the foot point
    return abs(start + min(max(share, 0.0), 1.0) * leg)


def _check_positive(name: str, value: float) -> None:
    if not (value > 0.0 and math.isfinite(value)):
        raise ValueError(f"{name} must be positive and finite, got {value}")


def _checked_time(time_s: NDArray[np.float64]) -> NDArray[np.float64]:
    time = np.asarray(time_s, dtype=np.float64)
    if time.ndim != 1 or time.size == 0:
        raise ValueError(f"time_s must have shape (n,) with n at least 1, got {time.shape}")
    if not (np.isfinite(time).all() and time[0] >= 0.0 and (np.diff(time) >= 0.0).all()):
        raise ValueError("time_s must be finite, not negative and non-decreasing")
    return time
