"""Fading in a scenario: the laws there are, their parameters, and where their gains come from.

To add a law that is flat over the band: a class here with its `kind`, its parameters and `gains`,
which calls the law itself in `fadeline.channels`, and a place in `FADINGS`. A package of its own
offers such a class as an entry point `fadeline.fading`.
"""

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from fadeline.simulator.scenario.kinds import all_kinds, open_union
from fadeline.simulator.scenario.spec import Seconds, Spec

if TYPE_CHECKING:
    from fadeline.channels.clarke import Gains

Floats = NDArray[np.float64]

KFactor = Annotated[float, Field(ge=-20, le=40)]
"""Rician K in dB; below -20 it is Rayleigh fading and above 40 no fading, for all purposes."""


class FadingSpec(Spec):
    """A kind of fading.

    Attributes:
        summary: What it is, in one line.
        moving: Whether `speed_m_s` sets its pace; it is refused where it does not.
    """

    summary: ClassVar[str] = ""
    moving: ClassVar[bool] = False
    kind: str


class FlatFading(FadingSpec):
    """A law whose gains are alike over the whole band."""

    def gains(
        self, rng: np.random.Generator, *, doppler_hz: float, step_s: float, steps: int, links: int
    ) -> "Gains":
        """Return narrowband gains.

        Args:
            rng: Generator that is drawn from.
            doppler_hz: Maximum Doppler frequency; 0 for laws that do not move.
            step_s: Time between samples, seconds.
            steps: Number of samples N.
            links: Number of independent links L.

        Returns:
            Complex gains with E|h|^2 = 1, shape (L, N), complex64.
        """
        raise NotImplementedError(f"fading {self.kind}")

    def power_quantiles(self, probability: Floats) -> Floats | None:
        """Return the quantiles of |h|^2 at probabilities; None where no closed form is known."""
        return None


class Awgn(FlatFading):
    """No fading: the SNR is the mean SNR."""

    summary = "no fading"
    kind: Literal["awgn"]

    def gains(
        self, rng: np.random.Generator, *, doppler_hz: float, step_s: float, steps: int, links: int
    ) -> "Gains":
        """Return ones, shape (L, N); nothing is drawn."""
        return np.ones((links, steps), np.complex64)

    def power_quantiles(self, probability: Floats) -> Floats:
        """Return a single one: all are alike."""
        return np.ones(1)


class RayleighFading(FlatFading):
    """Rayleigh fading with Clarke's Doppler spectrum."""

    summary = "Clarke's model: no line of sight"
    moving = True
    kind: Literal["rayleigh"]

    def gains(
        self, rng: np.random.Generator, *, doppler_hz: float, step_s: float, steps: int, links: int
    ) -> "Gains":
        """Return gains of `fadeline.channels.fading.rayleigh`, shape (L, N)."""
        from fadeline.channels.fading import rayleigh

        return rayleigh(rng, doppler_hz=doppler_hz, step_s=step_s, steps=steps, links=links)

    def power_quantiles(self, probability: Floats) -> Floats:
        """Return those of an exponential distribution of mean 1."""
        return -np.log1p(-probability)


class RicianFading(FlatFading):
    """Rician fading: a line-of-sight phasor plus Rayleigh scatter."""

    summary = "line of sight plus scatter, by K factor"
    moving = True
    kind: Literal["rician"]
    k_factor_db: KFactor = Field(description="Power of the line of sight over the scatter, dB.")
    los_angle_deg: Annotated[float, Field(ge=0, le=360)] = Field(
        45.0, description="Angle between motion and line of sight, degrees."
    )

    def gains(
        self, rng: np.random.Generator, *, doppler_hz: float, step_s: float, steps: int, links: int
    ) -> "Gains":
        """Return gains of `fadeline.channels.fading.rician`, shape (L, N)."""
        from fadeline.channels.fading import rician

        return rician(
            rng,
            k_factor_db=self.k_factor_db,
            los_angle_deg=self.los_angle_deg,
            doppler_hz=doppler_hz,
            step_s=step_s,
            steps=steps,
            links=links,
        )

    def power_quantiles(self, probability: Floats) -> Floats:
        """Return those of a noncentral chi-square distribution with two degrees of freedom."""
        return rician_quantiles(probability, self.k_factor_db)


class BlockFading(FlatFading):
    """Fading that is constant over a block and independent from block to block."""

    summary = "constant over a block, independent between blocks"
    kind: Literal["block"]
    block_s: Seconds = Field(description="Length of a block, seconds.")
    k_factor_db: KFactor | None = Field(None, description="Rician K, dB; left out: Rayleigh.")

    def gains(
        self, rng: np.random.Generator, *, doppler_hz: float, step_s: float, steps: int, links: int
    ) -> "Gains":
        """Return gains of `fadeline.channels.fading.block`, shape (L, N)."""
        from fadeline.channels.fading import block

        return block(
            rng,
            block_s=self.block_s,
            step_s=step_s,
            steps=steps,
            k_factor_db=self.k_factor_db,
            links=links,
        )

    def power_quantiles(self, probability: Floats) -> Floats:
        """Return those of Rayleigh or Rician fading."""
        if self.k_factor_db is None:
            return -np.log1p(-probability)
        return rician_quantiles(probability, self.k_factor_db)


class TdlFading(FadingSpec):
    """Frequency-selective fading: a tapped delay line of 3GPP."""

    summary = "frequency-selective: TDL-A to E, TDLA30, TDLB100, TDLC300, TDLD30"
    moving = True
    kind: Literal["tdl"]
    profile: Literal[
        "TDL-A", "TDL-B", "TDL-C", "TDL-D", "TDL-E", "TDLA30", "TDLB100", "TDLC300", "TDLD30"
    ] = Field(description="TR 38.901 table 7.7.2, or a fixed profile of TS 38.101-4.")
    delay_spread_s: Annotated[float, Field(gt=0, le=1e-4)] | None = Field(
        None, description="RMS delay spread of TDL-A to TDL-E, seconds."
    )
    backend: Literal["fadeline", "sionna"] = Field(
        "fadeline", description="Generator of the taps; sionna is the slow reference."
    )


class TraceFading(FadingSpec):
    """A recorded link: SNR or rate over time from a file."""

    summary = "recorded SNR, rate or Mahimahi packet deliveries"
    kind: Literal["trace"]
    file: str = Field(min_length=1, description="CSV, Parquet or Mahimahi file, from the YAML.")
    at_end: Literal["error", "loop"] = Field(
        "error", description="What to do where the recording is shorter than the run."
    )
    start: Literal["random", "fixed"] | None = Field(
        None,
        description="Where in the recording a run begins: drawn for each device and replication, "
        "or at its start; left out: random where the recording is longer than the run.",
    )
    format: Literal["table", "mahimahi"] = Field("table", description="Layout of the file.")
    bin_s: Seconds | None = Field(None, description="Bin of a Mahimahi trace, seconds.")
    max_gap_s: Seconds | None = Field(
        None, description="Longest time a row may hold, seconds; left out: twice the median."
    )


FADINGS: tuple[type[FadingSpec], ...] = (
    Awgn,
    RayleighFading,
    RicianFading,
    BlockFading,
    TdlFading,
    TraceFading,
)
"""All kinds of fading that come with the package."""

GROUP = "fadeline.fading"
"""Entry points by which other packages offer theirs: subclasses of `FlatFading`."""

if TYPE_CHECKING:
    Fading = FadingSpec
else:
    Fading = open_union(FADINGS, GROUP, FlatFading)


def fading_kinds() -> dict[str, type[Spec]]:
    """Return every kind of fading there is, those of other packages last.

    Raises:
        PluginError: If another package's cannot be used.
    """
    return all_kinds(FADINGS, GROUP, FlatFading)


def rician_quantiles(probability: Floats, k_factor_db: float) -> Floats:
    """Return the quantiles of |h|^2 under Rician fading of unit mean power.

    Source:
        Simon and Alouini, Digital Communication over Fading Channels, 2nd ed., 2.2.1.2: |h|^2 is
        noncentral chi-square with two degrees of freedom.
    """
    from scipy.special import chndtrix

    k = 10.0 ** (k_factor_db / 10.0)
    quantiles: Floats = chndtrix(probability, 2.0, 2.0 * k) / (2.0 * (k + 1.0))
    return quantiles
