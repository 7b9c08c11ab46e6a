"""YAML with the location of everything in it.

PyYAML reads YAML 1.1, in which `no` and `on` are booleans, dates are dates, and the last of two
equal keys wins silently. Here its nodes become data by the rules of YAML 1.2's core schema, and
an equal key is an error.
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

    def __bool__(self) -> bool:
        return bool(self._found)

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
    """One file of the spec, and what has been read of it."""

    name: str
    """Its name in references from the other file."""
    locations: dict[Pointer, Location]
    diagnostics: Diagnostics
    read: set[Pointer] = attrs.field(factory=set[Pointer])
    """Places that something has looked at."""
    whole: set[Pointer] = attrs.field(factory=set[Pointer])
    """Those that were looked at with all that is below them."""
    missed: dict[Pointer, set[str]] = attrs.field(factory=dict[Pointer, set[str]])
    """Keys that something has looked for in vain, at each place."""


@attrs.frozen(eq=False, repr=False)
class Node:
    """A value of the spec and its location. An absent one reads as None.

    Each read is noted, so that unread nodes can be refused: `report_unread`. Only
    `walk` and `peek` leave no trace.
    """

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
        return str(self.pointer[-1]) if self.pointer else ""

    def __bool__(self) -> bool:
        return self.value is not None

    def wrong(self, text: str, word: str = "", choices: Iterable[str] = ()) -> None:
        """Report that something is wrong here; with a word, suggest the choice closest to it."""
        self.source.diagnostics.unknown(self.location, text, word, choices)

    def peek(self, *steps: str | int) -> Node:
        """Return the node under these keys, absent if any of them is, and leave no trace."""
        node = self
        for step in steps:
            value = node.value
            if isinstance(value, list) and isinstance(step, int):
                item = cast("list[object]", value)[step]
            else:
                item = node.mapping.get(str(step))
            node = Node(node.source, (*node.pointer, step), item)
        return node

    def get(self, *steps: str) -> Node:
        """Return the node under these keys, absent if any of them is."""
        node = self
        for step in steps:
            above, node = node, node.peek(step)
            node.source.read.add(node.pointer)
            if not node:
                node.source.missed.setdefault(above.pointer, set()).add(step)
        return node

    @property
    def mapping(self) -> dict[str, object]:
        """Its value as a mapping, empty when it is none."""
        value = self.value
        return cast("dict[str, object]", value) if isinstance(value, dict) else {}

    def items(self) -> Iterator[tuple[str, Node]]:
        """Yield keys and values of a mapping whose keys are data."""
        if self and not isinstance(self.value, dict):
            self.wrong(f"{self.key!r} must be a mapping with keys")
        for key in self.mapping:
            yield key, self.get(key)

    def values(self) -> Iterator[Node]:
        """Yield values of a mapping whose keys are data."""
        return (node for _, node in self.items())

    def each(self) -> Iterator[Node]:
        """Yield items of a list."""
        items = self.value
        if items is not None and not isinstance(items, list):
            self.wrong(f"{self.key!r} must be a list")
            return
        for index in range(len(cast("list[object]", items or []))):
            node = self.peek(index)
            self.source.read.add(node.pointer)
            yield node

    def strings(self, *steps: str) -> list[str]:
        """Return the strings of the list under these keys, empty when there is none."""
        node = self.get(*steps)
        texts = [(item, item.value) for item in node.each()]
        for item, value in texts:
            if not isinstance(value, str):
                item.wrong(f"{node.key!r} must be a list of strings")
        return [value for _, value in texts if isinstance(value, str)]

    def text(self, *steps: str) -> str:
        """Return the string under these keys, empty when there is none."""
        node = self.get(*steps)
        if node and not isinstance(node.value, str) and node.pointer not in self.source.whole:
            node.wrong(f"{node.key!r} must be a string")
        return node.value.strip() if isinstance(node.value, str) else ""

    def flag(self, *steps: str) -> bool:
        """Return whether there is `true` under these keys."""
        node = self.get(*steps)
        if node and not isinstance(node.value, bool):
            node.wrong(f"{node.key!r} must be true or false")
        return node.value is True

    def take(self) -> object:
        """Return all that is here, which counts as looked at down to its leaves."""
        self.source.whole.add(self.pointer)
        return self.value

    @property
    def example(self) -> dict[str, object]:
        """The first of the examples of a schema, empty when there is none."""
        examples = self.get("examples")
        examples.take()
        return next((node.mapping for node in examples.children()), dict[str, object]())

    def children(self) -> Iterator[Node]:
        """Yield what is directly below, and leave no trace."""
        value = self.value
        steps = range(len(cast("list[object]", value))) if isinstance(value, list) else self.mapping
        return (self.peek(step) for step in steps)

    def walk(self) -> Iterator[Node]:
        """Yield the node and all its descendants, and leave no trace."""
        yield self
        for child in self.children():
            yield from child.walk()

    def unread(self) -> Iterator[Node]:
        """Yield the nodes that were not read: they would have no effect."""
        if self.pointer in self.source.whole:
            return
        if self.pointer and self.pointer not in self.source.read:
            yield self
            return
        for child in self.children():
            yield from child.unread()

    def report_unread(self) -> None:
        """Report the nodes that were not read.

        Where other things are wrong, which keep parts of the spec from being read, only what looks
        like a misspelt key.
        """
        is_wrong = bool(self.source.diagnostics)
        for node in self.unread():
            missed = self.source.missed.get(node.pointer[:-1], set())
            if not is_wrong or get_close_matches(node.key, missed):
                node.wrong(f"nothing reads {node.key!r} here", node.key, missed)


def load(path: Path, file: str, diagnostics: Diagnostics) -> Node:
    """Load a file. If it cannot be read, that is a diagnostic, and the node is absent."""
    start = Location(file, 1, 1)
    locations: dict[Pointer, Location] = {(): start}
    absent = Node(Source(path.name, locations, diagnostics), (), None)
    try:
        root = yaml.compose(path.read_text("utf-8"), Loader=yaml.CSafeLoader)  # pyright: ignore[reportUnknownMemberType]
    except OSError as error:
        diagnostics.add(start, f"cannot be read: {error.strerror}")
        return absent
    except yaml.MarkedYAMLError as error:
        place = error.problem_mark
        location = Location(file, place.line + 1, place.column + 1) if place else start
        diagnostics.add(location, f"not YAML: {error.problem}")
        return absent
    if not isinstance(root, yaml.MappingNode):
        diagnostics.add(start, "must be a mapping with keys" if root else "is empty")
        return absent
    data = _Reader(file, locations, diagnostics).read(root, ())
    return attrs.evolve(absent, value=data)


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
