"""Attachments, without their bytes."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence

from poolse.sandbox.request_arguments import NewUpload
from poolse.sandbox.rules import File
from poolse.sandbox.store.database import Database
from poolse.sandbox.strict_json import JsonObject

__all__ = ["ATTACHMENTS", "Attachments"]

_ROW = """json_object(
    'id', a.id, 'tenant_id', a.tenant_id, 'message_id', a.message_id, 'sender_id', a.sender_id,
    'content_type', a.content_type, 'byte_size', a.byte_size, 'sha256', a.sha256,
    'original_filename', a.original_filename,
    'status', CASE WHEN a.message_id IS NULL THEN 'pending' ELSE 'ready' END,
    'inserted_at', a.inserted_at, 'updated_at', a.updated_at)
"""
"""An `Attachment`, as JSON text."""

ATTACHMENTS = f"""(
    SELECT json_group_array({_ROW}) FROM (
        SELECT * FROM attachments WHERE message_id = m.id AND m.deleted_at IS NULL ORDER BY position
    ) a
) AS attachments
"""  # noqa: S608  (our words)
"""A column: the attachments of a message `m` in their order, none when it was deleted."""

_FILE = f"""
SELECT {_ROW} AS row, m.deleted_at,
    (SELECT role FROM memberships s WHERE s.conversation_id = m.conversation_id AND s.user_id = ?)
        AS role
FROM attachments a LEFT JOIN messages m ON m.id = a.message_id
WHERE a.tenant_id = ? AND a.id = ?
"""  # noqa: S608


class Attachments(Database):
    """Attachments of messages, and those that wait for one."""

    tables = """
        CREATE TABLE IF NOT EXISTS attachments (
            id TEXT PRIMARY KEY,
            tenant_id TEXT NOT NULL REFERENCES tenants,
            message_id TEXT REFERENCES messages,
            position INTEGER,
            sender_id TEXT REFERENCES users,
            content_type TEXT NOT NULL,
            byte_size INTEGER NOT NULL,
            sha256 TEXT,
            original_filename TEXT,
            inserted_at TEXT NOT NULL,
            updated_at TEXT NOT NULL
        );
        CREATE INDEX IF NOT EXISTS files ON attachments (message_id) WHERE message_id IS NOT NULL;
    """

    def attachment(self, tenant_id: str, attachment_id: str, user_id: str = "") -> File | None:
        """Return the tenant's attachment with an ID, as the user sees it."""
        row = self._one(_FILE, user_id, tenant_id, attachment_id)
        if row is None:
            return None
        return File(json.loads(row["row"]), row["role"], row["deleted_at"] is not None)

    def add_attachment(self, tenant_id: str, sender_id: str, new: NewUpload) -> JsonObject:
        """Insert one that waits for its bytes."""
        attachment_id, now = str(uuid.uuid4()), self._now()
        self._insert(
            "attachments (id, tenant_id, sender_id, content_type, byte_size, original_filename,"
            " inserted_at, updated_at)",
            *(attachment_id, tenant_id, sender_id, new.content_type, new.byte_size),
            *(new.original_filename, now, now),
        )
        row: JsonObject = json.loads(self._sure(_FILE, "", tenant_id, attachment_id)["row"])
        return row

    def note_upload(self, attachment_id: str, sha256: str) -> bool:
        """Record that the bytes are stored; return False if they are no longer expected."""
        return self._change(
            "UPDATE attachments SET sha256 = ?, updated_at = ? WHERE id = ? AND message_id IS NULL",
            *(sha256, self._now(), attachment_id),
        )

    def link_attachments(self, message_id: str, attachment_ids: Sequence[str]) -> None:
        """Give attachments to a message, in that order."""
        for position, attachment_id in enumerate(attachment_ids):
            self._change(
                "UPDATE attachments SET message_id = ?, position = ?, updated_at = ? WHERE id = ?",
                *(message_id, position, self._now(), attachment_id),
            )

    def delete_attachment(self, attachment_id: str) -> None:
        """Remove the row of an attachment."""
        self._change("DELETE FROM attachments WHERE id = ?", attachment_id)
