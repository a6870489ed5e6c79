"""The video ViT: the classifier that answers which action a clip shows.

Letters, here and in every shape below:
    B clips, K classes; T frames, H rows, W columns of a clip, in pixels;
    F features of the stem, on a grid of t times, h rows and w columns;
    N tokens of dimension D.

A clip (B, 3, T, H, W) with values in [0, 1] becomes logits (B, K):

    stem      each frame with its change since the frame before, then (2+1)D convolutions (Tran et
              al., "A Closer Look at Spatiotemporal Convolutions for Action Recognition", CVPR
              2018): space, then time, halving the grid each stage. The change leaves out what
              stands still, so training leaves chance sooner. Small networks need a stem: from
              scratch, on thousands of clips, a ViT on raw pixels stays at chance for many epochs
              (see also Xiao et al., "Early Convolutions Help Transformers See Better", NeurIPS
              2021).
    tubelets  boxes of the grid, flattened and projected to tokens (Arnab et al., "ViViT", ICCV
              2021), plus learned positions, one table for time and one for space.
    blocks    pre-norm transformer (Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021).
    head      mean over tokens, then linear.

`base` has no stem: it is ViT-B/16 with tubelets of 2 frames.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

PIXEL_MEAN = 0.5
PIXEL_SCALE = 0.5
"""Pixels in [0, 1] become [-1, 1], as in the authors' release of ViT."""

CHANGE_SCALE = 2.0
"""Factor on the change between frames (our choice), which is smaller than the pixels themselves."""

INIT_STD = 0.02
"""Standard deviation of new weights of the transformer, as in ViT and BERT."""


@dataclass(frozen=True)
class VideoViTConfig:
    """Everything that fixes the shape of a `VideoViT`.

    Attributes:
        classes: Number of classes, K.
        frames: Frames of a clip, T.
        size_px: Height and width of a clip, H = W.
        stem_widths: Features of each stage of the stem; empty for none.
        stem_kernels_px: Side of each stage's spatial filter, odd. Every stage halves the grid.
        stem_times: Times each stage's temporal filter spans, odd; 1 for no such filter. The first
            stage has none: at its resolution it would cost more than all the others together.
        stem_time_strides: Times each stage steps over. Late strides keep fast motion.
        tubelet: Times, rows and columns of the grid (of the clip, without a stem) per token.
        dim: Dimension of a token, D.
        depth: Number of blocks.
        heads: Attention heads; they share D equally.
        mlp_ratio: Hidden width of a block's MLP, in D.
        dropout: Share of values dropped after attention and in the MLP, in training.
        drop_path: Share of residual branches dropped per clip in the last block, in training;
            earlier blocks drop proportionally fewer (Huang et al., ECCV 2016).

    Raises:
        ValueError: If the numbers do not fit each other.
    """

    classes: int
    frames: int = 16
    size_px: int = 64
    stem_widths: tuple[int, ...] = (16, 64, 128)
    stem_kernels_px: tuple[int, ...] = (3, 3, 3)
    stem_times: tuple[int, ...] = (1, 3, 3)
    stem_time_strides: tuple[int, ...] = (1, 1, 2)
    tubelet: tuple[int, int, int] = (2, 2, 2)
    dim: int = 192
    depth: int = 4
    heads: int = 3
    mlp_ratio: float = 2.0
    dropout: float = 0.0
    drop_path: float = 0.1

    def __post_init__(self) -> None:
        stages = len(self.stem_widths)
        for name in ("stem_kernels_px", "stem_times", "stem_time_strides"):
            if len(getattr(self, name)) != stages:
                raise ValueError(
                    f"{name}: one value for each of {stages} stages, got {getattr(self, name)}"
                )
        if self.dim % self.heads:
            raise ValueError(f"dim {self.dim} must be a multiple of heads {self.heads}")
        for name in ("stem_kernels_px", "stem_times"):
            if any(length % 2 == 0 for length in getattr(self, name)):
                raise ValueError(f"{name} must be odd, got {getattr(self, name)}")
        strides = zip(self.stem_times, self.stem_time_strides, strict=True)
        if any(times == 1 and stride > 1 for times, stride in strides):
            raise ValueError(
                f"a stage cannot step over times without a temporal filter: stem_times "
                f"{self.stem_times}, stem_time_strides {self.stem_time_strides}"
            )
        for length, part in zip(self.grid, self.tubelet, strict=True):
            if length < part or length % part:
                raise ValueError(
                    f"a grid of {self.grid} (time, rows, columns) cannot be cut into tubelets of "
                    f"{self.tubelet}; change frames, size_px, the stem or tubelet"
                )

    @property
    def grid(self) -> tuple[int, int, int]:
        """Times, rows and columns that the tubelets are cut from: (t, h, w)."""
        t, h = self.frames, self.size_px
        for stride in self.stem_time_strides:
            t, h = -(-t // stride), -(-h // 2)
        return t, h, h

    @property
    def features(self) -> int:
        """Features at each position of the grid, F."""
        return self.stem_widths[-1] if self.stem_widths else 3

    @property
    def tokens(self) -> tuple[int, int]:
        """Tokens along time and tokens in each of those times; their product is N."""
        (t, h, w), (dt, dh, dw) = self.grid, self.tubelet
        return t // dt, (h // dh) * (w // dw)


Preset = Literal["tiny", "base"]


def vit_preset(name: Preset, *, classes: int) -> VideoViTConfig:
    """Return a named size.

    Args:
        name: `tiny` for 16 frames of 64x64 on a processor; `base` for 16 frames of 224x224 on a
            GPU, with the sizes of ViT-B/16.
        classes: Number of classes, K.

    Raises:
        ValueError: If there is no such preset.

    Example:
        >>> vit_preset("tiny", classes=6).tokens
        (4, 16)
    """
    if name == "tiny":
        return VideoViTConfig(classes)
    if name == "base":
        return VideoViTConfig(
            classes,
            size_px=224,
            stem_widths=(),
            stem_kernels_px=(),
            stem_times=(),
            stem_time_strides=(),
            tubelet=(2, 16, 16),
            dim=768,
            depth=12,
            heads=12,
            mlp_ratio=4.0,
        )
    raise ValueError(f"no ViT preset {name!r}; there are tiny and base")


class VideoViT(nn.Module):
    """Classifies clips.

    Args:
        config: The shape.
        seed: Fixes the first weights; the global generator is left as it was.
    """

    def __init__(self, config: VideoViTConfig, *, seed: int = 0) -> None:
        super().__init__()
        self.config = config
        times, positions = config.tokens
        widths = (2 * 3, *config.stem_widths)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.stem = nn.ModuleList(
                StemStage(
                    widths[i],
                    widths[i + 1],
                    kernel_px=config.stem_kernels_px[i],
                    times=config.stem_times[i],
                    time_stride=config.stem_time_strides[i],
                )
                for i in range(len(config.stem_widths))
            )
            self.stem_head = nn.Linear(2 * config.features, config.classes) if self.stem else None
            dt, dh, dw = config.tubelet
            self.embed = nn.Linear(dt * dh * dw * config.features, config.dim)
            self.time_position = nn.Parameter(torch.randn(times, 1, config.dim) * INIT_STD)
            self.place_position = nn.Parameter(torch.randn(1, positions, config.dim) * INIT_STD)
            self.blocks = nn.ModuleList(
                Block(config, drop_path=config.drop_path * i / max(config.depth - 1, 1))
                for i in range(config.depth)
            )
            self.norm = nn.LayerNorm(config.dim)
            self.head = nn.Linear(config.dim, config.classes)
            self.apply(_init)

    def forward(self, clips: Tensor) -> Tensor:
        """Return the logits of clips (B, 3, T, H, W), values in [0, 1]: shape (B, K)."""
        return self.classify(self.features(clips))

    def stem_logits(self, clips: Tensor) -> Tensor:
        """Return what the stem answers by itself, a small convolutional classifier: (B, K).

        Raises:
            ValueError: If this size has no stem.
        """
        return self.classify_stem(self.features(clips))

    def features(self, clips: Tensor) -> Tensor:
        """Return the stem's features (B, t, h, w, F) of clips (B, 3, T, H, W)."""
        config = self.config
        expected = (3, config.frames, config.size_px, config.size_px)
        if clips.ndim != 5 or tuple(clips.shape[1:]) != expected:
            raise ValueError(f"clips must be (B, {str(expected)[1:]}, got {tuple(clips.shape)}")
        # Features last throughout: the stem's reshapes are views, and convolutions quickest so.
        grid = ((clips - PIXEL_MEAN) / PIXEL_SCALE).permute(0, 2, 3, 4, 1).contiguous()
        if self.stem:
            grid = torch.cat([grid, CHANGE_SCALE * _change(grid)], dim=-1)
        for stage in self.stem:
            grid = stage(grid)
        return grid

    def classify(self, grid: Tensor) -> Tensor:
        """Return the transformer's logits (B, K) from the stem's features (B, t, h, w, F)."""
        B, t, h, w, F = grid.shape
        dt, dh, dw = self.config.tubelet
        boxes = grid.reshape(B, t // dt, dt, h // dh, dh, w // dw, dw, F)
        boxes = boxes.permute(0, 1, 3, 5, 2, 4, 6, 7)
        tokens = self.embed(boxes.reshape(B, t // dt, (h // dh) * (w // dw), dt * dh * dw * F))
        tokens = (tokens + self.time_position + self.place_position).flatten(1, 2)
        for block in self.blocks:
            tokens = block(tokens)
        logits: Tensor = self.head(self.norm(tokens).mean(dim=1))
        return logits

    def classify_stem(self, grid: Tensor) -> Tensor:
        """Return the stem's own logits (B, K) from its features (B, t, h, w, F)."""
        if self.stem_head is None:
            raise ValueError("this ViT has no stem; its config has no stem_widths")
        # The mean tells what fills the picture; the strongest position of each time, where the
        # actor is. With both, the stem learns in fewer epochs.
        strongest = grid.amax(dim=(2, 3)).mean(dim=1)
        logits: Tensor = self.stem_head(torch.cat([grid.mean(dim=(1, 2, 3)), strongest], dim=-1))
        return logits


class StemStage(nn.Module):
    """One (2+1)D stage: a filter over space that halves the grid, then one over time.

    Both run as 2D convolutions, space on frames (B T, F, h, w) and time on (B, F, t, h w): the same
    numbers as Conv3d with 1xkxk and 3x1x1 filters, in two thirds of the time on a processor.

    Batch normalisation: trains a small CNN fastest, costs nothing once trained (fixed scale and
    shift, each clip for itself), where group normalisation takes longer than the convolutions.
    """

    def __init__(
        self, inputs: int, width: int, *, kernel_px: int, times: int, time_stride: int
    ) -> None:
        super().__init__()
        self.space = nn.Conv2d(
            inputs, width, kernel_px, stride=2, padding=kernel_px // 2, bias=False
        )
        self.space_norm = nn.BatchNorm2d(width)
        self.time: nn.Conv2d | None = None
        if times > 1:
            self.time = nn.Conv2d(
                width,
                width,
                (times, 1),
                stride=(time_stride, 1),
                padding=(times // 2, 0),
                bias=False,
            )
            self.time_norm = nn.BatchNorm2d(width)

    def forward(self, grid: Tensor) -> Tensor:
        """Return (B, t, h, w, F) at half the rows and columns, and fewer times if so strided."""
        B, t = grid.shape[:2]
        frames = grid.flatten(0, 1).permute(0, 3, 1, 2)
        frames = functional.relu(self.space_norm(self.space(frames)), inplace=True)
        F, h, w = frames.shape[1:]
        frames = frames.permute(0, 2, 3, 1)
        if self.time is None:
            return frames.reshape(B, t, h, w, F)
        lines = frames.reshape(B, t, h * w, F).permute(0, 3, 1, 2)
        lines = functional.relu(self.time_norm(self.time(lines)), inplace=True)
        return lines.permute(0, 2, 3, 1).reshape(B, -1, h, w, F)


class Block(nn.Module):
    """A pre-norm transformer block on tokens (B, N, D)."""

    def __init__(self, config: VideoViTConfig, *, drop_path: float) -> None:
        super().__init__()
        hidden = round(config.dim * config.mlp_ratio)
        self.heads = config.heads
        self.dropout = config.dropout
        self.drop_path = drop_path
        self.attention_norm = nn.LayerNorm(config.dim)
        self.qkv = nn.Linear(config.dim, 3 * config.dim)
        self.project = nn.Linear(config.dim, config.dim)
        self.mlp_norm = nn.LayerNorm(config.dim)
        self.expand = nn.Linear(config.dim, hidden)
        self.contract = nn.Linear(hidden, config.dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens (B, N, D) that have seen each other."""
        tokens = tokens + self._dropped(self._attention(self.attention_norm(tokens)))
        return tokens + self._dropped(self._mlp(self.mlp_norm(tokens)))

    def _attention(self, tokens: Tensor) -> Tensor:
        B, N, D = tokens.shape
        q, k, v = self.qkv(tokens).view(B, N, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(q, k, v)
        return functional.dropout(
            self.project(seen.transpose(1, 2).reshape(B, N, D)), self.dropout, self.training
        )

    def _mlp(self, tokens: Tensor) -> Tensor:
        hidden = functional.dropout(
            functional.gelu(self.expand(tokens)), self.dropout, self.training
        )
        return functional.dropout(self.contract(hidden), self.dropout, self.training)

    def _dropped(self, branch: Tensor) -> Tensor:
        if not self.training or self.drop_path == 0.0:
            return branch
        keep = 1.0 - self.drop_path
        mask = torch.rand(branch.shape[0], 1, 1, device=branch.device) < keep
        return branch * (mask / keep).to(branch.dtype)


def _change(frames: Tensor) -> Tensor:
    """Return each frame (B, T, H, W, 3) less the one before; the first has not changed."""
    return torch.cat([torch.zeros_like(frames[:, :1]), frames[:, 1:] - frames[:, :-1]], dim=1)


def _init(module: nn.Module) -> None:
    """Give new weights: small ones, or by fan for convolutions (He et al., ICCV 2015)."""
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=INIT_STD)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
