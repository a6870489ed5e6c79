"""The `fadeline calibrate` command: measures this machine and writes its compute profile."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fadeline.simulator.cli.console import bar, print_json, print_table
from fadeline.simulator.cli.options import AsJson, Force, Quiet
from fadeline.simulator.errors import FadelineError, OutputError
from fadeline.simulator.output import refuse_existing

if TYPE_CHECKING:
    from fadeline.models.hardware.calibration import Calibration, StageTiming
    from fadeline.models.hardware.roofline import Prediction
    from fadeline.simulator.compute.profile import Profile

Out = Annotated[Path, typer.Option(metavar="FILE", help="Profile to write.")]
Threads = Annotated[
    int | None, typer.Option(min=1, help="Threads of torch (default: as torch chooses).")
]
Quick = Annotated[bool, typer.Option("--quick", help="Fewer repeats: a try, not to be quoted.")]
CheckOnly = Annotated[
    bool, typer.Option("--check", help="Only check the rule on this machine; write nothing.")
]
Reference = Annotated[
    bool,
    typer.Option("--reference", help="Let this machine's core be the unit of serial work."),
]
Watts = Annotated[float | None, typer.Option(min=0, help="Power while it computes, watts.")]
IdleWatts = Annotated[float | None, typer.Option(min=0, help="Power while it waits, watts.")]

DEFAULT_OUT = Path("runs/host.yaml")


def calibrate(
    out: Out = DEFAULT_OUT,
    threads: Threads = None,
    quick: Quick = False,
    check: CheckOnly = False,
    reference: Reference = False,
    power_w: Watts = None,
    idle_power_w: IdleWatts = None,
    force: Force = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Measure encoding, decoding and classifying on this machine; write a compute profile.

    A scenario uses it as `profile: FILE`.
    """
    if not check:
        _refuse_out(out, force=force)
    unit = None if check or reference else _shipped_serial_speed()
    threads = _threads(threads)
    calibration = _measured(threads=threads, quick=quick, check=check, quiet=quiet or as_json)
    if check:
        _show_check(calibration, quiet=quiet, as_json=as_json)
        return

    from fadeline.simulator.compute.profile_writing import calibrated_profile, name_from

    profile = calibrated_profile(
        calibration,
        name=name_from(out),
        reference_symbols_per_s=calibration.serial_symbols_per_s if unit is None else unit,
        power_w=power_w,
        idle_power_w=idle_power_w,
    )
    _write(profile, out)
    if as_json:
        print_json({"file": str(out), "profile": profile.model_dump(mode="json")})
    elif not quiet:
        _show_stages(calibration.stages)
        _show_predictions(calibration.check)
        _show_values(profile)
        print(f"\nWritten: {out}")


def _refuse_out(out: Path, *, force: bool) -> None:
    if out.suffix not in (".yaml", ".yml"):
        raise OutputError(f"{out}: a profile's name must end in .yaml or .yml")
    if out.is_dir():
        raise OutputError(f"{out}: is a folder; give the name of a file")
    refuse_existing(out, force=force)
    folder = next(path for path in out.absolute().parents if path.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise OutputError(f"{out}: cannot be written in {folder}")


def _threads(asked: int | None) -> int:
    import torch

    from fadeline.models.hardware.machine import usable_cores

    if asked is None:
        return torch.get_num_threads()
    if asked > usable_cores():
        raise FadelineError(f"--threads {asked}: this machine has {usable_cores()}; give no more")
    return asked


def _measured(*, threads: int, quick: bool, check: bool, quiet: bool) -> "Calibration":
    from fadeline.models.classifiers import stages as stages_of
    from fadeline.models.hardware import calibration
    from fadeline.models.hardware.latency import QUICK, Effort

    stages = () if check else stages_of.default_stages()
    with _counted(calibration.steps(stages), quiet=quiet) as report:
        return calibration.calibrate(
            stages, threads=threads, effort=QUICK if quick else Effort(), progress=report
        )


@contextmanager
def _counted(total: int, *, quiet: bool) -> Iterator[Callable[[str], None]]:
    """Give a callback that is told of each measurement as it begins, and moves a bar."""
    with bar("measuring", quiet=quiet) as draw:
        begun = 0

        def report(_what: str) -> None:
            nonlocal begun
            if draw is not None:
                draw(begun, total)
            begun += 1

        yield report


def _shipped_serial_speed() -> float:
    from fadeline.simulator.compute.profile import load_profile

    shipped = load_profile("host").serial_symbols_per_s
    if shipped is None:
        raise FadelineError("the shipped host has no serial speed; give --reference")
    return shipped.value


def _write(profile: "Profile", out: Path) -> None:
    from fadeline.simulator.compute.profile_writing import write_profile

    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{out.parent}: cannot be used: {error.strerror}") from None
    write_profile(profile, out)


def _show_check(calibration: "Calibration", *, quiet: bool, as_json: bool) -> None:
    if as_json:
        print_json([_as_row(each) for each in calibration.check])
    elif not quiet:
        _show_predictions(calibration.check)


def _as_row(prediction: "Prediction") -> dict[str, Any]:
    seen = prediction.observation
    return {
        "network": seen.network,
        "batch": seen.batch,
        "flops": seen.flops,
        "moved_bytes": seen.moved_bytes,
        "predicted_s": prediction.predicted_s,
        "measured_s": seen.measured_s,
        "error": prediction.error,
    }


def _show_predictions(predictions: "tuple[Prediction, ...]") -> None:
    from fadeline.simulator.compute.profile_writing import errors_of

    rows = [_as_row(each) for each in predictions]
    print_table(
        "The rule against this machine, each network predicted by a fit to the others",
        ("network", "batch", "GFLOP", "MB moved", "predicted ms", "measured ms", "error"),
        [
            (
                row["network"],
                str(row["batch"]),
                f"{row['flops'] / 1e9:.3g}",
                f"{row['moved_bytes'] / 1e6:.3g}",
                f"{row['predicted_s'] * 1e3:.3g}",
                f"{row['measured_s'] * 1e3:.3g}",
                f"{row['error']:+.0%}",
            )
            for row in rows
        ],
    )
    median_error, worst_error = errors_of(predictions)
    print(f"\nmedian error {median_error:.0%}, largest {worst_error:.0%}")


def _show_stages(stages: "tuple[StageTiming, ...]") -> None:
    print_table(
        "Stages, ms for the whole batch",
        ("stage", "batch", "median", "5 %", "95 %", "jitter", "repeats"),
        [
            (
                each.stage,
                str(each.batch),
                f"{each.timing.median_s * 1e3:.4g}",
                f"{each.timing.p5_s * 1e3:.4g}",
                f"{each.timing.p95_s * 1e3:.4g}",
                f"{each.timing.jitter:.3f}",
                str(each.timing.repeats),
            )
            for each in stages
        ],
    )


def _show_values(profile: "Profile") -> None:
    values = profile.model_dump(mode="json", exclude_none=True)
    print_table(
        f"Profile {profile.name}",
        ("quantity", "value"),
        [
            (key, f"{value['value']:.4g}")
            for key, value in values.items()
            if isinstance(value, dict) and "value" in value
        ],
    )
