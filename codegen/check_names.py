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
    """Names of one scope, and who took each first."""

    def __init__(self, kind: str, mistakes: Diagnostics, reserved: tuple[str, ...] = ()) -> None:
        self._kind = kind
        self._mistakes = mistakes
        self._reserved = reserved
        self._taken: dict[str, Location] = {}

    def take(self, name: str, mark: Location) -> None:
        """The name is wanted by what stands at the mark. None at all is told elsewhere."""
        if not name:
            return
        if not is_usable(name) or name.startswith("_"):
            self._mistakes.add(mark, f"{self._kind} {name!r}: cannot be a name in Python")
        elif name in self._reserved:
            self._mistakes.add(mark, f"{self._kind} {name!r}: taken by the library")
        elif name in self._taken:
            text = f"{self._kind} {name!r}: taken already (at {self._taken[name]})"
            self._mistakes.add(mark, text)
        self._taken.setdefault(name, mark)


def check_names(spec: Spec, mistakes: Diagnostics) -> None:
    """Check the names of everything that gets one."""
    classes = Names("class", mistakes, (*HOLDERS, *CONTAINERS))
    for name, mark in _classes(spec):
        classes.take(name, mark)
    constants = Names("operationId", mistakes)
    for call in spec.calls():
        constants.take(constant(call.node.text("operationId")), call.node.mark)
    for schema in _schemas(spec):
        _check_fields(schema, mistakes)
        _check_members(schema, mistakes)
    _check_methods(spec, mistakes)
    _check_parameters(spec, mistakes)
    _check_channels(spec, mistakes)


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
            yield schema.text("x-sdk", "class") or name, schema.mark
        yield from _was(schema.get("x-sdk"), "class")
        for value in schema.get("properties").values():
            if value.get("enum"):
                yield value.text("x-sdk", "class"), value.mark
                yield from _was(value.get("x-sdk"), "class")
    for address, node in spec.rest.get("x-sdk", "resources").items():
        yield from _twins(class_name(address, node), node)
        for name, _ in _was(node, "class"):
            yield from _twins(name, node)
    for key, channel in spec.events.get("channels").items():
        yield from _twins(channel.text("x-sdk", "class"), channel)
        for name, _ in _was(channel.get("x-sdk"), "class"):
            yield from _twins(name, channel)
        yield f"{pascal(channel.text('x-sdk', 'accessor'))}Event", channel.mark
        for operation in spec.event_operations(key):
            if operation.text("action") == "receive":
                yield event_class(spec, operation), operation.mark
                yield from _was(operation.get("x-sdk"), "class")
    yield from _twins(spec.events.text("x-sdk", "class"), spec.events.get("x-sdk"))


def _was(said: Node, key: str) -> Iterator[tuple[str, Location]]:
    """Old names of one kind."""
    for one in said.get("was").each():
        if one.text(key):
            yield one.text(key), one.get(key).mark


def _twins(name: str, node: Node) -> Iterator[tuple[str, Location]]:
    yield name, node.mark
    yield f"Async{name}", node.mark


def _check_fields(schema: Node, mistakes: Diagnostics) -> None:
    fields = Names("field", mistakes, FIELD)
    for name, value in schema.get("properties").items():
        fields.take(value.text("x-sdk", "name") or name, value.mark)
    for value in schema.get("properties").values():
        for name, mark in _was(value.get("x-sdk"), "name"):
            fields.take(name, mark)


def _check_members(schema: Node, mistakes: Diagnostics) -> None:
    members = Names("enum member", mistakes, ("NAME", "VALUE"))
    for value in schema.get("enum").each():
        members.take(member(str(value.value)), value.mark)


def _check_methods(spec: Spec, mistakes: Diagnostics) -> None:
    declared = dict(spec.rest.get("x-sdk", "resources").items())
    scopes = {
        address: Names("method", mistakes, ("id", "row") if binds_of(address) else ())
        for address in declared
    }
    root = Names("resource", mistakes)
    for address, node in declared.items():
        name = "one" if binds_of(address) else attribute_of(address)
        scopes.get(parent_of(address), root).take(name, node.mark)
        for old, mark in _was(node, "name"):
            scopes.get(parent_of(address), root).take(old, mark)
    for call in spec.calls():
        scope = scopes.get(call.sdk.text("resource"))
        for one in call.sdk.get("was").each():
            before = scopes.get(one.text("resource") or call.sdk.text("resource"))
            if before and (one.get("resource") or one.get("method")):
                before.take(one.text("method") or call.sdk.text("method"), one.mark)
        if scope:
            scope.take(call.sdk.text("method"), call.sdk.get("method").mark)
            rule = call.sdk.get("paginate")
            if rule:
                scope.take(rule.text("method") or "iter", rule.mark)
            for keys in (("single",), ("upload",), ("upload", "many"), ("download",), ("follow",)):
                rule = call.sdk.get(*keys)
                scope.take(rule.text("method"), rule.mark)


def _check_parameters(spec: Spec, mistakes: Diagnostics) -> None:
    for call in spec.calls():
        names = Names("parameter", mistakes, PARAMETER)
        bound = bound_at(call.sdk.text("resource"))
        for parameter in call.parameters:
            name = parameter.text("name")
            if name not in bound:
                names.take(parameter.text("schema", "x-sdk", "name") or name, parameter.mark)
        for name, value in spec.request_schema(call).get("properties").items():
            names.take(value.text("x-sdk", "name") or name, value.mark)
        single = call.sdk.get("single")
        names.take(single.text("param"), single.mark)


def _check_channels(spec: Spec, mistakes: Diagnostics) -> None:
    accessors = Names("channel", mistakes, REALTIME)
    for key, channel in spec.events.get("channels").items():
        accessors.take(channel.text("x-sdk", "accessor"), channel.mark)
        for name, mark in _was(channel.get("x-sdk"), "accessor"):
            accessors.take(name, mark)
        methods = Names("method", mistakes, CHANNEL)
        presence = channel.get("x-sdk", "presence", "property")
        if presence:
            methods.take(str(presence.value), presence.mark)
        for operation in spec.event_operations(key):
            said = operation.get("x-sdk")
            methods.take(said.text("callback") or said.text("push"), operation.mark)
            for name, mark in (*_was(said, "callback"), *_was(said, "push")):
                methods.take(name, mark)
            if operation.text("action") == "send":
                _check_push(spec, operation, mistakes)


def _check_push(spec: Spec, operation: Node, mistakes: Diagnostics) -> None:
    reserved = (*PARAMETER, "timeout") if operation.get("reply") else PARAMETER
    names = Names("parameter", mistakes, reserved)
    for name, value in spec.resolve(spec.event_payload(operation)).get("properties").items():
        names.take(value.text("x-sdk", "name") or name, value.mark)


def check_old(spec: Spec, mistakes: Diagnostics) -> None:
    """Check all of it."""
    for root in (spec.rest, spec.events):
        for node in root.walk():
            said = node.get("x-sdk")
            _check_deprecated(node, mistakes)
            for one in (*said.get("was").each(), said.get("deprecated")):
                _check_span(one, mistakes)
    for address, node in spec.rest.get("x-sdk", "resources").items():
        for one in node.get("was").each():
            _check_span(one, mistakes)
            if binds_of(address) and one.get("name"):
                text = f"{address!r} is a handle, which has no name of its own"
                mistakes.add(one.get("name").mark, text)
    for call in spec.calls():
        _check_moved(spec, call, mistakes)
        _check_none_on(call, mistakes)
    for schema, is_field in _renamable(spec):
        _check_renamed(schema, is_field, mistakes)


def _check_span(node: Node, mistakes: Diagnostics) -> None:
    since, until = node.text("since"), node.text("until")
    if since and until and _release(until) <= _release(since):
        mistakes.add(node.get("until").mark, f"it ends with {until}, but begins with {since}")


def _release(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isdigit()]


def _check_deprecated(node: Node, mistakes: Diagnostics) -> None:
    """The standard's own word must be there too, where there is one."""
    said = node.get("x-sdk", "deprecated")
    word = node.get("deprecated")
    has_word = not node.get("action")
    # In x-sdk itself, and where a field is called so, the word is another one.
    if word.mapping and node.get("responses"):
        mistakes.add(word.mark, "'deprecated' is true or false; the rest goes to x-sdk")
    if said and has_word and node.get("deprecated").value is not True:
        mistakes.add(said.mark, "x-sdk.deprecated goes with 'deprecated: true' beside x-sdk")


def _check_moved(spec: Spec, call: Call, mistakes: Diagnostics) -> None:
    declared = spec.rest.get("x-sdk", "resources").mapping
    for one in call.sdk.get("was").each():
        address = one.text("resource")
        mark = one.get("resource").mark
        if address and address not in declared:
            text = f"no resource {address!r} in x-sdk.resources"
            mistakes.unknown(mark, text, address, declared)
        for name in bound_at(address):
            if name not in path_names(call.path):
                mistakes.add(mark, f"{address!r} binds {name!r}, which is not in {call.path!r}")


def _check_none_on(call: Call, mistakes: Diagnostics) -> None:
    for other in ("paginate", "single", "upload", "download"):
        if call.sdk.get("none_on") and call.sdk.get(other):
            mistakes.add(call.sdk.get("none_on").mark, f"'none_on' does not go with {other!r}")


def _renamable(spec: Spec) -> Iterator[tuple[Node, bool]]:
    """Schemas that may have had another name, and whether each is a field of a row."""
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


def _check_renamed(schema: Node, is_field: bool, mistakes: Diagnostics) -> None:
    for one in schema.get("x-sdk", "was").each():
        if one.get("name") and not is_field:
            mistakes.add(one.get("name").mark, "x-sdk.was.name is for a field of a row")
        if one.get("class") and not (schema.get("properties") or schema.get("enum")):
            text = "x-sdk.was.class is for an object with fields, or an enum"
            mistakes.add(one.get("class").mark, text)
