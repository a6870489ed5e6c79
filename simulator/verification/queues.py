"""The clock against theory: queues at the edge and on devices, sharing of the band, deadlines."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fadeline.channels.verification.check import Check, mean_check, share_check
from fadeline.simulator.analysis.closed_form import sent_within
from fadeline.simulator.engine.records import DROPPED_EDGE, Columns
from fadeline.simulator.engine.world import World, stations
from fadeline.simulator.loading.load import scenario_from_dict
from fadeline.simulator.scenario.scenario import Scenario
from fadeline.simulator.schemes.draws import Draws
from fadeline.simulator.schemes.prepare import prepared_schemes
from fadeline.simulator.schemes.scheme import PreparedClips, PreparedScheme

Floats = NDArray[np.float64]

_RUNS = 40
_WARMUP_S = 300.0
_DURATION_S = 5000.0
"""Mean services are a second: long enough to forget an empty start (the slowest queue here does
within 40), and for a few percent of error."""

_PLENTY = 1_000_000


def queue_checks(seed: int) -> Iterator[Check]:
    """Yield the checks."""
    yield from _single_server(seed)
    yield from _many_servers(seed)
    yield from _finite_queue(seed)
    yield from _tandem(seed)
    yield from _processor_sharing(seed)
    yield from _quasi_static(seed)


def _single_server(seed: int) -> Iterator[Check]:
    rate_hz = 0.7
    for name, service in (("M/M/1", {"kind": "exponential", "mean_s": 1.0}), ("M/D/1", 1.0)):
        rows = _counted(_edge(seed, rate_hz, service))
        sojourns = [run["inferred_s"] - run["edge_arrive_s"] for run in rows]
        half = 0.5 if name == "M/D/1" else 1.0  # Pollaczek and Khinchine
        expected = 1.0 + half * rate_hz / (1.0 - rate_hz)
        yield mean_check(f"{name} at load 0.7: time at the edge", expected, _means(sojourns))
        if name == "M/M/1":
            for limit_s in (2.0, 5.0, 10.0):
                yield mean_check(
                    f"M/M/1 at load 0.7: longer than {limit_s:g} s at the edge",
                    math.exp(-(1.0 - rate_hz) * limit_s),
                    _means([times > limit_s for times in sojourns]),
                )


def _many_servers(seed: int) -> Iterator[Check]:
    servers, rate_hz = 3, 2.1
    rows = _counted(
        _edge(seed, rate_hz, {"kind": "exponential", "mean_s": 1.0}, {"workers": servers})
    )
    waits = [run["edge_start_s"] - run["edge_arrive_s"] for run in rows]
    waiting = erlang_c(servers, rate_hz)
    name = "M/M/3 at load 0.7"
    yield mean_check(f"{name}: wait at the edge", waiting / (servers - rate_hz), _means(waits))
    yield mean_check(f"{name}: share that waits", waiting, _means([times > 0 for times in waits]))


def _finite_queue(seed: int) -> Iterator[Check]:
    rate_hz, places = 0.9, 4
    edge = {"queue": {"limit": places - 1}}
    rows = _counted(_edge(seed, rate_hz, {"kind": "exponential", "mean_s": 1.0}, edge))
    blocked = [run["outcome"] == DROPPED_EDGE for run in rows]
    expected = (1.0 - rate_hz) * rate_hz**places / (1.0 - rate_hz ** (places + 1))
    yield mean_check("M/M/1/4 at load 0.9: share turned away", expected, _means(blocked))


def _tandem(seed: int) -> Iterator[Check]:
    rate_hz, means_s = 0.6, (1.0, 0.8)
    scheme = {
        "codec": "constant", "payload_bits": 1,
        "encode_s": {"kind": "exponential", "mean_s": means_s[0]},
        "infer_s": {"kind": "exponential", "mean_s": means_s[1]},
    }  # fmt: skip
    rows = _counted(_scenario(seed, rate_hz, scheme))
    sojourns = [run["inferred_s"] - run["born_s"] for run in rows]
    # Burke: the second queue is fed by a Poisson process; a clip's two sojourns are independent.
    a, b = (1.0 / mean_s - rate_hz for mean_s in means_s)
    for limit_s in (3.0, 8.0):
        tail = (b * math.exp(-a * limit_s) - a * math.exp(-b * limit_s)) / (b - a)
        yield mean_check(
            f"device, then edge, exponential: longer than {limit_s:g} s",
            tail,
            _means([times > limit_s for times in sojourns]),
        )


def _processor_sharing(seed: int) -> Iterator[Check]:
    """Clips of many devices share the band: E[T | size] = size / (rate (1 - load))."""
    devices, load = 200, 0.6
    mixes = {
        "equal sizes": ((1.0, 1.0),),
        "mixed sizes": ((0.5, 0.9), (5.5, 0.1)),  # squared coefficient of variation 2.25
    }
    for name, mix in mixes.items():
        scheme = {"codec": "constant", "payload_bits": 1_000_000}
        scenario = _scenario(
            seed, load / devices, scheme, devices={"count": devices},
            channel={"bandwidth_hz": 1e6, "mean_snr_db": 0.0},
        )  # fmt: skip
        rows = _counted(scenario, _sized(mix), runs=12)
        for size, _ in mix:
            times = [
                (run["sent_s"] - run["tx_start_s"])[run["payload_bits"] == size * 1e6]
                for run in rows
            ]
            # A device sends one clip at a time, so its own next clip does not share with it: one
            # device in two hundred of the load.
            others = load * (1.0 - 1.0 / devices)
            yield mean_check(
                f"band shared by {devices} devices, {name}: time on the air of {size:g} Mbit",
                size / (1.0 - others),
                _means(times),
            )


def _quasi_static(seed: int) -> Iterator[Check]:
    """One device, one clip for each fade; a clip that meets two is left out."""
    bits, band_hz, snr, gap, block_s = 40_000, 1e6, 10.0, 2.0, 1.0
    scenario = scenario_from_dict(
        {
            "name": "quasi-static", "seed": seed, "duration_s": 2000.0, "warmup_s": 0,
            "deadlines_s": [0.5],
            "clips": {"arrivals": {"kind": "periodic", "rate_hz": 1.0 / block_s}},
            "channel": {
                "fading": {"kind": "block", "block_s": block_s}, "bandwidth_hz": band_hz,
                "mean_snr_db": 10.0 * math.log10(snr), "carrier_hz": 3.5e9, "sharing": "equal",
                "rate": {"kind": "shannon", "gap_db": 10.0 * math.log10(gap),
                         "max_bits_per_symbol": 6.0},
            },
            "devices": {"count": 1, "queue": {"limit": _PLENTY}},
            "schemes": [{"codec": "constant", "payload_bits": bits}],
        }
    )  # fmt: skip
    taken = []
    for replication in range(10):
        rows = World(scenario, prepared_schemes(scenario)[0], stations(scenario, replication)).run()
        born_s = rows["born_s"]
        if born_s[0] % block_s < 0.8:  # then 0.2 s are left of the block
            alone = np.nan_to_num(rows["tx_start_s"], nan=-1.0) == born_s
            taken.append((np.nan_to_num(rows["done_s"], nan=math.inf) - born_s)[alone])
    times_s = np.concatenate(taken)
    for limit_s in (0.008, 0.015, 0.05):
        expected = float(sent_within(np.array(limit_s), bits, band_hz, gap / snr, 6.0))
        # A device that is still busy with the clip before is not alone: no draw of the fade that
        # follows, so leaving those clips out changes nothing.
        yield share_check(
            f"quasi-static Rayleigh fading: a clip answered within {1e3 * limit_s:g} ms",
            expected,
            int((times_s <= limit_s).sum()),
            len(times_s),
        )


def erlang_c(servers: int, load: float) -> float:
    """Return the probability that a customer waits in M/M/c (Erlang, 1917).

    Args:
        servers: Number of servers.
        load: Offered load, in servers; less than their number.

    Example:
        >>> round(erlang_c(1, 0.7), 12)
        0.7
    """
    terms = [load**k / math.factorial(k) for k in range(servers)]
    last = load**servers / math.factorial(servers) * servers / (servers - load)
    return last / (sum(terms) + last)


def _edge(
    seed: int, rate_hz: float, service: Any, edge: Mapping[str, Any] | None = None
) -> Scenario:
    scheme = {"codec": "constant", "payload_bits": 1, "infer_s": service}
    return _scenario(seed, rate_hz, scheme, edge=edge)


def _scenario(
    seed: int,
    rate_hz: float,
    scheme: Mapping[str, Any],
    *,
    edge: Mapping[str, Any] | None = None,
    devices: Mapping[str, Any] | None = None,
    channel: Mapping[str, Any] | None = None,
) -> Scenario:
    """Return a scenario with a channel that takes next to no time, unless it is said otherwise."""
    return scenario_from_dict(
        {
            "name": "theory",
            "seed": seed,
            "duration_s": _DURATION_S,
            "warmup_s": _WARMUP_S,
            "deadlines_s": [200.0],
            "clips": {"arrivals": {"kind": "poisson", "rate_hz": rate_hz}},
            "devices": {"queue": {"limit": _PLENTY}, **(devices or {})},
            "channel": {
                "fading": {"kind": "awgn"},
                "step_s": 1000.0,
                "bandwidth_hz": 1e9,
                "mean_snr_db": 20.0,
                "carrier_hz": 3.5e9,
                "sharing": "equal",
                "rate": {"kind": "shannon"},
                **(channel or {}),
            },
            "edge": {"queue": {"limit": _PLENTY}, **(edge or {})},
            "schemes": [scheme],
        }
    )


def _sized(mix: Sequence[tuple[float, float]]) -> PreparedScheme:
    """Return a scheme whose clips are of some sizes in megabits, with their probabilities."""
    sizes, shares = np.array(mix).T

    def prepare(_: Any, draws: Draws) -> PreparedClips:
        drawn = draws("size")
        bits = 1e6 * sizes[np.searchsorted(shares.cumsum(), drawn).clip(max=len(sizes) - 1)]
        nothing, right = np.zeros(len(drawn)), np.ones(len(drawn), dtype=bool)
        return PreparedClips.without_labels(
            encode_s=nothing, payload_bits=bits, infer_s=nothing, correct=right
        )

    return PreparedScheme("sized", (-1,), prepare, in_packets=False)


def _counted(
    scenario: Scenario, scheme: PreparedScheme | None = None, *, runs: int | None = None
) -> list[Columns]:
    """Return the counted clips of every replication."""
    runs = runs or _RUNS
    scheme = scheme or prepared_schemes(scenario)[0]
    found = []
    for replication in range(runs):
        rows = World(scenario, scheme, stations(scenario, replication)).run()
        found.append({name: column[rows["counted"]] for name, column in rows.items()})
    return found


def _means(samples: Sequence[NDArray[Any]]) -> list[float]:
    return [float(np.mean(values)) for values in samples]
