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
    frame_scores: Tensor, place_scores: Tensor, frames: Tensor, positions: Tensor
) -> Tensor:
    """Return the positions kept: bool, shape (B, T, h, w).

    First whole frames, then positions over all of them, wherever in the clip they are; every kept
    frame keeps at least its best one.

    Args:
        frame_scores: Shape (B, T).
        place_scores: Shape (B, T, h, w).
        frames: Frames to keep of each clip, shape (B,).
        positions: Positions to keep of each clip, at least `frames`, shape (B,).
    """
    B, T, h, w = place_scores.shape
    kept_frames = highest(frame_scores, frames)
    flat = place_scores.flatten(2)
    best = torch.zeros_like(flat, dtype=torch.bool)
    best.scatter_(2, flat.argmax(dim=2, keepdim=True), True)
    ranked = flat.masked_fill(best, torch.inf).masked_fill(~kept_frames[..., None], -torch.inf)
    most = kept_frames.sum(dim=1) * h * w
    kept = highest(ranked.flatten(1), torch.minimum(positions, most))
    return kept.view(B, T, h, w)


def gate(scores: Tensor, kept: Tensor) -> Tensor:
    """Return 1 where kept and 0 elsewhere, with the gradient of the scores' sigmoid.

    So what was left out can still learn that it should not have been (straight-through; Bengio et
    al., arXiv 1308.3432).
    """
    soft = scores.sigmoid()
    return kept.to(scores.dtype) + (soft - soft.detach())  # so summed, exactly 0 or 1
