"""What a scheme makes of clips: how long they take, how many bits they are, what is answered.

Everything here is known before the clock starts, from outcome tables and compute profiles.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fadeline.models.measurement.outcomes import FROZEN, OWN, UNCOMPRESSED, Outcomes
from fadeline.simulator.compute.network_time import NetworkTime
from fadeline.simulator.compute.profile import Profile, load_profile
from fadeline.simulator.engine.arrivals import Draws, Floats, durations_s, normals
from fadeline.simulator.errors import FadelineError
from fadeline.simulator.scenario.device import DeviceGroup
from fadeline.simulator.scenario.edge import Edge
from fadeline.simulator.scenario.scheme import ConstantScheme, LearnedScheme, Scheme, TableScheme
from fadeline.simulator.schemes.codec_table import read_codec_table
from fadeline.simulator.schemes.wanted import wanted_codec

Whole = NDArray[np.int64]
Columns = dict[str, NDArray[Any]]
Answers = Callable[[Whole], Columns]
"""From clips to the columns of their outcomes."""

Live = Callable[[str | None, int], Answers]
"""From a codec, None for clips as they are, and an operating point to what networks make of clips,
given by their data_index."""

ANSWER_COLUMNS = (
    "data_index", "bytes", "frame_bytes", "label", "predicted", "confidence", "correct",
)  # fmt: skip
"""Columns of outcome tables that a run needs."""

FARTHEST = 0.25
"""How far, as a part of it, a measured ratio may be from the one that is asked for (our choice)."""


@dataclass(frozen=True)
class Handled:
    """What a scheme makes of n clips of a device.

    Attributes:
        encode_s: Time that the device computes, shape (n,).
        payload_bits: Bits to send, shape (n,).
        infer_s: Time at the edge of each clip's own, shape (n,).
        infer_factor: On the time of the networks at the edge, shape (n,).
        data_index: Which clip of the set it is; -1 where there is no set.
        label, predicted: Classes; -1 where there are none.
        confidence: Probability of the answer; NaN where there is none.
        correct: Whether the answer is right.
        frame_bits: Bits that can be sent once each frame is encoded, shape (n, T), if frames are
            encoded and sent one by one.
    """

    encode_s: Floats
    payload_bits: Floats
    infer_s: Floats
    infer_factor: Floats
    data_index: Whole
    label: Whole
    predicted: Whole
    confidence: Floats
    correct: NDArray[np.bool_]
    frame_bits: Floats | None = None


@dataclass(frozen=True)
class Handling:
    """A scheme, ready for the clock.

    Attributes:
        name: Of the scheme.
        operating_point: Number of it; -1 where there is none.
        networks_s: Median time of the networks at the edge for a batch of so many clips.
        local: Whether the device answers.
        handle: From a device group and its clips' draws to what becomes of them.
        note: What the user should know of the choice of operating point.
        in_packets: Whether what is sent has headers.
        streaming: Whether frames are sent one by one.
        encode_s: Median time to encode on a device of a group, measured or by the rule alone; None
            where nothing is measured.
    """

    name: str
    operating_point: int
    networks_s: Callable[[int], float]
    local: bool
    handle: Callable[[DeviceGroup, Draws], Handled] = field(repr=False)
    note: str = ""
    in_packets: bool = True
    streaming: bool = False
    encode_s: Callable[[DeviceGroup, bool], float] | None = field(default=None, repr=False)


def handling(
    scheme: Scheme,
    name: str,
    ratio: float | None,
    edge: Edge,
    outcomes: Outcomes | None,
    live: Live | None = None,
) -> Handling:
    """Return how a scheme handles clips.

    Args:
        scheme: As the scenario has it.
        name: One of its names.
        ratio: The compression ratio behind that name.
        edge: The edge server.
        outcomes: What was measured of the clips; not needed for `constant` and `table`.
        live: Networks that outcomes come from instead; only times are then read.

    Raises:
        FadelineError: If no operating point was measured near the ratio, or a file is unusable.
    """
    if isinstance(scheme, ConstantScheme):
        return _constant(scheme, name)
    if isinstance(scheme, TableScheme):
        return _table(scheme, name)
    assert outcomes is not None
    if isinstance(scheme, LearnedScheme):
        assert ratio is not None
        return _learned(scheme, name, ratio, edge, outcomes, live)
    return _plain(scheme.codec == "local", name, edge, outcomes, live)


def _constant(scheme: ConstantScheme, name: str) -> Handling:
    def handle(_: DeviceGroup, draws: Draws) -> Handled:
        right = draws("answer") < scheme.accuracy
        none = np.full(len(right), -1)
        return Handled(
            encode_s=durations_s(scheme.encode_s, draws("encode")),
            payload_bits=np.full(len(right), float(scheme.payload_bits)),
            infer_s=durations_s(scheme.infer_s, draws("infer")),
            infer_factor=np.ones(len(right)),
            data_index=none,
            label=none,
            predicted=none,
            confidence=np.full(len(right), np.nan),
            correct=right,
        )

    return Handling(name, -1, lambda _: 0.0, False, handle, in_packets=False)


def _table(scheme: TableScheme, name: str) -> Handling:
    rows = read_codec_table(Path(scheme.file))

    def handle(_: DeviceGroup, draws: Draws) -> Handled:
        chosen = _chosen(draws, len(rows["data_index"]))
        none = np.full(len(chosen), -1)
        return Handled(
            encode_s=rows["encode_s"][chosen],
            payload_bits=rows["payload_bits"][chosen],
            infer_s=rows["infer_s"][chosen],
            infer_factor=np.ones(len(chosen)),
            data_index=rows["data_index"][chosen].astype(np.int64),
            label=none,
            predicted=none,
            confidence=np.full(len(chosen), np.nan),
            correct=rows["correct"][chosen].astype(bool),
        )

    return Handling(name, -1, lambda _: 0.0, False, handle)


def _learned(
    scheme: LearnedScheme,
    name: str,
    ratio: float,
    edge: Edge,
    outcomes: Outcomes,
    live: Live | None,
) -> Handling:
    codec, streaming = wanted_codec(scheme).table_name, scheme.streaming
    facts = outcomes.codecs[codec]
    point, measured = nearest_point(outcomes, codec, ratio, name)
    packets = int(facts.operating_points[point]["packets"])
    rows = _rows(outcomes, codec=codec, classifier=OWN, operating_point=point, packets=packets)
    clips = len(rows["data_index"])
    answers = _answers(rows, None if live is None else live(codec, point))
    profile = load_profile(edge.profile).at(edge.network_speed)
    host_speed = load_profile("host").serial_symbols_per_s
    assert host_speed is not None
    on_host = facts.serial_symbols_per_s / host_speed.value

    reference_s = outcomes.reference_network_s
    encoder = NetworkTime.measured(facts.encoder, facts.encoder_s, reference_s)
    decoder = NetworkTime.measured(facts.decoder, facts.decoder_s, reference_s)
    classifier = NetworkTime.by_rule(outcomes.classifier_work)
    # A streaming device calls the network for each frame, with its overhead and all weights.
    calls = len(rows["frame_bytes"][0]) if streaming else 1

    def networks_s(clips: int) -> float:
        return sum(
            network.on(profile, clips=clips, slowdown=edge.slowdown)
            for network in (decoder, classifier)
        )

    def encode_s(group: DeviceGroup, by_rule: bool = False) -> float:
        device, slowdown = load_profile(group.profile).at(group.network_speed), group.time_factor
        network = NetworkTime.by_rule(facts.encoder) if by_rule else encoder
        serial_s = facts.encode_serial_s[point] * on_host
        return calls * network.on(device, clips=1 / calls, slowdown=slowdown) + device.serial_s(
            serial_s, slowdown=slowdown
        )

    def handle(group: DeviceGroup, draws: Draws) -> Handled:
        device = load_profile(group.profile)
        serial_s = profile.serial_s(facts.decode_serial_s[point] * on_host, slowdown=edge.slowdown)
        found = answers(_chosen(draws, clips))
        handled = _answered(found, draws, device, profile, encode_s(group), serial_s)
        return _frame_by_frame(handled, found) if streaming else handled

    note = f"{name}: operating point {point} of {codec}, measured at {measured:.3g}x"
    return Handling(
        name, point, networks_s, False, handle, note, streaming=streaming, encode_s=encode_s
    )


def _plain(local: bool, name: str, edge: Edge, outcomes: Outcomes, live: Live | None) -> Handling:
    rows = _rows(outcomes, codec=UNCOMPRESSED, classifier=FROZEN, operating_point=0, packets=1)
    clips = len(rows["data_index"])
    answers = _answers(rows, None if live is None else live(None, 0))
    profile = load_profile(edge.profile).at(edge.network_speed)
    classifier = NetworkTime.by_rule(outcomes.classifier_work)

    def encode_s(group: DeviceGroup, _: bool = False) -> float:
        device = load_profile(group.profile).at(group.network_speed)
        return classifier.on(device, slowdown=group.time_factor) if local else 0.0

    def handle(group: DeviceGroup, draws: Draws) -> Handled:
        device = load_profile(group.profile)
        found = answers(_chosen(draws, clips))
        handled = _answered(found, draws, device, profile, encode_s(group), 0.0)
        return handled if not local else _without_payload(handled)

    def networks_s(clips: int) -> float:
        return classifier.on(profile, clips=clips, slowdown=edge.slowdown)

    return Handling(name, -1, networks_s, local, handle, encode_s=encode_s if local else None)


def nearest_point(outcomes: Outcomes, codec: str, ratio: float, name: str) -> tuple[int, float]:
    """Return the operating point measured nearest to a ratio, and its ratio.

    Raises:
        FadelineError: If the nearest is too far.
    """
    rows = outcomes.rows
    whole = {
        number: int(point["packets"])
        for number, point in enumerate(outcomes.codecs[codec].operating_points)
    }
    rows = rows[(rows["codec"] == codec) & (rows["classifier"] == OWN)]
    measured = {}
    for number, packets in whole.items():
        sent = rows[(rows["operating_point"] == number) & (rows["packets"] == packets)]["bytes"]
        if packets == 1 and len(sent):
            measured[number] = outcomes.raw_bytes / float(sent.mean())
    nearest = min(measured, key=lambda number: abs(measured[number] / ratio - 1.0))
    if abs(measured[nearest] / ratio - 1.0) > FARTHEST:
        there = ", ".join(f"{value:.0f}" for value in sorted(measured.values()))
        raise FadelineError(
            f"scheme {name}: no operating point of {codec} was measured near {ratio:g}x; the "
            f"nearest is {measured[nearest]:.0f}x, {measured[nearest] / ratio - 1.0:+.0%} off "
            f"(measured: {there})"
        )
    return nearest, measured[nearest]


def _rows(outcomes: Outcomes, **of: Any) -> Columns:
    rows = outcomes.rows
    for column, value in of.items():
        rows = rows[rows[column] == value]
    rows = rows.sort_values("data_index")
    return {column: rows[column].to_numpy() for column in ANSWER_COLUMNS}


def _chosen(draws: Draws, clips: int) -> Whole:
    """Return which of the set's clips each clip is: the same for all schemes."""
    numbers: Whole = (draws("data") * clips).astype(np.int64)
    return numbers


def _answers(rows: Columns, live: Answers | None) -> Answers:
    """Return what gives the outcomes of clips by their places in a table's rows."""
    if live is None:
        return lambda chosen: {column: values[chosen] for column, values in rows.items()}
    return lambda chosen: live(rows["data_index"][chosen])


def _answered(
    found: Columns, draws: Draws, device: Profile, edge: Profile, encode_s: float, serial_s: float
) -> Handled:
    encode_factor = np.exp(device.jitter.value * normals(draws("encode")))
    infer_factor = np.exp(edge.jitter.value * normals(draws("infer")))
    return Handled(
        encode_s=encode_s * encode_factor,
        payload_bits=8.0 * found["bytes"],
        infer_s=serial_s * infer_factor,
        infer_factor=infer_factor,
        data_index=found["data_index"].astype(np.int64),
        label=found["label"].astype(np.int64),
        predicted=found["predicted"].astype(np.int64),
        confidence=found["confidence"].astype(np.float64),
        correct=found["correct"].astype(bool),
    )


def _frame_by_frame(handled: Handled, found: Columns) -> Handled:
    frame_bytes = np.stack(list(found["frame_bytes"])).astype(np.float64)
    return replace(handled, frame_bits=8.0 * frame_bytes)


def _without_payload(handled: Handled) -> Handled:
    nothing = np.zeros(len(handled.encode_s))
    return replace(handled, payload_bits=nothing, infer_s=nothing)
