"""Trained weights in safetensors, each with a card beside it that says what they are worth."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from fadeline.models.card import (
    MISSING,
    Card,
    file_sha256,
    read_card,
    shipped_weights,
    weights_path,
)
from fadeline.models.errors import WeightsError
from fadeline.models.files import complete_or_absent

__all__ = [
    "MISSING", "Card", "load_weights", "package_versions", "read_card", "round_to_half",
    "save_weights", "shipped_weights", "state_digest", "warm_start", "weights_path",
]  # fmt: skip


def save_weights(model: nn.Module, path: Path, card: Card, *, half: bool = False) -> Card:
    """Write weights and, beside them, their card.

    Args:
        model: Its parameters and buffers are stored.
        path: Ends in .safetensors.
        card: Everything but the SHA-256.
        half: Store floating-point numbers with 16 bits; the model is rounded to them as well, so
            that what is measured of it is true of the file.

    Returns:
        The card as stored.

    Raises:
        WeightsError: If the name ends otherwise, or a file cannot be written.
    """
    if path.suffix != ".safetensors":
        raise WeightsError(f"{path}: weights must be named NAME.safetensors")
    if half:
        round_to_half(model)
    tensors = {name: x.detach().cpu().contiguous() for name, x in model.state_dict().items()}
    if half:
        tensors = {name: x.half() if x.is_floating_point() else x for name, x in tensors.items()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with complete_or_absent(path) as partial:
            save_file(tensors, partial, {"architecture": type(model).__name__})
        stored = replace(card, sha256=file_sha256(path))
        with complete_or_absent(path.with_suffix(".json")) as partial:
            partial.write_text(json.dumps(stored.as_json(), indent=2) + "\n", encoding="utf-8")
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{path}: cannot be written: {error}") from error
    return stored


@torch.no_grad()
def round_to_half(model: nn.Module) -> None:
    """Round every floating-point number of a network to the nearest with 16 bits."""
    for tensor in model.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(tensor.half().float())


def load_weights(model: nn.Module, path: Path) -> Card:
    """Put stored weights into a network, after checking that they are what the card says.

    Returns:
        The card.

    Raises:
        WeightsError: If file or card are missing or damaged, the file's SHA-256 is not the card's,
            or it holds the weights of another network.
    """
    if not path.is_file():
        raise WeightsError(f"{path}: no such weights file")
    card = read_card(path)
    if (found := file_sha256(path)) != card.sha256:
        raise WeightsError(
            f"{path}: is damaged or was replaced: its SHA-256 is {found}, its card says "
            f"{card.sha256}; get both files again"
        )
    mine = type(model).__name__
    if card.architecture != mine:
        raise WeightsError(f"{path}: holds a {card.architecture}, not a {mine}")
    try:
        model.load_state_dict(load_file(path))
    except (SafetensorError, RuntimeError) as error:
        raise WeightsError(f"{path}: does not fit this {mine}: {error}") from error
    return card


def package_versions() -> dict[str, str]:
    """Return the versions of the packages that trained weights depend on."""
    found = {}
    for name in ("fadeline", "torch", "lightning", "numpy"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def warm_start(model: nn.Module, path: Path, *, replaceable: Sequence[str]) -> list[str]:
    """Put stored weights into a network; parts of another shape keep the weights they have.

    For going on from weights with other classes, whose heads do not fit.

    Args:
        model: The network.
        path: Weights in safetensors; no card is needed.
        replaceable: Names of the modules that may be of another shape.

    Returns:
        Names of the tensors that were left as they were.

    Raises:
        WeightsError: If the file cannot be read, or anything else does not fit.
    """
    try:
        stored = load_file(path)
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{path}: cannot be read as weights: {error}") from error
    mine = model.state_dict()
    fitting = {k: x for k, x in stored.items() if k in mine and mine[k].shape == x.shape}
    left = [name for name in mine if name not in fitting]
    unknown = [name for name in stored if name not in mine]
    wrong = [name for name in left + unknown if name.partition(".")[0] not in replaceable]
    if wrong:
        raise WeightsError(
            f"{path}: is of another network: {', '.join(wrong[:3])}"
            f"{' and more' if len(wrong) > 3 else ''} missing, too many or of another shape; only "
            f"{' and '.join(replaceable)} may differ"
        )
    model.load_state_dict(fitting, strict=False)
    return left


def state_digest(model: nn.Module) -> str:
    """Return the SHA-256 of a network's parameters and buffers, in hexadecimal."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
