"""All checks of `fadeline verify`, gathered from the parts that can be checked."""

from fadeline.channels.verification.check import Check
from fadeline.simulator.streams import Streams


def all_checks(seed: int) -> list[Check]:
    """Return every check; each part draws from a stream of its own.

    Args:
        seed: Seed of the simulations.
    """
    from fadeline.channels.verification.fading import fading_checks
    from fadeline.channels.verification.link import link_checks
    from fadeline.channels.verification.tdl import tdl_checks
    from fadeline.simulator.verification.accounting import accounting_checks
    from fadeline.simulator.verification.intervals import interval_checks
    from fadeline.simulator.verification.queues import queue_checks

    streams = Streams(seed)
    parts = {"fading": fading_checks, "link": link_checks, "tdl": tdl_checks}
    return [
        *(check for name, part in parts.items()
          for check in part(streams.generator("verify", name))),
        *queue_checks(seed),
        *accounting_checks(seed),
        *interval_checks(streams.generator("verify", "intervals")),
    ]  # fmt: skip
