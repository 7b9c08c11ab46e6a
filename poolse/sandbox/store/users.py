"""Users."""

from __future__ import annotations

import uuid

from poolse.sandbox import serializers as rows
from poolse.sandbox.requests import NewUser
from poolse.sandbox.store.database import Database
from poolse.sandbox.strict_json import JsonObject, dump

__all__ = ["Users"]


class Users(Database):
    """Users of the tenants."""

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
        user_id, now = str(uuid.uuid4()), self._now()
        self._insert(
            "users (id, tenant_id, external_id, display_name, custom_data, inserted_at,"
            " updated_at)",
            *(user_id, tenant_id, new.external_id, new.display_name, dump(new.custom_data)),
            *(now, now),
        )
        return rows.user(self._sure("SELECT * FROM users WHERE id = ?", user_id))

    def set_blocked(self, user_id: str, blocked: bool) -> None:
        """Shut a user out, or let it in again."""
        query = "UPDATE users SET is_blocked = ?, updated_at = ? WHERE id = ?"
        self._change(query, blocked, self._now(), user_id)
