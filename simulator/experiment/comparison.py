"""Runs side by side."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import pandas as pd

from fadeline.simulator.errors import FadelineError
from fadeline.simulator.experiment.files import read_manifest, read_results
from fadeline.simulator.scenario.scenario import Scenario


class Compared(Protocol):
    """What is known of a run that is compared."""

    @property
    def scenario(self) -> Scenario:
        """What was run."""

    @property
    def accuracy(self) -> pd.DataFrame:
        """Its accuracy at each deadline."""


def compared(runs: Sequence[tuple[str, Compared]]) -> pd.DataFrame:
    """Return the accuracy rows of runs, their schemes named after run and scheme.

    A column `report_at_s` says at which deadline each run reports.

    Args:
        runs: Each with its name.

    Raises:
        FadelineError: If two runs have the same name, or one has a sweep, whose curves are too many
            to lay over one another.
    """
    frames = []
    names = [name for name, _ in runs]
    for name, run in runs:
        if run.scenario.sweep:
            raise FadelineError(f"{name}: is a sweep; compare runs without one")
        if names.count(name) > 1:
            raise FadelineError(f"{name}: another run is named {name} too; rename one of them")
        labels = run.accuracy["scheme"].astype(str)
        if len(runs) > 1:
            labels = name + ": " + labels
        frames.append(run.accuracy.assign(scheme=labels, report_at_s=run.scenario.report_at_s))
    return pd.concat(frames, ignore_index=True)


class StoredRun:
    """A run in a folder, of which no more is read than is compared."""

    def __init__(self, folder: Path) -> None:
        self.scenario = Scenario.model_validate(read_manifest(folder)["scenario"])
        self.accuracy = read_results(folder).accuracy


def compared_folders(folders: Sequence[Path]) -> pd.DataFrame:
    """Return the accuracy rows of runs in folders, named after these; see `compared`.

    Raises:
        FadelineError: If a folder holds no finished run, or as `compared`.
    """
    return compared([(folder.resolve().name, StoredRun(folder)) for folder in folders])
