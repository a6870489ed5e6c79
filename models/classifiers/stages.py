"""The stages of handling a clip that are classifiers, and how fast one core runs them."""

from fadeline.models.classifiers.vit import VideoViT, vit_preset
from fadeline.models.hardware.calibration import network_stage
from fadeline.models.hardware.latency import Effort, Stage, time_call, torch_threads


def default_stages() -> tuple[Stage, ...]:
    """Return the stages of handling a clip that this version has networks for."""
    config = vit_preset("tiny", classes=10)  # a few classes more or less cost nothing
    shape = (3, config.frames, config.size_px, config.size_px)
    return (network_stage("classify", VideoViT(config).eval(), shape),)


def reference_network_s(effort: Effort) -> float:
    """Return the median time of the network of the profiles' stage `classify`, seconds.

    What other networks take beside it on the same machine is what they take on another, too.

    Args:
        effort: How long to measure one clip on one core.
    """
    (stage,) = default_stages()
    with torch_threads(1):
        return time_call(stage.prepare(1), effort).median_s
