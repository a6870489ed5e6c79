"""The schemes of trained codecs: at one operating point, or at several under a policy."""

from collections.abc import Sequence

from fadeline.models.measurement.outcomes import OWN, Outcomes
from fadeline.simulator.compute.network_time import NetworkTime
from fadeline.simulator.compute.profile import load_profile
from fadeline.simulator.errors import FadelineError
from fadeline.simulator.scenario.device import DeviceGroup
from fadeline.simulator.scenario.edge import Edge
from fadeline.simulator.scenario.policy import Point
from fadeline.simulator.scenario.scheme import CodecScheme
from fadeline.simulator.schemes.answers import answered, answers_of, rows_of
from fadeline.simulator.schemes.draws import Draws, chosen
from fadeline.simulator.schemes.scheme import Live, PreparedClips, PreparedScheme
from fadeline.simulator.schemes.wanted import wanted_codec

FARTHEST = 0.25
"""How far, as a part of it, a measured ratio may be from the one that is asked for (our choice)."""


def learned_scheme(
    scheme: CodecScheme,
    name: str,
    ratios: Sequence[float],
    edge: Edge,
    outcomes: Outcomes,
    live: Live | None,
) -> PreparedScheme:
    """Return the scheme of a trained codec.

    Args:
        scheme: As the scenario has it.
        name: One of its names.
        ratios: Compression ratios to choose from; one without a policy.
        edge: The edge server.
        outcomes: What was measured of the clips.
        live: Networks that outcomes come from instead; only times are then read.

    Raises:
        FadelineError: If no operating point was measured near a ratio.
    """
    codec, streaming = wanted_codec(scheme).table_name, scheme.streaming
    facts = outcomes.codecs[codec]
    taken = [nearest_point(outcomes, codec, ratio, name) for ratio in ratios]
    numbers = [number for number, _ in taken]
    rows = [
        rows_of(outcomes, codec=codec, classifier=OWN, operating_point=number,
                packets=int(facts.operating_points[number]["packets"]))
        for number in numbers
    ]  # fmt: skip
    clips = len(rows[0]["data_index"])
    answers = [
        answers_of(part, None if live is None else live(codec, number))
        for number, part in zip(numbers, rows, strict=True)
    ]
    profile = load_profile(edge.profile).at(edge.network_speed)
    host_speed = load_profile("host").serial_symbols_per_s
    assert host_speed is not None
    on_host = facts.serial_symbols_per_s / host_speed.value

    reference_s = outcomes.reference_network_s
    encoder = NetworkTime.measured(facts.encoder, facts.encoder_s, reference_s)
    decoder = NetworkTime.measured(facts.decoder, facts.decoder_s, reference_s)
    classifier = NetworkTime.by_rule(outcomes.classifier_work)
    # A streaming device calls the network for each frame, with its overhead and all weights.
    calls = len(rows[0]["frame_bytes"][0]) if streaming else 1

    def networks_s(clips: int) -> float:
        return sum(
            network.on(profile, clips=clips, slowdown=edge.slowdown)
            for network in (decoder, classifier)
        )

    def encodes_s(group: DeviceGroup, number: int, by_rule: bool = False) -> float:
        device, slowdown = load_profile(group.profile).at(group.network_speed), group.time_factor
        network = NetworkTime.by_rule(facts.encoder) if by_rule else encoder
        serial_s = facts.encode_serial_s[number] * on_host
        return calls * network.on(device, clips=1 / calls, slowdown=slowdown) + device.serial_s(
            serial_s, slowdown=slowdown
        )

    def prepare(group: DeviceGroup, draws: Draws) -> PreparedClips:
        which = chosen(draws, clips)
        found = [part(which) for part in answers]
        encode_s = [encodes_s(group, number) for number in numbers]
        serial_s = [
            profile.serial_s(facts.decode_serial_s[number] * on_host, slowdown=edge.slowdown)
            for number in numbers
        ]
        device = load_profile(group.profile)
        return answered(found, draws, device, profile, encode_s, serial_s, streaming=streaming)

    def points(group: DeviceGroup) -> list[Point]:
        return [
            Point(measured, 8.0 * float(part["bytes"].mean()), encodes_s(group, number))
            for (number, measured), part in zip(taken, rows, strict=True)
        ]

    return PreparedScheme(
        name,
        tuple(numbers),
        prepare,
        networks_s,
        policy=scheme.policy,
        points=points,
        streaming=streaming,
        notes=tuple(
            f"{name}: operating point {number} of {codec}, measured at {measured:.3g}x"
            for number, measured in taken
        ),
        encode_s=lambda group, by_rule: encodes_s(group, numbers[0], by_rule),
    )


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
