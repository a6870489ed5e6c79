"""The card beside trained weights, and where both are; needs no torch.

`NAME.safetensors` holds the tensors, `NAME.json` the card. Shipped ones lie in the package's folder
`trained` and are opened by name.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from fadeline.models.errors import WeightsError
from fadeline.models.proportion import Share

MISSING = "missing"
"""In a card: not measured."""


@dataclass(frozen=True)
class Card:
    """What weights are, how they were made, and how good they are.

    Attributes:
        task: What the network does.
        architecture: Name of its class.
        config: Its shape, as in its config.
        classes: Names of its classes, in the order of its logits.
        data: Name of the clips that the figures below are of.
        data_version: Their version.
        data_checksum: SHA-256 over their pixels and labels.
        splits: Number of clips of each set that played a part.
        correct: Clips answered correctly ...
        count: ... out of how many.
        per_class_accuracy: By name of the class.
        confusion: Clips by true class (rows) and answer (columns).
        confusion_figure: File beside the card, or "missing".
        controls: Accuracies on changed clips and in pairs of classes, by name.
        parameters: Number of them.
        flops: Floating-point operations for one clip, two for each multiply-add.
        command: What the weights were made by.
        seed: Of the training.
        wall_s: Training time, seconds.
        versions: Of the packages that matter.
        seed_spread: Standard deviation of the accuracy over training seeds, or "missing".
        sha256: Of the weights file; filled in when saved.
    """

    task: str
    architecture: str
    config: dict[str, Any]
    classes: list[str]
    data: str
    data_version: str
    data_checksum: str
    splits: dict[str, int]
    correct: int
    count: int
    per_class_accuracy: dict[str, float]
    confusion: list[list[int]]
    parameters: int
    flops: int
    command: str
    seed: int
    wall_s: float
    confusion_figure: str = MISSING
    controls: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    seed_spread: float | str = MISSING
    sha256: str = MISSING

    @property
    def accuracy(self) -> Share:
        """Share of clips answered correctly."""
        return Share(self.correct, self.count)

    def as_json(self) -> dict[str, Any]:
        """Return the card as it is stored, with the accuracy and its interval spelt out."""
        share = self.accuracy
        derived = {"accuracy": share.value, "accuracy_interval": list(share.interval)}
        return asdict(self) | derived


def read_card(path: Path) -> Card:
    """Return the card beside a weights file.

    Raises:
        WeightsError: If there is none, or it is not one.
    """
    beside = path.with_suffix(".json")
    try:
        content = json.loads(beside.read_text(encoding="utf-8"))
        known = {entry.name for entry in fields(Card)}
        card = Card(**{name: value for name, value in content.items() if name in known})
        _refuse_nonsense(card)
        return card
    except FileNotFoundError:
        raise WeightsError(
            f"{beside}: the card of {path.name} is missing; weights and card belong together"
        ) from None
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise WeightsError(f"{beside}: is no readable card: {error}") from error


def _refuse_nonsense(card: Card) -> None:
    """Raise ValueError if a figure that is computed with cannot be one."""
    if not isinstance(card.config, dict) or not isinstance(card.controls, dict):
        raise ValueError("config and controls must be mappings")
    if not isinstance(card.classes, list) or not all(isinstance(c, str) for c in card.classes):
        raise ValueError("classes must be a list of names")
    counts = (card.correct, card.count)
    if not all(type(n) is int for n in counts) or not 0 <= card.correct <= card.count:
        raise ValueError(f"correct and count must be whole numbers in order, got {counts}")


def weights_path(name_or_path: str | Path) -> Path:
    """Return the file of shipped weights, or a path as it is.

    Raises:
        WeightsError: If it looks like a name, and no such weights are shipped.
    """
    given = Path(name_or_path)
    if given.suffix == ".safetensors" or given.parent != Path():
        return given
    shipped = shipped_weights()
    if str(given) not in shipped:
        names = ", ".join(shipped) or "none"
        raise WeightsError(
            f"{given}: no such weights; shipped are {names}; a file must end in .safetensors"
        )
    return shipped[str(given)]


def shipped_weights() -> dict[str, Path]:
    """Return the files of the weights that came with the package, by name."""
    folder = Path(str(files("fadeline.models"))) / "trained"
    return {path.stem: path for path in sorted(folder.glob("*.safetensors"))}


def classifier_path(path: Path) -> Path:
    """Return where the classifier of a codec's weights is."""
    return path.with_name(f"{path.stem}-classifier.safetensors")


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal.

    Raises:
        OSError: If it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
