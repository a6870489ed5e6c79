"""What a scenario may name, and which of it this version can run."""

from collections.abc import Sequence
from dataclasses import dataclass

from fadeline.simulator.errors import NotBuiltError
from fadeline.simulator.scenario.scenario import Scenario
from fadeline.simulator.scenario.scheme import LearnedScheme


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


CODECS = (
    Entry("stae", "spatiotemporal attention autoencoder (arXiv 2305.12796)", built=True),
    Entry("deepisc", "learned image codec, trained to restore frames", built=True),
    Entry("deepisc-task", "the same network, trained through the classifier", built=True),
    Entry("raw", "pixels as they are", built=True),
    Entry("local", "classify on the device, send nothing", built=True),
    Entry("table", "your own codec, as a file of measured outcomes", built=True),
    Entry("constant", "fixed size, accuracy and times, for checks against theory", built=True),
)
FADINGS = (
    Entry("awgn", "no fading", built=True),
    Entry("rayleigh", "Clarke's model: no line of sight", built=True),
    Entry("rician", "line of sight plus scatter, by K factor", built=True),
    Entry("block", "constant over a block, independent between blocks", built=True),
    Entry("tdl", "frequency-selective: TDL-A to E, TDLA30, TDLB100, TDLC300, TDLD30", built=True),
    Entry("trace", "recorded SNR, rate or Mahimahi packet deliveries", built=True),
)
RATES = (
    Entry("shannon", "Shannon's rate with a gap and a cap", built=True),
    Entry("finite-blocklength", "normal approximation with block errors", built=True),
    Entry("nr", "5G NR: modulation and coding schemes, block errors, HARQ"),
)
POLICIES = (Entry("expected-accuracy", "best expected accuracy in time, clip by clip"),)
PROFILES = (
    Entry("host", "cores of a cloud server, as measured by calibrate", built=True),
    Entry("raspberry-pi-4", "single-board computer, four Arm cores", built=True),
    Entry("jetson-nano", "embedded GPU board (2019)", built=True),
    Entry("jetson-orin-nano", "embedded GPU board (2023)", built=True),
    Entry("t4", "server GPU (2018), 70 W", built=True),
    Entry("a100", "server GPU (2020), 400 W", built=True),
)


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
        if isinstance(scheme, LearnedScheme) and scheme.policy is not None:
            parts.append((f"schemes.{index}.policy", scheme.policy.kind))
        if isinstance(scheme, LearnedScheme) and scheme.delivery != "whole":
            parts.append((f"schemes.{index}.delivery", scheme.delivery))
    _refuse(parts, "this scenario")


def _refuse(parts: Sequence[tuple[str, str]], what: str) -> None:
    built = {e.name: e.built for e in (*RATES, *POLICIES)}
    missing = [f"{path}: {name}" for path, name in parts if not built.get(name, False)]
    if missing:
        raise NotBuiltError(
            f"{what} is valid, but this version cannot run it yet; not built: {', '.join(missing)}"
        )
