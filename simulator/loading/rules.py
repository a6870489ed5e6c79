"""Rules between the values of a scenario that no single value can break alone."""

import math
from collections.abc import Iterator
from pathlib import Path as FilePath

import numpy as np
from numpy.typing import NDArray

from fadeline.channels.doppler import (
    LARGEST_STEP_CYCLES,
    check_step,
)
from fadeline.channels.tdl import FREQUENCIES_PER_COHERENCE
from fadeline.models.codecs.catalogue import codec_entries, codec_entry
from fadeline.models.errors import ProfileError
from fadeline.simulator.compute.profile import is_profile_file, load_profile, shipped_profiles
from fadeline.simulator.documents.document import is_file
from fadeline.simulator.documents.messages import nearest, not_among
from fadeline.simulator.errors import Fault, Path, Unused
from fadeline.simulator.loading.input_rules import input_faults
from fadeline.simulator.loading.trace_rules import MAX_STEPS, trace_faults
from fadeline.simulator.scenario.channel import (
    Channel,
    FiniteBlocklength,
    Geometry,
    Line,
    LogDistance,
    Nr,
    Waypoint,
)
from fadeline.simulator.scenario.device import DeviceGroup
from fadeline.simulator.scenario.edge import Edge
from fadeline.simulator.scenario.fading import (
    BlockFading,
    TdlFading,
    TraceFading,
)
from fadeline.simulator.scenario.scenario import DeadlineGrid, Scenario
from fadeline.simulator.scenario.scheme import CodecScheme, TableScheme, codec_name, scheme_names
from fadeline.simulator.scenario.spec import NetworkSpeed

MIN_RING = 1.01
"""Least outer over inner radius of a ring to walk in (our choice): in a thinner one nearly every
straight way would leave it."""

MAX_FREQUENCIES = 20_000
"""Most frequencies that resolve a band (our choice); 100 MHz over 1 microsecond needs 2,400."""


def broken_rules(scenario: Scenario) -> Iterator[Fault]:
    """Yield path and message of each broken rule, files that are named included."""
    yield from _timing(scenario)
    yield from _profiles(scenario)
    yield from _groups(scenario)
    yield from _schemes(scenario)
    yield from input_faults(scenario)


def scenario_warnings(scenario: Scenario) -> list[str]:
    """Return what is allowed but rarely meant."""
    return [
        f"devices.{index}: at speed 0 the {channel.fading.kind} fade never changes: each device "
        "keeps one fade for the whole run"
        for index, group in enumerate(scenario.devices)
        if (channel := scenario.channel_of(group)).fading.moving and channel.speed_m_s == 0
    ]


def _timing(scenario: Scenario) -> Iterator[Fault]:
    if not isinstance(scenario.warmup_s, str) and scenario.warmup_s >= scenario.duration_s:
        yield (
            ("warmup_s",),
            f"must be shorter than duration_s, {scenario.duration_s:g}; got {scenario.warmup_s:g}",
        )
    grid = scenario.deadlines_s
    if isinstance(grid, DeadlineGrid) and grid.start >= grid.stop:
        yield ("deadlines_s", "stop"), f"must be later than start, {grid.start:g}"


def _profiles(scenario: Scenario) -> Iterator[Fault]:
    named: list[tuple[Path, DeviceGroup | Edge]] = [
        (("devices", index), group) for index, group in enumerate(scenario.devices)
    ]
    for at, machine in (*named, (("edge",), scenario.edge)):
        yield from _usable_profile(at, machine.profile, machine.network_speed)


def _usable_profile(at: Path, name: str, speed: NetworkSpeed) -> Iterator[Fault]:
    try:
        profile = load_profile(name)
    except ProfileError as error:
        known = shipped_profiles()
        if not is_profile_file(name) and name not in known:
            yield (*at, "profile"), f"{not_among(name, known)}; or a file that ends in .yaml"
            return
        for message in str(error).splitlines():
            yield (*at, "profile"), message
        return
    try:
        profile.at(speed)
    except ProfileError as error:
        yield (*at, "network_speed"), str(error)


def _schemes(scenario: Scenario) -> Iterator[Fault]:
    names: list[str] = []
    for index, scheme in enumerate(scenario.schemes):
        at: Path = ("schemes", index)
        if isinstance(scheme, CodecScheme):
            yield from _learned_scheme(scheme, at)
        if isinstance(scheme, TableScheme) and not is_file(FilePath(scheme.file)):
            yield (*at, "file"), f"no such file: {scheme.file}"
        for name in scheme_names(scheme):
            if name in names:
                yield at, f"a second scheme named {name}; give one of them a name of its own"
            names.append(name)
    codecs = [codec_name(scheme) for scheme in scenario.schemes]
    codecs += [scheme.codec for scheme in scenario.schemes]
    known = [*names, *dict.fromkeys(codecs)]
    if scenario.baseline is not None and scenario.baseline not in known:
        hint = nearest(scenario.baseline, known)
        yield (
            ("baseline",),
            f"no scheme or codec {scenario.baseline} here{hint} (schemes: {', '.join(names)})",
        )


def _learned_scheme(scheme: CodecScheme, at: Path) -> Iterator[Fault]:
    if scheme.ratio is None and scheme.policy is None:
        yield (*at, "ratio"), "missing; give a ratio, a list of ratios, or a policy"
    if scheme.ratio is not None and scheme.policy is not None:
        yield (*at, "ratio"), "a policy chooses the ratio; give policy.ratios and leave ratio out"
    entry = codec_entry(scheme.codec)
    if scheme.streaming and entry is not None and not entry.per_frame:
        streaming = [entry.name for entry in codec_entries().values() if entry.per_frame]
        yield (
            (*at, "streaming"),
            f"{scheme.codec} needs the whole clip; only {' and '.join(streaming)} stream",
        )


def _groups(scenario: Scenario) -> Iterator[Fault]:
    names = scenario.group_names
    for index, group in enumerate(scenario.devices):
        if names.index(names[index]) != index:
            yield ("devices", index, "name"), f"a second group named {names[index]}"
        if group.share is not None and group.slowdown not in (1.0, 1.0 / group.share):
            yield (
                ("devices", index, "slowdown"),
                f"given together with share: {group.share:g}, which says the same as slowdown: "
                f"{1.0 / group.share:g}; leave one out",
            )
        own = {
            field
            for field in ("fading", "speed_m_s", "mean_snr_db", "geometry")
            if getattr(group, field) is not None
        }
        both = {"mean_snr_db", "geometry"}
        if both <= own:
            yield ("devices", index, "mean_snr_db"), _BOTH
        for path, message in _channel(scenario, scenario.channel_of(group)):
            top = path == ("duration_s",)
            base: Path = () if top else ("devices", index) if path[0] in own else ("channel",)
            yield (*base, *path), message
    if scenario.channel.mean_snr_db is not None and scenario.channel.geometry is not None:
        yield ("channel", "mean_snr_db"), _BOTH


_BOTH = "given together with geometry, which fixes the mean SNR; leave one out or set it to null"


def _channel(scenario: Scenario, channel: Channel) -> Iterator[Fault]:
    if isinstance(channel.fading, TraceFading):
        yield from trace_faults(scenario, channel, channel.fading)
    else:
        if channel.bandwidth_hz is None:
            yield ("bandwidth_hz",), "missing; it must be given"
        if channel.mean_snr_db is None and channel.geometry is None:
            yield ("mean_snr_db",), "missing; give mean_snr_db or geometry"
    yield from _speed(channel)
    if isinstance(channel.fading, TdlFading):
        yield from _tdl(channel, channel.fading)
    if channel.geometry is not None:
        yield from _geometry(channel, scenario.horizon_s)
    yield from _step(channel, scenario.horizon_s, scenario.band_parts)


def _speed(channel: Channel) -> Iterator[Fault]:
    kind = channel.fading.kind
    if channel.fading.moving and channel.speed_m_s is None:
        yield ("speed_m_s",), f"missing; {kind} fading takes its Doppler frequency from it"
    if not channel.fading.moving and channel.speed_m_s is not None:
        yield (
            ("speed_m_s",),
            Unused(
                f"{kind} fading has no Doppler frequency and takes no speed; leave it out or set "
                "it to null"
            ),
        )


def _tdl(channel: Channel, fading: TdlFading) -> Iterator[Fault]:
    fixed = not fading.profile.startswith("TDL-")
    if fixed and fading.delay_spread_s is not None:
        yield (
            ("fading", "delay_spread_s"),
            Unused(f"{fading.profile} has fixed delays; leave it out"),
        )
    if not fixed and fading.delay_spread_s is None:
        yield ("fading", "delay_spread_s"), f"missing; it scales the delays of {fading.profile}"
    spread_s = fading.delay_spread_s or 300e-9  # the longest of the fixed profiles
    if (channel.bandwidth_hz or 0.0) * spread_s * FREQUENCIES_PER_COHERENCE > MAX_FREQUENCIES:
        yield (
            ("bandwidth_hz",),
            f"too wide to be resolved at a delay spread of {spread_s:g} s; the most allowed is "
            f"{MAX_FREQUENCIES / FREQUENCIES_PER_COHERENCE / spread_s:.3g}",
        )


def _step(channel: Channel, horizon_s: float, parts: int) -> Iterator[Fault]:
    from fadeline.simulator.links.traces import doppler_of, step_of

    if channel.fading.kind == "trace":
        if channel.step_s is not None:
            yield ("step_s",), Unused("a trace brings its own time steps; leave step_s out")
        return
    if channel.bandwidth_hz is None or isinstance(channel.rate, Nr):
        return
    doppler, step_s = doppler_of(channel), step_of(channel, parts)
    blocks = isinstance(channel.rate, FiniteBlocklength)
    at: Path = _BLOCK if blocks else ("step_s",)
    if blocks and channel.step_s is not None:
        yield ("step_s",), Unused("the block length sets the time step here; leave step_s out")
    try:
        check_step(step_s, doppler)
    except ValueError as error:
        most_s = LARGEST_STEP_CYCLES / doppler
        yield at, _block_too_long(channel, step_s, most_s) if blocks else str(error)
    if isinstance(channel.fading, BlockFading) and step_s > channel.fading.block_s:
        yield at, f"a time step of {step_s:g} s is longer than block_s"
    if horizon_s / step_s > MAX_STEPS:
        yield (
            at if at != ("step_s",) or channel.step_s else ("duration_s",),
            f"{horizon_s / step_s:.3g} time steps of {step_s:.3g} s per link; the most allowed are "
            f"{MAX_STEPS:.3g}: simulate less time per replication, or a slower channel",
        )


_BLOCK: Path = ("rate", "block_symbols")


def _block_too_long(channel: Channel, block_s: float, most_s: float) -> str:
    assert isinstance(channel.rate, FiniteBlocklength)
    symbols = channel.rate.block_symbols
    return (
        f"a block of {symbols} symbols lasts {block_s:g} s, too long for this speed and carrier; "
        f"the largest allowed is {int(symbols * most_s / block_s)}"
    )


def _geometry(channel: Channel, horizon_s: float) -> Iterator[Fault]:
    from fadeline.simulator.links.large_scale import LARGE_SCALE_M, motion_speed_m_s

    geometry = channel.geometry
    assert geometry is not None
    mobility = geometry.mobility
    moving = channel.fading.moving
    speed_at: Path = ("geometry", "mobility", "speed_m_s")
    if isinstance(mobility, Line | Waypoint) and moving and mobility.speed_m_s is not None:
        words = "the speed that sets the Doppler frequency moves the device; leave it out"
        yield speed_at, Unused(words)
        return
    if isinstance(mobility, Line | Waypoint) and not moving and mobility.speed_m_s is None:
        yield speed_at, "missing; the device needs a speed"
        return
    if moving and channel.speed_m_s is None:
        return
    if isinstance(mobility, Waypoint):
        low, high = mobility.min_distance_m, mobility.max_distance_m
        if not low <= geometry.distance_m <= high or not high >= MIN_RING * low:
            yield (
                ("geometry", "mobility"),
                f"needs distance_m between min_distance_m and max_distance_m, the latter at least "
                f"{MIN_RING:g} times the former; got {geometry.distance_m:g}, {low:g} and {high:g}",
            )
            return
    if horizon_s * motion_speed_m_s(channel) / LARGE_SCALE_M > MAX_STEPS:
        yield (
            ("duration_s",),
            f"the device moves over {MAX_STEPS * LARGE_SCALE_M:.3g} m; simulate less",
        )
        return
    yield from _shadowing(geometry)
    yield from _reach(channel, geometry, horizon_s)


def _shadowing(geometry: Geometry) -> Iterator[Fault]:
    """Refuse shadowing that would silently do nothing."""
    model = geometry.path_loss
    if geometry.shadowing and model == "free-space":
        yield ("geometry", "shadowing"), "nothing shadows free space; leave it out"
    if isinstance(model, LogDistance) and geometry.shadowing != (model.shadowing_sigma_db > 0):
        yield (
            ("geometry", "shadowing"),
            "log-distance shadows with path_loss.shadowing_sigma_db; give it above 0 together "
            "with shadowing: true, or neither",
        )


def _reach(channel: Channel, geometry: Geometry, horizon_s: float) -> Iterator[Fault]:
    """Check that the path loss is defined wherever the device may be."""
    from fadeline.simulator.links.large_scale import device_path, path_loss_db

    mobility = geometry.mobility
    if isinstance(mobility, Waypoint):
        distances_m = np.array([mobility.min_distance_m, mobility.max_distance_m])
        at: Path = ("geometry", "mobility")
    else:
        times_s = _turning_times_s(channel, geometry, horizon_s)
        distances_m = device_path(channel, times_s, np.random.default_rng(0)).distance_m
        at = ("geometry", "distance_m" if mobility.kind == "static" else "mobility")
    names = {"umi": "umi-nlos", "uma": "uma-nlos"}
    model = geometry.path_loss
    environment = names.get(model, model) if isinstance(model, str) else model.kind
    try:
        path_loss_db(channel, environment, distances_m)
    except ValueError as error:
        carrier = str(error).startswith("carrier_hz")
        yield ("carrier_hz",) if carrier else at, f"{environment}: {error}"


def _turning_times_s(channel: Channel, geometry: Geometry, horizon_s: float) -> NDArray[np.float64]:
    """Return when a device at rest or on a line may be nearest or farthest, seconds."""
    from fadeline.simulator.links.large_scale import motion_speed_m_s

    speed_m_s = motion_speed_m_s(channel)
    if speed_m_s == 0 or not isinstance(geometry.mobility, Line):
        return np.zeros(1)
    approach_m = -geometry.distance_m * math.cos(math.radians(geometry.mobility.heading_deg))
    return np.array([0.0, min(max(approach_m / speed_m_s, 0.0), horizon_s), horizon_s])
