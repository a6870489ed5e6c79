"""Schemes in a scenario: ways of handling a clip that are compared with one another."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Field, Tag

from fadeline.models.codecs.catalogue import NOT_CODECS, codec_entries, codec_entry
from fadeline.simulator.scenario.policy import AnyPolicy, Ratio
from fadeline.simulator.scenario.spec import Count, Duration, FileName, Fraction, Name, Spec


def _one_or_several(value: Any) -> str:
    return "several" if isinstance(value, list | tuple) else "one"


def _listed(schema: dict[str, Any]) -> None:
    schema["enum"] = list(codec_entries())


class CodecScheme(Spec):
    """A codec at one operating point, at several (each a scheme of its own), or under a policy."""

    tag: ClassVar[str] = "a codec"
    codec: Annotated[str, Field(json_schema_extra=_listed)]
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

    @classmethod
    def kinds(cls) -> list[str]:
        """Return the names of all codecs."""
        return list(codec_entries())


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


def _scheme_tag(value: Any) -> str | None:
    codec = value.get("codec") if isinstance(value, dict) else getattr(value, "codec", None)
    if not isinstance(codec, str):
        return None
    return codec if codec in NOT_CODECS or codec_entry(codec) is None else CodecScheme.tag


Scheme = Annotated[
    Annotated[CodecScheme, Tag(CodecScheme.tag)]
    | Annotated[RawScheme, Tag("raw")]
    | Annotated[LocalScheme, Tag("local")]
    | Annotated[TableScheme, Tag("table")]
    | Annotated[ConstantScheme, Tag("constant")],
    Discriminator(_scheme_tag),
]


def scheme_names(scheme: Scheme) -> list[str]:
    """Return the names of the schemes that one entry stands for.

    Example:
        >>> scheme_names(CodecScheme(codec="stae", ratio=[52, 104]))
        ['stae@52', 'stae@104']
    """
    if not isinstance(scheme, CodecScheme) or scheme.ratio is None:
        return [scheme.name or scheme.codec]
    stem = scheme.name or codec_name(scheme)
    if not isinstance(scheme.ratio, tuple):
        return [scheme.name or f"{stem}@{scheme.ratio:g}"]
    return [f"{stem}@{ratio:g}" for ratio in scheme.ratio]


def codec_name(scheme: Scheme) -> str:
    """Return what a scheme is called without name and ratio.

    Example:
        >>> codec_name(CodecScheme(codec="deepisc", ratio=104, streaming=True))
        'deepisc-streaming'
    """
    streaming = isinstance(scheme, CodecScheme) and scheme.streaming
    return f"{scheme.codec}-streaming" if streaming else scheme.codec
