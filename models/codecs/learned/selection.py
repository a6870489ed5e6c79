"""What of a clip is kept: the frames and positions with the highest scores.

Letters: B clips, T frames, h rows and w columns of the grid.
"""

import torch
from torch import Tensor


def highest(scores: Tensor, count: Tensor) -> Tensor:
    """Return which entries are among the highest: bool, shape (B, N).

    Args:
        scores: Shape (B, N).
        count: How many of each row, shape (B,).
    """
    order = scores.argsort(dim=1, descending=True, stable=True)
    ranks = torch.empty_like(order).scatter_(
        1, order, torch.arange(scores.shape[1], device=scores.device).expand_as(order)
    )
    return ranks < count[:, None]


def kept_positions(
    frame_scores: Tensor, position_scores: Tensor, frames: Tensor, positions: Tensor
) -> Tensor:
    """Return the positions kept: bool, shape (B, T, h, w).

    First whole frames, then positions over all of them, wherever in the clip they are; every kept
    frame keeps at least its best one.

    Args:
        frame_scores: Shape (B, T).
        position_scores: Shape (B, T, h, w).
        frames: Frames to keep of each clip, shape (B,).
        positions: Positions to keep of each clip, at least `frames`, shape (B,).
    """
    B, T, h, w = position_scores.shape
    kept_frames = highest(frame_scores, frames)
    flat = position_scores.flatten(2)
    best = torch.zeros_like(flat, dtype=torch.bool)
    best.scatter_(2, flat.argmax(dim=2, keepdim=True), True)
    ranked = flat.masked_fill(best, torch.inf).masked_fill(~kept_frames[..., None], -torch.inf)
    most = kept_frames.sum(dim=1) * h * w
    kept = highest(ranked.flatten(1), torch.minimum(positions, most))
    return kept.view(B, T, h, w)


def gate(scores: Tensor, kept: Tensor) -> Tensor:
    """Return 1 where kept and 0 elsewhere, with the gradient of `soft_gate`.

    So what was left out can still learn that it should not have been (straight-through; Bengio et
    al., arXiv 1308.3432).
    """
    soft = soft_gate(scores, kept)
    return kept.to(scores.dtype) + (soft - soft.detach())  # so summed, exactly 0 or 1


def soft_gate(scores: Tensor, kept: Tensor) -> Tensor:
    """Return the sigmoid of how far scores (B, T, h, w) are above the lowest that was kept.

    The threshold gives way as one that keeps the sum of the gates would: its gradient is the mean
    of the scores', weighted by the gates' slopes. So positions compete; without that, every score
    grows, since to receive anything more is always better.
    """
    lowest = scores.masked_fill(~kept, torch.inf).flatten(1).amin(dim=1)
    gates = (scores - lowest[:, None, None, None]).detach().sigmoid()
    slopes = gates * (1.0 - gates)
    slopes = slopes / slopes.sum(dim=(1, 2, 3), keepdim=True)
    drift = (slopes * (scores - scores.detach())).sum(dim=(1, 2, 3), keepdim=True)  # is zero
    return (scores - lowest.detach()[:, None, None, None] - drift).sigmoid()


def parts(kept: Tensor, scores: Tensor, count: Tensor, *, lines: bool) -> Tensor:
    """Return which part of a clip each position is in, the most important first: (B, T, h, w).

    What is predicted from one another stays together: a position's line through time, or a frame.
    The parts have about equally many positions.

    Args:
        kept: Bool, shape (B, T, h, w).
        scores: Importance, shape (B, T, h, w).
        count: Parts of each clip, shape (B,).
        lines: Whether lines stay together, or else frames.
    """
    B, T, h, w = kept.shape
    ranked = scores.masked_fill(~kept, -torch.inf)
    importance = ranked.amax(dim=1).flatten(1) if lines else ranked.amax(dim=(2, 3))
    positions = kept.sum(dim=1).flatten(1) if lines else kept.sum(dim=(2, 3))
    order = importance.argsort(dim=1, descending=True, stable=True)
    ordered = positions.gather(1, order)
    # The middle of a unit's positions decides, in half positions to stay whole.
    middle = 2 * ordered.cumsum(dim=1) - ordered
    number = middle * count[:, None] // (2 * ordered.sum(dim=1, keepdim=True))
    number = number.clamp(max=count[:, None] - 1)
    part = torch.empty_like(number).scatter_(1, order, number)
    part = part.view(B, 1, h, w) if lines else part.view(B, T, 1, 1)
    return part.expand(B, T, h, w)
