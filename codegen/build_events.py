"""Channels -> channel classes with events and pushes."""

from __future__ import annotations

from codegen.build_types import Types, deprecation_of, kind_of
from codegen.ir import Channel, Event, Param, Presence, Push
from codegen.naming import constant, pascal, snake
from codegen.spec import Spec, path_names
from codegen.yaml_source import Node

__all__ = [
    "build_channels",
    "event_class",
]


def event_class(spec: Spec, operation: Node) -> str:
    """Return the class of an event: the key under which its payload is declared."""
    return pascal(spec.event_declaration(operation).key)


def build_channels(spec: Spec, types: Types) -> tuple[Channel, ...]:
    """Return all channels, in the order of the spec."""
    return tuple(
        _channel(name, node, spec, types) for name, node in spec.events.get("channels").items()
    )


def _channel(name: str, node: Node, spec: Spec, types: Types) -> Channel:
    topic, accessor = node.text("address"), node.text("x-sdk", "accessor")
    param = path_names(topic)[0]
    operations = list(spec.event_operations(name))
    events = {
        op.key: _event(op, spec, types) for op in operations if op.text("action") == "receive"
    }
    return Channel(
        const=constant(accessor),
        accessor=accessor,
        class_name=node.text("x-sdk", "class"),
        union=f"{pascal(accessor)}Event",
        doc=node.text("title"),
        topic=topic,
        param=param,
        param_kind=kind_of(param),
        param_takes=types.ids.annotation(kind_of(param)),
        param_handle=types.ids.handles.get(kind_of(param), ""),
        param_doc=node.text("parameters", param, "description"),
        events=tuple(events.values()),
        pushes=tuple(_push(op, spec, types) for op in operations if op.text("action") == "send"),
        presence=_presence(node.get("x-sdk", "presence"), events),
        deprecation=deprecation_of(node, "accessor", accessor, node.text("x-sdk", "class")),
        location=node.location,
    )


def _presence(node: Node, events: dict[str, Event]) -> Presence | None:
    if not node:
        return None
    return Presence(
        property=node.text("property"),
        state=events[node.text("state")],
        diff=events[node.text("diff")],
    )


def _event(operation: Node, spec: Spec, types: Types) -> Event:
    payload = spec.event_payload(operation)
    name = event_class(spec, operation)
    kind = types.of(payload) if payload.text("$ref") or _is_map(spec, payload) else None
    is_row = bool(kind) and not _is_map(spec, payload)
    summary = operation.text("summary")
    return Event(
        const=constant(name),
        wire=spec.event_declaration(operation).text("name"),
        callback=operation.text("x-sdk", "callback"),
        class_name=name,
        doc=summary,
        replay=operation.text("x-sdk", "replay") == "last",
        transient=operation.get("x-sdk", "transient").value is True,
        row_reader=kind.reader if kind and is_row else "",
        base=kind.result if kind else "Model",
        map_reader=kind.reader if kind and not is_row else "",
        model=None if kind else types.model(name, payload, summary),
        example=payload.example,
        reader=f"read_{snake(name)}",
        deprecation=deprecation_of(
            operation, "callback", operation.text("x-sdk", "callback"), name
        ),
        location=operation.location,
    )


def _is_map(spec: Spec, payload: Node) -> bool:
    target = spec.resolve(payload)
    return not target.get("properties") and bool(target.get("additionalProperties").mapping)


def _push(operation: Node, spec: Spec, types: Types) -> Push:
    reply = spec.reply_payload(operation)
    answer = types.of(reply) if reply else None
    return Push(
        result=answer.result_text if answer else "",
        read=answer.reader_text if answer else "",
        returns=types.describe(reply) if answer else "",
        wire=spec.event_declaration(operation).text("name"),
        method=operation.text("x-sdk", "push"),
        summary=operation.text("summary"),
        params=tuple(
            Param(
                name=node.text("x-sdk", "name") or wire,
                wire=wire,
                where="body",
                handle="",
                type=types.of(node).argument_text,
                check=types.of(node).check_text,
                value=node.text("x-sdk", "name") or wire,
                required=True,
                positional=False,
                generate=False,
                doc=types.describe(node),
                limits=types.limits(node),
                deprecation=deprecation_of(node, now=wire),
                location=node.location,
            )
            for wire, node in spec.resolve(spec.event_payload(operation)).get("properties").items()
        ),
        deprecation=deprecation_of(operation, "push", operation.text("x-sdk", "push")),
        location=operation.location,
    )
