"""Schemes in a scenario: ways of handling a clip that are compared with one another."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from fadeline.simulator.scenario.policy import AnyPolicy, Ratio
from fadeline.simulator.scenario.spec import Count, Duration, FileName, Fraction, Name, Spec


def _one_or_several(value: Any) -> str:
    return "several" if isinstance(value, list | tuple) else "one"


class LearnedScheme(Spec):
    """A trained codec at one operating point, at several, or under a policy."""

    codec: Literal["stae", "deepisc", "deepisc-task"]
    name: Name | None = Field(None, description="Left out: codec@ratio, or codec-streaming@ratio.")
    ratio: (
        Annotated[
            Annotated[Ratio, Tag("one")]
            | Annotated[tuple[Ratio, ...], Field(strict=False, min_length=1), Tag("several")],
            Discriminator(_one_or_several),
        ]
        | None
    ) = Field(None, description="Measured point nearest in ratio; a list makes several schemes.")
    weights: FileName | None = Field(
        None, description="A .safetensors file of such a codec; left out: the shipped one."
    )
    policy: AnyPolicy | None = Field(
        None, description="What chooses among ratios, clip by clip; instead of ratio."
    )
    delivery: Literal["whole", "anytime"] = Field(
        "whole", description="anytime: classify at the deadline what has arrived by then."
    )
    streaming: bool = Field(
        False, description="Encode and send frames during capture; per-frame codecs only."
    )


class RawScheme(Spec):
    """Send the pixels as they are."""

    codec: Literal["raw"]
    name: Name | None = Field(None, description="Left out: raw.")


class LocalScheme(Spec):
    """Classify on the device and send nothing."""

    codec: Literal["local"]
    name: Name | None = Field(None, description="Left out: local.")


class TableScheme(Spec):
    """Your own codec: measured sizes, answers and times in a file."""

    codec: Literal["table"]
    file: str = Field(
        min_length=1,
        description="Parquet or CSV with data_index, payload_bits, correct, encode_s, infer_s.",
    )
    name: Name | None = Field(None, description="Left out: table.")


class ConstantScheme(Spec):
    """A codec without a model, for checks against theory; its times are exact."""

    codec: Literal["constant"]
    payload_bits: Count = Field(description="Bits sent per clip.")
    accuracy: Fraction = Field(1.0, description="Probability of a right answer.")
    encode_s: Duration = Field(0.0, description="Time to encode, seconds.")
    infer_s: Duration = Field(0.0, description="Time to decode and classify, seconds.")
    name: Name | None = Field(None, description="Left out: constant.")


Scheme = Annotated[
    LearnedScheme | RawScheme | LocalScheme | TableScheme | ConstantScheme,
    Field(discriminator="codec"),
]


def scheme_names(scheme: Scheme) -> list[str]:
    """Return the names of the schemes that one entry stands for.

    Example:
        >>> scheme_names(LearnedScheme(codec="stae", ratio=[52, 104]))
        ['stae@52', 'stae@104']
    """
    if not isinstance(scheme, LearnedScheme) or scheme.ratio is None:
        return [scheme.name or scheme.codec]
    stem = scheme.name or codec_name(scheme)
    if not isinstance(scheme.ratio, tuple):
        return [scheme.name or f"{stem}@{scheme.ratio:g}"]
    return [f"{stem}@{ratio:g}" for ratio in scheme.ratio]


def codec_name(scheme: Scheme) -> str:
    """Return what a scheme is called without name and ratio.

    Example:
        >>> codec_name(LearnedScheme(codec="deepisc", ratio=104, streaming=True))
        'deepisc-streaming'
    """
    streaming = isinstance(scheme, LearnedScheme) and scheme.streaming
    return f"{scheme.codec}-streaming" if streaming else scheme.codec
