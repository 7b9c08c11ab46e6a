"""What the spec says of the age of things: `since`, `deprecated`, `was`."""

from __future__ import annotations

from codegen.ir_deprecation import Alias, Old
from codegen.yaml_source import Node

__all__ = ["aliases_of", "old_of"]


def old_of(node: Node, key: str = "name", now: str = "", class_name: str = "") -> Old:
    """The age of what stands at the node.

    Args:
        node: Where it is declared.
        key: What `was` calls its everyday name.
        now: The name that it has now.
        class_name: The name of its class, if it has one of its own.
    """
    said = node.get("x-sdk") or node
    deprecated = said.get("deprecated")
    is_deprecated = node.get("deprecated").value is True or bool(deprecated.mapping)
    return Old(
        since=said.text("since"),
        deprecated=_notice(now, deprecated) if is_deprecated else "",
        until=deprecated.text("until"),
        aliases=(
            *aliases_of(said, key, now),
            *aliases_of(said, "class", class_name, "class"),
        ),
    )


def aliases_of(said: Node, key: str, now: str, kind: str = "") -> tuple[Alias, ...]:
    """The old names of one kind."""
    return tuple(
        Alias(
            name=one.text(key),
            now=now,
            since=one.text("since"),
            until=one.text("until"),
            kind=kind,
            mark=one.mark,
        )
        for one in said.get("was").each()
        if one.text(key)
    )


def _notice(name: str, deprecated: Node) -> str:
    """What is said to whoever still uses it."""
    since, use, until = (deprecated.text(key) for key in ("since", "use", "until"))
    return "".join(
        [
            f"{name} is deprecated",
            f" since {since}" if since else "",
            f", use {use} instead" if use else "",
            f"; it ends with {until}" if until else "",
        ]
    )
