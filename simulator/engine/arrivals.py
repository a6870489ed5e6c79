"""When clips are born and which ones they are: the same for all schemes."""

import math
from dataclasses import dataclass

import numpy as np

from fadeline.simulator.scenario.scenario import Poisson, Scenario
from fadeline.simulator.schemes.draws import Draws, Floats
from fadeline.simulator.streams import Streams


@dataclass(frozen=True)
class Workload:
    """The clips of one device over a whole run, n of them.

    Attributes:
        born_s: Ascending, shape (n,), all before the end of the run.
        draws: Draws for each stage of their lives.
    """

    born_s: Floats
    draws: Draws


def workload(
    scenario: Scenario, streams: Streams, *, replication: int, group: int, device: int
) -> Workload:
    """Return the clips of one device; see `device_trace` for the arguments."""
    owner = (replication, scenario.group_names[group], device)
    arrivals, horizon_s = scenario.clips.arrivals, scenario.horizon_s
    if isinstance(arrivals, Poisson):
        born_s = _poisson(streams, owner, arrivals.rate_hz, horizon_s)
    else:
        phase = streams.clip_uniforms("phase", *owner, clips=1)[0]
        born_s = (phase + np.arange(math.ceil(arrivals.rate_hz * horizon_s) + 1)) / arrivals.rate_hz
    born_s = born_s[born_s < horizon_s]
    return Workload(born_s, lambda stage: streams.clip_uniforms(stage, *owner, clips=len(born_s)))


def _poisson(
    streams: Streams, owner: tuple[int, str, int], rate_hz: float, horizon_s: float
) -> Floats:
    mean = rate_hz * horizon_s
    clips = math.ceil(mean + 6.0 * math.sqrt(mean)) + 10
    while True:
        gaps = -np.log1p(-streams.clip_uniforms("arrival", *owner, clips=clips)) / rate_hz
        born_s: Floats = gaps.cumsum()
        if born_s[-1] >= horizon_s:
            return born_s
        clips *= 2
