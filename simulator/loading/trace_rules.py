"""Rules on recorded links: does the file hold one, and what does it leave without a use?"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fadeline.channels.units import db_to_linear
from fadeline.simulator.errors import Fault, Path, Unused
from fadeline.simulator.scenario.channel import Channel, FiniteBlocklength, Tdd
from fadeline.simulator.scenario.fading import TraceFading
from fadeline.simulator.scenario.scenario import Scenario

if TYPE_CHECKING:
    from fadeline.channels.tracefile import RecordedLink

MAX_STEPS = 20_000_000
"""Most time steps of one link (our choice): 640 MB of trace, and several times that meanwhile."""

MAX_SNR_DB = 200.0
MAX_RATE_BPS = 1e15
MAX_RECORDED_S = 1e9
"""Largest values of a recorded link (our choice); others are mistakes in its units."""


def trace_faults(scenario: Scenario, channel: Channel, fading: TraceFading) -> Iterator[Fault]:
    """Yield path, from the channel on, and message of each rule that a recorded link breaks."""
    from fadeline.channels.tracefile import TraceFileError
    from fadeline.simulator.links.traces import recorded_link

    for field in ("mean_snr_db", "geometry"):
        if getattr(channel, field) is not None:
            words = "a trace brings its own SNR or rate; leave it out or set it to null"
            yield (field,), Unused(words)
    if (fading.format == "mahimahi") != (fading.bin_s is not None):
        yield (
            ("fading", "bin_s"),
            "a Mahimahi trace needs the length of the bins it is averaged over"
            if fading.bin_s is None
            else Unused("only for format: mahimahi"),
        )
        return
    if fading.format == "mahimahi" and fading.max_gap_s is not None:
        yield ("fading", "max_gap_s"), Unused("not for format: mahimahi")
    try:
        recorded = recorded_link(fading)
        yield from _recording(recorded)
        if fading.at_end == "error":
            recorded.covering(scenario.horizon_s, "error")
        elif scenario.horizon_s / recorded.end_s * recorded.edges_s.size > MAX_STEPS:
            yield ("fading", "at_end"), f"repeated, the trace has over {MAX_STEPS:.3g} time steps"
    except (TraceFileError, OSError) as error:
        yield ("fading", "file"), str(error)
        return
    if recorded.snr is not None and channel.bandwidth_hz is None:
        yield ("bandwidth_hz",), "missing; the trace gives an SNR, and its rate needs a bandwidth"
    # A group's own trace may stand beside groups that need the band.
    own = fading is not scenario.channel.fading
    if recorded.rate_bps is not None and channel.bandwidth_hz is not None and not own:
        yield (
            ("bandwidth_hz",),
            Unused(
                "the trace gives rates, so a bandwidth changes nothing; leave it out or set it to "
                "null"
            ),
        )
    if recorded.rate_bps is not None and not own:
        for field, changed in (
            ("overhead", channel.overhead > 0),
            ("duplex", isinstance(channel.duplex, Tdd)),
        ):
            if changed:
                yield (
                    (field,),
                    Unused(
                        "the trace gives rates, which are what is left for data; leave it out or "
                        "set it to null"
                    ),
                )
    if isinstance(channel.rate, FiniteBlocklength):
        yield ("rate",), "finite-blocklength needs time steps of one block; a trace has its own"


def _recording(recorded: "RecordedLink") -> Iterator[Fault]:
    """Refuse recorded values beyond all that a scenario may give."""
    at: Path = ("fading", "file")
    if recorded.end_s > MAX_RECORDED_S:
        yield at, f"lasts longer than {MAX_RECORDED_S:g} s"
    if recorded.snr is not None and recorded.snr.max() > db_to_linear(MAX_SNR_DB):
        yield at, f"holds an SNR above {MAX_SNR_DB:g} dB"
    if recorded.rate_bps is not None and recorded.rate_bps.max() > MAX_RATE_BPS:
        yield at, f"holds a rate above {MAX_RATE_BPS:g} bit/s"
