"""What a feed is asked for by its caller, and what it needs done for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Generic, Protocol, TypeVar

import attrs

from poolse._follow.checkpoints import AsyncCheckpoint, Checkpoint
from poolse._follow.conversation_list import Known
from poolse._follow.listener import ListenerCallbacks
from poolse._follow.options import After, Gap, start_of
from poolse._follow.positions import Numbered, Position
from poolse._follow.settings import FeedSettings
from poolse._observe.feed_counters import FeedCounters
from poolse.cancel import CancelToken
from poolse.errors import PoolseError
from poolse.types import UNSET, Unset

__all__ = ["ConversationSource", "FollowOptions"]

R = TypeVar("R", bound=Numbered)
Row = TypeVar("Row", bound=Numbered, covariant=True)


@attrs.frozen(kw_only=True)
class FollowOptions(Generic[R]):
    """What a caller of `follow` wants."""

    only: Sequence[str] | None
    """The conversations; None for all."""
    after: After | Unset = UNSET
    checkpoint: Checkpoint | AsyncCheckpoint | None = None
    skip_own: bool = False
    on_gap: Callable[[Gap], object] | None = None
    cancel: CancelToken | None = None
    author: Callable[[R], str | None]
    """Who wrote a row."""
    settings: FeedSettings = attrs.field(factory=FeedSettings)

    def __attrs_post_init__(self) -> None:
        if self.after is not UNSET:
            start_of(self.after, 0)


class ConversationSource(Protocol[Row]):
    """What a feed cannot do without a body."""

    tally: FeedCounters
    now: Callable[[], float]
    """Seconds of a clock that never goes back."""
    random: Callable[[], float]
    """In [0, 1)."""

    @property
    def guard(self) -> AbstractContextManager[object]:
        """Held while something is heard, and by whoever must not be told of it meanwhile."""
        ...

    def listen(self, key: str, listener: ListenerCallbacks) -> None:
        """Hear of a conversation, from now on."""
        ...

    def listen_for_new(self, user: str, listener: ListenerCallbacks) -> None:
        """Hear of new conversations, from now on."""
        ...

    def close(self) -> None:
        """Hear nothing more."""
        ...

    def report(self, error: PoolseError) -> None:
        """Tell the user of an error that ends nothing."""
        ...

    async def who(self) -> str:
        """Id of the user."""
        ...

    async def known(self, *, once: bool) -> list[Known]:
        """All conversations; `once` does not try again."""
        ...

    async def head(self, key: str) -> int:
        """The highest number that a conversation has handed out."""
        ...

    async def fetch(self, key: str, before: int | None, limit: int) -> Sequence[Row]:
        """A page of the list."""
        ...

    async def load(self, key: str) -> Position | None:
        """See `Checkpoint`."""
        ...

    async def save(self, key: str, position: Position) -> None:
        """See `Checkpoint`."""
        ...

    async def load_or_save(self, key: str, position: Position) -> Position:
        """The position under this key; if there is none, save this one first."""
        ...

    def new_secret(self) -> Position:
        """A random secret for the IDs of replies."""
        ...

    async def tell(self, gap: Gap) -> None:
        """Call the user's function."""
        ...

    async def wait(self, until: float | None) -> None:
        """Wait until something was heard, or until this time."""
        ...
