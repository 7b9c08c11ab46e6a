"""An older version of the API is the newest one without what its spec does not have.

The handlers in `api` and the `store` implement the newest version only. Endpoints, topics, events,
and fields of objects that are newer are left out here, on the way out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from poolse.sandbox.api_versions import NEWEST, ApiVersion
from poolse.sandbox.strict_json import Json, JsonObject

if TYPE_CHECKING:
    from poolse.sandbox.spec import Node

__all__ = ["ApiFilter"]

# The spec is imported by each method, since the sandbox starts without it: see `rest`.


class ApiFilter:
    """What one version of the API lets through."""

    def __init__(self, version: ApiVersion = NEWEST) -> None:
        self.version: str = version.name
        self._newest = version is NEWEST

    def has_endpoint(self, method: str, path: str) -> bool:
        """Return whether there is a method of a path, written as in the spec."""
        return self._newest or method.lower() in self._paths().get(path, {})

    def has_topic(self, address: str) -> bool:
        """Return whether there is a kind of topic."""
        from poolse.sandbox.spec import channels

        return self._newest or address in channels(self.version)

    def response(
        self, method: str, path: str, status: int, body: JsonObject | None
    ) -> JsonObject | None:
        """Return the body of a response without fields that are newer."""
        if self._newest or body is None:
            return body
        from poolse.sandbox.spec import follow

        node = follow(self._paths()[path][method.lower()]["responses"][str(status)])
        return cast(JsonObject, _known(node["content"]["application/json"]["schema"], body))

    def event(self, address: str, event: str, payload: JsonObject) -> JsonObject | None:
        """Return the payload of an event in the same manner; None if there is no such event."""
        if self._newest:
            return payload
        from poolse.sandbox.spec import channels

        schema = channels(self.version)[address].events.get(event)
        return None if schema is None else cast(JsonObject, _known(schema.node, payload))

    def _paths(self) -> Node:
        from poolse.sandbox.spec import OPENAPI, document

        paths: Node = document(OPENAPI, self.version)["paths"]
        return paths


def _known(schema: Node, value: Json) -> Json:
    """Return a value with those fields of its objects that a schema names.

    An object without named fields, such as `custom_data`, is kept as it is.
    """
    from poolse.sandbox.spec import follow

    schema = follow(schema)
    if "oneOf" in schema:  # it, or null
        schema = follow(schema["oneOf"][0])
    if isinstance(value, list):
        return [_known(schema.get("items", {}), item) for item in value]
    if not isinstance(value, dict):
        return value
    if "properties" in schema:
        fields = schema["properties"]
        return {name: _known(fields[name], value[name]) for name in value if name in fields}
    every = schema.get("additionalProperties")
    if isinstance(every, dict):
        return {name: _known(cast("Node", every), item) for name, item in value.items()}
    return value
