"""Samples of a scenario's channel, with the closed forms that they should follow."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fadeline.channels.units import db_to_linear, linear_to_db
from fadeline.simulator.links.traces import device_trace, doppler_of, flat_gains, step_of
from fadeline.simulator.scenario.channel import (
    Channel,
    Shannon,
)
from fadeline.simulator.scenario.fading import (
    BlockFading,
    RayleighFading,
    RicianFading,
    TdlFading,
)
from fadeline.simulator.scenario.scenario import Scenario
from fadeline.simulator.streams import Streams

Floats = NDArray[np.float64]

SAMPLE_LINKS = 64
SAMPLE_STEPS = 20_000
"""Links and time steps behind the envelope and the autocorrelation (our choice): a point of the
curves then stands on several hundred fades at the default step."""

EXCERPT_CYCLES = 30.0
"""Doppler periods in the picture of SNR over time (our choice)."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A sampled curve and its closed form.

    Attributes:
        x: Abscissa, shape (n,).
        sampled: Values from samples, shape (n,).
        theory: Values of the closed form, shape (n,), or None where there is none.
    """

    x: Floats
    sampled: Floats
    theory: Floats | None


@dataclass(frozen=True, slots=True)
class ChannelSample:
    """What `fadeline channel` shows of one device group.

    Attributes:
        title: Scenario and fading, in words.
        edges_s: Borders of the steps of an excerpt, shape (n + 1,), seconds.
        snr_name: What the SNR is: over a selective band it is the effective SNR.
        snr_db: SNR of the group's first device in the excerpt, shape (n,), dB; None if unknown.
        mean_snr_db: Mean SNR over the run, dB; None if unknown.
        envelope: Density of the amplitude over its root mean square; None without fading.
        autocorrelation: Real part over lag in seconds; None without fading over time.
        rate: Distribution function over bits per second.
        mean_rate_bps: Mean rate of the group's devices, bits per second.
        step_s: Time step, seconds; None for a recorded trace with steps of its own.
    """

    title: str
    edges_s: Floats
    snr_name: str
    snr_db: Floats | None
    mean_snr_db: float | None
    envelope: Curve | None
    autocorrelation: Curve | None
    rate: Curve
    mean_rate_bps: float
    step_s: float | None


def channel_sample(scenario: Scenario, *, group: int = 0, max_devices: int = 8) -> ChannelSample:
    """Return samples of the channel that one group of devices meets.

    Args:
        scenario: Checked scenario whose link this version can draw.
        group: Position of the group.
        max_devices: Most devices whose rates are pooled.
    """
    streams = Streams(scenario.seed)
    channel = scenario.channel_of(scenario.devices[group])
    count = min(max_devices, scenario.devices[group].count)
    traces = [
        device_trace(scenario, streams, replication=0, group=group, device=device)
        for device in range(count)
    ]
    first = traces[0]
    recorded = channel.fading.kind == "trace"
    span_s = _excerpt_s(channel, first.end_s)
    steps = max(1, int(np.count_nonzero(first.edges_s[1:] <= span_s * (1 + 1e-9))))
    snr_db = None if first.snr is None else linear_to_db(first.snr[:steps])
    envelope = autocorrelation = None
    if not recorded and channel.fading.kind != "awgn":
        envelope, autocorrelation = _gain_curves(
            channel, streams.generator("sample"), step_of(channel, scenario.band_parts)
        )
    return ChannelSample(
        title=f"{scenario.name}: {_in_words(channel)}",
        edges_s=first.edges_s[: steps + 1],
        snr_name="effective SNR" if channel.fading.kind == "tdl" else "SNR",
        snr_db=snr_db,
        mean_snr_db=None if first.snr is None else linear_to_db(first.snr_over(0.0, first.end_s)),
        envelope=envelope,
        autocorrelation=autocorrelation,
        rate=_rate_curve(scenario, channel, np.concatenate([trace.rate_bps for trace in traces])),
        mean_rate_bps=sum(t.bits_between(0.0, t.end_s) / t.end_s for t in traces) / count,
        step_s=first.step_s,
    )


def _excerpt_s(channel: Channel, end_s: float) -> float:
    doppler = doppler_of(channel)
    if channel.geometry is not None and channel.geometry.mobility.kind != "static":
        return end_s
    if isinstance(channel.fading, BlockFading):
        return min(end_s, 20 * channel.fading.block_s)
    return min(end_s, EXCERPT_CYCLES / doppler if doppler > 0 else 10.0)


def _gain_curves(
    channel: Channel, rng: np.random.Generator, step_s: float
) -> tuple[Curve, Curve | None]:
    doppler = doppler_of(channel)
    links = 8 if isinstance(channel.fading, TdlFading) else SAMPLE_LINKS
    gains = flat_gains(channel, rng, step_s=step_s, steps=SAMPLE_STEPS, links=links)
    if doppler == 0 and not isinstance(channel.fading, BlockFading):
        return _envelope_curve(channel, gains), None
    return _envelope_curve(channel, gains), _autocorrelation_curve(channel, gains, step_s, doppler)


def _envelope_curve(channel: Channel, gains: NDArray[np.complex64]) -> Curve:
    from fadeline.channels.theory import envelope_pdf

    amplitude = np.abs(gains)
    density, edges = np.histogram(amplitude, bins=80, range=(0.0, 3.0))
    x = (edges[:-1] + edges[1:]) / 2.0
    width = edges[1] - edges[0]
    return Curve(x, density / (amplitude.size * width), envelope_pdf(x, _k_factor(channel)))


def _autocorrelation_curve(
    channel: Channel, gains: NDArray[np.complex64], step_s: float, doppler: float
) -> Curve:
    from fadeline.channels.theory import autocorrelation

    fading = channel.fading
    reach_s = 3.0 * (fading.block_s if isinstance(fading, BlockFading) else 1.0 / doppler)
    lags = np.unique(np.linspace(0, min(reach_s / step_s, SAMPLE_STEPS // 4), 120).astype(int))
    sampled = np.array([_correlation(gains, lag) for lag in lags])
    lag_s = lags * step_s
    if isinstance(fading, BlockFading):
        # A step is in its own block until the block ends, which the lag passes with this chance.
        k = _k_factor(channel)
        theory = (k + np.clip(1.0 - lag_s / fading.block_s, 0.0, 1.0)) / (k + 1.0)
    else:
        theory = autocorrelation(
            lag_s, doppler, _k_factor(channel), los_angle_deg=_los_angle_deg(channel)
        ).real
    return Curve(lag_s, sampled, theory)


def _correlation(gains: NDArray[np.complex64], lag: int) -> float:
    late, early = gains[:, lag:], gains[:, : gains.shape[1] - lag]
    product = late.real * early.real + late.imag * early.imag
    return float(np.mean(product, dtype=np.float64))


def _rate_curve(scenario: Scenario, channel: Channel, rate_bps: Floats) -> Curve:
    """Return the distribution of the rate over time, and its closed form where there is one."""
    from fadeline.channels.theory import outage_probability

    ordered = np.sort(rate_bps)
    x = np.linspace(0.0, float(ordered[-1]) * 1.02 or 1.0, 300)
    sampled = np.searchsorted(ordered, x, side="right") / ordered.size
    flat = isinstance(channel.fading, RayleighFading | RicianFading | BlockFading)
    if not (flat and isinstance(channel.rate, Shannon) and channel.mean_snr_db is not None):
        return Curve(x, sampled, None)
    assert channel.bandwidth_hz is not None
    parts = scenario.band_parts
    mean = db_to_linear(channel.mean_snr_db - channel.rate.gap_db) * parts
    needed = np.expm1(math.log(2.0) * x * parts / channel.bandwidth_hz)
    cap = channel.rate.max_bits_per_symbol or math.inf
    theory = np.array(
        [
            1.0
            if rate >= cap * channel.bandwidth_hz / parts
            else outage_probability(float(snr), mean, _k_factor(channel))
            for rate, snr in zip(x, needed, strict=True)
        ]
    )
    return Curve(x, sampled, theory)


def _k_factor(channel: Channel) -> float:
    """Return the linear K factor of the narrowband gain; 0 without a line of sight."""
    fading = channel.fading
    if isinstance(fading, RicianFading | BlockFading) and fading.k_factor_db is not None:
        return db_to_linear(fading.k_factor_db)
    if isinstance(fading, TdlFading):
        from fadeline.channels.tdl_profiles import TDL_PROFILES

        los = TDL_PROFILES[fading.profile].mean_powers()[1]
        return los / (1.0 - los)
    return 0.0


def _los_angle_deg(channel: Channel) -> float:
    if isinstance(channel.fading, RicianFading):
        return channel.fading.los_angle_deg
    from fadeline.channels.tdl_profiles import LOS_DOPPLER_RATIO

    return math.degrees(math.acos(LOS_DOPPLER_RATIO))


def _in_words(channel: Channel) -> str:
    fading = channel.fading
    words = {
        "awgn": "no fading",
        "rayleigh": "Rayleigh fading",
        "rician": "Rician fading",
        "block": "block fading",
        "tdl": "tapped delay line",
        "trace": "recorded trace",
    }[fading.kind]
    if isinstance(fading, RicianFading | BlockFading) and fading.k_factor_db is not None:
        words += f", K = {fading.k_factor_db:g} dB"
    if isinstance(fading, TdlFading):
        words += f" {fading.profile}"
    if doppler_of(channel) > 0:
        words += f", fD = {doppler_of(channel):.3g} Hz"
    return words
