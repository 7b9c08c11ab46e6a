"""The outer shape of both files: known keys in known places, and references that lead somewhere.

What the generator does not understand is refused, so that nothing in a spec is without effect.
"""

from __future__ import annotations

from typing import Final

from codegen.diagnostics import Diagnostics
from codegen.spec import VERBS, Spec
from codegen.yaml_source import Node

__all__ = ["check_documents"]

JSON: Final = "application/json"

KEYS: Final = {
    "openapi": "openapi info servers security tags x-sdk paths components",
    "openapi components": "securitySchemes parameters responses requestBodies schemas",
    "path": f"parameters {' '.join(VERBS)}",
    "operation": (
        "tags operationId summary description deprecated parameters requestBody responses security"
        " x-sdk"
    ),
    "parameter": "name in required description schema $ref",
    "request body": "required description content $ref",
    "response": "description content $ref",
    "content": JSON,
    "media type": "schema",
    "asyncapi": "asyncapi info defaultContentType x-sdk servers channels operations components",
    "asyncapi components": "securitySchemes messages schemas",
    "channel": "address title parameters messages x-sdk",
    "channel operation": "action channel summary messages reply x-sdk",
    "payload": "name payload $ref",
    "reply": "channel messages",
    "reply payload": "name payload $ref",
}

NEEDED: Final = {
    "openapi": "openapi x-sdk paths components",
    "operation": "operationId summary responses x-sdk",
    "parameter": "name in description schema",
    "media type": "schema",
    "asyncapi": "asyncapi x-sdk channels operations",
    "channel": "address title parameters x-sdk",
    "channel operation": "action channel summary messages x-sdk",
    "payload": "name payload",
    "reply": "messages",
    "reply payload": "payload",
}


def check_documents(spec: Spec, mistakes: Diagnostics) -> None:
    """Keys and references of both files."""
    for place, node in [*_rest_places(spec), *_event_places(spec)]:
        _check_keys(place, node, mistakes)
    for root in (spec.rest, spec.events):
        for node in root.walk():
            if node.get("$ref"):
                _check_reference(spec, node, mistakes)


def _rest_places(spec: Spec) -> list[tuple[str, Node]]:
    root = spec.rest
    found = [("openapi", root), ("openapi components", root.get("components"))]
    found += [("path", item) for item in root.get("paths").values()]
    bodies: list[tuple[str, Node]] = []
    for call in spec.calls():
        found.append(("operation", call.node))
        found += [("parameter", parameter) for parameter in call.parameters]
        bodies.append(("request body", call.node.get("requestBody")))
        bodies += [("response", answer) for answer in call.node.get("responses").values()]
    for kind, node in bodies:
        content = spec.resolve(node).get("content")
        found += [(kind, spec.resolve(node)), ("content", content)]
        found += [("media type", media) for media in content.values()]
    return found


def _event_places(spec: Spec) -> list[tuple[str, Node]]:
    root = spec.events
    found = [("asyncapi", root), ("asyncapi components", root.get("components"))]
    found += [("channel", channel) for channel in root.get("channels").values()]
    for operation in root.get("operations").values():
        found.append(("channel operation", operation))
        found.append(("payload", spec.event_declaration(operation)))
        found.append(("reply", operation.get("reply")))
        found += [("reply payload", declared) for declared in spec.reply_declarations(operation)]
    return found


def _check_keys(place: str, node: Node, mistakes: Diagnostics) -> None:
    known = KEYS[place].split()
    for key, value in node.items():
        if key not in known:
            mistakes.unknown(value.mark, f"{place}: unknown key {key!r}", key, known)
    for key in NEEDED.get(place, "").split():
        if node and not node.get(key) and not node.get("$ref"):
            mistakes.add(node.mark, f"{place}: {key!r} is missing")


def _check_reference(spec: Spec, node: Node, mistakes: Diagnostics) -> None:
    ref = node.text("$ref")
    if not spec.find(ref, node):
        parent, _, name = ref.rpartition("/")
        choices = spec.find(parent, node).mapping
        mark = node.get("$ref").mark
        mistakes.unknown(mark, f"no {name!r} under {parent!r}", name, choices)
