"""Values as whole numbers and back: a uniform quantiser whose range is learned."""

import torch
from torch import Tensor, nn

PACE = 5.0
"""How many times faster than the networks' weights the gains' logarithms move (our choice)."""

ROUNDING = 0.4
"""Added to a magnitude before its fraction is cut off; 1/2 would be plain rounding (our choice)."""


class Quantiser(nn.Module):
    """Multiplies by a learned gain; `rounded` does the rest.

    A gain for every operating point and channel lets one network serve many rates (Cui et al.,
    "Asymmetric Gained Deep Image Compression With Continuous Rate Adaptation", CVPR 2021).

    Args:
        points: Operating points, O.
        channels: Values for each position, C.
    """

    def __init__(self, points: int, channels: int) -> None:
        super().__init__()
        self.log_gain_over_pace = nn.Parameter(torch.zeros(points, channels))

    @property
    def log_gain(self) -> Tensor:
        """Natural logarithm of the gains, shape (O, C)."""
        return PACE * self.log_gain_over_pace

    @torch.no_grad()
    def turn_up(self, log_factors: Tensor) -> None:
        """Multiply the gains of each operating point: logarithms of the factors, shape (O,)."""
        self.log_gain_over_pace.add_(log_factors[:, None] / PACE)

    @torch.no_grad()
    def turn_up_channels(self, log_factors: Tensor) -> None:
        """Multiply the gains of each channel: logarithms of the factors, shape (C,)."""
        self.log_gain_over_pace.add_(log_factors / PACE)

    def scaled(self, values: Tensor, points: Tensor) -> Tensor:
        """Return values (B, T, h, w, C) in steps of the quantiser.

        Args:
            values: From the encoder.
            points: Operating point of each clip, int64, shape (B,).
        """
        return values * self.log_gain[points].exp()[:, None, None, None, :]

    def restored(self, steps: Tensor, points: Tensor) -> Tensor:
        """Return the values (B, T, h, w, C) that steps stand for."""
        return steps * (-self.log_gain[points]).exp()[:, None, None, None, :]


def symbols(steps: Tensor) -> Tensor:
    """Return the whole numbers that steps become; a little more than half becomes zero.

    Source:
        Sullivan, "Efficient Scalar Quantization of Exponential and Laplacian Random Variables",
        IEEE Trans. Information Theory 42(5), 1996: the dead zone saves more bits than it blurs.
    """
    return steps.sign() * (steps.abs() + ROUNDING).floor()


def rounded(steps: Tensor) -> Tensor:
    """Return `symbols`, with the gradient passing through (Bengio et al., arXiv 1308.3432)."""
    return steps + (symbols(steps) - steps).detach()
