"""Messages and their reactions."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Mapping, Sequence

from poolse.sandbox.request_arguments import NewMessage, Page, ReplyPage
from poolse.sandbox.rules import QUOTE_LENGTH
from poolse.sandbox.store.attachments import ATTACHMENTS
from poolse.sandbox.store.database import Database, json_object
from poolse.sandbox.strict_json import JsonObject, dump

__all__ = ["Messages"]

MESSAGES = f"""
SELECT m.*,
    (SELECT count(*) FROM messages r WHERE r.thread_root_id = m.id AND r.deleted_at IS NULL)
        AS reply_count,
    {ATTACHMENTS},
    s.external_id AS sender_external_id,
    q.sender_id AS quoted_sender_id, qs.external_id AS quoted_sender_external_id,
    q.body AS quoted_body, q.deleted_at AS quoted_deleted_at, q.inserted_at AS quoted_inserted_at
FROM messages m
LEFT JOIN users s ON s.id = m.sender_id
LEFT JOIN messages q ON q.id = m.quoted_message_id
LEFT JOIN users qs ON qs.id = q.sender_id
"""  # noqa: S608  (our words)
_QUOTED = ("sender_id", "sender_external_id", "body", "deleted_at", "inserted_at")
"""Of a quoted message; the query `MESSAGES` has them as `quoted_…`."""
_COLUMNS = "reactions (message_id, emoji, user_id)"


class Messages(Database):
    """Messages of conversations and threads, with their reactions."""

    tables = """
        CREATE TABLE IF NOT EXISTS messages (
            id TEXT PRIMARY KEY,
            tenant_id TEXT NOT NULL REFERENCES tenants,
            conversation_id TEXT NOT NULL REFERENCES conversations,
            sender_id TEXT REFERENCES users,
            type TEXT NOT NULL,
            body TEXT,
            reply_to_id TEXT REFERENCES messages,
            thread_root_id TEXT REFERENCES messages,
            quoted_message_id TEXT REFERENCES messages,
            mentions TEXT NOT NULL,
            edited_at TEXT,
            deleted_at TEXT,
            sequence INTEGER NOT NULL,
            inserted_at TEXT NOT NULL,
            updated_at TEXT NOT NULL,
            UNIQUE (conversation_id, sequence)
        );
        CREATE INDEX IF NOT EXISTS replies ON messages (thread_root_id)
            WHERE thread_root_id IS NOT NULL;
        CREATE INDEX IF NOT EXISTS deleted_messages ON messages (conversation_id, sequence)
            WHERE deleted_at IS NOT NULL;
        CREATE TABLE IF NOT EXISTS reactions (
            id INTEGER PRIMARY KEY,
            message_id TEXT NOT NULL REFERENCES messages,
            emoji TEXT NOT NULL,
            user_id TEXT NOT NULL REFERENCES users,
            UNIQUE (message_id, emoji, user_id)
        );
    """

    def message(self, message_id: str) -> JsonObject | None:
        """Return the message of that ID, of any tenant."""
        messages = self._whole(self._all(f"{MESSAGES} WHERE m.id = ?", message_id))
        return messages[0] if messages else None

    def page(self, conversation_id: str, page: Page) -> list[JsonObject]:
        """Return messages outside of threads, newest first."""
        rows = self._all(
            f"{MESSAGES} WHERE m.conversation_id = ? AND m.thread_root_id IS NULL"
            " AND m.sequence < ? ORDER BY m.sequence DESC LIMIT ?",
            *(conversation_id, page.before, page.limit),
        )
        return self._whole(rows)

    def replies(self, root_id: str, page: ReplyPage) -> list[JsonObject]:
        """Return messages of a thread, oldest first, without its root."""
        rows = self._all(
            f"{MESSAGES} WHERE m.thread_root_id = ? AND m.sequence > ? ORDER BY m.sequence LIMIT ?",
            *(root_id, page.after, page.limit),
        )
        return self._whole(rows)

    def add_message(
        self, conversation: JsonObject, sender: str, root: str | None, new: NewMessage
    ) -> JsonObject:
        """Insert a message with the next sequence of its conversation. Needs a transaction."""
        message_id, now = new.id or str(uuid.uuid4()), self._now()
        sequence: int = self._sure(
            "UPDATE conversations SET last_sequence = last_sequence + 1, last_message_at = ?,"
            " updated_at = ? WHERE id = ? RETURNING last_sequence",
            *(now, now, conversation["id"]),
        )["last_sequence"]
        self._insert(
            "messages (id, tenant_id, conversation_id, sender_id, type, body, reply_to_id,"
            " thread_root_id, quoted_message_id, mentions, sequence, inserted_at, updated_at)",
            *(message_id, conversation["tenant_id"], conversation["id"], sender, new.type),
            *(new.body, new.reply_to_id, root, new.quoted_message_id, dump(new.mentions)),
            *(sequence, now, now),
        )
        return self._message(message_id)

    def edit_message(self, message_id: str, body: str) -> JsonObject:
        """Give a message another body."""
        query = "UPDATE messages SET body = ?, edited_at = ?, updated_at = ? WHERE id = ?"
        now = self._now()
        self._change(query, body, now, now, message_id)
        return self._message(message_id)

    def delete_message(self, message_id: str) -> JsonObject:
        """Empty a message; its row stays."""
        query = "UPDATE messages SET body = NULL, deleted_at = ?, updated_at = ? WHERE id = ?"
        now = self._now()
        self._change(query, now, now, message_id)
        return self._message(message_id)

    def _message(self, message_id: str) -> JsonObject:
        return self._whole([self._sure(f"{MESSAGES} WHERE m.id = ?", message_id)])[0]

    def _whole(self, rows: Sequence[sqlite3.Row]) -> list[JsonObject]:
        """Return messages with their reactions, and previews of quoted messages."""
        reactions = self.reactions([row["id"] for row in rows])
        return [_message(row, reactions.get(row["id"], {})) for row in rows]

    def reactions(self, message_ids: Sequence[str]) -> dict[str, dict[str, list[str]]]:
        """By message and emoji, the users who chose it, both in the order in which they did."""
        marks = ", ".join("?" * len(message_ids))
        query = f"SELECT * FROM reactions WHERE message_id IN ({marks}) ORDER BY id"  # noqa: S608
        by_message: dict[str, dict[str, list[str]]] = {}
        for row in self._all(query, *message_ids):
            of_message = by_message.setdefault(row["message_id"], {})
            of_message.setdefault(row["emoji"], []).append(row["user_id"])
        return by_message

    def add_reaction(self, message_id: str, emoji: str, user_id: str) -> bool:
        """Insert a reaction; False when it was there."""
        query = f"INSERT INTO {_COLUMNS} VALUES (?, ?, ?) ON CONFLICT DO NOTHING"  # noqa: S608
        return self._change(query, message_id, emoji, user_id)

    def remove_reaction(self, message_id: str, emoji: str, user_id: str) -> bool:
        """Delete a reaction; False when there was none."""
        query = "DELETE FROM reactions WHERE message_id = ? AND emoji = ? AND user_id = ?"
        return self._change(query, message_id, emoji, user_id)


def _message(row: sqlite3.Row, reactions: Mapping[str, list[str]]) -> JsonObject:
    message = json_object(row)
    quoted = {name: message.pop(f"quoted_{name}") for name in _QUOTED}
    body: str | None = row["quoted_body"]
    quoted |= {"id": row["quoted_message_id"], "body": body and body[:QUOTE_LENGTH]}
    message["quoted_message"] = quoted if row["quoted_message_id"] else None
    message["reactions"] = {emoji: [*user_ids] for emoji, user_ids in reactions.items()}
    return message
