"""Fields of a request that is as the spec says: absent and null are the same, ids in lower case."""

from __future__ import annotations

from poolse.sandbox.strict_json import Json, JsonObject

__all__ = ["list_", "number", "object_", "text", "texts", "uuid", "uuids"]


def text(body: JsonObject, name: str) -> str | None:
    """A string."""
    value = body.get(name)
    return value if isinstance(value, str) else None


def number(body: JsonObject, name: str) -> int | None:
    """A whole number; JSON knows only one kind of them, so 1.0 is 1."""
    value = body.get(name)
    return int(value) if isinstance(value, int | float) else None


def texts(body: JsonObject, name: str) -> list[str]:
    """Strings, each once."""
    return list(dict.fromkeys(value for value in list_(body, name) if isinstance(value, str)))


def uuid(body: JsonObject, name: str) -> str | None:
    """An id."""
    value = text(body, name)
    return None if value is None else value.lower()


def uuids(body: JsonObject, name: str) -> list[str]:
    """Ids, each once."""
    return list(dict.fromkeys(value.lower() for value in texts(body, name)))


def object_(body: JsonObject, name: str) -> JsonObject:
    """A JSON object."""
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def list_(body: JsonObject, name: str) -> list[Json]:
    """A list."""
    value = body.get(name)
    return value if isinstance(value, list) else []
