"""What a state shows: immutable, and what did not change is shared with the snapshot before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, ClassVar, Final, Generic, Literal, TypeAlias, TypeVar, overload

import attrs

from poolse._generated.models import Conversation, Membership, Message
from poolse._state.sorted_items import IdMap, SortedItems
from poolse._support.id_arguments import checked_id
from poolse.errors import PoolseError

if TYPE_CHECKING:
    from uuid import UUID

__all__ = [
    "NO_CONVERSATIONS",
    "NO_MESSAGES",
    "ActivityKey",
    "ConversationChange",
    "ConversationSnapshot",
    "InboxChange",
    "InboxSnapshot",
    "LiveMessage",
    "LiveMessages",
    "MessageStatus",
    "Place",
    "StateChange",
    "StateStatus",
    "activity_key",
    "evolved",
    "find_message",
]

T = TypeVar("T")

MessageStatus: TypeAlias = Literal["sending", "sent", "failed"]

StateStatus: TypeAlias = Literal["loading", "live", "reconnecting", "failed", "closed"]


def evolved(value: T, **changes: object) -> T:
    """Return a copy with other attributes, for classes without slots and converters.

    Like `attrs.evolve`, whose cost would be most of that of an event, in a tenth of the time.
    """
    copy = object.__new__(type(value))
    object.__setattr__(copy, "__dict__", value.__dict__ | changes)
    return copy


@attrs.frozen
class LiveMessage:
    """A message as a state shows it.

    Attributes:
        message: The message, with your own changes that are still being sent. Its `sequence` is
            None until the server has stored it.
        status: `sending` while a change of yours is being sent, `failed` if the server refused to
            store it, else `sent`.
        error: Why it failed, or None.
    """

    __ids__: ClassVar[Mapping[str, str]] = {"message": "id"}

    message: Message
    status: MessageStatus = "sent"
    error: PoolseError | None = None
    stored: Message | None = attrs.field(default=None, repr=False)
    """As the server has it; None if it is not stored."""

    @property
    def id(self) -> str:
        """ID of the message."""
        return self.message.id


Place: TypeAlias = tuple[int, str]
"""Sequence of a reply, and the root of its thread."""

_sequence: Final = attrgetter("message.sequence")

NO_MESSAGES: Final[SortedItems[LiveMessage]] = SortedItems(_sequence)


@attrs.frozen(eq=False, repr=False)
class LiveMessages(Sequence[LiveMessage]):
    """Messages in reading order, oldest first. Those that are not stored yet are at the end."""

    stored: SortedItems[LiveMessage] = NO_MESSAGES
    outgoing: tuple[LiveMessage, ...] = ()

    @overload
    def __getitem__(self, index: int) -> LiveMessage: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[LiveMessage, ...]: ...
    def __getitem__(self, index: int | slice) -> LiveMessage | tuple[LiveMessage, ...]:
        if isinstance(index, slice):
            return tuple(self)[index]
        end, stored = len(self), len(self.stored)
        at = index + end if index < 0 else index
        if at < 0:
            raise IndexError("no message at this index")
        return self.stored[at] if at < stored else self.outgoing[at - stored]

    def __len__(self) -> int:
        return len(self.stored) + len(self.outgoing)

    def __iter__(self) -> Iterator[LiveMessage]:
        yield from self.stored
        yield from self.outgoing

    def __reversed__(self) -> Iterator[LiveMessage]:
        yield from reversed(self.outgoing)
        yield from reversed(self.stored)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LiveMessages):
            return NotImplemented
        return self.stored == other.stored and self.outgoing == other.outgoing

    def __hash__(self) -> int:
        return hash((self.stored, self.outgoing))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {len(self)} messages>"

    def changed(self, before: LiveMessages) -> list[LiveMessage]:
        """Return the messages that were added or changed since an earlier snapshot."""
        outgoing = [item for item in self.outgoing if item not in before.outgoing]
        return [*self.stored.changed(before.stored), *outgoing]


ActivityKey: TypeAlias = tuple[float, str]
"""What conversations are sorted by: the time of the last activity, negative, and the ID."""


def activity_key(row: Conversation) -> ActivityKey:
    """Return the place of a conversation in the inbox."""
    at: datetime | None = row.last_message_at or row.inserted_at
    return (-at.timestamp() if at else 0.0, row.id)


NO_CONVERSATIONS: Final[SortedItems[Conversation]] = SortedItems(activity_key)

_NOTHING: Final[Mapping[str, LiveMessages]] = {}


@attrs.frozen(kw_only=True, repr=False, slots=False)
class ConversationSnapshot:
    """A conversation at one moment.

    Attributes:
        id: ID of the conversation.
        status: `loading` until the first messages are there, `live` while changes arrive,
            `reconnecting` while they do not, `failed` if the server refused, `closed` at the end.
        error: Why it failed, or None.
        conversation: The conversation, or None while it loads.
        messages: The loaded messages, oldest first, without replies in threads.
        has_older: Whether `load_older` may find more.
        stale_before: Messages with a lower sequence may be out of date. `load_older` loads them
            again.
        members: The members, with their read marks.
        typing: The poolse IDs of the other users who are typing.
        presence: The poolse IDs of the users who are present.
        threads: The replies of the threads that were opened, by the ID of their root.
    """

    id: str
    status: StateStatus = "loading"
    error: PoolseError | None = None
    conversation: Conversation | None = None
    messages: LiveMessages = LiveMessages()
    has_older: bool = True
    stale_before: int = 0
    members: tuple[Membership, ...] = ()
    typing: frozenset[str] = frozenset()
    presence: frozenset[str] = frozenset()
    threads: Mapping[str, LiveMessages] = _NOTHING
    _sequences: dict[str, int] = attrs.field(factory=dict[str, int], eq=False)
    """Sequences of messages outside of threads. Shared by all snapshots, and only added to: the
    sequence of a message never changes. Whether a snapshot has it, its list says."""
    _replies: IdMap[Place] = attrs.field(factory=IdMap[Place], eq=False)
    """Replies that are counted; negative if they are deleted."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} {self.status}, {len(self.messages)} messages>"

    def __hash__(self) -> int:
        return hash((self.id, self.status, len(self.messages)))

    def message(self, id: str | UUID | Message | LiveMessage) -> LiveMessage | None:
        """Return the message or reply with an ID, or None if it is not loaded."""
        return find_message(self, checked_id("id", id, "message"))

    def is_stale(self, message: LiveMessage) -> bool:
        """Return whether a message may be out of date, because changes were missed."""
        stored = message.stored
        return stored is not None and stored.sequence < self.stale_before


def find_message(snapshot: ConversationSnapshot, id: str) -> LiveMessage | None:
    """Return the message or reply with an ID, or None if it is not loaded."""
    sequences, replies = snapshot._sequences, snapshot._replies  # pyright: ignore[reportPrivateUsage]
    sequence, root_id = replies.get(id) or (sequences.get(id, 0), "")
    shown = snapshot.threads.get(root_id) if root_id else snapshot.messages
    found = None if shown is None else shown.stored.find(abs(sequence))
    if found is not None and found.id == id:
        return found
    waiting = [snapshot.messages, *snapshot.threads.values()]
    return next((m for shown in waiting for m in shown.outgoing if m.id == id), None)


@attrs.frozen(kw_only=True, repr=False)
class InboxSnapshot:
    """The conversations of the signed-in user at one moment.

    Attributes:
        status: As that of a `ConversationSnapshot`.
        error: Why it failed, or None.
        conversations: All conversations, newest activity first, with `unread_count` and
            `last_message_preview`.
    """

    status: StateStatus = "loading"
    error: PoolseError | None = None
    conversations: SortedItems[Conversation] = NO_CONVERSATIONS
    _keys: IdMap[ActivityKey] = attrs.field(factory=IdMap[ActivityKey], eq=False)

    def __repr__(self) -> str:
        count = len(self.conversations)
        return f"<{type(self).__name__} {self.status}, {count} conversations>"

    @property
    def unread_count(self) -> int:
        """Number of unread messages in all conversations."""
        return sum(row.unread_count or 0 for row in self.conversations)

    def conversation(self, id: str | UUID | Conversation) -> Conversation | None:
        """Return the conversation with an ID, or None."""
        key = self._keys.get(checked_id("id", id, "conversation"))
        return None if key is None else self.conversations.find(key)


S = TypeVar("S", ConversationSnapshot, InboxSnapshot)


@attrs.frozen(repr=False)
class StateChange(Generic[S]):
    """What a listener is called with.

    Attributes:
        before: The snapshot before.
        snapshot: The snapshot now.
    """

    before: S
    snapshot: S

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {', '.join(sorted(self.fields))}>"

    @property
    def fields(self) -> frozenset[str]:
        """Names of the attributes of the snapshot that changed, such as `messages`."""
        return _changed_fields(self.before, self.snapshot)


class ConversationChange(StateChange[ConversationSnapshot]):
    """A change of a conversation, from one snapshot to the next."""

    __slots__ = ()

    @property
    def messages(self) -> list[LiveMessage]:
        """Messages that were added or changed, oldest first, without replies in threads."""
        return self.snapshot.messages.changed(self.before.messages)


class InboxChange(StateChange[InboxSnapshot]):
    """A change of the inbox, from one snapshot to the next."""

    __slots__ = ()

    @property
    def conversations(self) -> list[Conversation]:
        """Conversations that were added or changed, newest activity first."""
        return self.snapshot.conversations.changed(self.before.conversations)


def _changed_fields(before: attrs.AttrsInstance, after: attrs.AttrsInstance) -> frozenset[str]:
    """Return the names of attributes that changed."""
    names = [field.name for field in attrs.fields(type(after)) if not field.name.startswith("_")]
    return frozenset(name for name in names if _differ(getattr(before, name), getattr(after, name)))


def _differ(before: object, after: object) -> bool:
    # What is shared is the same object; to compare long lists would take long.
    is_long = isinstance(after, LiveMessages | SortedItems | dict)
    return before is not after and (is_long or before != after)
