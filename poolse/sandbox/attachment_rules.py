"""What the backend allows with attachments. Pure, as `rules` is."""

from __future__ import annotations

import re
from dataclasses import dataclass

from poolse.sandbox import request_fields as fields
from poolse.sandbox.errors import ApiRefusal, invalid
from poolse.sandbox.strict_json import JsonObject

__all__ = [
    "DOWNLOAD_LIFETIME",
    "MAX_BYTES",
    "UPLOAD_LIFETIME",
    "File",
    "NewUpload",
    "check_delete",
    "check_link",
    "check_read",
    "new_upload",
]

MAX_BYTES = 25 * 1024 * 1024
"""How many bytes one file may have, unless the sandbox is told otherwise."""
UPLOAD_LIFETIME = 15 * 60.0
"""Seconds that a URL to upload to is good for."""
DOWNLOAD_LIFETIME = 3600.0
"""Seconds that a URL to download from is good for."""

_FILENAME = re.compile(r"[^\0]{1,255}", re.DOTALL)
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+( *;[ -~]*)?", re.ASCII)


@dataclass(frozen=True)
class NewUpload:
    """Body of `POST /v1/attachments/upload-url`."""

    content_type: str
    byte_size: int
    original_filename: str | None


@dataclass(frozen=True)
class File:
    """An attachment, and what a user has to do with it."""

    row: JsonObject
    """The `Attachment`."""
    role: str | None
    """Of the user, in the conversation of its message."""
    deleted: bool
    """Whether its message was deleted."""

    @property
    def linked(self) -> bool:
        """Whether a message has it."""
        return self.row["message_id"] is not None


def new_upload(body: JsonObject, max_bytes: int) -> NewUpload:
    """Read it, or raise `ApiRefusal`."""
    content_type, filename = (
        fields.text(body, "content_type"),
        fields.text(body, "original_filename"),
    )
    if content_type is None or not _MEDIA_TYPE.fullmatch(content_type):
        raise invalid(content_type="has to be a media type such as image/png")
    if filename is not None and not _FILENAME.fullmatch(filename):
        raise invalid(original_filename="has to be text of at most 255 characters")
    size = fields.number(body, "byte_size") or 0
    if size > max_bytes:
        message = f"the file is too large: at most {max_bytes} bytes"
        raise ApiRefusal("attachment_too_large", message, {"max_bytes": max_bytes})
    return NewUpload(content_type, size, filename)


def check_link(file: File | None, user_id: str) -> None:
    """A message takes what its sender has uploaded and no other message has."""
    if file is None or file.row["sender_id"] != user_id:
        raise invalid(attachment_ids="no such attachment")
    if file.linked:
        raise invalid(attachment_ids="belongs to a message already")
    if file.row["sha256"] is None:
        raise invalid(attachment_ids="has not been uploaded yet")


def check_read(file: File, user_id: str) -> None:
    """Pending it is its uploader's; linked it is for the members, as long as the message is."""
    if file.deleted:
        raise ApiRefusal("not_found", "its message was deleted")
    if not file.linked and file.row["sender_id"] != user_id:
        raise ApiRefusal("forbidden", "it is not yours, and no message has it yet")
    if file.linked and file.role is None:
        raise ApiRefusal("forbidden", "you are not a member of its conversation")


def check_delete(file: File, user_id: str) -> None:
    """Its uploader may always; once it is linked, owner and admins may, too."""
    check_read(file, user_id)
    if file.row["sender_id"] != user_id and file.role not in {"owner", "admin"}:
        raise ApiRefusal("forbidden", "only its sender, the owner and admins may delete it")
