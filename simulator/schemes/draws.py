"""Draws of clips, made before the clock starts: uniform ones, as durations or as deviates."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fadeline.simulator.scenario.spec import Duration, Exponential

Floats = NDArray[np.float64]

Draws = Callable[[str], Floats]
"""From a stage to one uniform draw for each clip of a device, shape (n,), in [0, 1)."""


def durations_s(duration: Duration, uniforms: Floats) -> Floats:
    """Return a duration of a scenario for every draw, seconds."""
    if isinstance(duration, Exponential):
        drawn: Floats = -duration.mean_s * np.log1p(-uniforms)
        return drawn
    return np.full(len(uniforms), float(duration))


def normals(uniforms: Floats) -> Floats:
    """Return what the draws are as draws from a standard normal."""
    from scipy.special import ndtri

    # A draw of exactly zero would be minus infinity; half of the smallest draw there is, is not.
    deviates: Floats = ndtri(np.maximum(uniforms, 2.0**-54))
    return deviates


def chosen(draws: Draws, clips: int) -> NDArray[np.int64]:
    """Return which of a set's clips each clip is: the same for all schemes, shape (n,)."""
    numbers: NDArray[np.int64] = (draws("data") * clips).astype(np.int64)
    return numbers
