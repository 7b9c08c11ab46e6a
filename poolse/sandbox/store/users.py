"""Tenants and their users."""

from __future__ import annotations

import hashlib
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
        CREATE TABLE IF NOT EXISTS provisions (
            token_hash TEXT NOT NULL,
            inserted_at REAL NOT NULL
        );
        CREATE INDEX IF NOT EXISTS provisions_of_a_token ON provisions (token_hash, inserted_at);
    """

    def first_tenant(self, api_key: str | None = None) -> sqlite3.Row:
        """Return the oldest tenant, or create one.

        Args:
            api_key: Its API key. If another tenant has this key, that one is returned; the oldest
                one gets it if none has. None for any key.
        """
        oldest = self._one("SELECT * FROM tenants ORDER BY inserted_at LIMIT 1")
        if oldest is None:
            return self.add_tenant(api_key)
        if api_key is None:
            return oldest
        known = self.tenant_of_key(api_key)
        if known is not None:
            return known
        self._change("UPDATE tenants SET api_key = ? WHERE id = ?", api_key, oldest["id"])
        return self._sure("SELECT * FROM tenants WHERE id = ?", oldest["id"])

    def add_tenant(self, api_key: str | None = None) -> sqlite3.Row:
        """Insert a tenant. A given API key also decides its ID and signing key."""
        key = api_key or f"pk_live_{secrets.token_hex(16)}"
        signing_key = secrets.token_hex(32)
        tenant_id = str(uuid.uuid4())
        if api_key is not None:
            signing_key = _digest("signing key", api_key).hex()
            tenant_id = _derived_id("tenant", api_key)
        values = tenant_id, key, signing_key, self._now()
        self._insert("tenants (id, api_key, signing_key, inserted_at)", *values)
        return self._sure("SELECT * FROM tenants WHERE id = ?", tenant_id)

    def tenant(self, tenant_id: str) -> sqlite3.Row | None:
        """Return the tenant with an ID."""
        return self._one("SELECT * FROM tenants WHERE id = ?", tenant_id)

    def tenant_of_key(self, api_key: str) -> sqlite3.Row | None:
        """Return the tenant with an API key."""
        return self._one("SELECT * FROM tenants WHERE api_key = ?", api_key)

    def api_keys(self) -> list[str]:
        """Return the API keys of all tenants."""
        return [str(row["api_key"]) for row in self._all("SELECT api_key FROM tenants")]

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

    def users(self, tenant_id: str) -> list[JsonObject]:
        """Return the users of a tenant, by the time of their creation."""
        query = "SELECT * FROM users WHERE tenant_id = ? ORDER BY inserted_at, rowid"
        return [_user(row) for row in self._all(query, tenant_id)]

    def add_user(self, tenant_id: str, new: NewUser) -> JsonObject:
        """Insert a user whose external id is free."""
        # Derived, so that the tokens of a tenant with a fixed API key survive a restart.
        user_id, now = _derived_id("user", tenant_id, new.external_id), self._now()
        self._insert(
            "users (id, tenant_id, external_id, display_name, custom_data, inserted_at,"
            " updated_at)",
            *(user_id, tenant_id, new.external_id, new.display_name, dump(new.custom_data)),
            *(now, now),
        )
        return _user(self._sure("SELECT * FROM users WHERE id = ?", user_id))

    def provisions(self, token: str, since: float) -> list[float]:
        """Return when a token created users by adding them to conversations."""
        query = "SELECT inserted_at FROM provisions WHERE token_hash = ? AND inserted_at > ?"
        return [row["inserted_at"] for row in self._all(query, _hash(token), since)]

    def note_provisions(self, token: str, count: int, now: float) -> None:
        """Record that a token created users in this manner."""
        for _ in range(count):
            self._insert("provisions (token_hash, inserted_at)", _hash(token), now)

    def set_blocked(self, user_id: str, blocked: bool) -> None:
        """Block or unblock a user."""
        query = "UPDATE users SET is_blocked = ?, updated_at = ? WHERE id = ?"
        self._change(query, blocked, self._now(), user_id)


def _digest(*parts: str) -> bytes:
    text = "\0".join(parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _derived_id(*parts: str) -> str:
    """Return a UUID that is always the same for the same parts."""
    return str(uuid.UUID(bytes=_digest(*parts)[:16], version=4))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _user(row: sqlite3.Row) -> JsonObject:
    return {**json_object(row), "is_blocked": bool(row["is_blocked"])}
