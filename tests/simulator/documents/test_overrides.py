"""Children laid over parents, values set by path, and what is known of where they come from."""

import pytest

from fadeline.simulator.documents.document import Document, parse_mapping
from fadeline.simulator.documents.overrides import merge, set_value, without


@pytest.mark.parametrize(
    ("parent", "child", "merged"),
    [
        ("a: {b: 1, c: 2}", "a: {b: 3}", {"a": {"b": 3, "c": 2}}),
        ("a: [1, 2]", "a: [3]", {"a": [3]}),
        ("a: {b: 1, c: 2}", "a: {b: null}", {"a": {"c": 2}}),
        ("a: {b: 1}", "a: {x: null}", {"a": {"b": 1, "x": None}}),
        ("a: {b: 1}", "a: 5", {"a": 5}),
        ("a: 5", "a: {b: 1}", {"a": {"b": 1}}),
        ("a: {kind: x, b: 1}", "a: {kind: x, c: 2}", {"a": {"kind": "x", "b": 1, "c": 2}}),
        ("a: {kind: x, b: 1}", "a: {c: 2}", {"a": {"kind": "x", "b": 1, "c": 2}}),
        ("a: {kind: x, b: 1}", "a: {kind: y, c: 2}", {"a": {"kind": "y", "c": 2}}),
        ("a: {b: 1}", "a: {kind: y}", {"a": {"kind": "y"}}),
        ("a: {codec: x, b: 1}", "a: {codec: y}", {"a": {"codec": "y"}}),
    ],
    ids=[
        "mappings-merge",
        "lists-replace",
        "null-removes",
        "null-without-target-stays",
        "value-replaces-mapping",
        "mapping-replaces-value",
        "same-kind-merges",
        "kind-left-out-merges",
        "other-kind-replaces",
        "first-kind-replaces",
        "other-codec-replaces",
    ],
)
def test_merging(parent, child, merged):
    above, below = parse_mapping(parent, "above"), parse_mapping(child, "below")
    assert merge(above, below).data == merged
    assert above.data == parse_mapping(parent, "").data  # neither is changed
    assert below.data == parse_mapping(child, "").data


def test_a_merged_document_knows_where_each_value_was_written():
    above = parse_mapping("a: 1\nb:\n  c: 2\n  d: 3\n", "above.yaml")
    below = parse_mapping("b:\n  d: 4\n", "below.yaml")
    merged = merge(above, below)
    assert merged.place_of(("a",)) == "above.yaml:1"
    assert merged.place_of(("b", "c")) == "above.yaml:3"
    assert merged.place_of(("b", "d")) == "below.yaml:2"
    assert merged.place_of(("x",)) == "below.yaml:1"


def test_setting_a_value_leaves_the_document_as_it_was():
    text = "a:\n- b: 1\n- b: 2\n"
    document = parse_mapping(text, "f")
    changed = set_value(document, "a.*.c.d", [5], {(): "--set"})
    assert changed.data == {"a": [{"b": 1, "c": {"d": [5]}}, {"b": 2, "c": {"d": [5]}}]}
    assert changed.place_of(("a", 1, "c", "d", 0)) == "--set"
    assert changed.place_of(("a", 1, "b")) == "f:3"
    assert document == parse_mapping(text, "f")


@pytest.mark.parametrize(
    ("parent", "child", "merged"),
    [
        ("mean_snr_db: 3", "geometry: {distance_m: 5}", {"geometry": {"distance_m": 5}}),
        ("geometry: {distance_m: 5}", "mean_snr_db: 3", {"mean_snr_db": 3}),
        ("mean_snr_db: 3", "geometry: null", {"mean_snr_db": 3, "geometry": None}),
        ("share: 0.5", "slowdown: 4", {"slowdown": 4}),
        ("a: 1", "{mean_snr_db: 3, geometry: {}}", {"a": 1, "mean_snr_db": 3, "geometry": {}}),
    ],
)
def test_a_key_replaces_another_that_says_the_same(parent, child, merged):
    above, below = parse_mapping(parent, "above"), parse_mapping(child, "below")
    assert merge(above, below).data == merged


def test_a_value_set_by_path_replaces_another_that_says_the_same():
    document = parse_mapping("channel: {geometry: {distance_m: 5}}", "f")
    changed = set_value(document, "channel.mean_snr_db", 3, {(): "--set"})
    assert changed.data == {"channel": {"mean_snr_db": 3}}
    kept = set_value(document, "channel.mean_snr_db", None, {(): "--set"})
    assert kept.data["channel"]["geometry"] == {"distance_m": 5}


def test_a_document_knows_what_was_laid_over_what():
    low = parse_mapping("a: 1\nb: {c: 2}\n", "low.yaml")
    middle = merge(low, parse_mapping("name: x\na: 3\n", "middle.yaml"), extends="middle.yaml:9")
    changed = set_value(middle, "b.c", 4, {(): "--set b.c"})
    changed = set_value(changed, "d", {"e": [5]}, {(): "--set d"})
    first, second = changed.layers
    assert (first.extends, second.extends) == ("middle.yaml:9", "")
    assert first.places == {("name",): "middle.yaml:1", ("a",): "middle.yaml:2"}
    assert second.places == {
        ("b", "c"): "--set b.c",
        ("d",): "--set d",
        ("d", "e"): "--set d",
        ("d", "e", 0): "--set d",
    }
    assert low.layers == ()


def test_keys_are_taken_out_of_a_copy():
    document = parse_mapping("a: [{b: 1, c: {d: 2}}]\n", "f")
    fewer = without(document, [("a", 0, "c")])
    assert fewer.data == {"a": [{"b": 1}]}
    assert ("a", 0, "c", "d") not in fewer.places
    assert document == parse_mapping("a: [{b: 1, c: {d: 2}}]\n", "f")
    assert isinstance(fewer, Document)
