"""How planning grows with the points of a sweep, and how long a sweep of small points takes.

python benchmarks/bench_sweep.py [--points 10000]
"""

import argparse
import math
import time

from fadeline.simulator import sweep
from fadeline.simulator.loading.load import load_plan

TRIVIAL = {
    "schemes": [{"codec": "constant", "payload_bits": 1000}],
    "baseline": "constant",
    "replications": 1,
    "duration_s": 3,
    "warmup_s": 0,
    "devices.count": 1,
    "deadlines_s": [0.05],
}
"""One device, one clip or so at each point: what is left is what a point costs."""


def snrs_db(points):
    return [20.0 * number / points for number in range(points)]


def planning_s(points):
    changes = TRIVIAL | {"sweep": {"channel.mean_snr_db": snrs_db(points)}}
    began_s = time.perf_counter()
    load_plan("rayleigh", set_values=changes)
    return time.perf_counter() - began_s


def running_s(points, workers):
    began_s = time.perf_counter()
    sweep("rayleigh", {"channel.mean_snr_db": snrs_db(points)}, set=TRIVIAL, workers=workers)
    return time.perf_counter() - began_s


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--points", type=int, default=10_000, help="Of the largest plan.")
    most = parser.parse_args().points
    planning_s(10)  # imports
    spent_s = {points: planning_s(points) for points in (most // 100, most // 10, most)}
    for points, seconds in spent_s.items():
        print(f"plan of {points:6,} points: {seconds:7.2f} s, {1e3 * seconds / points:.2f} ms each")
    exponent = math.log10(spent_s[most] / spent_s[most // 10])
    print(f"time to plan grows with the points to the power of {exponent:.2f}")
    for workers in (1, 2):
        print(f"run of 400 small points, {workers} workers: {running_s(400, workers):.1f} s")


if __name__ == "__main__":
    main()
