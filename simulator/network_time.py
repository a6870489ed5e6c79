"""How long a network takes on a board: measured on one core, carried over by the board's rates.

The rule of `fadeline.models.roofline` alone gives networks of as many operations the same time. A
measured time says how much longer, or shorter, than by the rule a network takes on the machine that
measured it; on any board it is taken to be the same factor.
"""

from dataclasses import dataclass

from fadeline.models.outcomes import NetworkWork
from fadeline.simulator.profile import Profile, load_profile


@dataclass(frozen=True)
class NetworkTime:
    """The time of a network on any board.

    Attributes:
        work: What it does for a clip.
        over_rule: Its measured time over that of the rule; 1 for a network that was not measured.
    """

    work: NetworkWork
    over_rule: float = 1.0

    @classmethod
    def measured(
        cls, work: NetworkWork, measured_s: float, reference_network_s: float
    ) -> "NetworkTime":
        """Return the time of a network that was measured.

        Args:
            work: What it does for a clip.
            measured_s: How long that took on one core of some machine, seconds.
            reference_network_s: How long the reference network took there, which the shipped host
                was measured with, too.
        """
        host = load_profile("host")
        on_host_s = next(times.median_s for times in host.stages["classify"] if times.batch == 1)
        rule_s = host.roof.work_s(work.flops, work.weight_bytes + work.moved_bytes)
        return cls(work, measured_s * on_host_s / reference_network_s / rule_s)

    def on(self, board: Profile, *, clips: float = 1, slowdown: float = 1.0) -> float:
        """Return the median time of a call on a board, seconds.

        Args:
            board: Its profile.
            clips: In the batch; less than 1 for a part of a clip.
            slowdown: Factor on the time.
        """
        return board.latency_s(
            clips * self.work.flops,
            self.work.weight_bytes + clips * self.work.moved_bytes,
            slowdown=slowdown,
            over_rule=self.over_rule,
        )
