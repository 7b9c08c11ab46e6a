"""What both bodies of a feed have in common: all that never waits."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Generic, Protocol, TypeVar, cast

import attrs

from poolse._follow.follower import Item
from poolse._follow.listener import ChannelListener, ListenerCallbacks
from poolse._follow.positions import Numbered, Position
from poolse._follow.source import FollowOptions
from poolse._realtime.client import RealtimeClient
from poolse._realtime.events import ChannelType, EventType
from poolse.errors import PoolseError
from poolse.options import CallOptions

__all__ = ["BaseConversationSource", "BaseDelivery", "Channels", "DeliveryOrigin", "FeedHome"]

R = TypeVar("R", bound=Numbered)
C = TypeVar("C")
C_co = TypeVar("C_co", covariant=True)


@attrs.frozen(kw_only=True)
class Channels:
    """The channels and events that a feed listens to."""

    rows: ChannelType
    row: EventType[object]
    news: ChannelType
    new: EventType[object]


class FeedHome(Protocol[C_co]):
    """The client that a feed belongs to."""

    channels: Channels

    @property
    def hub(self) -> RealtimeClient:
        """The brain of its realtime."""
        ...

    def handle(self, key: str) -> C_co:
        """The conversation with this id, as the API has it."""
        ...


@attrs.frozen(eq=False)
class DeliveryOrigin(Generic[R, C]):
    """The feed of a message, as far as the message needs it."""

    home: FeedHome[C]
    acknowledge: Callable[[Item[R]], Any]
    answer: Callable[[Item[R], int, dict[str, object]], Any]


class BaseDelivery(Generic[R, C]):
    """A message that a feed handed out.

    Attributes:
        message: The message.
    """

    # All but the message is made when it is asked for: most have no use for it, a hundred
    # thousand times.
    __slots__ = ("_answers", "_key", "_origin", "late", "message")

    def __init__(self, key: str, row: R, origin: DeliveryOrigin[R, C], late: bool = False) -> None:
        self.message: R = row
        self.late: bool = late
        self._key = key
        self._origin = origin
        self._answers = 0

    @property
    def conversation(self) -> C:
        """The handle of the conversation that it is in."""
        return self._origin.home.handle(self._key)

    @property
    def position(self) -> Position:
        """How far the conversation was followed, once this message is done with.

        Keep it in the transaction in which you keep what you made of the message, and nothing is
        handled twice: then follow with `after=position`, and without a checkpoint.
        """
        return self._item.position

    @property
    def _item(self) -> Item[R]:
        return Item(self._key, self.message, self.late)

    def __repr__(self) -> str:
        late = " late" if self.late else ""
        return f"<{type(self).__name__} {self._key} {self.position.sequence}{late}>"


class BaseConversationSource(Generic[R]):
    """What is heard, and by whom; see `Reach`."""

    def __init__(
        self,
        home: FeedHome[object],
        wish: FollowOptions[R],
        clock: Callable[[], float],
        random: Callable[[], float],
    ) -> None:
        self.now = clock
        self.random = random
        self._home = home
        self._wish = wish
        self._hub = home.hub
        self.tally = self._hub.feeds
        self._ears: dict[str, ChannelListener] = {}
        self._options = CallOptions(cancel=wish.cancel)
        self._once = CallOptions(max_retries=0, cancel=wish.cancel)
        """For what the brain itself tries again."""

    @property
    def guard(self) -> AbstractContextManager[object]:
        return self._hub.lock

    def listen(self, key: str, listener: ListenerCallbacks) -> None:
        channels = self._home.channels
        self._listen(channels.rows, key, channels.row, listener)

    def listen_for_new(self, user: str, listener: ListenerCallbacks) -> None:
        channels = self._home.channels
        self._listen(channels.news, user, channels.new, listener)

    def report(self, error: PoolseError) -> None:
        with self._hub.lock:
            self._hub.callbacks.report_error(error)

    async def load(self, key: str) -> Position | None:
        """See `Checkpoint`."""
        return cast("Position | None", await self.kept("load", key))

    async def save(self, key: str, position: Position) -> None:
        """See `Checkpoint`."""
        await self.kept("save", key, position)

    async def load_or_save(self, key: str, position: Position) -> Position:
        """See `Reach`."""
        if hasattr(self._wish.checkpoint, "load_or_save"):
            return cast(Position, await self.kept("load_or_save", key, position))
        found = await self.load(key)
        if found is not None:
            return found
        await self.save(key, position)
        # What it really keeps: another process may have saved one too, and some keep no IDs.
        return await self.load(key) or position

    async def kept(self, method: str, *arguments: object) -> object:
        """Call a method of the checkpoint."""
        raise NotImplementedError

    def wake(self) -> None:
        """Something was heard. The hub is guarded."""
        raise NotImplementedError

    def close(self) -> None:
        """Hear nothing more."""
        while self._ears:
            self._ears.popitem()[1].close()

    def _listen(
        self, kind: ChannelType, key: str, event: EventType[object], listener: ListenerCallbacks
    ) -> None:
        old = self._ears.pop(key, None)
        if old is not None:
            old.close()
        self._ears[key] = ChannelListener(self._hub, kind, key, event.wire, listener, self.wake)
