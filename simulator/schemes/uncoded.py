"""The schemes without a codec: `raw` sends the pixels, `local` answers on the device."""

from dataclasses import replace

import numpy as np

from fadeline.models.measurement.outcomes import FROZEN, UNCOMPRESSED, Outcomes
from fadeline.simulator.compute.network_time import NetworkTime
from fadeline.simulator.compute.profile import load_profile
from fadeline.simulator.scenario.device import DeviceGroup
from fadeline.simulator.scenario.edge import Edge
from fadeline.simulator.schemes.answers import answered, answers_of, rows_of
from fadeline.simulator.schemes.draws import Draws, chosen
from fadeline.simulator.schemes.scheme import Live, PreparedClips, PreparedScheme


def uncoded_scheme(
    name: str, edge: Edge, outcomes: Outcomes, live: Live | None, *, local: bool
) -> PreparedScheme:
    """Return a scheme that classifies clips as they are, at the edge or on the device."""
    rows = rows_of(outcomes, codec=UNCOMPRESSED, classifier=FROZEN, operating_point=0, packets=1)
    clips = len(rows["data_index"])
    answers = answers_of(rows, None if live is None else live(None, 0))
    profile = load_profile(edge.profile).at(edge.network_speed)
    classifier = NetworkTime.by_rule(outcomes.classifier_work)

    def encode_s(group: DeviceGroup, _: bool = False) -> float:
        device = load_profile(group.profile).at(group.network_speed)
        return classifier.on(device, slowdown=group.time_factor) if local else 0.0

    def prepare(group: DeviceGroup, draws: Draws) -> PreparedClips:
        found = [answers(chosen(draws, clips))]
        device = load_profile(group.profile)
        made = answered(found, draws, device, profile, [encode_s(group)], [0.0])
        if not local:
            return made
        nothing = np.zeros_like(made.encode_s)
        return replace(made, payload_bits=nothing, infer_s=nothing)

    def networks_s(clips: int) -> float:
        return classifier.on(profile, clips=clips, slowdown=edge.slowdown)

    measured = encode_s if local else None
    return PreparedScheme(name, (-1,), prepare, networks_s, local=local, encode_s=measured)
