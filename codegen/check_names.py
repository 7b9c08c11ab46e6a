"""Names: usable in Python, unique in their scope; old names lead somewhere and expire."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from codegen.build_events import event_class
from codegen.imports import HOLDERS
from codegen.naming import (
    attribute_of,
    binds_of,
    bound_at,
    class_name,
    constant,
    is_usable,
    member,
    parent_of,
    pascal,
)
from codegen.spec import Call, Spec, path_names
from codegen.yaml_source import Diagnostics, Location, Node

__all__ = [
    "check_names",
    "check_old",
]

CONTAINERS: Final = tuple(
    f"{prefix}{name}" for prefix in ("", "Async") for name in ("Resources", "BackendResources")
)
CHANNEL: Final = ("close", "events", "leave", "push", "topic", "wait_joined")
FIELD: Final = ("attrs", "bool", "datetime", "dict", "extra", "float", "int", "list", "str")
PARAMETER: Final = ("datetime", "options", "self")
REALTIME: Final = ("connect", "disconnect", "leave", "on_status", "status")


class Names:
    """Names of one scope, and the location that took each first."""

    def __init__(self, kind: str, diagnostics: Diagnostics, reserved: tuple[str, ...] = ()) -> None:
        self._kind = kind
        self._diagnostics = diagnostics
        self._reserved = reserved
        self._taken: dict[str, Location] = {}

    def take(self, name: str, location: Location) -> None:
        """Take a name for the thing at the location. An empty one is reported elsewhere."""
        if not name:
            return
        if not is_usable(name) or name.startswith("_"):
            self._diagnostics.add(location, f"{self._kind} {name!r}: cannot be a name in Python")
        elif name in self._reserved:
            self._diagnostics.add(location, f"{self._kind} {name!r}: taken by the library")
        elif name in self._taken:
            text = f"{self._kind} {name!r}: taken already (at {self._taken[name]})"
            self._diagnostics.add(location, text)
        self._taken.setdefault(name, location)


def check_names(spec: Spec, diagnostics: Diagnostics) -> None:
    """Check all names."""
    classes = Names("class", diagnostics, (*HOLDERS, *CONTAINERS))
    for name, location in _classes(spec):
        classes.take(name, location)
    constants = Names("operationId", diagnostics)
    for call in spec.calls():
        constants.take(constant(call.node.text("operationId")), call.node.location)
    for schema in _schemas(spec):
        _check_fields(schema, diagnostics)
        _check_members(schema, diagnostics)
    _check_methods(spec, diagnostics)
    _check_parameters(spec, diagnostics)
    _check_channels(spec, diagnostics)


def _schemas(spec: Spec) -> Iterator[Node]:
    for _, schema in spec.schemas():
        yield schema
        yield from schema.get("properties").values()
    for operation in spec.events.get("operations").values():
        payload = spec.event_payload(operation)
        if not payload.get("$ref"):
            yield payload


def _classes(spec: Spec) -> Iterator[tuple[str, Location]]:
    for name, schema in spec.schemas():
        if schema.get("properties") or schema.get("enum"):
            yield schema.text("x-sdk", "class") or name, schema.location
        yield from _was(schema.get("x-sdk"), "class")
        for value in schema.get("properties").values():
            if value.get("enum"):
                yield value.text("x-sdk", "class"), value.location
                yield from _was(value.get("x-sdk"), "class")
    for address, node in spec.rest.get("x-sdk", "resources").items():
        yield from _twins(class_name(address, node), node)
        for name, _ in _was(node, "class"):
            yield from _twins(name, node)
    for key, channel in spec.events.get("channels").items():
        yield from _twins(channel.text("x-sdk", "class"), channel)
        for name, _ in _was(channel.get("x-sdk"), "class"):
            yield from _twins(name, channel)
        yield f"{pascal(channel.text('x-sdk', 'accessor'))}Event", channel.location
        for operation in spec.event_operations(key):
            if operation.text("action") == "receive":
                yield event_class(spec, operation), operation.location
                yield from _was(operation.get("x-sdk"), "class")
    yield from _twins(spec.events.text("x-sdk", "class"), spec.events.get("x-sdk"))


def _was(sdk: Node, key: str) -> Iterator[tuple[str, Location]]:
    """Yield the old names of one kind."""
    for one in sdk.get("was").each():
        if one.text(key):
            yield one.text(key), one.get(key).location


def _twins(name: str, node: Node) -> Iterator[tuple[str, Location]]:
    yield name, node.location
    yield f"Async{name}", node.location


def _check_fields(schema: Node, diagnostics: Diagnostics) -> None:
    fields = Names("field", diagnostics, FIELD)
    for name, value in schema.get("properties").items():
        fields.take(value.text("x-sdk", "name") or name, value.location)
    for value in schema.get("properties").values():
        for name, location in _was(value.get("x-sdk"), "name"):
            fields.take(name, location)


def _check_members(schema: Node, diagnostics: Diagnostics) -> None:
    members = Names("enum member", diagnostics, ("NAME", "VALUE"))
    for value in schema.get("enum").each():
        members.take(member(str(value.value)), value.location)


def _check_methods(spec: Spec, diagnostics: Diagnostics) -> None:
    declared = dict(spec.rest.get("x-sdk", "resources").items())
    scopes = {
        address: Names("method", diagnostics, ("id", "row") if binds_of(address) else ())
        for address in declared
    }
    root = Names("resource", diagnostics)
    for address, node in declared.items():
        name = "one" if binds_of(address) else attribute_of(address)
        scopes.get(parent_of(address), root).take(name, node.location)
        for old, location in _was(node, "name"):
            scopes.get(parent_of(address), root).take(old, location)
    for call in spec.calls():
        scope = scopes.get(call.sdk.text("resource"))
        for one in call.sdk.get("was").each():
            before = scopes.get(one.text("resource") or call.sdk.text("resource"))
            if before and (one.get("resource") or one.get("method")):
                before.take(one.text("method") or call.sdk.text("method"), one.location)
        if scope:
            scope.take(call.sdk.text("method"), call.sdk.get("method").location)
            rule = call.sdk.get("paginate")
            if rule:
                scope.take(rule.text("method") or "iter", rule.location)
            for keys in (("single",), ("upload",), ("upload", "many"), ("download",), ("follow",)):
                rule = call.sdk.get(*keys)
                scope.take(rule.text("method"), rule.location)


def _check_parameters(spec: Spec, diagnostics: Diagnostics) -> None:
    for call in spec.calls():
        names = Names("parameter", diagnostics, PARAMETER)
        bound = bound_at(call.sdk.text("resource"))
        for parameter in call.parameters:
            name = parameter.text("name")
            if name not in bound:
                names.take(parameter.text("schema", "x-sdk", "name") or name, parameter.location)
        for name, value in spec.request_schema(call).get("properties").items():
            names.take(value.text("x-sdk", "name") or name, value.location)
        single = call.sdk.get("single")
        names.take(single.text("param"), single.location)


def _check_channels(spec: Spec, diagnostics: Diagnostics) -> None:
    accessors = Names("channel", diagnostics, REALTIME)
    for key, channel in spec.events.get("channels").items():
        accessors.take(channel.text("x-sdk", "accessor"), channel.location)
        for name, location in _was(channel.get("x-sdk"), "accessor"):
            accessors.take(name, location)
        methods = Names("method", diagnostics, CHANNEL)
        presence = channel.get("x-sdk", "presence", "property")
        if presence:
            methods.take(str(presence.value), presence.location)
        for operation in spec.event_operations(key):
            sdk = operation.get("x-sdk")
            methods.take(sdk.text("callback") or sdk.text("push"), operation.location)
            for name, location in (*_was(sdk, "callback"), *_was(sdk, "push")):
                methods.take(name, location)
            if operation.text("action") == "send":
                _check_push(spec, operation, diagnostics)


def _check_push(spec: Spec, operation: Node, diagnostics: Diagnostics) -> None:
    reserved = (*PARAMETER, "timeout") if operation.get("reply") else PARAMETER
    names = Names("parameter", diagnostics, reserved)
    for name, value in spec.resolve(spec.event_payload(operation)).get("properties").items():
        names.take(value.text("x-sdk", "name") or name, value.location)


def check_old(spec: Spec, diagnostics: Diagnostics) -> None:
    """Check deprecations, old names and releases."""
    for root in (spec.rest, spec.events):
        for node in root.walk():
            sdk = node.get("x-sdk")
            _check_deprecated(node, diagnostics)
            for one in (*sdk.get("was").each(), sdk.get("deprecated")):
                _check_span(one, diagnostics)
    for address, node in spec.rest.get("x-sdk", "resources").items():
        for one in node.get("was").each():
            _check_span(one, diagnostics)
            if binds_of(address) and one.get("name"):
                text = f"{address!r} is a handle, which has no name of its own"
                diagnostics.add(one.get("name").location, text)
    for call in spec.calls():
        _check_moved(spec, call, diagnostics)
        _check_none_on(call, diagnostics)
    for schema, is_field in _renamable(spec):
        _check_renamed(schema, is_field, diagnostics)


def _check_span(node: Node, diagnostics: Diagnostics) -> None:
    since, until = node.text("since"), node.text("until")
    if since and until and _release(until) <= _release(since):
        diagnostics.add(
            node.get("until").location, f"it ends with {until}, but begins with {since}"
        )


def _release(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isdigit()]


def _check_deprecated(node: Node, diagnostics: Diagnostics) -> None:
    """Check that the standard's own `deprecated` is there too."""
    sdk = node.get("x-sdk", "deprecated")
    word = node.get("deprecated")
    has_word = not node.get("action")
    # In x-sdk itself, and where a field is called so, the word is another one.
    if word.mapping and node.get("responses"):
        diagnostics.add(word.location, "'deprecated' is true or false; the rest goes to x-sdk")
    if sdk and has_word and node.get("deprecated").value is not True:
        diagnostics.add(sdk.location, "x-sdk.deprecated goes with 'deprecated: true' beside x-sdk")


def _check_moved(spec: Spec, call: Call, diagnostics: Diagnostics) -> None:
    declared = spec.rest.get("x-sdk", "resources").mapping
    for one in call.sdk.get("was").each():
        address = one.text("resource")
        location = one.get("resource").location
        if address and address not in declared:
            text = f"no resource {address!r} in x-sdk.resources"
            diagnostics.unknown(location, text, address, declared)
        for name in bound_at(address):
            if name not in path_names(call.path):
                diagnostics.add(
                    location, f"{address!r} binds {name!r}, which is not in {call.path!r}"
                )


def _check_none_on(call: Call, diagnostics: Diagnostics) -> None:
    for other in ("paginate", "single", "upload", "download"):
        if call.sdk.get("none_on") and call.sdk.get(other):
            diagnostics.add(
                call.sdk.get("none_on").location, f"'none_on' does not go with {other!r}"
            )


def _renamable(spec: Spec) -> Iterator[tuple[Node, bool]]:
    """Yield schemas that may have had another name, and whether each is a field of a model."""
    sent = {
        field.pointer
        for call in spec.calls()
        for field in spec.request_schema(call).get("properties").values()
    }
    for _, schema in spec.schemas():
        yield schema, False
        for field in schema.get("properties").values():
            yield field, field.pointer not in sent
    for call in spec.calls():
        for parameter in call.parameters:
            yield parameter.get("schema"), False


def _check_renamed(schema: Node, is_field: bool, diagnostics: Diagnostics) -> None:
    for one in schema.get("x-sdk", "was").each():
        if one.get("name") and not is_field:
            diagnostics.add(one.get("name").location, "x-sdk.was.name is for a field of a model")
        if one.get("class") and not (schema.get("properties") or schema.get("enum")):
            text = "x-sdk.was.class is for an object with fields, or an enum"
            diagnostics.add(one.get("class").location, text)
