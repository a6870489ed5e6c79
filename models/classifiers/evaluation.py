"""How often a classifier is right, about what, and how sure it is.

Letters: N clips, K classes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from fadeline.models.classifiers.controls import ChangedClips, Control
from fadeline.models.data.batches import batches_of
from fadeline.models.data.clipset import ClipSet
from fadeline.models.files import complete_or_absent
from fadeline.models.proportion import Share

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Evaluation:
    """A classifier's answers to the clips of a set.

    Attributes:
        classes: Names of the K classes.
        labels: True class of each clip, shape (N,).
        logits: Answers, float32, shape (N, K).
    """

    classes: tuple[str, ...]
    labels: NDArray[np.int64]
    logits: NDArray[np.float32]

    @property
    def predictions(self) -> NDArray[np.int64]:
        """Class answered for each clip, shape (N,)."""
        return np.asarray(self.logits.argmax(axis=1))

    @property
    def confidence(self) -> NDArray[np.float64]:
        """Probability (softmax) given to each answer, shape (N,)."""
        powers = np.exp(self.logits - self.logits.max(axis=1, keepdims=True), dtype=np.float64)
        return np.asarray(1.0 / powers.sum(axis=1))

    @property
    def confusion(self) -> NDArray[np.int64]:
        """Clips by true class (rows) and answer (columns), shape (K, K)."""
        K = len(self.classes)
        pairs = self.labels * K + self.predictions
        return np.bincount(pairs, minlength=K * K).reshape(K, K)

    @property
    def accuracy(self) -> Share:
        """Share of clips answered correctly."""
        return Share(int((self.predictions == self.labels).sum()), len(self.labels))

    @property
    def per_class(self) -> dict[str, Share]:
        """Share answered correctly among the clips of each class that has any."""
        rows = enumerate(zip(self.classes, self.confusion, strict=True))
        return {name: Share(int(row[k]), int(row.sum())) for k, (name, row) in rows if row.any()}

    def two_way(self, first: str, second: str) -> Share:
        """Return the share answered correctly among clips of two classes, asked which of the two.

        Only their two logits are compared, so what else the classifier mixes up does not count.

        Raises:
            ValueError: If there is no such class, or no clip of either.
        """
        for name in (first, second):
            if name not in self.classes:
                raise ValueError(f"no class {name!r}; there are {', '.join(self.classes)}")
        pair = np.array([self.classes.index(first), self.classes.index(second)])
        rows = np.isin(self.labels, pair)
        answers = pair[self.logits[rows][:, pair].argmax(axis=1)]
        return Share(int((answers == self.labels[rows]).sum()), int(rows.sum()))


@torch.inference_mode()
def evaluate(
    model: nn.Module,
    clips: ClipSet,
    batch_size: int = 16,
    transform: Control | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Show every clip to a classifier, in float32.

    Args:
        model: From clips (B, 3, T, H, W) in [0, 1] to logits (B, K); put into evaluation mode and
            used on the device it is on.
        clips: The set.
        batch_size: Clips at a time; changes nothing but the speed.
        transform: A control to see the clips through.
        progress: Called with the clips done and their number.

    Raises:
        ClipError: If a clip cannot be read.
    """
    shown = clips if transform is None else ChangedClips(clips, "changed", transform)
    device = next(model.parameters()).device
    model.eval()
    logits: list[NDArray[np.float32]] = []
    for floats, _ in batches_of(shown, batch_size):
        logits.extend(model(floats.to(device)).float().cpu().numpy())
        if progress is not None:
            progress(len(logits), len(clips))
    return Evaluation(tuple(clips.classes), np.asarray(clips.labels), np.stack(logits))


def save_confusion(evaluation: Evaluation, path: Path) -> None:
    """Draw the confusion matrix as PNG: rows are true classes, columns answers, in percent.

    Raises:
        OSError: If the file cannot be written.
    """
    from matplotlib import style

    # The user's matplotlibrc may ask for a LaTeX, or for fonts that others do not have.
    with style.context(["default", {"text.parse_math": False}]):
        figure = _confusion_figure(evaluation)
        with complete_or_absent(path) as partial:
            figure.savefig(partial, format="png", dpi=150, metadata={"Software": None})


def _confusion_figure(evaluation: Evaluation) -> "Figure":
    from matplotlib.figure import Figure

    confusion = evaluation.confusion
    percent = 100.0 * confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    K = len(evaluation.classes)
    side_in = 2.0 + 0.35 * K
    figure = Figure(figsize=(side_in, side_in), layout="constrained")
    axis = figure.subplots()
    axis.imshow(percent, cmap="Blues", vmin=0.0, vmax=100.0)
    axis.set_xticks(range(K), evaluation.classes, rotation=90, fontsize=8)
    axis.set_yticks(range(K), evaluation.classes, fontsize=8)
    axis.set(xlabel="Answer", ylabel="Class", title="Answers to the clips of each class, percent")
    for (row, column), value in np.ndenumerate(percent):
        if value >= 0.5:
            colour = "white" if value > 50.0 else "black"
            axis.text(
                column, row, f"{value:.0f}", ha="center", va="center", color=colour, fontsize=7
            )
    return figure
