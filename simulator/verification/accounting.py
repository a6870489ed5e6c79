"""What is counted, against closed forms: symbols of a band, headers, delays, energy, times."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from fadeline.channels import theory
from fadeline.channels.tracefile import RecordedLink
from fadeline.channels.units import db_to_linear
from fadeline.channels.verification.check import Check, distribution_check, mean_check, value_check
from fadeline.models.measurement.outcomes import Outcomes
from fadeline.simulator.compute.network_time import NetworkTime
from fadeline.simulator.compute.profile import load_profile
from fadeline.simulator.engine.records import Columns
from fadeline.simulator.engine.world import World, stations
from fadeline.simulator.links.packets import air_bits
from fadeline.simulator.links.traces import device_trace, stretch, symbols_hz
from fadeline.simulator.loading.load import scenario_from_dict
from fadeline.simulator.scenario.fading import (
    TraceFading,
)
from fadeline.simulator.scenario.scenario import Scenario
from fadeline.simulator.schemes.outcome_tables import outcome_table
from fadeline.simulator.schemes.prepare import prepared_schemes
from fadeline.simulator.schemes.wanted import WantedCodec, WantedTable
from fadeline.simulator.streams import Streams

_BAND = {"bandwidth_hz": 360e3, "overhead": 0.2}
"""Two resource blocks of NR beside cyclic prefix and reference signals."""

_CAPPED = {"kind": "shannon", "gap_db": 3.0, "max_bits_per_symbol": 5.55}


def accounting_checks(seed: int) -> Iterator[Check]:
    """Yield the checks."""
    yield from _symbols()
    yield from _selective_rate(seed)
    yield from _headers()
    yield from _access_delay(seed)
    yield from _trace_starts(seed)
    yield from _energy(seed)
    yield from _stage_times()


def _symbols() -> Iterator[Check]:
    bands: tuple[tuple[str, Mapping[str, Any], float], ...] = (
        ("two NR resource blocks", _BAND, 2 * 12 * 12e3),
        ("25 resource blocks at 15 kHz", {**_BAND, "bandwidth_hz": 4.5e6}, 25 * 12 * 12e3),
        (
            "two resource blocks in TDD, DDDSU 10:2:2",
            {**_BAND, "duplex": {"kind": "tdd", "uplink_share": 16 / 70}},
            2 * 12 * 12e3 * 16 / 70,
        ),
    )
    for name, band, expected_hz in bands:
        # 14 symbols a millisecond on each of 12 subcarriers, two of them reference signals.
        found_hz = symbols_hz(_scenario(1, channel=band).channel, 1)
        yield value_check(f"{name}: symbols with data, 1/s", expected_hz, found_hz, tolerance=1e-6)


def _selective_rate(seed: int) -> Iterator[Check]:
    """Every subcarrier of TDL-A to C is Rayleigh, so the mean rate is that of flat fading."""
    for snr_db in (0.0, 10.0, 20.0):
        scenario = _scenario(
            seed,
            devices={"count": 100},
            channel={
                "fading": {"kind": "tdl", "profile": "TDL-B", "delay_spread_s": 93e-9},
                "bandwidth_hz": 4.5e6,
                "speed_m_s": 10.0,
                "mean_snr_db": snr_db,
                "rate": _CAPPED,
            },
            duration_s=5.0,
        )
        streams = Streams(seed)
        means = [
            device_trace(scenario, streams, replication=0, group=0, device=device).rate_bps.mean()
            for device in range(100)
        ]
        capacity = theory.rayleigh_capacity(float(db_to_linear(snr_db - 3.0)), cap=5.55)
        yield mean_check(
            f"TDL-B over 4.5 MHz at {snr_db:g} dB, gap 3 dB, cap 5.55: mean rate, bit/symbol",
            capacity,
            np.array(means) / 4.5e6,
        )


def _headers() -> Iterator[Check]:
    raw_bytes, ratio = 16 * 64 * 64 * 3, 2000.0
    on_air = 8.0 * raw_bytes / float(air_bits(8.0 * raw_bytes / ratio, headers_bytes=36))
    yield value_check(
        "2,000x with 36 bytes of headers: ratio on the air",
        raw_bytes / (raw_bytes / ratio + 36.0),
        on_air,
        tolerance=1e-6,
    )


def _access_delay(seed: int) -> Iterator[Check]:
    """One clip at a time over a steady link: the delay, then bits over rate."""
    scenario = _scenario(
        seed,
        channel={"access_delay_s": 0.008},
        schemes=[{"codec": "constant", "payload_bits": 8000}],
    )
    rows = _world(scenario)
    rate_bps = 1e6 * np.log2(1.0 + 10.0)
    yield value_check(
        "access delay of 8 ms, then 8 kbit over 1 MHz at 10 dB: time to be sent, ms",
        1e3 * (0.008 + 8000 / rate_bps),
        1e3 * float((rows["sent_s"] - rows["born_s"])[rows["counted"]].mean()),
        tolerance=1e-6,
    )


def _trace_starts(seed: int) -> Iterator[Check]:
    """A recording whose SNR is its own time tells where each stretch began: evenly anywhere."""
    edges_s = np.arange(2001.0)
    recorded = RecordedLink(edges_s=edges_s, snr=edges_s[:-1], rate_bps=None)
    fading = TraceFading(kind="trace", file="-", at_end="loop")
    streams = Streams(seed)
    starts_s = np.array(
        [
            stretch(recorded, fading, 10.0, streams, ("check", number)).snr[0]  # type: ignore[index]
            for number in range(2000)
        ]
    )
    yield distribution_check(
        "where runs begin in a recorded link, KS distance to anywhere", (starts_s + 0.5) / 2000.0
    )


def _energy(seed: int) -> Iterator[Check]:
    """A quarter of a board takes four times as long at a quarter of its power."""
    board = load_profile("raspberry-pi-4")
    work = _shipped().classifier_work
    whole_board_j = NetworkTime.by_rule(work).on(board) * board.power_w.value
    for share in (1.0, 0.25):
        scenario = _scenario(
            seed,
            devices={"profile": "raspberry-pi-4", "share": share},
            schemes=[{"codec": "local"}],
            duration_s=400.0,
        )
        rows = _world(scenario)
        yield mean_check(
            f"local on {share:g} of a Raspberry Pi 4: energy of a clip, J",
            whole_board_j,
            rows["energy_j"][rows["counted"]],
        )


def _stage_times() -> Iterator[Check]:
    """What the simulator takes for a codec on the host, against what was measured there whole."""
    host = load_profile("host")
    outcomes = _shipped("stae", "deepisc-task")
    for name, facts in outcomes.codecs.items():
        encoder = NetworkTime.measured(facts.encoder, facts.encoder_s, outcomes.reference_network_s)
        for point in (0, 2, 6):
            measured_s = facts.encode_s[point]
            yield value_check(
                f"{name}, operating point {point}: encoding on one core of the host, ms",
                1e3 * measured_s,
                1e3 * (encoder.on(host) + host.serial_s(facts.encode_serial_s[point])),
                tolerance=250.0 * measured_s,
            )


def _shipped(*codecs: str) -> Outcomes:
    wanted = WantedTable("actions/test", tuple(WantedCodec(codec) for codec in codecs))
    return outcome_table(wanted, otherwise="reinstall the package")


def _scenario(
    seed: int,
    *,
    channel: Mapping[str, Any] | None = None,
    devices: Mapping[str, Any] | None = None,
    schemes: list[dict[str, Any]] | None = None,
    duration_s: float = 20.0,
) -> Scenario:
    """Return a scenario with a steady link of 1 MHz at 10 dB, unless it is said otherwise."""
    steady: dict[str, Any] = {
        "fading": {"kind": "awgn"},
        "bandwidth_hz": 1e6,
        "mean_snr_db": 10.0,
        "carrier_hz": 3.5e9,
        "rate": {"kind": "shannon"},
    }
    return scenario_from_dict(
        {
            "name": "accounting",
            "seed": seed,
            "duration_s": duration_s,
            "warmup_s": 0,
            "clips": {"data": "actions/test", "arrivals": {"kind": "periodic", "rate_hz": 1.0}},
            "devices": dict(devices or {}),
            "channel": {**steady, **(channel or {})},
            "schemes": schemes or [{"codec": "constant", "payload_bits": 1}],
        }
    )


def _world(scenario: Scenario) -> Columns:
    return World(scenario, prepared_schemes(scenario)[0], stations(scenario, 0)).run()
