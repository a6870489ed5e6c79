"""Outcome tables that a run needs and nobody has measured yet."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from fadeline.simulator.experiment.replicate import Progress
from fadeline.simulator.loading.plan import Plan
from fadeline.simulator.schemes.outcome_tables import (
    UnmeasuredError,
    measure_table,
    outcome_table,
)
from fadeline.simulator.schemes.wanted import wanted_tables

Shown = Callable[[str], AbstractContextManager[Progress | None]]
"""From what is being done to where its progress is told."""


def measure_missing(
    plan: Plan,
    *,
    shown: Shown = lambda _: nullcontext(None),
    log: Callable[[str], None] | None = None,
) -> None:
    """Measure what the networks do to a plan's clips, unless that is known already.

    Args:
        plan: What is to be run.
        shown: Gives, for what is measured, the progress to call.
        log: Called with a line on each thing that the user should know.

    Raises:
        ModelsError: If weights are missing, or clips cannot be opened.
    """
    for wanted in wanted_tables(plan):
        try:
            outcome_table(wanted, otherwise="")
        except UnmeasuredError as error:
            if error.changed and log is not None:
                log(f"{wanted.data}: {error.changed}; measuring it anew")
            names = ", ".join(codec.codec for codec in wanted.codecs) or "the classifier"
            with shown(f"measuring {names} on {wanted.data}") as progress:
                measure_table(wanted, progress=progress, log=log)
