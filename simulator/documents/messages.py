"""Validation errors in the user's words: what was given, what is allowed, what was meant."""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from fadeline.simulator.errors import Fault, Path

_WRONG_TYPE = {
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "string_type": "a text",
    "tuple_type": "a list",
    "finite_number": "a finite number",
}
_BOUND = {
    "greater_than": ("gt", "greater than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}


def worded(error: ValidationError, data: Any, *, model: type[BaseModel]) -> Iterator[Fault]:
    """Yield path and message of each fault in a validation error.

    Args:
        error: Error of validating `data`.
        data: What was validated.
        model: What it was validated as.
    """
    for detail in error.errors(include_url=False):
        location = detail["loc"]
        path = visible_path(data, location)
        kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
        if kind == "extra_forbidden":
            yield path, _unknown_key(location, model)
        elif kind == "missing":
            yield path, "missing; it must be given"
        elif kind in ("union_tag_invalid", "union_tag_not_found"):
            yield _wrong_kind(path, given, context, _models_at(location, model))
        elif kind in _WRONG_TYPE:
            yield path, f"must be {_WRONG_TYPE[kind]}, got {shown(given)}"
        elif kind in _BOUND:
            key, words = _BOUND[kind]
            yield path, f"must be {words} {context[key]:g}, got {shown(given)}"
        elif kind == "literal_error":
            allowed = [str(a) for a in _literals(context["expected"])]
            yield path, not_among(given, allowed)
        elif kind in ("too_short", "string_too_short"):
            if not given:  # else it only lacks the items that are at fault themselves
                yield path, "must not be empty"
        elif kind == "string_pattern_mismatch":
            yield path, f"{shown(given)} does not have the form {context['pattern']}"
        else:
            yield path, f"{detail['msg'][0].lower()}{detail['msg'][1:]}, got {shown(given)}"


def visible_path(data: Any, location: Sequence[str | int]) -> Path:
    """Return a location as it stands in the data.

    Validation adds a part for the kind chosen in a union, and treats a single mapping of devices
    as a list of one; both are left out.
    """
    path: list[str | int] = []
    for position, part in enumerate(location):
        last = position == len(location) - 1
        if isinstance(data, dict):
            if isinstance(part, int) or (part not in data and not last):
                continue
            path.append(part)
            data = data.get(part)
        elif isinstance(data, list | tuple):
            if not isinstance(part, int) or not part < len(data):
                continue
            path.append(part)
            data = data[part]
    return tuple(path)


def shown(value: Any) -> str:
    """Return a value as a scenario would spell it, shortened."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "an empty list" if not value else "a list"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def nearest(given: str, allowed: Iterable[str]) -> str:
    """Return "; did you mean X?" for the nearest allowed word, or nothing if none is near."""
    close = difflib.get_close_matches(given, list(allowed), n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else ""


def not_among(given: Any, allowed: Sequence[str]) -> str:
    """Return the message for a word that is none of those allowed."""
    hint = nearest(given, allowed) if isinstance(given, str) else ""
    return f"must be one of {', '.join(allowed)}; got {shown(given)}{hint}"


def _unknown_key(location: Sequence[str | int], root: type[BaseModel]) -> str:
    parents = _models_at(location[:-1], root)
    allowed = sorted({name for parent in parents for name in parent.model_fields})
    return f"unknown key{nearest(str(location[-1]), allowed)} (allowed: {', '.join(allowed)})"


def _wrong_kind(
    path: Path, given: Any, context: dict[str, Any], models: Sequence[type[BaseModel]]
) -> Fault:
    key = "codec" if any("codec" in model.model_fields for model in models) else "kind"
    allowed = [kind for model in models for kind in _kinds(model, key)]
    if isinstance(given, dict) and allowed:
        if key not in given:
            return (*path, key), f"missing; it must be one of {', '.join(allowed)}"
        return (*path, key), not_among(given[key], allowed)
    shapes = {"map": "a mapping", "text": "a text", "list": "a list", "number": "a number"}
    if "expected_tags" in context:
        tags = _literals(context["expected_tags"])
        wanted = " or ".join(shapes.get(str(tag), str(tag)) for tag in tags)
    else:
        ending = f"; give one with {key}: {' or '.join(allowed)}"
        return path, f"must be a mapping, got {shown(given)}{ending}"
    return path, f"must be {wanted}, got {shown(given)}"


def _literals(text: str) -> list[str]:
    """Return the words of a list such as "'a', 'b' or 'c'"."""
    return [word.strip(" '") for word in text.replace(" or ", ", ").split(",")]


def _models_at(location: Sequence[str | int], root: type[BaseModel]) -> list[type[BaseModel]]:
    """Return the parts of a model whose keys may stand at a location."""
    models: list[type[BaseModel]] = [root]
    for part in location:
        fields = [m.model_fields[part] for m in models if part in m.model_fields]
        if fields:
            models = [
                model
                for field in fields
                for model in _models_in((field.annotation, *field.metadata))
            ]
        else:
            chosen = [
                m
                for m in models
                if part in _kinds(m, "kind") + _kinds(m, "codec") or part == getattr(m, "tag", "")
            ]
            models = chosen or models
    return models


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """Return the models in a type annotation, without going into their fields."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    parts = annotation if isinstance(annotation, tuple) else get_args(annotation)
    if get_origin(annotation) is Annotated:
        parts = parts[:1]
    return [model for part in parts for model in _models_in(part)]


def _kinds(model: type[BaseModel], key: str) -> list[str]:
    field = model.model_fields.get(key)
    listed = getattr(model, "kinds", None)
    if key == "codec" and listed is not None:
        return [str(kind) for kind in listed()]
    return [str(kind) for kind in get_args(field.annotation)] if field is not None else []
