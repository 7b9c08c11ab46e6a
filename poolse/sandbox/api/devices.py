"""The routes of devices that receive push notifications."""

from __future__ import annotations

from poolse.sandbox import request_arguments
from poolse.sandbox.api.call import Call, Result
from poolse.sandbox.errors import ApiRefusal
from poolse.sandbox.store import Store

__all__ = ["register_device", "unregister_device"]


def register_device(store: Store, call: Call) -> Result:
    """POST /v1/devices; 200 when the token is known. A device belongs to its latest user."""
    new = request_arguments.new_device(call.body)
    known = store.device_of(call.tenant_id, new.token)
    return Result(
        201 if known is None else 200, store.register_device(call.tenant_id, call.user_id, new)
    )


def unregister_device(store: Store, call: Call) -> Result:
    """DELETE /v1/devices/:token; that of another user is not found."""
    device = store.device_of(call.tenant_id, call.path["token"])
    if device is None or device["user_id"] != call.user_id:
        raise ApiRefusal("not_found", "no such device")
    store.delete_device(call.tenant_id, call.path["token"])
    return Result(204)
