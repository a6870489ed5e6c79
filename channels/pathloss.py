"""Path loss over distance: free space, log-distance, and the 3GPP urban models.

The 3GPP functions follow TR 38.901, outdoor devices only. Their distance is the one on the ground,
the standard's d_2D; the slant d_3D comes from it and the antenna heights. A scalar distance gives a
float, an array gives a float64 array of the same shape.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fadeline.channels.units import SPEED_OF_LIGHT_M_S

FloatOrArray = TypeVar("FloatOrArray", float, NDArray[np.float64])

DISTANCE_RANGE_M = (10.0, 5_000.0)
"""Ground distances for which UMi and UMa are specified (TR 38.901 Table 7.4.1-1)."""

CARRIER_RANGE_HZ = (0.5e9, 100e9)
"""Carriers for which UMi and UMa are specified (TR 38.901 Table 7.4.1-1, note 2)."""

ENVIRONMENT_HEIGHT_M = 1.0
"""h_E, subtracted from both antenna heights in d'_BP (TR 38.901 Table 7.4.1-1, note 1)."""

BREAKPOINT_SPEED_M_S = 3.0e8
"""The rounded speed of light that d'_BP is defined with (TR 38.901 Table 7.4.1-1, note 1)."""

CERTAIN_LOS_M = 18.0
"""Ground distance up to which line of sight is certain (TR 38.901 Table 7.4.2-1)."""


def free_space_db(distance_m: FloatOrArray, carrier_hz: float) -> FloatOrArray:
    """Return the path loss between isotropic antennas in free space, in dB.

    Args:
        distance_m: Distance between the antennas, any shape, positive, m.
        carrier_hz: Carrier frequency, positive, Hz.

    Returns:
        20 log10(4 pi d f / c), of the same shape, dB.

    Raises:
        ValueError: If a distance or the carrier is not positive and finite.

    Source:
        Friis, "A Note on a Simple Transmission Formula", Proc. IRE 34(5), 1946.

    Example:
        >>> round(free_space_db(100.0, 3.5e9), 2)
        83.33
    """
    distance = _positive("distance_m", distance_m)
    carrier = _positive("carrier_hz", carrier_hz)
    loss_db = 20.0 * np.log10(4.0 * np.pi * distance * carrier / SPEED_OF_LIGHT_M_S)
    return _like(distance_m, loss_db)


def log_distance_db(
    distance_m: FloatOrArray, carrier_hz: float, exponent: float, reference_m: float = 1.0
) -> FloatOrArray:
    """Return free-space loss up to a reference distance and a power law beyond it, in dB.

    Args:
        distance_m: Distance between the antennas, any shape, at least `reference_m`, m.
        carrier_hz: Carrier frequency, positive, Hz.
        exponent: Path-loss exponent n, positive; 2 gives free space.
        reference_m: Distance at which the loss is that of free space, positive, m.

    Returns:
        Free-space loss at the reference plus 10 n log10(d / reference), of the same shape, dB.

    Raises:
        ValueError: If an argument is not positive and finite, or a distance is below the reference.

    Source:
        Rappaport, "Wireless Communications", 2nd edition, 2002, section 4.9.1.

    Example:
        >>> log_distance_db(100.0, 3.5e9, 3.0) - log_distance_db(10.0, 3.5e9, 3.0)
        30.0
    """
    _positive("exponent", exponent)
    _positive("reference_m", reference_m)
    reference_db = free_space_db(reference_m, carrier_hz)
    distance = _within("distance_m", distance_m, reference_m, np.inf, "the log-distance model")
    return _like(distance_m, reference_db + 10.0 * exponent * np.log10(distance / reference_m))


def umi_los_db(
    distance_m: FloatOrArray, carrier_hz: float, bs_height_m: float = 10.0, ut_height_m: float = 1.5
) -> FloatOrArray:
    """Return the path loss in an urban street canyon (UMi) with line of sight, in dB.

    Args:
        distance_m: Ground distance d_2D, any shape, 10 to 5000 m.
        carrier_hz: Carrier frequency, 0.5e9 to 100e9 Hz.
        bs_height_m: Antenna height of the base station, above h_E = 1 m.
        ut_height_m: Antenna height of the device, 1.5 to 22.5 m.

    Returns:
        PL_UMi-LOS, of the same shape, dB, without shadowing.

    Raises:
        ValueError: If an argument is outside the range above.

    Source:
        3GPP TR 38.901, Table 7.4.1-1, UMi - Street Canyon, LOS.

    Example:
        >>> round(umi_los_db(100.0, 3.5e9), 2)
        85.31
    """
    _within("ut_height_m", ut_height_m, 1.5, 22.5, "TR 38.901 Table 7.4.1-1")
    ground_m, slant_m, break_m = _geometry(distance_m, carrier_hz, bs_height_m, ut_height_m)
    near_db = 32.4 + 21.0 * np.log10(slant_m)
    break_db = 9.5 * np.log10(break_m**2 + (bs_height_m - ut_height_m) ** 2)
    far_db = 32.4 + 40.0 * np.log10(slant_m) - break_db
    loss_db = np.where(ground_m <= break_m, near_db, far_db) + 20.0 * np.log10(carrier_hz / 1e9)
    return _like(distance_m, loss_db)


def umi_nlos_db(
    distance_m: FloatOrArray, carrier_hz: float, bs_height_m: float = 10.0, ut_height_m: float = 1.5
) -> FloatOrArray:
    """Return the path loss in an urban street canyon (UMi) without line of sight, in dB.

    Arguments and their ranges are those of `umi_los_db`.

    Returns:
        PL_UMi-NLOS, never below the loss with line of sight, of the same shape, dB.

    Raises:
        ValueError: If an argument is outside its range.

    Source:
        3GPP TR 38.901, Table 7.4.1-1, UMi - Street Canyon, NLOS.

    Example:
        >>> round(umi_nlos_db(100.0, 3.5e9), 2)
        104.64
    """
    los_db = umi_los_db(distance_m, carrier_hz, bs_height_m, ut_height_m)
    _, slant_m, _ = _geometry(distance_m, carrier_hz, bs_height_m, ut_height_m)
    carrier_db = 21.3 * np.log10(carrier_hz / 1e9)
    nlos_db = 35.3 * np.log10(slant_m) + 22.4 + carrier_db - 0.3 * (ut_height_m - 1.5)
    return _like(distance_m, np.maximum(los_db, nlos_db))


def uma_los_db(
    distance_m: FloatOrArray, carrier_hz: float, bs_height_m: float = 25.0, ut_height_m: float = 1.5
) -> FloatOrArray:
    """Return the path loss in an urban macro cell (UMa) with line of sight, in dB.

    Args:
        distance_m: Ground distance d_2D, any shape, 10 to 5000 m.
        carrier_hz: Carrier frequency, 0.5e9 to 100e9 Hz.
        bs_height_m: Antenna height of the base station, above h_E = 1 m.
        ut_height_m: Antenna height of the device, 1.5 to 13 m; above 13 m the standard draws h_E
            at random, which is not modelled here.

    Returns:
        PL_UMa-LOS, of the same shape, dB, without shadowing.

    Raises:
        ValueError: If an argument is outside the range above.

    Source:
        3GPP TR 38.901, Table 7.4.1-1, UMa, LOS.

    Example:
        >>> round(uma_los_db(100.0, 3.5e9), 2)
        83.14
    """
    _within("ut_height_m", ut_height_m, 1.5, 13.0, "UMa with a fixed h_E of 1 m")
    ground_m, slant_m, break_m = _geometry(distance_m, carrier_hz, bs_height_m, ut_height_m)
    near_db = 28.0 + 22.0 * np.log10(slant_m)
    break_db = 9.0 * np.log10(break_m**2 + (bs_height_m - ut_height_m) ** 2)
    far_db = 28.0 + 40.0 * np.log10(slant_m) - break_db
    loss_db = np.where(ground_m <= break_m, near_db, far_db) + 20.0 * np.log10(carrier_hz / 1e9)
    return _like(distance_m, loss_db)


def uma_nlos_db(
    distance_m: FloatOrArray, carrier_hz: float, bs_height_m: float = 25.0, ut_height_m: float = 1.5
) -> FloatOrArray:
    """Return the path loss in an urban macro cell (UMa) without line of sight, in dB.

    Arguments and their ranges are those of `uma_los_db`.

    Returns:
        PL_UMa-NLOS, never below the loss with line of sight, of the same shape, dB.

    Raises:
        ValueError: If an argument is outside its range.

    Source:
        3GPP TR 38.901, Table 7.4.1-1, UMa, NLOS.

    Example:
        >>> round(uma_nlos_db(100.0, 3.5e9), 2)
        103.04
    """
    los_db = uma_los_db(distance_m, carrier_hz, bs_height_m, ut_height_m)
    _, slant_m, _ = _geometry(distance_m, carrier_hz, bs_height_m, ut_height_m)
    carrier_db = 20.0 * np.log10(carrier_hz / 1e9)
    nlos_db = 13.54 + 39.08 * np.log10(slant_m) + carrier_db - 0.6 * (ut_height_m - 1.5)
    return _like(distance_m, np.maximum(los_db, nlos_db))


def umi_los_probability(distance_m: FloatOrArray) -> FloatOrArray:
    """Return the probability of line of sight to an outdoor device in UMi.

    Args:
        distance_m: Ground distance d_2D, any shape, 10 to 5000 m.

    Returns:
        Probability, of the same shape; 1 up to 18 m.

    Raises:
        ValueError: If a distance is outside 10 to 5000 m.

    Source:
        3GPP TR 38.901, Table 7.4.2-1, UMi - Street canyon.

    Example:
        >>> round(umi_los_probability(36.0), 5)
        0.68394
    """
    distance = np.maximum(_checked_distance(distance_m), CERTAIN_LOS_M)
    certain = CERTAIN_LOS_M / distance
    return _like(distance_m, certain + np.exp(-distance / 36.0) * (1.0 - certain))


def uma_los_probability(distance_m: FloatOrArray, ut_height_m: float = 1.5) -> FloatOrArray:
    """Return the probability of line of sight to an outdoor device in UMa.

    Args:
        distance_m: Ground distance d_2D, any shape, 10 to 5000 m.
        ut_height_m: Antenna height of the device, 1.5 to 23 m; it matters above 13 m.

    Returns:
        Probability, of the same shape; 1 up to 18 m. Just beyond 18 m the standard's expression
        exceeds 1 for devices above 13 m (by up to 0.65 %) and is cut to 1.

    Raises:
        ValueError: If a distance or the height is outside its range.

    Source:
        3GPP TR 38.901, Table 7.4.2-1, UMa.

    Example:
        >>> round(uma_los_probability(63.0), 5)
        0.54849
    """
    _within("ut_height_m", ut_height_m, 1.5, 23.0, "TR 38.901 Table 7.4.2-1")
    distance = np.maximum(_checked_distance(distance_m), CERTAIN_LOS_M)
    certain = CERTAIN_LOS_M / distance
    raised = (max(ut_height_m - 13.0, 0.0) / 10.0) ** 1.5  # C'(h_UT)
    gain = 1.0 + raised * 1.25 * (distance / 100.0) ** 3 * np.exp(-distance / 150.0)
    probability = (certain + np.exp(-distance / 63.0) * (1.0 - certain)) * gain
    return _like(distance_m, np.minimum(probability, 1.0))


class PathLoss(Protocol):
    """A path-loss function of distance and carrier alone, at the standard's heights."""

    def __call__(self, distance_m: FloatOrArray, carrier_hz: float) -> FloatOrArray:
        """Return the path loss in dB."""


ENVIRONMENTS: Mapping[str, PathLoss] = MappingProxyType(
    {
        "free-space": free_space_db,
        "umi-los": umi_los_db,
        "umi-nlos": umi_nlos_db,
        "uma-los": uma_los_db,
        "uma-nlos": uma_nlos_db,
    }
)

LOS_PROBABILITIES: Mapping[str, Callable[[float], float]] = MappingProxyType(
    {
        "umi": umi_los_probability,
        "uma": uma_los_probability,
    }
)


def draw_los(rng: np.random.Generator, environment: str, distance_m: float) -> str:
    """Return the environment with its line-of-sight state drawn for one place.

    Args:
        rng: Source of the one uniform draw.
        environment: "umi" or "uma", a key of `LOS_PROBABILITIES`.
        distance_m: Ground distance d_2D, 10 to 5000 m; the device is at 1.5 m height.

    Returns:
        A key of `ENVIRONMENTS`: the name with "-los" or "-nlos" appended.

    Raises:
        ValueError: If the environment has no such state, or the distance is out of range.

    Source:
        3GPP TR 38.901, clause 7.4.2.

    Example:
        >>> draw_los(np.random.default_rng(0), "umi", 18.0)
        'umi-los'
    """
    if environment not in LOS_PROBABILITIES:
        allowed = ", ".join(LOS_PROBABILITIES)
        raise ValueError(f"environment must be one of {allowed}, got {environment!r}")
    probability = LOS_PROBABILITIES[environment](distance_m)
    return f"{environment}-los" if rng.random() < probability else f"{environment}-nlos"


def _geometry(
    distance_m: ArrayLike, carrier_hz: float, bs_height_m: float, ut_height_m: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return d_2D, d_3D and d'_BP in m, after checking the arguments UMi and UMa share."""
    ground_m = _checked_distance(distance_m)
    _within("carrier_hz", carrier_hz, *CARRIER_RANGE_HZ, "TR 38.901 Table 7.4.1-1")
    if not ENVIRONMENT_HEIGHT_M < bs_height_m < np.inf:
        raise ValueError(f"bs_height_m must be above 1 m (h_E) and finite, got {bs_height_m}")
    effective_m2 = (bs_height_m - ENVIRONMENT_HEIGHT_M) * (ut_height_m - ENVIRONMENT_HEIGHT_M)
    break_m = 4.0 * effective_m2 * carrier_hz / BREAKPOINT_SPEED_M_S
    return ground_m, np.hypot(ground_m, bs_height_m - ut_height_m), break_m


def _checked_distance(distance_m: ArrayLike) -> NDArray[np.float64]:
    return _within("distance_m", distance_m, *DISTANCE_RANGE_M, "TR 38.901 Table 7.4.1-1")


def _positive(name: str, values: ArrayLike) -> NDArray[np.float64]:
    checked = np.asarray(values, dtype=np.float64)
    wrong = ~((checked > 0.0) & np.isfinite(checked))
    if wrong.any():
        raise ValueError(f"{name} must be positive and finite, got {checked[wrong][0]}")
    return checked


def _within(
    name: str, values: ArrayLike, low: float, high: float, source: str
) -> NDArray[np.float64]:
    checked = np.asarray(values, dtype=np.float64)
    wrong = ~((checked >= low) & (checked <= high) & np.isfinite(checked))
    if wrong.any():
        raise ValueError(
            f"{name} must be {low:g} to {high:g} for {source}, got {checked[wrong][0]}"
        )
    return checked


def _like(given: FloatOrArray, values: NDArray[np.float64]) -> FloatOrArray:
    """Return the values as a float if a scalar was given."""
    return values if isinstance(given, np.ndarray) else float(values)
