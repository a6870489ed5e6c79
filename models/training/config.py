"""How a network is trained: how long, how fast, on what."""

from dataclasses import dataclass, field
from typing import Literal, get_args

from fadeline.models.data.augmentation import Augmentation
from fadeline.models.hardware.machine import quick_in_bfloat16

Precision = Literal["32-true", "bf16-mixed"]
"""Float32 throughout, or matrix products and convolutions in bfloat16."""


def quickest_precision() -> Precision:
    """Return the one that this machine trains in fastest."""
    return "bf16-mixed" if quick_in_bfloat16() else "32-true"


@dataclass(frozen=True)
class TrainingConfig:
    """How a network is trained.

    Attributes:
        epochs: Passes over the training clips.
        batch_size: Clips per step, over all devices. An incomplete last batch is left out.
        learning_rate: Peak, reached at the end of the warm-up; then half a cosine down to zero.
        weight_decay: Of weight matrices and filters; norms, biases and positions have none.
        warmup_epochs: Epochs of linear rise; fractions are fine.
        gradient_norm: Gradients are scaled down to this length where they are longer.
        augmentation: Changes to training clips; None for none.
        settle_epochs: Last epochs, in which clips hardly change (`Augmentation.settled`).
        validate_every: Epochs between validations; the last epoch always has one.
        seed: Fixes order, augmentation and dropout.
        precision: `bf16-mixed` computes convolutions and matrix products in bfloat16, about twice
            as quick where processor or GPU has instructions for it and far slower elsewhere;
            weights stay float32. By default what this machine is quickest in.
        devices: Processes; more than one train on equal parts of each batch (DDP).
        accelerator: `auto` takes a GPU if there is one.

    Raises:
        ValueError: If a number is out of range.
    """

    epochs: int
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    warmup_epochs: float = 1.0
    gradient_norm: float = 1.0
    augmentation: Augmentation | None = None
    settle_epochs: int = 0
    validate_every: int = 1
    seed: int = 1
    precision: Precision = field(default_factory=quickest_precision)
    devices: int = 1
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "learning_rate", "validate_every", "devices"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")
        for name in ("weight_decay", "warmup_epochs", "settle_epochs", "seed"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must be at least 0, got {getattr(self, name)}")
        if self.precision not in get_args(Precision):
            allowed = " or ".join(get_args(Precision))
            raise ValueError(f"precision must be {allowed}, got {self.precision!r}")
        if self.batch_size % self.devices:
            raise ValueError(
                f"batch_size {self.batch_size} must be a multiple of devices {self.devices}"
            )
