"""YAML files as plain data that remembers where each value stands.

Only plain YAML 1.2 is read: mappings, lists and scalars. Everything that can run code, grow without
bound or surprise is refused: tags, directives, anchors and aliases, merge keys, duplicate keys,
several documents, deep nesting and large files.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from fadeline.simulator.errors import Path, Problem, ScenarioError

MAX_BYTES = 100_000
"""Largest scenario file (our choice): the shipped ones have a few kilobytes, and one this large is
read in a second or two."""

MAX_DEPTH = 20
"""Deepest nesting (our choice); the schema needs eight levels."""


@dataclass(frozen=True, slots=True)
class Layer:
    """What a child document, or values set by path, give over what they change.

    Attributes:
        places: File and line, or command-line option, of each path that is given.
        extends: File and line where the child names its parent; empty for values set by path.
    """

    places: dict[Path, str]
    extends: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """Plain data and where its values were written.

    Attributes:
        data: Mappings, lists, texts, numbers, booleans and None.
        places: File and line, or command-line option, of each path.
        layers: What was laid over the first document, in order.
    """

    data: dict[str, Any]
    places: dict[Path, str] = field(default_factory=dict)
    layers: tuple[Layer, ...] = ()

    def place_of(self, path: Path) -> str:
        """Return where a value, or else the nearest thing around it, was written."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.places:
                return self.places[path[:length]]
        return ""


def read_document(file: FilePath, *, what: str = "scenario") -> Document:
    """Read a scenario file, or another file of the same form.

    Args:
        file: YAML file.
        what: What the file should hold, for messages.

    Raises:
        ScenarioError: If it cannot be read, is not plain YAML or not a mapping.
    """
    return parse_mapping(_read_text(file, what), str(file), what=what)


def parse_mapping(text: str, source: str, *, what: str = "scenario") -> Document:
    """Return the document in a text that must hold one mapping.

    Args:
        text: YAML.
        source: Name of the file, for messages.
        what: What the file should hold, for messages.

    Raises:
        ScenarioError: If the text is not plain YAML or not a mapping.

    Example:
        >>> parse_mapping("a: {b: 1e6}", "demo.yaml").places
        {(): 'demo.yaml:1', ('a',): 'demo.yaml:1', ('a', 'b'): 'demo.yaml:1'}
    """
    places: dict[Path, str] = {}
    data = _Reader(source, places).read(text)
    if not isinstance(data, dict):
        given = "nothing" if data is None else f"a {_kind(data)}"
        raise _error(source, 1, f"a {what} is a mapping of keys to values; the file has {given}")
    return Document(data, places)


def parse_value(text: str, source: str) -> tuple[Any, dict[Path, str]]:
    """Return the value in a short text such as ``5`` or ``[1, 2]``, and its places.

    Raises:
        ScenarioError: If the text is not plain YAML.
    """
    places: dict[Path, str] = {(): source}
    value = _Reader(source, places, lines=False).read(text)
    return value, places


def is_file(path: FilePath) -> bool:
    """Return whether a path is a file; False too for a name that no file can have."""
    try:
        return path.is_file()
    except OSError:
        return False


def _read_text(file: FilePath, what: str) -> str:
    try:
        if file.is_dir():
            raise _error(str(file), None, f"is a folder, not a {what} file")
        with file.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise _error(str(file), None, f"cannot be read: {error.strerror}") from None
    if len(raw) > MAX_BYTES:
        raise _error(str(file), None, f"larger than {MAX_BYTES} bytes, too large for a {what}")
    if b"\0" in raw:
        raise _error(str(file), None, "is a binary file, not a YAML text")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise _error(str(file), line, "is not UTF-8 text") from None


class _Reader:
    """Builds plain data from YAML events, so that nothing is ever constructed by a tag."""

    def __init__(self, source: str, places: dict[Path, str], *, lines: bool = True) -> None:
        from ruamel.yaml import YAML

        self._yaml = YAML(typ="safe", pure=True)
        self._source = source
        self._places = places
        self._lines = lines

    def read(self, text: str) -> Any:
        from ruamel.yaml.error import MarkedYAMLError, YAMLError, YAMLStreamError

        try:
            return self._document(iter(self._yaml.parse(text)), text)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line if mark is not None else 0
            problem = " ".join(part for part in (error.context, error.problem) if part)
            raise self._fault(line, _explain(problem)) from None
        except (YAMLError, YAMLStreamError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            position = getattr(error, "position", None)
            line = None if position is None else text.count("\n", 0, position)
            raise self._fault(line, f"not valid YAML: {reason}") from None

    def _document(self, events: Iterator[Any], text: str) -> Any:
        from ruamel.yaml import events as kinds

        data: Any = None
        documents = 0
        for event in events:
            if isinstance(event, kinds.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._fault(event.start_mark.line, "holds more than one document (---)")
                for line, words in enumerate(text.split("\n")[: event.start_mark.line]):
                    if words.startswith("%"):
                        raise self._fault(line, "directives (%) are not allowed")
            elif not isinstance(
                event, kinds.StreamStartEvent | kinds.StreamEndEvent | kinds.DocumentEndEvent
            ):
                data = self._value(event, events, ())
        return data

    def _value(self, event: Any, events: Iterator[Any], path: Path) -> Any:
        from ruamel.yaml import events as kinds

        self._refuse_extras(event)
        self._places.setdefault(path, self._place(event.start_mark.line))
        if isinstance(event, kinds.ScalarEvent):
            return self._scalar(event)
        if len(path) >= MAX_DEPTH:
            raise self._fault(event.start_mark.line, f"nested more than {MAX_DEPTH} levels deep")
        if isinstance(event, kinds.SequenceStartEvent):
            items: list[Any] = []
            while not isinstance(event := next(events), kinds.SequenceEndEvent):
                items.append(self._value(event, events, (*path, len(items))))
            return items
        mapping: dict[str, Any] = {}
        while not isinstance(event := next(events), kinds.MappingEndEvent):
            key = self._key(event, mapping)
            self._places[(*path, key)] = self._place(event.start_mark.line)
            mapping[key] = self._value(next(events), events, (*path, key))
        return mapping

    def _key(self, event: Any, mapping: dict[str, Any]) -> str:
        from ruamel.yaml import events as kinds

        line = event.start_mark.line
        self._refuse_extras(event)
        key = self._scalar(event) if isinstance(event, kinds.ScalarEvent) else None
        if not isinstance(key, str) or not key.isprintable():
            raise self._fault(line, "a key must be a plain text")
        if key == "<<":
            raise self._fault(line, "merge keys (<<) are not allowed; use extends, or write it out")
        if key in mapping:
            raise self._fault(line, f"duplicate key {key}; each key may be given once")
        return key

    def _refuse_extras(self, event: Any) -> None:
        from ruamel.yaml import events as kinds

        line = event.start_mark.line
        if isinstance(event, kinds.AliasEvent) or event.anchor is not None:
            raise self._fault(
                line, "anchors (&) and aliases (*) are not allowed; write the value out"
            )
        if event.tag is not None:
            raise self._fault(line, f"tags (!) are not allowed: {event.tag}")

    def _scalar(self, event: Any) -> Any:
        from ruamel.yaml.nodes import ScalarNode

        if event.style is not None and event.style in "\"'|>":
            return event.value
        tag = str(self._yaml.resolver.resolve(ScalarNode, event.value, (True, False)))
        text = event.value
        try:
            match tag.rpartition(":")[2]:
                case "null":
                    return None
                case "bool":
                    return text.lower() == "true"
                case "int":
                    return _integer(text)
                case "float":
                    return _floating(text)
        except ValueError:
            raise self._fault(event.start_mark.line, f"not a usable number: {text:.40}") from None
        return text

    def _place(self, line: int | None) -> str:
        return self._source if line is None or not self._lines else f"{self._source}:{line + 1}"

    def _fault(self, line: int | None, message: str) -> ScenarioError:
        return ScenarioError([Problem(self._place(line), "", message)])


def _integer(text: str) -> int:
    digits = text.replace("_", "").lower()
    if len(digits) > 40:
        raise ValueError(f"a whole number of {len(digits)} digits")
    return int(digits, 0) if "x" in digits or "o" in digits else int(digits)


def _floating(text: str) -> float:
    number = text.replace("_", "").lower()
    if number.endswith(".nan"):
        return math.nan
    if number.endswith(".inf"):
        return -math.inf if number.startswith("-") else math.inf
    return float(number)


def _explain(problem: str) -> str:
    if "'\\t'" in problem:
        return "a tab where YAML wants spaces; indent with spaces"
    return f"not valid YAML: {problem}"


def _kind(data: Any) -> str:
    return "list" if isinstance(data, list) else f"single value ({data!r:.40})"


def _error(source: str, line: int | None, message: str) -> ScenarioError:
    place = source if line is None else f"{source}:{line}"
    return ScenarioError([Problem(place, "", message)])
