"""Values as whole numbers and back: a uniform quantiser whose range is learned."""

import torch
from torch import Tensor, nn


class Quantiser(nn.Module):
    """Multiplies by a learned gain, rounds, and cuts off at the operating point's radius.

    A gain for every operating point and channel lets one network serve many rates (Cui et al.,
    "Asymmetric Gained Deep Image Compression With Continuous Rate Adaptation", CVPR 2021).

    Args:
        radii: Largest magnitude at each of O operating points.
        channels: Values for each position, C.
        gain: Of all, at first.
    """

    radii: Tensor

    def __init__(self, radii: list[int], channels: int, *, gain: float = 1.0) -> None:
        super().__init__()
        self.log_gain = nn.Parameter(torch.full((len(radii), channels), gain).log())
        self.register_buffer("radii", torch.tensor(radii, dtype=torch.float32), persistent=False)

    def scaled(self, values: Tensor, points: Tensor) -> Tensor:
        """Return values (B, T, h, w, C) in steps of the quantiser, cut off at the radius.

        Args:
            values: From the encoder.
            points: Operating point of each clip, int64, shape (B,).
        """
        gain = self.log_gain[points].exp()[:, None, None, None, :]
        radius = self.radii[points][:, None, None, None, None]
        # Values beyond the radius keep a gradient back into it; the gain does not, or it would grow
        # for what it cannot reach (Esser et al., "Learned Step Size Quantization", ICLR 2020).
        beyond = values * gain.detach()
        beyond = beyond.where(beyond.abs() > radius, 0.0)
        return (values * gain).clamp(-radius, radius) + (beyond - beyond.detach())

    def restored(self, steps: Tensor, points: Tensor) -> Tensor:
        """Return the values (B, T, h, w, C) that steps, rounded or not, stand for."""
        return steps * (-self.log_gain[points]).exp()[:, None, None, None, :]


def rounded(steps: Tensor) -> Tensor:
    """Round, with the gradient passing through (Bengio et al., arXiv 1308.3432)."""
    return steps + (steps.round() - steps).detach()
