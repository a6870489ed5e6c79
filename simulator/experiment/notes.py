"""What the user should know of a plan before it is run."""

from fadeline.simulator.loading.plan import Plan
from fadeline.simulator.schemes.encode_times import encode_notes
from fadeline.simulator.schemes.prepare import prepared_schemes


def plan_notes(plan: Plan) -> list[str]:
    """Check that every point can run; return which operating points stand for ratios.

    Without a sweep, also how long devices encode. Points that differ in nothing that schemes read
    are looked at once.

    Raises:
        FadelineError: If outcomes are missing or unusable.
    """
    notes: dict[str, None] = {}
    seen: set[tuple[str, ...]] = set()
    for point in plan.points:
        here = point.scenario
        read = (here.clips.model_dump_json(), here.edge.model_dump_json(),
                *(scheme.model_dump_json() for scheme in here.schemes))  # fmt: skip
        if read in seen:
            continue
        seen.add(read)
        schemes = prepared_schemes(here)
        notes |= dict.fromkeys(note for scheme in schemes for note in scheme.notes)
        if not plan.scenario.sweep:
            notes |= dict.fromkeys(encode_notes(here, schemes))
    return list(notes)
