"""The radio channel in a scenario: fading, mean SNR or geometry, sharing and rate."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from fadeline.simulator.scenario.fading import Fading
from fadeline.simulator.scenario.spec import (
    Decibels,
    Metres,
    NonNegative,
    Positive,
    Seconds,
    Spec,
    Speed,
)

HEADERS_BYTES = 36
"""Headers of a packet: IPv4 20 (RFC 791), UDP 8 (RFC 768), SDAP 1, PDCP 3, RLC 2 and MAC 2 (TS
37.324, 38.323, 38.322, 38.321)."""


class LogDistance(Spec):
    """Path loss that grows by 10 n dB per decade of distance, from free space at a reference."""

    kind: Literal["log-distance"]
    exponent: Annotated[float, Field(ge=1, le=8)] = Field(description="Path loss exponent n.")
    reference_m: Metres = Field(1.0, description="Reference distance, metres.")
    shadowing_sigma_db: Annotated[float, Field(ge=0, le=30)] = Field(
        0.0, description="Standard deviation of the shadowing, dB."
    )
    shadowing_correlation_m: Metres = Field(
        50.0, description="Distance over which shadowing correlates by 1/e, metres."
    )


PathLossName = Literal["free-space", "umi", "umi-los", "umi-nlos", "uma", "uma-los", "uma-nlos"]


def _text_or_map(value: Any) -> str:
    return "log-distance" if isinstance(value, dict | LogDistance) else "name"


PathLoss = Annotated[
    Annotated[PathLossName, Tag("name")] | Annotated[LogDistance, Tag("log-distance")],
    Discriminator(_text_or_map),
]


class Line(Spec):
    """Straight-line motion from the device's distance on."""

    kind: Literal["line"]
    heading_deg: Annotated[float, Field(ge=-360, le=360)] = Field(
        description="0 leads away from the base station, 180 towards it, degrees."
    )
    speed_m_s: Speed | None = Field(
        None, description="Only where channel.speed_m_s is refused, metres per second."
    )


class Waypoint(Spec):
    """Random waypoints in a ring around the base station."""

    kind: Literal["waypoint"]
    min_distance_m: Metres = Field(10.0, description="Inner radius, metres.")
    max_distance_m: Metres = Field(description="Outer radius, metres.")
    pause_s: NonNegative = Field(0.0, description="Rest at each waypoint, seconds.")
    speed_m_s: Speed | None = Field(
        None, description="Only where channel.speed_m_s is refused, metres per second."
    )


class Static(Spec):
    """No motion: the mean SNR stays (the surroundings may still move)."""

    kind: Literal["static"]


Mobility = Annotated[Static | Line | Waypoint, Field(discriminator="kind")]


class Geometry(Spec):
    """Where the device stands and what the way to the base station costs."""

    distance_m: Metres = Field(description="Ground distance to the base station, metres.")
    noise_figure_db: Annotated[float, Field(ge=0, le=30)] = Field(
        5.0, description="Receiver noise figure, dB; 5 for a base station (ITU-R M.2412-0, 8.4)."
    )
    path_loss: PathLoss = Field("umi-nlos", description="Model of the mean path loss.")
    shadowing: bool = Field(False, description="Add log-normal shadowing to the path loss.")
    mobility: Mobility = Field(Static(kind="static"), description="How the device moves.")


class Shannon(Spec):
    """Shannon's rate at an SNR lowered by a gap, up to a cap."""

    kind: Literal["shannon"]
    gap_db: Annotated[float, Field(ge=0, le=30)] = Field(0.0, description="SNR gap, dB.")
    max_bits_per_symbol: Positive | None = Field(None, description="Largest rate per hertz.")


class FiniteBlocklength(Spec):
    """Normal approximation with blocks of finite length, each lost with some probability."""

    kind: Literal["finite-blocklength"]
    block_symbols: Annotated[int, Field(ge=50, le=10_000_000)] = Field(
        description="Complex symbols per block; the approximation needs some tens at least."
    )
    error_probability: Annotated[float, Field(gt=0, le=0.5)] = Field(
        description="Probability that a block is lost."
    )


class Nr(Spec):
    """5G NR link: modulation and coding schemes, block errors and HARQ."""

    kind: Literal["nr"]
    subcarrier_spacing_hz: Literal[15000, 30000, 60000, 120000] = Field(
        30000, description="TS 38.211 table 4.2-1, Hz."
    )
    mcs_table: Annotated[int, Field(ge=1, le=4)] = Field(1, description="TS 38.214, 5.1.3.1.")
    bler_target: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.1, description="Block error rate that link adaptation aims at."
    )
    harq_retransmissions: Annotated[int, Field(ge=0, le=16)] = Field(
        3, description="Most retransmissions of a block."
    )
    cqi_delay_s: NonNegative = Field(0.0, description="Age of the channel report, seconds.")


Rate = Annotated[Shannon | FiniteBlocklength | Nr, Field(discriminator="kind")]


class Fdd(Spec):
    """A band of its own for the uplink."""

    kind: Literal["fdd"]


class Tdd(Spec):
    """Up and downlink take turns in one band.

    The turns are a few milliseconds long, so the uplink is taken to have its part of every moment;
    up to one period of waiting for the next turn is left out.
    """

    kind: Literal["tdd"]
    uplink_share: Annotated[float, Field(gt=0, le=1)] = Field(
        0.23,
        description="Part of the time that is uplink; 0.23 is the pattern DDDSU with a special "
        "slot of 10:2:2 symbols, 16 of 70 (ECC Recommendation (20)03, for 3.4 to 3.8 GHz).",
    )


Duplex = Annotated[Fdd | Tdd, Field(discriminator="kind")]


class Channel(Spec):
    """The uplink of a cell."""

    fading: Fading
    carrier_hz: Annotated[float, Field(ge=1e6, le=1e12)] = Field(
        3.5e9, description="Carrier frequency, Hz; 3.5 GHz is NR band n78 (TS 38.101-1)."
    )
    speed_m_s: Speed | None = Field(
        None, description="Speed that sets the Doppler frequency, metres per second."
    )
    mean_snr_db: Decibels | None = Field(
        None, description="Mean SNR over the full band at full power, dB."
    )
    geometry: Geometry | None = Field(None, description="Instead of mean_snr_db.")
    bandwidth_hz: Annotated[float, Field(ge=1, le=1e12)] | None = Field(
        None,
        description="Band of the cell that is used, Hz: its resource blocks, not the name of the "
        "channel with its guard bands.",
    )
    overhead: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.0,
        description="Part of bandwidth_hz that carries no data. In NR 0.2: cyclic prefixes leave "
        "14 of 15 symbols (TS 38.211, 5.3.1), reference signals 12 of 14 (two symbols, 6.4.1.1).",
    )
    duplex: Duplex = Field(Fdd(kind="fdd"), description="Whether the band is for the uplink alone.")
    access_delay_s: NonNegative = Field(
        0.0,
        description="Scheduling request and grant before a transfer from a modem with nothing to "
        "send, seconds. 0 is a configured grant (TS 38.321, 5.8.2). Without one 0.005 to 0.01 at "
        "slots of 1 ms: half a request period of 5 to 10 slots (TS 38.331, "
        "SchedulingRequestResourceConfig), request, grant, and 1 to 4 slots to the data (k2, "
        "TS 38.214, 6.1.2.1).",
    )
    headers_bytes: Annotated[int, Field(ge=0, le=1000)] = Field(
        HEADERS_BYTES,
        description="Headers of each packet, bytes: IPv4 20 (RFC 791), UDP 8 (RFC 768), SDAP, "
        "PDCP, RLC and MAC 8 (TS 37.324: 1, 38.323: 3, 38.322: 2, 38.321: 2). Not for `constant`.",
    )
    sharing: Literal["equal", "fdma", "fifo"] = Field(
        "equal", description="How devices share: time, fixed parts of the band, or in turn."
    )
    rate: Rate = Field(Shannon(kind="shannon"), description="From SNR to bits per second.")
    step_s: Seconds | None = Field(
        None, description="Time step of the link trace, seconds; left out: from the Doppler."
    )
