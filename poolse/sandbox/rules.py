"""What the backend allows, in one place: limits, and who may do what.

Pure: nothing here knows of HTTP, of sockets or of the database. What a request has to look like
is in the spec; these are the rules that a schema cannot say. Every one stands in docs/sandbox.md.
"""

from __future__ import annotations

from collections.abc import Collection

from poolse.sandbox.errors import ApiRefusal, invalid
from poolse.sandbox.strict_json import JsonObject

__all__ = [
    "ANSWER_KEPT",
    "BIGGEST",
    "CHANNELS_PER_SOCKET",
    "EMOJI_LENGTH",
    "PAGE",
    "PAGE_MAX",
    "QUOTE_LENGTH",
    "REPLIES_PAGE",
    "TOKEN_LIFETIME",
    "TYPING_WINDOW",
    "check_add",
    "check_changes",
    "check_circle",
    "check_delete",
    "check_edit",
    "check_not_blocked",
    "check_not_deleted",
    "check_removal",
    "membership_of",
]

TOKEN_LIFETIME = 3600.0
"""Seconds that a user's token is good for."""
ANSWER_KEPT = 24 * 3600.0
"""Seconds that a 2xx answer is repeated to its idempotency key."""
CHANNELS_PER_SOCKET = 100
TYPING_WINDOW = 1.0
"""Seconds in which a user's typing in a conversation is broadcast once at most.

The official user interface stops showing it 4 s after the last broadcast.
"""
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

_DIRECT = "a direct conversation has exactly two members"
_STAFF = ("owner", "admin")


def check_not_blocked(user: JsonObject) -> None:
    """A blocked user may look at itself and nothing else."""
    if user.get("is_blocked"):
        raise ApiRefusal("forbidden", "the user is blocked")


def membership_of(conversation: object | None, membership: JsonObject | None) -> JsonObject:
    """The membership; 404 for what is not there, 403 for what belongs to others."""
    if conversation is None:
        raise ApiRefusal("not_found", "no such conversation")
    if membership is None:
        raise ApiRefusal("forbidden", "you are not a member of this conversation")
    return membership


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
