"""Both files of the spec as one object."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs

from codegen.yaml_source import Diagnostics, Node, load

__all__ = [
    "EVENTS",
    "REST",
    "VERBS",
    "Call",
    "Spec",
    "all_codes",
    "codes_of",
    "is_one_or_many",
    "load_spec",
    "path_names",
]

REST: Final = "openapi.yaml"
EVENTS: Final = "asyncapi.yaml"
VERBS: Final = ("get", "post", "put", "patch", "delete")


@attrs.frozen(eq=False)
class Call:
    """One operation over HTTP, with what it inherits from its path."""

    verb: str
    path: str
    node: Node
    parameters: tuple[Node, ...]
    former: str = ""
    """Its earlier resource, if the method is built for that."""

    @property
    def address(self) -> str:
        """The resource that it is a method of."""
        return self.former or self.sdk.text("resource")

    @property
    def sdk(self) -> Node:
        """Its x-sdk object."""
        return self.node.get("x-sdk")


@attrs.frozen(eq=False)
class Spec:
    """Looks up nodes by reference and by kind. What is missing is an absent node."""

    rest: Node
    events: Node

    def find(self, ref: str, base: Node) -> Node:
        """Return the target of a reference that stands in the file of `base`."""
        file, _, fragment = ref.partition("#")
        roots = {"": self._root(base), REST: self.rest, EVENTS: self.events}
        root = roots.get(file.removeprefix("./"), base.get("no such file"))
        steps = [step.replace("~1", "/").replace("~0", "~") for step in fragment.split("/")[1:]]
        return root.get(*steps)

    def _root(self, node: Node) -> Node:
        return self.rest if node.source is self.rest.source else self.events

    def resolve(self, node: Node) -> Node:
        """Follow references to their end."""
        for _ in range(8):
            ref = node.text("$ref")
            if not ref:
                break
            node = self.find(ref, node)
        return node

    def schemas(self) -> Iterator[tuple[str, Node]]:
        """Yield all named schemas."""
        yield from self.rest.get("components", "schemas").items()
        yield from self.events.get("components", "schemas").items()

    def calls(self) -> Iterator[Call]:
        """Yield all operations over HTTP, in the order of the spec."""
        for path, item in self.rest.get("paths").items():
            shared = list(item.get("parameters").each())
            for verb in VERBS:
                node = item.get(verb)
                if node:
                    own = [*shared, *node.get("parameters").each()]
                    yield Call(verb, path, node, tuple(self.resolve(one) for one in own))

    def security_scheme(self, call: Call) -> Node:
        """Return the security scheme of a call; absent if it has none, or an unknown one."""
        schemes = self.rest.get("components", "securitySchemes")
        security = call.node.get("security") or self.rest.get("security")
        names = [name for one in security.each() for name in one.mapping]
        return schemes.get(names[0] if names else "no security")

    def request_schema(self, call: Call) -> Node:
        """Return the schema of what is sent."""
        body = self.resolve(call.node.get("requestBody"))
        return self.resolve(body.get("content", "application/json", "schema"))

    def row_schema(self, call: Call) -> Node:
        """Return the schema of the models that the handle of a call takes, unresolved."""
        resource = self.rest.get("x-sdk", "resources", call.sdk.text("resource"))
        return self.schema(resource.text("row"))

    def schema(self, name: str) -> Node:
        """Return a named schema of the REST side."""
        return self.rest.get("components", "schemas", name)

    def answers(self, call: Call) -> Iterator[tuple[str, Node]]:
        """Yield the 2xx answers, by status."""
        for status, answer in call.node.get("responses").items():
            if status.startswith("2"):
                yield status, self.resolve(answer)

    def answer_schema(self, call: Call) -> Node:
        """Return the schema of the first 2xx answer, unresolved; absent when it has no content."""
        for _, answer in self.answers(call):
            return answer.get("content", "application/json", "schema")
        return call.node.get("no answer")

    def event_payload(self, operation: Node) -> Node:
        """Return the payload of an operation of a channel, unresolved."""
        return self.event_declaration(operation).get("payload")

    def event_declaration(self, operation: Node) -> Node:
        """Return the declaration of the payload of an operation."""
        for node in operation.get("messages").each():
            return self.resolve(node)
        return operation.get("messages")

    def reply_declarations(self, operation: Node) -> list[Node]:
        """Return the declarations of all that may answer an operation."""
        return [self.resolve(node) for node in operation.get("reply", "messages").each()]

    def reply_payload(self, operation: Node) -> Node:
        """Return the payload of the reply to an operation, unresolved; absent if none."""
        for declared in self.reply_declarations(operation):
            return declared.get("payload")
        return operation.get("no reply")

    def event_operations(self, channel: str) -> Iterator[Node]:
        """Yield the operations of a channel."""
        for operation in self.events.get("operations").values():
            if operation.text("channel", "$ref") == f"#/channels/{channel}":
                yield operation


def load_spec(folder: Path, name: str, diagnostics: Diagnostics) -> Spec:
    """Return both files; `shown` is how the folder is called in diagnostics."""
    return Spec(
        rest=load(folder / REST, f"{name}/{REST}", diagnostics),
        events=load(folder / EVENTS, f"{name}/{EVENTS}", diagnostics),
    )


def is_one_or_many(choices: list[Node]) -> bool:
    """Return whether these schemas are a string and a list of strings."""
    kinds = [(one.text("type"), one.text("items", "type")) for one in choices]
    return sorted(kinds) == [("array", "string"), ("string", "")]


def path_names(path: str) -> list[str]:
    """Return the `{name}`s of a path or topic."""
    return re.findall(r"\{([^{}]*)\}", path)


def codes_of(spec: Spec, call: Call) -> dict[str, Node]:
    """Return the error codes of a call, each with its declaration."""
    return {str(code.value): code for node in _failures(spec, call) for code in _codes(spec, node)}


def all_codes(spec: Spec) -> dict[str, Node]:
    """Return the error codes of all calls."""
    return {name: node for call in spec.calls() for name, node in codes_of(spec, call).items()}


def _failures(spec: Spec, call: Call) -> Iterator[Node]:
    for status, answer in call.node.get("responses").items():
        if not status.startswith("2"):
            yield spec.resolve(answer).get("content", "application/json", "schema")


def _codes(spec: Spec, schema: Node) -> Iterator[Node]:
    """Yield values of the enum `code` of an error, which may be wrapped in a field."""
    fields = spec.resolve(schema).get("properties")
    yield from spec.resolve(fields.get("code")).get("enum").each()
    for field in fields.values():
        if spec.resolve(field).get("properties"):
            yield from _codes(spec, field)
