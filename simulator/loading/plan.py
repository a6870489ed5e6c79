"""A plan: a scenario with every point of its sweep, each checked once; all that workers need."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fadeline.simulator.scenario.scenario import Scenario


@dataclass(frozen=True)
class PlanPoint:
    """One point of a sweep.

    Attributes:
        number: Place in the sweep, from 0.
        swept: Value of each swept path.
        scenario: With those values, and without a sweep.
        columns: The values as columns can hold them: numbers if all of a path are, else text.
    """

    number: int
    swept: dict[str, Any]
    scenario: Scenario
    columns: dict[str, float | str]


@dataclass(frozen=True)
class WorkItem:
    """One replication at one point of a sweep, with all schemes.

    Attributes:
        point: Of the plan.
        replication: Number of the replication, from 0.
    """

    point: PlanPoint
    replication: int

    @property
    def key(self) -> tuple[int, int]:
        """Numbers of point and replication."""
        return self.point.number, self.replication


@dataclass(frozen=True, eq=False)
class Plan:
    """A checked scenario and every point of its sweep; nobody checks again, or reads a YAML.

    Two plans are equal if their scenarios are.

    Attributes:
        scenario: As it was given, with its sweep.
        points: In order; a single one without a sweep.
    """

    scenario: Scenario
    points: tuple[PlanPoint, ...]

    @cached_property
    def text(self) -> str:
        """The scenario in full, as JSON."""
        return self.scenario.model_dump_json()

    def items(self, first: int, last: int) -> Iterator[WorkItem]:
        """Yield the work of replications from `first` to before `last`, point by point."""
        for point in self.points:
            for replication in range(first, last):
                yield WorkItem(point, replication)

    def __eq__(self, other: object) -> bool:
        """Return whether another plan is of an equal scenario."""
        return isinstance(other, Plan) and self.text == other.text

    def __hash__(self) -> int:
        """Return a hash of the scenario."""
        return hash(self.text)
