"""How long a network takes on a board: measured on one core, carried over by the board's rates.

The rule of `fadeline.models.hardware.roofline` alone gives networks of as many operations the same
time. A network that was measured counts with as many operations as take its time on the shipped
host, so two networks are to each other on every board as they are there: a board's time is the
measured one, less overhead, times the sustained rate of the host over that of the board.
"""

from dataclasses import dataclass

from fadeline.models.hardware.network_work import NetworkWork
from fadeline.simulator.compute.profile import Profile, load_profile


@dataclass(frozen=True)
class NetworkTime:
    """The time of a network on any board.

    Attributes:
        flops: Operations that it counts with for a clip.
        moved_bytes: Bytes that it reads and writes for a clip.
        weight_bytes: Bytes that it reads for a call.
    """

    flops: float
    moved_bytes: float
    weight_bytes: float

    @classmethod
    def by_rule(cls, work: NetworkWork) -> "NetworkTime":
        """Return the time of a network of which only the work is known."""
        return cls(work.flops, work.moved_bytes, work.weight_bytes)

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
        reference_s = next(times.median_s for times in host.stages["classify"] if times.batch == 1)
        on_host_s = measured_s * reference_s / reference_network_s
        # The bytes are counted as if no cache kept any, so they cannot take longer than was
        # measured.
        memory_s = (work.weight_bytes + work.moved_bytes) / host.roof.memory_bandwidth_bytes_per_s
        kept = min(1.0, on_host_s / memory_s) if memory_s else 0.0
        return cls(
            on_host_s * host.roof.sustained_flops_per_s,
            work.moved_bytes * kept,
            work.weight_bytes * kept,
        )

    def on(self, board: Profile, *, clips: float = 1, slowdown: float = 1.0) -> float:
        """Return the median time of a call on a board, seconds; none of what is no network.

        Args:
            board: Its profile.
            clips: In the batch; less than 1 for a part of a clip.
            slowdown: Factor on the time.
        """
        if not (self.flops or self.moved_bytes or self.weight_bytes):
            return 0.0
        return board.latency_s(
            clips * self.flops, self.weight_bytes + clips * self.moved_bytes, slowdown=slowdown
        )
