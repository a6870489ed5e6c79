"""The `constant` scheme: a codec without a model, for checks against theory."""

import numpy as np

from fadeline.simulator.scenario.device import DeviceGroup
from fadeline.simulator.scenario.scheme import ConstantScheme
from fadeline.simulator.schemes.draws import Draws, durations_s
from fadeline.simulator.schemes.scheme import PreparedClips, PreparedScheme


def constant_scheme(scheme: ConstantScheme, name: str) -> PreparedScheme:
    """Return a scheme of fixed size, accuracy and times."""

    def prepare(_: DeviceGroup, draws: Draws) -> PreparedClips:
        right = draws("answer") < scheme.accuracy
        return PreparedClips.without_labels(
            encode_s=durations_s(scheme.encode_s, draws("encode")),
            payload_bits=np.full(len(right), float(scheme.payload_bits)),
            infer_s=durations_s(scheme.infer_s, draws("infer")),
            correct=right,
        )

    return PreparedScheme(name, (-1,), prepare, in_packets=False)
