"""How long devices encode, in words."""

from fadeline.simulator.experiment.notes import plan_notes
from fadeline.simulator.loading.load import load_plan, load_scenario
from fadeline.simulator.schemes.encode_times import encode_notes
from fadeline.simulator.schemes.prepare import prepared_schemes


def test_measured_and_by_the_rule_and_over_the_range():
    scenario = load_scenario("rayleigh")
    notes = {
        note.partition(":")[0]: note for note in encode_notes(scenario, prepared_schemes(scenario))
    }
    assert set(notes) == {
        "stae@104", "deepisc@104", "deepisc-task@104", "deepisc-streaming@104",
        "deepisc-task-streaming@104", "local",
    }  # fmt: skip
    assert notes["stae@104"] == (
        "stae@104: group-0 encodes in 34.9 ms (29.5 by the rule alone; 29.5 to 63.0 over the "
        "profile's range)"
    )
    assert "encodes frame by frame, in all 87.9 ms" in notes["deepisc-streaming@104"]
    assert "answers in 108.8 ms (108.8 by the rule alone" in notes["local"]


def test_a_profile_without_a_range_has_none():
    scenario = load_scenario("rayleigh", set_values=["devices.profile=jetson-nano"])
    assert not any("range" in note for note in encode_notes(scenario, prepared_schemes(scenario)))


def test_a_sweep_has_no_times_of_its_points():
    swept = load_plan("rayleigh", set_values=["sweep={devices.*.share: [0.5, 1.0]}"])
    assert not any("encodes" in note for note in plan_notes(swept))
    assert any("encodes" in note for note in plan_notes(load_plan("rayleigh")))
