"""A codec as it is trained: encoder, selection, quantiser, rate and decoder in one pass.

Letters: B clips, T frames, H rows and W columns of pixels; C channels, h rows and w columns of the
grid; O operating points.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fadeline.models.codecs.deepisc import DeepIscConfig, DeepIscDecoder, DeepIscEncoder
from fadeline.models.codecs.operating_point import OperatingPoint
from fadeline.models.codecs.quantiser import Quantiser, rounded
from fadeline.models.codecs.rate import RateModel
from fadeline.models.codecs.selection import gate, kept_positions
from fadeline.models.codecs.stae import Encoded, StaeConfig, StaeDecoder, StaeEncoder


@dataclass(frozen=True)
class Sent:
    """What a pass through a codec gives.

    Attributes:
        clips: Restored, shape (B, 3, T, H, W), in [0, 1].
        steps: Values in steps of the quantiser, before rounding, shape (B, T, h, w, C).
        kept: Positions sent, bool, shape (B, T, h, w).
        bits: Estimated, without header and checksum, shape (B,).
    """

    clips: Tensor
    steps: Tensor
    kept: Tensor
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
        self.register_buffer("knobs", torch.tensor(knobs), persistent=False)

    @property
    def temporal(self) -> bool:
        """Whether a frame may be predicted from those before it."""
        return isinstance(self.config, StaeConfig)

    def forward(self, clips: Tensor, points: Tensor) -> Sent:
        """Send clips (B, 3, T, H, W) in [0, 1] at an operating point each, (B,)."""
        encoded: Encoded = self.encoder(clips)
        frames, positions, channels = self.knobs[points].unbind(dim=1)
        kept = kept_positions(encoded.frame_scores, encoded.place_scores, frames, positions)
        scores = encoded.place_scores + encoded.frame_scores[:, :, None, None]
        open_ = gate(scores, kept)
        C = encoded.values.shape[-1]
        active = torch.arange(C, device=clips.device) < channels[:, None]
        steps = self.quantiser.scaled(encoded.values, points)
        steps = steps * active[:, None, None, None, :]
        values = self.quantiser.restored(rounded(steps), points) * open_[..., None]
        _, h, w = self.config.grid
        bits = self.rate(steps, kept, active, points, positions < frames * h * w)
        return Sent(self.decoder(values, open_, points), steps, kept, bits)


def _refuse_misfit(config: StaeConfig | DeepIscConfig, points: Sequence[OperatingPoint]) -> None:
    T, h, w = config.grid
    if len(points) != config.points:
        raise ValueError(f"{len(points)} operating points, but config.points is {config.points}")
    for number, point in enumerate(points):
        if point.channels > config.channels or point.frames > T:
            raise ValueError(
                f"operating point {number}: at most {config.channels} channels and {T} frames, "
                f"got {point.channels} and {point.frames}"
            )
        if point.positions > point.frames * h * w:
            raise ValueError(
                f"operating point {number}: {point.frames} frames have {point.frames * h * w} "
                f"positions, got {point.positions}"
            )
