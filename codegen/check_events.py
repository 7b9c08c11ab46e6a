"""Channels: each operation has one payload, and its references resolve."""

from __future__ import annotations

from codegen.spec import Spec, path_names
from codegen.yaml_source import Diagnostics, Node

__all__ = [
    "check_events",
]


def check_events(spec: Spec, diagnostics: Diagnostics) -> None:
    """Check all channels and their operations."""
    channels = spec.events.get("channels")
    for name, channel in channels.items():
        _check_channel(spec, name, channel, diagnostics)
    for operation in spec.events.get("operations").values():
        if operation.text("action") not in ("receive", "send"):
            diagnostics.add(
                operation.get("action").location, "'action' must be 'receive' or 'send'"
            )
        channel = operation.get("channel", "$ref")
        if str(channel.value) not in [f"#/channels/{name}" for name in channels.mapping]:
            diagnostics.add(channel.location, "an operation needs a channel")
        if len(list(operation.get("messages").each())) > 1:
            diagnostics.add(operation.get("messages").location, "an operation carries one thing")
        _check_payload(spec, operation, diagnostics)
        _check_reply(spec, operation, diagnostics)


def _check_channel(spec: Spec, name: str, channel: Node, diagnostics: Diagnostics) -> None:
    address = channel.get("address")
    names = path_names(str(address.value))
    if len(names) != 1:
        diagnostics.add(address.location, "a topic needs exactly one {name}")
    declared = channel.get("parameters")
    for one in names:
        if one not in declared.mapping:
            diagnostics.unknown(address.location, f"no parameter {one!r}", one, declared.mapping)
    wires: dict[tuple[str, str], Node] = {}
    for operation in spec.event_operations(name):
        wire = spec.event_declaration(operation).text("name")
        first = wires.setdefault((operation.text("action"), wire), operation)
        if first is not operation:
            diagnostics.add(
                operation.location, f"{wire!r} is carried already (at {first.location})"
            )
    _check_presence(spec, name, channel.get("x-sdk", "presence"), diagnostics)


def _check_presence(spec: Spec, name: str, presence: Node, diagnostics: Diagnostics) -> None:
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
            diagnostics.unknown(node.location, text, key, received)
        elif key and part == "state":
            payload = spec.resolve(spec.event_payload(received[key]))
            if not payload.get("additionalProperties").mapping:
                diagnostics.add(node.location, f"the payload of {key!r} is not a map")


def _check_payload(spec: Spec, operation: Node, diagnostics: Diagnostics) -> None:
    payload = spec.event_payload(operation)
    target = spec.resolve(payload)
    if target and target.text("type") != "object":
        diagnostics.add(payload.location, "a payload must be an object")
    if operation.text("action") == "receive":
        if target.get("additionalProperties").value is True:
            diagnostics.add(payload.location, "a payload needs fields, or a schema for its values")
        return
    required = target.get("required").strings()
    for name, field in target.get("properties").items():
        if name not in required:
            diagnostics.add(field.location, "an optional field is not supported in a push")
        if spec.resolve(field).get("properties"):
            diagnostics.add(field.location, "an object with fields is not supported in a push")
        if not (field.text("description") or spec.resolve(field).text("description")):
            diagnostics.add(field.location, f"{name!r} needs a description")


def _check_reply(spec: Spec, operation: Node, diagnostics: Diagnostics) -> None:
    reply = operation.get("reply")
    if reply and operation.text("action") != "send":
        diagnostics.add(reply.location, "only what is sent has a reply")
    if len(spec.reply_declarations(operation)) > 1:
        diagnostics.add(reply.location, "a reply carries one thing")
