"""Sine and cosine in whole numbers, so that drawings are the same on every machine.

Angles count in 1,024 parts of a turn; results are scaled by 2^14.
"""

import math

import numpy as np
from numpy.typing import NDArray

TURN = 1024
"""Parts of a full turn (our choice): 0.35 degrees, a fifth of a pixel on a limb of 32 pixels."""

SCALE_BITS = 14
"""Results are scaled by 2 to this power (our choice): products with coordinates fit 32 bits."""

_TABLE = np.array(
    [round(math.sin(2 * math.pi * part / TURN) * (1 << SCALE_BITS)) for part in range(TURN)],
    dtype=np.int64,
)
_TABLE.setflags(write=False)


def sine(angle: NDArray[np.int64] | int, length: NDArray[np.int64] | int) -> NDArray[np.int64]:
    """Return length x sin(angle) rounded down, for an angle in 1/1024 turns.

    Example:
        >>> int(sine(TURN // 4, 1000))
        1000
    """
    scaled: NDArray[np.int64] = _TABLE[np.asarray(angle) & (TURN - 1)] * length
    return scaled >> SCALE_BITS


def cosine(angle: NDArray[np.int64] | int, length: NDArray[np.int64] | int) -> NDArray[np.int64]:
    """Return length x cos(angle) rounded down, for an angle in 1/1024 turns."""
    return sine(np.asarray(angle) + TURN // 4, length)


def eased(phase: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return a phase from 0 to 1,024 with slow start and end (smoothstep 3p^2 - 2p^3).

    Example:
        >>> eased(np.array([0, 512, 1024])).tolist()
        [0, 512, 1024]
    """
    return (phase * phase * (3 * 1024 - 2 * phase)) >> 20
