"""What a training minimises."""

from collections.abc import Callable, Mapping

from torch import Tensor, nn

Objective = Callable[[nn.Module, Tensor, Tensor], tuple[Tensor, Mapping[str, Tensor]]]
"""From a model, clips (B, 3, T, H, W) in [0, 1] and labels (B,): the loss to minimise, and figures
to report, each a mean over the batch."""


def classification(
    logits: Callable[[nn.Module, Tensor], Tensor] | None = None, *, label_smoothing: float = 0.1
) -> Objective:
    """Return the objective of a classifier: cross-entropy, reported with the accuracy.

    Args:
        logits: Gets logits (B, K) from a model and clips; the model's own call if None.
        label_smoothing: Share of each label spread over all classes (Szegedy et al., CVPR 2016).
            Validation reports the same loss.
    """

    def objective(
        model: nn.Module, clips: Tensor, labels: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        answers = model(clips) if logits is None else logits(model, clips)
        loss = nn.functional.cross_entropy(answers.float(), labels, label_smoothing=label_smoothing)
        return loss, {"accuracy": (answers.argmax(dim=1) == labels).float().mean()}

    return objective
