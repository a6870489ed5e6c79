"""What devices draw: computing, sending and, where it is asked, waiting."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fadeline.channels.units import dbm_to_w
from fadeline.simulator.compute.profile import load_profile
from fadeline.simulator.engine.records import Columns
from fadeline.simulator.scenario.device import DeviceGroup

Floats = NDArray[np.float64]


def energy_columns(
    groups: Sequence[DeviceGroup],
    counts: Sequence[int],
    computed_s: Floats,
    airtime_s: Floats,
    horizon_s: float,
) -> Columns:
    """Return the energy of every clip, in joules.

    Args:
        groups: Of each device.
        counts: Clips of each device.
        computed_s: How long each clip's device computed for it, shape (n,).
        airtime_s: How long it transmitted for it, shape (n,).
        horizon_s: How long each device was on.

    Returns:
        `compute_j`, `radio_j`, `idle_j`, and their sum `energy_j`, shape (n,) each.
    """

    def spread(values: Sequence[float]) -> Floats:
        return np.repeat(np.asarray(values, dtype=np.float64), counts)

    # A part of the board that computes longer is charged with a part of its power.
    compute_w = [load_profile(group.profile).power_w.value * group.board_share for group in groups]
    radio_w = [
        group.radio_circuit_w + dbm_to_w(group.tx_power_dbm) / group.pa_efficiency
        for group in groups
    ]
    compute_j = spread(compute_w) * computed_s
    radio_j = spread(radio_w) * airtime_s
    idle_j = spread(_idle_j(groups, counts, computed_s, horizon_s))
    return {
        "compute_j": compute_j,
        "radio_j": radio_j,
        "idle_j": idle_j,
        "energy_j": compute_j + radio_j + idle_j,
    }


def _idle_j(
    groups: Sequence[DeviceGroup], counts: Sequence[int], computed_s: Floats, horizon_s: float
) -> list[float]:
    """Return what each clip of a device is charged for the board's waiting, where that is asked."""
    ends = np.cumsum(counts)
    found = []
    for group, count, end in zip(groups, counts, ends, strict=True):
        if not group.idle_power or not count:
            found.append(0.0)
            continue
        waited_s = horizon_s - float(computed_s[end - count : end].sum())
        idle_w = load_profile(group.profile).idle_power_w.value * group.board_share
        found.append(idle_w * waited_s / count)
    return found
