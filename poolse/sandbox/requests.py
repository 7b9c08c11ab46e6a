"""What each request asks for, read from a body or a query that is as the spec says.

What a schema cannot say is checked here, each with a `Refusal`.
"""

from __future__ import annotations

from dataclasses import dataclass

from poolse.sandbox import request_fields as fields
from poolse.sandbox import rules
from poolse.sandbox.errors import invalid
from poolse.sandbox.strict_json import JsonObject

__all__ = [
    "NewConversation",
    "NewMembers",
    "NewMessage",
    "NewUser",
    "Page",
    "ReplyPage",
    "conversation_changes",
    "emoji_of",
    "new_conversation",
    "new_members",
    "new_message",
    "new_user",
    "page",
    "replies_page",
    "text_of",
]

_CHANGEABLE = ("name", "avatar_url", "member_limit", "custom_data", "settings")
_BLANK = "can't be blank"


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
class NewMembers:
    """Body of `POST /v1/conversations/:id/members`."""

    external_ids: list[str]
    role: str


@dataclass(frozen=True)
class NewMessage:
    """Body of `POST /v1/conversations/:id/messages`."""

    id: str | None
    type: str
    body: str | None
    reply_to_id: str | None
    quoted_message_id: str | None
    mentions: list[str]
    attachment_ids: list[str]


@dataclass(frozen=True)
class Page:
    """Query of `GET /v1/conversations/:id/messages`."""

    limit: int
    before: int
    """Exclusive; beyond every sequence when the query does not say."""


@dataclass(frozen=True)
class ReplyPage:
    """Query of `GET /v1/messages/:id/replies`."""

    limit: int
    after: int
    """Exclusive."""


def new_user(body: JsonObject) -> NewUser:
    """Read it."""
    return NewUser(
        external_id=text_of(body, "external_id"),
        display_name=fields.text(body, "display_name"),
        custom_data=fields.object_(body, "custom_data"),
    )


def new_conversation(body: JsonObject) -> NewConversation:
    """Read it."""
    return NewConversation(
        type=text_of(body, "type"),
        name=fields.text(body, "name"),
        avatar_url=fields.text(body, "avatar_url"),
        member_limit=fields.number(body, "member_limit"),
        member_external_ids=fields.texts(body, "member_external_ids"),
        custom_data=fields.object_(body, "custom_data"),
        settings=fields.object_(body, "settings"),
    )


def conversation_changes(body: JsonObject) -> JsonObject:
    """Body of `PATCH /v1/conversations/:id`: only what was sent."""
    changes = {name: body[name] for name in _CHANGEABLE if name in body}
    if "member_limit" in changes:
        changes["member_limit"] = fields.number(body, "member_limit")
    return changes


def new_members(body: JsonObject) -> NewMembers:
    """Read it."""
    role = fields.text(body, "role") or "member"
    return NewMembers(fields.texts(body, "external_ids"), role)


def new_message(body: JsonObject) -> NewMessage:
    """Read it. Where there are attachments, there need be no text."""
    attachment_ids = fields.uuids(body, "attachment_ids")
    if len(attachment_ids) < len(fields.list_(body, "attachment_ids")):
        raise invalid(attachment_ids="names an attachment twice")
    return NewMessage(
        id=fields.uuid(body, "id"),
        type=fields.text(body, "type") or "text",
        body=fields.text(body, "body") if attachment_ids else text_of(body, "body"),
        reply_to_id=fields.uuid(body, "reply_to_id"),
        quoted_message_id=fields.uuid(body, "quoted_message_id"),
        mentions=fields.uuids(body, "mentions"),
        attachment_ids=attachment_ids,
    )


def text_of(body: JsonObject, name: str) -> str:
    """A string that is not blank."""
    text = fields.text(body, name)
    if not (text and text.strip()):
        raise invalid(**{name: _BLANK})
    return text


def emoji_of(body: JsonObject) -> str:
    """Body of `POST /v1/messages/:id/reactions`."""
    emoji = text_of(body, "emoji")
    if len(emoji) > rules.EMOJI_LENGTH:
        raise invalid(emoji=f"should be at most {rules.EMOJI_LENGTH} character(s)")
    return emoji


def page(query: JsonObject) -> Page:
    """Read it. A limit above the highest is lowered to it."""
    return Page(
        limit=min(_number(query, "limit", rules.PAGE), rules.PAGE_MAX),
        before=_number(query, "before", rules.BIGGEST),
    )


def replies_page(query: JsonObject) -> ReplyPage:
    """Read it, in the same manner."""
    return ReplyPage(
        limit=min(_number(query, "limit", rules.REPLIES_PAGE), rules.REPLIES_PAGE),
        after=_number(query, "after", 0),
    )


def _number(query: JsonObject, name: str, default: int) -> int:
    number = fields.number(query, name)
    return default if number is None else min(number, rules.BIGGEST)
