"""Measures a machine: its stages, its rates, its single core, and how well the rule holds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fadeline.models.hardware.latency import Call, Effort, Stage, Timing, time_call, torch_threads
from fadeline.models.hardware.machine import Machine, this_machine
from fadeline.models.hardware.roofline import (
    Observation,
    Prediction,
    Roofline,
    fit_roofline,
    leave_one_out,
    predict,
)
from fadeline.models.hardware.serial_speed import serial_symbols_per_s

if TYPE_CHECKING:
    from torch import nn

REFERENCE_BATCHES = (1, 4, 16)
"""Batch sizes at which reference networks are measured (our choice): both ends and the middle."""

Progress = Callable[[str], None]
"""Called with what is measured next."""


@dataclass(frozen=True, slots=True)
class StageTiming:
    """A stage at one batch size.

    Attributes:
        stage: Name of the stage.
        batch: Clips in the batch.
        timing: Time of the whole batch.
    """

    stage: str
    batch: int
    timing: Timing


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was measured on a machine.

    Attributes:
        machine: Its fingerprint.
        roof: Rates and overhead, fitted to all reference networks.
        jitter: Median deviation of log time over all measurements.
        serial_symbols_per_s: Symbols per second that one core encodes and decodes.
        stages: Times of each stage and batch size.
        check: What the rule says of each reference network when fitted to the others, and of the
            stages' networks when fitted to all reference networks.
    """

    machine: Machine
    roof: Roofline
    jitter: float
    serial_symbols_per_s: float
    stages: tuple[StageTiming, ...]
    check: tuple[Prediction, ...]


def network_stage(name: str, network: "nn.Module", shape: tuple[int, ...]) -> Stage:
    """Return a stage that is one network.

    Args:
        name: As written in profiles.
        network: In evaluation mode.
        shape: Shape of one input, without the batch dimension.
    """
    import torch

    from fadeline.models.hardware.network_cost import NetworkCost, network_cost
    from fadeline.models.hardware.reference_networks import network_call

    def prepare(batch: int) -> Call:
        return network_call(network, torch.zeros(batch, *shape))

    def cost(batch: int) -> NetworkCost:
        return network_cost(network, torch.zeros(batch, *shape))

    return Stage(name, prepare, cost)


def steps(stages: Sequence[Stage]) -> int:
    """Return how many times `calibrate` reports progress."""
    from fadeline.models.hardware.reference_networks import reference_networks

    references = len(reference_networks()) * len(REFERENCE_BATCHES)
    return references + 1 + sum(len(stage.batches) for stage in stages)


def calibrate(
    stages: Sequence[Stage], *, threads: int, effort: Effort, progress: Progress
) -> Calibration:
    """Measure this machine.

    Args:
        stages: Stages to time; the rates are fitted to reference networks, not to these.
        threads: Threads that torch may use, at least 1.
        effort: How long to measure each call.
        progress: Called before each of `steps` measurements.
    """
    with torch_threads(threads):
        observations, timings = observe_references(effort, progress)
        timed = tuple(_timed_stages(stages, effort, progress))
        progress("entropy coding")
        symbols_per_s = serial_symbols_per_s(effort)
    jitters = sorted(each.jitter for each in (*timings, *(stage.timing for stage in timed)))
    roof = fit_roofline(observations)
    held_out = [predict(each, roof) for each in _observed_stages(stages, timed)]
    return Calibration(
        machine=this_machine(threads=threads),
        roof=roof,
        jitter=jitters[len(jitters) // 2],
        serial_symbols_per_s=symbols_per_s,
        stages=timed,
        check=(*leave_one_out(observations), *held_out),
    )


def observe_references(
    effort: Effort, progress: Progress
) -> tuple[list[Observation], list[Timing]]:
    """Return cost and time of each reference network and batch size.

    Args:
        effort: How long to measure each.
        progress: Called before each.
    """
    from fadeline.models.hardware.network_cost import network_cost
    from fadeline.models.hardware.reference_networks import network_call, reference_networks

    observations, timings = [], []
    for reference in reference_networks():
        network = reference.build()
        for batch in REFERENCE_BATCHES:
            progress(f"{reference.name}, batch {batch}")
            inputs = reference.inputs(batch)
            cost = network_cost(network, inputs)
            timing = time_call(network_call(network, inputs), effort)
            timings.append(timing)
            observations.append(
                Observation(reference.name, batch, cost.flops, cost.moved_bytes, timing.median_s)
            )
    return observations, timings


def _timed_stages(stages: Sequence[Stage], effort: Effort, progress: Progress) -> list[StageTiming]:
    timed = []
    for stage in stages:
        for batch in stage.batches:
            progress(f"{stage.name}, batch {batch}")
            timed.append(StageTiming(stage.name, batch, time_call(stage.prepare(batch), effort)))
    return timed


def _observed_stages(stages: Sequence[Stage], timed: Sequence[StageTiming]) -> list[Observation]:
    costs = {stage.name: stage.cost for stage in stages}
    observations = []
    for each in timed:
        cost_of = costs[each.stage]
        if cost_of is not None:
            cost = cost_of(each.batch)
            observations.append(
                Observation(
                    each.stage, each.batch, cost.flops, cost.moved_bytes, each.timing.median_s
                )
            )
    return observations
