"""What the encoders of all codecs share: what they return, and the layers that they are built of.

Letters: B clips, T frames; F features on a grid of h rows and w columns; C channels.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Analysis:
    """What the device computes of clips.

    Attributes:
        values: Before quantisation, shape (B, T, h, w, C).
        frame_scores: Importance of frames, shape (B, T).
        position_scores: Importance of positions, shape (B, T, h, w).
    """

    values: Tensor
    frame_scores: Tensor
    position_scores: Tensor


class Separable(nn.Module):
    """A residual depthwise and pointwise convolution on (B, F, h, w)."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.space = nn.Conv2d(features, features, 3, padding=1, groups=features)
        self.mix = nn.Conv2d(features, features, 1)

    def forward(self, grid: Tensor) -> Tensor:
        """Return the grid (B, F, h, w) with what its neighbours add."""
        refined: Tensor = functional.relu(grid + self.mix(functional.relu(self.space(grid))))
        return refined


def start_at_zero(*layers: nn.Linear | nn.Conv1d | nn.Conv2d) -> None:
    """Let layers add nothing until they have learnt to."""
    with torch.no_grad():
        for layer in layers:
            for parameter in layer.parameters():
                parameter.zero_()
