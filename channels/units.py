"""Conversions between decibels, linear ratios, dBm and watts, and thermal noise."""

from typing import overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

SPEED_OF_LIGHT_M_S = 299_792_458.0
"""Exact by definition of the metre (BIPM, SI Brochure, 9th edition, 2.2)."""

BOLTZMANN_J_K = 1.380649e-23
"""Exact by definition of the kelvin (BIPM, SI Brochure, 9th edition, 2.2)."""

REFERENCE_TEMPERATURE_K = 290.0
"""Standard noise temperature (Friis 1944, cited at `thermal_noise_dbm`)."""


@overload
def db_to_linear(db: float) -> float: ...
@overload
def db_to_linear(db: NDArray[np.floating]) -> NDArray[np.float64]: ...
def db_to_linear(db: ArrayLike) -> float | NDArray[np.float64]:
    """Return the power ratio for a level in dB.

    Args:
        db: Level or levels, any shape, dB.

    Returns:
        10 ** (db / 10), of the same shape; minus infinity gives 0.

    Example:
        >>> db_to_linear(10.0)
        10.0
    """
    linear = np.power(10.0, np.asarray(db, dtype=np.float64) / 10.0)
    return linear if linear.ndim else float(linear)


@overload
def linear_to_db(ratio: float) -> float: ...
@overload
def linear_to_db(ratio: NDArray[np.floating]) -> NDArray[np.float64]: ...
def linear_to_db(ratio: ArrayLike) -> float | NDArray[np.float64]:
    """Return the level in dB of a power ratio.

    Args:
        ratio: Non-negative power ratio or ratios, any shape.

    Returns:
        10 log10(ratio), of the same shape; a ratio of 0 gives minus infinity.

    Example:
        >>> linear_to_db(100.0)
        20.0
    """
    with np.errstate(divide="ignore"):
        db = 10.0 * np.log10(np.asarray(ratio, dtype=np.float64))
    return db if db.ndim else float(db)


def dbm_to_w(dbm: float) -> float:
    """Return the power in watts of a level in dBm.

    Example:
        >>> dbm_to_w(30.0)
        1.0
    """
    return db_to_linear(dbm - 30.0)


def w_to_dbm(power_w: float) -> float:
    """Return the level in dBm of a power in watts.

    Example:
        >>> w_to_dbm(0.001)
        0.0
    """
    return linear_to_db(power_w) + 30.0


def thermal_noise_dbm(bandwidth_hz: float, noise_figure_db: float = 0.0) -> float:
    """Return the receiver's noise power, kTB plus its noise figure, in dBm.

    Args:
        bandwidth_hz: Receiver bandwidth, positive, Hz.
        noise_figure_db: Noise figure of the receiver, dB.

    Returns:
        Noise power at 290 K, dBm.

    Raises:
        ValueError: If the bandwidth is not positive.

    Source:
        Friis, "Noise Figures of Radio Receivers", Proc. IRE 32(7), 1944.

    Example:
        >>> round(thermal_noise_dbm(1.0), 2)
        -173.98
    """
    if not bandwidth_hz > 0:
        raise ValueError(f"bandwidth_hz must be positive, got {bandwidth_hz}")
    return w_to_dbm(BOLTZMANN_J_K * REFERENCE_TEMPERATURE_K * bandwidth_hz) + noise_figure_db
