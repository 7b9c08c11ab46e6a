"""Schemas -> types, models, enums and IDs. What cannot be built is reported where it stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import attrs

from codegen.ir import Alias, Deprecation, Enum, Field, Lifted, Limits, Model, Param, Request
from codegen.kinds import ANYTHING, INSIDE, STRING, TypeRef
from codegen.naming import binds_of, class_name, member, pascal, snake
from codegen.spec import Spec
from codegen.yaml_source import Node

__all__ = [
    "Ids",
    "Schemas",
    "deprecation_of",
    "field_name",
    "kind_of",
]

SCALARS: Final = ("boolean", "integer", "number", "string")
FORMATS: Final = {
    "string": ("date-time", "uuid", "uri", "email"),
    "integer": ("int32", "int64"),
    "number": ("float", "double"),
}
"""What may stand as `format`. All but `date-time` and `uuid` say no more than the description."""

LIMITS: Final = (
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "default",
)
"""What may be said of a value beside its type. Checked by the server."""


def deprecation_of(
    node: Node, sdk: Node, key: str = "name", now: str = "", class_name: str = ""
) -> Deprecation:
    """Return since when something exists, whether it is deprecated, and its old names.

    Args:
        node: Where it is declared.
        sdk: What `x-sdk` says of it.
        key: What `was` calls its everyday name.
        now: The name that it has now.
        class_name: The name of its class, if it has one of its own.
    """
    says = sdk.get("deprecated")
    # The standard's own word; in AsyncAPI, and for a resource, there is none.
    word = node.flag("deprecated") if node.pointer != sdk.pointer else False
    if says and not word and node.pointer[:1] in (("paths",), ("components",)):
        says.wrong("x-sdk.deprecated goes with 'deprecated: true' beside x-sdk")
    since, use, until = (says.text(key) for key in ("since", "use", "until"))
    notice = "".join(
        [
            f"{now} is deprecated",
            f" since {since}" if since else "",
            f", use {use} instead" if use else "",
            f"; it ends with {until}" if until else "",
        ]
    )
    aliases = [
        *_aliases(sdk, key, now),
        *(_aliases(sdk, "class", class_name, "class") if class_name else ()),
    ]
    return Deprecation(
        since=sdk.text("since"),
        deprecated=notice if word or says else "",
        until=until,
        aliases=tuple(aliases),
    )


def _aliases(sdk: Node, key: str, now: str, kind: str = "") -> Iterator[Alias]:
    for was in sdk.get("was").each():
        if was.peek(key):
            yield Alias(
                name=was.text(key),
                now=now,
                since=was.text("since"),
                until=was.text("until"),
                kind=kind,
                location=was.location,
            )


def kind_of(name: str) -> str:
    """Return what the value of a path with this name is the ID of."""
    return name.removesuffix("_id")


def field_name(node: Node) -> str:
    """Return what a field is called in Python."""
    return str(node.peek("x-sdk", "name").value or node.key)


class Ids:
    """What the spec says of IDs.

    A string with `format: uuid` is an ID, and the end of its name says of what: `old_book_id` is
    that of a book. So is an integer whose name ends like that of the value of a path. Where the
    name does not say it, `x-sdk.id_of` does, as for an ID of another form. An object stands in for
    the ID of its own kind: a model that is called like it, or has a field that says `id_of`, and
    the handle that binds it.
    """

    def __init__(self, spec: Spec, received: Iterable[str]) -> None:
        declared = list(spec.resources())
        self.handles = {
            kind_of(binds_of(address)): class_name(address, node)
            for address, node in declared
            if binds_of(address)
        }
        paths = {
            str(node.peek("name").value): node
            for call in spec.calls()
            for node in call.parameters
            if node.peek("in").value == "path"
        }
        self._kinds = {*self.handles, *map(kind_of, paths)}
        self.models: dict[str, dict[str, str]] = {}
        """By kind: the classes of models, and the field of each that has the ID."""
        for name in received:
            for field, kind in self._ids_in(name, spec.peek_schema(name)):
                self.models.setdefault(kind, {})[name] = field
        for address, node in declared:
            if node.peek("row"):
                row = str(node.peek("row").value)
                self.models.setdefault(kind_of(binds_of(address)), {})[row] = "id"
        # Nothing takes the IDs of the other models.
        self.models = {
            kind: models
            for kind, models in self.models.items()
            if kind.split(".")[0] in self._kinds
        }
        self.segments = {
            name for name, node in paths.items() if self.of(name, node.peek("schema")) is None
        }
        """Names of values that are no IDs and stand in a path."""
        self.bound = {name: self.type(name, node.peek("schema")) for name, node in paths.items()}
        """The types of values of paths."""

    def _ids_in(self, name: str, schema: Node) -> Iterator[tuple[str, str]]:
        """Yield which fields of a model are its own IDs, and of what kind."""
        for node in schema.peek("properties").children():
            field = field_name(node)
            kind = node.peek("x-sdk", "id_of").value
            if isinstance(kind, str):
                yield field, kind
            elif field == "id" and (_is_uuid(node) or node.peek("type").value == "integer"):
                yield field, snake(name)

    def of(self, name: str, schema: Node) -> str | None:
        """Return what this is the ID of: "" when that is not known, None when it is no ID."""
        kind = schema.peek("x-sdk", "id_of").value
        if isinstance(kind, str):
            return kind
        kinds = sorted({*self._kinds, *self.models}, key=len, reverse=True)
        words = f"_{name.removesuffix('s')}"
        kind = next((kind for kind in kinds if words.endswith(f"_{kind}_id")), None)
        if schema.peek("type").value == "integer":
            return kind
        return (kind or "") if _is_uuid(schema) else None

    def is_number(self, name: str) -> bool:
        """Whether the value of a path with this name is a number."""
        bound = self.bound.get(name)
        return bound is not None and bound.kind in ("integer", "number id")

    def type(self, name: str, schema: Node) -> TypeRef:
        """Return the type of an ID as an argument, of a plain string for what is none."""
        kind = self.of(name, schema)
        if kind is None:
            is_number = schema.peek("type").value == "integer"
            return TypeRef(kind="integer") if is_number else STRING
        return self.id_type(kind, is_number=schema.peek("type").value == "integer")

    def id_type(self, kind: str, *, is_number: bool = False) -> TypeRef:
        """Return the type of an ID of something as an argument."""
        own = ("int",) if is_number else ("str", "UUID")
        return TypeRef(
            kind="number id" if is_number else "id",
            name=kind,
            values=(*own, *self.models.get(kind, {})),
            handle=self.handles.get(kind, ""),
        )

    def of_model(self, name: str) -> tuple[tuple[str, str], ...]:
        """Return the IDs that the objects of a class have: what each belongs to, and its field."""
        return tuple((kind, models[name]) for kind, models in self.models.items() if name in models)


def _is_uuid(schema: Node) -> bool:
    return schema.peek("format").value == "uuid"


class Schemas:
    """Turns schemas into types, and remembers which models, enums and requests they need."""

    def __init__(self, spec: Spec) -> None:
        self.spec: Final = spec
        self._received = spec.names_within(spec.received())
        self._sent = spec.names_within(spec.sent())
        self.ids: Final = Ids(spec, self._received)
        self._enums_are = spec.root_sdk.text("enums") or "open"
        self._models: dict[str, Node] = {}
        self._enums: dict[str, Enum] = {}
        self._passed: dict[str, Node] = {}

    def of(self, node: Node, place: str = "model") -> TypeRef:
        """Return the type of a schema that stands in a place, given as written or by reference."""
        type_ = self._of(node, place)
        # What was reported already is this very type.
        if place not in type_.row.places.split() and type_ is not ANYTHING:
            node.wrong(f"{_article(type_.kind)} cannot stand in a {place}")
        return type_

    def _of(self, node: Node, place: str) -> TypeRef:
        node.text("description")
        if node.get("$ref"):
            return self._of(self.spec.resolve(node), place)
        if node.get("oneOf"):
            return self._union(node, place)
        kinds = [one for one in _types(node) if one != "null"]
        if len(kinds) > 1:
            return self._joined(node, [self._plain(node, kind, place) for kind in kinds])
        type_ = self._plain(node, kinds[0] if kinds else "", place)
        return type_.null if "null" in _types(node) else type_

    def _union(self, node: Node, place: str) -> TypeRef:
        choices = list(node.get("oneOf").each())
        nulls = [one for one in choices if one.peek("type").value == "null" and one.text("type")]
        parts = [self._of(one, place) for one in choices if one not in nulls]
        type_ = parts[0] if len(parts) == 1 else self._joined(node, parts)
        return type_.null if nulls else type_

    def _joined(self, node: Node, parts: list[TypeRef]) -> TypeRef:
        """Return a union; its choices must differ in what JSON calls them."""
        taken: dict[str, TypeRef] = {}
        for part in parts:
            for name in part.row.json.split() or ["?"]:
                if part.kind == "anything" or taken.setdefault(name, part) is not part:
                    node.wrong("schema: JSON does not tell the choices apart")
                    return ANYTHING
        return TypeRef(
            kind="union",
            parts=tuple(part.plain for part in parts),
            nullable=any(part.nullable for part in parts),
        )

    def _plain(self, node: Node, kind: str, place: str) -> TypeRef:
        form = node.text("format")
        if form and form not in FORMATS.get(kind, ()):
            choices = FORMATS.get(kind, ())
            node.get("format").wrong(f"schema: no format {form!r} of {kind}", form, choices)
        match kind:
            case _ if node.get("enum"):
                return self._enum(node)
            case "array":
                items = node.get("items")
                if not items:
                    node.wrong("schema: an array needs 'items'")
                return TypeRef(kind="list", parts=(self.of(items, INSIDE.get(place, place)),))
            case "object":
                return self._object(node, place)
            case "string" if form == "date-time":
                return TypeRef(kind="time")
            case "string" | "integer" | "number" | "boolean":
                return TypeRef(kind=kind)
            case "":
                return TypeRef(kind="anything")
            case _:
                return ANYTHING

    def _object(self, node: Node, place: str) -> TypeRef:
        values = node.get("additionalProperties")
        if node.get("properties"):
            return self._named(node, place)
        if not values.mapping:
            return TypeRef(kind="object")
        return TypeRef(kind="map", parts=(self.of(values, INSIDE.get(place, place)),))

    def _named(self, node: Node, place: str) -> TypeRef:
        """Return the type of an object with fields."""
        if node.pointer[:-1] != ("components", "schemas"):
            node.wrong("an object with fields needs a name: declare it in components")
            return ANYTHING
        name = node.key
        if place in ("body", "push"):
            self._passed.setdefault(name, node)
            fields = self.request_name(name)
            values = (name, fields) if name in self._received else (fields,)
            return TypeRef(kind="model", name=name, values=values)
        self._models.setdefault(name, node)
        return TypeRef(kind="model", name=name, values=(name,))

    def request_name(self, name: str) -> str:
        """Return the class of what is sent: of a schema that is received too, another one."""
        return f"{name}Fields" if name in self._received else name

    def _enum(self, node: Node) -> TypeRef:
        sdk = self.spec.sdk(node, "schema")
        is_named = node.pointer[:-1] == ("components", "schemas")
        name = sdk.text("class") or (node.key if is_named else "")
        values = node.strings("enum")
        if node.text("type") != "string":
            node.get("enum").wrong("schema: only strings can have an 'enum'")
        if not values:
            node.get("enum").wrong("an enum needs values")
        names: dict[str, Node] = {}
        for one in node.get("enum").each():
            first = names.setdefault(member(str(one.value)), one)
            if first is not one:
                one.wrong(f"{member(str(one.value))!r}: taken already (at {first.location})")
        if not name:
            node.wrong("an enum needs a name: x-sdk.class, or declare it in components")
            return STRING
        self._enums[name] = Enum(
            name=name,
            doc=node.text("description") or f"Values of `{snake(name)}`.",
            members=tuple((member(value), value) for value in values),
            open=(sdk.text("enums") or self._enums_are) == "open",
            reader=f"read_{snake(name)}",
            deprecation=deprecation_of(node, sdk, class_name=name)
            if is_named
            else _class_age(sdk, name),
            location=node.location,
        )
        return TypeRef(kind="enum", name=name, values=tuple(values))

    def argument(self, name: str, node: Node, where: str) -> TypeRef:
        """Return the type of a parameter by its wire name: IDs may be given as objects."""
        type_ = self.of(node, where)
        schema = self.spec.without_null(node)
        items = self.spec.without_null(schema.peek("items")) if type_.kind == "list" else None
        owner = self.ids.of(name, items or schema)
        if owner is None:
            addressed = where == "body" and name in self.ids.segments and type_.kind == "string"
            return attrs.evolve(type_, kind="segment") if addressed else type_
        plain = type_.parts[0] if items else type_
        if plain.kind not in ("string", "integer"):
            return type_
        own = attrs.evolve(
            self.ids.id_type(owner, is_number=plain.kind == "integer"), nullable=plain.nullable
        )
        return attrs.evolve(type_, parts=(own,)) if items else own

    def describe(self, node: Node) -> str:
        """Return the description of a value: where it is used, else where it is declared."""
        own = node.text("description")
        return own or self.spec.without_null(node).text("description")

    def model(self, name: str, node: Node, doc: str) -> Model:
        """Return a class for an object with fields."""
        self._check_object(node)
        sdk = self.spec.sdk(node, "schema")
        required = node.strings("required")
        item = self.page_item(node)
        node.flag("additionalProperties")
        fields = tuple(
            self._field(wire, value, wire in required, bool(item))
            for wire, value in node.get("properties").items()
        )
        return Model(
            name=name,
            doc=doc,
            base=f"Page[{item}]" if item else "Model",
            item=item,
            ids=self.ids.of_model(name),
            refs=tuple(self._refs(node)),
            lifted=tuple(self.lifted(node)),
            fields=fields,
            example=node.example,
            reader=f"read_{snake(name)}",
            deprecation=deprecation_of(node, sdk, "", class_name=name),
            location=node.location,
        )

    def _refs(self, node: Node) -> Iterator[tuple[str, str]]:
        """Yield which fields of a model are IDs of other objects that it refers to."""
        taken: dict[str, Node] = {}
        for field, owner in self._with_lifted(node):
            rule = field.peek("x-sdk", "refers_to")
            if not rule:
                continue
            kind, name = str(rule.value), field_name(field)
            first = taken.setdefault(kind, rule)
            if kind not in self.ids.models:
                rule.wrong(f"no object has the ID of a {kind!r}", kind, self.ids.models)
            elif "string" not in _type_names(self.spec.without_null(field)):
                rule.wrong(f"{name!r} is not a string")
            elif first is not rule:
                owner.wrong(f"{kind!r} is referred to already (at {first.location})")
            else:
                yield kind, name

    def _with_lifted(self, node: Node) -> Iterator[tuple[Node, Node]]:
        """Yield the fields of a model, and those that it has of its lists, and where it says so."""
        for field in node.peek("properties").children():
            yield field, field
            items = self._items(field)
            for rule in field.peek("x-sdk", "lift").children():
                shared = items.peek("properties", str(rule.value))
                if shared:
                    yield shared, rule

    def _items(self, field: Node) -> Node:
        """Return the schema of the items of a list."""
        return self.spec.without_null(self.spec.without_null(field).peek("items"))

    def lifted(self, node: Node) -> Iterator[Lifted]:
        """Yield what the objects of a class have of the items of their lists."""
        for field in node.peek("properties").children():
            rule = self.spec.sdk(field, "schema").get("lift")
            fields = self._items(field).peek("properties")
            if rule and not fields:
                rule.wrong("'lift' needs a list of objects with fields")
                continue
            for one in rule.each():
                name = str(one.value)
                if name not in fields.mapping:
                    one.wrong(f"the items have no {name!r}", name, fields.mapping)
                    continue
                shared = fields.peek(name)
                yield Lifted(
                    name=field_name(shared),
                    items=field_name(field),
                    type=self.of(fields.get(name)).null,
                    doc=self.describe(shared),
                    location=one.location,
                )

    def _check_object(self, node: Node) -> None:
        if node and node.text("type") != "object":
            node.wrong("schema: what has 'properties' is of type 'object'")
        fields = node.get("properties").mapping
        for one in node.get("required").each():
            if str(one.value) not in fields:
                text = f"required field {one.value!r} is not declared"
                one.wrong(text, str(one.value), fields)

    def page_item(self, node: Node) -> str:
        """Return the class of the items if the object is a page: a list that is called `data`."""
        required = node.strings("required")
        for field in node.peek("properties").children():
            item = self.spec.without_null(self.spec.without_null(field).peek("items"))
            if field_name(field) == "data" and field.key in required and item.peek("properties"):
                return item.key
        return ""

    def _limits(self, node: Node) -> Limits:
        """Return what a schema, as it is used and as it is declared, says beside its type."""
        plain = self.spec.without_null(node)
        found = {name: said for one in (plain, node) for name in LIMITS if (said := one.get(name))}
        limits = tuple((name, said.take()) for name, said in found.items())
        items = self._limits(plain.get("items")) if plain.peek("items") else ()
        return (*limits, *((f"items {name}", value) for name, value in items))

    def _field(self, wire: str, node: Node, required: bool, in_page: bool) -> Field:
        type_, sdk = self.of(node), self.spec.sdk(node, "schema")
        name = sdk.text("name") or wire
        self.ids.of(name, node)
        sdk.text("id_of")
        sdk.text("refers_to")
        if type_.kind == "list":
            self.spec.sdk(self.spec.without_null(node).get("items"), "items").text("id_of")
        return Field(
            name=name,
            wire=wire,
            type=type_,
            doc=self.describe(node),
            required=required,
            essential=required and (name == "id" or (in_page and name == "data")),
            secret=sdk.flag("secret"),
            limits=self._limits(node),
            deprecation=deprecation_of(node, sdk, now=name),
            location=node.location,
        )

    def param(
        self,
        wire: str,
        where: str,
        schema: Node,
        *,
        required: bool,
        positional: Iterable[str] = (),
        doc: str = "",
        declared: Node | None = None,
    ) -> Param:
        """Return a parameter.

        Args:
            wire: Its name in HTTP or JSON.
            where: `path`, `query`, `header`, `body` or `push`.
            schema: Of its value.
            required: Whether it cannot be left out.
            positional: Names that may be passed by position.
            doc: What it is, if the schema does not say it.
            declared: Where it is declared, if that is not the schema.
        """
        sdk = self.spec.sdk(schema, "schema")
        name = sdk.text("name") or wire
        type_ = self.argument(wire, schema, where)
        sdk.text("id_of")
        if type_.kind == "list":
            self.spec.sdk(self.spec.without_null(schema).get("items"), "items").text("id_of")
        text = doc or self.describe(schema)
        if not text:
            schema.wrong(f"{wire!r} needs a description")
        limits = self._limits(schema)
        generate = sdk.get("generate") if where == "body" else sdk.peek("nothing")
        return Param(
            name=name,
            wire=wire,
            where="body" if where == "push" else where,
            type=type_,
            required=required,
            positional=name in positional,
            generate=generate.value == "uuid4",
            doc=text,
            limits=limits,
            deprecation=deprecation_of(declared or schema, sdk, now=name),
            location=(declared or schema).location,
        )

    def fields_of(
        self, request: Node, place: str = "body", positional: Iterable[str] = ()
    ) -> tuple[Param, ...]:
        """Return the fields of an object that is sent, as parameters."""
        self._check_object(request)
        required = request.strings("required")
        request.flag("additionalProperties")
        return tuple(
            self.param(name, place, schema, required=name in required, positional=positional)
            for name, schema in request.get("properties").items()
        )

    def requests(self, schemas: Iterable[Node]) -> tuple[Request, ...]:
        """Return what is sent, under the names of the spec: these, and what stands in them."""
        built: dict[str, Request] = {}
        todo = {node.key: node for node in schemas if node.pointer[:1] == ("components",)}
        while todo:
            for name, node in todo.items():
                fields = self.fields_of(node)
                built[name] = Request(
                    name=self.request_name(name),
                    doc=node.text("description"),
                    fields=fields,
                    is_passed=False,
                    location=node.location,
                )
                node.get("examples").take()
            todo = {name: node for name, node in self._passed.items() if name not in built}
        return tuple(
            attrs.evolve(built[name], is_passed=name in self._passed) for name in sorted(built)
        )

    def models(self) -> tuple[Model, ...]:
        """Return all models used so far, and those that they consist of; pages come last."""
        built: dict[str, Model] = {}
        while len(built) < len(self._models):
            for name, node in list(self._models.items()):
                if name not in built:
                    doc = node.text("description") or f"{pascal(name)}."
                    built[name] = self.model(name, node, doc)
        order = self.spec.schema_names()
        return tuple(
            sorted(built.values(), key=lambda model: (bool(model.item), order.index(model.name)))
        )

    def enums(self) -> tuple[Enum, ...]:
        """Return all enums used so far, by name."""
        return tuple(self._enums[name] for name in sorted(self._enums))


def _class_age(sdk: Node, name: str) -> Deprecation:
    """Return the old names of the class of an enum that stands in a field."""
    return Deprecation(aliases=tuple(_aliases(sdk, "class", name, "class")))


def _types(node: Node) -> list[str]:
    """Return the types of a schema; those that there are not are reported."""
    declared = node.get("type")
    names = [declared.value] if isinstance(declared.value, str) else node.strings("type")
    for name in names:
        if name not in (*SCALARS, "array", "object", "null"):
            known = (*SCALARS, "array", "object")
            declared.wrong(f"schema: no type {name!r}", str(name), known)
    return [str(name) for name in names]


def _type_names(node: Node) -> list[object]:
    """Return the types of a schema, and leave no trace."""
    declared = node.peek("type")
    return [one.value for one in declared.children()] or [declared.value]


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"
