"""Hugging Face's VideoMAE classifiers behind the interface of our own.

Source:
    Tong et al., "VideoMAE: Masked Autoencoders are Data-Efficient Learners for Self-Supervised
    Video Pre-Training", NeurIPS 2022; `VideoMAEForVideoClassification` of transformers.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from fadeline.models.errors import ModelsError, WeightsError

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
"""Mean and standard deviation of ImageNet's pixels, the default of VideoMAE's preprocessor."""


class HuggingFaceVit(nn.Module):
    """A VideoMAE classifier that takes clips as a `VideoViT` does.

    Args:
        network: A `VideoMAEForVideoClassification`.
        mean: Of the pixels it was trained on, per channel.
        std: Their standard deviation, per channel.

    Attributes:
        classes: Names of the K classes.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.network = network
        config: Any = network.config
        self.frames = int(config.num_frames)
        self.size_px = int(config.image_size)
        self.classes = tuple(str(config.id2label[k]) for k in range(config.num_labels))
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(3, 1, 1), persistent=False)

    def forward(self, clips: Tensor) -> Tensor:
        """Return the logits of clips (B, 3, T, H, W), values in [0, 1], of any size: (B, K).

        Raises:
            ValueError: If the clips do not have the frames that the network was made for.
        """
        B, channels, T = clips.shape[:3]
        if (channels, T) != (3, self.frames):
            raise ValueError(
                f"clips must be (B, 3, {self.frames}, H, W), got {tuple(clips.shape)}; sample "
                f"{self.frames} frames"
            )
        frames = clips.transpose(1, 2)
        size = (self.size_px, self.size_px)
        if frames.shape[3:] != size:
            resized = functional.interpolate(
                frames.flatten(0, 1), size, mode="bilinear", antialias=True, align_corners=False
            )
            frames = resized.view(B, T, 3, *size)
        logits: Tensor = self.network(pixel_values=(frames - self.mean) / self.std).logits
        return logits


def load_huggingface(name_or_folder: str | Path, *, offline: bool = False) -> HuggingFaceVit:
    """Return a VideoMAE classifier in evaluation mode.

    Normalises as the preprocessor configuration beside it says, or as VideoMAE does by default.

    Args:
        name_or_folder: Folder with `config.json` and weights, or a name on the hub.
        offline: Use only what is already on this machine.

    Raises:
        ModelsError: If transformers is not installed.
        WeightsError: If there is no such classifier, or it cannot be read.
    """
    try:
        from transformers import VideoMAEForVideoClassification
    except ImportError as error:
        raise ModelsError(
            "Hugging Face classifiers need transformers, which is not installed; run: "
            "pip install 'fadeline[hf]'"
        ) from error
    name = str(name_or_folder)
    try:
        loaded: Any = VideoMAEForVideoClassification.from_pretrained(
            name, local_files_only=offline, output_loading_info=True
        )
        network, report = loaded
        mean, std = _normalisation(name, offline=offline)
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        raise WeightsError(f"{name}: cannot be read as a VideoMAE classifier: {error}") from error
    if missing := sorted(report["missing_keys"]):
        raise WeightsError(
            f"{name}: has no weights for {', '.join(missing)}; choose one that was fine-tuned to "
            "classify, not only pre-trained"
        )
    return HuggingFaceVit(network, mean, std).eval()


def _normalisation(name: str, *, offline: bool) -> tuple[Sequence[float], Sequence[float]]:
    from transformers.utils.hub import cached_file

    found = cached_file(
        name,
        "preprocessor_config.json",
        local_files_only=offline,
        _raise_exceptions_for_missing_entries=False,
    )
    stored: dict[str, Any] = {}
    if found is not None:
        stored = json.loads(Path(found).read_text(encoding="utf-8"))
    if not stored.get("do_normalize", True):
        return (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    return stored.get("image_mean", IMAGENET_MEAN), stored.get("image_std", IMAGENET_STD)
