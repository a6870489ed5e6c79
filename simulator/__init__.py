"""The clock and the user's door: scenarios, the engine, metrics, figures and commands.

Example:
    >>> from fadeline.simulator import run
    >>> found = run("rayleigh", set={"replications": 2, "duration_s": 4}, workers=1)
    >>> found.verdict[0]
    'At a deadline of 100 ms:'
"""

if __name__ != "fadeline.simulator":
    raise ImportError("import fadeline.simulator, not simulator")

from importlib import import_module
from typing import TYPE_CHECKING, Any

from fadeline.simulator.errors import FadelineError, NotBuiltError, ScenarioError
from fadeline.simulator.loading.load import load_scenario, scenario_from_dict
from fadeline.simulator.scenario.scenario import Scenario
from fadeline.simulator.streams import Streams

if TYPE_CHECKING:
    from fadeline.simulator.experiment.run import Run, compare, load_run, run, sweep

__all__ = [
    "FadelineError",
    "NotBuiltError",
    "Run",
    "Scenario",
    "ScenarioError",
    "Streams",
    "compare",
    "load_run",
    "load_scenario",
    "run",
    "scenario_from_dict",
    "sweep",
]

_OF_RUNS = ("Run", "compare", "load_run", "run", "sweep")


def __getattr__(name: str) -> Any:
    # What runs need (pandas, scipy) is loaded when it is asked for.
    if name in _OF_RUNS:
        return getattr(import_module("fadeline.simulator.experiment.run"), name)
    raise AttributeError(f"module {__name__} has no attribute {name}")


def __dir__() -> list[str]:
    return __all__
