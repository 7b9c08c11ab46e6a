"""Types of the API as trees, and what each kind of them is in Python.

`KINDS` is the whole truth about a kind: how it is annotated where it is returned and where it is
passed, what reads it, what checks it, and where it may stand. A new kind is a row here, a reader in
`poolse/_json/parsing.py` and a check in `poolse/_rest/arguments.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import attrs

from codegen.naming import snake

__all__ = [
    "ANYTHING",
    "KINDS",
    "STRING",
    "TypeRef",
]


@attrs.frozen(kw_only=True)
class Kind:
    """What a kind of type is in Python.

    The texts may have `{item}` for the same text of the one part, `{items}` for those of all parts,
    `{name}`, `{slug}` for the name in snake case, `{fields}` for that of what is sent for a model,
    and `{values}`.
    """

    result: str
    argument: str
    reader: str
    check: str
    places: str
    """Where values of the kind may stand."""
    inline: str = ""
    """The builtin type that a reader compares with, instead of calling what reads the kind."""
    words: str = ""
    """The kind in errors."""
    json: str = "str"
    """What JSON's values of it are once they are parsed."""


WITHIN: Final = "body push model"
FLAT: Final = f"query header item {WITHIN}"
"""All places of a value that is one word in a URL, but for the path itself."""

KINDS: Final[Mapping[str, Kind]] = {
    "string": Kind(
        result="str",
        argument="str",
        reader="string",
        check="a_string",
        inline="str",
        words="a string",
        places=f"path {FLAT}",
    ),
    "segment": Kind(
        # Text that another operation has in its path.
        result="str",
        argument="str",
        reader="string",
        check="a_segment",
        inline="str",
        words="a string",
        places="body",
    ),
    "integer": Kind(
        result="int",
        argument="int",
        reader="integer",
        check="an_integer",
        inline="int",
        words="an integer",
        json="int",
        places=f"path {FLAT}",
    ),
    "boolean": Kind(
        result="bool",
        argument="bool",
        reader="boolean",
        check="a_boolean",
        inline="bool",
        words="a boolean",
        json="bool",
        places=FLAT,
    ),
    "number": Kind(
        result="float",
        argument="float",
        reader="number",
        check="a_number",
        json="int float",
        places=FLAT,
    ),
    "time": Kind(
        result="datetime", argument="datetime", reader="instant", check="a_time", places=FLAT
    ),
    "enum": Kind(
        result="{name}",
        argument="{name} | Literal[{values}]",
        reader="read_{slug}",
        check="a_string",
        places=f"path {FLAT}",
    ),
    "id": Kind(
        result="str",
        argument="{items}",
        reader="string",
        check='an_id("{name}")',
        places=f"path {FLAT}",
    ),
    "number id": Kind(
        result="int",
        argument="{items}",
        reader="integer",
        check='a_number_id("{name}")',
        json="int",
        places=f"path {FLAT}",
    ),
    "list": Kind(
        result="list[{item}]",
        argument="Sequence[{item}]",
        reader="list_of({item})",
        check="a_list_of({item})",
        json="list",
        places=f"query {WITHIN}",
    ),
    "map": Kind(
        result="dict[str, {item}]",
        argument="Mapping[str, {item}]",
        reader="map_of({item})",
        check="an_object_of({item})",
        json="dict",
        places=WITHIN,
    ),
    "model": Kind(
        result="{name}",
        argument="{values}",
        reader="read_{slug}",
        check="takes_{fields}",
        json="dict",
        places=WITHIN,
    ),
    "union": Kind(
        result="{items}",
        argument="{items}",
        reader="",
        check="any_of({items})",
        places=WITHIN,
    ),
    "object": Kind(
        result="dict[str, Any]",
        argument="Mapping[str, object]",
        reader="json_object",
        check="an_object",
        json="dict",
        places=WITHIN,
    ),
    "anything": Kind(
        result="Json",
        argument="object",
        reader="read_json",
        check="anything",
        json="",
        places=WITHIN,
    ),
}

INSIDE: Final = {"query": "item", "header": "item"}
"""What stands in a list: a query says a list by repeating its name."""


@attrs.frozen(kw_only=True)
class TypeRef:
    """A type. As text, it is the annotation of a result."""

    kind: str
    name: str = ""
    """Of an enum or a model: its class. Of an ID: what it belongs to."""
    parts: tuple[TypeRef, ...] = ()
    """Of a list or map: its items. Of a union: its choices."""
    values: tuple[str, ...] = ()
    """Of an enum: its values. Of an ID, or a model that is sent: the classes that may be passed."""
    handle: str = ""
    """Of an ID: the class of handles that may be passed too, without its prefix for async."""
    nullable: bool = False

    def __str__(self) -> str:
        return self.result

    @property
    def row(self) -> Kind:
        """What its kind is in Python."""
        return KINDS[self.kind]

    @property
    def result(self) -> str:
        """The annotation of a result."""
        return self._or_none(self._filled(self.row.result, lambda part: part.result, " | "))

    def argument(self, prefix: str | None = "") -> str:
        """The annotation of an argument.

        Args:
            prefix: That of the handles that may be passed, `Async` or ""; None without handles.
        """
        if self.kind in ("id", "number id"):
            handle = (f"{prefix}{self.handle}",) if self.handle and prefix is not None else ()
            return self._or_none(" | ".join((*self.values, *handle)))
        return self._or_none(
            self._filled(self.row.argument, lambda part: part.argument(prefix), " | ")
        )

    @property
    def reader(self) -> str:
        """The expression that reads it."""
        text = self._filled(self.row.reader, lambda part: part.reader, ", ")
        if self.kind == "union":
            # By what JSON calls the value.
            choices = [
                f"{type_}: {part.reader}" for part in self.parts for type_ in part.row.json.split()
            ]
            text = f"one_of({{{', '.join(choices)}}})"
        return f"nullable({text})" if self.nullable else text

    @property
    def check(self) -> str:
        """Expression that checks whether a value may be sent."""
        text = self._filled(self.row.check, lambda part: part.check, ", ")
        return f"or_none({text})" if self.nullable else text

    @property
    def plain(self) -> TypeRef:
        """The same without null."""
        return attrs.evolve(self, nullable=False)

    @property
    def null(self) -> TypeRef:
        """The same, or null."""
        return attrs.evolve(self, nullable=True)

    def models(self) -> tuple[str, ...]:
        """The classes of the models in it."""
        own = (self.name,) if self.kind == "model" else ()
        return (*own, *(name for part in self.parts for name in part.models()))

    def _or_none(self, text: str) -> str:
        return f"{text} | None" if self.nullable else text

    def _filled(self, text: str, of: Callable[[TypeRef], str], separator: str) -> str:
        items = [of(part) for part in self.parts]
        quoted = ", ".join(f'"{value}"' for value in self.values)
        return text.format(
            item=items[0] if items else "",
            items=separator.join(items),
            name=self.name,
            slug=snake(self.name),
            fields=snake(self.values[-1]) if self.values else "",
            values=" | ".join(self.values) if self.kind == "model" else quoted,
        )


STRING: Final = TypeRef(kind="string")
ANYTHING: Final = TypeRef(kind="anything")
