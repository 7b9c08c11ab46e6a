"""`chat.state`: states that are always current."""

from __future__ import annotations

import random
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Any

from poolse._generated.async_resources import AsyncResources
from poolse._realtime.client import RealtimeClient
from poolse._state.async_conversation_state import AsyncConversationCore, AsyncConversationState
from poolse._state.async_inbox_state import AsyncInboxCore, AsyncInboxState
from poolse._state.async_state_core import AsyncStateCore
from poolse._state.inbox_reducer import ReadMark, ReadMarkRefused
from poolse._state.inputs import Ended
from poolse._support.argument_checks import checked_count
from poolse._support.background import async_start_later
from poolse._support.id_arguments import checked_id

if TYPE_CHECKING:
    from uuid import UUID

    from poolse._generated.async_resources import AsyncConversationHandle
    from poolse._generated.models import Conversation

__all__ = ["AsyncLiveState"]


class AsyncLiveState:
    """States that are kept current in the background: the inbox, and single conversations."""

    def __init__(
        self,
        resources: AsyncResources,
        client: RealtimeClient,
        user_id: Callable[[], str | None],
        bind: Callable[[], object],  # sync:
    ) -> None:
        self.client = client
        self.resources = resources
        self.random: Callable[[], float] = random.random
        self._known_user = user_id
        self._bind = bind  # sync:
        self._conversations: dict[str, AsyncConversationCore] = {}
        self._inbox: AsyncInboxCore | None = None
        self._alarm_at = inf
        self._cancel_alarm: Callable[[], object] = lambda: None
        with client.lock:
            client.wakes.append(self._end_with_client)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {len(self._cores())} states>"

    def inbox(self) -> AsyncInboxState:
        """Return the conversations of the signed-in user, newest activity first.

        Begins to load at once, in the background. New in 0.6.

        Raises:
            UsageError: The client is closed.

        Example:
            >>> async with chat.state.inbox() as inbox:
            ...     async for snapshot in inbox:
            ...         print(snapshot.unread_count)
        """
        self._bind()  # sync:
        with self.client.lock:
            self.client.check_open()
            if self._inbox is None:
                self._inbox = AsyncInboxCore(self)
                self._inbox.begin()
            return AsyncInboxState(self._inbox)

    def conversation(
        self,
        conversation_id: str | UUID | Conversation | AsyncConversationHandle,
        *,
        page_size: int = 50,
    ) -> AsyncConversationState:
        """Return a conversation with its newest messages, members, typing and presence.

        Begins to load at once, in the background, and joins the channel. States of the same
        conversation share what they load. New in 0.6.

        Args:
            conversation_id: ID of the conversation, or an object with that ID.
            page_size: Messages to load at first, and with each `load_older`; at most 100. The
                first state of the conversation decides.

        Raises:
            UsageError: The client is closed.

        Example:
            >>> async with chat.state.conversation(conversation_id) as state:
            ...     await state.send("Hello")
            ...     print(*[item.message.body for item in state.messages])
        """
        key = checked_id("conversation_id", conversation_id, "conversation")
        size = min(100, checked_count("page_size", page_size, 1))
        self._bind()  # sync:
        with self.client.lock:
            self.client.check_open()
            core = self._conversations.get(key)
            if core is None:
                core = self._conversations[key] = AsyncConversationCore(self, key, size)
                core.begin()
            return AsyncConversationState(core)

    async def user_id(self) -> str:
        """Return the ID of the signed-in user."""
        return self._known_user() or (await self.resources.me.show()).id

    def mark_read(self, mark: ReadMark) -> Callable[[], None]:
        """Show a conversation as read in the inbox. Return a function that undoes it."""
        inbox = self._inbox
        with self.client.lock:
            before = inbox and inbox.live.snapshot.conversation(mark.conversation_id)
            if inbox is None or before is None:
                return lambda: None
            inbox.apply(mark)
            return lambda: inbox.apply(ReadMarkRefused(mark, before))

    def forget(self, core: AsyncStateCore[Any]) -> None:
        """End a state. The lock is held."""
        if core is self._inbox:
            self._inbox = None
        self._conversations = {k: one for k, one in self._conversations.items() if one is not core}
        core.end()
        self.set_alarm()

    def set_alarm(self) -> None:
        """Have `_ring` called when a state needs it. One timer for all. The lock is held."""
        alarm_at = min((core.wake_at for core in self._cores()), default=inf)
        if alarm_at != self._alarm_at:
            self._cancel_alarm()
            self._alarm_at = alarm_at
            if alarm_at < inf:
                left = max(0.0, alarm_at - self.client.clock())
                self._cancel_alarm = async_start_later(left, self._ring)

    def _end_with_client(self) -> None:
        if self.client.closed:
            for core in self._cores():
                core.apply(Ended(None))

    def _cores(self) -> list[AsyncStateCore[Any]]:
        inbox = [] if self._inbox is None else [self._inbox]
        return [*inbox, *self._conversations.values()]

    async def _ring(self) -> None:
        with self.client.lock:
            self._alarm_at = inf
            now = self.client.clock()
            for core in self._cores():
                if core.wake_at <= now:
                    core.ring(now)
            self.set_alarm()
