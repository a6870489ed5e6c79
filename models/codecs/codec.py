"""A codec as it is trained: encoder, selection, quantiser, rate and decoder in one pass.

Letters: B clips, T frames, H rows and W columns of pixels; C channels, h rows and w columns of the
grid; O operating points.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fadeline.models.codecs.bitstream import MAX_POINTS
from fadeline.models.codecs.deepisc import DeepIscConfig, DeepIscDecoder, DeepIscEncoder
from fadeline.models.codecs.operating_point import OperatingPoint
from fadeline.models.codecs.quantiser import Quantiser, rounded
from fadeline.models.codecs.rate import RateModel
from fadeline.models.codecs.selection import gate, kept_positions
from fadeline.models.codecs.stae import Encoded, StaeConfig, StaeDecoder, StaeEncoder


@dataclass(frozen=True)
class Plan:
    """What of clips is to be sent.

    Attributes:
        steps: Values in steps of the quantiser, before rounding, shape (B, T, h, w, C).
        kept: Positions sent, bool, shape (B, T, h, w).
        active: Channels sent, bool, shape (B, C).
        scores: Importance of positions, shape (B, T, h, w).
    """

    steps: Tensor
    kept: Tensor
    active: Tensor
    scores: Tensor


@dataclass(frozen=True)
class Sent:
    """What a pass through a codec gives.

    Attributes:
        clips: Restored, shape (B, 3, T, H, W), in [0, 1].
        plan: What was sent of them.
        bits: Estimated for one packet, without header, checksum and frame flags, shape (B,).
    """

    clips: Tensor
    plan: Plan
    bits: Tensor


class Codec(nn.Module):
    """A codec with its operating points.

    Args:
        config: Shape of the networks; says which codec it is.
        points: Operating points, O of them.
        seed: Fixes the first weights; the global generator is left as it was.

    Raises:
        ValueError: If the points do not fit the shape.
    """

    knobs: Tensor
    flagged: Tensor

    def __init__(
        self, config: StaeConfig | DeepIscConfig, points: Sequence[OperatingPoint], *, seed: int = 0
    ) -> None:
        super().__init__()
        self.config, self.points = config, tuple(points)
        _refuse_misfit(config, self.points)
        radii = [point.radius for point in points]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            if isinstance(config, StaeConfig):
                self.encoder: nn.Module = StaeEncoder(config)
                self.decoder: nn.Module = StaeDecoder(config)
            else:
                self.encoder = DeepIscEncoder(config)
                self.decoder = DeepIscDecoder(config)
            self.quantiser = Quantiser(radii, config.channels)
            self.rate = RateModel(radii, config.channels, temporal=self.temporal)
        knobs = [(point.frames, point.positions, point.channels) for point in points]
        flagged = [not point.sends_whole_frames(config.places) for point in points]
        self.register_buffer("knobs", torch.tensor(knobs), persistent=False)
        self.register_buffer("flagged", torch.tensor(flagged), persistent=False)

    @property
    def temporal(self) -> bool:
        """Whether a frame may be predicted from those before it."""
        return isinstance(self.config, StaeConfig)

    def forward(self, clips: Tensor, points: Tensor) -> Sent:
        """Send clips (B, 3, T, H, W) in [0, 1] at an operating point each, (B,)."""
        plan = self.plan(self.encoder(clips), points)
        arrived = gate(plan.scores, plan.kept)
        values = self.quantiser.restored(rounded(plan.steps), points) * arrived[..., None]
        bits = self.rate(plan.steps, plan.kept, plan.active, points, self.flagged[points])
        return Sent(self.decoder(values, arrived, points), plan, bits)

    def plan(self, encoded: Encoded, points: Tensor) -> Plan:
        """Choose what to send at an operating point each, (B,)."""
        frames, positions, channels = self.knobs[points].unbind(dim=1)
        kept = kept_positions(encoded.frame_scores, encoded.place_scores, frames, positions)
        C = encoded.values.shape[-1]
        active = torch.arange(C, device=channels.device) < channels[:, None]
        steps = self.quantiser.scaled(encoded.values, points) * active[:, None, None, None, :]
        scores = encoded.place_scores + encoded.frame_scores[:, :, None, None]
        return Plan(steps, kept, active, scores)


def _refuse_misfit(config: StaeConfig | DeepIscConfig, points: Sequence[OperatingPoint]) -> None:
    T, places = config.frames, config.places
    if len(points) != config.points or len(points) > MAX_POINTS:
        raise ValueError(
            f"{len(points)} operating points, but config.points is {config.points} and at most "
            f"{MAX_POINTS} can be told apart"
        )
    for number, point in enumerate(points):
        here = f"operating point {number}"
        if point.channels > config.channels or point.frames > T:
            raise ValueError(
                f"{here}: at most {config.channels} channels and {T} frames, got {point.channels} "
                f"and {point.frames}"
            )
        whole = point.frames * places
        if point.positions > whole:
            raise ValueError(
                f"{here}: {point.frames} frames have {whole} positions, got {point.positions}"
            )
        if isinstance(config, DeepIscConfig) and (
            point.positions < whole or point.frames % point.packets
        ):
            raise ValueError(
                f"{here}: an image codec sends whole frames, as many in each packet: {whole} "
                f"positions, packets a divisor of {point.frames}; got {point.positions} and "
                f"{point.packets}"
            )
