"""YAML with the location of everything in it.

PyYAML reads YAML 1.1, in which `no` and `on` are booleans, dates are dates, and the last of two
equal keys wins in silence. Here its nodes become data by the rules of YAML 1.2's core schema, and
an equal key is a mistake.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Final, cast

import attrs
import yaml

__all__ = [
    "Diagnostics",
    "Location",
    "Node",
    "SpecError",
    "load",
]


@attrs.frozen(order=True)
class Location:
    """A line and column of a file, counted from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@attrs.frozen(order=True)
class Diagnostic:
    """Something wrong with the spec, and its location."""

    location: Location
    text: str

    def __str__(self) -> str:
        return f"{self.location}: {self.text}"


class SpecError(Exception):
    """The spec is invalid. Its text is one line per diagnostic."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = sorted(set(diagnostics))
        super().__init__("\n".join(str(mistake) for mistake in self.diagnostics))


class Diagnostics:
    """Collects diagnostics during a run."""

    def __init__(self) -> None:
        self._found: list[Diagnostic] = []

    def add(self, location: Location, text: str) -> None:
        """Report that something is wrong at a location."""
        self._found.append(Diagnostic(location, text))

    def unknown(self, location: Location, text: str, word: str, choices: Iterable[str]) -> None:
        """Report a word that is none of the choices, and suggest the closest one."""
        close = get_close_matches(word, sorted(choices), n=1)
        self.add(location, f"{text}. Did you mean {close[0]!r}?" if close else text)

    def raise_if_any(self) -> None:
        """Raise `SpecError` with all of them."""
        if self._found:
            raise SpecError(self._found)


Pointer = tuple[str | int, ...]

AS_WRITTEN: Final = ("'", '"', "|", ">")
INTEGER: Final = re.compile(r"[-+]?[0-9]+")
FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
WORDS: Final[dict[str, object]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@attrs.frozen(eq=False, repr=False)
class Source:
    """One file of the spec."""

    name: str
    """Its name in references from the other file."""
    data: object
    locations: dict[Pointer, Location]


@attrs.frozen(eq=False, repr=False)
class Node:
    """A value of the spec and its location. An absent one reads as None."""

    source: Source
    pointer: Pointer
    value: object

    @property
    def location(self) -> Location:
        """Its location; if absent, that of its parent."""
        pointer = self.pointer
        while pointer not in self.source.locations:
            pointer = pointer[:-1]
        return self.source.locations[pointer]

    @property
    def key(self) -> str:
        """The last step of its path."""
        return str(self.pointer[-1])

    def __bool__(self) -> bool:
        return self.value is not None

    def get(self, *steps: str) -> Node:
        """Return the node under these keys, absent if any of them is."""
        node = self
        for step in steps:
            value = node.mapping.get(step)
            node = Node(node.source, (*node.pointer, step), value)
        return node

    @property
    def mapping(self) -> dict[str, object]:
        """Its value as a mapping, empty when it is none."""
        value = self.value
        return cast("dict[str, object]", value) if isinstance(value, dict) else {}

    def items(self) -> Iterator[tuple[str, Node]]:
        """Yield keys and values of a mapping."""
        for key, value in self.mapping.items():
            yield key, Node(self.source, (*self.pointer, key), value)

    def values(self) -> Iterator[Node]:
        """Yield values of a mapping."""
        return (node for _, node in self.items())

    def each(self) -> Iterator[Node]:
        """Yield items of a list."""
        items = self.value
        if isinstance(items, list):
            for index, value in enumerate(cast("list[object]", items)):
                yield Node(self.source, (*self.pointer, index), value)

    def strings(self) -> list[str]:
        """Return the strings of a list; a single string counts as a list of one."""
        if isinstance(self.value, str):
            return [self.value]
        return [node.value for node in self.each() if isinstance(node.value, str)]

    def text(self, *steps: str) -> str:
        """Return the string under these keys, empty when there is none."""
        value = self.get(*steps).value
        return value.strip() if isinstance(value, str) else ""

    @property
    def example(self) -> dict[str, object]:
        """The first of the examples of a schema, empty when there is none."""
        for node in self.get("examples").each():
            return node.mapping
        return {}

    def walk(self) -> Iterator[Node]:
        """Yield the node and all its descendants."""
        yield self
        for child in self.values():
            yield from child.walk()
        for child in self.each():
            yield from child.walk()


def load(path: Path, file: str, diagnostics: Diagnostics) -> Node:
    """Load a file. If it cannot be read, that is a diagnostic, and the node is absent."""
    start = Location(file, 1, 1)
    source = Source(path.name, {}, {(): start})
    try:
        root = yaml.compose(path.read_text("utf-8"), Loader=yaml.CSafeLoader)  # pyright: ignore[reportUnknownMemberType]
    except OSError as error:
        diagnostics.add(start, f"cannot be read: {error.strerror}")
        return Node(source, (), None)
    except yaml.MarkedYAMLError as error:
        place = error.problem_mark
        location = Location(file, place.line + 1, place.column + 1) if place else start
        diagnostics.add(location, f"not YAML: {error.problem}")
        return Node(source, (), None)
    if not isinstance(root, yaml.MappingNode):
        diagnostics.add(start, "must be a mapping with keys" if root else "is empty")
        return Node(source, (), None)
    data = _Reader(file, source.locations, diagnostics).read(root, ())
    return Node(Source(path.name, data, source.locations), (), data)


class _Reader:
    def __init__(
        self, file: str, locations: dict[Pointer, Location], diagnostics: Diagnostics
    ) -> None:
        self._file = file
        self._locations = locations
        self._diagnostics = diagnostics

    def read(self, node: yaml.Node | None, pointer: Pointer) -> object:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, pointer)
        if isinstance(node, yaml.SequenceNode):
            return [self._item(item, (*pointer, i)) for i, item in enumerate(node.value)]
        return _scalar(node) if isinstance(node, yaml.ScalarNode) else None

    def _item(self, node: yaml.Node, pointer: Pointer) -> object:
        self._locations[pointer] = self._location(node)
        return self.read(node, pointer)

    def _mapping(self, node: yaml.MappingNode, pointer: Pointer) -> dict[str, object]:
        mapping: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = _scalar(key_node) if isinstance(key_node, yaml.ScalarNode) else None
            location = self._location(key_node)
            if not isinstance(key, str):
                self._diagnostics.add(location, f"a key must be a string: quote it ({key})")
            elif key in mapping:
                first = self._locations[(*pointer, key)]
                self._diagnostics.add(location, f"duplicate key {key!r} (first at {first})")
            else:
                self._locations[(*pointer, key)] = location
                mapping[key] = self.read(value_node, (*pointer, key))
        return mapping

    def _location(self, node: yaml.Node) -> Location:
        return Location(self._file, node.start_mark.line + 1, node.start_mark.column + 1)


def _scalar(node: yaml.ScalarNode) -> object:
    text: str = node.value
    if node.style in AS_WRITTEN:
        return text
    if text in WORDS:
        return WORDS[text]
    if INTEGER.fullmatch(text):
        return int(text)
    return float(text) if FLOAT.fullmatch(text) else text
