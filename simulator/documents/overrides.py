"""Changes to documents: values set by path, and a child document laid over its parent."""

from collections.abc import Collection, Iterator
from typing import Any

from fadeline.simulator.documents.document import MAX_DEPTH, Document, Layer
from fadeline.simulator.errors import Path, Problem, ScenarioError, dotted

SYNONYMS = {
    "share": "slowdown",
    "slowdown": "share",
    "mean_snr_db": "geometry",
    "geometry": "mean_snr_db",
}
"""Keys that say the same in two ways, so one that is set replaces the other."""


def set_value(document: Document, path: str, value: Any, places: dict[Path, str]) -> Document:
    """Return a copy of a document with one value, or the same in several list items, replaced.

    Args:
        document: Document that is left as it is.
        path: Dotted path; a number picks a list item, ``*`` every one. Missing mappings on the
            way are made. A value of None removes the key if it is there.
        value: New value.
        places: Where the value came from, by path relative to it.

    Raises:
        ScenarioError: If the path leads through something that has no parts.
    """
    new_data, new_places = _copy(document.data), dict(document.places)
    source = places.get((), "")
    # The keys of a sweep are dotted paths themselves.
    keys = path.split(".", 1) if path.startswith("sweep.") else path.split(".")
    if len(keys) > MAX_DEPTH:
        raise ScenarioError([Problem(source, "", f"a path of more than {MAX_DEPTH} parts")])
    given: dict[Path, str] = {}
    targets = list(_targets(new_data, keys, (), source))
    for container, key, at in targets:
        _forget(new_places, at)
        if value is None and isinstance(container, dict) and key in container:
            del container[key]
            continue
        container[key] = _copy(value)
        if isinstance(container, dict) and value is not None and SYNONYMS.get(key) in container:
            del container[SYNONYMS[key]]
            _forget(new_places, (*at[:-1], SYNONYMS[key]))
        new_places.update({(*at, *below): place for below, place in places.items()})
        given |= {(*at, *below): places.get(below, source) for below in _paths(value)}
        for length in range(1, len(at)):
            new_places.setdefault(at[:length], source)
    return Document(new_data, new_places, _with_values(document.layers, given))


def without(document: Document, paths: Collection[Path]) -> Document:
    """Return a copy of a document without the keys at some paths, none of which holds another."""
    data, places = _copy(document.data), dict(document.places)
    for path in paths:
        container = data
        for part in path[:-1]:
            container = container[part]
        del container[path[-1]]
        _forget(places, path)
    return Document(data, places, document.layers)


def _with_values(layers: tuple[Layer, ...], given: dict[Path, str]) -> tuple[Layer, ...]:
    """Return layers with values set by path on top; all that are set in a row are one layer."""
    if layers and not layers[-1].extends:
        return (*layers[:-1], Layer(layers[-1].places | given))
    return (*layers, Layer(given))


def _paths(value: Any) -> Iterator[Path]:
    """Yield the path of every value in a value, its own first."""
    yield ()
    parts = value.items() if isinstance(value, dict) else ()
    for key, part in enumerate(value) if isinstance(value, list) else parts:
        yield from ((key, *below) for below in _paths(part))


def _targets(
    container: Any, keys: list[str], above: Path, source: str
) -> Iterator[tuple[Any, Any, Path]]:
    """Yield container, key and path of each value that a dotted path means."""
    head, rest = keys[0], keys[1:]
    if not head:
        raise ScenarioError([Problem(source, dotted(above), "an empty part in the path")])
    if isinstance(container, dict) and head in ("0", "*") and rest:
        # A single mapping stands for a list of one, as `devices` does.
        yield from _targets(container, rest, above, source)
        return
    matching = _matching(container, head, above, source)
    if head == "*" and len(rest) == 1 and isinstance(container, list):
        # Only some codecs have a ratio, say: every item that has the key, or else every item.
        matching = [index for index in matching if _has(container[int(index)], rest[0])] or matching
    for key in matching:
        at = (*above, key)
        if not rest:
            yield container, key, at
            continue
        if isinstance(container, dict) and not isinstance(container.get(key), dict | list):
            if container.get(key) is not None:
                raise ScenarioError(
                    [Problem(source, dotted((*at, *rest)), f"{dotted(at)} is a single value")]
                )
            container[key] = {}
        yield from _targets(container[key], rest, at, source)


def _has(item: Any, key: str) -> bool:
    return isinstance(item, dict) and key in item


def _matching(container: Any, head: str, above: Path, source: str) -> list[str | int]:
    if isinstance(container, dict):
        return [head]
    if isinstance(container, list):
        if head == "*":
            return list(range(len(container)))
        if head.isdecimal() and int(head) < len(container):
            return [int(head)]
        raise ScenarioError(
            [
                Problem(
                    source,
                    dotted((*above, head)),
                    f"{dotted(above)} is a list of {len(container)}; use * for every item or a "
                    f"position from 0 to {len(container) - 1}",
                )
            ]
        )
    raise ScenarioError([Problem(source, dotted((*above, head)), f"{dotted(above)} has no parts")])


def merge(parent: Document, child: Document, *, extends: str = "") -> Document:
    """Return a parent document changed by a child, as JSON Merge Patch does (RFC 7396).

    Mappings merge key by key, anything else is replaced, and null removes a key. A mapping whose
    ``kind`` or ``codec`` changes is replaced as a whole, since its other keys belong to the old
    kind. Unlike there, a null with nothing to remove stays, so that a misspelt key is found.

    Args:
        parent: What is changed.
        child: What changes it.
        extends: Where the child names its parent; left out: its first line.
    """
    places = {path: place for path, place in parent.places.items() if path}
    data = _merge(parent.data, child.data, (), places, child.places)
    places[()] = child.place_of(())
    given = {path: place for path, place in child.places.items() if path}
    return Document(data, places, (*parent.layers, Layer(given, extends or places[()])))


def _merge(
    parent: dict[str, Any],
    patch: dict[str, Any],
    path: Path,
    places: dict[Path, str],
    patch_places: dict[Path, str],
) -> dict[str, Any]:
    merged: dict[str, Any] = _copy(parent)
    for key, value in patch.items():
        at = (*path, key)
        old = parent.get(key)
        if isinstance(value, dict) and isinstance(old, dict) and _same_kind(old, value):
            merged[key] = _merge(old, value, at, places, patch_places)
            continue
        _forget(places, at)
        if value is None and key in parent:
            del merged[key]
            continue
        merged[key] = _copy(value)
        other = SYNONYMS.get(key)
        if value is not None and other in merged and other not in patch:
            del merged[other]
            _forget(places, (*path, other))
        places.update({p: place for p, place in patch_places.items() if p[: len(at)] == at})
    return merged


def _same_kind(old: dict[str, Any], new: dict[str, Any]) -> bool:
    return all(tag not in new or new[tag] == old.get(tag) for tag in ("kind", "codec"))


def _forget(places: dict[Path, str], path: Path) -> None:
    for known in [known for known in places if known[: len(path)] == path]:
        del places[known]


def _copy(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _copy(value) for key, value in data.items()}
    return [_copy(value) for value in data] if isinstance(data, list) else data
