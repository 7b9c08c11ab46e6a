"""`chat.state`: states that are always current."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from poolse._state.async_conversation_state import AsyncConversationCore, AsyncConversationState
from poolse._state.async_inbox_state import AsyncInboxCore, AsyncInboxState
from poolse._state.async_state_core import INBOX, AsyncStateRegistry
from poolse._support.argument_checks import checked_count
from poolse._support.id_arguments import checked_id

if TYPE_CHECKING:
    from uuid import UUID

    from poolse._generated.async_resources import AsyncConversationHandle
    from poolse._generated.models import Conversation

__all__ = ["AsyncLiveState"]


class AsyncLiveState:
    """States that are kept current in the background: the inbox, and single conversations."""

    def __init__(self, states: AsyncStateRegistry) -> None:
        self._states = states

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {len(self._states.cores)} states>"

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
        states = self._states
        with states.client.lock:
            return AsyncInboxState(states.get(INBOX, partial(AsyncInboxCore, states)))

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
        states = self._states
        with states.client.lock:
            make = partial(AsyncConversationCore, states, key, size)
            return AsyncConversationState(states.get(key, make))
