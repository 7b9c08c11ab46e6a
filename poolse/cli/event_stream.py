"""The events that `poolse listen` prints."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self, cast

from poolse import (
    ConversationCreated,
    PoolseError,
    SlowConsumer,
    UnknownEvent,
    to_dict,
)
from poolse.cli.session import Session

if TYPE_CHECKING:
    from poolse import AsyncConversationChannel, AsyncUserChannel

    Channel = AsyncConversationChannel | AsyncUserChannel

__all__ = ["WIRE", "stream_events"]

WIRE: Final = {
    "ConversationCreated": "conversation:created",
    "MemberRead": "member:read",
    "MentionNew": "mention:new",
    "MessageDeleted": "message:deleted",
    "MessageNew": "message:new",
    "MessageUpdated": "message:updated",
    "PresenceDiff": "presence_diff",
    "PresenceState": "presence_state",
    "ReactionAdded": "reaction:added",
    "ReactionRemoved": "reaction:removed",
    "TypingStart": "typing:start",
    "TypingStop": "typing:stop",
}
"""Names of the events on the wire, which stay the same if a later release adds events."""


async def stream_events(session: Session, wanted: Sequence[str], count: int | None) -> None:
    """Print events, up to a number if there is one. SIGTERM cancels it."""
    _let_sigterm_cancel()
    async with session.async_chat() as chat, EventStream() as stream:
        for key in wanted:
            stream.open(chat.realtime.conversation(key))
        if not wanted:
            me = await chat.me.show()
            stream.open(chat.realtime.user(me.id))
            for conversation in await chat.conversations.list():
                stream.open(chat.realtime.conversation(conversation.id))
        while count is None or count > 0:
            topic, item = await stream.next()
            if isinstance(item, PoolseError):
                # One that is refused does not end the others, unless one asked for it.
                if not isinstance(item, SlowConsumer) and (wanted or not stream.still_open):
                    raise item
                session.note(str(item))
                continue
            session.print_json(_line(topic, item))
            if isinstance(item, ConversationCreated):
                stream.open(chat.realtime.conversation(item.id))
            count = None if count is None else count - 1


def _let_sigterm_cancel() -> None:
    """Let SIGTERM cancel the task, like asyncio's Ctrl-C: handlers may raise in any task."""
    task = asyncio.current_task()
    if task is not None and threading.current_thread() is threading.main_thread():
        with suppress(NotImplementedError):  # Windows
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


def _line(topic: str, event: object) -> dict[str, object]:
    if isinstance(event, UnknownEvent):
        return {"event": event.event, "topic": topic, "payload": event.payload}
    name = type(event).__name__
    payload = to_dict(cast("dict[str, object]", event))
    return {"event": WIRE.get(name, name), "topic": topic, "payload": payload}


class EventStream:
    """The events of several channels, one after the other."""

    def __init__(self) -> None:
        # One place: the channels have queues of their own, which say what they dropped.
        self._queue = asyncio.Queue[tuple[str, object]](1)
        self._tasks: set[asyncio.Task[None]] = set()

    def open(self, channel: Channel) -> None:
        """Read the events of another channel too."""
        self._tasks.add(asyncio.create_task(self._read(channel)))

    @property
    def still_open(self) -> bool:
        """Whether any channel is still open."""
        return any(not task.done() for task in self._tasks)

    async def next(self) -> tuple[str, object]:
        """Return the topic, and the event or the error."""
        return await self._queue.get()

    async def _read(self, channel: Channel) -> None:
        events = aiter(channel.events())
        while True:
            try:
                event = await anext(events)
            except StopAsyncIteration:
                return
            except PoolseError as error:
                await self._queue.put((channel.topic, error))
                if not isinstance(error, SlowConsumer):
                    return
            else:
                await self._queue.put((channel.topic, event))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
