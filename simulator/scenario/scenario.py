"""A scenario: everything a run depends on, as checked and immutable values."""

import math
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from fadeline.simulator.scenario.channel import (
    Channel,
)
from fadeline.simulator.scenario.device import DeviceGroup
from fadeline.simulator.scenario.edge import Edge
from fadeline.simulator.scenario.scheme import Scheme
from fadeline.simulator.scenario.spec import (
    Count,
    FileName,
    Name,
    NonNegative,
    PerSecond,
    Seconds,
    Spec,
)

DEFAULT_CLASSIFIER = "vit-tiny-actions"
"""Shipped classifier of clips as they are."""


class Periodic(Spec):
    """Clips at a fixed rate, each device with a random phase."""

    kind: Literal["periodic"]
    rate_hz: PerSecond = Field(description="Clips per second and device.")


class Poisson(Spec):
    """Clips as a Poisson process, independent between devices."""

    kind: Literal["poisson"]
    rate_hz: PerSecond = Field(description="Mean clips per second and device.")


class Clips(Spec):
    """What is filmed and how often."""

    data: Annotated[
        str, Field(pattern=r"^(actions/(train|val|test(@\d+)?)|(videofolder|hmdb51):.+)$")
    ] = Field(
        "actions/test",
        description="Set that the outcome tables were measured on: actions/train, actions/val, "
        "actions/test, actions/test@SEED, videofolder:PATH or hmdb51:PATH.",
    )
    splits: FileName | None = Field(
        None, description="Split file or folder of videos; left out: those in their folder."
    )
    draw: Count = Field(1, description="Draw of the split files of videos.")
    sampling: Literal["uniform", "dense"] = Field(
        "uniform", description="Which frames of a video make its clip."
    )
    skip_unreadable: bool = Field(
        False, description="Go on without videos that cannot be decoded; the manifest names them."
    )
    classifier: FileName = Field(
        DEFAULT_CLASSIFIER,
        description="Of clips as they are: a shipped name or a .safetensors file.",
    )
    arrivals: Annotated[Periodic | Poisson, Field(discriminator="kind")]
    frame_rate_hz: PerSecond = Field(
        32.0,
        description="Frames that a device films per second; matters where they are sent one by one "
        "(16 frames are then half a second).",
    )


class DeadlineGrid(Spec):
    """Evenly spaced deadlines."""

    start: Seconds = Field(description="First deadline, seconds.")
    stop: Seconds = Field(description="Last deadline, seconds.")
    points: Annotated[int, Field(ge=2, le=10_000)] = Field(description="Number of deadlines.")


class AutoTarget(Spec):
    """Replicate until the accuracy is known well enough."""

    at_least: Annotated[int, Field(ge=10)] = Field(10, description="Fewest replications.")
    half_width: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.01, description="Half-width of the 95 % interval at report_at_s to reach."
    )


class Auto(Spec):
    """`replications: auto`, spelt out."""

    auto: AutoTarget


def _shape(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "list"
    return (
        "map" if isinstance(value, dict | Spec) else "text" if isinstance(value, str) else "number"
    )


def _spell_out_auto(value: Any) -> Any:
    return {"auto": {}} if value == "auto" else value


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, dict | DeviceGroup) else value


Deadlines = Annotated[
    Annotated[DeadlineGrid, Tag("map")]
    | Annotated[tuple[Seconds, ...], Field(strict=False, min_length=1), Tag("list")],
    Discriminator(_shape),
]
Replications = Annotated[
    Annotated[Annotated[int, Field(ge=1, le=100_000)], Tag("number")] | Annotated[Auto, Tag("map")],
    Discriminator(_shape),
    BeforeValidator(_spell_out_auto),
]
Warmup = Annotated[
    Annotated[NonNegative, Tag("number")] | Annotated[Literal["mser5"], Tag("text")],
    Discriminator(_shape),
]
Devices = Annotated[
    tuple[DeviceGroup, ...], Field(strict=False, min_length=1), BeforeValidator(_as_list)
]
Schemes = Annotated[tuple[Scheme, ...], Field(strict=False, min_length=1)]
SweepValues = Annotated[tuple[Any, ...], Field(strict=False, min_length=1)]


class Scenario(Spec):
    """One experiment: who films what, over which channel, to which server, compared how."""

    name: Name = Field(description="Name of the scenario.")
    seed: Annotated[int, Field(ge=0, lt=2**63)] = Field(1, description="Seed of all randomness.")
    replications: Replications = Field(10, description="Independent repetitions, or auto.")
    duration_s: Seconds = Field(
        60.0, description="Simulated time in which counted clips are born, seconds."
    )
    warmup_s: Warmup = Field(2.0, description="Time before clips count, seconds, or mser5.")
    deadlines_s: Deadlines = Field(
        DeadlineGrid(start=0.005, stop=0.3, points=60),
        description="Deadlines that are plotted: start, stop and points, or a list, seconds.",
    )
    report_at_s: Seconds = Field(0.05, description="Deadline of the verdict, seconds.")
    baseline: Name | None = Field(
        None, description="Scheme or codec that differences are taken against."
    )
    clips: Clips
    devices: Devices = Field((DeviceGroup(),), description="One group of devices, or a list.")
    channel: Channel
    edge: Edge = Field(Edge(), description="The edge server.")
    schemes: Schemes = Field(description="What is compared; each runs alone in the world.")
    sweep: dict[str, SweepValues] = Field(
        {}, description="Values to try, by dotted path; all combinations are run."
    )

    @property
    def deadline_values_s(self) -> tuple[float, ...]:
        """All deadlines, ascending, seconds."""
        if isinstance(self.deadlines_s, tuple):
            return tuple(sorted(set(self.deadlines_s)))
        first, last, points = self.deadlines_s.start, self.deadlines_s.stop, self.deadlines_s.points
        return tuple(first + (last - first) * i / (points - 1) for i in range(points))

    @property
    def horizon_s(self) -> float:
        """Simulated time in all: clips go on for the longest deadline after the counted ones."""
        return self.duration_s + max(*self.deadline_values_s, self.report_at_s)

    @property
    def drawn_s(self) -> float:
        """How long links are drawn.

        The same for all deadlines up to a second, then up to two, four and so on, so that they meet
        the same fades.
        """
        longest_s = self.horizon_s - self.duration_s
        return self.duration_s + max(2.0 ** math.ceil(math.log2(longest_s)), 1.0)

    @property
    def band_parts(self) -> int:
        """Into how many equal parts the band is cut: one per device under fdma, else 1."""
        return sum(g.count for g in self.devices) if self.channel.sharing == "fdma" else 1

    @property
    def group_names(self) -> tuple[str, ...]:
        """Name of each device group, given or by position."""
        return tuple(group.name or f"group-{i}" for i, group in enumerate(self.devices))

    def channel_of(self, group: DeviceGroup) -> Channel:
        """Return the channel as one group of devices meets it.

        What the group gives replaces what the cell gives; a mean SNR replaces a geometry and the
        other way round, and what the group's own fading has no use for is dropped.
        """
        changes: dict[str, Any] = {}
        for field in ("fading", "speed_m_s", "mean_snr_db", "geometry"):
            if getattr(group, field) is not None:
                changes[field] = getattr(group, field)
        if "mean_snr_db" in changes:
            changes.setdefault("geometry", None)
        if "geometry" in changes:
            changes.setdefault("mean_snr_db", None)
        if "fading" in changes:
            if not changes["fading"].moving:
                changes.setdefault("speed_m_s", None)
            if changes["fading"].kind == "trace":
                for field in ("mean_snr_db", "geometry", "step_s"):
                    changes.setdefault(field, None)
        return self.channel.model_copy(update=changes)
