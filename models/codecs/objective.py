"""What a codec is trained for: answers, pixels and bits.

Each clip of a batch is sent at an operating point drawn for it. The price of a bit is set by the
points' ratios themselves: it rises while a point sends more than its ratio allows and falls while
it sends less (dual ascent), so every codec ends at the same ratios and they compare like for like.
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from fadeline.models.codecs.codec import Codec
from fadeline.models.objectives import Objective

BITS_PER_PIXEL = 24
"""Of the clips that compression ratios count from: 8-bit red, green and blue."""

OVERHEAD_BYTES = 8
"""Of a stream of one packet: header and checksum, 6, and what entropy coding wastes, about 2."""

_PRICE_STEP = 0.02  # how far a batch moves the logarithm of a price
_HIGHEST_PRICE = 10.0  # nats per kilobit; a hundred bits then cost more than any wrong answer
_LOWEST_PRICE = 1e-4


class PricedCodec(nn.Module):
    """A codec with the price of a bit at each operating point, in nats per kilobit.

    Args:
        codec: The codec.
        price: Of all, at first.

    Raises:
        ValueError: If an operating point's ratio leaves no bits.
    """

    price: Tensor
    target_bits: Tensor

    def __init__(self, codec: Codec, *, price: float = 0.02) -> None:
        super().__init__()
        self.codec = codec
        self.config = codec.config
        pixels = codec.config.frames * codec.config.size_px**2
        targets = [
            pixels * BITS_PER_PIXEL / point.ratio - 8 * OVERHEAD_BYTES for point in codec.points
        ]
        if min(targets) <= 0:
            highest = pixels * BITS_PER_PIXEL / (8 * OVERHEAD_BYTES)
            raise ValueError(
                f"ratios must be below {highest:.0f}: a stream's overhead alone is that"
            )
        self.register_buffer("price", torch.full((len(codec.points),), price))
        self.register_buffer("target_bits", torch.tensor(targets), persistent=False)

    @torch.no_grad()
    def reprice(self, bits: Tensor, points: Tensor) -> None:
        """Raise the price where clips took more bits than wanted, lower it where they took less."""
        excess = (bits.detach() / self.target_bits[points]).log().clamp(-1.0, 1.0)
        count = torch.zeros_like(self.price).index_add_(0, points, torch.ones_like(excess))
        total = torch.zeros_like(self.price).index_add_(0, points, excess)
        self.price *= (_PRICE_STEP * total / count.clamp(min=1.0)).exp()
        self.price.clamp_(_LOWEST_PRICE, _HIGHEST_PRICE)


def codec_objective(
    classifier: nn.Module, *, recognition: float, fidelity: float, label_smoothing: float = 0.0
) -> Objective:
    """Return the objective of a `PricedCodec`.

    Args:
        classifier: From clips (B, 3, T, H, W) to logits (B, K), in evaluation mode; trained along
            if its parameters require gradients and are among the optimiser's.
        recognition: Weight of the cross-entropy of its answers.
        fidelity: Weight of the mean squared error of the pixels, relative to that of mid-grey 0.1
            off (our scale: 0.01).
        label_smoothing: As in training the classifier.
    """

    def objective(
        model: nn.Module, clips: Tensor, labels: Tensor
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        assert isinstance(model, PricedCodec)
        count = len(model.codec.points)
        if model.training:
            points = torch.randint(count, (len(clips),), device=clips.device)
        else:
            points = torch.arange(len(clips), device=clips.device) % count
        sent = model.codec(clips, points)
        error = (sent.clips - clips).square().mean(dim=(1, 2, 3, 4))
        cost = model.price[points] * sent.bits / 1000.0
        figures = {
            "psnr_db": -10.0 / math.log(10.0) * error.log().mean(),
            "load": (sent.bits / model.target_bits[points]).log().mean().exp(),
        }
        loss = fidelity * error / 0.01 + cost
        if recognition:
            logits = classifier(sent.clips).float()
            wrong = functional.cross_entropy(
                logits, labels, reduction="none", label_smoothing=label_smoothing
            )
            loss = loss + recognition * wrong
            figures["accuracy"] = (logits.argmax(dim=1) == labels).float().mean()
        if model.training:
            model.reprice(sent.bits, points)
        return loss.mean(), figures

    return objective
