"""Speed and memory of the channels, measured in one run on one core, beside Sionna's.

Prints a table: what, measured, wanted. The wanted figures are aims on a two-core machine; nothing
fails when one is missed, because a busy machine is not a wrong program.
"""

import os

# Before numpy is imported, which reads them once.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import statistics
import subprocess
import sys
import time
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from fadeline.channels.clarke import Gains
from fadeline.channels.fading import rayleigh
from fadeline.channels.sionna_tdl import sionna_tdl_gains
from fadeline.channels.tdl import tdl_gains
from fadeline.channels.tdl_profiles import TDL_PROFILES
from fadeline.channels.trace import LinkTrace
from fadeline.channels.verification.fading import fading_checks
from fadeline.simulator import Streams, load_scenario
from fadeline.simulator.links.traces import device_trace

DOPPLER_HZ, STEP_S, STEPS = 35.0, 1e-3, 60_000  # fD / fs = 0.035, a minute at 1 ms

Row = tuple[str, str, str]


def main() -> None:
    """Measure everything and print the table."""
    parts = (_fading, _correctness, _memory, _transfers, _links, _start_up)
    console = Console(width=110)
    table = Table(title="Channels, one core", box=None, title_justify="left")
    for column in ("what", "measured", "wanted"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for part in parts:
        with console.status(part.__name__.strip("_")):
            for row in part():
                table.add_row(*row)
    console.print(table)


def _best_s(work: Callable[[], object], repeats: int = 7) -> float:
    """Return the shortest of several times, the one least disturbed by other programs."""
    times_s = []
    for _ in range(repeats):
        start_s = time.perf_counter()
        work()
        times_s.append(time.perf_counter() - start_s)
    return min(times_s)


def _rayleigh(links: int, steps: int = STEPS) -> Gains:
    rng = np.random.default_rng(1)
    return rayleigh(rng, doppler_hz=DOPPLER_HZ, step_s=STEP_S, steps=steps, links=links)


def _taps() -> Gains:
    rng, profile = np.random.default_rng(1), TDL_PROFILES["TDL-A"]
    return tdl_gains(rng, profile, doppler_hz=DOPPLER_HZ, step_s=STEP_S, steps=STEPS)


def _fading() -> list[Row]:
    many = 24 * STEPS / _best_s(lambda: _rayleigh(24), 20)
    one = STEPS / _best_s(lambda: _rayleigh(1), 50)
    taps = 23 * STEPS / _best_s(_taps, 20)
    sionna = _sionna_tap_samples_per_s()
    return [
        ("Rayleigh, 24 links x 60,000 steps, samples/s", f"{many:.3g}", "> 5e7"),
        ("Rayleigh, 1 link x 60,000 steps, samples/s", f"{one:.3g}", ""),
        ("TDL-A, 60,000 steps, tap-samples/s", f"{taps:.3g}", ""),
        ("Sionna TDL-A, 60,000 steps, tap-samples/s", f"{sionna:.3g}", ""),
        ("Rayleigh over Sionna, per tap-sample", f"{many / sionna:.0f} x", "> 100 x"),
        ("TDL-A over Sionna, per tap-sample", f"{taps / sionna:.0f} x", ""),
    ]


def _sionna_tap_samples_per_s() -> float:
    import torch

    torch.set_num_threads(1)
    links = 2

    def job() -> None:
        sionna_tdl_gains(
            np.random.default_rng(1),
            "TDL-A",
            delay_spread_s=100e-9,
            doppler_hz=DOPPLER_HZ,
            step_s=STEP_S,
            steps=STEPS,
            links=links,
        )

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return links * 23 * STEPS / _best_s(job, 4)


def _correctness() -> list[Row]:
    rows = [
        check
        for check in fading_checks(Streams(1).generator("verify", "fading"))
        if "KS" in check.quantity or "autocorrelation" in check.quantity
    ]
    passed = sum(check.passed for check in rows)
    return [("KS and autocorrelation checks passed", f"{passed} of {len(rows)}", "all")]


def _memory() -> list[Row]:
    rows = []
    for links, steps in ((1, 6_000_000), (100, STEPS)):
        tracemalloc.start()
        gains = _rayleigh(links, steps)
        peak = tracemalloc.get_traced_memory()[1] / gains.nbytes
        tracemalloc.stop()
        rows.append((f"peak memory over output, {links} x {steps:,}", f"{peak:.2f}", "<= 4"))
    return rows


def _transfers() -> list[Row]:
    rng = np.random.default_rng(1)
    trace = LinkTrace.uniform(rng.exponential(1e6, STEPS), STEP_S)
    starts_s, bits = rng.uniform(0.0, 59.0, 1_000_000), np.full(1_000_000, 20e3)
    vector = starts_s.size / _best_s(lambda: trace.finish_s(starts_s, bits))

    def one_by_one() -> None:
        for start_s in starts_s[:20_000].tolist():
            trace.finish_s(start_s, 20e3)

    return [
        ("finish_s, a million at once, look-ups/s", f"{vector:.3g}", "> 5e6"),
        ("finish_s, one at a time, look-ups/s", f"{20_000 / _best_s(one_by_one):.3g}", ""),
    ]


def _links() -> list[Row]:
    scenario = load_scenario(
        "rayleigh",
        set_values=["devices.count=100", "channel.step_s=0.001", "duration_s=59.7"],
    )
    streams = Streams(1)

    def build() -> None:
        for device in range(100):
            device_trace(scenario, streams, replication=0, group=0, device=device)

    return [("100 links x 60 s at 1 ms built, s", f"{_best_s(build, 5):.3f}", "< 1")]


def _start_up() -> list[Row]:
    code = (
        "import sys, time; start = time.perf_counter(); import fadeline.simulator; "
        "took = time.perf_counter() - start; "
        "heavy = {'torch', 'sionna', 'matplotlib'} & set(sys.modules); "
        "print(took, ' '.join(heavy) or 'none')"
    )
    outputs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(5)
    ]
    took_s = statistics.median(float(done.stdout.split()[0]) for done in outputs)
    command = [str(Path(sys.executable).with_name("fadeline")), "check", "rayleigh"]
    check_s = _best_s(lambda: subprocess.run(command, capture_output=True, check=True), 5)
    return [
        ("import fadeline.simulator, s", f"{took_s:.2f}", "< 0.7"),
        ("torch, sionna, matplotlib loaded by it", outputs[0].stdout.split()[1], "none"),
        ("fadeline check rayleigh, s", f"{check_s:.2f}", "< 1.5"),
    ]


if __name__ == "__main__":
    main()
