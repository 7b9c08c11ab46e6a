"""Whatever is heard and whenever it is closed: P5 and P11 of a feed as both bodies carry it out.

P11: nothing is handed out once it was closed, or of a conversation once its channel was over.
P5: what is written down is behind what is in hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from poolse._follow.async_loop import AsyncFeedLoop
from poolse._follow.checkpoints import MemoryCheckpoint
from poolse._follow.listener import ListenerCallbacks
from poolse._follow.options import FollowOptions
from poolse._follow.positions import Gap
from poolse._follow.steps import Fetch
from poolse._observe.feed_counters import FeedCounters
from poolse._rest.request_io import run_sync
from poolse.errors import ChannelClosed, NetworkError, PoolseError
from tests.follow.random_schedules import Row

KEYS: tuple[str, ...] = ("a", "b")
keys = st.sampled_from(KEYS)


class Idle(Exception):  # noqa: N818
    """There is nothing to hand out now."""


@attrs.define(eq=False)
class World:
    """The backend and the clock, as a feed reaches them."""

    rows: dict[str, list[Row]] = attrs.field(factory=lambda: {key: [] for key in KEYS})
    kept: MemoryCheckpoint = attrs.field(factory=MemoryCheckpoint)
    clock: float = 1000.0
    broken: bool = False
    cap: int = 3
    now: Callable[[], float] = attrs.field(init=False)
    random: Callable[[], float] = lambda: 0.5
    random_bytes: Callable[[int], bytes] = bytes
    lock: AbstractContextManager[object] = attrs.field(factory=nullcontext[None])
    counters: FeedCounters = attrs.field(factory=lambda: FeedCounters(nullcontext()))

    def __attrs_post_init__(self) -> None:
        self.now = lambda: self.clock

    def listen(self, key: str, callbacks: ListenerCallbacks) -> None:
        callbacks.joined(key)

    def listen_for_new(self, user: str, callbacks: ListenerCallbacks) -> None:
        raise AssertionError

    def close(self) -> None:
        pass

    def wake(self) -> None:
        pass

    def report(self, error: PoolseError) -> None:
        pass

    async def user_id(self) -> str:
        return "me"

    async def heads(self, *, once: bool) -> Mapping[str, int | None]:
        return {}

    async def head(self, key: str) -> int:
        return len(self.rows[key])

    async def page(self, fetch: Fetch) -> Sequence[Row]:
        if self.broken:
            raise NetworkError("no")
        rows = self.rows[fetch.key]
        below = [row for row in rows if fetch.before is None or row.sequence < fetch.before]
        return below[::-1][: min(fetch.limit, self.cap)]

    async def call_back(self, function: Callable[[Gap], object], gap: Gap) -> None:
        pass

    async def wait(self, until: float | None) -> None:
        raise Idle


class FlowInAnyOrder(RuleBasedStateMachine):
    """Messages, losses, failures, a consumer, and the end at any time."""

    only: tuple[str, ...] = KEYS
    writes: bool = True
    """Whether there is a checkpoint. Without one, messages go the quick way."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        kept = self.world.kept if self.writes else None
        wish = FollowOptions[Row](only=self.only, after=0, checkpoint=kept, author=lambda row: None)
        self.flow: AsyncFeedLoop[Row] = AsyncFeedLoop(cast(Any, self.world), wish)
        run_sync(self.flow.open())
        self.taken = dict.fromkeys(KEYS, 0)
        self.over: dict[str, int] = {}
        self.is_closed = False

    @rule(key=keys, heard=st.booleans())
    def post(self, key: str, heard: bool) -> None:
        log = self.world.rows[key]
        log.append(Row(f"{key}{len(log) + 1}", len(log) + 1))
        if heard:
            self.flow.heard(key, log[-1])

    @rule(key=keys)
    def drop_and_rejoin(self, key: str) -> None:
        self.flow.lost(key)
        self.flow.joined(key)

    @rule(broken=st.booleans(), cap=st.integers(1, 5))
    def change(self, broken: bool, cap: int) -> None:
        self.world.broken, self.world.cap = broken, cap

    @rule(seconds=st.sampled_from([0.1, 3.0, 400.0]))
    def pass_time(self, seconds: float) -> None:
        self.world.clock += seconds

    @rule(key=keys)
    def channel_is_over(self, key: str) -> None:
        self.over.setdefault(key, len(self.world.rows[key]))
        self.flow.ended(key, ChannelClosed("over"))

    @rule(by_client=st.booleans(), key=keys)
    def close(self, by_client: bool, key: str) -> None:
        self.is_closed = True
        if by_client:
            self.flow.ended(key, None)
        else:
            self.flow.close()

    @rule()
    @precondition(lambda self: not self.is_closed)
    def take(self) -> None:
        try:
            key, row = self._next()
        except Idle:
            return
        except ChannelClosed:
            assert self.over.keys() >= {*self.only}
            return
        assert row.sequence == self.taken[key] + 1
        assert row.sequence <= self.over.get(key, row.sequence)
        self.taken[key] = row.sequence
        assert self.world.counters.stats().delivered == sum(self.taken.values())
        kept = self.world.kept.load(f"me/{key}")
        assert (kept and kept.sequence) == (row.sequence - 1 if self.writes else None)

    def _next(self) -> tuple[str, Row]:
        row = self.flow.at_once()
        if row is not None:
            return self.flow.key, row
        item = run_sync(self.flow.next())
        assert item is not None
        return item.key, item.message

    @rule()
    @precondition(lambda self: self.is_closed)
    def take_nothing(self) -> None:
        assert self.flow.at_once() is None
        assert run_sync(self.flow.next()) is None


class QuickFlowInAnyOrder(FlowInAnyOrder):
    """The same without a checkpoint."""

    writes = False


class FlowOfOneInAnyOrder(QuickFlowInAnyOrder):
    """And of one conversation only."""

    only = ("a",)


TestFlow: Any = FlowInAnyOrder.TestCase
TestQuickFlow: Any = QuickFlowInAnyOrder.TestCase
TestFlowOfOne: Any = FlowOfOneInAnyOrder.TestCase
