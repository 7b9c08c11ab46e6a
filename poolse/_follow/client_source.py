"""The clients as feeds see them, in the words of the API."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from poolse._follow.checkpoints import AsyncCheckpoint, Checkpoint
from poolse._follow.conversation_list import Known
from poolse._follow.feed_base import Channels
from poolse._follow.options import After, Gap
from poolse._follow.settings import FeedSettings
from poolse._follow.source import FollowOptions
from poolse._generated.events import CONVERSATION, CONVERSATION_CREATED, MESSAGE_NEW, USER
from poolse._generated.models import Conversation, Message, MessageList
from poolse._json.models import missing
from poolse._json.parsing import needed
from poolse._realtime.client import RealtimeClient, client_of
from poolse._rest.settings import Settings
from poolse._support.argument_checks import checked_callback, checked_count, checked_instance
from poolse._support.ids import checked_ids
from poolse.cancel import CancelToken, any_of
from poolse.errors import ArgumentTypeError, UsageError
from poolse.options import CallOptions
from poolse.types import UNSET, Unset

if TYPE_CHECKING:
    from poolse._generated.async_channels import AsyncPoolseRealtime
    from poolse._generated.async_resources import (
        AsyncConversationHandle,
        AsyncConversationsResource,
        AsyncMeResource,
    )
    from poolse._generated.channels import PoolseRealtime
    from poolse._generated.resources import ConversationHandle, ConversationsResource, MeResource

__all__ = [
    "AsyncClientSource",
    "AsyncFollowClient",
    "ClientSource",
    "FollowClient",
    "follow_options",
]

_CHANNELS: Final = Channels(rows=CONVERSATION, row=MESSAGE_NEW, news=USER, new=CONVERSATION_CREATED)


class FollowClient(Protocol):
    """The sync client, as far as following needs it."""

    _settings: Settings

    @property
    def user_id(self) -> str | None:
        """The user of the token."""
        ...

    @property
    def realtime(self) -> PoolseRealtime:
        """Its realtime."""
        ...

    @property
    def me(self) -> MeResource:
        """The signed-in user."""
        ...

    @property
    def conversations(self) -> ConversationsResource:
        """His conversations."""
        ...


class AsyncFollowClient(Protocol):
    """The async client, as far as following needs it."""

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


class ClientSource:
    """The sync client as a feed sees it."""

    channels = _CHANNELS

    def __init__(self, chat: FollowClient) -> None:
        self._chat = chat

    @property
    def hub(self) -> RealtimeClient:
        return client_of(self._chat.realtime)

    def handle(self, key: str) -> ConversationHandle:
        return self._chat.conversations.one(key)

    def who(self, options: CallOptions) -> str:
        return self._chat.user_id or self._chat.me.show(options=options).id

    def known(self, options: CallOptions) -> list[Known]:
        return [_known(row) for row in self._chat.conversations.list(options=options)]

    def head(self, key: str, options: CallOptions) -> int:
        return needed(self.handle(key).show(options=options).last_sequence, "$.last_sequence")

    def page(
        self, key: str, before: int | None, limit: int, options: CallOptions
    ) -> Sequence[Message]:
        start = UNSET if before is None else before
        return _numbered(self.handle(key).messages.list(limit=limit, before=start, options=options))

    def send(self, key: str, arguments: dict[str, Any]) -> Message:
        return self.handle(key).messages.send(**arguments)


class AsyncClientSource:
    """The async client as a feed sees it."""

    channels = _CHANNELS

    def __init__(self, chat: AsyncFollowClient) -> None:
        self._chat = chat

    @property
    def hub(self) -> RealtimeClient:
        return client_of(self._chat.realtime)

    def handle(self, key: str) -> AsyncConversationHandle:
        return self._chat.conversations.one(key)

    async def who(self, options: CallOptions) -> str:
        return self._chat.user_id or (await self._chat.me.show(options=options)).id

    async def known(self, options: CallOptions) -> list[Known]:
        return [_known(row) for row in await self._chat.conversations.list(options=options)]

    async def head(self, key: str, options: CallOptions) -> int:
        row = await self.handle(key).show(options=options)
        return needed(row.last_sequence, "$.last_sequence")

    async def page(
        self, key: str, before: int | None, limit: int, options: CallOptions
    ) -> Sequence[Message]:
        start = UNSET if before is None else before
        return _numbered(
            await self.handle(key).messages.list(limit=limit, before=start, options=options)
        )

    async def send(self, key: str, arguments: dict[str, Any]) -> Message:
        return await self.handle(key).messages.send(**arguments)


def follow_options(
    chat: FollowClient | AsyncFollowClient,
    only: Iterable[object] | None,
    after: After | Unset,
    checkpoint: Checkpoint | AsyncCheckpoint | None,
    on_gap: Callable[[Gap], object] | None,
    cancel: CancelToken | None,
    *,
    max_backfill: int | None,
    skip_own: bool,
    asynchronous: bool,
) -> FollowOptions[Message]:
    """The arguments of `follow`, checked."""
    _check_checkpoint(checkpoint, asynchronous=asynchronous)
    if on_gap is not None:
        checked_callback("on_gap", on_gap, awaits=asynchronous)
    if max_backfill is not None:
        checked_count("max_backfill", max_backfill)
        if on_gap is None:
            raise UsageError("max_backfill skips messages: give on_gap too, which is told of them")
    if cancel is not None:
        checked_instance("cancel", cancel, CancelToken, "a CancelToken")
    settings = chat._settings  # pyright: ignore[reportPrivateUsage]
    return FollowOptions(
        only=_ids(only),
        after=after,
        checkpoint=checkpoint,
        skip_own=skip_own,
        on_gap=on_gap,
        cancel=any_of(settings.cancel, cancel),
        author=lambda message: message.sender_id,
        settings=FeedSettings(max_backfill=max_backfill, max_retry_after=settings.max_retry_after),
    )


def _check_checkpoint(checkpoint: object, *, asynchronous: bool) -> None:
    if checkpoint is None:
        return
    for name in ("load", "save"):
        method: object = getattr(checkpoint, name, None)
        if not callable(method):
            raise ArgumentTypeError(
                f"checkpoint must have load and save, as SQLiteCheckpoint(path) has; {name} is "
                "missing"
            )
        checked_callback(f"checkpoint.{name}", method, awaits=asynchronous)


def _ids(only: Iterable[object] | None) -> tuple[str, ...] | None:
    if only is None:
        return None
    return tuple(dict.fromkeys(checked_ids("conversation_ids", only, "conversation")))


def _numbered(page: MessageList) -> Sequence[Message]:
    """The messages of a page, each of which has the number that it is put in order by."""
    for index, message in enumerate(page.data):
        needed(message.sequence, f"$.data[{index}].sequence")
    return page.data


def _known(row: Conversation) -> Known:
    return Known(row.id, None if "last_sequence" in missing(row) else row.last_sequence)
