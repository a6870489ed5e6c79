"""The training loop of every network: epochs, steps, validation, checkpoints.

What is learnt comes in as an objective; how fast and how long as a `TrainingConfig`. Lightning
Fabric puts it on a processor, a GPU or several.

Everything random follows from (seed, epoch, step): the order of the clips, their augmentation and
what dropout drops. So a run that was killed and resumed ends with the weights it would have had, on
a processor bit for bit.
"""

import csv
import logging
import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from fadeline.models.data.batches import Batch, batch_of, to_float
from fadeline.models.data.clipset import ClipSet
from fadeline.models.errors import ClipError, ModelsError
from fadeline.models.files import complete_or_absent
from fadeline.models.training.checkpoint import Checkpoint
from fadeline.models.training.config import TrainingConfig
from fadeline.models.training.objectives import Objective
from fadeline.models.training.progress import Progress, Tell
from fadeline.models.weights import state_digest

if TYPE_CHECKING:
    from lightning.fabric import Fabric

Row = dict[str, float]
"""One epoch in figures."""


def train(
    model: nn.Module,
    objective: Objective,
    clips: ClipSet,
    validation: ClipSet,
    config: TrainingConfig,
    out: Path,
    *,
    resume: bool = False,
    stage: str = "training",
    tell: Tell | None = None,
) -> list[Row]:
    """Train a model in place; parameters that do not require gradients stay as they are.

    Leaves `checkpoint.safetensors` and `training.csv` in `out`, both renewed after every epoch.

    Args:
        model: Moved back to the processor, in evaluation mode, when done.
        objective: What is minimised.
        clips: Training clips.
        validation: Clips to report on, seen by no gradient.
        config: How.
        out: Folder; made if missing.
        resume: Go on from the checkpoint in `out`, if there is one.
        stage: What progress is told of.
        tell: Called after every step, with what the losses are: that waits for the device.

    Returns:
        A row per epoch: epoch, learning_rate (of its last step), clips_per_s (training only), the
        training loss and figures, the `val_` ones where validated, and seconds (of all of it).

    Raises:
        WeightsError: If the checkpoint is damaged, of another configuration, architecture or data
            set, or cannot be written.
        ClipError: If a set is empty or a clip cannot be read.
        ModelsError: If lightning is not installed, or the loss is no longer finite.
    """
    if not len(clips) or not len(validation):
        empty = clips if not len(clips) else validation
        raise ClipError(f"{empty.name}: holds no clips, so there is nothing to train or report on")
    fabric = _fabric(config)
    fabric.launch()
    run = _Run(model, objective, clips, validation, config, fabric)
    checkpoint = Checkpoint(out / "checkpoint.safetensors", run.identity())
    out.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    if resume and checkpoint.path.exists():
        rows = checkpoint.load(model, run.raw_optimizer)
    gpus = [fabric.device] if fabric.device.type == "cuda" else []
    speaks = fabric.is_global_zero
    total, done = config.epochs * run.steps, len(rows) * run.steps
    with torch.random.fork_rng(devices=gpus):

        def show(epoch: int, sums: _Means) -> None:
            nonlocal done
            done += 1
            if tell is not None and speaks:  # reading the sums waits for the device
                text = f"epoch {epoch + 1}/{config.epochs}  {sums.text()}"
                tell(Progress(stage, done, total, text))

        for epoch in range(len(rows), config.epochs):
            start_s = time.perf_counter()
            row = run.epoch(epoch, show)
            if (epoch + 1) % config.validate_every == 0 or epoch + 1 == config.epochs:
                row |= {f"val_{name}": x for name, x in run.validate(validation).items()}
            row["seconds"] = time.perf_counter() - start_s
            _refuse_divergence(row, config)
            rows.append(row)
            if fabric.is_global_zero:
                checkpoint.save(model, run.raw_optimizer, rows)
                _write_csv(rows, out / "training.csv")
            fabric.barrier()
    model.cpu().eval()
    return rows


def first_process() -> bool:
    """Return whether this is the process, of those that train together, that writes files."""
    return os.environ.get("LOCAL_RANK", "0") == "0"


def end_other_processes() -> None:
    """End the processes that trained together with the first, which goes on alone."""
    if not first_process():
        raise SystemExit(0)


class _Run:
    """A model on its devices, with its optimiser."""

    def __init__(
        self,
        model: nn.Module,
        objective: Objective,
        clips: ClipSet,
        validation: ClipSet,
        config: TrainingConfig,
        fabric: "Fabric",
    ) -> None:
        self.model, self.clips, self.config, self.fabric = model, clips, config, fabric
        self.validation = validation
        self.start = state_digest(model)
        self.batch_size = min(config.batch_size, len(clips))
        self.steps = len(clips) // self.batch_size
        self.raw_optimizer = torch.optim.AdamW(
            _parameter_groups(model, config.weight_decay),
            lr=config.learning_rate,
            fused=fabric.device.type == "cuda",
        )
        # The objective becomes the module's call, so that it may use any of the model's methods
        # and still have its gradients averaged and its precision set.
        self.step, self.optimizer = fabric.setup(_Objective(model, objective), self.raw_optimizer)

    def identity(self) -> dict[str, Any]:
        """Return what a checkpoint must agree with to be resumed."""
        model_config = getattr(self.model, "config", None)
        return {
            "training": asdict(self.config),
            "model": type(self.model).__name__,
            "model_config": asdict(model_config) if model_config is not None else None,
            "start": self.start,
            "data": _about(self.clips),
            "validation": _about(self.validation),
        }

    def epoch(self, epoch: int, show: Callable[[int, "_Means"], None]) -> Row:
        """Take all steps of one epoch and return its figures."""
        start_s = time.perf_counter()
        sums = _Means()
        self.step.train()
        for step, batch in enumerate(self._batches(epoch)):
            rate = self._learning_rate(epoch * self.steps + step)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            torch.manual_seed(_seed(self.config.seed, epoch, step, self.fabric.global_rank))
            clips, labels = to_float(batch.to(self.fabric.device))
            loss, figures = self.step(clips, labels)
            self.fabric.backward(loss)
            self.fabric.clip_gradients(
                self.step,
                self.optimizer,
                max_norm=self.config.gradient_norm,
                error_if_nonfinite=False,
            )
            self.optimizer.step()
            self.optimizer.zero_grad()
            sums.add(len(labels), loss=loss, **figures)
            show(epoch, sums)
        means = sums.reduced(self.fabric)
        clips_per_s = self.steps * self.batch_size / (time.perf_counter() - start_s)
        return {"epoch": epoch + 1, "learning_rate": rate, "clips_per_s": clips_per_s, **means}

    @torch.no_grad()
    def validate(self, clips: ClipSet) -> Row:
        """Return the loss and figures over all clips, unchanged by augmentation."""
        sums = _Means()
        self.step.eval()
        mine = np.arange(self.fabric.global_rank, len(clips), self.fabric.world_size)
        for start in range(0, len(mine), self.batch_size):
            indices = mine[start:][: self.batch_size]
            floats, labels = to_float(batch_of(clips, indices).to(self.fabric.device))
            loss, figures = self.step(floats, labels)
            sums.add(len(labels), loss=loss, **figures)
        return sums.reduced(self.fabric)

    def _batches(self, epoch: int) -> Iterator[Batch]:
        """Yield this device's part of each batch; a thread prepares the next meanwhile."""
        order = np.random.default_rng(_seed(self.config.seed, epoch)).permutation(len(self.clips))
        rank, world = self.fabric.global_rank, self.fabric.world_size
        augmentation = self.config.augmentation
        if augmentation is not None and epoch >= self.config.epochs - self.config.settle_epochs:
            augmentation = augmentation.settled()

        def make(step: int) -> Batch:
            indices = order[step * self.batch_size :][: self.batch_size]
            return batch_of(
                self.clips,
                indices[rank::world],
                augmentation,
                _seed(self.config.seed, epoch),
            )

        with ThreadPoolExecutor(max_workers=1) as thread:
            following = thread.submit(make, 0)
            for step in range(self.steps):
                batch = following.result()
                if step + 1 < self.steps:
                    following = thread.submit(make, step + 1)
                yield batch

    def _learning_rate(self, step: int) -> float:
        """Return the rate of a step counted from the very first: a rise, then half a cosine."""
        total, warmup = self.config.epochs * self.steps, self.config.warmup_epochs * self.steps
        if step < warmup:
            return self.config.learning_rate * (step + 1) / math.ceil(warmup)
        share = (step - warmup) / max(total - warmup, 1)
        return self.config.learning_rate * 0.5 * (1.0 + math.cos(math.pi * share))


def _about(clips: ClipSet) -> dict[str, Any]:
    return {"name": clips.name, "version": clips.version, "clips": len(clips)}


class _Objective(nn.Module):
    """A model and its objective as one module; its call returns the loss and the figures."""

    def __init__(self, model: nn.Module, objective: Objective) -> None:
        super().__init__()
        self.model = model
        self.objective = objective

    def forward(self, clips: Tensor, labels: Tensor) -> tuple[Tensor, Mapping[str, Tensor]]:
        return self.objective(self.model, clips, labels)


class _Means:
    """Means over clips, gathered batch by batch without waiting for the device."""

    def __init__(self) -> None:
        self.count = 0
        self.sums: dict[str, Tensor] = {}

    def add(self, count: int, **means: Tensor) -> None:
        self.count += count
        for name, mean in means.items():
            self.sums[name] = self.sums.get(name, 0.0) + mean.detach().double() * count

    def text(self) -> str:
        return "  ".join(f"{name} {float(x) / self.count:.3f}" for name, x in self.sums.items())

    def reduced(self, fabric: "Fabric") -> Row:
        """Return the means over the clips of all devices."""
        sums = torch.stack([*self.sums.values()])
        totals = fabric.all_reduce(
            torch.cat((sums, sums.new_tensor([self.count]))), reduce_op="sum"
        )
        assert isinstance(totals, Tensor)
        means = (totals[:-1] / totals[-1]).tolist()
        return dict(zip(self.sums, means, strict=True))


def _refuse_divergence(row: Row, config: TrainingConfig) -> None:
    for name in ("loss", "val_loss"):
        if not math.isfinite(row.get(name, 0.0)):
            raise ModelsError(
                f"the {name} of epoch {row['epoch']} is {row[name]}; lower learning_rate "
                f"({config.learning_rate:g}) or use precision 32-true"
            )


def _refuse_notebook(config: TrainingConfig) -> None:
    """Refuse several devices where there is no script that could be run again in each of them."""
    if config.devices > 1 and hasattr(sys, "ps1"):  # as Lightning tells
        raise ModelsError(
            f"devices is {config.devices}: a notebook or prompt trains on one; use devices=1, or "
            "train from a script or with the fadeline command"
        )


def _fabric(config: TrainingConfig) -> "Fabric":
    try:
        from lightning.fabric import Fabric
    except ImportError as error:
        raise ModelsError(
            "training needs lightning, which is not installed; run: pip install 'fadeline[train]'"
        ) from error
    _refuse_notebook(config)
    # Lightning announces the precision, which the user has just chosen, through either logger.
    loggers = [logging.getLogger(f"lightning.{part}") for part in ("fabric", "pytorch")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        return Fabric(
            accelerator=config.accelerator,
            devices=config.devices,
            strategy="ddp" if config.devices > 1 else "auto",
            precision=config.precision,
        )
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Return trainable parameters, with weight decay for those that multiply features."""
    decayed = {
        id(module.weight)
        for module in model.modules()
        if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d | nn.ConvTranspose2d)
    }
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return [
        {"params": [p for p in trained if id(p) in decayed], "weight_decay": weight_decay},
        {"params": [p for p in trained if id(p) not in decayed], "weight_decay": 0.0},
    ]


def _seed(*parts: int) -> int:
    """Return a seed of its own for these numbers."""
    return int(
        np.random.SeedSequence(parts[0], spawn_key=parts[1:]).generate_state(1, np.uint64)[0]
    )


def _write_csv(rows: list[Row], path: Path) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    with complete_or_absent(path) as partial, partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)
