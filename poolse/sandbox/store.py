"""The rows, in SQLite. Everything in here happens on one thread."""

from __future__ import annotations

import secrets
import sqlite3
import time
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from poolse.sandbox import rows
from poolse.sandbox.jsontext import JsonObject, dump
from poolse.sandbox.rules import ANSWER_KEPT, NewConversation, NewMessage, NewUser, Page
from poolse.sandbox.schema import SCHEMA

__all__ = ["Store"]

MESSAGES = """
SELECT m.*,
    (SELECT count(*) FROM messages r WHERE r.thread_root_id = m.id AND r.deleted_at IS NULL)
        AS reply_count,
    q.sender_id AS quoted_sender_id, q.body AS quoted_body, q.deleted_at AS quoted_deleted_at,
    q.inserted_at AS quoted_inserted_at
FROM messages m LEFT JOIN messages q ON q.id = m.quoted_message_id
"""


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class Store:
    """One database, in memory unless `data` names a file."""

    def __init__(self, data: Path | None) -> None:
        # Made on the thread that starts the backend, used on the one that runs it.
        self._db = sqlite3.connect(
            data or ":memory:", isolation_level=None, check_same_thread=False
        )
        try:
            self._db.row_factory = sqlite3.Row
            self._db.executescript(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;"
                + SCHEMA
            )
        except sqlite3.Error:
            self._db.close()
            raise

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Generator[None]:
        """All or nothing of what is written inside."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def first_tenant(self) -> sqlite3.Row:
        """The oldest tenant; it is made when there is none."""
        oldest = "SELECT * FROM tenants ORDER BY inserted_at LIMIT 1"
        if self._one(oldest) is None:
            values = str(uuid.uuid4()), f"pk_live_{secrets.token_hex(16)}", secrets.token_hex(32)
            self._insert("tenants (id, api_key, signing_key, inserted_at)", *values, _now())
        return self._sure(oldest)

    def tenant_of_key(self, api_key: str) -> sqlite3.Row | None:
        """The tenant with that API key."""
        return self._one("SELECT * FROM tenants WHERE api_key = ?", api_key)

    def signing_key(self, tenant_id: str) -> str | None:
        """The key that the tenant's tokens are signed with."""
        row = self._one("SELECT signing_key FROM tenants WHERE id = ?", tenant_id)
        return None if row is None else str(row["signing_key"])

    def user(self, tenant_id: str, user_id: str) -> JsonObject | None:
        """The tenant's user of that id."""
        row = self._one("SELECT * FROM users WHERE tenant_id = ? AND id = ?", tenant_id, user_id)
        return None if row is None else rows.user(row)

    def user_named(self, tenant_id: str, external_id: str) -> JsonObject | None:
        """The tenant's user of that external id."""
        query = "SELECT * FROM users WHERE tenant_id = ? AND external_id = ?"
        row = self._one(query, tenant_id, external_id)
        return None if row is None else rows.user(row)

    def add_user(self, tenant_id: str, new: NewUser) -> JsonObject:
        """Insert a user whose external id is free."""
        user_id, now = str(uuid.uuid4()), _now()
        self._insert(
            "users (id, tenant_id, external_id, display_name, custom_data, inserted_at,"
            " updated_at)",
            *(user_id, tenant_id, new.external_id, new.display_name, dump(new.custom_data)),
            *(now, now),
        )
        return rows.user(self._sure("SELECT * FROM users WHERE id = ?", user_id))

    def add_conversation(
        self, tenant_id: str, creator: str, others: list[str], new: NewConversation
    ) -> JsonObject:
        """Insert a conversation and its members; the creator is its owner."""
        conversation_id, now = str(uuid.uuid4()), _now()
        self._insert(
            "conversations (id, tenant_id, type, name, avatar_url, created_by_user_id,"
            " member_limit, custom_data, settings, inserted_at, updated_at)",
            *(conversation_id, tenant_id, new.type, new.name, new.avatar_url, creator),
            *(new.member_limit, dump(new.custom_data), dump(new.settings), now, now),
        )
        for user_id, role in [(creator, "owner"), *((other, "member") for other in others)]:
            self._insert(
                "memberships (id, conversation_id, user_id, role, inserted_at, updated_at)",
                *(str(uuid.uuid4()), conversation_id, user_id, role, now, now),
            )
        row = self._sure("SELECT * FROM conversations WHERE id = ?", conversation_id)
        return rows.conversation(row)

    def conversation(self, tenant_id: str, conversation_id: str) -> JsonObject | None:
        """The tenant's conversation of that id."""
        query = "SELECT * FROM conversations WHERE tenant_id = ? AND id = ?"
        row = self._one(query, tenant_id, conversation_id)
        return None if row is None else rows.conversation(row)

    def members(self, conversation_id: str) -> frozenset[str]:
        """Ids of the conversation's members."""
        query = "SELECT user_id FROM memberships WHERE conversation_id = ?"
        return frozenset(row["user_id"] for row in self._db.execute(query, (conversation_id,)))

    def message(self, message_id: str) -> JsonObject | None:
        """The message of that id, whosever it is."""
        row = self._one(f"{MESSAGES} WHERE m.id = ?", message_id)
        return None if row is None else rows.message(row)

    def page(self, conversation_id: str, page: Page) -> list[JsonObject]:
        """Messages outside of threads, newest first."""
        found = self._db.execute(
            f"{MESSAGES} WHERE m.conversation_id = ? AND m.thread_root_id IS NULL"
            " AND m.sequence < ? ORDER BY m.sequence DESC LIMIT ?",
            (conversation_id, page.before, page.limit),
        )
        return [rows.message(row) for row in found]

    def add_message(
        self, conversation: JsonObject, sender: str, root: str | None, new: NewMessage
    ) -> JsonObject:
        """Insert a message with the next sequence of its conversation. Needs a transaction."""
        message_id, now = new.id or str(uuid.uuid4()), _now()
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
        return rows.message(self._sure(f"{MESSAGES} WHERE m.id = ?", message_id))

    def answer(self, tenant_id: str, method: str, path: str, key: str) -> sqlite3.Row | None:
        """The answer that was kept for an idempotency key, while it is young enough."""
        return self._one(
            "SELECT status, body FROM answers"
            " WHERE tenant_id = ? AND method = ? AND path = ? AND key = ? AND inserted_at > ?",
            *(tenant_id, method, path, key, time.time() - ANSWER_KEPT),
        )

    def keep_answer(
        self, tenant_id: str, method: str, path: str, key: str, status: int, body: str
    ) -> None:
        """Keep an answer for its idempotency key."""
        self._db.execute(
            "REPLACE INTO answers (tenant_id, method, path, key, status, body, inserted_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (tenant_id, method, path, key, status, body, time.time()),
        )

    def _one(self, query: str, *values: object) -> sqlite3.Row | None:
        # All of them: a statement that still has rows to give would stand in the way of COMMIT.
        return next(iter(self._db.execute(query, values).fetchall()), None)

    def _sure(self, query: str, *values: object) -> sqlite3.Row:
        row = self._one(query, *values)
        assert row is not None  # noqa: S101  (the row was written just now)
        return row

    def _insert(self, into: str, *values: object) -> None:
        marks = ", ".join("?" * len(values))
        self._db.execute(f"INSERT INTO {into} VALUES ({marks})", values)  # noqa: S608  (our words)
