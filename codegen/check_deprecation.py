"""What the spec says of the age of things: old names lead somewhere, and end after they begin."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.diagnostics import Diagnostics
from codegen.resource_paths import binds_of, bound_at
from codegen.spec import Call, Spec, path_names
from codegen.yaml_source import Node

__all__ = ["check_old"]


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
    for schema, is_field in _schemas(spec):
        _check_names(schema, is_field, mistakes)


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


def _schemas(spec: Spec) -> Iterator[tuple[Node, bool]]:
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


def _check_names(schema: Node, is_field: bool, mistakes: Diagnostics) -> None:
    for one in schema.get("x-sdk", "was").each():
        if one.get("name") and not is_field:
            mistakes.add(one.get("name").mark, "x-sdk.was.name is for a field of a row")
        if one.get("class") and not (schema.get("properties") or schema.get("enum")):
            text = "x-sdk.was.class is for an object with fields, or an enum"
            mistakes.add(one.get("class").mark, text)
