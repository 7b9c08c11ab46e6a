"""The client as a feed sees it: its conversations, their channels, and the user's checkpoint."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

from poolse._follow.async_consumer import AsyncConsumer
from poolse._follow.async_loop import AsyncFeedLoop
from poolse._follow.listener import ChannelListener, ListenerCallbacks
from poolse._follow.options import FeedSettings, FollowOptions
from poolse._follow.steps import Fetch
from poolse._generated.events import CONVERSATION, CONVERSATION_CREATED, MESSAGE_NEW, USER
from poolse._generated.models import Message
from poolse._json.models import missing
from poolse._json.parsing import needed
from poolse._realtime.client import client_of
from poolse._realtime.events import ChannelType, EventType
from poolse._rest.settings import Settings
from poolse._support.argument_checks import checked_instance
from poolse._support.ids import checked_ids
from poolse.cancel import CancelToken, any_of
from poolse.errors import PoolseError
from poolse.options import CallOptions
from poolse.types import UNSET

if TYPE_CHECKING:
    from poolse._generated.async_channels import AsyncPoolseRealtime
    from poolse._generated.async_resources import (
        AsyncConversationHandle,
        AsyncConversationsResource,
        AsyncMeResource,
    )

__all__ = ["AsyncConversationSource", "AsyncFollowClient", "async_feed_parts"]


class AsyncFollowClient(Protocol):
    """A client, as far as following needs it."""

    _settings: Settings

    @property
    def user_id(self) -> str | None:
        """The user of the token."""
        ...

    @property
    def realtime(self) -> AsyncPoolseRealtime:
        """Its realtime."""
        ...

    @property
    def me(self) -> AsyncMeResource:
        """The signed-in user."""
        ...

    @property
    def conversations(self) -> AsyncConversationsResource:
        """His conversations."""
        ...


class AsyncConversationSource(AsyncConsumer):
    """See `AsyncSource`."""

    def __init__(self, client: AsyncFollowClient, cancel: CancelToken | None) -> None:
        super().__init__(client_of(client.realtime))
        self.counters = self._realtime.feeds
        self.random = random.random
        self.random_bytes = os.urandom
        self._client = client
        self._listeners: dict[str, ChannelListener] = {}
        self._cancel = cancel
        self._forget: Callable[[], None] = lambda: None
        self._options = CallOptions(cancel=cancel)
        self._once = CallOptions(max_retries=0, cancel=cancel)
        """For what the core retries itself."""

    @property
    def lock(self) -> AbstractContextManager[object]:
        return self._realtime.lock

    def listen(self, key: str, callbacks: ListenerCallbacks) -> None:
        self._listen(CONVERSATION, key, MESSAGE_NEW, callbacks)

    def listen_for_new(self, user: str, callbacks: ListenerCallbacks) -> None:
        self._listen(USER, user, CONVERSATION_CREATED, callbacks)

    def close(self) -> None:
        while self._listeners:
            self._listeners.popitem()[1].close()
        self._forget()
        self.wake()

    def report(self, error: PoolseError) -> None:
        with self._realtime.lock:
            self._realtime.callbacks.report_error(error)

    async def user_id(self) -> str:
        if self._cancel is not None:
            self._forget = self.wake_on(self._cancel)
        return self._client.user_id or (await self._client.me.show(options=self._options)).id

    async def heads(self, *, once: bool) -> Mapping[str, int | None]:
        options = self._once if once else self._options
        return {
            conversation.id: None
            if "last_sequence" in missing(conversation)
            else conversation.last_sequence
            for conversation in await self._client.conversations.list(options=options)
        }

    async def head(self, key: str) -> int:
        conversation = await self._client.conversations.one(key).show(options=self._options)
        return needed(conversation.last_sequence, "$.last_sequence")

    async def page(self, fetch: Fetch) -> Sequence[Message]:
        page = await self._client.conversations.one(fetch.key).messages.list(
            limit=fetch.limit,
            before=UNSET if fetch.before is None else fetch.before,
            options=self._once,
        )
        for index, message in enumerate(page.data):
            needed(message.sequence, f"$.data[{index}].sequence")
        return page.data

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


def async_feed_parts(
    client: AsyncFollowClient,
    only: Iterable[object] | None,
    *,
    cancel: CancelToken | None,
    max_backfill: int | None,
    **choices: Any,  # noqa: ANN401
) -> tuple[AsyncFeedLoop[Message], Callable[[str], AsyncConversationHandle]]:
    """Check the arguments of `follow`, and return what a feed is made of."""
    if cancel is not None:
        checked_instance("cancel", cancel, CancelToken, "a CancelToken")
    settings = client._settings  # pyright: ignore[reportPrivateUsage]
    cancel = any_of(settings.cancel, cancel)
    options = FollowOptions[Message](
        only=None if only is None else _ids(only),
        cancel=cancel,
        author=lambda message: message.sender_id,
        settings=FeedSettings(max_backfill=max_backfill, max_retry_after=settings.max_retry_after),
        awaits=True,  # sync: awaits=False,
        **choices,
    )
    loop = AsyncFeedLoop(AsyncConversationSource(client, cancel), options)
    return loop, client.conversations.one


def _ids(only: Iterable[object]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(checked_ids("conversation_ids", only, "conversation")))
