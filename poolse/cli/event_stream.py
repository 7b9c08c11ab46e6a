"""The events that `poolse listen` prints."""

from __future__ import annotations

import asyncio
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
from poolse.cli.exit_codes import ending_signals, prepare_for_end
from poolse.cli.session import Session

if TYPE_CHECKING:
    from poolse import AsyncConversationChannel, AsyncUserChannel

    Channel = AsyncConversationChannel | AsyncUserChannel

__all__ = ["WIRE", "stream_events"]

WIRE: Final = {
    "CallAccepted": "call:accepted",
    "CallBusy": "call:busy",
    "CallCancelled": "call:cancelled",
    "CallDeclined": "call:declined",
    "CallEnded": "call:ended",
    "CallIncoming": "call:incoming",
    "ConversationCreated": "conversation:created",
    "ConversationUpdated": "conversation:updated",
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
    """Print events, up to a number if there is one. SIGTERM and SIGHUP cancel it."""
    _let_signals_cancel()
    async with session.async_chat() as chat, EventStream() as stream:
        # First in any case: a socket connects again and again, even to a server that has none.
        me = await chat.me.show()
        for key in wanted:
            stream.open(chat.realtime.conversation(key))
        if not wanted:
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


def _let_signals_cancel() -> None:
    """Let signals cancel the task, like asyncio's Ctrl-C: handlers may raise in any task.

    The `CancelledError` has the number of the signal.
    """
    task = asyncio.current_task()
    if task is None or threading.current_thread() is not threading.main_thread():
        return

    def end(number: int) -> None:
        prepare_for_end(number)
        task.cancel(number)

    with suppress(NotImplementedError):  # Windows
        for number in ending_signals():
            asyncio.get_running_loop().add_signal_handler(number, end, number)


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
