"""The schemes of a scenario, made ready for the clock."""

from collections.abc import Sequence
from pathlib import Path

from fadeline.models.measurement.outcomes import Outcomes
from fadeline.simulator.errors import FadelineError
from fadeline.simulator.scenario.edge import Edge
from fadeline.simulator.scenario.scenario import Scenario
from fadeline.simulator.scenario.scheme import (
    CodecScheme,
    ConstantScheme,
    Scheme,
    TableScheme,
    scheme_names,
)
from fadeline.simulator.schemes.codec_table import read_codec_table
from fadeline.simulator.schemes.constant import constant_scheme
from fadeline.simulator.schemes.learned import learned_scheme
from fadeline.simulator.schemes.outcome_tables import outcome_table
from fadeline.simulator.schemes.scheme import Live, PreparedScheme
from fadeline.simulator.schemes.table import table_scheme
from fadeline.simulator.schemes.uncoded import uncoded_scheme
from fadeline.simulator.schemes.wanted import WantedTable, wanted_table


def prepared_schemes(scenario: Scenario, *, live: bool = False) -> list[PreparedScheme]:
    """Return the schemes of a scenario, ready for the clock.

    Args:
        scenario: Without a sweep.
        live: Let the networks answer, not their tables.

    Raises:
        FadelineError: If outcomes are missing or unusable.
    """
    wanted = wanted_table(scenario)
    outcomes = None if wanted is None else measured_outcomes(wanted)
    networks = _networks(wanted) if live and wanted is not None else None
    _refuse_other_clips(scenario, outcomes)
    return [
        prepared(scheme, name, ratios, scenario.edge, outcomes, networks)
        for scheme in scenario.schemes
        for name, ratios in _named_ratios(scheme)
    ]


def prepared(
    scheme: Scheme,
    name: str,
    ratios: Sequence[float],
    edge: Edge,
    outcomes: Outcomes | None,
    live: Live | None = None,
) -> PreparedScheme:
    """Return one scheme, ready for the clock.

    Args:
        scheme: As the scenario has it.
        name: One of its names.
        ratios: The compression ratios behind that name; none where there is no codec.
        edge: The edge server.
        outcomes: What was measured of the clips; not needed for `constant` and `table`.
        live: Networks that outcomes come from instead; only times are then read.

    Raises:
        FadelineError: If no operating point was measured near a ratio, or a file is unusable.
    """
    if isinstance(scheme, ConstantScheme):
        return constant_scheme(scheme, name)
    if isinstance(scheme, TableScheme):
        return table_scheme(scheme, name)
    assert outcomes is not None
    if isinstance(scheme, CodecScheme):
        return learned_scheme(scheme, name, ratios, edge, outcomes, live)
    return uncoded_scheme(name, edge, outcomes, live, local=scheme.codec == "local")


def measured_outcomes(wanted: WantedTable) -> Outcomes:
    """Return the outcome table of some clips and networks.

    Raises:
        UnmeasuredError: If there is none.
        ModelsError: If clips or weights cannot be used.
    """
    return outcome_table(wanted, otherwise="fadeline run measures it, which takes minutes")


def _named_ratios(scheme: Scheme) -> list[tuple[str, Sequence[float]]]:
    """Return the name of each scheme that an entry stands for, and its ratios."""
    names = scheme_names(scheme)
    if not isinstance(scheme, CodecScheme):
        return [(name, ()) for name in names]
    if scheme.policy is not None:
        return [(names[0], scheme.policy.ratios)]
    assert scheme.ratio is not None
    ratios = scheme.ratio if isinstance(scheme.ratio, tuple) else (scheme.ratio,)
    return [(name, (ratio,)) for name, ratio in zip(names, ratios, strict=True)]


def _networks(wanted: WantedTable) -> Live:
    from fadeline.simulator.schemes.live import live_networks

    return live_networks(wanted)


def _refuse_other_clips(scenario: Scenario, outcomes: Outcomes | None) -> None:
    """Check that all tables are of the same clips, so that all schemes meet the same ones."""
    sets: dict[str, set[int]] = {}
    if outcomes is not None:
        sets[scenario.clips.data] = {*outcomes.rows["data_index"].astype(int)}
    for scheme in scenario.schemes:
        if isinstance(scheme, TableScheme):
            sets[scheme.file] = {*read_codec_table(Path(scheme.file))["data_index"].astype(int)}
    first, *others = sets or [""]
    for other in others:
        if missing := sorted(sets[first] ^ sets[other]):
            some = ", ".join(map(str, missing[:5]))
            raise FadelineError(
                f"{other}: is not of the same clips as {first}: {len(missing)} are in one only "
                f"(data_index {some}{', ...' if len(missing) > 5 else ''})"
            )
