"""Names of the spec -> names in Python, and the addresses of resources.

An address such as `things(thing_id).parts` reads like the Python that reaches the resource.
"""

from __future__ import annotations

import keyword
import re
from typing import Final

from codegen.yaml_source import Node

__all__ = [
    "BUILTIN_TYPES",
    "attribute_of",
    "binds_of",
    "bound_at",
    "class_name",
    "constant",
    "is_usable",
    "member",
    "parent_of",
    "pascal",
    "root_of",
    "snake",
]

BOUNDARY: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def _words(name: str) -> list[str]:
    spaced = BOUNDARY.sub(" ", name)
    return [word.lower() for word in re.split(r"[^A-Za-z0-9]+", spaced) if word]


def pascal(name: str) -> str:
    """Return `some_thing` and `someThing` as `SomeThing`."""
    return "".join(word[0].upper() + word[1:] for word in _words(name))


def snake(name: str) -> str:
    """Return `SomeThing` as `some_thing`."""
    return "_".join(_words(name))


def constant(name: str) -> str:
    """Return `someThing` as `SOME_THING`."""
    return snake(name).upper()


def member(value: str) -> str:
    """Return the name of an enum member, from its value."""
    name = constant(value)
    return name if name[:1].isalpha() else f"VALUE_{name}"


def is_usable(name: str) -> bool:
    """Return whether it can stand as a name in Python. Soft keywords such as `type` can."""
    return name.isidentifier() and not keyword.iskeyword(name)


HANDLE: Final = re.compile(r"\(([a-z0-9_]+)\)$")
BUILTIN_TYPES: Final = ("bool", "dict", "float", "int", "list", "str", "type")


def parent_of(address: str) -> str:
    """Return the address one step up, "" above a root."""
    if HANDLE.search(address):
        return HANDLE.sub("", address)
    return address.rpartition(".")[0]


def root_of(address: str) -> str:
    """Return the attribute of the client that it is reached from."""
    return re.split(r"[.(]", address)[0]


def binds_of(address: str) -> str:
    """Return the path value that a handle stands for, "" of what is no handle."""
    match = HANDLE.search(address)
    return match[1] if match else ""


def bound_at(address: str) -> tuple[str, ...]:
    """Return all path values that are known at the address."""
    return tuple(re.findall(r"\(([a-z0-9_]+)\)", address))


def attribute_of(address: str) -> str:
    """Return the last name of an address."""
    return HANDLE.sub("", address).rpartition(".")[2]


def class_name(address: str, node: Node) -> str:
    """Return the class of a resource."""
    kind = "Handle" if binds_of(address) else "Resource"
    return node.text("class") or pascal(attribute_of(address)) + kind
