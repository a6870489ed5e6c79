"""Speed of the engine: clips per second against bare SimPy, Ciw and salabim, in one run.

Ciw and salabim are measured where they are installed: pip install ciw salabim.

    python benchmarks/bench_engine.py [--clips 100000]
"""

import argparse
import resource
import sys
import time
from math import inf

import numpy as np
import simpy

from fadeline.channels.fading import rayleigh
from fadeline.channels.rates import Shannon
from fadeline.channels.trace import LinkTrace
from fadeline.simulator.engine.clip import Clip, Option
from fadeline.simulator.engine.clip_process import Stations, begin, camera
from fadeline.simulator.engine.clock import FIRST, Clock
from fadeline.simulator.engine.device import Device, DeviceRules
from fadeline.simulator.engine.edge_server import EdgeServer
from fadeline.simulator.engine.ledger import Ledger
from fadeline.simulator.engine.uplink import uplink
from fadeline.simulator.links.link import Link

RATE_HZ, LOAD = 10.0, 0.7


def bare_stations(clips, stations):
    """Bare SimPy: clips go through single servers with a queue each, nothing is recorded."""
    rng = np.random.default_rng(0)
    env = simpy.Environment()
    servers = [simpy.Resource(env) for _ in range(stations)]
    services = rng.exponential(LOAD / RATE_HZ, (clips, stations)).tolist()

    def clip(times):
        for server, time_s in zip(servers, times, strict=True):
            with server.request() as turn:
                yield turn
                yield env.timeout(time_s)

    def source():
        for gap_s, times in zip(rng.exponential(1.0 / RATE_HZ, clips).tolist(), services,
                                strict=True):  # fmt: skip
            yield env.timeout(gap_s)
            env.process(clip(times))

    env.process(source())
    return timed(env.run)


def engine(clips, *, bits, encode_s, sharing="equal", devices=1):
    """The engine: device, fading uplink, edge; every clip is recorded."""
    rng = np.random.default_rng(0)
    each = clips // devices
    end_s = each * devices / RATE_HZ + 60.0
    clock = Clock()
    air = uplink(clock, sharing)
    ledger = Ledger(each * devices, end_s)
    edge = EdgeServer(clock, lambda batch: batch[0].option.infer_s)
    for number in range(devices):
        link = Link(fading_trace(rng, end_s) if bits else instant_trace(end_s), end_s)
        device = Device(clock, air, link, DeviceRules(None))
        born_s = rng.exponential(devices / RATE_HZ, each).cumsum().tolist()
        infer_s = rng.exponential(LOAD / RATE_HZ, each).tolist()
        made = clips_of(FIRST + number * each, born_s, encode_s, bits, infer_s)
        clock.process(camera(made, Stations(clock, device, edge, ledger)))

    def run():
        clock.run_until(end_s)
        ledger.close()

    return timed(run)


def clips_of(first, born_s, encode_s, bits, infer_s):
    for number, (born, infer) in enumerate(zip(born_s, infer_s, strict=True)):
        yield Clip(first + number, born, [Option(encode_s, bits, infer)], 1.0, 0.0)


def edge_alone(clips):
    """M/M/1: the edge server and nothing else, as the peers do it."""
    rng = np.random.default_rng(0)
    clock = Clock()
    edge = EdgeServer(clock, lambda batch: batch[0].option.infer_s)
    services = rng.exponential(LOAD / RATE_HZ, clips).tolist()

    def visit(clip):
        yield edge.infer(clip)

    def source():
        for number, gap_s in enumerate(rng.exponential(1.0 / RATE_HZ, clips).tolist()):
            yield clock.timeout(gap_s)
            option = Option(0.0, 0.0, services[number])
            clip = Clip(FIRST + number, clock.now, [option], 1.0, 0.0)
            begin(visit(clip))

    clock.process(source())
    return timed(lambda: clock.run_until(inf))


def ciw_queue(clips):
    import ciw

    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(rate=RATE_HZ)],
        service_distributions=[ciw.dists.Exponential(rate=RATE_HZ / LOAD)],
        number_of_servers=[1],
    )
    ciw.seed(0)
    simulation = ciw.Simulation(network)
    return timed(lambda: simulation.simulate_until_max_customers(clips, method="Finish"))


def salabim_queue(clips):
    import salabim as sim

    sim.yieldless(False)
    rng = np.random.default_rng(0)
    env = sim.Environment(trace=False)
    server = sim.Resource("server", 1)
    services = rng.exponential(LOAD / RATE_HZ, clips).tolist()
    gaps = rng.exponential(1.0 / RATE_HZ, clips).tolist()

    class Visit(sim.Component):
        def process(self):
            yield self.request(server)
            yield self.hold(services.pop())
            self.release()

    class Source(sim.Component):
        def process(self):
            for gap_s in gaps:
                yield self.hold(gap_s)
                Visit()

    Source()
    return timed(env.run)


def fading_trace(rng, end_s):
    step_s = 1e-3
    steps = int(end_s / step_s) + 1
    gains = rayleigh(rng, doppler_hz=11.7, step_s=step_s, steps=steps)[0]
    snr = 10.0 * np.abs(gains.astype(np.complex128)) ** 2
    return LinkTrace.uniform(Shannon().rate_bps(rng, snr, 1e6), step_s, snr)


def instant_trace(end_s):
    return LinkTrace.uniform([1e12], end_s + 1.0, [1.0])


def timed(call):
    began_s = time.perf_counter()
    call()
    return time.perf_counter() - began_s


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--clips", type=int, default=100_000)
    parser.add_argument("--memory", action="store_true", help="only: memory of a million clips")
    given = parser.parse_args()
    if given.memory:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        engine(1_000_000, bits=0.0, encode_s=0.01)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        print(f"memory for a million clips: {grown:.0f} MB")
        return
    clips = given.clips
    four = bare_stations(clips, 4)
    one = bare_stations(clips, 1)
    rows = [
        ("bare SimPy, four stations", four, four),
        ("device, fading uplink, edge", engine(clips, bits=40e3, encode_s=0.01), four),
        ("the same, four devices share", engine(clips, bits=40e3, encode_s=0.01, devices=4), four),
        ("the same, one by one", engine(clips, bits=40e3, encode_s=0.01, sharing="fifo"), four),
        ("bare SimPy, M/M/1", one, one),
        ("edge alone, M/M/1", edge_alone(clips), one),
    ]
    for name, peer in (("Ciw, M/M/1", ciw_queue), ("salabim, M/M/1", salabim_queue)):
        try:
            rows.append((name, peer(clips), one))
        except ImportError:
            print(f"{name}: not installed", file=sys.stderr)
    print(f"{'':32}{'clips/s':>10}{'of bare SimPy':>16}")
    for name, spent_s, peer_s in rows:
        print(f"{name:32}{clips / spent_s:10,.0f}{peer_s / spent_s:16.2f}")


if __name__ == "__main__":
    main()
