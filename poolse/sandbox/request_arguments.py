"""What each request asks for, read from a body or a query that is as the spec says.

What a schema cannot say is checked here, each with an `ApiRefusal`. Absent and null are the same,
and IDs are in lower case.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from poolse.sandbox import rules
from poolse.sandbox.errors import ApiRefusal, invalid
from poolse.sandbox.strict_json import Json, JsonObject

__all__ = [
    "NewConversation",
    "NewDevice",
    "NewMembers",
    "NewMessage",
    "NewUpload",
    "NewUser",
    "Page",
    "ReplyPage",
    "conversation_changes",
    "emoji_of",
    "message_id_of",
    "new_conversation",
    "new_device",
    "new_members",
    "new_message",
    "new_upload",
    "new_user",
    "page",
    "replies_page",
    "text_of",
]

_CHANGEABLE = ("name", "avatar_url", "member_limit", "custom_data", "settings")
_BLANK = "can't be blank"
_FILENAME = re.compile(r"[^\0]{1,255}", re.DOTALL)
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+( *;[ -~]*)?", re.ASCII)


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
class NewUpload:
    """Body of `POST /v1/attachments/upload-url`."""

    content_type: str
    byte_size: int
    original_filename: str | None


@dataclass(frozen=True)
class NewDevice:
    """Body of `POST /v1/devices`."""

    token: str
    platform: str
    environment: str


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
        display_name=_text(body, "display_name"),
        custom_data=_object(body, "custom_data"),
    )


def new_conversation(body: JsonObject) -> NewConversation:
    """Read it."""
    return NewConversation(
        type=text_of(body, "type"),
        name=_text(body, "name"),
        avatar_url=_text(body, "avatar_url"),
        member_limit=_number(body, "member_limit"),
        member_external_ids=_texts(body, "member_external_ids"),
        custom_data=_object(body, "custom_data"),
        settings=_object(body, "settings"),
    )


def conversation_changes(body: JsonObject) -> JsonObject:
    """Body of `PATCH /v1/conversations/:id`: only what was sent."""
    changes = {name: body[name] for name in _CHANGEABLE if name in body}
    if "member_limit" in changes:
        changes["member_limit"] = _number(body, "member_limit")
    return changes


def new_members(body: JsonObject) -> NewMembers:
    """Read it."""
    role = _text(body, "role") or "member"
    return NewMembers(_texts(body, "external_ids"), role)


def new_message(body: JsonObject) -> NewMessage:
    """Read it. Where there are attachments, there need be no text."""
    attachment_ids = _uuids(body, "attachment_ids")
    if len(attachment_ids) < len(_list(body, "attachment_ids")):
        raise invalid(attachment_ids="names an attachment twice")
    return NewMessage(
        id=_uuid(body, "id"),
        type=_text(body, "type") or "text",
        body=_text(body, "body") if attachment_ids else text_of(body, "body"),
        reply_to_id=_uuid(body, "reply_to_id"),
        quoted_message_id=_uuid(body, "quoted_message_id"),
        mentions=_uuids(body, "mentions"),
        attachment_ids=attachment_ids,
    )


def new_upload(body: JsonObject, max_bytes: int) -> NewUpload:
    """Read it, or raise `ApiRefusal`."""
    content_type = _text(body, "content_type")
    filename = _text(body, "original_filename")
    if content_type is None or not _MEDIA_TYPE.fullmatch(content_type):
        raise invalid(content_type="has to be a media type such as image/png")
    if filename is not None and not _FILENAME.fullmatch(filename):
        raise invalid(original_filename="has to be text of at most 255 characters")
    size = _number(body, "byte_size") or 0
    if size > max_bytes:
        message = f"the file is too large: at most {max_bytes} bytes"
        raise ApiRefusal("attachment_too_large", message, {"max_bytes": max_bytes})
    return NewUpload(content_type, size, filename)


def new_device(body: JsonObject) -> NewDevice:
    """Read it."""
    environment = _text(body, "environment") or "production"
    return NewDevice(text_of(body, "token"), text_of(body, "platform"), environment)


def message_id_of(body: JsonObject) -> str:
    """Read the ID in the body of `POST /v1/conversations/:id/read`."""
    return _uuid(body, "message_id") or ""


def text_of(body: JsonObject, name: str) -> str:
    """Return a string that is not blank."""
    text = _text(body, name)
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
        limit=min(_query_number(query, "limit", rules.PAGE), rules.PAGE_MAX),
        before=_query_number(query, "before", rules.BIGGEST),
    )


def replies_page(query: JsonObject) -> ReplyPage:
    """Read it, in the same manner."""
    return ReplyPage(
        limit=min(_query_number(query, "limit", rules.REPLIES_PAGE), rules.REPLIES_PAGE),
        after=_query_number(query, "after", 0),
    )


def _query_number(query: JsonObject, name: str, default: int) -> int:
    number = _number(query, name)
    return default if number is None else min(number, rules.BIGGEST)


def _text(body: JsonObject, name: str) -> str | None:
    """Read a string."""
    value = body.get(name)
    return value if isinstance(value, str) else None


def _number(body: JsonObject, name: str) -> int | None:
    """Return a whole number; JSON knows only one kind of them, so 1.0 is 1."""
    value = body.get(name)
    return int(value) if isinstance(value, int | float) else None


def _texts(body: JsonObject, name: str) -> list[str]:
    """Return strings, each once."""
    return list(dict.fromkeys(value for value in _list(body, name) if isinstance(value, str)))


def _uuid(body: JsonObject, name: str) -> str | None:
    """Return an ID."""
    value = _text(body, name)
    return None if value is None else value.lower()


def _uuids(body: JsonObject, name: str) -> list[str]:
    """Return IDs, each once."""
    return list(dict.fromkeys(value.lower() for value in _texts(body, name)))


def _object(body: JsonObject, name: str) -> JsonObject:
    """Return a JSON object."""
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def _list(body: JsonObject, name: str) -> list[Json]:
    """Return a list."""
    value = body.get(name)
    return value if isinstance(value, list) else []
