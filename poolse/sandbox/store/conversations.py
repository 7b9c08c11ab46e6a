"""Conversations."""

from __future__ import annotations

import uuid

from poolse.sandbox import serializers as rows
from poolse.sandbox.requests import NewConversation
from poolse.sandbox.store.database import Database
from poolse.sandbox.strict_json import JsonObject, dump

__all__ = ["Conversations"]

LISTED = """
SELECT c.*, c.last_sequence - coalesce(r.sequence, 0) AS unread_count
FROM memberships m
JOIN conversations c ON c.id = m.conversation_id
LEFT JOIN messages r ON r.id = m.last_read_message_id
WHERE m.user_id = ?
ORDER BY coalesce(c.last_message_at, c.inserted_at) DESC, c.rowid DESC
"""


class Conversations(Database):
    """Conversations, without what is in them."""

    def conversation(self, tenant_id: str, conversation_id: str) -> JsonObject | None:
        """The tenant's conversation of that id."""
        query = "SELECT * FROM conversations WHERE tenant_id = ? AND id = ?"
        row = self._one(query, tenant_id, conversation_id)
        return None if row is None else rows.conversation(row)

    def conversations_of(self, user_id: str) -> list[JsonObject]:
        """The conversations that a user is in, newest activity first, with what is unread."""
        return [
            {**rows.conversation(row), "unread_count": row["unread_count"]}
            for row in self._all(LISTED, user_id)
        ]

    def add_conversation(self, tenant_id: str, creator: str, new: NewConversation) -> JsonObject:
        """Insert a conversation that has no members yet."""
        conversation_id, now = str(uuid.uuid4()), self._now()
        self._insert(
            "conversations (id, tenant_id, type, name, avatar_url, created_by_user_id,"
            " member_limit, custom_data, settings, inserted_at, updated_at)",
            *(conversation_id, tenant_id, new.type, new.name, new.avatar_url, creator),
            *(new.member_limit, dump(new.custom_data), dump(new.settings), now, now),
        )
        row = self._sure("SELECT * FROM conversations WHERE id = ?", conversation_id)
        return rows.conversation(row)

    def change_conversation(self, conversation_id: str, changes: JsonObject) -> JsonObject:
        """Set some of its columns; objects are kept as JSON text."""
        values = [dump(value) if isinstance(value, dict) else value for value in changes.values()]
        columns = "".join(f"{name} = ?, " for name in changes)
        row = self._sure(
            f"UPDATE conversations SET {columns}updated_at = ? WHERE id = ? RETURNING *",  # noqa: S608
            *(*values, self._now(), conversation_id),
        )
        return rows.conversation(row)
