"""Runs side by side."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fadeline.simulator.errors import FadelineError
from fadeline.simulator.experiment.results import read_manifest, read_results


def compared(folders: Sequence[Path]) -> tuple[pd.DataFrame, float]:
    """Return the accuracy rows of runs, their schemes named after run and scheme.

    A column `report_at_s` says at which deadline each run reports; the first run's is returned too.

    Raises:
        FadelineError: If a folder holds no finished run, runs have the same name, or one has a
            sweep, whose curves are too many to lay over one another.
    """
    frames, first_s = [], 0.0
    names = [folder.resolve().name for folder in folders]
    for folder, name in zip(folders, names, strict=True):
        scenario = read_manifest(folder)["scenario"]
        if scenario.get("sweep"):
            raise FadelineError(f"{folder}: is a sweep; compare runs without one")
        if names.count(name) > 1:
            raise FadelineError(
                f"{folder}: another run's folder is named {name} too; rename one of them"
            )
        report_at_s = float(scenario.get("report_at_s", 0.05))
        first_s = first_s or report_at_s
        rows = read_results(folder).accuracy
        labels = rows["scheme"] if len(folders) == 1 else name + ": " + rows["scheme"].astype(str)
        frames.append(rows.assign(scheme=labels, report_at_s=report_at_s))
    return pd.concat(frames, ignore_index=True), first_s
