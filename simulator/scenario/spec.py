"""What all parts of a scenario share: the base model, checked numbers, durations."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag


class Spec(BaseModel):
    """A part of a scenario: immutable, exact types, no unknown keys, no NaN or infinity."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, validate_default=False
    )


Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0, le=1e6)]
"""A simulated time; the range, eleven days, keeps clocks exact to well below a nanosecond."""

Metres = Annotated[float, Field(gt=0, le=1e7)]
Speed = Annotated[float, Field(ge=0, le=1000)]
"""In metres per second."""

PerSecond = Annotated[float, Field(gt=0, le=1e6)]
Decibels = Annotated[float, Field(ge=-200, le=200)]
"""A level or ratio in dB or dBm; the range keeps its linear value a sensible number."""

Name = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9][\w.@+-]*$")]
ProfileName = Annotated[str, Field(min_length=1, max_length=4096)]
"""A shipped compute profile, or the path of a file that ends in .yaml or .yml."""

NetworkSpeed = Literal["typical", "low", "high"]
NETWORK_SPEED: Any = Field(
    "typical",
    description="Which of the profile's sustained rates networks run at: the typical one, or an "
    "end of the range that its source gives.",
)


FileName = Annotated[str, Field(min_length=1, max_length=4096)]
"""The path of a file or folder; the range is that of Linux."""


class Exponential(Spec):
    """A duration drawn from an exponential distribution."""

    kind: Literal["exponential"]
    mean_s: Positive = Field(description="Mean, seconds.")


def _number_or_kind(value: Any) -> str:
    if isinstance(value, Exponential):
        return value.kind
    return str(value.get("kind")) if isinstance(value, dict) else "number"


Duration = Annotated[
    Annotated[NonNegative, Tag("number")] | Annotated[Exponential, Tag("exponential")],
    Discriminator(_number_or_kind),
]
"""A duration in seconds: a number, or a distribution to draw from."""
