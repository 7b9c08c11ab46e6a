"""Events that a state is reduced with, beside those of its channel: of requests and of the user."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, TypeAlias, cast

import attrs

from poolse._generated.models import Conversation, Membership, Message
from poolse._json.parsing import needed
from poolse.errors import PoolseError

__all__ = [
    "Change",
    "ChangeBegan",
    "ChangeRefused",
    "ConversationRead",
    "Discarded",
    "Ended",
    "Joined",
    "Key",
    "Lost",
    "MembersRead",
    "PageRead",
    "PageRequest",
    "PresenceChanged",
    "ReadBegan",
    "ReadRefused",
    "RefreshEnded",
    "RefreshFailed",
    "RepliesRead",
    "RequestBegan",
    "RequestFailed",
    "SendBegan",
    "SendFailed",
    "Stored",
    "ThreadClosed",
    "TimePassed",
    "as_deleted",
    "usable",
    "with_reaction",
]

Key: TypeAlias = object
"""Identifies a request, by identity."""


@attrs.frozen(eq=False)
class Change:
    """A change of the user's to a message, until it is settled. Its object is its identity."""

    message_id: str
    kind: Literal["edit", "delete", "react", "unreact"]
    value: str
    """New body, or emoji."""
    user_id: str
    at: datetime

    def applied(self, message: Message) -> Message:
        """Return the message with this change."""
        match self.kind:
            case "edit":
                return attrs.evolve(message, body=self.value, edited_at=self.at)
            case "delete":
                # The server knows better when it was.
                return message if message.deleted_at else as_deleted(message, self.at)
            case "react":
                return with_reaction(message, self.value, self.user_id, is_added=True)
            case "unreact":
                return with_reaction(message, self.value, self.user_id, is_added=False)


@attrs.frozen(eq=False)
class PageRequest:
    """A request for a page of messages."""

    before: int | None
    """None for the newest."""
    limit: int
    wanted: int
    """Messages that this page and those that follow it should have."""
    down_to: float
    """Sequence at which the refresh may end."""
    join: int
    """Number of the join at which it began; 0 without one."""
    is_strict: bool = True
    """Whether changes may have been missed, so that all that is not read is stale."""


@attrs.frozen
class Joined:
    """The channel was joined."""


@attrs.frozen
class Lost:
    """The channel was lost. It will be rejoined."""


@attrs.frozen
class Ended:
    """The channel ended; without an error because the state was closed."""

    error: PoolseError | None


@attrs.frozen
class PresenceChanged:
    """Other users are present."""

    user_ids: frozenset[str]


@attrs.frozen
class TimePassed:
    """It became time for something."""


@attrs.frozen
class RequestBegan:
    """A request is sent now."""

    key: Key


@attrs.frozen
class RequestFailed:
    """A request failed."""

    key: Key


@attrs.frozen
class PageRead:
    """A page was received; its request is the key."""

    key: PageRequest
    rows: Sequence[Message]


@attrs.frozen
class ConversationRead:
    """The conversation was received."""

    key: Key
    conversation: Conversation


@attrs.frozen
class MembersRead:
    """The members were received."""

    key: Key
    members: Sequence[Membership]


@attrs.frozen
class RepliesRead:
    """All replies of a thread were received."""

    key: Key
    root_id: str
    replies: Sequence[Message]


@attrs.frozen
class ThreadClosed:
    """The replies of a thread are no longer needed."""

    root_id: str


@attrs.frozen
class RefreshEnded:
    """All parts of a refresh were received."""


@attrs.frozen
class RefreshFailed:
    """A refresh failed, and is repeated at a time; or never, if the server refused it."""

    error: PoolseError
    retry_at: float | None


@attrs.frozen
class SendBegan:
    """The user sends a message, for the first time or again."""

    message: Message


@attrs.frozen
class SendFailed:
    """A message was not stored, as far as is known."""

    id: str
    error: PoolseError | None


@attrs.frozen
class Discarded:
    """The user gave up a message that failed."""

    id: str


@attrs.frozen
class ReadBegan:
    """The user marks the conversation as read."""

    user_id: str
    message_id: str
    at: datetime


@attrs.frozen
class ReadRefused:
    """The server did not take it."""

    began: ReadBegan
    before: Membership | None
    """The user's, if it was known."""


@attrs.frozen
class ChangeBegan:
    """The user changes a message."""

    change: Change


@attrs.frozen
class ChangeRefused:
    """A change was refused, or its outcome is unknown."""

    change: Change


@attrs.frozen
class Stored:
    """A change or a message was stored."""

    key: Key
    row: Message | None
    """The message as it is now; None if the server did not return it."""


def as_deleted(message: Message, at: datetime) -> Message:
    return attrs.evolve(message, body=None, deleted_at=at, updated_at=at)


def with_reaction(message: Message, emoji: str, user_id: str, *, is_added: bool) -> Message:
    users = message.reactions.get(emoji, [])
    if (user_id in users) == is_added:
        return message
    users = [*users, user_id] if is_added else [user for user in users if user != user_id]
    reactions = {**message.reactions, emoji: users}
    if not users:
        del reactions[emoji]
    return attrs.evolve(message, reactions=reactions)


def usable(row: Message) -> Message:
    """Return a message that can be put in order, and that has reactions.

    Raises:
        DecodeError: The server left out its sequence.
    """
    reactions = cast("dict[str, list[str]] | None", row.reactions)
    if row.sequence and reactions is not None:
        return row
    needed(row.sequence, "$.sequence")
    return attrs.evolve(row, reactions=reactions or {})
