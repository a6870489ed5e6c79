"""The clock and the user's door: scenarios, the engine, metrics, figures and commands."""

if __name__ != "fadeline.simulator":
    raise ImportError("import fadeline.simulator, not simulator")

from fadeline.simulator.errors import FadelineError, NotBuiltError, ScenarioError
from fadeline.simulator.loading.load import load_scenario, scenario_from_dict
from fadeline.simulator.scenario.scenario import Scenario
from fadeline.simulator.streams import Streams

__all__ = [
    "FadelineError",
    "NotBuiltError",
    "Scenario",
    "ScenarioError",
    "Streams",
    "load_scenario",
    "scenario_from_dict",
]
