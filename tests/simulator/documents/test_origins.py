"""Which line a broken rule is laid to, where the value at fault is inherited."""

import pytest

from fadeline.simulator.documents.document import parse_mapping
from fadeline.simulator.documents.origins import decided_anew, decides, giver, traced
from fadeline.simulator.documents.overrides import merge, set_value

PARENT = """\
duration_s: 9
warmup_s: 2
channel:
  fading: {kind: still}
  speed_m_s: 3
  rate: {kind: flat}
devices: {speed_m_s: 4}
"""


def child(text):
    return merge(
        parse_mapping(PARENT, "parent.yaml"), parse_mapping(text, "child.yaml"), extends="child:0"
    )


@pytest.mark.parametrize(
    ("text", "path", "message", "expected"),
    [
        (  # the message names what the child gives
            "channel: {}\nduration_s: 1",
            ("warmup_s",),
            "must be shorter than duration_s, 1",
            "child.yaml:2: warmup_s: must be shorter than duration_s, 1; warmup_s comes from "
            "parent.yaml:2",
        ),
        (  # the child chooses the kind that has no use for it
            "channel:\n  carrier_hz: 5\n  fading: {kind: moving}",
            ("channel", "speed_m_s"),
            "of no use",
            "child.yaml:3: channel.speed_m_s: of no use; speed_m_s comes from parent.yaml:5",
        ),
        (  # the child changes something beside it
            "channel:\n  sharing: equal",
            ("channel", "speed_m_s"),
            "wrong",
            "child.yaml:1: channel.speed_m_s: wrong; speed_m_s comes from parent.yaml:5",
        ),
        (  # the child changes something else
            "edge: {}",
            ("channel", "speed_m_s"),
            "wrong",
            "child:0: channel.speed_m_s: wrong; speed_m_s comes from parent.yaml:5",
        ),
        (  # the child only renames
            "name: x",
            ("channel", "speed_m_s"),
            "wrong",
            "parent.yaml:5: channel.speed_m_s: wrong",
        ),
        (  # the child gives it
            "channel: {speed_m_s: 7, fading: {kind: moving}}",
            ("channel", "speed_m_s"),
            "wrong",
            "child.yaml:1: channel.speed_m_s: wrong",
        ),
        (  # nobody gives it
            "channel:\n  fading: {kind: moving}",
            ("channel", "step_s"),
            "missing",
            "child.yaml:2: channel.step_s: missing",
        ),
        (  # the child took it away
            "channel:\n  fading: {kind: moving}\n  speed_m_s: null",
            ("channel", "speed_m_s"),
            "missing",
            "child.yaml:3: channel.speed_m_s: missing",
        ),
    ],
)
def test_the_line_that_broke_the_rule_comes_first(text, path, message, expected):
    assert str(traced(child(text), path, message)) == expected


def test_a_document_of_one_file_is_placed_as_it_is():
    document = parse_mapping(PARENT, "parent.yaml")
    assert str(traced(document, ("channel", "x"), "missing")) == "parent.yaml:3: channel.x: missing"
    assert not decides(document)


def test_an_option_comes_before_the_child_that_it_changes():
    document = set_value(
        child("channel:\n  fading: {kind: a}"), "channel.fading.kind", "b", {(): "--set f"}
    )
    assert str(traced(document, ("channel", "speed_m_s"), "wrong")).startswith("--set f: ")
    # An option that has nothing to do with it leaves the fault to the child.
    document = set_value(child("channel:\n  fading: {kind: a}"), "seed", 5, {(): "--set seed"})
    assert str(traced(document, ("channel", "speed_m_s"), "wrong")).startswith("child.yaml:2: ")


def test_only_a_later_layer_decides_anew():
    document = child("channel: {fading: {kind: a}, speed_m_s: 1}")
    assert giver(document, ("channel", "rate")) == -1
    assert decided_anew(document, ("channel", "rate"))
    assert decided_anew(document, ("devices", "speed_m_s"))  # who meet the cell's channel
    assert not decided_anew(document, ("channel", "speed_m_s"))
    assert not decided_anew(document, ("warmup_s",))
    assert not decided_anew(child("duration_s: 5"), ("channel", "rate"))
