"""Mean SNR of a device over time: given, or from its place, path loss, shadowing and motion."""

import math

import numpy as np
from numpy.typing import NDArray

from fadeline.channels import mobility, pathloss
from fadeline.channels.shadowing import SHADOWING, Shadowing, correlated_shadowing_db
from fadeline.channels.units import db_to_linear, thermal_noise_dbm
from fadeline.simulator.scenario.channel import (
    Channel,
    Geometry,
    Line,
    LogDistance,
    Waypoint,
)
from fadeline.simulator.streams import Name, Streams

Floats = NDArray[np.float64]

LARGE_SCALE_M = 0.5
"""Distance between points at which path loss and shadowing are taken (our choice): a twentieth of
the shortest correlation distance of TR 38.901 table 7.5-6. Between them the dB are interpolated."""

LARGE_SCALE_S = 0.1
"""Longest time between such points (our choice)."""


def mean_snr(
    channel: Channel,
    tx_power_dbm: float,
    streams: Streams,
    owner: tuple[Name, ...],
    *,
    step_s: float,
    steps: int,
) -> float | Floats:
    """Return the mean linear SNR over the full band at full power.

    Args:
        channel: Channel with a mean SNR or a geometry.
        tx_power_dbm: Transmit power, dBm; only a geometry asks for it.
        streams: Streams of the run.
        owner: Replication, group and device that draws belong to.
        step_s: Time step, seconds.
        steps: Number of steps N.

    Returns:
        A number, or shape (N,) where it changes over time.
    """
    if channel.geometry is None:
        assert channel.mean_snr_db is not None
        return db_to_linear(channel.mean_snr_db)
    times_s = large_scale_times_s(channel, steps * step_s)
    path = device_path(channel, times_s, streams.generator("mobility", *owner))
    environment, shadowing = _environment(
        channel.geometry, float(path.distance_m[0]), streams.generator("los", *owner)
    )
    loss_db = path_loss_db(channel, environment, path.distance_m)
    if channel.geometry.shadowing and shadowing is not None:
        loss_db = loss_db + correlated_shadowing_db(
            streams.generator("shadowing", *owner),
            path.travelled_m,
            shadowing.sigma_db,
            shadowing.correlation_distance_m,
        )
    snr_db: Floats = tx_power_dbm - loss_db - noise_dbm(channel)
    if channel.geometry.mobility.kind == "static":
        return db_to_linear(float(snr_db[0]))
    middles_s = (np.arange(steps) + 0.5) * step_s
    return db_to_linear(np.asarray(np.interp(middles_s, times_s, snr_db), dtype=np.float64))


def noise_dbm(channel: Channel) -> float:
    """Return the receiver's noise power over the full band, dBm."""
    assert channel.geometry is not None
    assert channel.bandwidth_hz is not None
    return thermal_noise_dbm(channel.bandwidth_hz, channel.geometry.noise_figure_db)


def path_loss_db(channel: Channel, environment: str, distance_m: Floats) -> Floats:
    """Return the path loss over distance, shape (n,), dB.

    Args:
        channel: Channel with a geometry.
        environment: Name in `pathloss.ENVIRONMENTS`, or "log-distance".
        distance_m: Ground distance, shape (n,), metres.

    Raises:
        ValueError: If a distance is outside the model's range.
    """
    assert channel.geometry is not None
    model = channel.geometry.path_loss
    if isinstance(model, LogDistance):
        return pathloss.log_distance_db(
            distance_m, channel.carrier_hz, model.exponent, model.reference_m
        )
    return pathloss.ENVIRONMENTS[environment](distance_m, channel.carrier_hz)


def large_scale_times_s(channel: Channel, duration_s: float) -> Floats:
    """Return when path loss and shadowing are taken, from 0 to the duration, seconds."""
    speed_m_s = motion_speed_m_s(channel)
    if speed_m_s == 0:
        return np.zeros(1)
    points = math.ceil(duration_s / min(LARGE_SCALE_S, LARGE_SCALE_M / speed_m_s))
    return np.linspace(0.0, duration_s, points + 1)


def motion_speed_m_s(channel: Channel) -> float:
    """Return how fast the device itself moves, metres per second; 0 without mobility."""
    assert channel.geometry is not None
    motion = channel.geometry.mobility
    if not isinstance(motion, Line | Waypoint):
        return 0.0
    speed_m_s = channel.speed_m_s if motion.speed_m_s is None else motion.speed_m_s
    assert speed_m_s is not None
    return speed_m_s


def device_path(channel: Channel, times_s: Floats, rng: np.random.Generator) -> mobility.Path:
    """Return where the device is at the given times."""
    assert channel.geometry is not None
    motion, distance_m = channel.geometry.mobility, channel.geometry.distance_m
    speed_m_s = motion_speed_m_s(channel)
    if speed_m_s == 0:
        return mobility.Static(distance_m=distance_m).path(times_s)
    if isinstance(motion, Line):
        line = mobility.StraightLine(
            distance_m=distance_m, heading_deg=motion.heading_deg, speed_m_s=speed_m_s
        )
        return line.path(times_s)
    assert isinstance(motion, Waypoint)
    walk = mobility.RandomWaypoint(
        distance_m=distance_m,
        speed_m_s=speed_m_s,
        min_distance_m=motion.min_distance_m,
        max_distance_m=motion.max_distance_m,
        pause_s=motion.pause_s,
    )
    return walk.path(rng, times_s)


def _environment(
    geometry: Geometry, distance_m: float, rng: np.random.Generator
) -> tuple[str, Shadowing | None]:
    """Return the environment, drawing line of sight where asked for, and its shadowing.

    Line of sight is drawn once per device and run, where the device starts.
    """
    model = geometry.path_loss
    if isinstance(model, LogDistance):
        return model.kind, Shadowing(
            sigma_db=model.shadowing_sigma_db,
            correlation_distance_m=model.shadowing_correlation_m,
        )
    if model in pathloss.LOS_PROBABILITIES:
        model_drawn = pathloss.draw_los(rng, model, distance_m)
        return model_drawn, SHADOWING[model_drawn]
    return model, SHADOWING.get(model)
