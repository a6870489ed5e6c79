"""Compute profiles: how fast a board works and what power it draws, each value with its source.

The rule (`fadeline.models.hardware.roofline`), for the networks of a stage and a whole batch:

    latency_s = (max(flops / sustained_flops_per_s, moved_bytes / memory_bandwidth_bytes_per_s)
                 + overhead_s) x slowdown

The operations of a network that was measured are as many as take its time on the shipped `host`
(`fadeline.simulator.compute.network_time`).

Serial work, such as entropy coding, is not counted in FLOPs: the time that it takes one core of the
shipped `host` is multiplied by single_core_factor and slowdown. A simulated time is the rule's,
which is a median, times exp(jitter x z), with z standard normal.
"""

import math
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from fadeline.models.errors import ProfileError
from fadeline.models.hardware.roofline import Roofline
from fadeline.simulator.documents.document import read_document
from fadeline.simulator.documents.messages import nearest, worded
from fadeline.simulator.errors import ScenarioError, dotted
from fadeline.simulator.scenario.spec import Count, Name, NetworkSpeed, NonNegative, Positive, Spec

_SHIPPED = Path(__file__).with_name("profiles")

Source = Annotated[str, Field(min_length=1, max_length=2000)]


PerSecond = Annotated[float, Field(ge=1e3, le=1e18)]
"""A rate; the range is that of machines there could be."""


class Rate(Spec):
    """A rate per second and where it is from.

    Its source may give several: `low` and `high` are the ends of their range.
    """

    value: PerSecond
    low: PerSecond | None = None
    high: PerSecond | None = None
    source: Source


class Overhead(Spec):
    """A time in seconds and where it is from."""

    value: Annotated[float, Field(ge=0, le=1e3)]
    source: Source


class Jitter(Spec):
    """Deviation of the logarithm of a time and where it is from; 1 is a factor of 2.7."""

    value: Annotated[float, Field(ge=0, le=2)]
    source: Source


class Factor(Spec):
    """A ratio of times and where it is from."""

    value: Annotated[float, Field(ge=1e-3, le=1e3)]
    source: Source


class Power(Spec):
    """A power in watts and where it is from."""

    value: Annotated[float, Field(ge=0, le=1e6)]
    source: Source


class MachineSpec(Spec):
    """The machine that a profile was measured on; see `fadeline.models.hardware.machine`."""

    cpu: str
    cores: Count
    memory_bytes: Count
    system: str
    python: str
    torch: str
    threads: Count
    date: str


class StageTimes(Spec):
    """Measured times of one stage at one batch size, seconds for the whole batch."""

    batch: Count
    median_s: Positive
    p5_s: Positive
    p95_s: Positive
    jitter: NonNegative
    repeats: Count


class Check(Spec):
    """A network that was measured, and predicted by a fit to the other networks."""

    network: str
    batch: Count
    flops: Positive
    moved_bytes: Positive
    measured_s: Positive
    predicted_s: Positive


class Profile(Spec):
    """A board. Its rates are sustained ones, by networks, not peaks from a data sheet."""

    name: Name
    summary: Annotated[str, Field(min_length=1, max_length=80)] = Field(
        description="What it is, in a few words."
    )
    precision: Annotated[str, Field(min_length=1)] = Field(
        description="Number format and software that the rates hold for."
    )
    sustained_flops_per_s: Rate = Field(description="Operations per second; a multiply-add is two.")
    memory_bandwidth_bytes_per_s: Rate = Field(description="Bytes per second.")
    overhead_s: Overhead = Field(description="Fixed time of a network call, seconds.")
    jitter: Jitter = Field(description="Deviation of log time.")
    single_core_factor: Factor = Field(
        description="Time of serial work over that of one core of the shipped host."
    )
    power_w: Power = Field(description="Drawn while it computes, watts.")
    idle_power_w: Power = Field(description="Drawn while it waits, watts.")
    serial_symbols_per_s: Rate | None = Field(
        None, description="Symbols that one core range-codes there and back, where measured."
    )
    machine: MachineSpec | None = Field(None, description="Where it was measured, if here.")
    stages: dict[str, Annotated[tuple[StageTimes, ...], Field(strict=False)]] = Field(
        {}, description="Measured times by stage."
    )
    check: Annotated[tuple[Check, ...], Field(strict=False)] = Field(
        (), description="How well the rule holds."
    )

    @property
    def roof(self) -> Roofline:
        """Rates and overhead as the rule takes them."""
        return Roofline(
            self.sustained_flops_per_s.value,
            self.memory_bandwidth_bytes_per_s.value,
            self.overhead_s.value,
        )

    def at(self, speed: NetworkSpeed) -> "Profile":
        """Return the same board with its networks at an end of the range of sustained rates.

        Raises:
            ProfileError: If its source gives no range.
        """
        if speed == "typical":
            return self
        rate = self.sustained_flops_per_s
        value = getattr(rate, speed)
        if value is None:
            raise ProfileError(
                f"profile {self.name} has no {speed} end of sustained_flops_per_s; network_speed "
                "can only be typical"
            )
        return self.model_copy(
            update={"sustained_flops_per_s": rate.model_copy(update={"value": value})}
        )

    def latency_s(self, flops: float, moved_bytes: float, *, slowdown: float = 1.0) -> float:
        """Return the median time of one network call, in seconds.

        Args:
            flops: Floating-point operations of the whole batch.
            moved_bytes: Bytes read and written for the whole batch.
            slowdown: Factor on the time, for sensitivity.

        Raises:
            ValueError: If a number is negative or not finite, or the slowdown is not positive.
        """
        _check_slowdown(slowdown)
        return self.roof.latency_s(flops, moved_bytes) * slowdown

    def serial_s(self, host_s: float, *, slowdown: float = 1.0) -> float:
        """Return the median time of work that only one core can do, in seconds.

        Args:
            host_s: Time on one core of the shipped host, seconds.
            slowdown: Factor on the time, for sensitivity.

        Raises:
            ValueError: If the time is negative or not finite, or the slowdown is not positive.
        """
        _check_slowdown(slowdown)
        if not (math.isfinite(host_s) and host_s >= 0):
            raise ValueError(f"host_s: must be a finite number of at least 0, got {host_s}")
        return host_s * self.single_core_factor.value * slowdown


def is_profile_file(name: str) -> bool:
    """Return whether a scenario's `profile` is meant as a file rather than a shipped name.

    Example:
        >>> is_profile_file("t4"), is_profile_file("laptop.yaml")
        (False, True)
    """
    return name.endswith((".yaml", ".yml"))


def load_profile(name: str) -> Profile:
    """Return a shipped profile by name, or that of a file, read once per version of the file.

    Args:
        name: Such as ``t4``, or the path of a file that ends in .yaml or .yml.

    Raises:
        ProfileError: If there is no such profile, or the file cannot be used.

    Example:
        >>> load_profile("t4").latency_s(8.18e9, 0.0, slowdown=2.0) > 0.01
        True
    """
    if is_profile_file(name):
        return read_profile(Path(name))
    file = _SHIPPED / f"{name}.yaml"
    if Path(name).name != name or not file.is_file():
        known = sorted(shipped_profiles())
        raise ProfileError(
            f"no profile named {name}{nearest(name, known)}; shipped are {', '.join(known)}; "
            "or give the path of a YAML file"
        )
    return read_profile(file)


def shipped_profiles() -> list[str]:
    """Return the names of the profiles in the package's folder: the host, then from slow to fast.

    A file that is put there is one of them.
    """
    found = {path.stem: read_profile(path) for path in _SHIPPED.glob("*.yaml")}
    return sorted(
        found, key=lambda name: (name != "host", found[name].sustained_flops_per_s.value, name)
    )


def read_profile(file: Path) -> Profile:
    """Return the profile in a file.

    Raises:
        ProfileError: With every fault found: file, line, path, what was given, what is allowed.
    """
    try:
        stamp_ns = file.stat().st_mtime_ns
    except (OSError, ValueError):
        stamp_ns = 0  # reading says what is wrong
    return _read(file, stamp_ns)


@lru_cache(maxsize=16)
def _read(file: Path, _stamp_ns: int) -> Profile:
    # A memo of the file's content, not state: every group of every point of a sweep asks for it.
    try:
        document = read_document(file, what="profile")
    except ScenarioError as error:
        raise ProfileError(str(error)) from None
    try:
        return Profile.model_validate(document.data)
    except ValidationError as error:
        faults = [
            f"{document.place_of(path)}: {dotted(path)}: {message}"
            for path, message in worded(error, document.data, model=Profile)
        ]
        raise ProfileError("\n".join(faults)) from None


def _check_slowdown(slowdown: float) -> None:
    if not (math.isfinite(slowdown) and slowdown > 0):
        raise ValueError(f"slowdown: must be a finite number above 0, got {slowdown}")
