"""Policies: which operating point a clip is encoded at, from what its device knows.

All of a policy is here: its kind, its parameters, and how it chooses. To add one, write its class
and put it into `POLICIES`; a package of its own offers it as an entry point `fadeline.policies`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Protocol

import numpy as np
from pydantic import Field

from fadeline.simulator.scenario.kinds import all_kinds, open_union
from fadeline.simulator.scenario.spec import Spec

Ratio = Annotated[float, Field(ge=1)]
"""Compression ratio: raw bits of the sampled clip over all bits sent for it."""


@dataclass(frozen=True, slots=True)
class Point:
    """What is known beforehand of an operating point.

    Attributes:
        ratio: Measured compression ratio.
        payload_bits: Mean bits of a clip, without headers.
        encode_s: Median time to encode on this device, seconds.
    """

    ratio: float
    payload_bits: float
    encode_s: float


@dataclass(slots=True)  # not frozen: that takes three times as long to make
class Observation:
    """What a device knows when it begins to encode a clip; nothing of what is yet to come.

    Attributes:
        now_s: Time, seconds.
        born_s: When the clip was born, or will be if it is still filmed, seconds.
        deadline_s: How long after its birth an answer counts, seconds; infinite if none is given.
        clips_to_encode: Other clips that wait for the processor.
        clips_to_send: Clips that wait for the modem, with the one that is being sent.
        bits_to_send: Theirs, what is on the air already included.
        rate_bps: Of the last transfer, over all the time that it took; NaN before there is one.
        snr_db: Mean over its airtime; NaN where there is none.
        points: What is known of the operating points that there are.
    """

    now_s: float
    born_s: float
    deadline_s: float
    clips_to_encode: int
    clips_to_send: int
    bits_to_send: float
    rate_bps: float
    snr_db: float
    points: Sequence[Point]


class Policy(Protocol):
    """Chooses for the clips of one device, in the order in which they are encoded.

    Attributes:
        looks: Whether it looks at what its device knows, which is then put together for it.
    """

    looks: bool

    def choose(self, seen: Observation) -> int | None:
        """Return the place of an operating point in `seen.points`; None does without the clip."""


class PolicySpec(Spec):
    """A policy in a scenario; a subclass has a `kind`, its parameters, and `start`.

    Attributes:
        summary: What it does, in one line.
        built: Whether this version can run it.
        reads_deadline: Whether it looks at `Observation.deadline_s`: each deadline is then a world
            of its own.
    """

    summary: ClassVar[str] = ""
    built: ClassVar[bool] = True
    reads_deadline: ClassVar[bool] = False
    kind: str
    ratios: Annotated[tuple[Ratio, ...], Field(strict=False, min_length=1)] = Field(
        description="Operating points to choose from."
    )

    def start(self, rng: np.random.Generator) -> Policy:
        """Return the policy for one device in one replication.

        Args:
            rng: For whatever it draws.
        """
        raise NotImplementedError(f"policy {self.kind}")


class First:
    """Always the first operating point: the policy of a scheme that has one."""

    looks = False

    def choose(self, seen: Observation) -> int:
        """Return 0."""
        return 0


class Fixed(PolicySpec):
    """Always the same operating point."""

    summary = "always the same operating point: what a scheme with a ratio does"
    kind: Literal["fixed"]
    ratios: Annotated[tuple[Ratio, ...], Field(strict=False, min_length=1, max_length=1)] = Field(
        description="The one operating point."
    )

    def start(self, rng: np.random.Generator) -> Policy:
        """Return the policy; nothing is drawn."""
        return First()


class ExpectedAccuracy(PolicySpec):
    """Choose, clip by clip, the operating point with the best expected accuracy in time."""

    summary = "best expected accuracy in time, clip by clip"
    built = False
    reads_deadline = True
    kind: Literal["expected-accuracy"]


POLICIES: tuple[type[PolicySpec], ...] = (Fixed, ExpectedAccuracy)
"""All policies that come with the package."""

GROUP = "fadeline.policies"
"""Entry points by which other packages offer theirs: subclasses of `PolicySpec`."""

if TYPE_CHECKING:
    AnyPolicy = PolicySpec
else:
    AnyPolicy = open_union(POLICIES, GROUP, PolicySpec)


def policy_kinds() -> dict[str, type[Spec]]:
    """Return every kind of policy there is, those of other packages last.

    Raises:
        PluginError: If another package's cannot be used.
    """
    return all_kinds(POLICIES, GROUP, PolicySpec)
