"""What follows from a scenario without running it: Doppler, mean SNR, rates and loads."""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fadeline.channels.doppler import coherence_time_s
from fadeline.channels.units import db_to_linear
from fadeline.models.card import read_card, weights_path
from fadeline.simulator.links.large_scale import noise_dbm, path_loss_db
from fadeline.simulator.links.packets import air_bits
from fadeline.simulator.links.traces import (
    doppler_of,
    rate_of,
    recorded_link,
    step_of,
    steps_of,
    symbols_hz,
)
from fadeline.simulator.scenario.channel import (
    Channel,
    FiniteBlocklength,
    Nr,
    Tdd,
)
from fadeline.simulator.scenario.device import DeviceGroup
from fadeline.simulator.scenario.fading import (
    FlatFading,
    TdlFading,
    TraceFading,
    rician_quantiles,
)
from fadeline.simulator.scenario.scenario import Scenario
from fadeline.simulator.scenario.scheme import (
    CodecScheme,
    ConstantScheme,
    RawScheme,
    scheme_names,
)

BITS_PER_PIXEL = 24


@dataclass(frozen=True, slots=True)
class Derived:
    """One derived value.

    Attributes:
        where: Device group, or "all".
        quantity: What it is, with its unit.
        value: Its value.
        note: What it depends on, where that is not plain.
    """

    where: str
    quantity: str
    value: float | int
    note: str = ""

    def as_row(self) -> dict[str, Any]:
        """Return the value as a mapping for JSON."""
        return asdict(self)


def derived_values(scenario: Scenario) -> list[Derived]:
    """Return what follows from a scenario, group by group and for the cell.

    Loads are nominal: the payload of a learned codec is raw bits over its ratio, and the rate is
    the mean over the fading. A closed-form mean rate exists for flat fading only.
    """
    return [*_cell(scenario), *_links(scenario), *_loads(scenario)]


def _cell(scenario: Scenario) -> Iterator[Derived]:
    devices = sum(group.count for group in scenario.devices)
    yield Derived("all", "devices", devices)
    yield Derived("all", "horizon_s", scenario.horizon_s, "duration and the longest deadline")
    yield Derived("all", "clips_per_s", devices * scenario.clips.arrivals.rate_hz)
    replications = scenario.replications
    if isinstance(replications, int):
        first_s = scenario.warmup_s if not isinstance(scenario.warmup_s, str) else 0.0
        counted = devices * scenario.clips.arrivals.rate_hz * (scenario.duration_s - first_s)
        yield Derived("all", "counted_clips", round(counted * replications), "about, per scheme")


def _links(scenario: Scenario) -> Iterator[Derived]:
    for name, group in zip(scenario.group_names, scenario.devices, strict=True):
        channel = scenario.channel_of(group)
        if isinstance(channel.fading, TraceFading):
            recorded = recorded_link(channel.fading)
            yield Derived(name, "trace_s", recorded.end_s, "length of the recording")
        else:
            if channel.fading.moving:
                doppler = doppler_of(channel)
                yield Derived(name, "doppler_hz", doppler, "speed x carrier / c")
                yield Derived(name, "coherence_time_s", coherence_time_s(doppler), "0.423 / fD")
            if not isinstance(channel.rate, Nr):
                step_s = step_of(channel, scenario.band_parts)
                yield Derived(name, "step_s", step_s)
                yield Derived(name, "steps", steps_of(scenario, step_s))
            yield from _mean_snr(name, group, channel)
            if channel.overhead or isinstance(channel.duplex, Tdd):
                carrying_hz = symbols_hz(channel, scenario.band_parts)
                yield Derived(name, "symbols_per_s", carrying_hz, "that carry data")
        rate_bps = mean_rate_bps(scenario, group)
        if rate_bps is not None:
            note = "alone on the link, at the start"
            if channel.geometry is not None and channel.geometry.shadowing:
                note += ", without shadowing"
            yield Derived(name, "mean_rate_bps", rate_bps, note)


def _mean_snr(name: str, group: DeviceGroup, channel: Channel) -> Iterator[Derived]:
    if channel.geometry is not None:
        yield Derived(name, "noise_dbm", noise_dbm(channel))
        for environment in _environments(channel):
            loss_db = _loss_db(channel, environment)
            yield Derived(name, "path_loss_db", loss_db, environment)
            yield Derived(
                name,
                "mean_snr_db",
                group.tx_power_dbm - loss_db - noise_dbm(channel),
                f"{environment}, at the start, without shadowing",
            )
    elif channel.mean_snr_db is not None:
        yield Derived(name, "mean_snr_db", channel.mean_snr_db, "given")


def _environments(channel: Channel) -> list[str]:
    assert channel.geometry is not None
    model = channel.geometry.path_loss
    if not isinstance(model, str):
        return [model.kind]
    return [f"{model}-los", f"{model}-nlos"] if model in ("umi", "uma") else [model]


def _loss_db(channel: Channel, environment: str) -> float:
    assert channel.geometry is not None
    distance_m = np.array([channel.geometry.distance_m])
    return float(path_loss_db(channel, environment, distance_m)[0])


def mean_rate_bps(scenario: Scenario, group: DeviceGroup) -> float | None:
    """Return a device's mean rate over the fading when alone, at the start of the run.

    Under fdma that is in its part of the band. Over a selective band it is the mean of any of its
    frequencies. None where no closed form exists: an NR rate, line of sight that is drawn, or
    blocks over a selective band.
    """
    channel, parts = scenario.channel_of(group), scenario.band_parts
    if isinstance(channel.rate, Nr) or (
        isinstance(channel.rate, FiniteBlocklength) and isinstance(channel.fading, TdlFading)
    ):
        return None
    if isinstance(channel.fading, TraceFading):
        recorded = recorded_link(channel.fading)
        weights = np.diff(recorded.edges_s)
        if recorded.rate_bps is not None:
            return float(np.average(recorded.rate_bps, weights=weights)) / parts
        assert recorded.snr is not None
        return float(np.average(_part_rate_bps(channel, recorded.snr, parts), weights=weights))
    power = _power_quantiles(channel)
    if power is None or (channel.geometry is not None and len(_environments(channel)) > 1):
        return None
    snr = _start_snr(group, channel) * power
    return float(_part_rate_bps(channel, snr, parts).mean())


def _part_rate_bps(channel: Channel, snr: NDArray[np.float64], parts: int) -> NDArray[np.float64]:
    """Return the mean rate in one part of the band, which gets all power; `snr` is the band's."""
    return rate_of(channel).mean_rate_bps(snr * parts, symbols_hz(channel, parts))


def _start_snr(group: DeviceGroup, channel: Channel) -> float:
    if channel.geometry is None:
        assert channel.mean_snr_db is not None
        return db_to_linear(channel.mean_snr_db)
    loss_db = _loss_db(channel, _environments(channel)[0])
    return db_to_linear(group.tx_power_dbm - loss_db - noise_dbm(channel))


def _power_quantiles(channel: Channel) -> NDArray[np.float64] | None:
    """Return equally likely values of |h|^2, or None where its distribution has no closed form."""
    probability = (np.arange(4000) + 0.5) / 4000
    fading = channel.fading
    if isinstance(fading, FlatFading):
        return fading.power_quantiles(probability)
    if isinstance(fading, TdlFading):
        return _tdl_quantiles(fading, probability)
    return None


def _tdl_quantiles(fading: TdlFading, probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return equally likely values of |h|^2 at any one frequency of the band."""
    from fadeline.channels.tdl_profiles import TDL_PROFILES

    _, los_power = TDL_PROFILES[fading.profile].mean_powers()
    if not los_power:
        return -np.log1p(-probability)
    return rician_quantiles(probability, 10.0 * math.log10(los_power / (1.0 - los_power)))


def _loads(scenario: Scenario) -> Iterator[Derived]:
    """Yield the bits that each scheme offers, and how busy that keeps the shared link."""
    rates_bps = [mean_rate_bps(scenario, group) for group in scenario.devices]
    clips_hz = [g.count * scenario.clips.arrivals.rate_hz for g in scenario.devices]
    for name, payload_bits, sent_bits in _payloads(scenario):
        yield Derived(name, "payload_bits", payload_bits, "nominal, per clip")
        if sent_bits != payload_bits:
            yield Derived(name, "sent_bits", sent_bits, "with the headers of its packets")
        yield Derived(name, "offered_bps", sent_bits * sum(clips_hz))
        if None not in rates_bps:
            loads = [
                hz * sent_bits / rate if rate else math.inf
                for hz, rate in zip(clips_hz, rates_bps, strict=True)
            ]
            if scenario.channel.sharing == "fdma":  # every device has its own part of the band
                counts = [group.count for group in scenario.devices]
                busy = max(load / count for load, count in zip(loads, counts, strict=True))
                what = "of the busiest part of the band"
            else:
                busy, what = sum(loads), "of the shared link"
            note = "above 1: the queue grows without end" if busy >= 1 else "share of time busy"
            yield Derived(name, "link_load", busy, f"{what}; {note}")


def _payloads(scenario: Scenario) -> Iterator[tuple[str, float, float]]:
    """Yield name, bits of a clip, and its bits on the air, of schemes whose size is known."""
    shape = read_card(weights_path(scenario.clips.classifier)).config
    raw_bits = float(shape["frames"] * shape["size_px"] ** 2 * BITS_PER_PIXEL)
    headers_bytes = scenario.channel.headers_bytes
    for scheme in scenario.schemes:
        names = scheme_names(scheme)
        if isinstance(scheme, ConstantScheme):
            yield names[0], float(scheme.payload_bits), float(scheme.payload_bits)
        elif isinstance(scheme, RawScheme):
            yield names[0], raw_bits, float(air_bits(raw_bits, headers_bytes))
        elif isinstance(scheme, CodecScheme) and scheme.ratio is not None:
            ratios = scheme.ratio if isinstance(scheme.ratio, tuple) else (scheme.ratio,)
            calls = shape["frames"] if scheme.streaming else 1
            for name, ratio in zip(names, ratios, strict=True):
                bits = raw_bits / ratio
                yield name, bits, calls * float(air_bits(bits / calls, headers_bytes))
