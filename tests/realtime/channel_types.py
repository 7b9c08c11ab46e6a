"""A kind of channel by hand, so that these tests need no generated code."""

from __future__ import annotations

import attrs

from poolse._json.codec import Mismatch
from poolse._json.parsing import as_object
from poolse._realtime.channel_types import ChannelType, EventType, PresenceType

__all__ = [
    "CONVERSATION",
    "LAST",
    "MESSAGE",
    "NEWS",
    "PING",
    "ROOM",
    "TYPING",
    "WHO",
    "News",
    "Who",
]


@attrs.frozen
class News:
    text: str


class Who(dict[str, object]):
    """Who is there."""


def read_news(value: object) -> News:
    text = as_object(value).get("text")
    if not isinstance(text, str):
        raise Mismatch("a string", text)
    return News(text)


def read_who(value: object) -> Who:
    return Who(as_object(value))


def read_any(value: object) -> object:
    return value


NEWS = EventType("news", read_news)
WHO = EventType("presence_state", read_who, replay=True)
LAST = EventType("last", read_news, replay=True)
DIFF = EventType("presence_diff", read_any, transient=True)

ROOM = ChannelType(
    topic="room:{room_id}",
    events={
        "news": NEWS,
        "last": LAST,
        "presence_state": WHO,
        "presence_diff": DIFF,
    },
    presence=PresenceType(state="presence_state", diff="presence_diff"),
)

MESSAGE = EventType("message:new", read_any)
TYPING = EventType("typing:start", read_any, transient=True)
PING = EventType("ping", read_news)

CONVERSATION = ChannelType(
    topic="conversation:{conversation_id}",
    events={
        "message:new": MESSAGE,
        "typing:start": TYPING,
        "ping": PING,
        "presence_state": WHO,
        "presence_diff": DIFF,
    },
    presence=PresenceType(state="presence_state", diff="presence_diff"),
)
"""What the sandbox serves, in part."""
