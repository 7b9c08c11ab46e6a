"""Both files of the spec as one object."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Final, cast

import attrs
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from codegen.yaml_source import Diagnostics, Node, load

__all__ = [
    "EVENTS",
    "REST",
    "VERBS",
    "Call",
    "Spec",
    "load_spec",
    "path_names",
]

REST: Final = "openapi.yaml"
EVENTS: Final = "asyncapi.yaml"
VERBS: Final = ("get", "post", "put", "patch", "delete")
GRAMMAR: Final = Path(__file__).parent.parent / "spec" / "x-sdk.schema.json"
PLACES: Final = {
    "restRoot": "the root",
    "eventsRoot": "the root",
    "securityScheme": "security scheme",
}
"""What places of `x-sdk` are called in messages, where that is not their name in the grammar."""


@attrs.frozen(eq=False)
class Call:
    """One operation over HTTP, with what it inherits from its path."""

    verb: str
    path: str
    node: Node
    parameters: tuple[Node, ...]
    sdk: Node
    """Its x-sdk object."""
    former: str = ""
    """Its earlier resource, if the method is built for that."""

    @property
    def address(self) -> str:
        """The resource that it is a method of."""
        return self.former or self.sdk.text("resource")


@attrs.frozen(eq=False, slots=False)
class Spec:
    """Looks up nodes by reference and by kind. What is missing is an absent node."""

    rest: Node
    events: Node

    @cached_property
    def _grammar(self) -> dict[str, Any]:
        return cast("dict[str, Any]", json.loads(GRAMMAR.read_text("utf-8")))

    @cached_property
    def _checked(self) -> set[int]:
        return set()

    def sdk(self, node: Node, place: str) -> Node:
        """Return the x-sdk object of a node, checked by the grammar of its place."""
        sdk = node.get("x-sdk")
        key = hash((sdk.source.name, sdk.pointer))
        if sdk and key not in self._checked:
            self._checked.add(key)
            validator = Draft202012Validator({**self._grammar, "$ref": f"#/$defs/{place}"})
            value = cast("Any", sdk.value)
            for error in validator.iter_errors(value):  # pyright: ignore[reportUnknownMemberType]
                _report(error, sdk, PLACES.get(place, place))
        return sdk

    @property
    def root_sdk(self) -> Node:
        """What x-sdk says of the whole API."""
        return self.sdk(self.rest, "restRoot")

    def resources(self) -> Iterator[tuple[str, Node]]:
        """Yield the declared resources, by their addresses."""
        return self.root_sdk.get("resources").items()

    def find(self, ref: str, base: Node) -> Node:
        """Return the target of a reference that stands in the file of `base`."""
        file, _, fragment = ref.partition("#")
        own = self.rest if base.source is self.rest.source else self.events
        roots = {"": own, REST: self.rest, EVENTS: self.events}
        root = roots.get(file.removeprefix("./"), base.peek("no such file"))
        steps = [step.replace("~1", "/").replace("~0", "~") for step in fragment.split("/")[1:]]
        return root.peek(*steps)

    def resolve(self, node: Node) -> Node:
        """Follow references to their end. One that leads nowhere is reported."""
        for _ in range(8):
            ref = node.text("$ref")
            if not ref:
                break
            target = self.find(ref, node)
            if not target:
                above, _, name = ref.rpartition("/")
                choices = self.find(above, node).mapping
                node.get("$ref").wrong(f"no {name!r} under {above!r}", name, choices)
            for length in range(1, len(target.pointer) + 1):
                target.source.read.add(target.pointer[:length])
            node = target
        return node

    def peek_schema(self, name: str) -> Node:
        """Return a named schema, and leave no trace."""
        for root in (self.rest, self.events):
            schema = root.peek("components", "schemas", name)
            if schema:
                return schema
        return self.rest.peek("components", "schemas", name)

    def schema_names(self) -> list[str]:
        """Return the names of all schemas, in the order of the files."""
        roots = (self.rest, self.events)
        return [name for root in roots for name in root.peek("components", "schemas").mapping]

    def without_null(self, node: Node) -> Node:
        """Return the schema that a node refers to, beside null, and leave no trace."""
        for _ in range(8):
            ref = node.peek("$ref").value
            choices = [
                one for one in node.peek("oneOf").children() if one.peek("type").value != "null"
            ]
            if isinstance(ref, str):
                node = self.find(ref, node)
            elif len(choices) == 1:
                node = choices[0]
            else:
                break
        return node

    def names_within(self, schemas: Iterable[Node]) -> list[str]:
        """Return the names of the objects with fields that these schemas consist of."""
        found: dict[str, None] = {}
        todo = [self.without_null(schema) for schema in schemas]
        while todo:
            node = todo.pop()
            if node.pointer[:-1] == ("components", "schemas"):
                if node.key in found:
                    continue
                found[node.key] = None
            parts = [*node.peek("properties").children(), *node.peek("oneOf").children()]
            parts += [node.peek("items"), node.peek("additionalProperties")]
            todo += [self.without_null(part) for part in parts if part.mapping]
        order = [name for name in self.schema_names() if name in found]
        return [name for name in order if self.peek_schema(name).peek("properties")]

    def received(self) -> Iterator[Node]:
        """Yield the schemas of responses, events and replies, and leave no trace."""
        for call in self.calls():
            for status in call.node.peek("responses").mapping:
                if status.startswith("2"):
                    node = call.node.peek("responses", status)
                    yield _schema_in(self.without_null(node))
        for operation in self.events.peek("operations").children():
            receives = operation.peek("action").value == "receive"
            yield from self._payloads(operation if receives else operation.peek("reply"))

    def sent(self) -> Iterator[Node]:
        """Yield what stands in the schemas of requests and pushes, and leave no trace."""
        for call in self.calls():
            body = self.without_null(call.node.peek("requestBody"))
            yield from self.without_null(_schema_in(body)).peek("properties").children()
        for operation in self.events.peek("operations").children():
            if operation.peek("action").value == "send":
                for payload in self._payloads(operation):
                    yield from self.without_null(payload).peek("properties").children()

    def _payloads(self, operation: Node) -> Iterator[Node]:
        for message in operation.peek("messages").children():
            yield self.without_null(message).peek("payload")

    def calls(self) -> Iterator[Call]:
        """Yield all operations over HTTP, in the order of the spec."""
        for path, item in self.rest.get("paths").items():
            shared = list(item.get("parameters").each())
            for verb in VERBS:
                node = item.get(verb)
                if node:
                    own = [*shared, *node.get("parameters").each()]
                    parameters = tuple(self.resolve(one) for one in own)
                    yield Call(verb, path, node, parameters, self.sdk(node, "operation"))

    def request_schema(self, call: Call) -> Node:
        """Return the schema of what is sent."""
        body = self.resolve(call.node.get("requestBody"))
        body.text("description")
        body.flag("required")
        return self.resolve(body.get("content", "application/json", "schema"))

    def answers(self, call: Call) -> Iterator[Node]:
        """Yield the 2xx responses."""
        for status, answer in call.node.get("responses").items():
            if status.startswith("2"):
                yield self.resolve(answer)

    def event_operations(self, channel: str) -> Iterator[Node]:
        """Yield the operations of a channel."""
        for operation in self.events.get("operations").values():
            if operation.peek("channel", "$ref").value == f"#/channels/{channel}":
                yield operation

    def report_unread(self) -> None:
        """Report all nodes that were not read."""
        for root in (self.rest, self.events):
            root.report_unread()


def load_spec(folder: Path, name: str, diagnostics: Diagnostics) -> Spec:
    """Return both files; `name` is how the folder is called in diagnostics."""
    return Spec(
        rest=load(folder / REST, f"{name}/{REST}", diagnostics),
        events=load(folder / EVENTS, f"{name}/{EVENTS}", diagnostics),
    )


def path_names(path: str) -> list[str]:
    """Return the `{name}`s of a path or topic."""
    return re.findall(r"\{([^{}]*)\}", path)


def _schema_in(body: Node) -> Node:
    return body.peek("content", "application/json", "schema")


def _report(error: ValidationError, sdk: Node, place: str) -> None:
    """Report what the grammar of x-sdk says, once: it counts as read."""
    node = sdk.peek(*error.absolute_path)
    if error.validator == "additionalProperties":
        schema = cast("dict[str, dict[str, object]]", error.schema)
        for name in node.mapping:
            if name not in schema["properties"]:
                unknown = node.get(name)
                unknown.take()
                unknown.wrong(
                    f"x-sdk: unknown field {name!r} for {place}", name, schema["properties"]
                )
        return
    node.take()
    # 0.1 is the same number as 0.10.
    is_number = error.validator == "type" and isinstance(node.value, int | float)
    node.wrong(f"x-sdk: {error.message}{': quote it' if is_number else ''}")
