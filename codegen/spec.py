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
    """The resource that it was a method of, while that is what counts."""

    @property
    def address(self) -> str:
        """The resource that it is a method of."""
        return self.former or self.sdk.text("resource")

    @property
    def sdk(self) -> Node:
        """What x-sdk says of it."""
        return self.node.get("x-sdk")


@attrs.frozen(eq=False)
class Spec:
    """Finds things, by reference and by kind. Whatever is missing reads as an absent node."""

    rest: Node
    events: Node

    def find(self, ref: str, base: Node) -> Node:
        """The target of a reference that stands in the file of `base`."""
        file, _, fragment = ref.partition("#")
        roots = {"": self._root(base), REST: self.rest, EVENTS: self.events}
        root = roots.get(file.removeprefix("./"), base.get("no such file"))
        steps = [step.replace("~1", "/").replace("~0", "~") for step in fragment.split("/")[1:]]
        return root.get(*steps)

    def _root(self, node: Node) -> Node:
        return self.rest if node.source is self.rest.source else self.events

    def resolve(self, node: Node) -> Node:
        """What the node stands for: the end of its chain of references."""
        for _ in range(8):
            ref = node.text("$ref")
            if not ref:
                break
            node = self.find(ref, node)
        return node

    def schemas(self) -> Iterator[tuple[str, Node]]:
        """All named schemas."""
        yield from self.rest.get("components", "schemas").items()
        yield from self.events.get("components", "schemas").items()

    def calls(self) -> Iterator[Call]:
        """All operations over HTTP, in the order of the spec."""
        for path, item in self.rest.get("paths").items():
            shared = list(item.get("parameters").each())
            for verb in VERBS:
                node = item.get(verb)
                if node:
                    own = [*shared, *node.get("parameters").each()]
                    yield Call(verb, path, node, tuple(self.resolve(one) for one in own))

    def security_scheme(self, call: Call) -> Node:
        """The scheme that a call is secured by; absent when there is none, or it is unknown."""
        schemes = self.rest.get("components", "securitySchemes")
        security = call.node.get("security") or self.rest.get("security")
        names = [name for one in security.each() for name in one.mapping]
        return schemes.get(names[0] if names else "no security")

    def request_schema(self, call: Call) -> Node:
        """The schema of what is sent."""
        body = self.resolve(call.node.get("requestBody"))
        return self.resolve(body.get("content", "application/json", "schema"))

    def row_schema(self, call: Call) -> Node:
        """The schema of the rows that the handle of a call takes, unresolved."""
        resource = self.rest.get("x-sdk", "resources", call.sdk.text("resource"))
        return self.schema(resource.text("row"))

    def schema(self, name: str) -> Node:
        """A named schema of the REST side."""
        return self.rest.get("components", "schemas", name)

    def answers(self, call: Call) -> Iterator[tuple[str, Node]]:
        """The 2xx answers, by status."""
        for status, answer in call.node.get("responses").items():
            if status.startswith("2"):
                yield status, self.resolve(answer)

    def answer_schema(self, call: Call) -> Node:
        """The schema of the first 2xx answer, unresolved; absent when it has no content."""
        for _, answer in self.answers(call):
            return answer.get("content", "application/json", "schema")
        return call.node.get("no answer")

    def event_payload(self, operation: Node) -> Node:
        """The payload of an operation of a channel, unresolved."""
        return self.event_declaration(operation).get("payload")

    def event_declaration(self, operation: Node) -> Node:
        """What is said of the one thing that the operation carries."""
        for node in operation.get("messages").each():
            return self.resolve(node)
        return operation.get("messages")

    def reply_declarations(self, operation: Node) -> list[Node]:
        """What is said of each thing that may answer an operation of a channel."""
        return [self.resolve(node) for node in operation.get("reply", "messages").each()]

    def reply_payload(self, operation: Node) -> Node:
        """The payload of the answer to an operation of a channel, unresolved; absent without."""
        for declared in self.reply_declarations(operation):
            return declared.get("payload")
        return operation.get("no reply")

    def event_operations(self, channel: str) -> Iterator[Node]:
        """The operations of a channel."""
        for operation in self.events.get("operations").values():
            if operation.text("channel", "$ref") == f"#/channels/{channel}":
                yield operation


def load_spec(folder: Path, shown: str, mistakes: Diagnostics) -> Spec:
    """Both files; `shown` is how the folder is called in mistakes."""
    return Spec(
        rest=load(folder / REST, f"{shown}/{REST}", mistakes),
        events=load(folder / EVENTS, f"{shown}/{EVENTS}", mistakes),
    )


def is_one_or_many(choices: list[Node]) -> bool:
    """Whether these schemas are a string and a list of strings."""
    kinds = [(one.text("type"), one.text("items", "type")) for one in choices]
    return sorted(kinds) == [("array", "string"), ("string", "")]


def path_names(path: str) -> list[str]:
    """The `{name}`s of a path or topic."""
    return re.findall(r"\{([^{}]*)\}", path)


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
