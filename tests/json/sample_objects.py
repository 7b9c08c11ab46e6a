"""JSON rows for the tests of the codec."""

from __future__ import annotations

from typing import Any

A_TIME = "2026-06-01T09:30:00.123456Z"
ATTACHMENT: dict[str, Any] = {
    "id": "a-1",
    "tenant_id": "t-1",
    "message_id": "m-1",
    "sender_id": "u-1",
    "content_type": "image/png",
    "byte_size": 2048,
    "sha256": None,
    "original_filename": "cat.png",
    "status": "ready",
    "inserted_at": A_TIME,
    "updated_at": A_TIME,
}
MESSAGE: dict[str, Any] = {
    "id": "m-1",
    "tenant_id": "t-1",
    "conversation_id": "c-1",
    "sender_id": "u-1",
    "type": "text",
    "body": "Hello",
    "reply_to_id": None,
    "thread_root_id": None,
    "reply_count": 0,
    "quoted_message_id": None,
    "quoted_message": None,
    "mentions": ["u-2"],
    "reactions": {"👍": ["u-1", "u-2"]},
    "attachments": [ATTACHMENT],
    "edited_at": None,
    "deleted_at": None,
    "sequence": 7,
    "inserted_at": A_TIME,
    "updated_at": A_TIME,
}
OPTIONAL = ("reply_count", "quoted_message_id", "quoted_message", "attachments")
NULLABLE = ("sender_id", "body", "reply_to_id", "thread_root_id", "edited_at", "deleted_at")


def without(row: dict[str, Any], *keys: str) -> dict[str, Any]:
    """The row without these keys."""
    return {key: value for key, value in row.items() if key not in keys}
