"""The imports of a generated file: exactly the names that it uses, sorted."""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping
from typing import Final

__all__ = [
    "HOLDERS",
    "import_block",
]

MODULES: Final = {"attrs", "builtins", "os"}

LIBRARY: Final = {
    "collections.abc": ("AsyncIterator", "Callable", "Iterator", "Mapping", "Sequence"),
    "datetime": ("UTC", "datetime"),
    "enum": ("StrEnum",),
    "pathlib": ("Path",),
    "typing": (
        "Any",
        "ClassVar",
        "Final",
        "Generic",
        "Literal",
        "TYPE_CHECKING",
        "TypeAlias",
        "cast",
        "overload",
    ),
    "uuid": ("UUID",),
    "typing_extensions": ("Required", "TypedDict", "deprecated"),
    "poolse._rest.arguments": (
        "a_boolean",
        "a_list_of",
        "a_number",
        "a_number_id",
        "a_segment",
        "a_string",
        "a_time",
        "an_id",
        "an_integer",
        "an_object",
        "an_object_of",
        "an_object_with",
        "any_of",
        "anything",
        "or_none",
    ),
    "poolse._rest.request": ("checked_payload",),
    "poolse._rest.async_calls": ("AsyncCalls",),
    "poolse._rest.calls": ("Calls",),
    "poolse._support.id_arguments": ("checked_id", "checked_number"),
    "poolse._json.codec": ("decode_value", "to_dict"),
    "poolse._rest.endpoint": (
        "Auth",
        "Download",
        "Endpoint",
        "ErrorPaths",
        "Paging",
        "Read",
        "Thread",
        "Translation",
        "Upload",
    ),
    "poolse._support.deprecation": ("deprecated_names", "deprecated_parameters"),
    "poolse._json.parsing": (
        "Mismatch",
        "ModelKeys",
        "boolean",
        "draft_of",
        "enum_of",
        "first_of",
        "instant",
        "integer",
        "json_object",
        "list_of",
        "map_of",
        "needed",
        "nullable",
        "number",
        "one_of",
        "read_json",
        "read_nothing",
        "string",
    ),
    "poolse._json.models": ("Model", "Page", "first_in", "keyed_by"),
    "poolse._follow": ("async_feed", "feed"),
    "poolse._follow.checkpoints": ("AsyncCheckpoint", "Checkpoint"),
    "poolse._follow.positions": ("After", "Gap", "Numbered"),
    "poolse._realtime.async_public": ("AsyncChannel", "AsyncRealtime", "AsyncRepeatedPush"),
    "poolse._realtime.channel_types": ("ChannelType", "EventType", "PresenceType", "UnknownEvent"),
    "poolse._realtime.settings": ("REPLY_WAIT",),
    "poolse._realtime.public": ("Channel", "Realtime", "RepeatedPush"),
    "poolse.cancel": ("CancelToken",),
    "poolse.options": ("CallOptions",),
    "poolse.testing.factory_helpers": ("made",),
    "poolse.types": (
        "UNSET",
        "AsyncBinaryWriter",
        "AsyncDownloadTo",
        "AsyncUploadBody",
        "BinaryWriter",
        "DownloadTo",
        "Json",
        "OnProgress",
        "OpenEnum",
        "Unset",
        "UploadBody",
        "UploadPaths",
    ),
}
LATE: Final = ("poolse._follow.checkpoints", "poolse._follow.positions", "uuid")
"""Modules that a method of the generated code loads when it is called, or that only its annotations
name: few programs ever load them."""

HOLDERS: Final = {name: module for module, names in LIBRARY.items() for name in names}


def import_block(body: str, generated: Mapping[str, str], module: str) -> str:
    """Return the imports of `body`, the text of `module`. `generated`: more names, by module."""
    tree = ast.parse(body)
    used = _free_names(tree)
    holders = {**HOLDERS, **generated}
    taken: dict[str, list[str]] = {}
    for name in sorted(used & holders.keys(), key=_isort_key):
        if holders[name] != module:
            taken.setdefault(holders[name], []).append(name)
    late = {name: names for name, names in taken.items() if _is_late(name, module)}
    if late:
        wanted = {"TYPE_CHECKING", *taken.get("typing", ())}
        taken["typing"] = sorted(wanted, key=_isort_key)
    lines = [(_group(name), 0, name, f"import {name}") for name in used & MODULES]
    for name, names in taken.items():
        if name in late:
            continue
        lines.append((_group(name), 1, name, f"from {name} import {', '.join(names)}"))
    text = "from __future__ import annotations\n"
    before = 0
    for group, _, _, line in sorted(lines):
        text += ("\n" if group != before else "") + line + "\n"
        before = group
    return text + _for_types(late)


def _is_late(name: str, module: str) -> bool:
    # What validates a TypedDict looks its annotations up.
    return name.startswith(LATE) and not module.endswith(".requests")


def _for_types(late: Mapping[str, list[str]]) -> str:
    """Return the imports for type checkers."""
    if not late:
        return ""
    lines = (f"    from {name} import {', '.join(late[name])}\n" for name in sorted(late))
    return f"\nif TYPE_CHECKING:\n{''.join(lines)}"


def _free_names(tree: ast.Module) -> set[str]:
    """Return the names that are read, without those of parameters."""
    nodes = list(ast.walk(tree))
    names = [node for node in nodes if isinstance(node, ast.Name)]
    read = {node.id for node in names if isinstance(node.ctx, ast.Load)}
    return read - {node.arg for node in nodes if isinstance(node, ast.arg)}


def _group(module: str) -> int:
    top = module.partition(".")[0]
    return 1 if top in sys.stdlib_module_names else 3 if top == "poolse" else 2


def _isort_key(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name
