"""Where a resource hangs: `things(thing_id).parts` reads like the Python that reaches it."""

from __future__ import annotations

import re
from typing import Final

from codegen.naming import pascal
from codegen.yaml_source import Node

__all__ = [
    "BUILTIN_TYPES",
    "attribute_of",
    "binds_of",
    "bound_at",
    "class_name",
    "parent_of",
    "root_of",
]

HANDLE: Final = re.compile(r"\(([a-z0-9_]+)\)$")
BUILTIN_TYPES: Final = ("bool", "dict", "float", "int", "list", "str", "type")


def parent_of(address: str) -> str:
    """The address one step up, "" above a root."""
    if HANDLE.search(address):
        return HANDLE.sub("", address)
    return address.rpartition(".")[0]


def root_of(address: str) -> str:
    """The attribute of the client that it is reached from."""
    return re.split(r"[.(]", address)[0]


def binds_of(address: str) -> str:
    """The path value that a handle stands for, "" of what is no handle."""
    found = HANDLE.search(address)
    return found[1] if found else ""


def bound_at(address: str) -> tuple[str, ...]:
    """All path values that are known at the address."""
    return tuple(re.findall(r"\(([a-z0-9_]+)\)", address))


def attribute_of(address: str) -> str:
    """The last name of an address."""
    return HANDLE.sub("", address).rpartition(".")[2]


def class_name(address: str, node: Node) -> str:
    """The class of a resource."""
    kind = "Handle" if binds_of(address) else "Resource"
    return node.text("class") or pascal(attribute_of(address)) + kind
