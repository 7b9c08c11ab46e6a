"""`chat.state.inbox()`: the conversations of the signed-in user."""

from __future__ import annotations

from collections.abc import Sequence

from poolse._generated.events import USER
from poolse._generated.models import Conversation
from poolse._realtime.channel_types import ChannelType
from poolse._state.async_state_core import AsyncStateCore, AsyncStateRegistry
from poolse._state.async_state_handle import AsyncStateHandle
from poolse._state.inbox_reducer import ListRead, LiveInbox, reduce
from poolse._state.snapshots import InboxChange, InboxSnapshot

__all__ = ["AsyncInboxCore", "AsyncInboxState"]


class AsyncInboxCore(AsyncStateCore[LiveInbox]):
    """The inbox, shared by all its handles."""

    def __init__(self, states: AsyncStateRegistry) -> None:
        super().__init__(states, LiveInbox())

    def reduced(self, event: object, now: float) -> LiveInbox:
        """Return the state after an event."""
        return reduce(self.live, event, now)

    def change(self, before: LiveInbox, after: LiveInbox) -> InboxChange | None:
        """Return what listeners are called with."""
        change = InboxChange(before.snapshot, after.snapshot)
        return change if change.fields else None

    async def channel(self) -> tuple[ChannelType, str]:
        """Return the channel of the user."""
        return USER, await self.states.user_id()

    async def read(self, *, is_strict: bool) -> None:  # noqa: ARG002  (a list is always whole)
        """Read the list of conversations."""
        key = object()
        listed = await self.request(key, self.states.resources.conversations.list)
        with self.client.lock:
            self.apply(ListRead(key, tuple(listed.data)))


class AsyncInboxState(AsyncStateHandle[InboxSnapshot, InboxChange]):
    """The conversations of the signed-in user, always current."""

    @property
    def conversations(self) -> Sequence[Conversation]:
        """All conversations, newest activity first, with `unread_count` and previews."""
        return self.snapshot.conversations

    @property
    def unread_count(self) -> int:
        """Number of unread messages in all conversations."""
        return self.snapshot.unread_count
