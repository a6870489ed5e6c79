"""Draws the rooms of the packages into docs/architecture.md, from imports and docstrings alone.

A room is a folder; a file in a package's own folder stands for itself. What is between
`<!-- generated: NAME -->` and `<!-- end -->` is written anew, all other text is left alone. Imports
count wherever they stand, inside functions too, but for those that only type checkers see.
"""

import argparse
import ast
import difflib
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCUMENT = Path("docs", "architecture.md")
NAMESPACE = "fadeline"
PACKAGES = ("simulator", "models", "channels")

Arrow = tuple[str, str]
"""From a room to one that it imports from."""

_SECTION = re.compile(r"(<!-- generated: (\S+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


class ArchitectureError(Exception):
    """Files or document are not as they must be; says where, and what to do."""


@dataclass(frozen=True)
class Module:
    """A Python file.

    Attributes:
        path: From the root of the repository.
        summary: First line of its docstring.
        imports: Names of the modules that it imports when it runs.
    """

    path: Path
    summary: str
    imports: frozenset[str]

    @property
    def package(self) -> str:
        """The package that it is in."""
        return self.path.parts[0]

    @property
    def folder(self) -> str:
        """Its folder, as the table has it."""
        return f"{self.path.parent.as_posix()}/"

    @property
    def room(self) -> str:
        """Its folder, or itself where that is the package's own."""
        return self.folder if len(self.path.parts) > 2 else self.path.as_posix()

    @property
    def node(self) -> str:
        """Its room as the diagram has it: folders in a room are part of it."""
        return f"{self.package}/{self.path.parts[1]}/" if len(self.path.parts) > 2 else self.room


House = Mapping[str, Module]
"""All modules, by the names that they are imported by."""


def read_house(root: Path, packages: Sequence[str] = PACKAGES) -> House:
    """Return the modules of packages, in the order of their paths.

    Args:
        root: Of the repository.
        packages: Folders in it.

    Raises:
        ArchitectureError: If a file does not say what is in it.
    """
    paths = [path for package in packages for path in sorted((root / package).rglob("*.py"))]
    names = {_module_name(path.relative_to(root)): path for path in paths}
    house = {}
    for name, path in names.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docstring = ast.get_docstring(tree)
        if not docstring:
            raise ArchitectureError(f"{path}: no docstring; say in its first line what it holds")
        imports = frozenset(_imports(tree, names))
        house[name] = Module(path.relative_to(root), docstring.splitlines()[0], imports)
    return house


def _module_name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join((NAMESPACE, *(parts[:-1] if parts[-1] == "__init__" else parts)))


def _imports(node: ast.AST, known: Mapping[str, Path]) -> Iterator[str]:
    """Yield what a piece of code imports when it runs, of the modules that are known."""
    if isinstance(node, ast.If) and _for_type_checkers(node.test):
        for statement in node.orelse:
            yield from _imports(statement, known)
        return
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in known)
    if isinstance(node, ast.ImportFrom) and node.module in known:
        inside = [f"{node.module}.{alias.name}" for alias in node.names]
        yield from (name if name in known else str(node.module) for name in inside)
    for child in ast.iter_child_nodes(node):
        yield from _imports(child, known)


def _for_type_checkers(test: ast.expr) -> bool:
    return "TYPE_CHECKING" in (getattr(test, "id", ""), getattr(test, "attr", ""))


# Arrows


def arrows_between(house: House, place: Callable[[Module], str]) -> Counter[Arrow]:
    """Return how many imports lead from each place to each other one.

    Args:
        house: All modules.
        place: What a module is part of.
    """
    return Counter(
        (place(module), place(house[name]))
        for module in house.values()
        for name in module.imports
        if place(module) != place(house[name])
    )


def split_by_direction(arrows: Mapping[Arrow, int]) -> tuple[set[Arrow], set[Arrow]]:
    """Return the arrows that go down, and those that go up: without these there is no circle.

    The more imports an arrow stands for, the sooner it is taken to go down.

    Example:
        >>> split_by_direction({("a", "b"): 1, ("b", "a"): 2})
        ({('b', 'a')}, {('a', 'b')})
    """
    down: set[Arrow] = set()
    for start, end in sorted(arrows, key=lambda arrow: (-arrows[arrow], arrow)):
        if start not in _reached(end, down):
            down.add((start, end))
    return down, set(arrows) - down


def reduced(arrows: Iterable[Arrow]) -> set[Arrow]:
    """Return the arrows, without circles, that no longer way of others says already.

    Example:
        >>> sorted(reduced({("a", "b"), ("b", "c"), ("a", "c")}))
        [('a', 'b'), ('b', 'c')]
    """
    every = set(arrows)
    return {arrow for arrow in every if arrow[1] not in _reached(arrow[0], every - {arrow})}


def floors(places: Iterable[str], down: Iterable[Arrow]) -> list[list[str]]:
    """Return places by floor, the highest first: each is one above all that it imports from.

    Args:
        places: All of them.
        down: Arrows without circles.

    Example:
        >>> floors("abcd", {("a", "b"), ("b", "c"), ("d", "c")})
        [['a'], ['b', 'd'], ['c']]
    """
    every, heights = set(down), dict.fromkeys(places, 0)
    for _ in heights:  # no way has more arrows than there are places
        for start, end in every:
            heights[start] = max(heights[start], heights[end] + 1)
    highest = max(heights.values(), default=-1)
    return [
        sorted(place for place in heights if heights[place] == height)
        for height in range(highest, -1, -1)
    ]


def _reached(start: str, arrows: Iterable[Arrow]) -> set[str]:
    """Return all places that arrows lead to from one, itself included."""
    after: dict[str, list[str]] = {}
    for source, target in arrows:
        after.setdefault(source, []).append(target)
    seen, open_ = {start}, [start]
    while open_:
        for target in after.get(open_.pop(), []):
            if target not in seen:
                seen.add(target)
                open_.append(target)
    return seen


# Diagrams


def package_diagram(house: House, package: str) -> str:
    """Return the rooms of a package and the arrows between them, as Mermaid."""
    own = {name: module for name, module in house.items() if module.package == package}
    inside = {
        name: Module(module.path, module.summary, module.imports & own.keys())
        for name, module in own.items()
        if module.path.name != "__main__.py"
    }
    down, up = split_by_direction(arrows_between(inside, lambda module: module.node))
    used = {place for arrow in down | up for place in arrow}
    front = f"{package}/__init__.py"
    nodes = sorted({module.node for module in inside.values()} - ({front} - used))
    labels = {node: _node_label(node) for node in nodes}
    levels = [", ".join(f"`{labels[node]}`" for node in level) for level in floors(nodes, down)]
    text = f"Floors, from the top: {' > '.join(levels)}.\n"
    return f"{_mermaid(labels, reduced(down), up)}\n{text}"


def packages_diagram(house: House) -> str:
    """Return the packages and the arrows between them, as Mermaid."""
    down, up = split_by_direction(arrows_between(house, lambda module: module.package))
    fronts = {module.room: module for module in house.values()}
    labels = {
        package: f"{package}/<br/>{fronts[f'{package}/__init__.py'].summary}"
        for package in sorted({module.package for module in house.values()})
    }
    return _mermaid(labels, down, up)


def _node_label(node: str) -> str:
    package, _, rest = node.partition("/")
    return f"{NAMESPACE}.{package}" if rest == "__init__.py" else rest


def _mermaid(labels: Mapping[str, str], down: Iterable[Arrow], up: Iterable[Arrow]) -> str:
    lines = ["```mermaid", "flowchart TD"]
    for node, label in labels.items():
        text = label.replace('"', "#quot;")
        shape = f'(["{text}"])' if node.endswith(".py") else f'["{text}"]'
        lines.append(f"    {_identifier(node)}{shape}")
    lines += [f"    {_identifier(a)} --> {_identifier(b)}" for a, b in sorted(down)]
    lines += [f"    {_identifier(a)} -.-> {_identifier(b)}" for a, b in sorted(up)]
    return "\n".join([*lines, "```", ""])


def _identifier(node: str) -> str:
    # With a letter of its own in front: some words, such as "end", mean something in Mermaid.
    package, _, rest = node.partition("/")
    return "n_" + re.sub(r"\W", "_", rest.rstrip("/") or package)


# The table


def rooms_table(house: House, package: str) -> str:
    """Return all folders of a package: what they hold, what they import from, and their files.

    Raises:
        ArchitectureError: If a folder has no `__init__.py`.
    """
    folders: dict[str, list[Module]] = {}
    for module in house.values():
        if module.package == package:
            folders.setdefault(module.folder, []).append(module)
    lines = ["| room, file | what it holds | imports from |", "|---|---|---|"]
    for folder, modules in sorted(folders.items()):
        fronts = [module for module in modules if module.path.name == "__init__.py"]
        if not fronts:
            raise ArchitectureError(f"{folder}: no __init__.py; add one that says what it holds")
        targets = sorted(
            {
                house[name].room
                for module in modules
                for name in module.imports
                if house[name].folder != folder
            }
        )
        from_ = ", ".join(f"`{target.removeprefix(f'{package}/')}`" for target in targets)
        lines.append(f"| **`{folder}`** | **{_cell(fronts[0].summary)}** | {from_} |")
        lines += [
            f"| `{module.path.name}` | {_cell(module.summary)} | |"
            for module in modules
            if module not in fronts
        ]
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


# The document


def sections(house: House) -> dict[str, str]:
    """Return the text of every generated section, by its name."""
    packages = list(dict.fromkeys(module.package for module in house.values()))
    found = {"packages": packages_diagram(house)}
    for package in packages:
        found[f"{package}-diagram"] = package_diagram(house, package)
        found[f"{package}-rooms"] = rooms_table(house, package)
    return found


def renewed(document: str, texts: Mapping[str, str]) -> str:
    """Return a document with its generated sections written anew.

    Args:
        document: With a pair of marks for each section.
        texts: Of the sections, by name.

    Raises:
        ArchitectureError: If marks are missing, there twice, or of no known section.
    """
    found = [match[2] for match in _SECTION.finditer(document)]
    if sorted(found) != sorted(texts):
        raise ArchitectureError(
            f"{DOCUMENT}: has generated sections {', '.join(found) or '(none)'}; there must be "
            f"one each of {', '.join(texts)}, between <!-- generated: NAME --> and <!-- end -->"
        )
    return _SECTION.sub(lambda match: f"{match[1]}{texts[match[2]]}{match[4]}", document)


def main(words: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Write the document anew, or check that it is up to date; return the exit code."""
    parser = argparse.ArgumentParser(description="Draw the rooms into docs/architecture.md.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if it is stale")
    check = parser.parse_args(words).check
    path = root / DOCUMENT
    before = path.read_text(encoding="utf-8")
    try:
        after = renewed(before, sections(read_house(root)))
    except ArchitectureError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if check and before != after:
        lines = before.splitlines(), after.splitlines()
        print(*difflib.unified_diff(*lines, "as it is", "as it should be", lineterm=""), sep="\n")
        print(f"{DOCUMENT} is stale; run: make architecture")
        return 1
    if before != after:
        partial = path.with_name(f"{path.name}.partial")
        partial.write_text(after, encoding="utf-8")
        partial.replace(path)  # in one step, so there is never half a document
    return 0


if __name__ == "__main__":
    sys.exit(main())
