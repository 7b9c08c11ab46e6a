"""A backend with many conversations, as a feed reaches it, on a virtual clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

import attrs

from poolse._follow.async_loop import AsyncFeedLoop
from poolse._follow.checkpoints import MemoryCheckpoint
from poolse._follow.listener import ListenerCallbacks
from poolse._follow.options import FeedSettings, FollowOptions
from poolse._follow.positions import After, Gap
from poolse._follow.steps import Fetch, Item
from poolse._observe.feed_counters import FeedCounters
from poolse._rest.request_io import run_sync
from poolse.errors import NetworkError, PoolseError
from poolse.types import UNSET, Unset
from tests.follow.random_schedules import Row

__all__ = ["Idle", "Service"]

PATIENCE = 30.0
"""Seconds in which a message has to come."""


class Idle(Exception):  # noqa: N818
    """There is nothing to hand out in time."""


@attrs.define(eq=False)
class Service:
    """See `AsyncConversationSource`."""

    rows: dict[str, list[Row]] = attrs.field(factory=dict[str, list[Row]])
    """All messages, by conversation."""
    hidden: set[str] = attrs.field(factory=set[str])
    """Conversations that the user is no member of."""
    kept: MemoryCheckpoint = attrs.field(factory=MemoryCheckpoint)
    realtime: bool = True
    errors: list[PoolseError] = attrs.field(factory=list[PoolseError])
    """Raised by the next requests for a page or the list."""
    broken: bool = False
    """Whether all of them fail."""
    shows_heads: bool = True
    """Whether the list shows the highest numbers."""
    clock: float = 1000.0
    reports: list[PoolseError] = attrs.field(factory=list[PoolseError])
    pages: list[str] = attrs.field(factory=list[str])
    """Conversations whose pages were asked for."""
    lists: int = 0
    listeners: dict[str, ListenerCallbacks] = attrs.field(factory=dict[str, ListenerCallbacks])
    _deadline: float = 0.0
    now: Callable[[], float] = attrs.field(init=False)
    random: Callable[[], float] = lambda: 0.5
    random_bytes: Callable[[int], bytes] = bytes
    lock: AbstractContextManager[object] = attrs.field(factory=nullcontext[None])
    counters: FeedCounters = attrs.field(factory=lambda: FeedCounters(nullcontext()))

    def __attrs_post_init__(self) -> None:
        self.now = lambda: self.clock

    # What a test does.

    def flow(
        self,
        only: Sequence[str] | None = None,
        after: After | Unset = UNSET,
        *,
        checkpoint: bool = True,
        settings: FeedSettings | None = None,
    ) -> AsyncFeedLoop[Row]:
        """A feed that has begun."""
        wish = FollowOptions[Row](
            only=only,
            after=after,
            checkpoint=self.kept if checkpoint else None,
            author=lambda row: None,
            settings=settings or FeedSettings(),
        )
        self.listeners.clear()
        flow: AsyncFeedLoop[Row] = AsyncFeedLoop(cast(Any, self), wish)
        run_sync(flow.open())
        return flow

    def post(self, key: str, count: int = 1, *, heard: bool = True, log: str = "") -> None:
        """Messages that were stored, and broadcast if they are heard."""
        for _ in range(count):
            rows = self.rows.setdefault(key, [])
            rows.append(Row(f"{log}{key}{len(rows) + 1}", len(rows) + 1))
            if heard and self.realtime and key in self.listeners:
                self.listeners[key].heard(key, rows[-1])

    def create(self, key: str) -> None:
        """A conversation, with an announcement."""
        self.rows[key] = []
        if self.realtime and "me" in self.listeners:
            self.listeners["me"].heard("me", None)

    def drop(self) -> None:
        """The connection is lost."""
        self.realtime = False
        for key, listener in self.listeners.items():
            listener.lost(key)

    def reconnect(self) -> None:
        """The connection is back."""
        self.realtime = True
        for key, listener in self.listeners.items():
            listener.joined(key)

    def take(self, flow: AsyncFeedLoop[Row]) -> list[tuple[str, int]]:
        """What there is to hand out."""
        taken: list[tuple[str, int]] = []
        while (item := self.next(flow)) is not None:
            taken.append((item.key, item.message.sequence))
        return taken

    def next(self, flow: AsyncFeedLoop[Row]) -> Item[Row] | None:
        """The next message, or None when none comes in time."""
        self._deadline = self.clock + PATIENCE
        try:
            row = flow.at_once()
            if row is not None:
                return Item(flow.key, row)
            return run_sync(flow.next())
        except Idle:
            return None

    # What a feed needs done.

    def listen(self, key: str, callbacks: ListenerCallbacks) -> None:
        self.listeners[key] = callbacks
        if self.realtime:
            callbacks.joined(key)

    def listen_for_new(self, user: str, callbacks: ListenerCallbacks) -> None:
        self.listen(user, callbacks)

    def close(self) -> None:
        self.listeners.clear()

    def wake(self) -> None:
        pass

    def report(self, error: PoolseError) -> None:
        self.reports.append(error)

    async def user_id(self) -> str:
        return "me"

    async def heads(self, *, once: bool) -> Mapping[str, int | None]:
        self.lists += 1
        self._answer()
        return {
            key: len(rows) if self.shows_heads else None
            for key, rows in self.rows.items()
            if key not in self.hidden
        }

    async def head(self, key: str) -> int:
        return len(self.rows[key])

    async def page(self, fetch: Fetch) -> Sequence[Row]:
        self.pages.append(fetch.key)
        self._answer()
        rows = self.rows[fetch.key]
        last = len(rows) if fetch.before is None else min(len(rows), fetch.before - 1)
        return rows[max(0, last - fetch.limit) : last][::-1]

    def _answer(self) -> None:
        if self.errors:
            raise self.errors.pop(0)
        if self.broken:
            raise NetworkError("broken")

    async def call_back(self, function: Callable[[Gap], object], gap: Gap) -> None:
        pass

    async def wait(self, until: float | None) -> None:
        if until is None or until > self._deadline:
            self.clock = self._deadline
            raise Idle
        self.clock = max(self.clock, until)
