"""Factories of models and events for tests; their parameters default to the spec's examples."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, cast

import attrs

from codegen.ir import Api, Event, Field, Model
from codegen.kinds import TypeRef
from codegen.naming import snake

__all__ = [
    "factories",
]

LEFT_OUT: Final = object()
"""The key is left out."""

PLAIN: Final[Mapping[str, object]] = {
    "string": "",
    "integer": 0,
    "number": 0.0,
    "boolean": False,
    "time": "2026-06-01T09:30:00Z",
    "anything": None,
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
    """Return a factory for each model and each event; those that others need come first."""
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
            self._add_parts(field.type, model)
        arguments = tuple(self._argument(field, model) for field in model.fields)
        return Factory(result=cls, doc=doc, reader=reader, arguments=arguments, is_map=False)

    def _of_map(self, event: Event, cls: str, doc: str, reader: str) -> Factory:
        assert event.payload is not None  # noqa: S101  (a map is one of its kind)
        self._add_parts(event.payload)
        default = self._literal(event.example, event.payload)
        kind = event.base.replace("dict[", "Mapping[")
        argument = Argument(name="values", type=kind, default=default)
        return Factory(result=cls, doc=doc, reader=reader, arguments=(argument,), is_map=True)

    def _add_parts(self, type_: TypeRef, whole: Model | None = None) -> None:
        for name in type_.models():
            if self._models[name] is not whole:
                self.add(self._models[name])

    def _argument(self, field: Field, model: Model) -> Argument:
        value = self._default(field, model)
        optional = "" if field.required and value is not LEFT_OUT else " | Unset"
        default = self._literal(value, field.type)
        return Argument(name=field.name, type=f"{field.type.argument()}{optional}", default=default)

    def _default(self, field: Field, model: Model) -> object:
        """Return a value as it stands in JSON."""
        if any(name not in self.made for name in field.type.models()):
            return None if field.required else LEFT_OUT
        if field.wire in model.example:
            return model.example[field.wire]
        if not field.required:
            return LEFT_OUT
        return self._plain(field.type)

    def _plain(self, type_: TypeRef) -> object:
        """Return a value of a type without an example, as it stands in JSON."""
        if type_.nullable:
            return None
        match type_.kind:
            case "enum":
                return type_.values[0]
            case "list":
                return [self._plain(type_.parts[0])] if type_.parts[0].kind == "model" else []
            case "union":
                return self._plain(type_.parts[0])
            case kind:
                return PLAIN.get(kind, {})

    def _literal(self, value: object, type_: TypeRef) -> str:
        """Return a value of JSON as it is written in Python."""
        if type_.kind == "union":
            # The parts differ in what JSON calls them.
            name = type(value).__name__
            fits = [part for part in type_.parts if name in part.row.json.split()]
            type_ = fits[0] if fits else type_
        match value:
            case None:
                return "None"
            case str() if type_.kind == "time":
                return _time(value)
            case list() if type_.kind == "list":
                of = type_.parts[0]
                items = [self._literal(item, of) for item in cast("list[object]", value)]
                return f"({', '.join(items)}{',' if items else ''})"
            case dict() if type_.kind == "map":
                pairs = cast("dict[str, object]", value).items()
                items = [f"{key!r}: {self._literal(item, type_.parts[0])}" for key, item in pairs]
                return "{" + ", ".join(items) + "}"
            case dict() if type_.kind == "model":
                return self._call(self._models[type_.name], cast("dict[str, object]", value))
            case _:
                return "UNSET" if value is LEFT_OUT else repr(value)

    def _call(self, model: Model, value: Mapping[str, object]) -> str:
        """Return the call of a factory that makes this model, without defaults."""
        arguments = [
            f"{field.name}={self._literal(part, field.type)}"
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
