"""Both public clients as one, and the events that a user's `match` tells apart."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from poolse import (
    AsyncPoolse,
    ConversationCreated,
    ConversationEvent,
    ConversationUpdated,
    MemberRead,
    MentionNew,
    MessageDeleted,
    MessageNew,
    MessageUpdated,
    Poolse,
    PresenceDiff,
    PresenceState,
    ReactionAdded,
    ReactionRemoved,
    TypingStart,
    TypingStop,
    UnknownEvent,
    UserEvent,
)
from poolse.sandbox.spec import ASYNCAPI, document
from poolse.testing import Sandbox
from tests.realtime.sync_and_async import Flavour, Sync

__all__ = ["CONVERSATION_CALLBACKS", "chat", "in_user_words", "in_words", "take"]

CONVERSATION_CALLBACKS = tuple(
    operation["x-sdk"]["callback"]
    for operation in document(ASYNCAPI)["operations"].values()
    if operation["action"] == "receive" and operation["channel"]["$ref"].endswith("/conversation")
)


@asynccontextmanager
async def chat(
    flavour: Flavour, sandbox: Sandbox, user: str, **options: Any
) -> AsyncGenerator[Any]:
    """A client of a user."""
    if sandbox.url.startswith("https"):
        options["ssl_context"] = sandbox.ssl_context()
    options = {"api_url": sandbox.url, "token": sandbox.token(user), **options}
    if flavour is Sync:
        with Poolse(**options) as client:
            yield client
    else:
        async with AsyncPoolse(**options) as other:
            yield other


async def take(events: Any) -> Any:
    """The next event of an iterator of either flavour."""
    return await anext(events) if hasattr(events, "__anext__") else next(events)


def in_words(event: ConversationEvent) -> str:
    """What a user's program may do. Kinds that the API has had since are named."""
    match event:
        case MessageNew():
            return f"new {event.body}"
        case MessageUpdated():
            return f"updated {event.body}"
        case MessageDeleted():
            return f"deleted {event.deleted_at is not None}"
        case ReactionAdded():
            return f"added {event.emoji}"
        case ReactionRemoved():
            return f"removed {event.emoji}"
        case MemberRead():
            return f"read {event.last_read_at is not None}"
        case TypingStart():
            return "typing"
        case TypingStop():
            return "not typing"
        case PresenceState():
            return f"present {len(event)}"
        case PresenceDiff():
            return f"came {len(event.joins)}, went {len(event.leaves)}"
        case UnknownEvent():
            return f"unknown {event.event} {event.payload}"
        case _:
            return type(event).__name__


def in_user_words(event: UserEvent) -> str:
    """The same for one's own channel."""
    match event:
        case MentionNew():
            return f"mentioned in {event.message_id}"
        case ConversationCreated():
            return f"member of {event.id}"
        case ConversationUpdated():
            return f"{event.conversation.unread_count} unread in {event.conversation.id}"
        case UnknownEvent():
            return f"unknown {event.event} {event.payload}"
        case _:
            return type(event).__name__
