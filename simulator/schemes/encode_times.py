"""How long devices take to encode, in words: as measured, by the rule alone, over a range."""

from collections.abc import Iterator, Sequence

from fadeline.simulator.compute.profile import load_profile
from fadeline.simulator.scenario.scenario import Scenario
from fadeline.simulator.schemes.scheme import PreparedScheme


def encode_notes(scenario: Scenario, schemes: Sequence[PreparedScheme]) -> Iterator[str]:
    """Yield a line for each device group and scheme whose networks were measured.

    Args:
        scenario: Without a sweep.
        schemes: Its schemes.
    """
    for name, group in zip(scenario.group_names, scenario.devices, strict=True):
        rates = load_profile(group.profile).sustained_flops_per_s
        ranged = rates.low is not None and rates.high is not None
        for scheme in schemes:
            if scheme.encode_s is None:
                continue
            what = "answers in" if scheme.local else "encodes in"
            if scheme.streaming:
                what = "encodes frame by frame, in all"
            line = (
                f"{scheme.name}: {name} {what} {1e3 * scheme.encode_s(group, False):.1f} ms "
                f"({1e3 * scheme.encode_s(group, True):.1f} by the rule alone"
            )
            if ranged:
                fast_s, slow_s = (
                    scheme.encode_s(group.model_copy(update={"network_speed": end}), False)
                    for end in ("high", "low")
                )
                line += f"; {1e3 * fast_s:.1f} to {1e3 * slow_s:.1f} over the profile's range"
            yield line + ")"
