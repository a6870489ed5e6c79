"""What sending symbols costs, in bits, as training sees it: with a gradient towards cheap symbols.

The cost of a symbol comes from counts of what the last batches sent in its context, so it is what
the final tables (`tables.Counts`), counted the same way, are going to charge. It is that of the
rounded symbol; its gradient is the difference between the whole numbers on both sides of the value,
so a value feels which of them is cheaper.

Letters: B clips, O operating points; K contexts, L levels; the rest as in `contexts`.
"""

import numpy as np
import torch
from torch import Tensor, nn

from fadeline.models.codecs.contexts import (
    FLAG_CONTEXTS,
    SYMBOL_CONTEXTS,
    clip_contexts,
    clip_flag_contexts,
)
from fadeline.models.codecs.quantiser import symbols as symbols_of

MEMORY = 0.98
"""Share of the counts that a batch leaves: the last fifty batches count (our choice)."""

# Our choices; a few hundred symbols outweigh them.
_PRIOR_COUNT = 2.0  # of a context, before anything is counted
_PRIOR_STEEPNESS = 1.0  # bits that each step away from zero costs more then


class RateModel(nn.Module):
    """Probabilities of symbols and flags, counted while training.

    Args:
        radii: Largest magnitude at each of O operating points.
        channels: Values for each position, C.
        temporal: Whether a frame's symbols may be predicted from frames before it.
    """

    radii: Tensor
    prior: Tensor
    symbol_counts: Tensor
    flag_counts: Tensor

    def __init__(self, radii: list[int], channels: int, *, temporal: bool) -> None:
        super().__init__()
        self.temporal = temporal
        self.radius = max(radii)
        levels = torch.arange(-self.radius, self.radius + 1).abs().float()
        limits = torch.tensor(radii, dtype=torch.float32)
        prior = torch.exp2(-_PRIOR_STEEPNESS * levels) * (levels <= limits[:, None])
        prior = prior / prior.sum(dim=1, keepdim=True) * _PRIOR_COUNT
        shape = (len(radii), channels, SYMBOL_CONTEXTS, len(levels))
        self.register_buffer("radii", limits, persistent=False)
        self.register_buffer("prior", prior[:, None, None, :], persistent=False)
        self.register_buffer("symbol_counts", torch.zeros(shape))
        self.register_buffer("flag_counts", torch.zeros(len(radii), FLAG_CONTEXTS, 2))

    def forward(
        self, steps: Tensor, kept: Tensor, active: Tensor, points: Tensor, flagged: Tensor
    ) -> Tensor:
        """Return the bits of each clip, shape (B,); in training, count it first.

        Args:
            steps: Values in steps of the quantiser, not rounded, shape (B, T, h, w, C).
            kept: Positions sent, bool, shape (B, T, h, w).
            active: Channels sent, bool, shape (B, C).
            points: Operating point of each clip, int64, shape (B,).
            flagged: Whether the clip's positions have flags, bool, shape (B,).
        """
        sent = kept[..., None] & active[:, None, None, None, :]
        symbols = (symbols_of(steps.detach()) * sent).to(torch.int8)
        contexts = clip_contexts(
            symbols.permute(0, 1, 4, 2, 3).cpu().numpy(), kept.cpu().numpy(), temporal=self.temporal
        )
        index = torch.from_numpy(contexts).to(steps.device).permute(0, 1, 3, 4, 2)
        _, C, K, L = self.symbol_counts.shape
        channel = torch.arange(C, device=steps.device)
        row = ((points[:, None, None, None, None] * C + channel) * K + index)[sent]
        values = steps[sent].float()
        level = row * L + symbols[sent].long() + self.radius
        if self.training:
            _count(self.symbol_counts, level)
        costs = -(self.symbol_counts + self.prior).log2()
        costs = costs + (self.symbol_counts.sum(dim=-1, keepdim=True) + _PRIOR_COUNT).log2()
        flat = costs.flatten()
        radius = self.radii[points][:, None, None, None, None].expand(sent.shape)[sent]
        low = torch.minimum(values.detach().floor(), radius - 1.0)  # the highest has none above it
        below = row * L + low.long() + self.radius
        slope = flat[below + 1] - flat[below]
        bits = flat[level] + slope * (values - values.detach())
        clip = torch.arange(len(points), device=steps.device)[:, None, None, None, None]
        owner = clip.expand(sent.shape)[sent]
        total = torch.zeros(len(points), device=steps.device).index_add(0, owner, bits)
        return total + self._flag_bits(kept, points) * flagged if flagged.any() else total

    def _flag_bits(self, kept: Tensor, points: Tensor) -> Tensor:
        flags = kept.cpu().numpy()
        contexts = torch.from_numpy(np.stack([clip_flag_contexts(clip) for clip in flags]))
        contexts = contexts.to(kept.device)
        entry = (points[:, None, None, None] * FLAG_CONTEXTS + contexts) * 2 + kept.long()
        frames = kept.flatten(2).any(dim=2)[..., None, None].expand(kept.shape)
        if self.training:
            _count(self.flag_counts, entry[frames])
        weights = self.flag_counts + _PRIOR_COUNT / 2.0
        costs = -(weights / weights.sum(dim=-1, keepdim=True)).log2()
        bits: Tensor = (costs.flatten()[entry] * frames).sum(dim=(1, 2, 3))
        return bits


@torch.no_grad()
def _count(counts: Tensor, entries: Tensor) -> None:
    """Add one to each entry, numbered as if the counts were flat, after fading what is there."""
    new = torch.bincount(entries.flatten(), minlength=counts.numel())
    counts.mul_(MEMORY).add_(new.view_as(counts))
