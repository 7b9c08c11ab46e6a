"""Devices that receive push notifications."""

from __future__ import annotations

import uuid

from poolse.sandbox.request_arguments import NewDevice
from poolse.sandbox.store.database import Database, json_object
from poolse.sandbox.strict_json import JsonObject

__all__ = ["Devices"]

_DEVICE = "SELECT * FROM devices WHERE tenant_id = ? AND token = ?"


class Devices(Database):
    """Devices of users, by their push tokens."""

    tables = """
        CREATE TABLE IF NOT EXISTS devices (
            id TEXT PRIMARY KEY,
            tenant_id TEXT NOT NULL REFERENCES tenants,
            user_id TEXT NOT NULL REFERENCES users,
            token TEXT NOT NULL,
            platform TEXT NOT NULL,
            environment TEXT NOT NULL,
            last_registered_at TEXT NOT NULL,
            inserted_at TEXT NOT NULL,
            updated_at TEXT NOT NULL,
            UNIQUE (tenant_id, token)
        );
    """

    def device_of(self, tenant_id: str, token: str) -> JsonObject | None:
        """Return the tenant's device with a push token, which is not part of it."""
        row = self._one(_DEVICE, tenant_id, token)
        if row is None:
            return None
        device = json_object(row)
        del device["token"]
        return device

    def register_device(self, tenant_id: str, user_id: str, new: NewDevice) -> JsonObject:
        """Insert a device, or give the one with this token to the user."""
        now = self._now()
        self._change(
            "INSERT INTO devices (id, tenant_id, user_id, token, platform, environment,"
            " last_registered_at, inserted_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (tenant_id, token) DO UPDATE SET user_id = excluded.user_id,"
            " platform = excluded.platform, environment = excluded.environment,"
            " last_registered_at = excluded.last_registered_at, updated_at = excluded.updated_at",
            *(str(uuid.uuid4()), tenant_id, user_id, new.token, new.platform, new.environment),
            *(now, now, now),
        )
        device = self.device_of(tenant_id, new.token)
        assert device is not None  # noqa: S101  (it was written just now)
        return device

    def delete_device(self, tenant_id: str, token: str) -> None:
        """Remove a device."""
        self._change("DELETE FROM devices WHERE tenant_id = ? AND token = ?", tenant_id, token)
