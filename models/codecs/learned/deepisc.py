"""DeepISC: a learned image codec, every frame for itself (after Jiang, Peng and Dong, 2023).

The baseline that STAE is compared with: an autoencoder of single images, in front of the same
classifier. Theirs is built of transformer blocks; ours of convolutions, with the building blocks of
STAE (`layers`) and as much work on the device. All layers and sizes are ours. Nothing here sees
more than one frame.

Letters, here and in every shape below:
    B clips, T frames of H rows and W columns of pixels;
    F features on a grid of h rows and w columns for each frame, 8 pixels apart;
    C channels: values sent for each position of the grid.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from fadeline.models.codecs.learned.layers import Analysis, Separable, start_at_zero
from fadeline.models.codecs.learned.shape import GRID_PX, PATCH_PX, CodecConfig


@dataclass(frozen=True)
class DeepIscConfig(CodecConfig):
    """The shape of DeepISC; wider where STAE spends on scores and time, so as heavy to encode."""

    patch_features: int = 28
    decoder_features: int = 64


class DeepIscEncoder(nn.Module):
    """The device's part: frames to values."""

    even: Tensor

    def __init__(self, config: DeepIscConfig) -> None:
        super().__init__()
        P, F = config.patch_features, config.features
        self.patches = nn.Conv2d(3, P, PATCH_PX, stride=PATCH_PX)
        self.mix = Separable(P)
        self.down = nn.Conv2d(P, F, 2, stride=2)
        self.refine = Separable(F)
        self.transform = nn.Conv2d(3, config.channels, GRID_PX, stride=GRID_PX)
        self.reduce = nn.Conv2d(F, config.channels, 1)
        start_at_zero(self.reduce)
        self.register_buffer("even", evenly(config.frames), persistent=False)

    def forward(self, clips: Tensor) -> Analysis:
        """Return values of clips (B, 3, T, H, W) in [0, 1]; scores that keep frames evenly."""
        B, _, T = clips.shape[:3]
        pixels = (2.0 * clips - 1.0).transpose(1, 2).flatten(0, 1)
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        grid = self.mix(functional.relu(self.patches(pixels)))
        grid = self.reduce(self.refine(functional.relu(self.down(grid)))) + self.transform(pixels)
        values = grid.permute(0, 2, 3, 1).reshape(B, T, *grid.shape[2:], -1).float()
        alike = torch.zeros(values.shape[:4], device=values.device)
        return Analysis(values, self.even.expand(B, T), alike)


class DeepIscDecoder(nn.Module):
    """The server's part: values of single frames to pixels; a frame left out repeats the last."""

    def __init__(self, config: DeepIscConfig) -> None:
        super().__init__()
        D, P = config.decoder_features, config.pixel_features
        self.back = nn.Linear(config.channels, 3 * GRID_PX**2)
        self.point = nn.Embedding(config.points, D)
        nn.init.zeros_(self.point.weight)
        self.enter = nn.Conv2d(config.channels, D, 3, padding=1)
        self.residuals = nn.ModuleList(nn.Conv2d(D, D, 3, padding=1) for _ in range(2))
        self.up = nn.Conv2d(D, P * 4, 1)
        self.pixels = nn.Conv2d(P, 3 * PATCH_PX**2, 3, padding=1)
        start_at_zero(self.pixels)

    def forward(self, values: Tensor, kept: Tensor, points: Tensor) -> Tensor:
        """Return clips (B, 3, T, H, W) in [0, 1].

        Args:
            values: Of each position, shape (B, T, h, w, C).
            kept: 1 where sent, shape (B, T, h, w).
            points: Operating point of each clip, shape (B,).
        """
        B, T = values.shape[:2]
        values = values.take_along_dim(latest(kept)[:, :, None, None, None], dim=1)
        grid = values.flatten(0, 1).permute(0, 3, 1, 2)
        point = self.point(points).repeat_interleave(T, dim=0)
        grid = functional.relu(self.enter(grid) + point[:, :, None, None])
        for residual in self.residuals:
            grid = functional.relu(grid + residual(grid))
        frames = functional.relu(functional.pixel_shuffle(self.up(grid), 2))
        frames = functional.pixel_shuffle(self.pixels(frames), PATCH_PX)
        linear = self.back(values).flatten(0, 1).permute(0, 3, 1, 2)
        frames = frames + functional.pixel_shuffle(linear, GRID_PX)
        return frames.float().clamp(0.0, 1.0).view(B, T, 3, *frames.shape[2:]).transpose(1, 2)


def evenly(T: int) -> Tensor:
    """Return scores (T,) whose highest n are as evenly spread over the frames as halving allows.

    Example:
        >>> evenly(4).argsort(descending=True).tolist()
        [0, 2, 1, 3]
    """
    bits = max(T - 1, 1).bit_length()
    reverse = [int(f"{t:0{bits}b}"[::-1], 2) for t in range(T)]
    return -torch.tensor(reverse, dtype=torch.float32)


def latest(kept: Tensor) -> Tensor:
    """Return for each frame the last one kept up to it, or the first kept: int64, shape (B, T).

    Args:
        kept: Non-zero where a position is kept, shape (B, T, h, w).
    """
    frames = kept.detach().flatten(2).amax(dim=2) > 0.5
    numbers = torch.arange(frames.shape[1], device=kept.device).expand_as(frames)
    found = torch.where(frames, numbers, -1).cummax(dim=1).values
    first = frames.long().argmax(dim=1, keepdim=True)
    return torch.where(found < 0, first, found)
