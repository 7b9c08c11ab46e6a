"""Rows of the database as the JSON objects of the wire."""

from __future__ import annotations

import json
from collections.abc import Mapping
from sqlite3 import Row

from poolse.sandbox.rules import QUOTE_LENGTH
from poolse.sandbox.strict_json import JsonObject

__all__ = ["conversation", "membership", "message", "user"]


def user(row: Row) -> JsonObject:
    """A `User`; it is also `Me`."""
    return {
        "id": row["id"],
        "tenant_id": row["tenant_id"],
        "external_id": row["external_id"],
        "display_name": row["display_name"],
        "custom_data": json.loads(row["custom_data"]),
        "is_blocked": bool(row["is_blocked"]),
        "inserted_at": row["inserted_at"],
        "updated_at": row["updated_at"],
    }


def conversation(row: Row) -> JsonObject:
    """A `Conversation`; `unread_count` is only in the list."""
    return {
        "id": row["id"],
        "tenant_id": row["tenant_id"],
        "type": row["type"],
        "name": row["name"],
        "avatar_url": row["avatar_url"],
        "created_by_user_id": row["created_by_user_id"],
        "member_limit": row["member_limit"],
        "custom_data": json.loads(row["custom_data"]),
        "settings": json.loads(row["settings"]),
        "last_message_at": row["last_message_at"],
        "last_sequence": row["last_sequence"],
        "inserted_at": row["inserted_at"],
        "updated_at": row["updated_at"],
    }


def membership(row: Row) -> JsonObject:
    """A `Membership`."""
    return {
        "id": row["id"],
        "conversation_id": row["conversation_id"],
        "user_id": row["user_id"],
        "role": row["role"],
        "last_read_message_id": row["last_read_message_id"],
        "last_read_at": row["last_read_at"],
        "inserted_at": row["inserted_at"],
        "updated_at": row["updated_at"],
    }


def message(row: Row, reactions: Mapping[str, list[str]]) -> JsonObject:
    """A `Message`, from a row of the query `MESSAGES`."""
    return {
        "id": row["id"],
        "tenant_id": row["tenant_id"],
        "conversation_id": row["conversation_id"],
        "sender_id": row["sender_id"],
        "type": row["type"],
        "body": row["body"],
        "reply_to_id": row["reply_to_id"],
        "thread_root_id": row["thread_root_id"],
        "reply_count": row["reply_count"],
        "quoted_message_id": row["quoted_message_id"],
        "quoted_message": None if row["quoted_message_id"] is None else _preview(row),
        "mentions": json.loads(row["mentions"]),
        "reactions": {emoji: [*user_ids] for emoji, user_ids in reactions.items()},
        "attachments": json.loads(row["attachments"]),
        "edited_at": row["edited_at"],
        "deleted_at": row["deleted_at"],
        "sequence": row["sequence"],
        "inserted_at": row["inserted_at"],
        "updated_at": row["updated_at"],
    }


def _preview(row: Row) -> JsonObject:
    body: str | None = row["quoted_body"]
    return {
        "id": row["quoted_message_id"],
        "sender_id": row["quoted_sender_id"],
        "body": None if body is None else body[:QUOTE_LENGTH],
        "deleted_at": row["quoted_deleted_at"],
        "inserted_at": row["quoted_inserted_at"],
    }
