"""What a scenario may name, and which of it this version can run."""

from collections.abc import Sequence
from dataclasses import dataclass

from fadeline.models.codecs.catalogue import codec_entries
from fadeline.simulator.compute.profile import load_profile, shipped_profiles
from fadeline.simulator.errors import NotBuiltError
from fadeline.simulator.scenario.fading import fading_kinds
from fadeline.simulator.scenario.policy import policy_kinds
from fadeline.simulator.scenario.scenario import Scenario
from fadeline.simulator.scenario.scheme import CodecScheme
from fadeline.simulator.scenario.spec import Spec


@dataclass(frozen=True, slots=True)
class Entry:
    """One name of the catalogue.

    Attributes:
        name: As it is written in a scenario.
        summary: What it is, in one line.
        built: Whether this version can run it.
    """

    name: str
    summary: str
    built: bool = False


SCHEMES = (
    Entry("raw", "pixels as they are", built=True),
    Entry("local", "classify on the device, send nothing", built=True),
    Entry("table", "your own codec, as a file of measured outcomes", built=True),
    Entry("constant", "fixed size, accuracy and times, for checks against theory", built=True),
)
"""What schemes may name in the place of a codec."""

RATES = (
    Entry("shannon", "Shannon's rate with a gap and a cap", built=True),
    Entry("finite-blocklength", "normal approximation with block errors", built=True),
    Entry("nr", "5G NR: modulation and coding schemes, block errors, HARQ"),
)


def scheme_entries() -> list[Entry]:
    """Return all that schemes may name: codecs, those of other packages last, and the rest.

    Raises:
        PluginError: If another package's cannot be used.
    """
    codecs = [Entry(entry.name, entry.summary, built=True) for entry in codec_entries().values()]
    return [*codecs, *SCHEMES]


def fading_entries() -> list[Entry]:
    """Return every kind of fading, those of other packages last.

    Raises:
        PluginError: If another package's cannot be used.
    """
    return [Entry(kind, _summary(spec), built=True) for kind, spec in fading_kinds().items()]


def policy_entries() -> list[Entry]:
    """Return every policy, those of other packages last.

    Raises:
        PluginError: If another package's cannot be used.
    """
    return [
        Entry(kind, _summary(spec), built=getattr(spec, "built", True))
        for kind, spec in policy_kinds().items()
    ]


def profile_entries() -> list[Entry]:
    """Return every compute profile that comes with the package: the files in its folder."""
    return [Entry(name, load_profile(name).summary, built=True) for name in shipped_profiles()]


def _summary(spec: type[Spec]) -> str:
    return getattr(spec, "summary", "") or (spec.__doc__ or "").strip().partition("\n")[0]


def refuse_unbuilt_link(scenario: Scenario) -> None:
    """Refuse a scenario whose link this version cannot draw.

    Raises:
        NotBuiltError: Naming what is missing.
    """
    _refuse([("channel.rate", scenario.channel.rate.kind)], "this link")


def refuse_unbuilt_run(scenario: Scenario) -> None:
    """Refuse a scenario that this version cannot run.

    Raises:
        NotBuiltError: Naming what is missing, all of it.
    """
    parts: list[tuple[str, str]] = [("channel.rate", scenario.channel.rate.kind)]
    for index, scheme in enumerate(scenario.schemes):
        if isinstance(scheme, CodecScheme) and scheme.policy and not scheme.policy.built:
            parts.append((f"schemes.{index}.policy", scheme.policy.kind))
        if isinstance(scheme, CodecScheme) and scheme.delivery != "whole":
            parts.append((f"schemes.{index}.delivery", scheme.delivery))
    _refuse(parts, "this scenario")


def _refuse(parts: Sequence[tuple[str, str]], what: str) -> None:
    built = {e.name: e.built for e in RATES}
    missing = [f"{path}: {name}" for path, name in parts if not built.get(name, False)]
    if missing:
        raise NotBuiltError(
            f"{what} is valid, but this version cannot run it yet; not built: {', '.join(missing)}"
        )
