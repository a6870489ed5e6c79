"""YAML texts as plain data: which values are read, and as what."""

import math

import pytest

from fadeline.simulator.documents.document import parse_mapping


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e6", 1e6),
        ("1.0e6", 1e6),
        ("5.", 5.0),
        (".5", 0.5),
        ("-1", -1),
        ("1_000", 1000),
        ("0x10", 16),
        ("0o17", 15),
        ("017", 17),  # YAML 1.1 reads an octal number
        ("1:30", "1:30"),  # YAML 1.1 reads 90
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("'5'", "5"),
        ("'null'", "null"),
        ("2020-01-01", "2020-01-01"),
        (".inf", math.inf),
        ("-.Inf", -math.inf),
        ("nan", "nan"),
        ("é", "é"),
    ],
)
def test_plain_values_follow_yaml_1_2(text, value):
    found = parse_mapping(f"a: {text}", "").data["a"]
    assert found == value
    assert type(found) is type(value)


def test_not_a_number_is_read_as_such():
    assert math.isnan(parse_mapping("a: .nan", "").data["a"])
