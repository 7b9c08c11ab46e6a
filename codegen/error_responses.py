"""Responses that are not 2xx -> error codes, and where a refusal says what."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from codegen.ir import Code, Errors
from codegen.spec import Call, Spec
from codegen.yaml_source import Node

__all__ = ["Refusals"]

PARTS: Final = ("code", "message", "details", "doc_url")
"""What a refusal may say. `x-sdk.error` gives other names for them."""


class Refusals:
    """What the service may refuse calls with."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        names = spec.root_sdk.get("error")
        self._names = {part: names.text(part) or part for part in PARTS}
        self._codes: dict[str, Node] = {}
        self._errors: Errors | None = None

    def of(self, call: Call) -> Collection[str]:
        """Return the error codes of a call."""
        codes: dict[str, Node] = {}
        for status, answer in call.node.get("responses").items():
            if not status.startswith("2"):
                node = self._spec.resolve(answer)
                node.text("description")
                codes |= self._read(node.get("content", "application/json", "schema"))
        self._codes |= codes
        return codes

    def _read(self, schema: Node) -> Mapping[str, Node]:
        """Note where the parts are, and return the codes that there may be."""
        places = {part: _place(self._spec, schema, name) for part, name in self._names.items()}
        errors = Errors(**{part: steps for part, (steps, _) in places.items()})
        if self._errors is None:
            self._errors = errors
            if schema and not errors.code:
                text = (
                    f"a refusal needs a field {self._names['code']!r}, or x-sdk.error another name"
                )
                self._spec.resolve(schema).wrong(text)
        elif errors != self._errors and schema:
            schema.wrong("refusals must all have the same form")
        self._take(schema)
        return {str(one.value): one for one in places["code"][1].peek("enum").children()}

    def _take(self, schema: Node) -> None:
        """All of it counts as read: a refusal may say more than the library looks at."""
        for node in self._spec.resolve(schema).walk():
            is_new = node.pointer not in node.source.read
            node.source.read.add(node.pointer)
            if is_new and node.peek("$ref"):
                self._take(node)

    def check(self, errors: Node, codes: Collection[str]) -> None:
        """Report codes that no response has."""
        for node in errors.each():
            code = str(node.value)
            if code not in codes:
                node.wrong(f"no error code {code!r}", code, codes)

    def check_common(self) -> None:
        """The same for the codes of all calls, and of all calls with a credential."""
        self.check(self._spec.root_sdk.get("errors"), self._codes)
        for scheme in self._spec.rest.get("components", "securitySchemes").values():
            self.check(self._spec.sdk(scheme, "securityScheme").get("errors"), self._codes)

    @property
    def errors(self) -> Errors:
        """Where a refusal says what."""
        return self._errors or Errors()

    @property
    def codes(self) -> tuple[Code, ...]:
        """The codes of all calls."""
        return tuple(Code(name=name, location=node.location) for name, node in self._codes.items())


def _place(spec: Spec, schema: Node, name: str) -> tuple[tuple[str | int, ...], Node]:
    """Return the steps to the field of that name, and its schema."""
    for steps, node in _within(spec, schema, ()):
        if steps and steps[-1] == name:
            return steps, spec.without_null(node)
    return (), schema.peek("no such field")


def _within(
    spec: Spec, schema: Node, steps: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], Node]]:
    """Yield what there is in a schema, the outer fields first."""
    if len(steps) > 4:
        return
    node = spec.without_null(schema)
    fields = [(name, node.peek("properties", name)) for name in node.peek("properties").mapping]
    yield from (((*steps, name), field) for name, field in fields)
    for name, field in fields:
        yield from _within(spec, field, (*steps, name))
    if node.peek("items"):
        yield from _within(spec, node.peek("items"), (*steps, 0))
