"""Tenants."""

from __future__ import annotations

import secrets
import sqlite3
import uuid

from poolse.sandbox.store.database import Database

__all__ = ["Tenants"]


class Tenants(Database):
    """Customers of poolse, each with its own users and conversations."""

    def first_tenant(self) -> sqlite3.Row:
        """The oldest tenant; it is made when there is none."""
        oldest = "SELECT * FROM tenants ORDER BY inserted_at LIMIT 1"
        return self._one(oldest) or self.add_tenant()

    def add_tenant(self) -> sqlite3.Row:
        """Insert a tenant."""
        values = str(uuid.uuid4()), f"pk_live_{secrets.token_hex(16)}", secrets.token_hex(32)
        self._insert("tenants (id, api_key, signing_key, inserted_at)", *values, self._now())
        return self._sure("SELECT * FROM tenants WHERE id = ?", values[0])

    def tenant(self, tenant_id: str) -> sqlite3.Row | None:
        """The tenant of that id."""
        return self._one("SELECT * FROM tenants WHERE id = ?", tenant_id)

    def tenant_of_key(self, api_key: str) -> sqlite3.Row | None:
        """The tenant with that API key."""
        return self._one("SELECT * FROM tenants WHERE api_key = ?", api_key)

    def signing_key(self, tenant_id: str) -> str | None:
        """The key that the tenant's tokens are signed with."""
        row = self._one("SELECT signing_key FROM tenants WHERE id = ?", tenant_id)
        return None if row is None else str(row["signing_key"])
