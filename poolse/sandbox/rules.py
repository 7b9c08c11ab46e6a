"""What the backend allows, in one place: limits, the shape of requests, who may do what.

Pure: nothing here knows of HTTP, of sockets or of the database.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from poolse.sandbox.fields import Fields
from poolse.sandbox.jsontext import JsonObject
from poolse.sandbox.refusals import Refusal, invalid

__all__ = [
    "ANSWER_KEPT",
    "CHANNELS_PER_SOCKET",
    "QUOTE_LENGTH",
    "TOKEN_LIFETIME",
    "NewConversation",
    "NewMessage",
    "NewUser",
    "Page",
    "check_circle",
    "check_membership",
    "new_conversation",
    "new_message",
    "new_user",
    "page",
]

TOKEN_LIFETIME = 3600.0
"""Seconds that a user's token is good for."""
ANSWER_KEPT = 24 * 3600.0
"""Seconds that a 2xx answer is repeated to its idempotency key."""
CHANNELS_PER_SOCKET = 100
QUOTE_LENGTH = 200
"""Characters of the body that the preview of a quoted message shows."""

_PAGE = 50
_PAGE_MAX = 100
_ATTACHMENTS_MAX = 10
_BIGGEST = 2**63 - 1


@dataclass(frozen=True)
class NewUser:
    """Body of `POST /v1/users`."""

    external_id: str
    display_name: str | None
    custom_data: JsonObject


@dataclass(frozen=True)
class NewConversation:
    """Body of `POST /v1/conversations`."""

    type: str
    name: str | None
    avatar_url: str | None
    member_limit: int | None
    member_external_ids: list[str]
    custom_data: JsonObject
    settings: JsonObject


@dataclass(frozen=True)
class NewMessage:
    """Body of `POST /v1/conversations/:id/messages`."""

    id: str | None
    type: str
    body: str | None
    reply_to_id: str | None
    quoted_message_id: str | None
    mentions: list[str]


@dataclass(frozen=True)
class Page:
    """Query of `GET /v1/conversations/:id/messages`."""

    limit: int
    before: int
    """Exclusive; beyond every sequence when the query does not say."""


def new_user(body: JsonObject) -> NewUser:
    """Read it, or raise `Refusal`."""
    fields = Fields(body)
    new = NewUser(
        external_id=fields.required_text("external_id"),
        display_name=fields.text("display_name"),
        custom_data=fields.object("custom_data"),
    )
    fields.check()
    return new


def new_conversation(body: JsonObject) -> NewConversation:
    """Read it, or raise `Refusal`."""
    fields = Fields(body)
    new = NewConversation(
        type=fields.choice("type", ("direct", "group")),
        name=fields.text("name"),
        avatar_url=fields.text("avatar_url"),
        member_limit=fields.number("member_limit"),
        member_external_ids=fields.texts("member_external_ids"),
        custom_data=fields.object("custom_data"),
        settings=fields.object("settings"),
    )
    fields.check()
    return new


def check_circle(new: NewConversation, members: int) -> None:
    """A direct conversation has exactly two members, another one at most its limit."""
    if new.type == "direct" and members != 2:
        raise invalid(member_external_ids="a direct conversation has exactly two members")
    if new.member_limit is not None and members > new.member_limit:
        raise invalid(member_external_ids=f"exceeds the limit of {new.member_limit} members")


def new_message(body: JsonObject) -> NewMessage:
    """Read it, or raise `Refusal`. There are no attachments yet, so none can be named."""
    fields = Fields(body)
    attachments = fields.uuids("attachment_ids")
    new = NewMessage(
        id=fields.uuid("id"),
        type=fields.choice("type", ("text", "system", "custom"), default="text"),
        body=fields.text("body"),
        reply_to_id=fields.uuid("reply_to_id"),
        quoted_message_id=fields.uuid("quoted_message_id"),
        mentions=fields.uuids("mentions"),
    )
    if len(attachments) > _ATTACHMENTS_MAX:
        fields.complain("attachment_ids", f"should have at most {_ATTACHMENTS_MAX} items")
    if attachments:
        fields.complain("attachment_ids", "no such attachment")
    if not attachments and not (new.body and new.body.strip()):
        fields.complain("body", "can't be blank")
    fields.check()
    return new


def page(query: Mapping[str, str]) -> Page:
    """Read it, or raise `Refusal`. A limit above the highest is lowered to it."""
    limit = _whole(query, "limit", _PAGE)
    if limit == 0:
        raise invalid(limit="must be greater than 0")
    return Page(limit=min(limit, _PAGE_MAX), before=_whole(query, "before", _BIGGEST))


def _whole(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not re.fullmatch("[0-9]{1,19}", text) or int(text) > _BIGGEST:
        raise invalid(**{name: "is invalid"})
    return int(text)


def check_membership(conversation: object | None, members: Collection[str], user_id: str) -> None:
    """404 for what is not there, 403 for what belongs to others."""
    if conversation is None:
        raise Refusal("not_found", "no such conversation")
    if user_id not in members:
        raise Refusal("forbidden", "you are not a member of this conversation")
