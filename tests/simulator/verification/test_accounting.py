"""The checks of what is counted fail where it is counted otherwise; test_verify.py runs them."""

from dataclasses import replace

import pytest

from fadeline.channels import rates, tdl
from fadeline.simulator.engine import device
from fadeline.simulator.links import traces as links
from fadeline.simulator.scenario.device import DeviceGroup
from fadeline.simulator.verification import accounting as accounting_checks


def failed(check, *given):
    return [row.quantity for row in getattr(accounting_checks, check)(*given) if not row.passed]


@pytest.mark.slow
def test_gap_and_cap_of_a_mean_snr_are_caught(monkeypatch):
    """Taken once over the band, after its effective SNR, instead of for each subcarrier."""
    right = rates.Shannon.mean_rate_bps

    def wrong(self, snr, bandwidth_hz):
        return right(self, tdl.effective_snr(snr) if snr.ndim == 2 else snr, bandwidth_hz)

    monkeypatch.setattr(rates.Shannon, "mean_rate_bps", wrong)
    assert len(failed("_selective_rate", 1)) >= 2


def test_the_power_of_a_whole_board_is_caught(monkeypatch):
    monkeypatch.setattr(DeviceGroup, "board_share", property(lambda _: 1.0))
    assert failed("_energy", 1) == ["local on 0.25 of a Raspberry Pi 4: energy of a clip, J"]


def test_a_delay_that_is_forgotten_is_caught(monkeypatch):
    right = device.Device.__init__

    def wrong(self, clock, uplink, link, rules, memory):
        right(self, clock, uplink, link, replace(rules, access_delay_s=0.0), memory)

    monkeypatch.setattr(device.Device, "__init__", wrong)
    assert failed("_access_delay", 1)


def test_starts_at_the_beginning_are_caught(monkeypatch):
    monkeypatch.setattr(links, "starts_at_random", lambda *_: False)
    assert failed("_trace_starts", 1)
