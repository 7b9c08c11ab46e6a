"""Tenants and their users."""

from __future__ import annotations

import secrets
import sqlite3
import uuid

from poolse.sandbox.request_arguments import NewUser
from poolse.sandbox.store.database import Database, json_object
from poolse.sandbox.strict_json import JsonObject, dump

__all__ = ["Users"]


class Users(Database):
    """Tenants, the customers of poolse, each with users of its own."""

    tables = """
        CREATE TABLE IF NOT EXISTS tenants (
            id TEXT PRIMARY KEY,
            api_key TEXT NOT NULL UNIQUE,
            signing_key TEXT NOT NULL,
            inserted_at TEXT NOT NULL
        );
        CREATE TABLE IF NOT EXISTS users (
            id TEXT PRIMARY KEY,
            tenant_id TEXT NOT NULL REFERENCES tenants,
            external_id TEXT NOT NULL,
            display_name TEXT,
            custom_data TEXT NOT NULL,
            is_blocked INTEGER NOT NULL DEFAULT 0,
            inserted_at TEXT NOT NULL,
            updated_at TEXT NOT NULL,
            UNIQUE (tenant_id, external_id)
        );
    """

    def first_tenant(self) -> sqlite3.Row:
        """Return the oldest tenant, or create one."""
        oldest = "SELECT * FROM tenants ORDER BY inserted_at LIMIT 1"
        return self._one(oldest) or self.add_tenant()

    def add_tenant(self) -> sqlite3.Row:
        """Insert a tenant."""
        values = str(uuid.uuid4()), f"pk_live_{secrets.token_hex(16)}", secrets.token_hex(32)
        self._insert("tenants (id, api_key, signing_key, inserted_at)", *values, self._now())
        return self._sure("SELECT * FROM tenants WHERE id = ?", values[0])

    def tenant(self, tenant_id: str) -> sqlite3.Row | None:
        """Return the tenant with an ID."""
        return self._one("SELECT * FROM tenants WHERE id = ?", tenant_id)

    def tenant_of_key(self, api_key: str) -> sqlite3.Row | None:
        """Return the tenant with an API key."""
        return self._one("SELECT * FROM tenants WHERE api_key = ?", api_key)

    def signing_key(self, tenant_id: str) -> str | None:
        """Return the key that the tenant's tokens are signed with."""
        row = self._one("SELECT signing_key FROM tenants WHERE id = ?", tenant_id)
        return None if row is None else str(row["signing_key"])

    def user(self, tenant_id: str, user_id: str) -> JsonObject | None:
        """Return the tenant's user with an ID."""
        row = self._one("SELECT * FROM users WHERE tenant_id = ? AND id = ?", tenant_id, user_id)
        return None if row is None else _user(row)

    def user_named(self, tenant_id: str, external_id: str) -> JsonObject | None:
        """Return the tenant's user with an external ID."""
        query = "SELECT * FROM users WHERE tenant_id = ? AND external_id = ?"
        row = self._one(query, tenant_id, external_id)
        return None if row is None else _user(row)

    def add_user(self, tenant_id: str, new: NewUser) -> JsonObject:
        """Insert a user whose external id is free."""
        user_id, now = str(uuid.uuid4()), self._now()
        self._insert(
            "users (id, tenant_id, external_id, display_name, custom_data, inserted_at,"
            " updated_at)",
            *(user_id, tenant_id, new.external_id, new.display_name, dump(new.custom_data)),
            *(now, now),
        )
        return _user(self._sure("SELECT * FROM users WHERE id = ?", user_id))

    def set_blocked(self, user_id: str, blocked: bool) -> None:
        """Block or unblock a user."""
        query = "UPDATE users SET is_blocked = ?, updated_at = ? WHERE id = ?"
        self._change(query, blocked, self._now(), user_id)


def _user(row: sqlite3.Row) -> JsonObject:
    return {**json_object(row), "is_blocked": bool(row["is_blocked"])}
