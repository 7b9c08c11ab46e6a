"""Conversations and their members."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterable
from typing import cast

from poolse.sandbox.request_arguments import NewConversation
from poolse.sandbox.rules import preview
from poolse.sandbox.store.database import Database, json_object
from poolse.sandbox.strict_json import JsonObject, dump

__all__ = ["Conversations"]

CONVERSATIONS = """
SELECT c.*, p.sequence AS preview_sequence, p.body AS preview_body
FROM conversations c
LEFT JOIN messages p ON p.conversation_id = c.id AND p.sequence = (
    SELECT max(sequence) FROM messages WHERE conversation_id = c.id AND deleted_at IS NULL
)
"""
"""With the newest message that was not deleted."""

_DELETED = """(
    SELECT count(*) FROM messages d WHERE d.conversation_id = c.id AND d.deleted_at IS NOT NULL
    AND d.sequence > coalesce(r.sequence, 0)
)
"""
UNREAD = f"""
SELECT m.conversation_id, m.user_id,
    c.last_sequence - coalesce(r.sequence, 0) AS unread, {_DELETED} AS deleted
FROM memberships m
JOIN conversations c ON c.id = m.conversation_id
LEFT JOIN messages r ON r.id = m.last_read_message_id
"""  # noqa: S608  (our words)
"""How many messages come after a member's read mark, and how many of these were deleted."""

MEMBERSHIPS = """
SELECT m.*, u.external_id, r.sequence AS last_read_sequence
FROM memberships m
JOIN users u ON u.id = m.user_id
LEFT JOIN messages r ON r.id = m.last_read_message_id
"""


class Conversations(Database):
    """Conversations, and their members with how far they have read."""

    tables = """
        CREATE TABLE IF NOT EXISTS conversations (
            id TEXT PRIMARY KEY,
            tenant_id TEXT NOT NULL REFERENCES tenants,
            type TEXT NOT NULL,
            name TEXT,
            avatar_url TEXT,
            created_by_user_id TEXT REFERENCES users,
            member_limit INTEGER,
            custom_data TEXT NOT NULL,
            settings TEXT NOT NULL,
            last_message_at TEXT,
            last_sequence INTEGER NOT NULL DEFAULT 0,
            inserted_at TEXT NOT NULL,
            updated_at TEXT NOT NULL
        );
        CREATE TABLE IF NOT EXISTS memberships (
            id TEXT PRIMARY KEY,
            conversation_id TEXT NOT NULL REFERENCES conversations,
            user_id TEXT NOT NULL REFERENCES users,
            role TEXT NOT NULL,
            last_read_message_id TEXT REFERENCES messages,
            last_read_at TEXT,
            inserted_at TEXT NOT NULL,
            updated_at TEXT NOT NULL,
            UNIQUE (conversation_id, user_id)
        );
        CREATE INDEX IF NOT EXISTS conversations_of_a_user ON memberships (user_id);
    """

    def conversation(self, tenant_id: str, conversation_id: str) -> JsonObject | None:
        """Return the tenant's conversation with an ID."""
        query = f"{CONVERSATIONS} WHERE c.tenant_id = ? AND c.id = ?"
        row = self._one(query, tenant_id, conversation_id)
        return None if row is None else _conversation(row)

    def conversations_of(self, user_id: str) -> list[JsonObject]:
        """Return a user's conversations, newest activity first, as lists show them."""
        rows = self._all(
            f"{CONVERSATIONS} JOIN memberships m ON m.conversation_id = c.id WHERE m.user_id = ?"
            " ORDER BY coalesce(c.last_message_at, c.inserted_at) DESC, c.rowid DESC",
            user_id,
        )
        unread = self._unread("conversation_id", "WHERE m.user_id = ?", user_id)
        own = "SELECT conversation_id FROM memberships WHERE user_id = ?"
        names = self._member_names(f"WHERE m.conversation_id IN ({own})", user_id)
        return [
            {
                **_conversation(row),
                "unread_count": unread[row["id"]],
                "member_external_ids": [*names[row["id"]]],
            }
            for row in rows
        ]

    def unread_counts(self, conversation_id: str) -> dict[str, int]:
        """Return how many messages each member has not read."""
        return self._unread("user_id", "WHERE m.conversation_id = ?", conversation_id)

    def member_names(self, conversation_id: str) -> list[str]:
        """Return the external IDs of the members, in the order in which they came."""
        return self._member_names("WHERE m.conversation_id = ?", conversation_id)[conversation_id]

    def _unread(self, key: str, where: str, value: str) -> dict[str, int]:
        counts_deleted = self.options.api.counts_deleted
        rows = self._all(f"{UNREAD} {where}", value)
        return {row[key]: row["unread"] - (0 if counts_deleted else row["deleted"]) for row in rows}

    def _member_names(self, where: str, value: str) -> dict[str, list[str]]:
        names: dict[str, list[str]] = {}
        for row in self._all(f"{MEMBERSHIPS} {where} ORDER BY m.rowid", value):
            names.setdefault(row["conversation_id"], []).append(row["external_id"])
        return names

    def add_conversation(self, tenant_id: str, creator: str, new: NewConversation) -> JsonObject:
        """Insert a conversation that has no members yet."""
        conversation_id, now = str(uuid.uuid4()), self._now()
        self._insert(
            "conversations (id, tenant_id, type, name, avatar_url, created_by_user_id,"
            " member_limit, custom_data, settings, inserted_at, updated_at)",
            *(conversation_id, tenant_id, new.type, new.name, new.avatar_url, creator),
            *(new.member_limit, dump(new.custom_data), dump(new.settings), now, now),
        )
        return self._conversation(conversation_id)

    def change_conversation(self, conversation_id: str, changes: JsonObject) -> JsonObject:
        """Set some of its columns; objects are kept as JSON text."""
        values = [dump(value) if isinstance(value, dict) else value for value in changes.values()]
        columns = "".join(f"{name} = ?, " for name in changes)
        self._change(
            f"UPDATE conversations SET {columns}updated_at = ? WHERE id = ?",  # noqa: S608
            *(*values, self._now(), conversation_id),
        )
        return self._conversation(conversation_id)

    def _conversation(self, conversation_id: str) -> JsonObject:
        return _conversation(self._sure(f"{CONVERSATIONS} WHERE c.id = ?", conversation_id))

    def members(self, conversation_id: str) -> frozenset[str]:
        """Return the IDs of the conversation's members."""
        query = "SELECT user_id FROM memberships WHERE conversation_id = ?"
        return frozenset(row["user_id"] for row in self._all(query, conversation_id))

    def memberships(self, conversation_id: str) -> list[JsonObject]:
        """Return the conversation's members, in the order in which they came."""
        query = f"{MEMBERSHIPS} WHERE m.conversation_id = ? ORDER BY m.rowid"
        return [json_object(row) for row in self._all(query, conversation_id)]

    def membership(self, conversation_id: str, user_id: str) -> JsonObject | None:
        """Return one member, or None."""
        query = f"{MEMBERSHIPS} WHERE m.conversation_id = ? AND m.user_id = ?"
        row = self._one(query, conversation_id, user_id)
        return None if row is None else json_object(row)

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


def _conversation(row: sqlite3.Row) -> JsonObject:
    conversation = json_object(row)
    there_is_one = conversation.pop("preview_sequence") is not None
    body = conversation.pop("preview_body")
    conversation["last_message_preview"] = (
        preview(cast("str | None", body)) if there_is_one else None
    )
    return conversation
