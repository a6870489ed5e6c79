"""A run in Python: from a scenario to its results, and on to figures and a folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from fadeline.simulator.analysis.closed_form import closed_form
from fadeline.simulator.analysis.results import Results, evaluated
from fadeline.simulator.analysis.verdict import verdict
from fadeline.simulator.errors import FadelineError
from fadeline.simulator.experiment import files
from fadeline.simulator.experiment.measure import measure_missing
from fadeline.simulator.experiment.replicate import Progress, run_plan
from fadeline.simulator.loading.catalogue import refuse_unbuilt_run
from fadeline.simulator.loading.load import (
    load_plan,
    plain_data,
    plan_from_dict,
    plan_of,
)
from fadeline.simulator.loading.plan import Plan
from fadeline.simulator.scenario.scenario import Scenario
from fadeline.simulator.schemes.prepare import prepared_schemes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Source = str | Path | Mapping[str, Any] | Scenario | Plan
"""A shipped name, a YAML file, a mapping with the same keys, or what was made of one."""


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
        plan: What was run.
        clips: A row for each clip and scheme: the columns of `clips.parquet`.
        results: What the clips say, in five tables; each is an attribute of the run, too.
        live: Whether the networks answered every clip.
        name: By which it is told from others in a comparison.
    """

    plan: Plan
    clips: pd.DataFrame = field(repr=False)
    results: Results = field(repr=False)
    live: bool = False
    name: str = ""

    @property
    def scenario(self) -> Scenario:
        """What was run, with its sweep."""
        return self.plan.scenario

    @property
    def accuracy(self) -> pd.DataFrame:
        """Accuracy and reliability at each deadline, with intervals: the columns of accuracy.csv.

        Sweep columns, scheme, deadline_s, accuracy, accuracy_lo, accuracy_hi and so on.
        """
        return self.results.accuracy

    @property
    def paired(self) -> pd.DataFrame:
        """Difference in accuracy to the baseline at each deadline, with paired intervals."""
        return self.results.paired

    @property
    def misses(self) -> pd.DataFrame:
        """Share of clips that miss each deadline, by the stage they were in then."""
        return self.results.misses

    @property
    def stages(self) -> pd.DataFrame:
        """Mean time in each stage, seconds."""
        return self.results.stages

    @property
    def summary(self) -> pd.DataFrame:
        """Latencies, goodput and energy of each scheme."""
        return self.results.summary

    @cached_property
    def verdict(self) -> list[str]:
        """What the run says at the deadline fixed beforehand, a line for each scheme."""
        return verdict(self.scenario, self.results)

    @cached_property
    def theory(self) -> pd.DataFrame | None:
        """Curves in closed form: scheme, deadline_s, accuracy; None where there are none."""
        if self.scenario.sweep:
            return None
        return closed_form(self.scenario, prepared_schemes(self.scenario))

    def figures(self) -> "dict[str, Figure]":
        """Return all figures by their names, the main one first."""
        from fadeline.simulator.figures.run_set import run_figures

        return run_figures(self.scenario, self.results, self.theory)

    def figure(self) -> "Figure":
        """Return the main figure: accuracy against deadline, or against what is swept."""
        return next(iter(self.figures().values()))

    def save(self, folder: str | Path, *, force: bool = False) -> Path:
        """Leave everything in a folder, as `fadeline run` does; return it.

        Args:
            folder: Made if it is not there.
            force: Write over what it holds.

        Raises:
            OutputError: If it holds files and `force` is not set, or cannot be written.
        """
        from fadeline.simulator.experiment.run_folder import prepare_run, save_run

        prepare_run(Path(folder), resume=False, force=force)
        save_run(self, Path(folder))
        return Path(folder)

    def _repr_html_(self) -> str:
        """Return figure and verdict, for a notebook."""
        from fadeline.simulator.figures.card import run_card

        return run_card(self.verdict, self.figure())


def run(
    source: Source,
    *,
    set: Mapping[str, Any] | None = None,  # noqa: A002 - the command's option
    workers: int = 1,
    live: bool = False,
    progress: Progress | None = None,
) -> Run:
    """Run a scenario; nothing is printed or written, but for outcome tables that are missing.

    Args:
        source: A shipped name, a YAML file, a mapping with the same keys, or a `Scenario`.
        set: Values to change, by dotted path, checked like the rest; None removes a key.
        workers: Processes; works in scripts without a main guard, in notebooks and threads.
        live: Let the networks encode and answer every clip, instead of reading outcome tables.
        progress: Called with the work items done and planned.

    Raises:
        ScenarioError: With every fault found in the scenario.
        NotBuiltError: If this version cannot run it.
        FadelineError: If outcomes are unusable, or no clip is counted.

    Example:
        >>> short = {"replications": 2, "duration_s": 4}
        >>> found = run("rayleigh", set=short | {"channel.mean_snr_db": 5})
        >>> sorted(found.accuracy.columns)[:3]
        ['accuracy', 'accuracy_band_hi', 'accuracy_band_lo']
    """
    plan = plan_for(source, set)
    refuse_unbuilt_run(plan.scenario)
    measure_missing(plan)
    return finished(plan, run_plan(plan, workers=workers, live=live, progress=progress), live=live)


def sweep(
    source: Source, grid: Mapping[str, Sequence[Any]], *, workers: int = 1, **options: Any
) -> Run:
    """Run a scenario at every combination of some values.

    Args:
        source: As of `run`.
        grid: Values to try, by dotted path; they replace the scenario's own sweep.
        workers: As of `run`.
        **options: As of `run`.

    Raises:
        ScenarioError: If a value does not fit.

    Example:
        >>> grid = {"channel.mean_snr_db": [0, 20]}
        >>> found = sweep("rayleigh", grid, set={"replications": 2, "duration_s": 4})
        >>> found.summary["channel.mean_snr_db"].unique().tolist()
        [0.0, 20.0]
    """
    changes = {**(options.pop("set", None) or {}), "sweep": dict(grid)}
    return run(source, set=changes, workers=workers, **options)


def load_run(folder: str | Path) -> Run:
    """Return the run in a folder, as it was.

    Raises:
        FadelineError: If the folder holds no finished run.
    """
    folder = Path(folder)
    manifest = files.read_manifest(folder)
    scenario = stored_scenario(manifest)
    try:
        plan = plan_of(scenario)
    except FadelineError:  # files that it names may be gone by now
        plan = Plan(scenario, ())
    clips, results = files.read_clips(folder), files.read_results(folder)
    name = folder.resolve().name
    return Run(plan, clips, results, live=manifest.get("live", False), name=name)


def compare(*runs: Run) -> pd.DataFrame:
    """Return the accuracy of several runs in one table, schemes named after run and scheme.

    Args:
        *runs: Of one scenario each, without a sweep.

    Raises:
        FadelineError: If one has a sweep, or two have the same name.
    """
    from fadeline.simulator.experiment.comparison import compared

    return compared([(each.name or each.scenario.name, each) for each in runs])


def plan_for(source: Source, set_values: Mapping[str, Any] | None = None) -> Plan:
    """Return the plan of a source with values changed.

    Raises:
        ScenarioError: With every fault found.
    """
    if isinstance(source, Plan) and not set_values:
        return source
    if isinstance(source, Plan | Scenario):
        scenario = source.scenario if isinstance(source, Plan) else source
        return plan_from_dict(plain_data(scenario), set_values=set_values or {})
    if isinstance(source, Mapping):
        return plan_from_dict(source, set_values=set_values or {})
    return load_plan(source, set_values=set_values or {})


def finished(plan: Plan, clips: pd.DataFrame, *, live: bool) -> Run:
    """Return a run whose clips are there.

    Raises:
        FadelineError: If no clip is counted.
    """
    return Run(plan, clips, evaluated(plan, clips), live, plan.scenario.name)


def stored_scenario(manifest: Mapping[str, Any]) -> Scenario:
    """Return the scenario of a finished run; the files that it names may be gone."""
    return Scenario.model_validate(manifest["scenario"])
