"""A server, a network and a consumer around one feed, on a virtual clock, by a random schedule."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from typing import Any

import attrs

from poolse._follow.feed_protocol import FeedProtocol
from poolse._follow.options import FeedSettings
from poolse._follow.positions import Gap, Last, Position, Start
from poolse._follow.steps import Began, Fetch, Item, Wait

__all__ = ["Plan", "Row", "Run", "run"]

END = 900.0
BUSY = 60.0


@attrs.frozen
class Row:
    """A message: those that are not listed are replies in threads."""

    id: str
    sequence: int
    listed: bool = True


@attrs.frozen(kw_only=True)
class Plan:
    """What kind of trouble there is."""

    seed: int = 0
    limit: int = 5
    cap: int = 5
    """The server sends no more rows than this, whatever it is asked for."""
    buffer: int = 8
    history: int = 30
    posts: int = 60
    replies: float = 0.3
    rollbacks: float = 0.05
    lost: float = 0.1
    doubled: float = 0.1
    slow_commits: float = 0.0
    """Longest time from number to commit; the grace is two seconds."""
    drops: int = 6
    away: float = 6.0
    """Longest time that the socket is down."""
    realtime: bool = True
    """Without it the channel is never joined."""
    failures: float = 0.1
    deletes: int = 0
    crashes: int = 2
    pace: float = 0.0
    """Seconds that the consumer takes for one row."""
    start: int | None = 0
    """Where the first process starts; None is three rows before the end."""
    backfill: int | None = None
    """The `max_backfill` of the feed."""
    outage: float = 0.0
    """So long from the start, the list answers with errors only."""


@attrs.define
class Process:
    """What one life of the follower handed out."""

    start: int | None
    rows: list[Item[Row]] = attrs.field(factory=list[Item[Row]])
    gaps: list[Gap] = attrs.field(factory=list[Gap])
    told: int = 0
    """How far rows and gaps have come, without a number left out."""

    def take(self, action: Item[Row] | Gap | Began) -> None:
        """Check the order while it comes: P1, P2, P10."""
        match action:
            case Began():
                assert self.start is None or self.start == action.position.sequence
                self.start = self.told = action.position.sequence
            case Gap():
                assert action.first == self.told + 1 <= action.last
                self.told = action.last
                self.gaps.append(action)
            case Item():
                if not action.late:
                    assert action.message.sequence == self.told + 1
                    self.told = action.message.sequence
                assert action.message.sequence not in [
                    given.message.sequence for given in self.rows
                ]
                self.rows.append(action)


class Run:
    """One schedule from start to end."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.random = random.Random(plan.seed)
        self.now = 0.0
        self.committed: dict[int, Row] = {}
        self.deleted: set[int] = set()
        self.processes: list[Process] = []
        self.requests = 0
        self.asked_while_down = 0
        self.peak = 0
        self.stalled = 0
        self.joined_at: float | None = None
        self._events: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._serial = 0
        self._number = 0
        self._saved: Position | None = None
        self._busy = False
        self._in_flight = 0
        self._newest_at: float | None = None
        self._live = False
        self.feed: FeedProtocol[Row]

    def go(self) -> Run:
        """Play it."""
        for _ in range(self.plan.history):
            self._commit(self._next_number(), silent=True)
        self._plan_all()
        # A position beyond the end would be one of another log.
        start = None if self.plan.start is None else min(self.plan.start, self._number)
        self._born(Last(3) if start is None else Position(start), start)
        while self._events and self.now < END:
            self.now, _, happen, arguments = heapq.heappop(self._events)
            happen(*arguments)
        return self

    def at(self, time: float, happen: Callable[..., None], *arguments: Any) -> None:
        self._serial += 1
        heapq.heappush(self._events, (time, self._serial, happen, arguments))

    def _plan_all(self) -> None:
        plan, uniform = self.plan, self.random.uniform
        for _ in range(plan.posts):
            self.at(uniform(0, BUSY), self._post)
        self.at(0.0, self._up if plan.realtime else self._pump)
        for _ in range(plan.drops):
            down = uniform(0, BUSY)
            self.at(down, self._down)
            self.at(down + uniform(0, plan.away), self._up)
        # Nothing that comes after this may be needed to find what was lost before.
        self.at(BUSY + 6, self._up)
        for _ in range(plan.posts // 4):
            self.at(uniform(BUSY + 6, BUSY + 50), self._post)
        for _ in range(plan.crashes):
            self.at(uniform(0, BUSY), self._crash)
        for _ in range(plan.deletes):
            self.at(uniform(0, BUSY + 50), self._delete)

    # The server.

    def _next_number(self) -> int:
        self._number += 1
        return self._number

    def _post(self) -> None:
        delay = self.random.uniform(0, self.plan.slow_commits)
        self.at(self.now + delay, self._commit, self._next_number())

    def _commit(self, number: int, *, silent: bool = False) -> None:
        if self.random.random() < self.plan.rollbacks:
            return
        row = Row(f"m{number}", number, self.random.random() >= self.plan.replies)
        self.committed[number] = row
        if silent or self.joined_at is None or self.random.random() < self.plan.lost:
            return
        for _ in range(2 if self.random.random() < self.plan.doubled else 1):
            later = self.now + self.random.choice([0.01, self.random.uniform(0, 0.6)])
            self.at(later, self._hear, self.joined_at, row)

    def _delete(self) -> None:
        recent = sorted(self.committed)[-6:]
        if recent:
            number = self.random.choice(recent)
            self.deleted.add(number)
            del self.committed[number]

    def _page(self, before: int | None, limit: int) -> list[Row]:
        listed = [n for n, row in self.committed.items() if row.listed]
        below = sorted((n for n in listed if before is None or n < before), reverse=True)
        return [self.committed[n] for n in below[: min(limit, self.plan.cap)]]

    # The network.

    def _up(self) -> None:
        if self.joined_at is None and self.plan.realtime:
            self.joined_at = self.now
            self.feed.joined()
            self._live = False
            self._pump()

    def _down(self) -> None:
        if self.joined_at is not None:
            self.joined_at = None
            self.feed.lost()
            self._live = False
            self._pump()

    def _hear(self, join: float, row: Row) -> None:
        if self.joined_at == join:
            self.feed.live(row, self.now)
            self._pump()

    def _read(self, feed: FeedProtocol[Row], fetch: Fetch) -> None:
        failed = self.random.random() < self.plan.failures or self.now < self.plan.outage
        rows = None if failed else self._page(fetch.before, fetch.limit)
        self.at(self.now + self.random.uniform(0.01, 0.2), self._answer, feed, fetch, rows)

    def _answer(self, feed: FeedProtocol[Row], fetch: Fetch, rows: list[Row] | None) -> None:
        if feed is not self.feed:
            return
        self._in_flight -= 1
        if rows is None:
            retry_at = feed.failed(fetch, self.now, self.random.choice([0.0, 1.0]))
            self.stalled += retry_at is not None
        else:
            feed.page(fetch, rows, self.now)
        self._pump()

    # The consumer.

    def _born(self, start: Start, number: int | None) -> None:
        plan = self.plan
        settings = FeedSettings(
            limit=plan.limit, buffer=plan.buffer, pages=4, widest=8, max_backfill=plan.backfill
        )
        self.feed = FeedProtocol(start, settings, self.random.random, gaps=True)
        self.processes.append(Process(number))
        self._in_flight, self._busy, self._live, self._newest_at = 0, False, False, None
        if self.joined_at is not None:
            self.joined_at = self.now
            self.feed.joined()
        self._pump()

    def _crash(self) -> None:
        if self._saved is not None:
            self._born(self._saved, self._saved.sequence)

    def _pump(self) -> None:
        while not self._busy:
            action = self.feed.step(self.now)
            assert self.feed.error is None
            self.peak = max(self.peak, self.feed.waiting)
            self._watch_live()
            match action:
                case Wait():
                    if action.until is not None:
                        self.at(max(action.until, self.now), self._wake, self.feed)
                    return
                case Fetch():
                    self._send(action)
                case _:
                    self._take(action)

    def _wake(self, feed: FeedProtocol[Row]) -> None:
        if feed is self.feed:
            self._pump()

    def _send(self, fetch: Fetch) -> None:
        self._in_flight += 1
        self.requests += 1
        self.asked_while_down += self.joined_at is None
        assert self._in_flight == 1
        if fetch.before is None:
            self._newest_at = self.now
        self.at(self.now + self.random.uniform(0.01, 0.2), self._read, self.feed, fetch)

    def _take(self, action: Item[Row] | Gap | Began) -> None:
        self.processes[-1].take(action)
        if isinstance(action, Began):
            self._saved = self._saved or action.position
        elif isinstance(action, Item):
            self._busy = True
            self.at(self.now + self.plan.pace, self._handled, self.feed, action)

    def _handled(self, feed: FeedProtocol[Row], given: Item[Row]) -> None:
        if feed is not self.feed:
            return
        self._busy = False
        if not given.late:
            self._saved = Position(given.message.sequence, given.message.id)
        self._pump()

    def _watch_live(self) -> None:
        """P7: live only after a look at the list that was begun after the join."""
        live = self.feed.is_live
        if live and not self._live:
            assert self.joined_at is not None
            assert self._newest_at is not None
            assert self._newest_at >= self.joined_at
        self._live = live


def run(plan: Plan) -> Run:
    """Play a plan."""
    return Run(plan).go()
