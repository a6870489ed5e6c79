"""How fast one core runs a network: the tiny video ViT, on one clip.

What other networks take beside it on the same machine is what they take on another, too.
"""

from fadeline.models.hardware.latency import Effort, time_call, torch_threads


def reference_network_s(effort: Effort) -> float:
    """Return the median time of the network of the profiles' stage `classify`, seconds.

    Args:
        effort: How long to measure.
    """
    from fadeline.models.hardware.calibration import default_stages

    (stage,) = default_stages()
    with torch_threads(1):
        return time_call(stage.prepare(1), effort).median_s
