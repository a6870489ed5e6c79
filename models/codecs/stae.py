"""STAE: a spatiotemporal attention autoencoder (Li et al., arXiv 2305.12796).

The paper's abstract names the parts: a frame attention module and a spatial attention module score
the frames of a clip and the positions in each; the important ones are quantised and entropy-coded;
a light decoder of 3D and 2D convolutions restores the clip for the classifier. All layers and sizes
here are ours, since the paper's are not public.

Letters, here and in every shape below:
    B clips, T frames of H rows and W columns of pixels;
    F features on a grid of h rows and w columns for each frame, 8 pixels apart;
    C channels: values sent for each position of the grid.

On the device, a clip (B, 3, T, H, W) becomes features, scores and values:

    stem       each frame with its change since the frame before; 4x4 patches, then depthwise and
               pointwise convolutions (Howard et al., arXiv 1704.04861) down to the grid
    frames     mean and maximum over the grid, a convolution over time, a score for each frame
    positions  each position with its frame's mean, a score for each
    values     the features of each position, mixed over three frames and reduced to C channels

On the server, values (B, T, h, w, C) and what was kept become a clip again:

    3D         a convolution over time and space and a residual one, as space, then time (Tran et
               al., CVPR 2018); what was not sent is zero, and a mask channel says so
    2D         up to pixels, frame by frame, by sub-pixel convolution (Shi et al., CVPR 2016)
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from fadeline.models.codecs.shape import PATCH_PX, CodecConfig

CHANGE_SCALE = 2.0
"""Factor on the change between frames, as in the video ViT."""


@dataclass(frozen=True)
class StaeConfig(CodecConfig):
    """The shape of STAE; its defaults take a tenth of the `tiny` video ViT's work to encode."""


@dataclass(frozen=True)
class Encoded:
    """What the device computes of clips.

    Attributes:
        values: Before quantisation, shape (B, T, h, w, C).
        frame_scores: Importance of frames, shape (B, T).
        place_scores: Importance of positions, shape (B, T, h, w).
    """

    values: Tensor
    frame_scores: Tensor
    place_scores: Tensor


class StaeEncoder(nn.Module):
    """The device's part: clips to scores and values."""

    def __init__(self, config: StaeConfig) -> None:
        super().__init__()
        P, F = config.patch_features, config.features
        self.patches = nn.Conv2d(2 * 3, P, PATCH_PX, stride=PATCH_PX)
        self.mix = Separable(P)
        self.down = nn.Conv2d(P, F, 2, stride=2)
        self.refine = Separable(F)
        self.frame_hidden = nn.Conv1d(2 * F, F // 2, 3, padding=1)
        self.frame_score = nn.Conv1d(F // 2, 1, 3, padding=1)
        self.place_hidden = nn.Linear(2 * F, F // 2)
        self.place_score = nn.Linear(F // 2, 1)
        self.over_time = nn.Conv1d(F, F, 3, padding=1, groups=F)
        self.reduce = nn.Linear(F, config.channels)

    def forward(self, clips: Tensor) -> Encoded:
        """Return scores and values of clips (B, 3, T, H, W) in [0, 1]."""
        B, _, T = clips.shape[:3]
        frames = 2.0 * clips.permute(0, 2, 1, 3, 4) - 1.0
        change = torch.cat([torch.zeros_like(frames[:, :1]), frames[:, 1:] - frames[:, :-1]], dim=1)
        pixels = torch.cat([frames, CHANGE_SCALE * change], dim=2).flatten(0, 1)
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        grid = self.mix(functional.relu(self.patches(pixels)))
        grid = self.refine(functional.relu(self.down(grid)))
        F, h, w = grid.shape[1:]
        features = grid.permute(0, 2, 3, 1).reshape(B, T, h, w, F)

        mean = features.mean(dim=(2, 3))
        pooled = torch.cat([mean, features.amax(dim=(2, 3))], dim=-1).transpose(1, 2)
        frame_scores = self.frame_score(functional.relu(self.frame_hidden(pooled)))[:, 0]

        around = mean[:, :, None, None, :].expand_as(features)
        hidden = functional.relu(self.place_hidden(torch.cat([features, around], dim=-1)))
        place_scores = self.place_score(hidden)[..., 0]

        lines = features.permute(0, 2, 3, 4, 1).reshape(B * h * w, F, T)
        lines = (lines + self.over_time(lines)).reshape(B, h, w, F, T).permute(0, 4, 1, 2, 3)
        return Encoded(self.reduce(lines).float(), frame_scores.float(), place_scores.float())


class StaeDecoder(nn.Module):
    """The server's part: values and what was kept to clips."""

    def __init__(self, config: StaeConfig) -> None:
        super().__init__()
        self.config = config
        D, P = config.decoder_features, config.pixel_features
        self.point = nn.Embedding(config.points, D)
        nn.init.zeros_(self.point.weight)
        self.enter = _OverSpaceAndTime(config.channels + 1, D)
        self.residual = _OverSpaceAndTime(D, D)
        self.up = nn.Conv2d(D, P * 4, 3, padding=1)
        self.pixels = nn.Conv2d(P, 3 * PATCH_PX**2, 3, padding=1)

    def forward(self, values: Tensor, kept: Tensor, points: Tensor) -> Tensor:
        """Return clips (B, 3, T, H, W) in [0, 1].

        Args:
            values: Zero where not kept, shape (B, T, h, w, C).
            kept: 1 where kept, shape (B, T, h, w).
            points: Operating point of each clip, shape (B,).
        """
        B, T = values.shape[:2]
        grid = torch.cat([values, kept[..., None]], dim=-1).permute(0, 1, 4, 2, 3)
        grid = self.enter(grid) + self.point(points)[:, None, :, None, None]
        grid = functional.relu(grid)
        grid = functional.relu(grid + self.residual(grid))
        frames = functional.pixel_shuffle(self.up(grid.flatten(0, 1)), 2)
        frames = functional.pixel_shuffle(self.pixels(functional.relu(frames)), PATCH_PX)
        return frames.float().sigmoid().view(B, T, 3, *frames.shape[2:]).transpose(1, 2)


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


class _OverSpaceAndTime(nn.Module):
    """A 3D convolution in two parts on (B, T, F, h, w): 3x3 over space, then 3 over time."""

    def __init__(self, inputs: int, features: int) -> None:
        super().__init__()
        self.space = nn.Conv2d(inputs, features, 3, padding=1)
        self.time = nn.Conv2d(features, features, (3, 1), padding=(1, 0))

    def forward(self, grid: Tensor) -> Tensor:
        B, T, _, h, w = grid.shape
        frames = functional.relu(self.space(grid.flatten(0, 1)))
        F = frames.shape[1]
        lines = frames.view(B, T, F, h * w).transpose(1, 2)
        mixed: Tensor = self.time(lines)
        return mixed.transpose(1, 2).reshape(B, T, F, h, w)
