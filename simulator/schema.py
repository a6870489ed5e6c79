"""JSON Schema of scenario files, for completion and checks in editors."""

from typing import Any

from fadeline.simulator.scenario import Scenario


def scenario_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a scenario file.

    A file that extends another may leave out what it inherits, so required keys are asked for only
    where `extends` is absent.
    """
    schema = Scenario.model_json_schema(mode="validation")
    required = schema.pop("required", [])
    schema["properties"]["extends"] = {
        "type": "string",
        "title": "Extends",
        "description": "Name of a shipped scenario or path of a YAML file to start from.",
    }
    schema["anyOf"] = [{"required": ["extends"]}, {"required": required}]
    properties = schema["properties"]
    properties["devices"] = _also(properties["devices"], {"$ref": "#/$defs/DeviceGroup"})
    properties["replications"] = _also(properties["replications"], {"const": "auto"})
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _also(schema: dict[str, Any], shorthand: dict[str, Any]) -> dict[str, Any]:
    """Return a property's schema that also accepts a shorthand."""
    outer: dict[str, Any] = {
        key: schema[key] for key in ("title", "description", "default") if key in schema
    }
    inner = {key: value for key, value in schema.items() if key not in outer}
    return {**outer, "anyOf": [shorthand, inner]}
