"""Validation errors in the user's words, for models of any kind."""

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fadeline.simulator.documents.messages import nearest, not_among, shown, visible_path, worded


class Round(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    kind: Literal["round"]
    radius_m: float = Field(gt=0)


class Square(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    kind: Literal["square"]
    side_m: float


class Drawing(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    shape: Annotated[Round | Square, Field(discriminator="kind")]
    title: str = "none"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, [(("shape",), "missing; it must be given")]),
        (
            {"shape": {"kind": "rund"}},
            [(("shape", "kind"), "must be one of round, square; got 'rund'; did you mean round?")],
        ),
        (
            {"shape": {"kind": "round", "radius_m": -1.0}},
            [(("shape", "radius_m"), "must be greater than 0, got -1.0")],
        ),
        (
            {"shape": {"kind": "round", "radius": 1.0, "radius_m": 1.0}},
            [
                (
                    ("shape", "radius"),
                    "unknown key; did you mean radius_m? (allowed: kind, radius_m)",
                )
            ],
        ),
        (
            {"shape": {"kind": "square", "side_m": 1.0}, "title": [1]},
            [(("title",), "must be a text, got a list")],
        ),
    ],
)
def test_faults_of_any_model_are_worded(data, expected):
    with pytest.raises(ValidationError) as error:
        Drawing.model_validate(data)
    assert list(worded(error.value, data, model=Drawing)) == expected


def test_the_parts_that_validation_adds_are_left_out():
    data = {"shape": {"kind": "round"}}
    assert visible_path(data, ("shape", "round", "radius_m")) == ("shape", "radius_m")


def test_words():
    assert nearest("leng", ["length", "width"]) == "; did you mean length?"
    assert nearest("xyz", ["length", "width"]) == ""
    assert not_among(5, ["a", "b"]) == "must be one of a, b; got 5"
    values: list[object] = [None, True, {}, [], [1]]
    assert [shown(value) for value in values] == [
        "nothing", "true", "a mapping", "an empty list", "a list",
    ]  # fmt: skip
