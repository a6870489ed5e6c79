"""Groups of devices in a scenario: how many, how fast, how they queue and transmit."""

from typing import Annotated, Literal

from pydantic import Field

from fadeline.simulator.scenario.channel import (
    Geometry,
)
from fadeline.simulator.scenario.fading import (
    Fading,
)
from fadeline.simulator.scenario.spec import (
    NETWORK_SPEED,
    Decibels,
    Name,
    NetworkSpeed,
    NonNegative,
    Positive,
    ProfileName,
    Spec,
    Speed,
)


class DeviceQueue(Spec):
    """Clips waiting on the device to be encoded or sent."""

    limit: Annotated[int, Field(ge=0)] = Field(2, description="Clips waiting, at most.")
    when_full: Literal["drop-oldest", "drop-newest"] = Field(
        "drop-oldest", description="Which clip is given up when one too many waits."
    )
    drop_expired: bool = Field(
        False, description="Give up clips that wait once their deadline has passed."
    )


class DeviceGroup(Spec):
    """Devices of one kind. What a group says of the channel overrides `channel`."""

    name: Name | None = Field(None, description="Left out: group-0, group-1, ... by position.")
    count: Annotated[int, Field(ge=1, le=100_000)] = Field(1, description="Number of devices.")
    profile: ProfileName = Field(
        "host", description="Compute profile: a name of `fadeline list`, or a YAML file."
    )
    share: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None,
        description="Part of the board that computes for us, and whose power is charged; left out: "
        "all of it.",
    )
    slowdown: Positive = Field(1.0, description="The same as share, as 1 / share.")
    network_speed: NetworkSpeed = NETWORK_SPEED
    queue: DeviceQueue = Field(DeviceQueue(), description="Queue of each device.")
    tx_power_dbm: Decibels = Field(
        23.0, description="Transmit power, dBm; 23 is power class 3 (TS 38.101-1 table 6.2.1-1)."
    )
    pa_efficiency: Annotated[float, Field(gt=0, le=1)] = Field(
        0.35, description="Radiated over consumed power of the amplifier."
    )
    idle_power: bool = Field(
        False,
        description="Charge clips with what the board draws while it waits for them, too: each of "
        "a device's clips with an equal part of it.",
    )
    radio_circuit_w: NonNegative = Field(
        0.0982,
        description="Drawn by the transmitter beside the amplifier while it sends, watts "
        "(Cui, Goldsmith and Bahai, IEEE Trans. Wireless Commun. 4(5), 2005: 98.2 mW).",
    )
    fading: Fading | None = Field(None, description="Overrides channel.fading.")
    speed_m_s: Speed | None = Field(
        None, description="Overrides channel.speed_m_s, metres per second."
    )
    mean_snr_db: Decibels | None = Field(None, description="Overrides the mean SNR, dB.")
    geometry: Geometry | None = Field(None, description="Overrides the mean SNR.")

    @property
    def board_share(self) -> float:
        """Part of the board that computes for us; above 1 for a board that is faster than it."""
        return 1.0 / self.slowdown if self.share is None else self.share

    @property
    def time_factor(self) -> float:
        """Factor on the profile's compute times."""
        return self.slowdown if self.share is None else 1.0 / self.share
