"""Channels -> channel classes with events and pushes."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.ir import Channel, Event, Lifted, Presence, Push
from codegen.naming import constant, pascal, snake
from codegen.schemas import Schemas, deprecation_of, kind_of
from codegen.spec import path_names
from codegen.yaml_source import Node

__all__ = ["Channels"]


class Channels:
    """Builds the channels of an API."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._spec = schemas.spec

    def all(self) -> tuple[Channel, ...]:
        """Return all channels, in the order of the spec."""
        channels = self._spec.events.get("channels")
        for operation in self._spec.events.get("operations").values():
            ref = operation.get("channel").text("$ref")
            if ref.removeprefix("#/channels/") not in channels.mapping:
                operation.get("channel", "$ref").wrong("an operation needs a channel")
            if operation.text("action") not in ("receive", "send"):
                operation.get("action").wrong("'action' must be 'receive' or 'send'")
        return tuple(self._channel(name, node) for name, node in channels.items())

    def _channel(self, key: str, node: Node) -> Channel:
        topic, sdk = node.text("address"), self._spec.sdk(node, "channel")
        accessor, declared = sdk.text("accessor"), node.get("parameters")
        names = path_names(topic)
        if len(names) != 1:
            node.get("address").wrong("a topic needs exactly one {name}")
        param = names[0] if names else ""
        if param and param not in declared.mapping:
            text = f"no parameter {param!r}"
            node.get("address").wrong(text, param, declared.mapping)
        events: dict[str, Event] = {}
        pushes: list[Push] = []
        wires: dict[tuple[str, str], Node] = {}
        for operation in self._spec.event_operations(key):
            action, wire = operation.text("action"), self._declaration(operation).text("name")
            first = wires.setdefault((action, wire), operation)
            if first is not operation:
                operation.wrong(f"{wire!r} is carried already (at {first.location})")
            elif action == "receive":
                events[operation.key] = self._event(operation)
            else:
                pushes.append(self._push(operation))
        return Channel(
            const=constant(accessor),
            accessor=accessor,
            class_name=sdk.text("class"),
            union=f"{pascal(accessor)}Event",
            doc=node.text("title"),
            topic=topic,
            param=param,
            param_type=self._schemas.ids.id_type(
                kind_of(param), is_number=self._schemas.ids.is_number(param)
            ),
            param_doc=declared.get(param).text("description"),
            events=tuple(events.values()),
            pushes=tuple(pushes),
            presence=self._presence(sdk.get("presence"), events),
            deprecation=deprecation_of(node, sdk, "accessor", accessor, sdk.text("class")),
            location=node.location,
        )

    def _declaration(self, operation: Node) -> Node:
        """Return the declaration of the payload of an operation."""
        messages = list(operation.get("messages").each())
        if len(messages) != 1:
            operation.get("messages").wrong("an operation carries one thing")
        return self._spec.resolve(messages[0] if messages else operation.peek("no message"))

    def _presence(self, node: Node, events: dict[str, Event]) -> Presence | None:
        if not node:
            return None
        for part in ("state", "diff"):
            key = node.text(part)
            if key and key not in events:
                text = f"the channel receives no {key!r}"
                node.get(part).wrong(text, key, events)
                return None
        state = events[node.text("state")]
        if not state.is_map:
            node.get("state").wrong(f"the payload of {node.text('state')!r} is not a map")
        diff = node.text("diff")
        return Presence(
            property=node.text("property"), state=state, diff=events[diff] if diff else None
        )

    def _event(self, operation: Node) -> Event:
        sdk, declared = self._spec.sdk(operation, "receive"), self._declaration(operation)
        payload, name = declared.get("payload"), pascal(declared.key)
        summary = operation.text("summary")
        target = self._payload(payload)
        if operation.get("reply"):
            operation.get("reply").wrong("only what is sent has a reply")
        if target.get("additionalProperties").value is True:
            payload.wrong("a payload needs fields, or a schema for its values")
        # An object that the schemas name is what it is; another one gets a class of its own.
        has_own_shape = bool(target.get("properties")) and not payload.get("$ref")
        return Event(
            const=constant(name),
            wire=declared.text("name"),
            callback=sdk.text("callback"),
            class_name=name,
            doc=summary,
            replay=sdk.text("replay") == "last",
            transient=sdk.flag("transient"),
            payload=None if has_own_shape else self._schemas.of(payload),
            model=self._schemas.model(name, payload, summary) if has_own_shape else None,
            lifted=tuple(self._lifted(target)),
            example=payload.example,
            reader=f"read_{snake(name)}",
            deprecation=deprecation_of(operation, sdk, "callback", sdk.text("callback"), name),
            location=operation.location,
        )

    def _lifted(self, target: Node) -> Iterator[Lifted]:
        """Yield the texts by which the values of a map can be looked at."""
        values = self._spec.without_null(target.peek("additionalProperties"))
        return (one for one in self._schemas.lifted(values) if one.type.kind == "string")

    def _payload(self, payload: Node) -> Node:
        target = self._spec.resolve(payload)
        if target and target.text("type") != "object":
            payload.wrong("a payload must be an object")
        return target

    def _push(self, operation: Node) -> Push:
        sdk, declared = self._spec.sdk(operation, "send"), self._declaration(operation)
        replies = [self._spec.resolve(node) for node in operation.get("reply", "messages").each()]
        if len(replies) > 1:
            operation.get("reply").wrong("a reply carries one thing")
        reply = replies[0].get("payload") if replies else None
        params = self._schemas.fields_of(self._payload(declared.get("payload")), "push")
        repeat = sdk.get("repeat")
        if repeat and (params or replies):
            repeat.wrong("only a push without fields and without a reply can be repeated")
        return Push(
            is_answered=bool(replies),
            result=self._schemas.of(reply) if reply else None,
            returns=self._schemas.describe(reply) if reply else "",
            wire=declared.text("name"),
            method=sdk.text("push"),
            summary=operation.text("summary"),
            params=params,
            repeated=repeat.text("method"),
            every=float(str(repeat.get("every").value)) if repeat else 0.0,
            deprecation=deprecation_of(operation, sdk, "push", sdk.text("push")),
            location=operation.location,
        )
