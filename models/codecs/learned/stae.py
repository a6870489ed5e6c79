"""STAE: a spatiotemporal attention autoencoder (Li et al., arXiv 2305.12796).

The paper's abstract names the parts: a frame attention module and a spatial attention module score
the frames of a clip and the positions in each; the important ones are quantised and entropy-coded;
a light decoder of 3D and 2D convolutions restores the clip for the classifier. All layers and sizes
here are ours, since the paper's are not public.

A position that is not sent keeps what it last had, as conditional replenishment does (Mounts, "A
Video Encoding System With Conditional Picture-Element Replenishment", Bell System Technical Journal
48(7), 1969); one that is sent costs only its difference to that. So attention chooses where and
when the picture is renewed, and what stands still is free.

Letters, here and in every shape below:
    B clips, T frames of H rows and W columns of pixels;
    F features on a grid of h rows and w columns for each frame, 8 pixels apart;
    C channels: values sent for each position of the grid.

On the device, a clip (B, 3, T, H, W) becomes features, values and scores:

    stem       4x4 patches of each frame, what changes in them over three frames, then depthwise and
               pointwise convolutions (Howard et al., arXiv 1704.04861) down to the grid
    values     a linear transform of 8x8 patches, which starts as their principal components, and
               what the features add
    frames     change of the values, mean and maximum of the features, a convolution over time: a
               score for each frame
    positions  change of the values, features and their frame's mean: a score for each

On the server, values (B, T, h, w, C) held where nothing was sent become a clip again:

    linear     the transform back
    3D         convolutions over time and space, as space, then time (Tran et al., CVPR 2018); a
               mask channel says what was just sent
    2D         up to pixels, frame by frame, by sub-pixel convolution (Shi et al., CVPR 2016)
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from fadeline.models.codecs.learned.layers import Analysis, Separable, start_at_zero
from fadeline.models.codecs.learned.shape import GRID_PX, PATCH_PX, CodecConfig

ATTENTION_BIAS = 4.0
"""Most that attention adds to the logarithm of the change, or takes from it (our choice)."""

EAGERNESS = 10.0
"""How many times faster attention learns than the rest: hard choices teach little (our choice)."""

_QUIET = 1e-4
"""Added to a position's change so that none is zero: 0.01 of a pixel's range (our choice)."""


@dataclass(frozen=True)
class StaeConfig(CodecConfig):
    """The shape of STAE; its defaults take a tenth of the `tiny` video ViT's work to encode."""


class StaeEncoder(nn.Module):
    """The device's part: clips to scores and values."""

    def __init__(self, config: StaeConfig) -> None:
        super().__init__()
        P, F, C = config.patch_features, config.features, config.channels
        self.patches = nn.Conv2d(3, P, PATCH_PX, stride=PATCH_PX)
        self.change = nn.Conv2d(P, P, (3, 1), padding=(1, 0), groups=P)
        self.mix = Separable(P)
        self.down = nn.Conv2d(P, F, 2, stride=2)
        self.refine = Separable(F)
        self.transform = nn.Conv2d(3, C, GRID_PX, stride=GRID_PX)
        self.over_time = nn.Conv1d(F, F, 3, padding=1, groups=F)
        self.reduce = nn.Linear(F, C)
        self.log_weights = nn.Parameter(torch.zeros(C))
        self.frame_hidden = nn.Conv1d(2 * F, F // 2, 3, padding=1)
        self.frame_score = nn.Conv1d(F // 2, 1, 3, padding=1)
        self.place_hidden = nn.Linear(2 * F, F // 4)
        self.place_score = nn.Linear(F // 4, 1)
        start_at_zero(self.reduce, self.frame_score, self.place_score)

    def forward(self, clips: Tensor) -> Analysis:
        """Return scores and values of clips (B, 3, T, H, W) in [0, 1]."""
        B, _, T = clips.shape[:3]
        frames = (2.0 * clips - 1.0).transpose(1, 2).flatten(0, 1)
        frames = frames.contiguous(memory_format=torch.channels_last)
        grid = self.patches(frames)
        P, h4, w4 = grid.shape[1:]
        lines = grid.view(B, T, P, h4 * w4).transpose(1, 2)
        grid = (lines + self.change(lines)).transpose(1, 2).reshape(B * T, P, h4, w4)
        grid = self.refine(functional.relu(self.down(self.mix(functional.relu(grid)))))
        F, h, w = grid.shape[1:]
        features = grid.permute(0, 2, 3, 1).reshape(B, T, h, w, F)

        lines = features.permute(0, 2, 3, 4, 1).reshape(B * h * w, F, T)
        lines = (lines + self.over_time(lines)).reshape(B, h, w, F, T).permute(0, 4, 1, 2, 3)
        linear = self.transform(frames).permute(0, 2, 3, 1).reshape(B, T, h, w, -1)
        values = (linear + self.reduce(lines)).float()

        # Attention learns from values and features without bending them: its gradient comes through
        # hard choices and would drown theirs.
        features, fixed = features.detach(), values.detach()
        before = torch.cat([torch.zeros_like(fixed[:, :1]), fixed[:, :-1]], dim=1)
        change = ((fixed - before) * self.log_weights.exp()).square().sum(dim=-1) + _QUIET
        mean = features.mean(dim=(2, 3))
        pooled = torch.cat([mean, features.amax(dim=(2, 3))], dim=-1).transpose(1, 2)
        frame_scores = self.frame_score(functional.relu(self.frame_hidden(pooled)))[:, 0]
        around = mean[:, :, None, None, :].expand_as(features)
        hidden = functional.relu(self.place_hidden(torch.cat([features, around], dim=-1)))
        position_scores = self.place_score(hidden)[..., 0]
        return Analysis(
            values,
            attention_bias(frame_scores) + change.mean(dim=(2, 3)).log(),
            attention_bias(position_scores) + change.log(),
        )


def attention_bias(scores: Tensor) -> Tensor:
    """Return what attention adds to the logarithm of the change, from scores without bounds."""
    return ATTENTION_BIAS * (EAGERNESS * scores.float()).tanh()


class StaeDecoder(nn.Module):
    """The server's part: held values and what was just sent to clips."""

    def __init__(self, config: StaeConfig) -> None:
        super().__init__()
        D, P, C = config.decoder_features, config.pixel_features, config.channels
        self.back = nn.Linear(C, 3 * GRID_PX**2)
        self.point = nn.Embedding(config.points, D)
        nn.init.zeros_(self.point.weight)
        self.enter = _OverSpaceAndTime(C + 1, D)
        self.residuals = nn.ModuleList(_OverSpaceAndTime(D, D) for _ in range(2))
        self.up = nn.Conv2d(D, P * 4, 1)
        self.pixels = nn.Conv2d(P, 3 * PATCH_PX**2, 3, padding=1)
        start_at_zero(self.pixels)

    def forward(self, values: Tensor, sent: Tensor, points: Tensor) -> Tensor:
        """Return clips (B, 3, T, H, W) in [0, 1].

        Args:
            values: The latest sent for each position, zero before the first, (B, T, h, w, C).
            sent: 1 where sent in that very frame, shape (B, T, h, w).
            points: Operating point of each clip, shape (B,).
        """
        B, T = values.shape[:2]
        linear = self.back(values).flatten(0, 1).permute(0, 3, 1, 2)
        grid = torch.cat([values, sent[..., None]], dim=-1).permute(0, 1, 4, 2, 3)
        grid = self.enter(grid) + self.point(points)[:, None, :, None, None]
        grid = functional.relu(grid)
        for residual in self.residuals:
            grid = functional.relu(grid + residual(grid))
        frames = functional.relu(functional.pixel_shuffle(self.up(grid.flatten(0, 1)), 2))
        frames = functional.pixel_shuffle(self.pixels(frames), PATCH_PX)
        frames = frames + functional.pixel_shuffle(linear, GRID_PX)
        return frames.float().clamp(0.0, 1.0).view(B, T, 3, *frames.shape[2:]).transpose(1, 2)


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
