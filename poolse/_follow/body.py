"""What both bodies of a feed have in common: all that never waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import attrs

from poolse._follow.actions import Numbered, Position
from poolse._follow.ear import Ear, Listener
from poolse._follow.follower import Item
from poolse._follow.reach import Wish
from poolse._realtime.events import ChannelType, EventType
from poolse._realtime.hub import Hub
from poolse.errors import PoolseError

__all__ = ["BaseDelivery", "BaseReach", "Channels", "Home", "answer_name"]

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


class Home(Protocol[C_co]):
    """The client that a feed belongs to."""

    channels: Channels

    @property
    def hub(self) -> Hub:
        """The brain of its realtime."""
        ...

    def handle(self, key: str) -> C_co:
        """The conversation with this id, as the API has it."""
        ...


class BaseDelivery(Generic[R, C]):
    """A message that a feed handed out.

    Attributes:
        message: The message.
        conversation: The handle of the conversation that it is in.
        position: Where the conversation was followed to, once this message is done with: for those
            who keep it in the same transaction as what they make of the message.
        late: True when messages that stand behind it were handed out before it.
    """

    def __init__(self, item: Item[R], conversation: C) -> None:
        self.message = item.row
        self.conversation = conversation
        self.position: Position = item.position
        self.late = item.late
        self._item = item
        self._answers = 0

    def __repr__(self) -> str:
        late = " late" if self.late else ""
        return f"<{type(self).__name__} {self._item.key} {self.position.sequence}{late}>"


class BaseReach(Generic[R]):
    """What is heard, and by whom; see `Reach`."""

    def __init__(
        self,
        home: Home[object],
        wish: Wish[R],
        clock: Callable[[], float],
        random: Callable[[], float],
    ) -> None:
        self.now = clock
        self.random = random
        self._home = home
        self._wish = wish
        self._hub = home.hub
        self.tally = self._hub.feeds
        self._ears: dict[str, Ear] = {}

    def listen(self, key: str, listener: Listener) -> None:
        channels = self._home.channels
        self._listen(channels.rows, key, channels.row, listener)

    def listen_for_new(self, user: str, listener: Listener) -> None:
        channels = self._home.channels
        self._listen(channels.news, user, channels.new, listener)

    def report(self, error: PoolseError) -> None:
        with self._hub.guard:
            self._hub.calls.report(error)

    def wake(self) -> None:
        """Something was heard. The hub is guarded."""
        raise NotImplementedError

    def close(self) -> None:
        """Hear nothing more."""
        while self._ears:
            self._ears.popitem()[1].close()

    def _listen(
        self, kind: ChannelType, key: str, event: EventType[object], listener: Listener
    ) -> None:
        old = self._ears.pop(key, None)
        if old is not None:
            old.close()
        self._ears[key] = Ear(self._hub, kind, key, event.wire, listener, self.wake)


def answer_name(user: str, item: Item[R], answers: int) -> str:
    """What the id of the next answer to a message is made of: the same, whenever it is answered."""
    return f"{user} answers {item.row.id} with number {answers}"
