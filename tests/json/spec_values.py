"""Any value that a schema of the spec allows, for the keywords that our spec uses."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from hypothesis import strategies as st

from poolse.sandbox.spec import follow

__all__ = ["values_of"]

Node = dict[str, Any]

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)
FORMATS = {
    "uuid": st.uuids().map(str),
    "date-time": st.datetimes(timezones=st.just(UTC)).map(
        lambda time: time.isoformat(timespec="microseconds").replace("+00:00", "Z")
    ),
}


def values_of(schema: Node) -> st.SearchStrategy[Any]:
    """Values that hold by the schema; what it does not name is never there."""
    schema = follow(schema)
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "oneOf" in schema:
        return st.one_of([values_of(one) for one in schema["oneOf"]])
    kinds = schema.get("type", [])
    return st.one_of(
        [_of_kind(kind, schema) for kind in ([kinds] if type(kinds) is str else kinds)]
    )


def _of_kind(kind: str, schema: Node) -> st.SearchStrategy[Any]:
    match kind:
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(schema.get("minimum"), schema.get("maximum"))
        case "number":
            return st.floats(allow_nan=False, allow_infinity=False)
        case "string":
            return FORMATS.get(schema.get("format", ""), st.text(max_size=10))
        case "array":
            return st.lists(values_of(schema["items"]), max_size=3)
        case "object":
            return _objects(schema)
        case _:
            raise AssertionError(f"there is no {kind} in JSON")


def _objects(schema: Node) -> st.SearchStrategy[Any]:
    fields = schema.get("properties", {})
    values = schema.get("additionalProperties", True)
    if not fields and values:
        inner = ANYTHING if values is True else values_of(values)
        return st.dictionaries(st.text(max_size=10), inner, max_size=3)
    required = schema.get("required", [])
    return st.fixed_dictionaries(
        {name: values_of(fields[name]) for name in required},
        optional={name: values_of(fields[name]) for name in fields if name not in required},
    )
