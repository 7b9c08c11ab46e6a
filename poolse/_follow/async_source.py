"""The client as a feed sees it: its conversations, their channels, its clock, and how to wait."""

from __future__ import annotations

import inspect
import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from poolse._follow.listener import ChannelListener, ListenerCallbacks
from poolse._follow.positions import Gap
from poolse._follow.steps import Fetch
from poolse._generated.events import CONVERSATION, CONVERSATION_CREATED, MESSAGE_NEW, USER
from poolse._generated.models import Conversation, Me, Message
from poolse._json.models import missing
from poolse._json.parsing import needed
from poolse._observe.feed_counters import FeedCounters
from poolse._realtime.async_driver import AsyncWakeup
from poolse._realtime.async_public import wait_changed, wait_until
from poolse._realtime.channel_types import ChannelType, EventType
from poolse._realtime.client import client_of
from poolse._realtime.queues import Wake

# sync: from poolse._support.argument_checks import not_awaitable
from poolse.cancel import CancelToken, any_of
from poolse.errors import PoolseError
from poolse.options import CallOptions
from poolse.types import UNSET

__all__ = ["AsyncConversationSource"]


class AsyncConversationSource:
    """Where the messages of a feed come from. A test has one of its own."""

    # Any: the client's resources return feeds, so their modules cannot be imported from here.
    def __init__(self, client: Any, cancel: CancelToken | None) -> None:  # noqa: ANN401
        self._realtime = client_of(client.realtime)
        self.counters: FeedCounters = self._realtime.feeds
        self.now: Callable[[], float] = time.monotonic
        self.random: Callable[[], float] = random.random
        self.random_bytes: Callable[[int], bytes] = os.urandom
        self._client = client
        self._listeners: dict[str, ChannelListener] = {}
        self._cancel = cancel
        self._options = CallOptions(cancel=cancel)
        self._once = CallOptions(max_retries=0, cancel=cancel)
        """For what the core retries itself."""
        self.wakes: list[Wake] = []
        """Called by `wake`, for those who wait for the feed besides its consumer."""
        self._wakeup = AsyncWakeup()
        self._is_awake = False

    @property
    def lock(self) -> AbstractContextManager[object]:
        """Held while callbacks of the channels are called."""
        return self._realtime.lock

    def handle(self, key: str) -> Any:  # noqa: ANN401
        """Return the handle of a conversation."""
        return self._client.conversations.one(key)

    def listen(self, key: str, callbacks: ListenerCallbacks) -> None:
        """Join the channel of a conversation."""
        self._listen(CONVERSATION, key, MESSAGE_NEW, callbacks)

    def listen_for_new(self, user: str, callbacks: ListenerCallbacks) -> None:
        """Join the channel that announces new conversations."""
        self._listen(USER, user, CONVERSATION_CREATED, callbacks)

    def _listen(
        self,
        kind: ChannelType,
        key: str,
        event: EventType[Any],
        callbacks: ListenerCallbacks,
    ) -> None:
        if key in self._listeners:
            self._listeners.pop(key).close()
        self._listeners[key] = ChannelListener(
            self._realtime, kind, key, event, callbacks, self.wake
        )

    def close(self) -> None:
        """Leave all channels."""
        while self._listeners:
            self._listeners.popitem()[1].close()
        self.wake()

    def report(self, error: PoolseError) -> None:
        """Report an error that ends nothing."""
        with self.lock:
            self._realtime.callbacks.report_error(error)

    def wake(self) -> None:
        """End all waits. Whatever they are to see has changed before, while the lock was held."""
        self._is_awake = True
        self._wakeup.set()
        for wake in self.wakes:
            wake()

    async def wait(self, until: float | None) -> None:
        """Wait for `wake`, or until this time."""
        timeout = None if until is None else max(0.0, until - self.now())
        await wait_until(
            self._realtime, self._wakeup, lambda: self._is_awake, timeout, self._cancel
        )
        self._is_awake = False

    async def wait_for(
        self, ready: Callable[[], bool], timeout: float | None, cancel: CancelToken | None
    ) -> bool:
        """Wait beside the consumer until a condition holds; return False on a timeout."""
        return await wait_changed(
            self._realtime, self.wakes, ready, timeout, any_of(self._cancel, cancel)
        )

    async def user_id(self) -> str:
        """Return the ID of the user."""
        known: str | None = self._client.user_id
        if known:
            return known
        me: Me = await self._client.me.show(options=self._options)
        return me.id

    async def heads(self, *, once: bool) -> Mapping[str, int | None]:
        """Return the highest number of each conversation, None where the server does not say.

        With `once` failures are not retried.
        """
        options = self._once if once else self._options
        listed: Sequence[Conversation] = await self._client.conversations.list(options=options)
        return {
            conversation.id: None
            if "last_sequence" in missing(conversation)
            else conversation.last_sequence
            for conversation in listed
        }

    async def head(self, key: str) -> int:
        """Return the highest number of a conversation."""
        conversation: Conversation = await self.handle(key).show(options=self._options)
        return needed(conversation.last_sequence, "$.last_sequence")

    async def page(self, fetch: Fetch) -> Sequence[Message]:
        """Return a page of a conversation, without retries."""
        page = await self.handle(fetch.key).messages.list(
            limit=fetch.limit,
            before=UNSET if fetch.before is None else fetch.before,
            options=self._once,
        )
        messages: Sequence[Message] = page.data
        for index, message in enumerate(messages):
            needed(message.sequence, f"$.data[{index}].sequence")
        return messages

    async def call_back(self, function: Callable[[Gap], object], gap: Gap) -> None:
        """Call `on_gap`."""
        result = function(gap)  # sync: not_awaitable("on_gap", function(gap))
        # async only
        if inspect.isawaitable(result):
            await result
