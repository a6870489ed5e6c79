"""Small networks of different kinds, by which a machine's rates are fitted and the rule checked.

Their widths are our choice: each takes about a millisecond to some tens of them on one processor
core, as the networks of a device do. Weights are random, which costs the same as trained ones.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class ReferenceNetwork:
    """A network and what it is fed.

    Attributes:
        name: Short name.
        build: Makes the network, in evaluation mode.
        shape: Shape of one input, without the batch dimension.
    """

    name: str
    build: Callable[[], nn.Module]
    shape: tuple[int, ...]

    def inputs(self, batch: int) -> Tensor:
        """Return a batch of inputs, shape (batch, *shape), values in [0, 1)."""
        return torch.rand(batch, *self.shape, generator=torch.Generator().manual_seed(0))


def reference_networks() -> tuple[ReferenceNetwork, ...]:
    """Return the networks that calibration measures, each of another kind."""
    return (
        ReferenceNetwork("conv-stem", _conv_stem, (3, 128, 128)),
        ReferenceNetwork("cnn-2d", _cnn_2d, (3, 64, 64)),
        ReferenceNetwork("cnn-2plus1d", _cnn_2plus1d, (3, 8, 32, 32)),
        ReferenceNetwork("transformer", _transformer, (128, 192)),
        ReferenceNetwork("depthwise", _depthwise, (32, 8, 32, 32)),
        ReferenceNetwork("mlp", _mlp, (3072,)),
    )


def network_call(network: nn.Module, batch: Tensor) -> Callable[[], Tensor]:
    """Return a call that runs a network on a batch, without gradients."""

    def call() -> Tensor:
        with torch.inference_mode():
            answer: Tensor = network(batch)
        return answer

    return call


def _built(layers: Sequence[nn.Module]) -> nn.Module:
    return nn.Sequential(*layers).eval().requires_grad_(False)


def _conv_stem() -> nn.Module:
    widths = (3, 16, 32, 64)
    return _built(
        [
            layer
            for before, after in itertools.pairwise(widths)
            for layer in (
                nn.Conv2d(before, after, 3, stride=2, padding=1),
                nn.BatchNorm2d(after),
                nn.ReLU(),
            )
        ]
    )


def _cnn_2d() -> nn.Module:
    stem = nn.Conv2d(3, 64, 3, padding=1)
    return _built([stem, *(_Residual(64) for _ in range(3)), nn.AdaptiveAvgPool2d(1)])


def _cnn_2plus1d() -> nn.Module:
    widths = (3, 32, 32, 64)
    return _built(
        [
            layer
            for before, after in itertools.pairwise(widths)
            for layer in (
                nn.Conv3d(before, after, (1, 3, 3), padding=(0, 1, 1)),
                nn.ReLU(),
                nn.Conv3d(after, after, (3, 1, 1), padding=(1, 0, 0)),
                nn.BatchNorm3d(after),
                nn.ReLU(),
            )
        ]
    )


def _transformer() -> nn.Module:
    return _built([_TransformerBlock(192, heads=3) for _ in range(6)])


def _depthwise() -> nn.Module:
    return _built(
        [
            layer
            for _ in range(3)
            for layer in (
                nn.Conv3d(32, 32, 3, padding=1, groups=32),
                nn.GroupNorm(1, 32),
                nn.GELU(),
            )
        ]
    )


def _mlp() -> nn.Module:
    layers = [layer for _ in range(3) for layer in (nn.Linear(3072, 3072), nn.GELU())]
    return _built(layers)


class _Residual(nn.Module):
    """Two 3x3 convolutions and a way around them (He et al., CVPR 2016)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.act = nn.ReLU()

    def forward(self, grid: Tensor) -> Tensor:
        change: Tensor = self.second(self.act(self.first(grid)))
        return grid + change


class _TransformerBlock(nn.Module):
    """Pre-norm attention and MLP (Dosovitskiy et al., ICLR 2021)."""

    def __init__(self, dim: int, *, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_before_attention = nn.LayerNorm(dim)
        self.to_qkv = nn.Linear(dim, 3 * dim)
        self.from_heads = nn.Linear(dim, dim)
        self.mlp = nn.Sequential(
            nn.LayerNorm(dim), nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim)
        )

    def forward(self, tokens: Tensor) -> Tensor:
        qkv = self.to_qkv(self.norm_before_attention(tokens)).unflatten(-1, (3, self.heads, -1))
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        tokens = tokens + self.from_heads(mixed.transpose(1, 2).flatten(2))
        change: Tensor = self.mlp(tokens)
        return tokens + change
