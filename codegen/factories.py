"""Factories of models and events for tests; their parameters default to the spec's examples."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final, cast

import attrs

from codegen.ir import Api, Event, Field, Model
from codegen.naming import snake

__all__ = [
    "factories",
]

INNER: Final = re.compile(r"(?:list\[|dict\[str, )(.*)\]")

LEFT_OUT: Final = object()
"""The key is left out."""

PLAIN: Final[Mapping[str, object]] = {
    "str": "",
    "int": 0,
    "float": 0.0,
    "bool": False,
    "datetime": "2026-06-01T09:30:00Z",
}
"""Values of fields without an example."""


@attrs.frozen(kw_only=True)
class Argument:
    """A parameter of a factory."""

    name: str
    type: str
    default: str


@attrs.frozen(kw_only=True)
class Factory:
    """A function that makes a model or an event."""

    result: str
    doc: str
    reader: str
    arguments: tuple[Argument, ...]
    is_map: bool
    """Whether its one argument is all that it makes."""

    @property
    def name(self) -> str:
        """Its name."""
        return _factory_name(self.result)


def factories(api: Api) -> tuple[Factory, ...]:
    """Return one for each row and each event; those that others need come first."""
    makers = _Makers(api)
    for model in api.models:
        makers.add(model)
    for event in api.events:
        makers.add_event(event)
    return tuple(makers.made.values())


def _factory_name(cls: str) -> str:
    return f"make_{snake(cls)}"


class _Makers:
    def __init__(self, api: Api) -> None:
        self._models = {model.name: model for model in api.models}
        self._enums = {enum.name: enum for enum in api.enums}
        self.made: dict[str, Factory] = {}
        """By class. Later factories may use these in their defaults."""

    def add(self, model: Model) -> None:
        if model.name not in self.made:
            self.made[model.name] = self._of_fields(model, model.name, model.doc, model.reader)

    def add_event(self, event: Event) -> None:
        about = event.class_name, event.doc, event.reader
        model = event.model or self._models.get(event.base)
        made = self._of_fields(model, *about) if model else self._of_map(event, *about)
        self.made[event.class_name] = made

    def _of_fields(self, model: Model, cls: str, doc: str, reader: str) -> Factory:
        for field in model.fields:
            self._add_parts(field.annotation, model)
        arguments = tuple(self._argument(field, model) for field in model.fields)
        return Factory(result=cls, doc=doc, reader=reader, arguments=arguments, is_map=False)

    def _of_map(self, event: Event, cls: str, doc: str, reader: str) -> Factory:
        self._add_parts(event.base)
        default = self._literal(event.example, event.base)
        kind = event.base.replace("dict[", "Mapping[")
        argument = Argument(name="values", type=kind, default=default)
        return Factory(result=cls, doc=doc, reader=reader, arguments=(argument,), is_map=True)

    def _add_parts(self, annotation: str, whole: Model | None = None) -> None:
        for name in re.findall(r"\w+", annotation):
            part = self._models.get(name)
            if part and part is not whole:
                self.add(part)

    def _argument(self, field: Field, model: Model) -> Argument:
        value = self._default(field, model)
        optional = "" if field.required and value is not LEFT_OUT else " | Unset"
        null = " | None" if field.nullable else ""
        default = self._literal(value, field.annotation)
        return Argument(name=field.name, type=f"{field.argument}{null}{optional}", default=default)

    def _default(self, field: Field, model: Model) -> object:
        """Return a value as it stands in JSON."""
        parts = [name for name in re.findall(r"\w+", field.annotation) if name in self._models]
        if any(name not in self.made for name in parts):
            return None if field.required else LEFT_OUT
        if field.wire in model.example:
            return model.example[field.wire]
        if not field.required:
            return LEFT_OUT
        return None if field.nullable else self._plain(field.annotation)

    def _plain(self, annotation: str) -> object:
        if annotation in self._enums:
            return self._enums[annotation].members[0][1]
        item = INNER.fullmatch(annotation)
        if item and annotation.startswith("list["):
            return [self._plain(item[1])] if item[1] in self._models else []
        return {} if item or annotation in self._models else PLAIN.get(annotation)

    def _literal(self, value: object, annotation: str) -> str:
        """Return a value of JSON as it is written in Python."""
        kind = annotation.removesuffix(" | None")
        inner = INNER.fullmatch(kind)
        match value:
            case None:
                return "None"
            case str() if kind == "datetime":
                return _time(value)
            case list() if inner:
                items = [self._literal(item, inner[1]) for item in cast("list[object]", value)]
                return f"({', '.join(items)}{',' if items else ''})"
            case dict() if inner:
                pairs = cast("dict[str, object]", value).items()
                items = [f"{key!r}: {self._literal(item, inner[1])}" for key, item in pairs]
                return "{" + ", ".join(items) + "}"
            case dict() if kind in self._models:
                return self._call(self._models[kind], cast("dict[str, object]", value))
            case _:
                return "UNSET" if value is LEFT_OUT else repr(value)

    def _call(self, model: Model, value: Mapping[str, object]) -> str:
        """Return the call of a factory that makes this model, without defaults."""
        arguments = [
            f"{field.name}={self._literal(part, field.annotation)}"
            for field in model.fields
            if value and (part := value.get(field.wire, LEFT_OUT)) != self._default(field, model)
        ]
        return f"{_factory_name(model.name)}({', '.join(arguments)})"


def _time(text: str) -> str:
    """RFC 3339 in UTC as an expression."""
    when = datetime.fromisoformat(text)
    parts = [when.year, when.month, when.day, when.hour, when.minute, when.second, when.microsecond]
    while not parts[-1] and len(parts) > 3:
        parts.pop()
    return f"datetime({', '.join(map(str, parts))}, tzinfo=UTC)"
