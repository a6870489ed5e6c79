"""Which deadlines a run is asked for, and which of them are acted on."""

from fadeline.simulator.scenario.scenario import Scenario

SAME_S = 1e-9
"""Times no further apart than this are the same: sums of times round (our choice)."""

MOST_ACTED = 12
"""Deadlines that a component acting on them is simulated for, at most (our choice)."""


def reported_deadlines_s(scenario: Scenario) -> list[float]:
    """Return the deadlines of a scenario with that of the verdict, ascending."""
    report_at_s = scenario.report_at_s
    others = [at for at in scenario.deadline_values_s if abs(at - report_at_s) > SAME_S]
    return sorted([*others, report_at_s])


def acts_on_deadline(scenario: Scenario) -> bool:
    """Return whether any component reads the deadline, so that each is a world of its own."""
    policies = [getattr(scheme, "policy", None) for scheme in scenario.schemes]
    return (
        scenario.edge.queue.drop_expired
        or any(group.queue.drop_expired for group in scenario.devices)
        or any(policy is not None and policy.reads_deadline for policy in policies)
    )


def acted_deadlines_s(scenario: Scenario) -> list[float | None]:
    """Return the deadlines that are simulated one by one; a single None if nobody acts on them.

    All of them, or else evenly chosen ones and that of the verdict.
    """
    if not acts_on_deadline(scenario):
        return [None]
    every = reported_deadlines_s(scenario)
    if len(every) <= MOST_ACTED:
        return list(every)
    last, count = len(every) - 1, MOST_ACTED - 1
    chosen = {round(last * k / (count - 1)) for k in range(count)}
    return [*sorted({scenario.report_at_s, *(every[number] for number in chosen)})]
