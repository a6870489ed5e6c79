"""A calibration as a compute profile, and as a YAML file."""

import re
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from fadeline.models.hardware.calibration import Calibration, StageTiming
from fadeline.models.hardware.roofline import Prediction
from fadeline.simulator.compute.profile import Profile
from fadeline.simulator.output import complete_or_absent

WATTS_PER_CORE = 360 / 96
"""Thermal design power over cores of an AMD EPYC 9654, as on AMD's page of that processor:
https://www.amd.com/en/products/cpu/amd-epyc-9654."""

POWER_ASSUMED = "3.75 W per thread, as an AMD EPYC 9654 has of its 360 W for 96 cores"

IDLE_SHARE = 0.25
"""Idle over busy power (assumed)."""

HEADER = (
    "# Written by `fadeline calibrate`. Values may be edited; say in the source what they are.\n"
)


def calibrated_profile(
    calibration: Calibration,
    *,
    name: str,
    reference_symbols_per_s: float,
    power_w: float | None = None,
    idle_power_w: float | None = None,
) -> Profile:
    """Return the profile of a machine that was measured.

    Args:
        calibration: What was measured.
        name: Name of the profile.
        reference_symbols_per_s: Serial speed of the shipped host, symbols per second.
        power_w: Power while it computes, watts; None assumes `WATTS_PER_CORE` per thread.
        idle_power_w: Power while it waits, watts; None assumes `IDLE_SHARE` of the other.
    """
    machine = calibration.machine
    threads = f"{machine.threads} thread{'s' if machine.threads > 1 else ''}"
    where = f"measured on {machine.cpu}, {threads}, {machine.date}"
    median_error, worst_error = errors_of(calibration.check)
    fitted = (
        f"{where}: fitted to networks, which, left out in turn, are predicted with a median error "
        f"of {median_error:.0%} and a largest of {worst_error:.0%}"
    )
    roof, speed = calibration.roof, calibration.serial_symbols_per_s
    busy_w = power_w if power_w is not None else WATTS_PER_CORE * machine.threads
    idle_w = idle_power_w if idle_power_w is not None else IDLE_SHARE * busy_w
    serial = f"{where}: range coder there and back, one core"
    data: dict[str, Any] = {
        "name": name,
        "summary": f"{threads} of {machine.cpu}"[:80],
        "precision": f"float32 on {threads} (torch {machine.torch})",
        "sustained_flops_per_s": _sourced(roof.sustained_flops_per_s, fitted),
        "memory_bandwidth_bytes_per_s": _sourced(roof.memory_bandwidth_bytes_per_s, fitted),
        "overhead_s": _sourced(roof.overhead_s, fitted),
        "jitter": _sourced(calibration.jitter, f"{where}: median over all networks and stages"),
        "single_core_factor": _sourced(
            reference_symbols_per_s / speed,
            f"{where}: the unit of serial work"
            if reference_symbols_per_s == speed
            else f"{serial}, against {reference_symbols_per_s:.4g} symbols/s of the shipped host",
        ),
        "power_w": _sourced(busy_w, _power_source(power_w, POWER_ASSUMED)),
        "idle_power_w": _sourced(idle_w, _power_source(idle_power_w, "a quarter of power_w")),
        "serial_symbols_per_s": _sourced(speed, serial),
        "machine": asdict(machine),
        "stages": _stages(calibration.stages),
        "check": [_check(each) for each in calibration.check],
    }
    return Profile.model_validate(data)


def errors_of(predictions: tuple[Prediction, ...]) -> tuple[float, float]:
    """Return median and largest magnitude of the errors of predictions."""
    sizes = [abs(each.error) for each in predictions]
    return median(sizes), max(sizes)


def name_from(file: Path) -> str:
    """Return a profile's name for a file: its own without ending, unusual letters replaced.

    Example:
        >>> name_from(Path("runs/my laptop.yaml"))
        'my-laptop'
    """
    return re.sub(r"[^A-Za-z0-9_.@+-]", "-", file.stem).lstrip("_.@+-")[:80] or "host"


def write_profile(profile: Profile, file: Path) -> None:
    """Write a profile as YAML, wholly or not at all.

    Args:
        profile: What is written.
        file: Name of the file; its folder must exist. An older file is replaced.

    Raises:
        OutputError: If it cannot be written.
    """
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.Representer = _short_numbers()
    yaml.default_flow_style = False
    yaml.width = 100
    with complete_or_absent(file) as partial, partial.open("w", encoding="utf-8") as stream:
        stream.write(HEADER)
        yaml.dump(_with_rows_on_a_line(profile.model_dump(mode="json", exclude_none=True)), stream)


def _sourced(value: float, source: str) -> dict[str, Any]:
    return {"value": _rounded(value), "source": source}


def _rounded(value: float) -> float:
    """Return a value with four significant digits; measurements have no more."""
    return float(f"{value:.4g}")


def _power_source(given_w: float | None, otherwise: str) -> str:
    return "given when it was calibrated" if given_w is not None else f"assumed: {otherwise}"


def _stages(timings: tuple[StageTiming, ...]) -> dict[str, list[dict[str, Any]]]:
    stages: dict[str, list[dict[str, Any]]] = {}
    for each in timings:
        timing = {
            key: _rounded(value) if isinstance(value, float) else value
            for key, value in asdict(each.timing).items()
        }
        stages.setdefault(each.stage, []).append({"batch": each.batch, **timing})
    return stages


def _check(prediction: Prediction) -> dict[str, Any]:
    seen = prediction.observation
    return {
        "network": seen.network,
        "batch": seen.batch,
        "flops": float(seen.flops),
        "moved_bytes": float(seen.moved_bytes),
        "measured_s": _rounded(seen.measured_s),
        "predicted_s": _rounded(prediction.predicted_s),
    }


def _short_numbers() -> type:
    """Return a representer that writes 3.79e+10 rather than 37900000000.0."""
    from ruamel.yaml.representer import RoundTripRepresenter

    class ShortNumbers(RoundTripRepresenter):
        """Writes floats briefly, the rest as always."""

        def short(self, value: float) -> Any:
            return self.represent_scalar("tag:yaml.org,2002:float", _spelt(value))

    ShortNumbers.add_representer(float, ShortNumbers.short)
    return ShortNumbers


def _spelt(value: float) -> str:
    """Return a number as YAML reads it back, with ten digits at most.

    Example:
        >>> _spelt(3.79e10), _spelt(12.0), _spelt(0.05)
        ('3.79e+10', '12.0', '0.05')
    """
    if abs(value) < 1e6:
        text = f"{value:.10g}"
        return f"{text}.0" if text.lstrip("-").isdigit() else text
    digits, _, exponent = f"{value:.9e}".partition("e")
    return f"{digits.rstrip('0').rstrip('.')}e{exponent}"


def _with_rows_on_a_line(data: dict[str, Any]) -> dict[str, Any]:
    from ruamel.yaml.comments import CommentedMap

    def on_a_line(row: dict[str, Any]) -> CommentedMap:
        mapping = CommentedMap(row)
        mapping.fa.set_flow_style()
        return mapping

    stages = {name: [on_a_line(row) for row in rows] for name, rows in data["stages"].items()}
    return {**data, "stages": stages, "check": [on_a_line(row) for row in data["check"]]}
