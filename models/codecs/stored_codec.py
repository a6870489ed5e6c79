"""A trained codec on disk: networks and probability tables in one file, its classifier in another.

`NAME.safetensors` holds the codec, `NAME-classifier.safetensors` the video ViT that was trained on
what it restores; each has its card.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from fadeline.models.card import Card, classifier_path, read_card, weights_path
from fadeline.models.classifiers.stored_vit import load_vit
from fadeline.models.codecs.clip_coder import ClipCoder
from fadeline.models.codecs.entropy.probability_tables import Tables
from fadeline.models.codecs.learned.codec import LearnedCodec
from fadeline.models.codecs.learned.deepisc import DeepIscConfig
from fadeline.models.codecs.learned.stae import StaeConfig
from fadeline.models.codecs.operating_point import OperatingPoint
from fadeline.models.codecs.protocol import Clip, Encoded, Networks, OwnClassifier
from fadeline.models.errors import WeightsError
from fadeline.models.hardware.network_cost import network_work
from fadeline.models.hardware.network_work import NetworkWork
from fadeline.models.weights import load_weights

CODEC_CONFIGS: dict[str, type[StaeConfig] | type[DeepIscConfig]] = {
    "StaeConfig": StaeConfig,
    "DeepIscConfig": DeepIscConfig,
}
"""Shapes of codecs, by the name that a card has for them."""


class StoredCodec(nn.Module):
    """A codec and its tables, as tensors.

    Args:
        codec: The codec.
        tables: Of each operating point; None to make room for those that are loaded.
    """

    def __init__(self, codec: LearnedCodec, tables: Sequence[Tables] | None = None) -> None:
        super().__init__()
        self.codec = codec
        for number, point in enumerate(codec.points):
            given = tables[number] if tables else Tables.even(point.channels, point.radius)
            for part in fields(Tables):
                values = getattr(given, part.name).astype(np.int32)
                self.register_buffer(f"{part.name}_{number}", torch.from_numpy(values))

    @property
    def tables(self) -> list[Tables]:
        """Probabilities of each operating point.

        Raises:
            ValueError: If the tensors are none.
        """
        found = []
        for number in range(len(self.codec.points)):
            parts = {part.name: getattr(self, f"{part.name}_{number}") for part in fields(Tables)}
            if any(((x < 0) | (x > 0xFFFF)).any() for x in parts.values()):
                raise ValueError(f"tables {number}: entries must have 16 bits")
            found.append(Tables(**{k: x.numpy().astype(np.uint16) for k, x in parts.items()}))
        return found

    def config(self) -> dict[str, Any]:
        """Return what a card keeps to build it again."""
        return {
            "shape": type(self.codec.config).__name__,
            **asdict(self.codec.config),
            "operating_points": [asdict(point) for point in self.codec.points],
        }


@dataclass(frozen=True)
class TrainedCodec:
    """A learned codec ready for use; follows `fadeline.models.codecs.protocol.Codec`.

    Attributes:
        name: `stae`, `deepisc` or `deepisc-task`; of a file of one's own, its name.
        codec: Its networks, in evaluation mode.
        coder: Encodes and decodes.
        classifier: Trained on what it restores.
        card: Of the codec.
    """

    name: str
    codec: LearnedCodec
    coder: ClipCoder
    classifier: OwnClassifier
    card: Card

    @property
    def points(self) -> tuple[OperatingPoint, ...]:
        """Its operating points."""
        return self.codec.points

    @property
    def sha256(self) -> str:
        """SHA-256 of its weights."""
        return self.card.sha256

    def encode(self, clip: Clip, point: int) -> Encoded:
        """Return a clip (T, H, W, 3), 8-bit RGB, as bytes, at an operating point.

        Raises:
            ClipError: If the clip is of another shape or type.
            ValueError: If there is no such operating point.
        """
        return self.coder.encode(clip, point)

    def decode(self, stream: bytes) -> Clip:
        """Return the clip (T, H, W, 3) restored from a stream, or from its first packets.

        Raises:
            BitstreamError: If it is damaged, incomplete within a packet or of something else.
        """
        return self.coder.decode(stream)

    def networks(self) -> Networks:
        """Return its networks, and what it does beside them."""
        return Networks(self._work, self.coder.analysed, self.coder.coded, self.coder.renewed)

    def _work(self) -> tuple[NetworkWork, NetworkWork]:
        config = self.codec.config
        T, h, w = config.grid
        pixels = torch.zeros(2, 3, T, config.size_px, config.size_px)
        values = torch.zeros(2, T, h, w, config.channels)
        return (
            network_work(self.codec.encoder, pixels),
            network_work(_Decoding(self.codec), values),
        )


class _Decoding(nn.Module):
    """The decoder as a network of one input, to count its operations."""

    def __init__(self, codec: LearnedCodec) -> None:
        super().__init__()
        self.decoder = codec.decoder

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        everywhere = torch.ones(values.shape[:4])
        points = torch.zeros(len(values), dtype=torch.long)
        clips: torch.Tensor = self.decoder(values, everywhere, points)
        return clips


def load_codec(name_or_path: str | Path) -> TrainedCodec:
    """Return a trained codec.

    Args:
        name_or_path: Name of shipped weights, such as `stae-actions`, or path of a .safetensors
            file with its classifier beside it.

    Raises:
        WeightsError: If there are no such weights, or they cannot be trusted.
    """
    path = weights_path(name_or_path)
    card = read_card(path)
    if card.architecture != StoredCodec.__name__:
        raise WeightsError(f"{path}: holds a {card.architecture}, not a codec")
    try:
        config = dict(card.config)
        shape = CODEC_CONFIGS[config.pop("shape")]
        points = [OperatingPoint(**point) for point in config.pop("operating_points")]
        stored = StoredCodec(LearnedCodec(shape(**config), points))
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"{path}: its card has no valid config: {error}") from error
    load_weights(stored, path)
    try:
        coder = ClipCoder(stored.codec, stored.tables)
    except ValueError as error:
        raise WeightsError(f"{path}: {error}") from error
    classifier, classifier_card = load_vit(classifier_path(path))
    if classifier_card.classes != card.classes:
        raise WeightsError(f"{path}: its classifier answers other classes")
    own = OwnClassifier(classifier, tuple(classifier_card.classes), classifier_card.sha256)
    return TrainedCodec(path.stem.partition("-actions")[0], stored.codec, coder, own, card)
