"""The edge server in a scenario: workers, queue, batching and core network."""

from typing import Annotated, Literal

from pydantic import Field

from fadeline.simulator.scenario.spec import (
    NETWORK_SPEED,
    Count,
    Duration,
    NetworkSpeed,
    NonNegative,
    Positive,
    ProfileName,
    Spec,
)


class EdgeQueue(Spec):
    """Clips waiting at the edge server."""

    order: Literal["fifo", "lifo", "edf", "shortest"] = Field(
        "fifo", description="Which waiting clip is served next."
    )
    limit: Annotated[int, Field(ge=0)] = Field(64, description="Clips waiting, at most.")
    drop_expired: bool = Field(False, description="Give up clips whose deadline has passed.")


class Batch(Spec):
    """Dynamic batching."""

    max_size: Count = Field(1, description="Clips inferred together, at most.")
    max_wait_s: NonNegative = Field(0.0, description="Longest wait for more clips, seconds.")


class Edge(Spec):
    """The server that decodes and classifies."""

    profile: ProfileName = Field(
        "host", description="Compute profile: a name of `fadeline list`, or a YAML file."
    )
    slowdown: Positive = Field(1.0, description="Factor on the profile's compute times.")
    network_speed: NetworkSpeed = NETWORK_SPEED
    workers: Count = Field(1, description="Clips or batches served at the same time.")
    queue: EdgeQueue = Field(EdgeQueue(), description="Clips that wait for a worker.")
    batch: Batch = Field(Batch(), description="Inference of several clips together.")
    round_trip_s: Duration = Field(0.0, description="Core network, both ways, seconds.")
