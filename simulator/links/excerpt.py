"""The start of a few links, to be drawn without simulating."""

import numpy as np
import pandas as pd

from fadeline.simulator.links.traces import device_trace
from fadeline.simulator.scenario.scenario import Scenario
from fadeline.simulator.streams import Streams

_EXCERPT_STEPS = 2000
"""Of each device group's first link (our choice)."""


def link_excerpt(scenario: Scenario) -> pd.DataFrame:
    """Return SNR and rate over time of the first link of each device group, from the start.

    Args:
        scenario: Without a sweep.

    Returns:
        Columns group, time_s, snr_db and rate_bps.
    """
    frames = []
    for group, name in enumerate(scenario.group_names):
        trace = device_trace(scenario, Streams(scenario.seed), replication=0, group=group, device=0)
        steps = min(trace.rate_bps.size, _EXCERPT_STEPS)
        with np.errstate(divide="ignore"):
            snr_db = np.nan if trace.snr is None else 10.0 * np.log10(trace.snr[:steps])
        frames.append(
            pd.DataFrame(
                {
                    "group": name,
                    "time_s": trace.edges_s[:steps],
                    "snr_db": snr_db,
                    "rate_bps": trace.rate_bps[:steps],
                }
            )
        )
    return pd.concat(frames, ignore_index=True)
