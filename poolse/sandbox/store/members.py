"""Who is in which conversation."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from poolse.sandbox import serializers as rows
from poolse.sandbox.store.database import Database
from poolse.sandbox.strict_json import JsonObject

__all__ = ["Members"]

_ONE = "SELECT * FROM memberships WHERE conversation_id = ? AND user_id = ?"


class Members(Database):
    """Members of conversations, with how far they have read."""

    def members(self, conversation_id: str) -> frozenset[str]:
        """Ids of the conversation's members."""
        query = "SELECT user_id FROM memberships WHERE conversation_id = ?"
        return frozenset(row["user_id"] for row in self._all(query, conversation_id))

    def memberships(self, conversation_id: str) -> list[JsonObject]:
        """The conversation's members, in the order in which they came."""
        query = "SELECT * FROM memberships WHERE conversation_id = ? ORDER BY rowid"
        return [rows.membership(row) for row in self._all(query, conversation_id)]

    def membership(self, conversation_id: str, user_id: str) -> JsonObject | None:
        """One member, or None."""
        row = self._one(_ONE, conversation_id, user_id)
        return None if row is None else rows.membership(row)

    def add_members(self, conversation_id: str, user_ids: Iterable[str], role: str) -> None:
        """Insert members who are not there yet."""
        now = self._now()
        for user_id in user_ids:
            self._insert(
                "memberships (id, conversation_id, user_id, role, inserted_at, updated_at)",
                *(str(uuid.uuid4()), conversation_id, user_id, role, now, now),
            )

    def remove_member(self, conversation_id: str, user_id: str) -> None:
        """Delete a member."""
        query = "DELETE FROM memberships WHERE conversation_id = ? AND user_id = ?"
        self._change(query, conversation_id, user_id)

    def read_up_to(self, message: JsonObject, user_id: str) -> JsonObject | None:
        """Move a member's read mark forward to a message; None when it is there or beyond."""
        now = self._now()
        moved = self._change(
            "UPDATE memberships SET last_read_message_id = ?, last_read_at = ?, updated_at = ?"
            " WHERE conversation_id = ? AND user_id = ? AND ? > coalesce("
            "(SELECT sequence FROM messages WHERE id = last_read_message_id), 0)",
            *(message["id"], now, now, message["conversation_id"], user_id, message["sequence"]),
        )
        return self.membership(str(message["conversation_id"]), user_id) if moved else None
