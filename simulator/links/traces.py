"""From a scenario's channel to the link trace of each device."""

import math
from functools import lru_cache
from pathlib import Path as FilePath

import numpy as np
from numpy.typing import NDArray

from fadeline.channels import rates
from fadeline.channels.clarke import Gains
from fadeline.channels.doppler import default_step_s, doppler_hz
from fadeline.channels.trace import LinkTrace
from fadeline.channels.tracefile import RecordedLink, read_mahimahi, read_trace
from fadeline.simulator.links.large_scale import mean_snr
from fadeline.simulator.links.link import Link
from fadeline.simulator.scenario.channel import (
    Channel,
    FiniteBlocklength,
    Shannon,
    Tdd,
)
from fadeline.simulator.scenario.fading import (
    BlockFading,
    FlatFading,
    TdlFading,
    TraceFading,
)
from fadeline.simulator.scenario.scenario import Scenario
from fadeline.simulator.streams import Name, Streams

Floats = NDArray[np.float64]


def device_trace(
    scenario: Scenario, streams: Streams, *, replication: int, group: int, device: int
) -> LinkTrace:
    """Return what one device's link can carry over a whole run; see `device_link`."""
    owner = {"replication": replication, "group": group, "device": device}
    return device_link(scenario, streams, **owner).trace


def device_link(
    scenario: Scenario, streams: Streams, *, replication: int, group: int, device: int
) -> Link:
    """Return one device's link over a whole run, with nobody else on it.

    Args:
        scenario: Checked scenario.
        streams: Streams of the scenario's seed.
        replication: Number of the replication, from 0.
        group: Position of the device's group.
        device: Number of the device in its group, from 0.

    Returns:
        A link whose trace covers at least `scenario.horizon_s`. Under `fdma` it is that of the
        device's part of the band, into which all its power goes; otherwise that of the full band.
    """
    channel = scenario.channel_of(scenario.devices[group])
    owner: tuple[Name, ...] = (replication, scenario.group_names[group], device)
    if isinstance(channel.fading, TraceFading):
        trace = _recorded_trace(scenario, channel, channel.fading, streams, owner)
        return Link(trace, scenario.horizon_s)
    assert channel.bandwidth_hz is not None
    parts, part = scenario.band_parts, _band_part(scenario, group, device)
    bandwidth_hz = channel.bandwidth_hz / parts
    step_s = step_of(channel, parts)
    steps = steps_of(scenario, step_s)
    mean = mean_snr(
        channel, scenario.devices[group].tx_power_dbm, streams, owner, step_s=step_s, steps=steps
    )
    rng = streams.generator("fading", *owner)
    centre_hz = ((part + 0.5) / parts - 0.5) * channel.bandwidth_hz
    losses, band = streams.generator("rate", *owner), (centre_hz, bandwidth_hz)
    if isinstance(channel.fading, TdlFading):
        rngs = rng, losses
        snr, rate_bps, lost = _selective(channel, channel.fading, rngs, mean * parts, band, steps)
    else:
        snr = _flat_snr(channel, rng, mean * parts, step_s, steps)
        rate_bps, lost = rate_of(channel).drawn(losses, snr, symbols_hz(channel, parts))
    return Link(LinkTrace.uniform(rate_bps, step_s, snr), scenario.horizon_s, lost)


def symbols_hz(channel: Channel, parts: int) -> float:
    """Return how many symbols per second carry data in one of so many parts of the band.

    The band less its overhead, as much of the time as it is the uplink's.
    """
    assert channel.bandwidth_hz is not None
    uplink = channel.duplex.uplink_share if isinstance(channel.duplex, Tdd) else 1.0
    return channel.bandwidth_hz / parts * (1.0 - channel.overhead) * uplink


def step_of(channel: Channel, parts: int) -> float:
    """Return the time step of a channel's traces, seconds.

    The length of a code block in one of so many parts of the band where the rate has blocks, else
    what the scenario says, else the fading block, else what the Doppler frequency asks for.
    """
    assert channel.bandwidth_hz is not None
    slot_s = rate_of(channel).slot_s(symbols_hz(channel, parts))
    if slot_s is not None:
        return slot_s
    if channel.step_s is not None:
        return channel.step_s
    if isinstance(channel.fading, BlockFading):
        return channel.fading.block_s
    return default_step_s(doppler_of(channel))


def steps_of(scenario: Scenario, step_s: float) -> int:
    """Return how many time steps cover a run, and are drawn for it, at least 1."""
    return max(1, math.ceil(scenario.drawn_s / step_s - 1e-9))


def doppler_of(channel: Channel) -> float:
    """Return a channel's maximum Doppler frequency, Hz; 0 where it has none."""
    return doppler_hz(channel.speed_m_s or 0.0, channel.carrier_hz)


def rate_of(channel: Channel) -> rates.Rate:
    """Return the rate rule that a channel names.

    Raises:
        NotImplementedError: For a rate that `catalogue.refuse_unbuilt_link` would have refused.
    """
    match channel.rate:
        case Shannon(gap_db=gap_db, max_bits_per_symbol=cap):
            return rates.Shannon(gap_db=gap_db, max_bits_per_symbol=cap)
        case FiniteBlocklength(block_symbols=n, error_probability=epsilon):
            return rates.FiniteBlocklength(block_symbols=n, error_probability=epsilon)
    raise NotImplementedError(f"rate {channel.rate.kind}")


def flat_gains(
    channel: Channel, rng: np.random.Generator, *, step_s: float, steps: int, links: int
) -> Gains:
    """Return narrowband gains of a channel's fading at the centre of its band.

    Args:
        channel: Channel whose fading is not a trace.
        rng: Generator that is drawn from.
        step_s: Time between samples, seconds.
        steps: Number of samples N.
        links: Number of independent links L.

    Returns:
        Complex gains with E|h|^2 = 1, shape (L, N), complex64.
    """
    doppler, fading = doppler_of(channel), channel.fading
    if isinstance(fading, FlatFading):
        return fading.gains(rng, doppler_hz=doppler, step_s=step_s, steps=steps, links=links)
    if isinstance(fading, TdlFading):
        return np.stack(
            [_taps(fading, rng, doppler, step_s, steps).sum(axis=0) for _ in range(links)]
        )
    raise ValueError("a recorded trace has no gains")


def recorded_link(fading: TraceFading) -> RecordedLink:
    """Return the recording that a trace names, read once per version of the file.

    Raises:
        TraceFileError: If the file cannot be used.
    """
    path = FilePath(fading.file)
    stamp = path.stat().st_mtime_ns if path.is_file() else 0
    return _read_recording(path, stamp, fading.bin_s, fading.max_gap_s)


@lru_cache(maxsize=4)
def _read_recording(
    path: FilePath, _stamp_ns: int, bin_s: float | None, max_gap_s: float | None
) -> RecordedLink:
    # A memo of the file's content, not state: every device of every replication asks for it. What
    # they share nobody may change.
    if bin_s is not None:
        recorded = read_mahimahi(path, bin_s=bin_s)
    else:
        recorded = read_trace(path, max_gap_s=max_gap_s)
    for array in (recorded.edges_s, recorded.snr, recorded.rate_bps):
        if array is not None:
            array.setflags(write=False)
    return recorded


def _recorded_trace(
    scenario: Scenario,
    channel: Channel,
    fading: TraceFading,
    streams: Streams,
    owner: tuple[Name, ...],
) -> LinkTrace:
    recorded = stretch(recorded_link(fading), fading, scenario.horizon_s, streams, owner)
    parts = scenario.band_parts
    if recorded.rate_bps is not None:
        # How a rate grows when its power is put into a part of the band is not in the trace.
        return LinkTrace.irregular(recorded.edges_s, recorded.rate_bps / parts)
    assert recorded.snr is not None
    assert channel.bandwidth_hz is not None
    snr = recorded.snr * parts
    rng = streams.generator("rate", *owner)
    rate_bps, _ = rate_of(channel).drawn(rng, snr, symbols_hz(channel, parts))
    return LinkTrace.irregular(recorded.edges_s, rate_bps, snr)


def starts_at_random(fading: TraceFading, recorded: RecordedLink, horizon_s: float) -> bool:
    """Return whether each device and replication begins somewhere else in a recording."""
    if fading.start is None:
        return recorded.end_s > horizon_s
    return fading.start == "random"


def stretch(
    recorded: RecordedLink,
    fading: TraceFading,
    horizon_s: float,
    streams: Streams,
    owner: tuple[Name, ...],
) -> RecordedLink:
    """Return the part of a recording that a device meets.

    Every moment is as likely to be the first; of a recording that does not repeat, every one from
    which on it still covers the run.
    """
    if not starts_at_random(fading, recorded, horizon_s):
        return recorded.covering(horizon_s, fading.at_end)
    last_s = recorded.end_s if fading.at_end == "loop" else max(recorded.end_s - horizon_s, 0.0)
    start_s = last_s * float(streams.generator("trace-start", *owner).random())
    return recorded.starting_at(start_s, horizon_s, fading.at_end)


def _band_part(scenario: Scenario, group: int, device: int) -> int:
    """Return which part of the band is a device's, from 0."""
    if scenario.channel.sharing != "fdma":
        return 0
    return sum(group.count for group in scenario.devices[:group]) + device


def _flat_snr(
    channel: Channel, rng: np.random.Generator, mean: float | Floats, step_s: float, steps: int
) -> Floats:
    """Return the linear SNR in each step of a channel that fades alike over its whole band."""
    gains = flat_gains(channel, rng, step_s=step_s, steps=steps, links=1)[0]
    power: Floats = np.square(gains.real, dtype=np.float64)
    power += np.square(gains.imag, dtype=np.float64)
    power *= mean
    return power


def _selective(
    channel: Channel,
    fading: TdlFading,
    rngs: tuple[np.random.Generator, np.random.Generator],
    mean: float | Floats,
    band: tuple[float, float],
    steps: int,
) -> tuple[Floats, Floats, NDArray[np.bool_] | None]:
    """Return effective SNR, rate and losses in each step of a channel selective in frequency.

    Args:
        channel: The channel.
        fading: Its fading.
        rngs: For the taps, and for what the rate draws.
        mean: Mean linear SNR.
        band: Its centre and width, Hz.
        steps: Number of time steps.
    """
    from fadeline.channels.tdl import band_frequencies_hz, effective_snr, subcarrier_snr
    from fadeline.channels.tdl_profiles import TDL_PROFILES

    assert channel.bandwidth_hz is not None
    parts = round(channel.bandwidth_hz / band[1])
    profile, delay_spread_s = TDL_PROFILES[fading.profile], fading.delay_spread_s
    spread_s = delay_spread_s or profile.delay_spread_s
    assert spread_s is not None
    gains = _taps(fading, rngs[0], doppler_of(channel), step_of(channel, parts), steps)
    frequencies_hz = band[0] + band_frequencies_hz(band[1], spread_s)
    rate, carrying_hz = rate_of(channel), symbols_hz(channel, parts)
    effective, rate_bps = np.empty(steps), np.empty(steps)
    lost: list[NDArray[np.bool_]] = []
    delays_s = profile.delays_s(delay_spread_s)
    for part, snr in subcarrier_snr(gains, delays_s, frequencies_hz, mean):
        effective[part] = effective_snr(snr)
        rate_bps[part], lost_here = rate.drawn(rngs[1], snr, carrying_hz)
        if lost_here is not None:
            lost.append(lost_here)
    return effective, rate_bps, np.concatenate(lost) if lost else None


def _taps(
    fading: TdlFading, rng: np.random.Generator, doppler: float, step_s: float, steps: int
) -> Gains:
    from fadeline.channels.sionna_tdl import sionna_tdl_gains
    from fadeline.channels.tdl import tdl_gains
    from fadeline.channels.tdl_profiles import TDL_PROFILES

    if fading.backend == "sionna":
        gains: Gains = sionna_tdl_gains(
            rng,
            fading.profile,
            delay_spread_s=fading.delay_spread_s,
            doppler_hz=doppler,
            step_s=step_s,
            steps=steps,
        )[0]
        return gains
    return tdl_gains(
        rng, TDL_PROFILES[fading.profile], doppler_hz=doppler, step_s=step_s, steps=steps
    )
