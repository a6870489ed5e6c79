"""The state of a training between two epochs, in one file without pickle.

Tensors of the model and the optimiser are stored by name; the identity of the run and its rows so
far are JSON in the file's header. One file replaced whole is never half of one epoch and half of
another. Generators are not stored: the loop derives them from (seed, epoch, step).
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from fadeline.models.errors import WeightsError
from fadeline.models.files import complete_or_absent

FORMAT = "fadeline-checkpoint-1"


@dataclass(frozen=True)
class Checkpoint:
    """Where a training keeps its state.

    Attributes:
        path: The file.
        identity: What must be the same for a training to go on: configuration, architecture, data.
    """

    path: Path
    identity: dict[str, Any]

    def save(
        self, model: nn.Module, optimizer: torch.optim.Optimizer, rows: list[dict[str, float]]
    ) -> None:
        """Replace the file by the state after an epoch.

        Raises:
            WeightsError: If it cannot be written.
        """
        tensors = {f"model.{name}": x for name, x in model.state_dict().items()}
        for name, parameter in model.named_parameters():
            for key, value in optimizer.state.get(parameter, {}).items():
                tensors[f"optimizer.{name}.{key}"] = torch.as_tensor(value)
        whole = {name: x.detach().cpu().contiguous() for name, x in tensors.items()}
        state = {"identity": self.identity, "rows": rows}
        try:
            with complete_or_absent(self.path) as partial:
                save_file(whole, partial, {"format": FORMAT, "state": json.dumps(state)})
        except (OSError, SafetensorError) as error:
            raise WeightsError(f"{self.path}: cannot be written: {error}") from error

    def load(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> list[dict[str, float]]:
        """Put a stored state into a model and its optimiser; return the rows so far.

        Raises:
            WeightsError: If the file is damaged, or of another configuration or architecture.
        """
        state, tensors = self._read()
        self._refuse_others(state["identity"])
        weights = _part(tensors, "model.")
        try:
            model.load_state_dict(weights)
        except RuntimeError as error:
            raise WeightsError(f"{self.path}: is of another network: {error}") from error
        for name, parameter in model.named_parameters():
            if stored := _part(tensors, f"optimizer.{name}."):
                optimizer.state[parameter] = {
                    key: x if key == "step" else x.to(parameter.device) for key, x in stored.items()
                }
        rows: list[dict[str, float]] = state["rows"]
        return rows

    def _read(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        try:
            with safe_open(self.path, "pt") as file:
                metadata = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            if metadata.get("format") != FORMAT:
                raise ValueError(f"its format is {metadata.get('format')}, not {FORMAT}")
            return json.loads(metadata["state"]), tensors
        except (OSError, SafetensorError, ValueError, KeyError) as error:
            raise WeightsError(
                f"{self.path}: is no readable checkpoint ({error}); train without --resume"
            ) from error

    def _refuse_others(self, stored: dict[str, Any]) -> None:
        mine = _flat(json.loads(json.dumps(self.identity)))
        theirs = _flat(stored)
        differences = [
            f"{name} is {theirs.get(name)}, now {mine.get(name)}"
            for name in sorted(mine.keys() | theirs.keys())
            if mine.get(name) != theirs.get(name)
        ]
        if differences:
            raise WeightsError(
                f"{self.path}: is of another training: {'; '.join(differences)}; resume with the "
                "same settings or train into another folder"
            )


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): x for name, x in tensors.items() if name.startswith(prefix)}


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested values under dotted names."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat
