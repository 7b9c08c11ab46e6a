"""What the backend allows, in one place: limits, and who may do what.

Pure: nothing here knows of HTTP, of sockets or of the database. What a request has to look like
is in the spec; these are the rules that a schema cannot say. Every one stands in docs/sandbox.md.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from poolse.sandbox.errors import ApiRefusal, invalid
from poolse.sandbox.strict_json import Json, JsonObject

__all__ = [
    "BIGGEST",
    "CHANNELS_PER_SOCKET",
    "DOWNLOAD_LIFETIME",
    "EMOJI_LENGTH",
    "ICE_LIFETIME",
    "ICE_SERVERS",
    "MAX_BYTES",
    "PAGE",
    "PAGE_MAX",
    "PREVIEW_LENGTH",
    "PROVISION_LIMIT",
    "PROVISION_WINDOW",
    "QUOTE_LENGTH",
    "REPLIES_PAGE",
    "RESPONSE_LIFETIME",
    "TOKEN_LIFETIME",
    "TYPING_WINDOW",
    "UPLOAD_LIFETIME",
    "File",
    "check_add",
    "check_changes",
    "check_circle",
    "check_delete",
    "check_delete_attachment",
    "check_download",
    "check_edit",
    "check_link",
    "check_not_blocked",
    "check_not_deleted",
    "check_provision",
    "check_removal",
    "membership_of",
    "preview",
]

TOKEN_LIFETIME = 3600.0
"""Seconds that a user's token is good for."""
RESPONSE_LIFETIME = 24 * 3600.0
"""Seconds for which a 2xx response is repeated to its idempotency key."""
CHANNELS_PER_SOCKET = 100
TYPING_WINDOW = 1.0
"""Seconds in which a user's typing in a conversation is broadcast once at most.

The official user interface stops showing it 4 s after the last broadcast.
"""
PROVISION_LIMIT = 50
"""Users that one token may create in a window by adding them to conversations."""
PROVISION_WINDOW = 3600.0
"""Seconds."""
ICE_SERVERS: tuple[Json, ...] = ({"urls": "stun:stun.l.google.com:19302"},)
"""What `GET /v1/ice-servers` returns, unless the sandbox has others."""
ICE_LIFETIME = 3600
"""Seconds that their credentials are good for."""
PREVIEW_LENGTH = 80
"""Characters of the newest message that a conversation shows."""
QUOTE_LENGTH = 200
"""Characters of the body that the preview of a quoted message shows."""
EMOJI_LENGTH = 64
"""Characters that a reaction may have."""
PAGE = 50
"""Messages in a page of the main list when the query does not say."""
PAGE_MAX = 100
REPLIES_PAGE = 500
"""Messages in a page of a thread, at most and when the query does not say."""
BIGGEST = 2**63 - 1
"""The biggest number that the database holds."""

MAX_BYTES = 25 * 1024 * 1024
"""How many bytes one file may have, unless the sandbox has another limit."""
UPLOAD_LIFETIME = 15 * 60.0
"""Seconds that a URL to upload to is good for."""
DOWNLOAD_LIFETIME = 3600.0
"""Seconds that a URL to download from is good for."""

_ATTACHMENT = "📎 Attachment"
_DIRECT = "a direct conversation has exactly two members"
_STAFF = ("owner", "admin")


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


def check_not_blocked(user: JsonObject) -> None:
    """Refuse a blocked user, who may only fetch `GET /v1/me`."""
    if user.get("is_blocked"):
        raise ApiRefusal("forbidden", "the user is blocked")


def membership_of(conversation: object | None, membership: JsonObject | None) -> JsonObject:
    """Return the membership; 404 if the object does not exist, 403 if it belongs to others."""
    if conversation is None:
        raise ApiRefusal("not_found", "no such conversation")
    if membership is None:
        raise ApiRefusal("forbidden", "you are not a member of this conversation")
    return membership


def preview(body: str | None) -> str:
    """Return what a conversation shows of its newest message: one line."""
    return " ".join((body or "").split())[:PREVIEW_LENGTH].rstrip() or _ATTACHMENT


def check_provision(
    earlier: Collection[float], names: Collection[str], field: str, now: float
) -> None:
    """Users have names that are not blank, and one token creates so many of them in an hour.

    `earlier` are the times of those that it created within the hour.
    """
    if not all(name.strip() for name in names):
        raise invalid(**{field: "can't be blank"})
    if len(earlier) + len(names) <= PROVISION_LIMIT:
        return
    raise ApiRefusal(
        "lazy_provision_rate_limited",
        f"at most {PROVISION_LIMIT} users may be created per hour by adding them",
        retry_after=max(1, math.ceil(min(earlier, default=now) + PROVISION_WINDOW - now)),
    )


def check_circle(kind: str, limit: object, members: int, field: str) -> None:
    """A direct conversation has exactly two members, another one at most its limit."""
    if kind == "direct" and members != 2:
        raise invalid(**{field: _DIRECT})
    if isinstance(limit, int) and members > limit:
        raise invalid(**{field: f"exceeds the limit of {limit} members"})


def check_changes(
    conversation: JsonObject, role: object, changes: JsonObject, members: int
) -> None:
    """A group is changed by its owners and admins, a direct conversation by either of the two."""
    if conversation["type"] == "group" and role not in _STAFF:
        raise ApiRefusal("forbidden", "only an owner or admin may change a group")
    limit = changes.get("member_limit")
    if isinstance(limit, int) and members > limit:
        raise invalid(member_limit=f"is less than the {members} members there are")


def check_add(role: object, new_role: str) -> None:
    """Members are added by owners and admins; only an owner makes another one."""
    if role not in _STAFF:
        raise ApiRefusal("forbidden", "only an owner or admin may add members")
    if new_role == "owner" and role != "owner":
        raise ApiRefusal("forbidden", "only an owner may add an owner")


def check_removal(
    conversation: JsonObject, own: JsonObject, target: JsonObject, members: Collection[JsonObject]
) -> None:
    """Whether a member may remove another one, or leave."""
    if conversation["type"] == "direct":
        raise ApiRefusal("forbidden", _DIRECT)
    leaving = own["user_id"] == target["user_id"]
    if not leaving and own["role"] not in _STAFF:
        raise ApiRefusal("forbidden", "only an owner or admin may remove others")
    if not leaving and target["role"] == "owner" and own["role"] != "owner":
        raise ApiRefusal("forbidden", "only an owner may remove an owner")
    owners = [member for member in members if member["role"] == "owner"]
    if owners == [target] and len(members) > 1:
        raise ApiRefusal("forbidden", "the last owner cannot leave the others without one")


def check_edit(message: JsonObject, user_id: str) -> None:
    """A message is edited by its sender, as long as it is not deleted."""
    if message["sender_id"] != user_id:
        raise ApiRefusal("forbidden", "only its sender may edit a message")
    check_not_deleted(message)


def check_delete(message: JsonObject, membership: JsonObject) -> None:
    """A message is deleted by its sender, an owner or an admin."""
    if message["sender_id"] != membership["user_id"] and membership["role"] not in _STAFF:
        raise ApiRefusal("forbidden", "only its sender, an owner or an admin may delete a message")


def check_not_deleted(message: JsonObject) -> None:
    """A deleted message takes no edits and no reactions."""
    if message["deleted_at"] is not None:
        raise ApiRefusal("message_deleted", "the message was deleted")


def check_link(file: File | None, user_id: str) -> None:
    """A message takes what its sender has uploaded and no other message has."""
    if file is None or file.row["sender_id"] != user_id:
        raise invalid(attachment_ids="no such attachment")
    if file.linked:
        raise invalid(attachment_ids="belongs to a message already")
    if file.row["sha256"] is None:
        raise invalid(attachment_ids="has not been uploaded yet")


def check_download(file: File, user_id: str) -> None:
    """Pending it is its uploader's; linked it is for the members, as long as the message is."""
    if file.deleted:
        raise ApiRefusal("not_found", "its message was deleted")
    if not file.linked and file.row["sender_id"] != user_id:
        raise ApiRefusal("forbidden", "it is not yours, and no message has it yet")
    if file.linked and file.role is None:
        raise ApiRefusal("forbidden", "you are not a member of its conversation")


def check_delete_attachment(file: File, user_id: str) -> None:
    """Its uploader may always; once it is linked, owner and admins may, too."""
    check_download(file, user_id)
    if file.row["sender_id"] != user_id and file.role not in {"owner", "admin"}:
        raise ApiRefusal("forbidden", "only its sender, the owner and admins may delete it")
