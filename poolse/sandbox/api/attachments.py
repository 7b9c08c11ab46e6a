"""The routes of attachments."""

from __future__ import annotations

from collections.abc import Sequence

from poolse.sandbox import request_arguments, rules
from poolse.sandbox.api.call import Call, Result
from poolse.sandbox.errors import ApiRefusal
from poolse.sandbox.object_storage import Grant, signed_url, storage_path
from poolse.sandbox.rules import File
from poolse.sandbox.store import Store
from poolse.sandbox.strict_json import JsonObject

__all__ = ["attach", "delete_attachment", "download_url", "upload_url"]


def upload_url(store: Store, call: Call) -> Result:
    """POST /v1/attachments/upload-url."""
    new = request_arguments.new_upload(call.body, store.options.max_attachment_bytes)
    row = store.add_attachment(call.tenant_id, call.user_id, new)
    sent = new.content_type, str(new.byte_size)
    url = _signed(store, call, "PUT", str(row["id"]), rules.UPLOAD_LIFETIME, *sent)
    headers = {"content-type": new.content_type}
    return Result(
        201, {"attachment": row, "upload": {"url": url, "method": "put", "headers": {**headers}}}
    )


def download_url(store: Store, call: Call) -> Result:
    """GET /v1/attachments/:id/download-url."""
    file = _file(store, call)
    rules.check_download(file, call.user_id)
    url = _signed(store, call, "GET", str(file.row["id"]), rules.DOWNLOAD_LIFETIME)
    return Result(200, {"url": url, "method": "get"})


def delete_attachment(store: Store, call: Call) -> Result:
    """DELETE /v1/attachments/:id."""
    file = _file(store, call)
    rules.check_delete_attachment(file, call.user_id)
    store.delete_attachment(str(file.row["id"]))
    store.files.remove(str(file.row["id"]))
    return Result(204)


def attach(store: Store, message: JsonObject, attachment_ids: Sequence[str]) -> JsonObject:
    """A message that was sent just now, with attachments, or the `ApiRefusal` that undoes it."""
    tenant_id, sender_id = str(message["tenant_id"]), str(message["sender_id"])
    for attachment_id in attachment_ids:
        rules.check_link(store.attachment(tenant_id, attachment_id), sender_id)
    store.link_attachments(str(message["id"]), attachment_ids)
    return store.message(str(message["id"])) or message


def _file(store: Store, call: Call) -> File:
    file = store.attachment(call.tenant_id, call.id("attachment_id"), call.user_id)
    if file is None:
        raise ApiRefusal("not_found", "no such attachment")
    return file


def _signed(
    store: Store, call: Call, method: str, attachment_id: str, lifetime: float, *sent: str
) -> str:
    path = storage_path(call.tenant_id, attachment_id)
    expires = str(int(store.clock.now() + lifetime))
    key = store.signing_key(call.tenant_id)
    return signed_url(call.base_url, Grant(method, path, expires, *sent), key or "")
