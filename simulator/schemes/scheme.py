"""A scheme that is ready for the clock: what it makes of clips, at each of its operating points."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fadeline.simulator.scenario.device import DeviceGroup
from fadeline.simulator.scenario.policy import Point, PolicySpec
from fadeline.simulator.schemes.draws import Draws, Floats

Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class PreparedClips:
    """What a scheme makes of n clips of a device at P operating points.

    Attributes:
        encode_s: Time that the device computes, shape (n, P).
        payload_bits: Bits to send, without headers, shape (n, P).
        infer_s: Time at the edge of each clip's own, shape (n, P).
        infer_factor: On the time of the networks at the edge, shape (n,).
        data_index: Which clip of the set it is, shape (n,); -1 where there is no set.
        label: Class, shape (n,); -1 where there is none.
        predicted: Class that is answered, shape (n, P); -1 where there is none.
        confidence: Probability of the answer, shape (n, P); NaN where there is none.
        correct: Whether the answer is right, shape (n, P).
        frame_bits: Bits that can be sent once each of T frames is encoded, shape (n, P, T), if
            frames are encoded and sent one by one.
    """

    encode_s: Floats
    payload_bits: Floats
    infer_s: Floats
    infer_factor: Floats
    data_index: Whole
    label: Whole
    predicted: Whole
    confidence: Floats
    correct: Flags
    frame_bits: Floats | None = None

    @classmethod
    def without_labels(
        cls,
        *,
        encode_s: Floats,
        payload_bits: Floats,
        infer_s: Floats,
        correct: Flags,
        data_index: Whole | None = None,
    ) -> "PreparedClips":
        """Return clips of a scheme with one operating point of which no more is known.

        Args:
            encode_s: As the attribute, shape (n,).
            payload_bits: As the attribute, shape (n,).
            infer_s: As the attribute, shape (n,).
            correct: As the attribute, shape (n,).
            data_index: As the attribute; left out: there is no set.
        """
        count = len(correct)
        none = np.full(count, -1)
        return cls(
            encode_s=encode_s[:, None],
            payload_bits=payload_bits[:, None],
            infer_s=infer_s[:, None],
            infer_factor=np.ones(count),
            data_index=none if data_index is None else data_index,
            label=none,
            predicted=none[:, None],
            confidence=np.full((count, 1), np.nan),
            correct=correct[:, None],
        )


@dataclass(frozen=True)
class PreparedScheme:
    """A scheme, ready for the clock.

    Attributes:
        name: Of the scheme.
        operating_points: Number of each in the outcome table, shape (P,); -1 where there is none.
        prepare: From a device group and its clips' draws to what becomes of them.
        networks_s: Median time of the networks at the edge for a batch of so many clips.
        policy: What chooses among the operating points; None with a single one.
        points: From a device group to what is known of the operating points, P of them.
        local: Whether the device answers.
        in_packets: Whether what is sent has headers.
        streaming: Whether frames are sent one by one.
        notes: What the user should know of the choice of operating points.
        encode_s: Median time to encode on a device of a group, measured or by the rule alone; None
            where nothing is measured.
    """

    name: str
    operating_points: tuple[int, ...]
    prepare: Callable[[DeviceGroup, Draws], PreparedClips] = field(repr=False)
    networks_s: Callable[[int], float] = field(default=lambda _: 0.0, repr=False)
    policy: PolicySpec | None = None
    points: Callable[[DeviceGroup], Sequence[Point]] = field(default=lambda _: (), repr=False)
    local: bool = False
    in_packets: bool = True
    streaming: bool = False
    notes: tuple[str, ...] = ()
    encode_s: Callable[[DeviceGroup, bool], float] | None = field(default=None, repr=False)


Columns = dict[str, NDArray[Any]]
"""Columns of an outcome table, of equal length."""

Answers = Callable[[Whole], Columns]
"""From clips to the columns of their outcomes."""

Live = Callable[[str | None, int], Answers]
"""From a codec, None for clips as they are, and an operating point to what networks make of clips,
given by their data_index."""

ANSWER_COLUMNS = (
    "data_index", "bytes", "frame_bytes", "label", "predicted", "confidence", "correct",
)  # fmt: skip
"""Columns of outcome tables that a run needs."""
