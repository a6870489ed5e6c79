"""Gains of the quantiser with which a codec sends as many bits as its operating points are to.

Letters: B clips; the rest as in `codec`.
"""

import torch
from torch import Tensor

from fadeline.models.codecs.learned.codec import LearnedCodec
from fadeline.models.codecs.learned.layers import Analysis
from fadeline.models.codecs.learned.rate import RateModel

_STRIDES = tuple(0.5 * step for step in range(-12, 13))  # natural logarithms of factors
_HALVINGS = 9  # of a stride: leaves factors exact to a thousandth


@torch.no_grad()
def fit_gains(codec: LearnedCodec, clips: Tensor, target_bits: Tensor) -> Tensor:
    """Multiply the gains of each operating point, so that clips take its bits on average.

    Args:
        codec: On the device of the clips.
        clips: Shape (B, 3, T, H, W), in [0, 1]; a few dozen are enough.
        target_bits: Of a clip, at each operating point, shape (O,).

    Returns:
        The natural logarithms of the factors, shape (O,).
    """
    codec.eval()
    analysis = codec.encoder(clips)
    factors = torch.stack(
        [_factor(codec, analysis, point, float(bits)) for point, bits in enumerate(target_bits)]
    ).to(clips.device)
    codec.quantiser.turn_up(factors)
    return factors


def _factor(codec: LearnedCodec, analysis: Analysis, point: int, target_bits: float) -> Tensor:
    """Return the logarithm of one operating point's factor.

    The first that reaches the bits, going up: beyond, symbols hit their limits and bits fall again.
    If none does, the one that comes closest.
    """
    most, best = -1.0, 0.0
    for high in _STRIDES:
        bits = _bits(codec, analysis, point, high)
        if bits >= target_bits:
            break
        if bits > most:
            most, best = bits, high
    else:
        return torch.tensor(best)
    low = high - (_STRIDES[1] - _STRIDES[0])
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        if _bits(codec, analysis, point, middle) < target_bits:
            low = middle
        else:
            high = middle
    return torch.tensor(0.5 * (low + high))


def _bits(codec: LearnedCodec, analysis: Analysis, point: int, log_factor: float) -> float:
    """Return the bits of a clip on average, with probabilities counted on these very clips."""
    points = torch.full((len(analysis.values),), point, device=analysis.values.device)
    turned = torch.zeros(len(codec.points), device=points.device)
    turned[point] = log_factor
    codec.quantiser.turn_up(turned)
    plan = codec.plan(analysis, points)
    codec.quantiser.turn_up(-turned)
    radii = [settings.radius for settings in codec.points]
    rate = RateModel(radii, codec.config.channels, temporal=codec.temporal).to(points.device)
    bits: Tensor = rate(plan.steps, plan.kept, plan.active, points, codec.flagged[points])
    return float(bits.mean())
