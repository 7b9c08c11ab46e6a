"""The error codes that the spec declares."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.spec import Call, Spec
from codegen.yaml_source import Node

__all__ = ["all_codes", "codes_of"]


def codes_of(spec: Spec, call: Call) -> dict[str, Node]:
    """Those of a call, and where each is declared."""
    return {str(code.value): code for node in _failures(spec, call) for code in _codes(spec, node)}


def all_codes(spec: Spec) -> dict[str, Node]:
    """Those of all calls."""
    return {name: node for call in spec.calls() for name, node in codes_of(spec, call).items()}


def _failures(spec: Spec, call: Call) -> Iterator[Node]:
    for status, answer in call.node.get("responses").items():
        if not status.startswith("2"):
            yield spec.resolve(answer).get("content", "application/json", "schema")


def _codes(spec: Spec, schema: Node) -> Iterator[Node]:
    """Values of the enum `code` of an error, which may be wrapped in a field."""
    fields = spec.resolve(schema).get("properties")
    yield from spec.resolve(fields.get("code")).get("enum").each()
    for field in fields.values():
        if spec.resolve(field).get("properties"):
            yield from _codes(spec, field)
