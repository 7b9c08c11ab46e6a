"""A feed for threads: all that it does, it does in the thread that asks for the next message."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from types import TracebackType
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

from poolse._follow.conversation_list import Known
from poolse._follow.feed_base import BaseConversationSource, BaseDelivery, DeliveryOrigin, FeedHome
from poolse._follow.follower import Item
from poolse._follow.loop import FeedLoop
from poolse._follow.options import Gap
from poolse._follow.positions import Numbered, Position
from poolse._follow.reply_ids import SECRET_BYTES, new_secret
from poolse._follow.source import FollowOptions
from poolse._realtime.sync_wait import Wakeup
from poolse._rest.request_io import run_sync
from poolse._support.argument_checks import not_awaitable
from poolse.errors import ApiError
from poolse.options import CallOptions
from poolse.types import UNSET

__all__ = ["Delivery", "Feed", "SyncFeedHome"]

R = TypeVar("R", bound=Numbered)
C = TypeVar("C")
R_co = TypeVar("R_co", bound=Numbered, covariant=True)
C_co = TypeVar("C_co", covariant=True)


class SyncFeedHome(FeedHome[C_co], Protocol[R_co, C_co]):
    """The client, as far as a feed needs it."""

    def who(self, options: CallOptions) -> str:
        """Id of the user."""
        ...

    def known(self, options: CallOptions) -> list[Known]:
        """All conversations."""
        ...

    def head(self, key: str, options: CallOptions) -> int:
        """The highest number that a conversation has handed out."""
        ...

    def page(
        self, key: str, before: int | None, limit: int, options: CallOptions
    ) -> Sequence[R_co]:
        """A page of a conversation, newest first."""
        ...

    def send(self, key: str, arguments: dict[str, object]) -> R_co:
        """Send a message."""
        ...


class Delivery(BaseDelivery[R, C]):
    """A message that a feed handed out.

    Attributes:
        message: The message.
        late: Whether messages that stand behind it were handed out before it.
    """

    __slots__ = ()

    def ack(self) -> None:
        """The message is done with: after a restart it will not come again.

        Asking for the next one does the same. Calling it again does nothing.
        """
        self._origin.acknowledge(self._item)

    def _reply(self, arguments: Mapping[str, object]) -> R:
        """Send it. The generated class has the public method, with the arguments of `send`."""
        given = {name: value for name, value in arguments.items() if value is not UNSET}
        sent: R = self._origin.answer(self._item, self._answers, given)
        self._answers += 1
        return sent


class Feed(Generic[R, C]):
    """Every message once and in order, over lost connections and restarts. One consumer.

    Asking for the next message acknowledges the one in hand, and so does leaving the `with` block,
    by `break` too, but not by an exception. Without a `with` block only the next step does, and
    the channels stay joined until `close` or until the client is closed.
    """

    _delivery: ClassVar[type[Delivery[Any, Any]]] = Delivery

    def __init__(self, home: SyncFeedHome[R, C], wish: FollowOptions[R]) -> None:
        self._home = home
        self._options = CallOptions(cancel=wish.cancel)
        self._flow: FeedLoop[R] = FeedLoop(_ConversationSource(home, wish), wish)
        self._origin = DeliveryOrigin(home, self._acknowledge, self._answer)

    def close(self) -> None:
        """End it and leave the channels. What is in hand is not acknowledged.

        Whoever waits for the next message is told that there is none.
        """
        self._flow.close()

    def __enter__(self) -> Self:
        try:
            run_sync(self._flow.open())
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                run_sync(self._flow.acknowledge())
        finally:
            self.close()

    def __iter__(self) -> Iterator[Delivery[R, C]]:
        # A generator that raised is over, and would not raise again: another one follows.
        return chain.from_iterable(iter(self._generator, None))

    def _generator(self) -> Iterator[Delivery[R, C]] | None:
        return None if self._flow.is_over else self._deliveries()

    def _deliveries(self) -> Iterator[Delivery[R, C]]:
        # A generator takes half of the time that `__next__` takes, a hundred thousand times.
        flow, origin, delivery = self._flow, self._origin, self._delivery
        while True:
            while (row := flow.at_once()) is not None:
                yield delivery(flow.key, row, origin)
            item = run_sync(flow.next())
            if item is None:
                return
            yield delivery(item.key, item.row, origin, item.late)

    def __next__(self) -> Delivery[R, C]:
        return next(iter(self))

    def _acknowledge(self, item: Item[R]) -> None:
        run_sync(self._flow.acknowledge(item))

    def _answer(self, item: Item[R], answers: int, arguments: dict[str, object]) -> R:
        made = {"options": self._options, **arguments}
        made["id"] = arguments.get("id") or run_sync(self._flow.reply_id(item, answers))
        try:
            return self._home.send(item.key, made)
        except ApiError as error:
            run_sync(self._flow.refused(item, error))
            raise


class _ConversationSource(BaseConversationSource[R]):
    """Waits in the calling thread."""

    def __init__(self, home: SyncFeedHome[R, Any], wish: FollowOptions[R]) -> None:
        super().__init__(home, wish, time.monotonic, random.random)
        self._client = home
        self._heard = Wakeup()
        self._is_told = False
        self._forget: Callable[[], None] = lambda: None
        if wish.cancel is not None:
            self._forget = wish.cancel.on_cancel(self.wake)

    def wake(self) -> None:
        with self._hub.lock:
            self._is_told = True
            self._heard.set()

    def close(self) -> None:
        super().close()
        self._forget()
        self.wake()

    async def who(self) -> str:
        return self._client.who(self._options)

    async def known(self, *, once: bool) -> list[Known]:
        return self._client.known(self._once if once else self._options)

    async def head(self, key: str) -> int:
        return self._client.head(key, self._options)

    async def fetch(self, key: str, before: int | None, limit: int) -> Sequence[R]:
        return self._client.page(key, before, limit, self._once)

    def new_secret(self) -> Position:
        return new_secret(os.urandom(SECRET_BYTES))

    async def kept(self, method: str, *arguments: object) -> object:
        result: object = getattr(self._wish.checkpoint, method)(*arguments)
        return not_awaitable(method, result)

    async def tell(self, gap: Gap) -> None:
        if self._wish.on_gap is not None:
            not_awaitable("on_gap", self._wish.on_gap(gap))

    async def wait(self, until: float | None) -> None:
        timeout = None if until is None else max(0.0, until - self.now())
        self._heard.until(self._hub.lock, lambda: self._is_told, timeout)
        with self._hub.lock:
            self._is_told = False
