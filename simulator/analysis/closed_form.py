"""Accuracy against deadline in closed form, where there is one.

Quasi-static fading, nobody else on the link, nobody in a queue: the only thing that varies is the
fade that a clip meets. With B bits, bandwidth W, mean SNR g, an SNR gap G and Shannon's rate, all
sent within t if the fade's power is at least (2^(B / (W t)) - 1) G / g, so under Rayleigh fading

    P(sent within t) = exp(-(2^(B / (W t)) - 1) G / g)

up to the rate cap, and zero above it.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fadeline.channels.units import db_to_linear
from fadeline.simulator.links.packets import air_bits
from fadeline.simulator.links.traces import symbols_hz
from fadeline.simulator.scenario.channel import (
    Shannon,
)
from fadeline.simulator.scenario.fading import (
    BlockFading,
)
from fadeline.simulator.scenario.scenario import Scenario
from fadeline.simulator.schemes.scheme import PreparedScheme

Floats = NDArray[np.float64]

_CLIPS = 4000
"""Clips over which what is not the channel is averaged."""


def closed_form(scenario: Scenario, schemes: Sequence[PreparedScheme]) -> pd.DataFrame | None:
    """Return scheme, deadline_s and accuracy in closed form; None where there is none.

    There is one for a device that has its band to itself, Rayleigh block fading, Shannon's rate, a
    mean SNR that is given, and a constant round trip; not for streaming. It leaves out queues, and
    fades that change while a clip is sent.
    """
    channel, group = scenario.channel_of(scenario.devices[0]), scenario.devices[0]
    fading, rate = channel.fading, channel.rate
    if (
        len(scenario.devices) > 1
        or (group.count > 1 and channel.sharing != "fdma")
        or scenario.edge.batch.max_wait_s > 0
        or not isinstance(fading, BlockFading)
        or fading.k_factor_db is not None
        or not isinstance(rate, Shannon)
        or channel.mean_snr_db is None
        or not isinstance(scenario.edge.round_trip_s, float)
    ):
        return None
    assert channel.bandwidth_hz is not None
    parts = scenario.band_parts
    carrying_hz = symbols_hz(channel, parts)
    scale = float(db_to_linear(rate.gap_db)) / (float(db_to_linear(channel.mean_snr_db)) * parts)
    cap = rate.max_bits_per_symbol
    deadlines_s = np.array(scenario.deadline_values_s)
    frames = []
    for scheme in schemes:
        rng = np.random.default_rng(0)
        made = scheme.prepare(group, lambda _, rng=rng: rng.random(_CLIPS))  # type: ignore[misc]
        if scheme.streaming or scheme.policy is not None:
            continue
        encode_s = made.encode_s[:, 0]
        fixed_s = (
            encode_s
            + made.infer_s[:, 0]
            + scheme.networks_s(1) * made.infer_factor
            + scenario.edge.round_trip_s
            + channel.access_delay_s
        )
        if scheme.local:
            sent = (encode_s <= deadlines_s[:, None]).astype(float)
        else:
            left_s = deadlines_s[:, None] - fixed_s
            headers_bytes = channel.headers_bytes if scheme.in_packets else 0
            bits = air_bits(made.payload_bits[:, 0], headers_bytes)
            sent = sent_within(left_s, bits, carrying_hz, scale, cap)
        accuracy = (sent * made.correct[:, 0]).mean(axis=1)
        frames.append(
            pd.DataFrame({"scheme": scheme.name, "deadline_s": deadlines_s, "accuracy": accuracy})
        )
    return pd.concat(frames, ignore_index=True) if frames else None


def sent_within(
    time_s: Floats, bits: Floats | float, band_hz: float, scale: float, cap: float | None
) -> Floats:
    """Return the probability that bits are sent within times under quasi-static Rayleigh fading.

    Args:
        time_s: Times, seconds; nothing is sent in none.
        bits: Broadcast against the times.
        band_hz: Bandwidth.
        scale: SNR gap over mean SNR, linear.
        cap: Most bits per symbol; None for no cap.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        efficiency = np.where(time_s > 0, bits / (band_hz * time_s), np.inf)
        probability = np.exp(-(np.exp2(efficiency) - 1.0) * scale)
    probability = np.where(np.broadcast_to(bits, probability.shape) == 0, time_s >= 0, probability)
    if cap is not None:
        probability = np.where(efficiency > cap, 0.0, probability)
    return np.asarray(probability, dtype=np.float64)
