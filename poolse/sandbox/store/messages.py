"""Messages."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Sequence

from poolse.sandbox import serializers as rows
from poolse.sandbox.requests import NewMessage, Page, ReplyPage
from poolse.sandbox.store.attachments import ATTACHMENTS
from poolse.sandbox.store.reactions import Reactions
from poolse.sandbox.strict_json import JsonObject, dump

__all__ = ["Messages"]

MESSAGES = f"""
SELECT m.*,
    (SELECT count(*) FROM messages r WHERE r.thread_root_id = m.id AND r.deleted_at IS NULL)
        AS reply_count,
    {ATTACHMENTS},
    q.sender_id AS quoted_sender_id, q.body AS quoted_body, q.deleted_at AS quoted_deleted_at,
    q.inserted_at AS quoted_inserted_at
FROM messages m LEFT JOIN messages q ON q.id = m.quoted_message_id
"""  # noqa: S608  (our words)


class Messages(Reactions):
    """Messages of conversations and threads, with their reactions."""

    def message(self, message_id: str) -> JsonObject | None:
        """The message of that id, whosever it is."""
        found = self._whole(self._all(f"{MESSAGES} WHERE m.id = ?", message_id))
        return found[0] if found else None

    def page(self, conversation_id: str, page: Page) -> list[JsonObject]:
        """Messages outside of threads, newest first."""
        found = self._all(
            f"{MESSAGES} WHERE m.conversation_id = ? AND m.thread_root_id IS NULL"
            " AND m.sequence < ? ORDER BY m.sequence DESC LIMIT ?",
            *(conversation_id, page.before, page.limit),
        )
        return self._whole(found)

    def replies(self, root_id: str, page: ReplyPage) -> list[JsonObject]:
        """Messages of a thread, oldest first, without its root."""
        found = self._all(
            f"{MESSAGES} WHERE m.thread_root_id = ? AND m.sequence > ? ORDER BY m.sequence LIMIT ?",
            *(root_id, page.after, page.limit),
        )
        return self._whole(found)

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

    def _whole(self, found: Sequence[sqlite3.Row]) -> list[JsonObject]:
        """Messages with what lies in other tables."""
        reactions = self.reactions([row["id"] for row in found])
        return [rows.message(row, reactions.get(row["id"], {})) for row in found]
