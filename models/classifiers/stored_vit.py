"""Trained video ViTs from their files."""

from pathlib import Path
from typing import Any

from fadeline.models.card import Card, read_card, weights_path
from fadeline.models.classifiers.vit import VideoViT, VideoViTConfig
from fadeline.models.errors import WeightsError
from fadeline.models.weights import load_weights


def load_vit(name_or_path: str | Path) -> tuple[VideoViT, Card]:
    """Return a trained video ViT in evaluation mode, and its card.

    Args:
        name_or_path: Name of shipped weights, such as `vit-tiny-actions`, or path of a .safetensors
            file.

    Raises:
        WeightsError: If there are no such weights, or they cannot be trusted.
    """
    path = weights_path(name_or_path)
    card = read_card(path)
    if card.architecture != VideoViT.__name__:
        raise WeightsError(f"{path}: holds a {card.architecture}, not a {VideoViT.__name__}")
    try:
        stored: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in card.config.items()
        }
        config = VideoViTConfig(**stored)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise WeightsError(f"{path}: its card has no valid config: {error}") from error
    model = VideoViT(config).eval()
    return model, load_weights(model, path)
