"""What a codec is trained for: answers, pixels and bits.

Each clip of a batch is sent at an operating point drawn for it. The rate weight (lambda) is set by
the points' ratios themselves: it rises while a point sends more than its ratio allows and falls
while it sends less (dual ascent), so every codec ends at the same ratios and they compare like for
like.
"""

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from fadeline.models.classifiers.vit import VideoViT
from fadeline.models.codecs.learned.codec import LearnedCodec, Plan
from fadeline.models.codecs.learned.rate import RateModel
from fadeline.models.codecs.operating_point import PAPER_RATIO
from fadeline.models.training.objectives import Objective

BITS_PER_PIXEL = 24
"""Of the clips that compression ratios count from: 8-bit red, green and blue."""

OVERHEAD_BYTES = 8
"""Of a stream of one packet: header and checksum, 6, and what entropy coding wastes, about 2."""

# All our choices.
_PAPER_DRAWS = 2.0  # how many times more often that ratio is trained than any other
_FIRST_COST = 0.1  # nats that all bits of a clip cost at first, at every operating point
_RATE_WEIGHT_STEP = 0.02  # how far a batch that sends twice what it should moves its logarithm
_HIGHEST_RATE_WEIGHT = 2.0  # nats per kilobit
_LOWEST_RATE_WEIGHT = 1e-4
_WARMTH = 2.0  # of answers that are learnt from: the temperature of their softmax


class CodecInTraining(nn.Module):
    """A codec in training: with the rate weight of each operating point, in nats per kilobit.

    Args:
        codec: The codec.
        classifier: Of what it restores; always in evaluation mode, so batches do not change its
            normalisation, and trained along where its parameters require gradients. As it is given
            here, it is also the teacher: what it says of clips as they are can be learnt from.

    Raises:
        ValueError: If an operating point's ratio leaves no bits.
    """

    rate_weight: Tensor
    target_bits: Tensor

    def __init__(self, codec: LearnedCodec, classifier: VideoViT) -> None:
        super().__init__()
        self.codec = codec
        radii = [point.radius for point in codec.points]
        self.rate = RateModel(radii, codec.config.channels, temporal=codec.temporal)
        self.classifier = classifier
        self.teacher = copy.deepcopy(classifier).requires_grad_(False)
        self.config = codec.config
        pixels = codec.config.frames * codec.config.size_px**2
        target_bits = torch.tensor(
            [pixels * BITS_PER_PIXEL / point.ratio - 8 * OVERHEAD_BYTES for point in codec.points]
        )
        if target_bits.min() <= 0:
            highest = pixels * BITS_PER_PIXEL / (8 * OVERHEAD_BYTES)
            raise ValueError(
                f"ratios must be below {highest:.0f}: a stream's overhead alone is that"
            )
        self.register_buffer("rate_weight", _FIRST_COST / (target_bits / 1000.0))
        self.register_buffer("target_bits", target_bits, persistent=False)

    def train(self, mode: bool = True) -> "CodecInTraining":
        """Put the codec into training mode, or out of it."""
        super().train(mode)
        self.classifier.eval()
        self.teacher.eval()
        return self

    def bits(self, plan: Plan, points: Tensor) -> Tensor:
        """Return an estimate of what sending takes, shape (B,).

        In one packet, without header, checksum and flags of frames.
        """
        flagged = self.codec.flagged[points]
        bits: Tensor = self.rate(plan.steps, plan.kept, plan.active, points, flagged)
        return bits

    @torch.no_grad()
    def adjust_rate_weight(self, bits: Tensor, points: Tensor) -> None:
        """Raise the weight where clips took more bits than wanted, lower it where less."""
        excess = (bits.detach() / self.target_bits[points] - 1.0).clamp(-1.0, 1.0)
        count = torch.zeros_like(self.rate_weight).index_add_(0, points, torch.ones_like(excess))
        total = torch.zeros_like(self.rate_weight).index_add_(0, points, excess)
        self.rate_weight *= (_RATE_WEIGHT_STEP * total / count.clamp(min=1.0)).exp()
        self.rate_weight.clamp_(_LOWEST_RATE_WEIGHT, _HIGHEST_RATE_WEIGHT)


@dataclass(frozen=True)
class Aims:
    """What counts how much in training a codec.

    Attributes:
        recognition: Weight of the cross-entropy of the classifier's answers.
        guidance: In training, of the distance to what the teacher answers to the clip as it is,
            which says more than a label (Hinton, Vinyals and Dean, arXiv 1503.02531).
        fidelity: Of the mean squared error of the pixels, in units of 0.01 (our scale: a grey that
            is 0.1 off).
        likeness: Of the mean squared error of the classifier's features against the teacher's of
            the clip as it is, relative to their own mean square: perceptual losses compare what an
            image network sees likewise (Johnson, Alahi and Fei-Fei, ECCV 2016).
        soft: Train through soft attention: the step before bits count.
        rate: Whether bits count, by the rate weight; not in a soft step, nor where the codec is
            fixed.
    """

    recognition: float = 0.0
    guidance: float = 0.0
    fidelity: float = 0.0
    likeness: float = 0.0
    soft: bool = False
    rate: bool = True


def codec_objective(aims: Aims) -> Objective:
    """Return the objective of a `CodecInTraining`."""

    def objective(
        model: nn.Module, clips: Tensor, labels: Tensor
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        assert isinstance(model, CodecInTraining)
        points, classifier = _points(model, clips), model.classifier
        figures: dict[str, Tensor] = {}
        if aims.soft:
            restored = model.codec.softly(clips, points)
        else:
            sent = model.codec(clips, points)
            restored = sent.clips
        loss = torch.zeros(len(clips), device=clips.device)
        if aims.rate and not aims.soft:
            bits = model.bits(sent.plan, points)
            loss = model.rate_weight[points] * bits / 1000.0
            figures["load"] = (bits / model.target_bits[points]).mean()
            if model.training:
                model.adjust_rate_weight(bits, points)
        error = (restored - clips).square().mean(dim=(1, 2, 3, 4))
        figures["psnr_db"] = -10.0 / math.log(10.0) * error.log().mean()
        loss = loss + aims.fidelity * error / 0.01
        guidance = aims.guidance if model.training else 0.0
        if aims.likeness or guidance:
            with torch.no_grad():
                wanted = model.teacher.features(clips)
        seen = classifier.features(restored)
        if aims.likeness:
            unlike = (seen.float() - wanted.float()).square().mean(dim=(1, 2, 3, 4))
            unlike = unlike / wanted.float().square().mean(dim=(1, 2, 3, 4))
            figures["unlike"] = unlike.mean()
            loss = loss + aims.likeness * unlike
        if aims.recognition or guidance:
            logits = classifier.classify(seen).float()
            wrong = functional.cross_entropy(logits, labels, reduction="none")
            figures["accuracy"] = (logits.argmax(dim=1) == labels).float().mean()
            loss = loss + aims.recognition * wrong
        if guidance:
            with torch.no_grad():
                said = (model.teacher.classify(wanted).float() / _WARMTH).softmax(dim=1)
            heard = (logits / _WARMTH).log_softmax(dim=1)
            unheard = functional.kl_div(heard, said, reduction="none").sum(dim=1)
            loss = loss + guidance * _WARMTH**2 * unheard
        return loss.mean(), figures

    return objective


def _points(model: CodecInTraining, clips: Tensor) -> Tensor:
    """Return an operating point for each clip: drawn in training, in turn otherwise."""
    ratios = torch.tensor([point.ratio for point in model.codec.points], device=clips.device)
    if model.training:
        weights = torch.where(ratios == PAPER_RATIO, _PAPER_DRAWS, 1.0)
        return torch.multinomial(weights, len(clips), replacement=True)
    return torch.arange(len(clips), device=clips.device) % len(ratios)
