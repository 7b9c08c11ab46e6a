"""Responses that are kept for their idempotency keys."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import NamedTuple

from poolse.sandbox.rules import RESPONSE_LIFETIME
from poolse.sandbox.store.database import Database

__all__ = ["IdempotencyKey", "StoredResponses"]


class IdempotencyKey(NamedTuple):
    """What makes two requests one."""

    tenant_id: str
    method: str
    path: str
    key: str


class StoredResponses(Database):
    """Responses that are repeated if their request is."""

    tables = """
        CREATE TABLE IF NOT EXISTS answers (
            tenant_id TEXT NOT NULL REFERENCES tenants,
            method TEXT NOT NULL,
            path TEXT NOT NULL,
            key TEXT NOT NULL,
            status INTEGER NOT NULL,
            body TEXT NOT NULL,
            inserted_at REAL NOT NULL,
            PRIMARY KEY (tenant_id, method, path, key)
        );
    """

    def kept_response(self, key: IdempotencyKey) -> sqlite3.Row | None:
        """Return the response that was kept for a key, while it is recent enough."""
        return self._one(
            "SELECT status, body FROM answers"
            " WHERE tenant_id = ? AND method = ? AND path = ? AND key = ? AND inserted_at > ?",
            *(*key, self.clock.now() - RESPONSE_LIFETIME),
        )

    def keep_response(self, key: IdempotencyKey, status: int, body: str) -> None:
        """Keep a response for its key."""
        self._change(
            "REPLACE INTO answers (tenant_id, method, path, key, status, body, inserted_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(*key, status, body, self.clock.now()),
        )

    def forget_responses(self, fits: Callable[[str, str], bool]) -> None:
        """Forget the responses kept for requests that match, by method and path."""
        for method, path in self._all("SELECT DISTINCT method, path FROM answers"):
            if fits(method, path):
                self._change("DELETE FROM answers WHERE method = ? AND path = ?", method, path)
