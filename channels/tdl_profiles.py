"""Tapped-delay-line profiles of 3GPP, as the standard tabulates them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from fadeline.channels.units import db_to_linear

LOS_DOPPLER_RATIO = 0.7
"""Doppler shift of the line of sight over the maximum Doppler frequency (TR 38.901, 7.7.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TdlProfile:
    """Delays and mean powers of the taps of one profile.

    Attributes:
        delays: Delay of each tap, over the delay spread; in nanoseconds where `delay_spread_s` is
            fixed.
        powers_db: Mean power of the Rayleigh part of each tap, dB.
        los_power_db: Power of the line of sight in the first tap, dB; None without one.
        delay_spread_s: Delay spread of a profile with fixed delays, seconds; None where the user
            scales the delays.
    """

    delays: tuple[float, ...]
    powers_db: tuple[float, ...]
    los_power_db: float | None = None
    delay_spread_s: float | None = None

    def delays_s(self, delay_spread_s: float | None) -> NDArray[np.float64]:
        """Return the delay of each tap, shape (taps,), seconds.

        Args:
            delay_spread_s: Delay spread that scales the delays; None for a fixed profile.

        Raises:
            ValueError: If a fixed profile gets a delay spread, or a scaled one gets none or one
                that is not positive.
        """
        delays = np.array(self.delays)
        if self.delay_spread_s is not None:
            if delay_spread_s is not None:
                raise ValueError(
                    f"the delay spread of this profile is fixed at {self.delay_spread_s:g} s; "
                    "leave delay_spread_s out"
                )
            return delays * 1e-9
        if delay_spread_s is None or not delay_spread_s > 0:
            raise ValueError(f"delay_spread_s must be positive, got {delay_spread_s}")
        return delays * delay_spread_s

    def mean_powers(self) -> tuple[NDArray[np.float64], float]:
        """Return the power of each tap's Rayleigh part, shape (taps,), and of the line of sight.

        Linear, scaled so that everything together has power 1.
        """
        powers = db_to_linear(np.array(self.powers_db))
        los = 0.0 if self.los_power_db is None else db_to_linear(self.los_power_db)
        total = float(powers.sum()) + los
        return powers / total, los / total


# TDL-A to TDL-E: TR 38.901 V19.2, tables 7.7.2-1 to 7.7.2-5.
# TDLA30 to TDLD30: TS 38.101-4 V19.2.2, annex B.2.1.
# fmt: off
TDL_PROFILES: Mapping[str, TdlProfile] = MappingProxyType({
    "TDL-A": TdlProfile(
        delays=(
            0.0, 0.3819, 0.4025, 0.5868, 0.461, 0.5375, 0.6708, 0.575, 0.7618, 1.5375, 1.8978,
            2.2242, 2.1718, 2.4942, 2.5119, 3.0582, 4.081, 4.4579, 4.5695, 4.7966, 5.0066, 5.3043,
            9.6586,
        ),
        powers_db=(
            -13.4, 0.0, -2.2, -4.0, -6.0, -8.2, -9.9, -10.5, -7.5, -15.9, -6.6, -16.7, -12.4,
            -15.2, -10.8, -11.3, -12.7, -16.2, -18.3, -18.9, -16.6, -19.9, -29.7,
        ),
    ),
    "TDL-B": TdlProfile(
        delays=(
            0.0, 0.1072, 0.2155, 0.2095, 0.287, 0.2986, 0.3752, 0.5055, 0.3681, 0.3697, 0.57,
            0.5283, 1.1021, 1.2756, 1.5474, 1.7842, 2.0169, 2.8294, 3.0219, 3.6187, 4.1067, 4.279,
            4.7834,
        ),
        powers_db=(
            0.0, -2.2, -4.0, -3.2, -9.8, -1.2, -3.4, -5.2, -7.6, -3.0, -8.9, -9.0, -4.8, -5.7,
            -7.5, -1.9, -7.6, -12.2, -9.8, -11.4, -14.9, -9.2, -11.3,
        ),
    ),
    "TDL-C": TdlProfile(
        delays=(
            0.0, 0.2099, 0.2219, 0.2329, 0.2176, 0.6366, 0.6448, 0.656, 0.6584, 0.7935, 0.8213,
            0.9336, 1.2285, 1.3083, 2.1704, 2.7105, 4.2589, 4.6003, 5.4902, 5.6077, 6.3065,
            6.6374, 7.0427, 8.6523,
        ),
        powers_db=(
            -4.4, -1.2, -3.5, -5.2, -2.5, 0.0, -2.2, -3.9, -7.4, -7.1, -10.7, -11.1, -5.1, -6.8,
            -8.7, -13.2, -13.9, -13.9, -15.8, -17.1, -16.0, -15.7, -21.6, -22.8,
        ),
    ),
    "TDL-D": TdlProfile(
        delays=(
            0.0, 0.035, 0.612, 1.363, 1.405, 1.804, 2.596, 1.775, 4.042, 7.937, 9.424, 9.708,
            12.525,
        ),
        powers_db=(
            -13.5, -18.8, -21.0, -22.8, -17.9, -20.1, -21.9, -22.9, -27.8, -23.6, -24.8, -30.0,
            -27.7,
        ),
        los_power_db=-0.2,
    ),
    "TDL-E": TdlProfile(
        delays=(
            0.0, 0.5133, 0.544, 0.563, 0.544, 0.7112, 1.9092, 1.9293, 1.9589, 2.6426, 3.7136,
            5.4524, 12.0034, 20.6519,
        ),
        powers_db=(
            -22.03, -15.8, -18.1, -19.8, -22.9, -22.4, -18.6, -20.8, -22.6, -22.3, -25.6, -20.2,
            -29.8, -29.2,
        ),
        los_power_db=-0.03,
    ),
    "TDLA30": TdlProfile(
        delays=(
            0.0, 10.0, 15.0, 20.0, 25.0, 50.0, 65.0, 75.0, 105.0, 135.0, 150.0, 290.0,
        ),
        powers_db=(
            -15.5, 0.0, -5.1, -5.1, -9.6, -8.2, -13.1, -11.5, -11.0, -16.2, -16.6, -26.2,
        ),
        delay_spread_s=30e-9,
    ),
    "TDLB100": TdlProfile(
        delays=(
            0.0, 10.0, 20.0, 30.0, 35.0, 45.0, 55.0, 120.0, 170.0, 245.0, 330.0, 480.0,
        ),
        powers_db=(
            0.0, -2.2, -0.6, -0.6, -0.3, -1.2, -5.9, -2.2, -0.8, -6.3, -7.5, -7.1,
        ),
        delay_spread_s=100e-9,
    ),
    "TDLC300": TdlProfile(
        delays=(
            0.0, 65.0, 70.0, 190.0, 195.0, 200.0, 240.0, 325.0, 520.0, 1045.0, 1510.0, 2595.0,
        ),
        powers_db=(
            -6.9, 0.0, -7.7, -2.5, -2.4, -9.9, -8.0, -6.6, -7.1, -13.0, -14.2, -16.0,
        ),
        delay_spread_s=300e-9,
    ),
    "TDLD30": TdlProfile(
        delays=(
            0.0, 20.0, 40.0, 55.0, 80.0, 120.0, 240.0, 285.0, 290.0, 375.0,
        ),
        powers_db=(
            -12.4, -21.0, -16.7, -18.3, -21.9, -27.8, -23.6, -24.8, -30.0, -27.6,
        ),
        los_power_db=-0.2,
        delay_spread_s=30e-9,
    ),
})
# fmt: on
