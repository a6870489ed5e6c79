"""A calibration as a whole, with stages that are not networks."""

import re

import pytest
import torch
from torch import nn

from fadeline.models.classifiers.stages import default_stages
from fadeline.models.hardware import calibration
from fadeline.models.hardware.calibration import calibrate, network_stage, steps
from fadeline.models.hardware.latency import Effort, Stage, torch_threads
from fadeline.models.hardware.machine import this_machine
from fadeline.models.hardware.reference_networks import reference_networks
from fadeline.models.hardware.serial_speed import serial_symbols_per_s

HASTY = Effort(warmup_s=0.0, measure_s=0.0, at_least=2)


@pytest.fixture
def one_batch(monkeypatch):
    """Measure reference networks at batch 1 only."""
    monkeypatch.setattr(calibration, "REFERENCE_BATCHES", (1,))


def test_everything_is_measured(one_batch):
    prepared: list[int] = []
    reported: list[str] = []
    threads: list[int] = []

    def prepare(batch):
        prepared.append(batch)
        threads.append(torch.get_num_threads())
        return lambda: None

    stages = (
        Stage("encode", prepare),
        network_stage("head", nn.Linear(256, 256).eval(), (256,)),
    )
    before = torch.get_num_threads()
    found = calibrate(stages, threads=1, effort=HASTY, progress=reported.append)

    assert prepared == [1, 2, 4, 8, 16]
    assert set(threads) == {1}
    assert torch.get_num_threads() == before
    assert len(reported) == steps(stages)
    assert [(each.stage, each.batch) for each in found.stages] == [
        (stage, batch) for stage in ("encode", "head") for batch in (1, 2, 4, 8, 16)
    ]
    references = [reference.name for reference in reference_networks()]
    # Stages that are networks are predicted too; they have no part in the fit.
    assert [each.observation.network for each in found.check] == references + 5 * ["head"]
    assert all(each.predicted_s > 0 for each in found.check)
    assert found.roof.sustained_flops_per_s > 0
    assert found.serial_symbols_per_s > 0
    assert found.jitter >= 0
    assert found.machine.threads == 1


@pytest.mark.slow
def test_the_classifier_is_a_stage():
    (classify,) = (stage for stage in default_stages() if stage.name == "classify")
    answer = classify.prepare(2)()
    assert isinstance(answer, torch.Tensor)
    assert answer.shape == (2, 10)
    assert classify.cost is not None
    assert classify.cost(2).flops == 2 * classify.cost(1).flops > 1e7


def test_fingerprint_names_the_machine_and_nobody():
    machine = this_machine(threads=3)
    assert machine.cpu
    assert machine.cores >= 1
    assert machine.memory_bytes > 2**28
    assert machine.torch == torch.__version__
    assert machine.threads == 3
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", machine.date)


def test_serial_speed_is_measured_on_one_thread():
    with torch_threads(1):
        assert serial_symbols_per_s(HASTY) > 1e4
