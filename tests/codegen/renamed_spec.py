"""Our spec with all its nouns renamed to invented words, and the way back.

Each word is replaced by one of its own length, so that texts are wrapped as before, and of letters
that no English word is made of, so that it can be found again in any text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Final, cast

import yaml

__all__ = ["KEPT", "Nouns"]

KEPT: Final = frozenset(
    {
        # IDs are found by their names: `id`, `thing_id`, `thing_ids`.
        "id",
        # Objects with a list called so are pages, which are lists themselves.
        "data",
        # What tells where the bytes of a file go has these fields: `poolse._rest.endpoint.Target`.
        "url",
        "method",
        "headers",
        # Callbacks begin with it: the grammar of x-sdk says so.
        "on",
    }
)
"""Words that have a meaning of their own to the generator. docs/contributing/generator.md has
them."""

FIRST: Final = "q"
LETTERS: Final = "qxzjvkw"
"""What invented words are made of. In no other text does one of the letters follow a q."""
WORD: Final = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+")
NAMED: Final = (
    "properties",
    "schemas",
    "parameters",
    "messages",
    "channels",
    "operations",
    "paths",
    "resources",
)
"""Maps whose keys are names. References have them too."""
TEXTS: Final = (
    *("operationId", "name", "address", "resource", "method", "class", "row", "id_of", "accessor"),
    *("refers_to", "callback", "push", "param", "field", "items", "cursor", "by", "next", "target"),
    *("result", "content_type", "size", "filename", "url", "sha256", "property", "state", "diff"),
    *("reply", "through", "from", "to", "operation", "count"),
)
"""Keys whose values are names, where they are text."""
LISTS: Final = ("required", "positional", "lift")
"""Keys whose values are lists of names."""
OTHERS: Final = ("info", "servers", "security", "securitySchemes")
"""Keys below which there is no noun of the API."""
PARTS: Final = ("code", "message", "details", "doc_url")
FILES: Final = ("openapi.yaml", "asyncapi.yaml")
Row = dict[str, object]
CASES: Final[tuple[Callable[[str], str], ...]] = (str.lower, str.capitalize, str.upper)


class Nouns:
    """Renames the nouns of a spec, and knows the way back."""

    def __init__(self, folder: Path) -> None:
        self._documents: Final[dict[str, Row]] = {
            name: yaml.safe_load((folder / name).read_text("utf-8")) for name in FILES
        }
        self.names: Final[set[str]] = set()
        """All names of the spec that are written otherwise now."""
        self._there: Final[dict[str, str]] = {}
        lengths = range(1, 30)
        self._unused: Final = {n: map("".join, product(LETTERS, repeat=n)) for n in lengths}
        # Examples have names among other words, so that all names must be known before.
        for document in self._documents.values():
            self._map(document, "")
        here = {new: old for old, new in self._there.items()}
        self._here: Final = {cased(new): cased(old) for new, old in here.items() for cased in CASES}
        longest_first = sorted(self._here, key=len, reverse=True)
        self._invented: Final = re.compile("|".join(longest_first))

    def write(self, folder: Path) -> None:
        """Write the spec with the invented names."""
        folder.mkdir(parents=True)
        for name, document in self._documents.items():
            renamed = self._map(document, "")
            if name == "openapi.yaml":
                # The names of its parts that an error has unless the spec says otherwise.
                error = {part: self._new(part) for part in PARTS}
                renamed["x-sdk"] = {**cast("Row", renamed["x-sdk"]), "error": error}
            # JSON is YAML.
            (folder / name).write_text(json.dumps(renamed, ensure_ascii=False), "utf-8")

    def original(self, text: str) -> str:
        """Return a text with the names of our spec instead of the invented ones."""
        return self._invented.sub(lambda match: self._here[match[0]], text)

    def _new(self, name: str) -> str:
        """Return a name in other words."""
        renamed = WORD.sub(lambda match: self._word(match[0]), name)
        if renamed != name:
            self.names.add(name)
        return renamed

    def _word(self, word: str) -> str:
        small = word.lower()
        if small in KEPT or small.removesuffix("s") in KEPT:
            return word
        # A plural stays one.
        stem = small.removesuffix("s") if len(small) > 3 else small
        if stem not in self._there:
            self._there[stem] = FIRST + next(self._unused[len(stem) - 1])
        return _like(word, self._there[stem] + small[len(stem) :])

    def _known(self, example: str) -> str:
        """Return an example with the names in it renamed."""
        parts = re.split(r'("[^"]*")', example)
        known = re.compile(rf"\b(?:{'|'.join(sorted(self.names, key=len, reverse=True))})\b")
        parts[::2] = [known.sub(lambda match: self._new(match[0]), part) for part in parts[::2]]
        return "".join(parts)

    def _with_names(self, node: object, key: str = "") -> object:
        """Return a part of the spec, which stands below a key, with other names."""
        match node:
            case dict():
                return self._map(cast("Row", node), key)
            case list():
                items = cast("list[object]", node)
                if key == "examples":
                    return [self._example(one) for one in items]
                return [
                    self._new(str(one)) if key in LISTS else self._with_names(one) for one in items
                ]
            case str() if key == "$ref":
                return self._reference(node)
            case str() if key == "example":
                return self._known(node)
            case str() if key in TEXTS:
                return self._new(node)
            case _:
                return node

    def _map(self, fields: Row, key: str) -> Row:
        if key in NAMED:
            return {self._new(name): self._with_names(one) for name, one in fields.items()}
        return {
            name: one if name in OTHERS else self._with_names(one, name)
            for name, one in fields.items()
        }

    def _example(self, value: object) -> object:
        """Return an example of a model; keys that are IDs stay as they are."""
        match value:
            case dict():
                return {
                    self._new(name) if name[0].isalpha() else name: self._example(one)
                    for name, one in cast("Row", value).items()
                }
            case list():
                return [self._example(one) for one in cast("list[object]", value)]
            case _:
                return value

    def _reference(self, text: str) -> str:
        file, _, fragment = text.partition("#/")
        steps = fragment.split("/")
        named = [
            self._new(step) if above in NAMED else step
            for above, step in zip(["", *steps], steps, strict=False)
        ]
        return f"{file}#/{'/'.join(named)}"


def _like(word: str, other: str) -> str:
    """Return the other word in the case of the first one."""
    return next(case(other) for case in CASES if case(word) == word)
