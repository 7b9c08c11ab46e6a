"""A feed for asyncio: all that it does, it does in the task that asks for the next message."""

from __future__ import annotations

import asyncio
import inspect
import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

from poolse._follow.checkpoints import MemoryCheckpoint
from poolse._follow.conversation_list import Known
from poolse._follow.feed_base import BaseConversationSource, BaseDelivery, DeliveryOrigin, FeedHome
from poolse._follow.follower import Item
from poolse._follow.loop import FeedLoop
from poolse._follow.options import Gap
from poolse._follow.positions import Numbered, Position
from poolse._follow.reply_ids import SECRET_BYTES, new_secret
from poolse._follow.source import FollowOptions
from poolse._support.argument_checks import is_async
from poolse._support.blocking import in_thread
from poolse._support.event_loop import in_this_loop
from poolse.errors import ApiError
from poolse.options import CallOptions
from poolse.types import UNSET

__all__ = ["AsyncDelivery", "AsyncFeed", "AsyncFeedHome"]

R = TypeVar("R", bound=Numbered)
C = TypeVar("C")
R_co = TypeVar("R_co", bound=Numbered, covariant=True)
C_co = TypeVar("C_co", covariant=True)


class AsyncFeedHome(FeedHome[C_co], Protocol[R_co, C_co]):
    """The client, as far as a feed needs it."""

    async def who(self, options: CallOptions) -> str:
        """Id of the user."""
        ...

    async def known(self, options: CallOptions) -> list[Known]:
        """All conversations."""
        ...

    async def head(self, key: str, options: CallOptions) -> int:
        """The highest number that a conversation has handed out."""
        ...

    async def page(
        self, key: str, before: int | None, limit: int, options: CallOptions
    ) -> Sequence[R_co]:
        """A page of a conversation, newest first."""
        ...

    async def send(self, key: str, arguments: dict[str, object]) -> R_co:
        """Send a message."""
        ...


class AsyncDelivery(BaseDelivery[R, C]):
    """A message that a feed handed out.

    Attributes:
        message: The message.
        late: Whether messages that stand behind it were handed out before it.
    """

    __slots__ = ()

    async def ack(self) -> None:
        """The message is done with: after a restart it will not come again.

        Asking for the next one does the same. Calling it again does nothing.
        """
        await self._origin.acknowledge(self._item)

    async def _reply(self, arguments: Mapping[str, object]) -> R:
        """Send it. The generated class has the public method, with the arguments of `send`."""
        given = {name: value for name, value in arguments.items() if value is not UNSET}
        sent: R = await self._origin.answer(self._item, self._answers, given)
        self._answers += 1
        return sent


class AsyncFeed(Generic[R, C]):
    """Every message once and in order, over lost connections and restarts. One consumer.

    Asking for the next message acknowledges the one in hand, and so does leaving the `with` block,
    by `break` too, but not by an exception. Without a `with` block only the next step does, and
    the channels stay joined until `close` or until the client is closed.
    """

    _delivery: ClassVar[type[AsyncDelivery[Any, Any]]] = AsyncDelivery

    def __init__(self, home: AsyncFeedHome[R, C], wish: FollowOptions[R]) -> None:
        self._home = home
        self._options = CallOptions(cancel=wish.cancel)
        self._flow: FeedLoop[R] = FeedLoop(_ConversationSource(home, wish), wish)
        self._origin = DeliveryOrigin(home, self._acknowledge, self._answer)

    async def aclose(self) -> None:
        """End it and leave the channels. What is in hand is not acknowledged.

        Whoever waits for the next message is told that there is none.
        """
        self._flow.close()

    async def __aenter__(self) -> Self:
        try:
            await self._flow.open()
        except BaseException:
            self._flow.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                await self._flow.acknowledge()
        finally:
            self._flow.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AsyncDelivery[R, C]:
        flow = self._flow
        row = flow.at_once()
        if row is not None:
            return self._delivery(flow.key, row, self._origin)
        item = await flow.next()
        if item is None:
            raise StopAsyncIteration
        return self._delivery(item.key, item.row, self._origin, item.late)

    async def _acknowledge(self, item: Item[R]) -> None:
        await self._flow.acknowledge(item)

    async def _answer(self, item: Item[R], answers: int, arguments: dict[str, object]) -> R:
        made = {"options": self._options, **arguments}
        made["id"] = arguments.get("id") or await self._flow.reply_id(item, answers)
        try:
            return await self._home.send(item.key, made)
        except ApiError as error:
            await self._flow.refused(item, error)
            raise


class _ConversationSource(BaseConversationSource[R]):
    """Waits in the calling task."""

    def __init__(self, home: AsyncFeedHome[R, Any], wish: FollowOptions[R]) -> None:
        super().__init__(home, wish, time.monotonic, random.random)
        self._client = home
        self._told = asyncio.Event()
        self._saving: asyncio.Future[object] | None = None
        self._forget: Callable[[], None] = lambda: None

    def wake(self) -> None:
        self._told.set()

    def close(self) -> None:
        super().close()
        self._forget()
        self.wake()

    async def who(self) -> str:
        if self._wish.cancel is not None:
            self._forget = self._wish.cancel.on_cancel(in_this_loop(self.wake))
        return await self._client.who(self._options)

    async def known(self, *, once: bool) -> list[Known]:
        return await self._client.known(self._once if once else self._options)

    async def head(self, key: str) -> int:
        return await self._client.head(key, self._options)

    async def fetch(self, key: str, before: int | None, limit: int) -> Sequence[R]:
        return await self._client.page(key, before, limit, self._once)

    def new_secret(self) -> Position:
        return new_secret(os.urandom(SECRET_BYTES))

    async def kept(self, method: str, *arguments: object) -> object:
        """Call the checkpoint without stopping the loop, nor twice at a time."""
        if self._saving is not None:
            # What was cancelled is still being written, and must not be written last.
            await asyncio.wait([self._saving])
        function = getattr(self._wish.checkpoint, method)
        if isinstance(self._wish.checkpoint, MemoryCheckpoint):
            return function(*arguments)
        saving: asyncio.Future[object] = asyncio.ensure_future(_called(function, arguments))
        self._saving = saving
        return await asyncio.shield(saving)

    async def tell(self, gap: Gap) -> None:
        if self._wish.on_gap is not None:
            told = self._wish.on_gap(gap)
            if inspect.isawaitable(told):
                await told

    async def wait(self, until: float | None) -> None:
        timeout = None if until is None else max(0.0, until - self.now())
        try:
            async with asyncio.timeout(timeout):
                await self._told.wait()
        except TimeoutError:
            return
        self._told.clear()


async def _called(function: Callable[..., object], arguments: tuple[object, ...]) -> object:
    """Call a method of the checkpoint; a blocking one in a thread."""
    if is_async(function):
        result = function(*arguments)
    else:
        result = await in_thread(lambda: function(*arguments))
    return await result if inspect.isawaitable(result) else result
