"""What sending symbols costs, in bits, as training sees it: with a gradient towards cheap symbols.

The cost of a symbol comes from counts of what the last batches sent in its context, so it is what
the final tables (`tables.Counts`), counted the same way, are going to charge. It is that of the
rounded symbol; its gradient is the difference between the whole numbers on both sides of the value,
so a value feels which of them is cheaper.

Letters: B clips, O operating points; K contexts, L levels up to `LARGE`, M beyond; the rest as in
`contexts`.
"""

import torch
from torch import Tensor, nn

from fadeline.models.codecs.entropy.contexts import (
    FLAG_CONTEXTS,
    LARGE,
    SYMBOL_CONTEXTS,
    clip_contexts,
    clip_flag_contexts,
    follows,
)
from fadeline.models.codecs.learned.quantiser import symbols as symbols_of

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
    tail_prior: Tensor
    tail_counts: Tensor
    flag_counts: Tensor

    def __init__(self, radii: list[int], channels: int, *, temporal: bool) -> None:
        super().__init__()
        self.temporal = temporal
        self.held = min(max(radii), LARGE)
        limits = torch.tensor(radii, dtype=torch.float32)
        levels = torch.arange(-self.held, self.held + 1).abs().float()
        beyond = torch.arange(max(max(radii) - LARGE, 0) + 1).float()
        prior = _prior(levels, limits)[:, None, None, :]
        tail_prior = _prior(beyond, (limits - LARGE).clamp(min=0.0))[:, None, None, :]
        self.register_buffer("radii", limits, persistent=False)
        self.register_buffer("prior", prior, persistent=False)
        self.register_buffer("tail_prior", tail_prior, persistent=False)
        counts = (len(radii), channels, SYMBOL_CONTEXTS, len(levels))
        self.register_buffer("symbol_counts", torch.zeros(counts))
        self.register_buffer("tail_counts", torch.zeros(len(radii), channels, 2, len(beyond)))
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
        context = clip_contexts(symbols, kept, temporal=self.temporal)[sent]
        C = steps.shape[-1]
        row = points[:, None] * C + torch.arange(C, device=steps.device)
        row = row[:, None, None, None, :].expand(sent.shape)[sent]
        values, level = steps[sent].float(), symbols[sent].long()
        rows = row * SYMBOL_CONTEXTS + context.long(), row * 2 + follows(context).long()
        if self.training:
            self._count_symbols(level, *rows)
        costs = _costs(self.symbol_counts + self.prior), _costs(self.tail_counts + self.tail_prior)
        radius = self.radii[points][:, None, None, None, None].expand(sent.shape)[sent]
        low = torch.minimum(values.detach().floor(), radius - 1.0)  # the highest has none above it
        low = torch.maximum(low, -radius).long()
        slope = self._cost(low + 1, costs, rows) - self._cost(low, costs, rows)
        bits = self._cost(level, costs, rows) + slope * (values - values.detach())
        clip = torch.arange(len(points), device=steps.device)[:, None, None, None, None]
        owner = clip.expand(sent.shape)[sent]
        total = torch.zeros(len(points), device=steps.device).index_add(0, owner, bits)
        return total + self._flag_bits(kept, points) * flagged if flagged.any() else total

    def _cost(
        self, level: Tensor, costs: tuple[Tensor, Tensor], rows: tuple[Tensor, Tensor]
    ) -> Tensor:
        """Return the bits of symbols (N,), given those of all levels and each symbol's rows."""
        of_symbols, of_tails = costs
        row, tail_row = rows
        held = level.clamp(-self.held, self.held) + self.held
        beyond = (level.abs() - LARGE).clamp(min=0)
        far = (level.abs() >= LARGE) & (of_tails.shape[-1] > 1)
        bits: Tensor = of_symbols.flatten()[row * of_symbols.shape[-1] + held]
        return bits + of_tails.flatten()[tail_row * of_tails.shape[-1] + beyond] * far

    def _count_symbols(self, level: Tensor, row: Tensor, tail_row: Tensor) -> None:
        held = level.clamp(-self.held, self.held) + self.held
        _count(self.symbol_counts, row * self.symbol_counts.shape[-1] + held)
        far = level.abs() >= LARGE
        beyond = level[far].abs() - LARGE
        _count(self.tail_counts, tail_row[far] * self.tail_counts.shape[-1] + beyond)

    def _flag_bits(self, kept: Tensor, points: Tensor) -> Tensor:
        contexts = clip_flag_contexts(kept).long()
        entry = (points[:, None, None, None] * FLAG_CONTEXTS + contexts) * 2 + kept.long()
        frames = kept.flatten(2).any(dim=2)[..., None, None].expand(kept.shape)
        if self.training:
            _count(self.flag_counts, entry[frames])
        weights = self.flag_counts + _PRIOR_COUNT / 2.0
        costs = -(weights / weights.sum(dim=-1, keepdim=True)).log2()
        bits: Tensor = (costs.flatten()[entry] * frames).sum(dim=(1, 2, 3))
        return bits


def _prior(levels: Tensor, limits: Tensor) -> Tensor:
    """Return what counts for levels (L,), up to each limit (O,), before anything: (O, L)."""
    prior = torch.exp2(-_PRIOR_STEEPNESS * levels) * (levels <= limits[:, None])
    return prior / prior.sum(dim=1, keepdim=True) * _PRIOR_COUNT


def _costs(weights: Tensor) -> Tensor:
    """Return the bits of each level (..., L), from weights in proportion to probabilities."""
    return weights.sum(dim=-1, keepdim=True).log2() - weights.log2()


@torch.no_grad()
def _count(counts: Tensor, entries: Tensor) -> None:
    """Add one to each entry, numbered as if the counts were flat, after fading what is there."""
    new = torch.bincount(entries.flatten(), minlength=counts.numel())
    counts.mul_(MEMORY).add_(new.view_as(counts))
