"""A codec as networks: encoder, selection, quantiser and decoder in one pass.

Letters: B clips, T frames, H rows and W columns of pixels; C channels, h rows and w columns of the
grid; O operating points.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fadeline.models.codecs.entropy.bitstream import MAX_POINTS
from fadeline.models.codecs.learned.deepisc import DeepIscConfig, DeepIscDecoder, DeepIscEncoder
from fadeline.models.codecs.learned.layers import Analysis
from fadeline.models.codecs.learned.quantiser import Quantiser, rounded
from fadeline.models.codecs.learned.selection import gate, kept_positions, parts, soft_gate
from fadeline.models.codecs.learned.stae import StaeConfig, StaeDecoder, StaeEncoder
from fadeline.models.codecs.operating_point import OperatingPoint


@dataclass(frozen=True)
class Plan:
    """What of clips is to be sent.

    Attributes:
        steps: In steps of the quantiser, before rounding: values, or their differences to what is
            held; shape (B, T, h, w, C).
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
    """

    clips: Tensor
    plan: Plan


class LearnedCodec(nn.Module):
    """The networks of a codec, with its operating points.

    Args:
        config: Shape of the networks; says which codec it is.
        points: Operating points, O of them.
        seed: Fixes the first weights; the global generator is left as it was.

    Raises:
        ValueError: If the points do not fit the shape.
    """

    knobs: Tensor
    radii: Tensor
    flagged: Tensor
    packets: Tensor

    def __init__(
        self, config: StaeConfig | DeepIscConfig, points: Sequence[OperatingPoint], *, seed: int = 0
    ) -> None:
        super().__init__()
        self.config, self.points = config, tuple(points)
        _refuse_misfit(config, self.points)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            if isinstance(config, StaeConfig):
                self.encoder: StaeEncoder | DeepIscEncoder = StaeEncoder(config)
                self.decoder: StaeDecoder | DeepIscDecoder = StaeDecoder(config)
            else:
                self.encoder = DeepIscEncoder(config)
                self.decoder = DeepIscDecoder(config)
            self.quantiser = Quantiser(len(points), config.channels)
        knobs = [(point.frames, point.positions, point.channels) for point in points]
        self.register_buffer("knobs", torch.tensor(knobs), persistent=False)
        radii = torch.tensor([point.radius for point in points], dtype=torch.float32)
        self.register_buffer("radii", radii, persistent=False)
        packets = torch.tensor([point.packets for point in points])
        self.register_buffer("packets", packets, persistent=False)
        flagged = torch.tensor([self.sends_flags(point) for point in points])
        self.register_buffer("flagged", flagged, persistent=False)

    @property
    def temporal(self) -> bool:
        """Whether a frame may be predicted from those before it."""
        return isinstance(self.config, StaeConfig)

    def nearest_point(self, ratio: float) -> int:
        """Return the number of the operating point of one packet nearest in ratio."""
        distance = [
            abs(math.log(point.ratio / ratio)) if point.packets == 1 else math.inf
            for point in self.points
        ]
        return distance.index(min(distance))

    def sends_flags(self, point: OperatingPoint) -> bool:
        """Return whether a stream must say which positions of a frame it holds."""
        return self.temporal and not point.sends_whole_frames(self.config.grid_positions)

    def forward(self, clips: Tensor, points: Tensor) -> Sent:
        """Send clips (B, 3, T, H, W) in [0, 1] at an operating point each, (B,).

        In training, a clip in several packets loses some of the last.
        """
        plan = self.plan(self.encoder(clips), points)
        arrived = gate(plan.scores, plan.kept) * self._received(plan, points)
        return Sent(self.restored(rounded(plan.steps), arrived, points), plan)

    def softly(self, clips: Tensor, points: Tensor) -> Tensor:
        """Return clips (B, 3, T, H, W) restored from soft attention: a step before `forward`.

        Nothing is left out; a position is renewed as far as its score says.
        """
        analysis: Analysis = self.encoder(clips)
        kept, scores = self._kept(analysis, points)
        some = self.flagged[points, None, None, None]
        arrived = torch.where(some, soft_gate(scores, kept), kept.float())
        steps = self._steps(analysis, points, arrived)
        return self.restored(rounded(steps), arrived, points)

    def plan(self, analysis: Analysis, points: Tensor) -> Plan:
        """Choose what to send at an operating point each, (B,)."""
        kept, scores = self._kept(analysis, points)
        steps = self._steps(analysis, points, gate(scores, kept))
        return Plan(steps, kept, self._active(points), scores)

    def _steps(self, analysis: Analysis, points: Tensor, arrived: Tensor) -> Tensor:
        """Return what is to be rounded and sent, in steps of the quantiser: (B, T, h, w, C)."""
        active = self._active(points)[:, None, None, None, :]
        steps = self.quantiser.scaled(analysis.values, points) * active
        radius = self.radii[points][:, None, None, None]
        if not self.temporal:
            return steps.clamp(-radius[..., None], radius[..., None])
        held, sent = torch.zeros_like(steps[:, 0]), []
        # Unbound, not indexed: the gradient of an index fills a clip's zeros for every frame.
        for now, arriving in zip(steps.unbind(1), arrived.unbind(1), strict=True):
            sent.append((now - held).clamp(-radius, radius))
            held = held + rounded(sent[-1]) * arriving[..., None]
        return torch.stack(sent, dim=1)

    def restored(self, symbols: Tensor, arrived: Tensor, points: Tensor) -> Tensor:
        """Return clips (B, 3, T, H, W) from what arrived.

        Args:
            symbols: Whole numbers, shape (B, T, h, w, C).
            arrived: 1 where they arrived, 0 elsewhere, shape (B, T, h, w).
            points: Operating point of each clip, shape (B,).
        """
        steps = symbols * arrived[..., None]
        if self.temporal:  # each symbol is a difference to what its position had
            steps = steps.cumsum(dim=1)
        return self._decoded(self.quantiser.restored(steps, points), arrived, points)

    def _decoded(self, values: Tensor, arrived: Tensor, points: Tensor) -> Tensor:
        clips: Tensor = self.decoder(values, arrived, points)
        return clips

    def _kept(self, analysis: Analysis, points: Tensor) -> tuple[Tensor, Tensor]:
        """Return the positions sent, bool, and all their scores, both (B, T, h, w)."""
        frames, positions, _ = self.knobs[points].unbind(dim=1)
        kept = kept_positions(analysis.frame_scores, analysis.position_scores, frames, positions)
        return kept, analysis.position_scores + analysis.frame_scores[:, :, None, None]

    def _received(self, plan: Plan, points: Tensor) -> Tensor:
        """Return 1 where the packet arrives, 0 elsewhere: shape (B, T, h, w)."""
        packets = self.packets[points]
        if not self.training or not (packets > 1).any():
            return torch.ones_like(plan.scores)
        part = parts(plan.kept, plan.scores, packets, lines=self.temporal)
        arriving = 1 + (torch.rand(len(points), device=points.device) * packets).long()
        return (part < arriving[:, None, None, None]).to(plan.scores.dtype)

    def _active(self, points: Tensor) -> Tensor:
        """Return the channels sent: bool, shape (B, C)."""
        channels = self.knobs[points, 2]
        return torch.arange(self.config.channels, device=points.device) < channels[:, None]


def _refuse_misfit(config: StaeConfig | DeepIscConfig, points: Sequence[OperatingPoint]) -> None:
    T, grid_positions = config.frames, config.grid_positions
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
        whole = point.frames * grid_positions
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
