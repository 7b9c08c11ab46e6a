"""`chat.state.conversation(id)`: one conversation."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from poolse._generated.events import (
    CONVERSATION,
    MemberRead,
    MessageNew,
    MessageUpdated,
    PresenceDiff,
    PresenceState,
)
from poolse._generated.models import Membership, Message
from poolse._generated.readers import read_message
from poolse._json.codec import decode_value
from poolse._realtime.channel_types import ChannelType
from poolse._state.async_state_core import INBOX, AsyncStateCore, AsyncStateRegistry
from poolse._state.async_state_handle import AsyncStateHandle
from poolse._state.conversation_reducer import reduce
from poolse._state.inbox_reducer import ReadMark, ReadMarkRefused
from poolse._state.inputs import (
    Change,
    ChangeBegan,
    ChangeRefused,
    ConversationRead,
    Discarded,
    MembersRead,
    PageRead,
    PageRequest,
    PresenceChanged,
    ReadBegan,
    ReadRefused,
    RepliesRead,
    SendBegan,
    SendFailed,
    Stored,
    ThreadClosed,
    usable,
)
from poolse._state.live_conversation import LiveConversation, first_page, next_page, older_page
from poolse._state.snapshots import (
    ConversationChange,
    ConversationSnapshot,
    LiveMessage,
    LiveMessages,
)
from poolse._support.id_arguments import checked_id, referenced_ids
from poolse.errors import ForbiddenError, NotFoundError, PoolseError, UsageError
from poolse.types import UNSET, Unset

if TYPE_CHECKING:
    from uuid import UUID

    from poolse._generated.models import Attachment, Conversation, MessageType, QuotedMessagePreview

__all__ = ["AsyncConversationCore", "AsyncConversationState"]


PRESENCE_EVENTS: Final = frozenset((PresenceState, PresenceDiff))

MESSAGE_EVENTS: Final = frozenset((MessageNew, MessageUpdated))


class AsyncConversationCore(AsyncStateCore[LiveConversation]):
    """A conversation, shared by all its handles."""

    def __init__(self, states: AsyncStateRegistry, key: str, page_size: int) -> None:
        super().__init__(states, LiveConversation(snapshot=ConversationSnapshot(id=key)))
        self.handle = states.resources.conversations.one(key)
        self.key = key
        self._page_size = page_size
        self.unsent: dict[str, Mapping[str, Any]] = {}
        """Arguments of the messages that are not stored, by their ID."""
        self.follow_ups[MemberRead] = self._read_elsewhere

    def reduced(self, event: object, now: float) -> LiveConversation:
        """Return the state after an event."""
        kind = type(event)
        if kind in MESSAGE_EVENTS:
            event = usable(cast(Message, event))
        elif kind in PRESENCE_EVENTS:
            event = PresenceChanged(self.present)
        return reduce(self.live, event, now)

    def change(
        self, before: LiveConversation, after: LiveConversation
    ) -> ConversationChange | None:
        """Return what listeners are called with."""
        change = ConversationChange(before.snapshot, after.snapshot)
        return change if change.fields else None

    def due_at(self) -> float:
        """Return when a user is no longer shown as typing."""
        typing_until = self.live.typing_until
        return min(typing_until.values()) if typing_until else inf

    async def channel(self) -> tuple[ChannelType, str]:
        """Return the channel of the conversation."""
        return CONVERSATION, self.key

    def listening(self) -> None:
        """Show who is present, if the channel was joined before."""
        self.apply(PresenceChanged(self.present))

    def _read_elsewhere(self, event: MemberRead) -> None:
        """Show in the inbox, too, what the user has read on another device."""
        item = self.live.snapshot.message(event.last_read_message_id or "-")
        if item is not None and event.user_id == self.states.known_user():
            read_in_inbox(self.states, ReadMark(self.key, item.message.sequence))

    async def read(self, *, is_strict: bool) -> None:
        """Read the newest messages, the conversation, its members and the open threads."""
        request: PageRequest | None = first_page(self.live, self._page_size, is_strict=is_strict)
        while request is not None:
            request = next_page(request, await self.read_page(request))
        key = object()
        conversation = await self.request(key, self.handle.show)
        with self.client.lock:
            self.apply(ConversationRead(key, conversation))
        key = object()
        members = await self.request(key, self.handle.list_members)
        with self.client.lock:
            self.apply(MembersRead(key, members.data))
        for root_id in self.live.snapshot.threads:
            # Others may have been closed meanwhile.
            if root_id in self.live.snapshot.threads:
                await self._read_thread_again(root_id)

    async def read_page(self, request: PageRequest) -> Sequence[Message]:
        """Request a page."""
        before = UNSET if request.before is None else request.before

        async def send() -> list[Message]:
            page = await self.handle.messages.list(limit=request.limit, before=before)
            return [usable(row) for row in page]

        rows = await self.request(request, send)
        with self.client.lock:
            self.apply(PageRead(request, rows))
        return rows

    async def read_older(self) -> bool:
        """Request the page below what is current. Return whether there was one."""
        request = older_page(self.live, self._page_size)
        return request is not None and bool(await self.read_page(request))

    async def read_thread(self, root_id: str) -> None:
        """Request all replies of a thread."""
        key = object()
        replies = await self.request(key, partial(self._replies, root_id))
        with self.client.lock:
            self.apply(RepliesRead(key, root_id, replies))

    async def _read_thread_again(self, root_id: str) -> None:
        try:
            await self.read_thread(root_id)
        except (ForbiddenError, NotFoundError) as error:
            # That ends the thread, and not the conversation.
            with self.client.lock:
                self.client.callbacks.report_error(error)
                self.apply(ThreadClosed(root_id))

    async def _replies(self, root_id: str) -> list[Message]:
        replies = self.states.resources.messages.one(root_id).iter_replies()
        return [usable(reply) async for reply in replies]


class AsyncConversationState(AsyncStateHandle[ConversationSnapshot, ConversationChange]):
    """A conversation that is always current, and what the user does in it.

    Your own messages and changes are shown at once. If the server refuses one, a change is undone,
    and a message stays with the status `failed`, for `retry` or `discard`. The method raises the
    error, too.
    """

    _core: AsyncConversationCore

    @property
    def id(self) -> str:
        """ID of the conversation."""
        return self._core.key

    @property
    def conversation(self) -> Conversation | None:
        """The conversation, or None while it loads."""
        return self.snapshot.conversation

    @property
    def messages(self) -> LiveMessages:
        """The loaded messages, oldest first, without replies in threads."""
        return self.snapshot.messages

    @property
    def members(self) -> tuple[Membership, ...]:
        """The members, with their read marks."""
        return self.snapshot.members

    @property
    def typing(self) -> frozenset[str]:
        """The poolse IDs of the other users who are typing."""
        return self.snapshot.typing

    @property
    def presence(self) -> frozenset[str]:
        """The poolse IDs of the users who are present."""
        return self.snapshot.presence

    @property
    def threads(self) -> Mapping[str, LiveMessages]:
        """The replies of the threads that were opened, by the ID of their root."""
        return self.snapshot.threads

    async def load_older(self) -> bool:
        """Load the page of messages below those that are current.

        Messages that are stale are loaded again first.

        Returns:
            Whether there were any. False at the beginning of the conversation.

        Raises:
            ChannelClosed: The state was closed.
            ApiError: The server refused the request.
            NetworkError: The server was not reached.
        """
        self._check_open()
        return await self._core.read_older()

    async def open_thread(self, message_id: str | UUID | Message | LiveMessage) -> LiveMessages:
        """Load the replies of a thread, and keep them current until `close_thread`.

        Args:
            message_id: The root of the thread, or a reply in it.

        Returns:
            The replies, oldest first.

        Raises:
            ChannelClosed: The state was closed.
            ApiError: The server refused the request.
            NetworkError: The server was not reached.
        """
        root_id = self._root_of(message_id)
        self._check_open()
        await self._core.read_thread(root_id)
        return self.snapshot.threads.get(root_id, LiveMessages())

    def close_thread(self, message_id: str | UUID | Message | LiveMessage) -> None:
        """Forget the replies of a thread, and those in it that failed."""
        root_id, core = self._root_of(message_id), self._core
        with self._client.lock:
            for item in self.threads.get(root_id, LiveMessages()).outgoing:
                core.unsent.pop(item.id, None)
            core.apply(ThreadClosed(root_id))

    def _root_of(self, message_id: str | UUID | Message | LiveMessage) -> str:
        item = self.snapshot.message(message_id)
        message = message_id if item is None else item.message
        root_id: str | None = getattr(message, "thread_root_id", None)
        return root_id or _id_of(message_id)

    async def send(
        self,
        body: str | None | Unset = UNSET,
        *,
        type: MessageType | Literal["text", "system", "custom"] | Unset = UNSET,
        reply_to_id: str | UUID | Message | LiveMessage | Unset = UNSET,
        quoted_message_id: str
        | UUID
        | Message
        | LiveMessage
        | QuotedMessagePreview
        | Unset = UNSET,
        mentions: Sequence[str | UUID | Membership] | Unset = UNSET,
        mention_external_ids: Sequence[str | UUID | Membership] | Unset = UNSET,
        attachment_ids: Sequence[str | UUID | Attachment] | Unset = UNSET,
        id: str | UUID | Unset = UNSET,
    ) -> Message:
        """Send a message. It is shown at once, at the end, with the status `sending`.

        `POST /v1/conversations/{conversation_id}/messages`

        Args:
            body: Text of the message.
            type: Type of the message.
            reply_to_id: Message to reply to, in its thread.
            quoted_message_id: Message to quote.
            mentions: Users to mention.
            mention_external_ids: Users to mention, by your own IDs.
            attachment_ids: Uploaded attachments.
            id: ID of the message. Default: a new UUID.

        Returns:
            The stored message.

        Raises:
            ApiError: The server refused it. It is shown as `failed`.
            NetworkError: It may or may not be stored. It is shown as `failed` until it arrives.
            ChannelClosed: The state was closed.
        """
        self._check_open()
        fields: dict[str, Any] = {
            "body": body,
            "type": type,
            "reply_to_id": _given_id("reply_to_id", reply_to_id),
            "quoted_message_id": _given_id("quoted_message_id", quoted_message_id),
            "mentions": mentions,
            "mention_external_ids": mention_external_ids,
            "attachment_ids": attachment_ids,
            "id": str(uuid.uuid4()) if id is UNSET else checked_id("id", id, ""),
        }
        return await self._send({k: v for k, v in fields.items() if v is not UNSET})

    async def retry(self, message_id: str | UUID | LiveMessage) -> Message:
        """Send a message again that failed, with the same ID, so that it is stored once.

        Raises:
            UsageError: There is no such message.
            ApiError: The server refused it.
            NetworkError: It may or may not be stored.
        """
        id = _id_of(message_id)
        fields, item = self._core.unsent.get(id), self.snapshot.message(id)
        if fields is None or item is None or item.status != "failed":
            raise UsageError(f"there is no message {id!r} that failed")
        return await self._send(fields)

    def discard(self, message_id: str | UUID | LiveMessage) -> None:
        """Remove a message that failed. If it was stored nevertheless, it will be shown."""
        id = _id_of(message_id)
        with self._client.lock:
            self._core.unsent.pop(id, None)
            self._core.apply(Discarded(id))

    async def edit(self, message_id: str | UUID | Message | LiveMessage, body: str) -> Message:
        """Change the text of a message.

        `PATCH /v1/messages/{message_id}`

        Raises:
            ApiError: The server refused it. The change is undone.
            NetworkError: The outcome is unknown. The change is undone until it arrives.
            ChannelClosed: The state was closed.
        """
        message = self._core.states.resources.messages.one(_id_of(message_id))
        row: Message = await self._change(
            message_id, "edit", body, partial(message.update, body=body)
        )
        return row

    async def delete(self, message_id: str | UUID | Message | LiveMessage) -> None:
        """Delete a message. Errors as for `edit`.

        `DELETE /v1/messages/{message_id}`
        """
        message = self._core.states.resources.messages.one(_id_of(message_id))
        await self._change(message_id, "delete", "", message.delete)

    async def react(self, message_id: str | UUID | Message | LiveMessage, emoji: str) -> None:
        """Add a reaction of yours, or remove it if it is there. Errors as for `edit`.

        `POST /v1/messages/{message_id}/reactions`,
        `DELETE /v1/messages/{message_id}/reactions/{emoji}`
        """
        id = _id_of(message_id)
        user_id = await self._core.states.user_id()
        message, item = self._core.states.resources.messages.one(id), self.snapshot.message(id)
        if item is not None and user_id in item.message.reactions.get(emoji, ()):
            await self._change(id, "unreact", emoji, partial(message.remove_reaction, emoji))
        else:
            await self._change(id, "react", emoji, partial(message.add_reaction, emoji))

    async def send_typing(self) -> None:
        """Show the others that you are typing. Call it on every keystroke, if you like.

        Pushes `typing`, unless the channel is not joined.

        Raises:
            ChannelClosed: The state was closed.
        """
        self._check_open()
        self._core.push("typing")

    async def mark_read(self, message_id: str | UUID | Message | LiveMessage | None = None) -> None:
        """Mark the conversation as read up to a message.

        `POST /v1/conversations/{conversation_id}/read`

        Args:
            message_id: The last message that was read. Default: the newest of `messages`. Pass a
                reply to mark the replies of a thread, too.

        Raises:
            ApiError: The server refused it. The mark is undone.
            NetworkError: The outcome is unknown. The mark is undone.
            ChannelClosed: The state was closed.
        """
        self._check_open()
        stored = self.messages.stored
        if message_id is None and not stored:
            return
        id = stored[-1].id if message_id is None else _id_of(message_id)
        core, item = self._core, self.snapshot.message(id)
        user_id = await core.states.user_id()
        began = ReadBegan(user_id, id, datetime.now(UTC))
        before = next((m for m in self.members if m.user_id == user_id), None)
        with self._client.lock:
            undo = _nothing
            if item is not None and item.stored is not None:
                undo = read_in_inbox(core.states, ReadMark(core.key, item.stored.sequence))
            core.apply(began)
        try:
            await core.handle.messages.mark_read(id)
        except BaseException:
            with self._client.lock:
                core.apply(ReadRefused(began, before))
                undo()
            raise

    async def _send(self, fields: Mapping[str, Any]) -> Message:
        self._check_open()
        core, id = self._core, str(fields["id"])
        message = await self._outgoing(fields)
        with self._client.lock:
            # Without those that an event has settled since.
            waiting = {item.id for item in self._outgoing_messages()}
            core.unsent = {k: v for k, v in core.unsent.items() if k in waiting}
            core.unsent[id] = fields
            core.apply(SendBegan(message))
        try:
            row = usable(await core.handle.messages.send(**fields))
        except BaseException as error:
            with self._client.lock:
                failure = error if isinstance(error, PoolseError) else None
                core.apply(SendFailed(id, failure))
                # An invalid argument stays invalid, and what is not shown cannot be sent again.
                if isinstance(error, UsageError):
                    core.apply(Discarded(id))
                if self.snapshot.message(id) is None:
                    core.unsent.pop(id, None)
            raise
        with self._client.lock:
            core.unsent.pop(id, None)
            core.apply(Stored(id, row))
        return row

    def _outgoing_messages(self) -> list[LiveMessage]:
        snapshot = self.snapshot
        return [m for one in (snapshot.messages, *snapshot.threads.values()) for m in one.outgoing]

    async def _outgoing(self, fields: Mapping[str, Any]) -> Message:
        """Return a message as it looks before the server has stored it."""
        reply_to_id: str | None = fields.get("reply_to_id")
        replied = reply_to_id and self.snapshot.message(reply_to_id)
        now = datetime.now(UTC).isoformat()
        row: dict[str, object] = {
            "id": fields["id"],
            "conversation_id": self.id,
            "sender_id": await self._core.states.user_id(),
            "type": str(fields.get("type", "text")),
            "body": fields.get("body"),
            "reply_to_id": reply_to_id,
            # If the message is not loaded, it is most likely the root.
            "thread_root_id": (replied and replied.message.thread_root_id) or reply_to_id,
            "quoted_message_id": fields.get("quoted_message_id"),
            "mentions": referenced_ids("mentions", fields.get("mentions", ()), "user"),
            "reactions": {},
            "inserted_at": now,
            "updated_at": now,
        }
        return decode_value(read_message, row)

    async def _change(
        self,
        message_id: str | UUID | Message | LiveMessage,
        kind: Literal["edit", "delete", "react", "unreact"],
        value: str,
        send: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        self._check_open()
        core = self._core
        user_id = await core.states.user_id()
        change = Change(_id_of(message_id), kind, value, user_id, datetime.now(UTC))
        with self._client.lock:
            core.apply(ChangeBegan(change))
        try:
            row = await send()
            row = row and usable(row)
        except BaseException:
            with self._client.lock:
                core.apply(ChangeRefused(change))
            raise
        with self._client.lock:
            core.apply(Stored(change, row))
        return row


def read_in_inbox(states: AsyncStateRegistry, mark: ReadMark) -> Callable[[], None]:
    """Show a conversation as read in the inbox. Return a function that undoes it."""
    inbox = states.cores.get(INBOX)
    if inbox is None:
        return _nothing
    before: Conversation | None = inbox.live.snapshot.conversation(mark.conversation_id)
    if before is None:
        return _nothing
    inbox.apply(mark)
    return lambda: inbox.apply(ReadMarkRefused(mark, before))


def _nothing() -> None:
    """Nothing is to be undone."""


def _id_of(message_id: object) -> str:
    return checked_id("message_id", message_id, "message")


def _given_id(name: str, value: object) -> object:
    return UNSET if value is UNSET else checked_id(name, value, "message")
