"""Schemas -> types, models, enums and IDs."""

from __future__ import annotations

from typing import Final

import attrs

from codegen.ir import Alias, Deprecation, Enum, Field, Limits, Model
from codegen.naming import binds_of, class_name, member, pascal, snake
from codegen.spec import Spec, is_one_or_many
from codegen.yaml_source import Node

__all__ = [
    "Ids",
    "Types",
    "deprecation_of",
    "kind_of",
]


def deprecation_of(
    node: Node, key: str = "name", now: str = "", class_name: str = ""
) -> Deprecation:
    """Return since when a node exists, whether it is deprecated, and its old names.

    Args:
        node: Where it is declared.
        key: What `was` calls its everyday name.
        now: The name that it has now.
        class_name: The name of its class, if it has one of its own.
    """
    sdk = node.get("x-sdk") or node
    deprecated = sdk.get("deprecated")
    is_deprecated = node.get("deprecated").value is True or bool(deprecated.mapping)
    return Deprecation(
        since=sdk.text("since"),
        deprecated=_notice(now, deprecated) if is_deprecated else "",
        until=deprecated.text("until"),
        aliases=(
            *aliases_of(sdk, key, now),
            *aliases_of(sdk, "class", class_name, "class"),
        ),
    )


def aliases_of(sdk: Node, key: str, now: str, kind: str = "") -> tuple[Alias, ...]:
    """Return the old names of one kind."""
    return tuple(
        Alias(
            name=one.text(key),
            now=now,
            since=one.text("since"),
            until=one.text("until"),
            kind=kind,
            location=one.location,
        )
        for one in sdk.get("was").each()
        if one.text(key)
    )


def _notice(name: str, deprecated: Node) -> str:
    """Return the text of the deprecation warning."""
    since, use, until = (deprecated.text(key) for key in ("since", "use", "until"))
    return "".join(
        [
            f"{name} is deprecated",
            f" since {since}" if since else "",
            f", use {use} instead" if use else "",
            f"; it ends with {until}" if until else "",
        ]
    )


def kind_of(name: str) -> str:
    """Return what the value of a path with this name is the ID of."""
    return name.removesuffix("_id")


class Ids:
    """What the spec says of IDs.

    A string with `format: uuid` is an ID, and the end of its name says of what: `old_book_id` is
    that of a book. Where the name does not, `x-sdk.id_of` does, as for an ID of another form. An
    object stands in for the ID of its own kind: a model that is called like it, or has a field that
    says `id_of`, and the handle that binds it.
    """

    def __init__(self, spec: Spec) -> None:
        declared = list(spec.rest.get("x-sdk", "resources").items())
        self.handles = {
            kind_of(binds_of(address)): class_name(address, node)
            for address, node in declared
            if binds_of(address)
        }
        self.models: dict[str, dict[str, str]] = {}
        """By kind: the classes of models, and the field of each that has the ID."""
        self._paths = {
            kind_of(node.text("name"))
            for call in spec.calls()
            for node in call.parameters
            if node.text("in") == "path"
        }
        requests = {spec.request_schema(call).key for call in spec.calls()}
        for name, schema in spec.schemas():
            if name not in requests:
                self._add(name, spec.resolve(schema))
        for address, node in declared:
            if node.text("row"):
                self.models.setdefault(kind_of(binds_of(address)), {})[node.text("row")] = "id"
        # Nothing takes the IDs of the other models.
        taken = {*self.handles, *self._paths}
        self.models = {
            kind: models for kind, models in self.models.items() if kind.split(".")[0] in taken
        }
        self.segments = {
            node.text("name")
            for call in spec.calls()
            for node in call.parameters
            if node.text("in") == "path" and not self.of(node.text("name"), node.get("schema"))
        }
        """Names of values that are no IDs and stand in a path."""

    def _add(self, name: str, schema: Node) -> None:
        for field, node in schema.get("properties").items():
            kind = self._own_kind(name, field, node)
            if kind:
                self.models.setdefault(kind, {})[name] = field

    def _own_kind(self, schema: str, field: str, node: Node) -> str:
        """Return what the object is known by this field as."""
        kind = node.text("x-sdk", "id_of")
        if kind:
            return kind
        return snake(schema) if field == "id" and node.text("format") == "uuid" else ""

    def of(self, name: str, schema: Node) -> str | None:
        """Return what this is the ID of: "" when that is not known, None when it is no ID."""
        kind = schema.text("x-sdk", "id_of")
        if kind or schema.text("format") != "uuid":
            return kind or None
        kinds = sorted({*self.handles, *self._paths, *self.models}, key=len, reverse=True)
        words = f"_{name.removesuffix('s')}"
        return next((kind for kind in kinds if words.endswith(f"_{kind}_id")), "")

    def of_row(self, name: str) -> dict[str, str]:
        """Return the IDs that the objects of a class have: what each belongs to, and its field."""
        return {kind: models[name] for kind, models in self.models.items() if name in models}

    def annotation(self, kind: str) -> str:
        """Return what may be given for such an ID, but for handles."""
        return " | ".join(["str", "UUID", *self.models.get(kind, {})])


@attrs.frozen(kw_only=True)
class Type:
    """A schema as text: what a result is called, what an argument is called, how it is read."""

    result: str
    argument: str
    reader: str
    check: str
    """The expression that tells whether an argument may be sent."""
    scalar: str = ""
    kind: str = ""
    nullable: bool = False
    handle: str = ""
    """The class of handles that may be given too, without what distinguishes the async one."""

    @property
    def result_text(self) -> str:
        """The annotation of a result."""
        return f"{self.result} | None" if self.nullable else self.result

    @property
    def argument_text(self) -> str:
        """The annotation of an argument."""
        return f"{self.argument} | None" if self.nullable else self.argument

    @property
    def check_text(self) -> str:
        """The same for an argument that may be null."""
        return f"or_none({self.check})" if self.nullable else self.check

    @property
    def reader_text(self) -> str:
        """The expression that reads it where it is no field."""
        return f"nullable({self.reader})" if self.nullable else self.reader


def _scalar(name: str, reader: str, kind: str) -> Type:
    check = kind.replace(" ", "_")
    return Type(result=name, argument=name, reader=reader, check=check, scalar=name, kind=kind)


LIMITS: Final = ("maximum", "maxItems", "maxLength", "minimum", "minItems", "minLength")
STRING: Final = _scalar("str", "string", "a string")
SCALARS: Final = {
    "string": STRING,
    "integer": _scalar("int", "integer", "an integer"),
    "boolean": _scalar("bool", "boolean", "a boolean"),
    "number": Type(result="float", argument="float", reader="number", check="a_number"),
}
TIME: Final = Type(result="datetime", argument="datetime", reader="instant", check="a_time")
OBJECT: Final = Type(
    result="dict[str, Any]",
    argument="Mapping[str, object]",
    reader="json_object",
    check="an_object",
)
ONE_OR_MANY: Final = Type(
    result="str | list[str]",
    argument="str | Sequence[str]",
    reader="one_or_many(string)",
    check="one_or_many_of(a_string)",
)
ANYTHING: Final = Type(result="Json", argument="object", reader="read_json", check="anything")


def _others(node: Node) -> list[Node]:
    """Return the choices beside null."""
    return [one for one in node.get("oneOf").each() if one.get("type").value != "null"]


class Types:
    """Turns schemas into types, and remembers which models and enums they need."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self.ids: Final = Ids(spec)
        self._models_by_name: dict[str, Node] = {}
        self._enums: dict[str, Enum] = {}

    def of(self, node: Node) -> Type:
        """Return the type of a schema, given as written or by reference."""
        plain, may_be_null = self._without_null(node)
        target = self._spec.resolve(plain)
        inner, inherits_null = self._without_null(target)
        kind = self._plain(self._spec.resolve(inner))
        return attrs.evolve(kind, nullable=may_be_null or inherits_null)

    def argument(self, name: str, node: Node, where: str) -> Type:
        """Return the type of a parameter by its wire name: IDs may be given as objects."""
        kind = self.of(node)
        plain = self._spec.resolve(self._without_null(node)[0])
        items = self._spec.resolve(plain.get("items")) if plain.get("items") else None
        owner = self.ids.of(name, items or plain)
        if owner is None:
            addressed = where == "body" and name in self.ids.segments and kind.check == "a_string"
            return attrs.evolve(kind, check="a_segment") if addressed else kind
        text, check = self.ids.annotation(owner), f'an_id("{owner}")'
        handle = self.ids.handles.get(owner, "")
        if items is None:
            return attrs.evolve(kind, argument=text, check=check, handle=handle)
        return attrs.evolve(
            kind, argument=f"Sequence[{text}]", check=f"a_list_of({check})", handle=handle
        )

    def _without_null(self, node: Node) -> tuple[Node, bool]:
        """Return the schema beside null, and whether null is allowed."""
        choices = list(node.get("oneOf").each())
        others = _others(node)
        if len(others) == 1:
            return others[0], True
        if others:
            return node, len(others) < len(choices)
        return node, "null" in node.get("type").strings()

    def _plain(self, node: Node) -> Type:
        if node.get("enum"):
            return self._enum_type(node)
        if is_one_or_many(_others(node)):
            return ONE_OR_MANY
        kinds = [kind for kind in node.get("type").strings() if kind != "null"]
        match kinds:
            case ["array"]:
                item = self.of(node.get("items"))
                return Type(
                    result=f"list[{item.result_text}]",
                    argument=f"Sequence[{item.argument_text}]",
                    reader=f"list_of({item.reader_text})",
                    check=f"a_list_of({item.check_text})",
                )
            case ["object"]:
                return self._object(node)
            case ["string"] if node.text("format") == "date-time":
                return TIME
            case [kind]:
                return SCALARS[kind]
            case _:
                return ANYTHING

    def _object(self, node: Node) -> Type:
        if node.get("properties"):
            self._models_by_name.setdefault(node.key, node)
            name, reader = node.key, f"read_{snake(node.key)}"
            return Type(result=name, argument=name, reader=reader, check="an_object")
        values = node.get("additionalProperties")
        if not values.mapping:
            return OBJECT
        value = self.of(values)
        return Type(
            result=f"dict[str, {value.result_text}]",
            argument=f"Mapping[str, {value.argument_text}]",
            reader=f"map_of({value.reader_text})",
            check=f"an_object_of({value.check_text})",
        )

    def _enum_type(self, node: Node) -> Type:
        name = node.text("x-sdk", "class") or node.key
        values = node.get("enum").strings()
        default = self._spec.rest.text("x-sdk", "enums") or "open"
        self._enums[name] = Enum(
            name=name,
            doc=node.text("description") or f"Values of `{snake(name)}`.",
            members=tuple((member(value), value) for value in values),
            open=(node.text("x-sdk", "enums") or default) == "open",
            reader=f"read_{snake(name)}",
            deprecation=deprecation_of(node, class_name=name),
            location=node.location,
        )
        choices = ", ".join(f'"{value}"' for value in values)
        return Type(
            result=name,
            argument=f"{name} | Literal[{choices}]",
            reader=f"read_{snake(name)}",
            check="a_string",
        )

    def describe(self, node: Node) -> str:
        """Return the description of a value: where it is used, else where it is declared."""
        plain, _ = self._without_null(node)
        return node.text("description") or self._spec.resolve(plain).text("description")

    def limits(self, node: Node) -> Limits:
        """Return what is said of a value beside its type."""
        plain = self._spec.resolve(self._without_null(node)[0])
        found = [(key, value.value) for key, value in plain.items() if key in LIMITS]
        return (*found, *((f"items {key}", value) for key, value in self._of_items(plain)))

    def _of_items(self, node: Node) -> Limits:
        return self.limits(node.get("items")) if node.get("items") else ()

    def model(self, name: str, node: Node, doc: str) -> Model:
        """Return a class for an object with fields."""
        required = node.get("required").strings()
        item = self._page_item(node)
        fields = tuple(
            self._field(wire, value, wire in required, bool(item))
            for wire, value in node.get("properties").items()
        )
        return Model(
            name=name,
            doc=doc,
            base=f"Page[{item}]" if item else "Model",
            item=item,
            ids=tuple(self.ids.of_row(name).items()),
            fields=fields,
            example=node.example,
            reader=f"read_{snake(name)}",
            deprecation=deprecation_of(node, class_name=name),
            location=node.location,
        )

    def _page_item(self, node: Node) -> str:
        """Return the class of the items if the object is a page: a list under `data`."""
        data = self._spec.resolve(node.get("properties", "data"))
        item = self._spec.resolve(data.get("items"))
        is_page = "data" in node.get("required").strings() and item.get("properties")
        return item.key if is_page else ""

    def _field(self, wire: str, node: Node, required: bool, in_page: bool) -> Field:
        kind = self.of(node)
        return Field(
            name=node.text("x-sdk", "name") or wire,
            wire=wire,
            annotation=kind.result_text if required else f"{kind.result} | None",
            argument=kind.argument,
            doc=self.describe(node),
            required=required,
            nullable=kind.nullable,
            essential=required and (wire == "id" or (in_page and wire == "data")),
            secret=node.get("x-sdk", "secret").value is True,
            scalar=kind.scalar,
            kind=kind.kind,
            reader="" if kind.scalar else kind.reader,
            deprecation=deprecation_of(node, now=node.text("x-sdk", "name") or wire),
            location=node.location,
        )

    def models(self) -> tuple[Model, ...]:
        """Return all models used so far, and those that they consist of; pages come last."""
        built: dict[str, Model] = {}
        while len(built) < len(self._models_by_name):
            for name, node in list(self._models_by_name.items()):
                if name not in built:
                    doc = node.text("description") or f"{pascal(name)}."
                    built[name] = self.model(name, node, doc)
        order = [name for name, _ in self._spec.schemas()]
        return tuple(
            sorted(built.values(), key=lambda model: (bool(model.item), order.index(model.name)))
        )

    def enums(self) -> tuple[Enum, ...]:
        """Return all enums used so far, by name."""
        return tuple(self._enums[name] for name in sorted(self._enums))
