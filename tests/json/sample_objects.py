"""JSON rows for the tests of the codec: the examples of the spec, with values that tests name."""

from __future__ import annotations

from typing import Any

from poolse.sandbox.spec import document

A_TIME = "2026-06-01T09:30:00.123456Z"
TIMES = {"inserted_at": A_TIME, "updated_at": A_TIME}
SCHEMAS = document()["components"]["schemas"]


def example(schema: str, **values: object) -> dict[str, Any]:
    """An object with every field of its schema; those that the example lacks are null."""
    return {
        **dict.fromkeys(SCHEMAS[schema]["properties"]),
        **SCHEMAS[schema]["examples"][-1],
        **values,
    }


ATTACHMENT = example("Attachment", id="a-1", message_id="m-1", **TIMES)
MESSAGE = example(
    "Message",
    id="m-1",
    type="text",
    body="Hello",
    reply_count=0,
    mentions=["u-2"],
    reactions={"👍": ["u-1", "u-2"]},
    attachments=[ATTACHMENT],
    sequence=7,
    **TIMES,
)
FIELDS = SCHEMAS["Message"]["properties"]
OPTIONAL = tuple(name for name in FIELDS if name not in SCHEMAS["Message"]["required"])
NULLABLE = tuple(name for name in FIELDS if "null" in FIELDS[name].get("type", ()))


def without(row: dict[str, Any], *keys: str) -> dict[str, Any]:
    """The row without these keys."""
    return {key: value for key, value in row.items() if key not in keys}
