"""JSON schemas of what control sends and takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from poolse.sandbox.control_api.call import Node

__all__ = ["SCHEMAS", "listed", "obj", "ref"]

_STRING: Final[Node] = {"type": "string"}
_INTEGER: Final[Node] = {"type": "integer"}
_NUMBER: Final[Node] = {"type": "number"}
_BOOLEAN: Final[Node] = {"type": "boolean"}


def ref(name: str) -> Node:
    """Return a reference to one of the schemas."""
    return {"$ref": f"#/components/schemas/{name}"}


def obj(properties: Mapping[str, Node], *optional: str, description: str = "") -> Node:
    """Return the schema of an object that has these fields and no others."""
    schema: dict[str, Any] = {"type": "object"}
    if description:
        schema["description"] = description
    schema["properties"] = dict(properties)
    required = [name for name in properties if name not in optional]
    if required:
        schema["required"] = required
    return {**schema, "additionalProperties": False}


def listed(name: str) -> Node:
    """Return the schema of a list, `{"data": [...]}`."""
    return obj({"data": {"type": "array", "items": ref(name)}})


def _or_null(node: Node, description: str) -> Node:
    return {**node, "type": [node["type"], "null"], "description": description}


def _described(node: Node, description: str) -> Node:
    return {**node, "description": description}


_KINDS: Final = ("request", "handshake", "received", "sent")

_ENTRY: Final[Mapping[str, Node]] = {
    "id": _described(_INTEGER, "Number of the entry; it grows with time."),
    "at": _described({**_STRING, "format": "date-time"}, "Time of the machine."),
    "kind": _described(
        {**_STRING, "enum": _KINDS},
        "`request`, `handshake` of a socket, or a frame that the sandbox `received` or `sent`.",
    ),
    "method": _or_null(_STRING, "Of requests and handshakes."),
    "path": _or_null(_STRING, "Path and query of requests and handshakes."),
    "user": _or_null(_STRING, "External ID of the user whose token it came with."),
    "status": _or_null(_INTEGER, "HTTP status; null while there is no response."),
    "ms": _or_null(_NUMBER, "Milliseconds until the response was complete."),
    "cut": _described(_BOOLEAN, "Whether the connection ended before the response was complete."),
    "socket": _or_null(_INTEGER, "Number of the socket of handshakes and frames."),
    "topic": _or_null(_STRING, "Of frames."),
    "event": _or_null(_STRING, "Of frames."),
    "size": _described(_INTEGER, "Bytes of the frame, or of the response's body."),
}

_HEADERS: Final[Node] = {"type": "object", "additionalProperties": _STRING}

_DETAILS: Final[Mapping[str, Node]] = {
    "request_headers": _described(_HEADERS, "Of requests and handshakes."),
    "request_body": _or_null(_STRING, "Null if it is binary."),
    "response_headers": _described(_HEADERS, "Of requests and handshakes."),
    "response_body": _or_null(_STRING, "Null if it is binary."),
    "payload": {"description": "Of frames; the text of a frame that is malformed or truncated."},
    "join_ref": {"description": "Of frames."},
    "ref": {"description": "Of frames."},
    "truncated": _described(_BOOLEAN, "Whether only the first 16 kB are shown."),
}

SCHEMAS: Final[Mapping[str, Node]] = {
    "Health": obj(
        {
            "status": {"const": "ok"},
            "version": _described(_STRING, "Release of poolse."),
            "api": _described(_STRING, "Version of the API that is spoken, such as `2`."),
            "users": _described(_INTEGER, "Number of users."),
            "sockets": _described(_INTEGER, "Number of open sockets."),
        }
    ),
    "Environment": obj(
        {
            "api_url": _described(_STRING, "Base URL of REST, as the caller reaches it."),
            "ws_url": _described(_STRING, "Base URL of realtime."),
            "api_key": _described(_STRING, "API key of the tenant."),
            "ca_file": _or_null(_STRING, "Certificate authority of this run, if there is TLS."),
            "swagger": _described(_BOOLEAN, "Whether `/_sandbox/swagger/` has Swagger UI."),
        }
    ),
    "User": obj(
        {
            "id": _described(_STRING, "poolse ID."),
            "external_id": _described(_STRING, "Your own ID for the user."),
            "display_name": _or_null(_STRING, "Name, if the user has one."),
            "blocked": _described(_BOOLEAN, "Whether the user is blocked."),
        }
    ),
    "Entry": obj(_ENTRY),
    "EntryDetails": obj({**_ENTRY, **_DETAILS}, *_DETAILS),
    "Fault": obj(
        {
            "id": _described(_INTEGER, "Number of the fault."),
            "kind": _described(_STRING, "Name of the fault."),
            "times": _or_null(_INTEGER, "Requests that are left; null for all."),
            "path": _or_null(_STRING, "Only requests to this path; null for all."),
            "method": _or_null(_STRING, "Only requests with this method; null for all."),
            "arguments": _described({"type": "object"}, "Its other arguments."),
        }
    ),
    "FaultKind": obj(
        {
            "kind": _described(_STRING, "Name of the fault."),
            "description": _STRING,
            "arguments": {
                "type": "array",
                "items": obj(
                    {
                        "name": _STRING,
                        "type": {**_STRING, "enum": ["boolean", "integer", "number", "string"]},
                        "nullable": _BOOLEAN,
                        "default": {"description": "Null, too, if it is required."},
                        "required": _BOOLEAN,
                        "minimum": _or_null(_INTEGER, "Null for no limit."),
                        "maximum": _or_null(_INTEGER, "Null for no limit."),
                        "description": _STRING,
                    }
                ),
            },
        }
    ),
    "Clock": obj(
        {
            "now": _described({**_STRING, "format": "date-time"}, "Time of the sandbox."),
            "offset": _described(_NUMBER, "Seconds that it is ahead of the machine."),
        }
    ),
    "Error": obj(
        {
            "error": obj(
                {
                    "code": _described(_STRING, "Code for programs."),
                    "message": _described(_STRING, "Message for people."),
                    "doc_url": _STRING,
                    "details": _described(
                        {"type": "object"}, "What is wrong with each field, in words."
                    ),
                },
                "details",
            )
        },
        description="The envelope of every error.",
    ),
}
