"""Channels: their operations carry one thing each, and what they refer to is there."""

from __future__ import annotations

from codegen.spec import Spec, path_names
from codegen.yaml_source import Diagnostics, Node

__all__ = [
    "check_events",
]


def check_events(spec: Spec, mistakes: Diagnostics) -> None:
    """Check all channels and their operations."""
    channels = spec.events.get("channels")
    for name, channel in channels.items():
        _check_channel(spec, name, channel, mistakes)
    for operation in spec.events.get("operations").values():
        if operation.text("action") not in ("receive", "send"):
            mistakes.add(operation.get("action").mark, "'action' must be 'receive' or 'send'")
        channel = operation.get("channel", "$ref")
        if str(channel.value) not in [f"#/channels/{name}" for name in channels.mapping]:
            mistakes.add(channel.mark, "an operation needs a channel")
        if len(list(operation.get("messages").each())) > 1:
            mistakes.add(operation.get("messages").mark, "an operation carries one thing")
        _check_payload(spec, operation, mistakes)
        _check_reply(spec, operation, mistakes)


def _check_channel(spec: Spec, name: str, channel: Node, mistakes: Diagnostics) -> None:
    address = channel.get("address")
    names = path_names(str(address.value))
    if len(names) != 1:
        mistakes.add(address.mark, "a topic needs exactly one {name}")
    declared = channel.get("parameters")
    for one in names:
        if one not in declared.mapping:
            mistakes.unknown(address.mark, f"no parameter {one!r}", one, declared.mapping)
    wires: dict[tuple[str, str], Node] = {}
    for operation in spec.event_operations(name):
        wire = spec.event_declaration(operation).text("name")
        first = wires.setdefault((operation.text("action"), wire), operation)
        if first is not operation:
            mistakes.add(operation.mark, f"{wire!r} is carried already (at {first.mark})")
    _check_presence(spec, name, channel.get("x-sdk", "presence"), mistakes)


def _check_presence(spec: Spec, name: str, presence: Node, mistakes: Diagnostics) -> None:
    received = {
        operation.key: operation
        for operation in spec.event_operations(name)
        if operation.text("action") == "receive"
    }
    for part in ("state", "diff"):
        node = presence.get(part)
        key = presence.text(part)
        if key and key not in received:
            text = f"the channel receives no {key!r}"
            mistakes.unknown(node.mark, text, key, received)
        elif key and part == "state":
            payload = spec.resolve(spec.event_payload(received[key]))
            if not payload.get("additionalProperties").mapping:
                mistakes.add(node.mark, f"the payload of {key!r} is not a map")


def _check_payload(spec: Spec, operation: Node, mistakes: Diagnostics) -> None:
    payload = spec.event_payload(operation)
    target = spec.resolve(payload)
    if target and target.text("type") != "object":
        mistakes.add(payload.mark, "a payload must be an object")
    if operation.text("action") == "receive":
        if target.get("additionalProperties").value is True:
            mistakes.add(payload.mark, "a payload needs fields, or a schema for its values")
        return
    required = target.get("required").strings()
    for name, field in target.get("properties").items():
        if name not in required:
            mistakes.add(field.mark, "an optional field is not supported in a push")
        if spec.resolve(field).get("properties"):
            mistakes.add(field.mark, "an object with fields is not supported in a push")
        if not (field.text("description") or spec.resolve(field).text("description")):
            mistakes.add(field.mark, f"{name!r} needs a description")


def _check_reply(spec: Spec, operation: Node, mistakes: Diagnostics) -> None:
    reply = operation.get("reply")
    if reply and operation.text("action") != "send":
        mistakes.add(reply.mark, "only what is sent has a reply")
    if len(spec.reply_declarations(operation)) > 1:
        mistakes.add(reply.mark, "a reply carries one thing")
