"""JSON Schema of scenario files, for completion and checks in editors."""

from typing import Any

from fadeline.simulator.scenario.scenario import Scenario


def scenario_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a scenario file.

    A file that extends another may leave out whatever it inherits, and remove it with null. It is
    therefore held to a second, looser set of definitions, whose names end in "Part".
    """
    whole = Scenario.model_json_schema(mode="validation")
    properties = whole["properties"]
    properties["devices"] = _also(properties["devices"], {"$ref": "#/$defs/DeviceGroup"})
    properties["replications"] = _also(properties["replications"], {"const": "auto"})
    definitions = {**whole.pop("$defs"), "Scenario": whole}
    parts = {f"{name}Part": _loosened(definition) for name, definition in definitions.items()}
    parts["ScenarioPart"]["properties"]["extends"] = {
        "type": "string",
        "title": "Extends",
        "description": "Name of a shipped scenario or path of a YAML file to start from.",
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Scenario",
        "type": "object",
        "if": {"required": ["extends"]},
        "then": {"$ref": "#/$defs/ScenarioPart"},
        "else": {"$ref": "#/$defs/Scenario"},
        "$defs": {**definitions, **parts},
    }


def _also(schema: dict[str, Any], shorthand: dict[str, Any]) -> dict[str, Any]:
    """Return a property's schema that also accepts a shorthand."""
    outer: dict[str, Any] = {
        key: schema[key] for key in ("title", "description", "default") if key in schema
    }
    inner = {key: value for key, value in schema.items() if key not in outer}
    return {**outer, "anyOf": [shorthand, inner]}


def _loosened(schema: Any) -> Any:
    """Return a schema in which keys may be missing or null, except in lists, which never merge."""
    if isinstance(schema, list):
        return [_loosened(part) for part in schema]
    if not isinstance(schema, dict) or schema.get("type") == "array":
        return schema
    loose = {
        # Without required keys more than one kind may fit, which oneOf would refuse.
        "anyOf" if key == "oneOf" else key: _loosened(value)
        for key, value in schema.items()
        if key not in ("required", "discriminator")
    }
    if "$ref" in loose:
        loose["$ref"] += "Part"
    if "properties" in loose:
        loose["properties"] = {
            name: _also(part, {"type": "null"}) for name, part in loose["properties"].items()
        }
    return loose
