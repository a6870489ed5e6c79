"""What sending symbols costs, in bits, as training sees it: with a gradient towards cheap symbols.

The same contexts as in the bitstream pick a learned row of logits. The cost is that of the rounded
symbol; its gradient is the difference between the whole numbers on both sides of the value, so a
value feels which of them is cheaper. The final tables are
counts (`tables.Counts`), so these logits only steer the training.

Letters: B clips, O operating points; L levels; the rest as in `contexts`.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from fadeline.models.codecs.contexts import (
    FLAG_CONTEXTS,
    SYMBOL_CONTEXTS,
    clip_contexts,
    clip_flag_contexts,
)

_START_STEEPNESS = 0.5
"""Bits that each step away from zero costs more, before anything is learned (our choice)."""


class RateModel(nn.Module):
    """Learned probabilities of symbols and flags.

    Args:
        radii: Largest magnitude at each of O operating points.
        channels: Values for each position, C.
        temporal: Whether a frame's symbols may be predicted from frames before it.
    """

    radii: Tensor
    out_of_range: Tensor

    def __init__(self, radii: list[int], channels: int, *, temporal: bool) -> None:
        super().__init__()
        self.temporal = temporal
        self.radius = max(radii)
        steps = torch.arange(-self.radius, self.radius + 1).abs().float()
        start = (-_START_STEEPNESS * steps).repeat(len(radii), channels, SYMBOL_CONTEXTS, 1)
        self.symbol_logits = nn.Parameter(start)
        self.flag_logits = nn.Parameter(torch.zeros(len(radii), FLAG_CONTEXTS, 2))
        self.register_buffer("radii", torch.tensor(radii, dtype=torch.float32), persistent=False)
        outside = steps > self.radii[:, None, None, None]
        self.register_buffer("out_of_range", outside, persistent=False)

    def forward(
        self, steps: Tensor, kept: Tensor, active: Tensor, points: Tensor, flagged: Tensor
    ) -> Tensor:
        """Return the bits of each clip, shape (B,).

        Args:
            steps: Values in steps of the quantiser, not rounded, shape (B, T, h, w, C).
            kept: Positions sent, bool, shape (B, T, h, w).
            active: Channels sent, bool, shape (B, C).
            points: Operating point of each clip, int64, shape (B,).
            flagged: Whether the clip's positions have flags, bool, shape (B,).
        """
        sent = kept[..., None] & active[:, None, None, None, :]
        symbols = (steps.detach().round() * sent).to(torch.int8)
        contexts = clip_contexts(
            symbols.permute(0, 1, 4, 2, 3).cpu().numpy(), kept.cpu().numpy(), temporal=self.temporal
        )
        index = torch.from_numpy(contexts).to(steps.device).permute(0, 1, 3, 4, 2)
        logits = self.symbol_logits.masked_fill(self.out_of_range, -torch.inf)
        costs = -functional.log_softmax(logits.float(), dim=-1) / np.log(2.0)
        costs = costs.masked_fill(self.out_of_range, 0.0)
        _, C, K, L = costs.shape
        channel = torch.arange(C, device=steps.device)
        row = ((points[:, None, None, None, None] * C + channel) * K + index)[sent]
        values = steps[sent].float()
        radius = self.radii[points][:, None, None, None, None].expand(sent.shape)[sent]
        low = torch.minimum(values.detach().floor(), radius - 1.0)  # the highest has none above it
        flat, at = costs.flatten(), row * L + self.radius
        below = flat.detach()[at + low.long()]
        slope = flat.detach()[at + low.long() + 1] - below
        bits = flat[at + values.detach().round().long()] + slope * (values - values.detach())
        clip = torch.arange(len(points), device=steps.device)[:, None, None, None, None]
        owner = clip.expand(sent.shape)[sent]
        total = torch.zeros(len(points), device=steps.device).index_add(0, owner, bits)
        return total + self._flag_bits(kept, points) * flagged if flagged.any() else total

    def _flag_bits(self, kept: Tensor, points: Tensor) -> Tensor:
        flags = kept.cpu().numpy()
        contexts = torch.from_numpy(np.stack([clip_flag_contexts(clip) for clip in flags]))
        costs = -functional.log_softmax(self.flag_logits.float(), dim=-1) / np.log(2.0)
        picked = costs[points[:, None, None, None], contexts.to(kept.device), kept.long()]
        frames = kept.flatten(2).any(dim=2)
        bits: Tensor = (picked * frames[..., None, None]).sum(dim=(1, 2, 3))
        return bits
