"""Batches of clips as tensors."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fadeline.models.data.augmentation import Augmentation
from fadeline.models.data.clipset import ClipSet


@runtime_checkable
class ReadsBatches(Protocol):
    """A set that reads several clips at once quicker than one by one."""

    def batch(self, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return clips of shape (B, T, H, W, 3)."""


@dataclass(frozen=True)
class Batch:
    """Clips with their labels and the changes still to be made, which a GPU makes sooner.

    Attributes:
        clips: 8-bit, shape (B, T, H, W, 3).
        labels: Shape (B,).
        gains: Per clip and channel, shape (B, 3).
        offsets: Per clip, shape (B, 1).
        places: Which frames (B, T), rows (B, H) and columns (B, W) of each clip to take; none to
            leave them as they are.
    """

    clips: Tensor
    labels: Tensor
    gains: Tensor
    offsets: Tensor
    places: tuple[Tensor, ...]

    def to(self, device: torch.device) -> "Batch":
        """Return the batch on a device."""
        clips, labels, gains, offsets = (
            tensor.to(device) for tensor in (self.clips, self.labels, self.gains, self.offsets)
        )
        return Batch(clips, labels, gains, offsets, tuple(x.to(device) for x in self.places))


def batch_of(
    clips: ClipSet,
    indices: NDArray[np.int64],
    augmentation: Augmentation | None = None,
    seed: int = 0,
) -> Batch:
    """Read clips and draw their changes.

    Args:
        clips: The set.
        indices: Which clips, shape (B,).
        augmentation: Changes to draw; None for none.
        seed: With a clip's index it fixes the changes, whatever else is in the batch.

    Raises:
        ClipError: If a clip cannot be read.
    """
    if isinstance(clips, ReadsBatches):
        pixels = np.asarray(clips.batch(indices))
    else:
        pixels = np.stack([clips.clip(int(index)) for index in indices])
    if not pixels.flags.writeable:
        pixels = pixels.copy()  # torch has no read-only tensors
    gains = np.ones((len(indices), 3), np.float32)
    offsets = np.zeros((len(indices), 1), np.float32)
    places: tuple[NDArray[np.int64], ...] = ()
    if augmentation is not None:
        places = tuple(np.empty((len(indices), length), np.int64) for length in clips.shape)
        for i, index in enumerate(indices):
            rng = np.random.default_rng([seed, int(index)])
            for axis, chosen in zip(places, augmentation.places(clips.shape, rng), strict=True):
                axis[i] = chosen
            gains[i], offsets[i] = augmentation.recolouring(rng)
    labels = torch.from_numpy(clips.labels[indices].astype(np.int64))
    return Batch(
        torch.from_numpy(pixels),
        labels,
        torch.from_numpy(gains),
        torch.from_numpy(offsets),
        tuple(map(torch.from_numpy, places)),
    )


def to_float(batch: Batch) -> tuple[Tensor, Tensor]:
    """Return clips (B, 3, T, H, W) with values in [0, 1], changed, and labels (B,)."""
    clips = batch.clips
    if batch.places:
        frames, rows, columns = batch.places
        number = torch.arange(len(clips), device=clips.device)[:, None, None, None]
        clips = clips[
            number, frames[:, :, None, None], rows[:, None, :, None], columns[:, None, None]
        ]
    gains = (batch.gains / 255.0)[:, None, None, None, :]
    pixels = clips.float().mul_(gains).add_(batch.offsets[:, None, None, None, :])
    return pixels.clamp_(0.0, 1.0).permute(0, 4, 1, 2, 3), batch.labels


def batches_of(clips: ClipSet, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield all clips in order as (B, 3, T, H, W) in [0, 1], with labels (B,)."""
    for start in range(0, len(clips), batch_size):
        yield to_float(batch_of(clips, np.arange(start, min(start + batch_size, len(clips)))))
