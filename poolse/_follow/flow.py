"""From one message to the next: what both bodies of a feed carry out.

Written against `Reach`, as the flows of REST are written against `Hands`: the async body awaits it,
the sync body's methods return when they are done.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar, cast

from poolse._core.feeds import FeedCount
from poolse._follow.actions import At, Numbered, Position, Start, Wait
from poolse._follow.choices import Gap, Last, start_of
from poolse._follow.follower import Ask, Began, Follower, Item, Over, Passed
from poolse._follow.outlet import nothing_at_hand
from poolse._follow.reach import Reach, Wish
from poolse._follow.roster import Roster
from poolse._forks import renew_after_fork
from poolse.errors import (
    ChannelClosed,
    ForbiddenError,
    JoinError,
    NetworkError,
    NotFoundError,
    PoolseError,
    RateLimitedError,
    ServerError,
)
from poolse.types import UNSET

__all__ = ["Flow"]

R = TypeVar("R", bound=Numbered)

PASSING = (NetworkError, RateLimitedError, ServerError)
"""What time may heal."""

ONE_ONLY = (ChannelClosed, ForbiddenError, JoinError, NotFoundError)
"""What ends one conversation, and none of the others that are followed with it."""


class Flow(Generic[R]):
    """One feed, of one consumer."""

    def __init__(self, reach: Reach[R], wish: Wish[R]) -> None:
        self.in_hand: Item[R] | None = None
        """What the consumer has, and has not acknowledged."""
        self.is_over = False
        """Whether it was closed."""
        self._reach = reach
        self._tally = reach.tally
        self._wish = wish
        self.user = ""
        """Id of the user, once it is open."""
        self._is_open = False
        self._is_counted = False
        self.at_once: Callable[[], R | None] = nothing_at_hand
        """The next message, if it is there already and nothing else has to be done before: what
        `next` does besides would cost more than all the rest. It needs no acknowledgement."""
        self.key: str = ""
        """The log of the row that `at_once` gave."""
        self._count = FeedCount()
        self._fresh: set[str] = set()
        self._roster = Roster(wish.settings, reach.random) if wish.only is None else None
        self._brain: Follower[R] = Follower(
            wish.settings,
            reach.random,
            skip=(lambda row: wish.author(row) == self.user) if wish.skip_own else None,
            gaps=wish.on_gap is not None,
            count=self._count,
        )
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        """In a forked child: the slow way says that it belongs to the parent."""
        self.at_once = nothing_at_hand

    # What is heard; the hub is guarded.

    def joined(self, key: str) -> None:
        """See `Listener`."""
        if key == self.user and self._roster is not None:
            self._roster.look(self._reach.now())
        self._brain.joined(key)

    def lost(self, key: str) -> None:
        """See `Listener`."""
        self._brain.lost(key)

    def heard(self, key: str, value: object) -> None:
        """See `Listener`."""
        if key == self.user and self._roster is not None:
            self._roster.look(self._reach.now())
        else:
            # A channel reads its events with the readers of its own kind, and no others.
            self._brain.live(key, cast(R, value), self._reach.now())

    def ended(self, key: str, error: PoolseError | None) -> None:
        """See `Listener`."""
        if error is None:
            self._end()
        elif key == self.user and self._roster is not None:
            # Then it is only the list that shows new ones.
            self._roster.look(self._reach.now())
        else:
            self._brain.ended(key, error)

    # What the consumer does.

    def _of_many(self) -> R | None:
        now = self._reach.now()
        if self._roster is not None and now >= self._roster.due_at():
            return None
        with self._reach.guard:
            found = self._brain.at_once(now)
        if found is None:
            return None
        self.key, row = found
        return row

    async def next(self) -> Item[R] | None:
        """The next message, once the one in hand is acknowledged; None at the end."""
        if self.in_hand is not None:
            await self.acknowledge()
        if not self._is_open:
            await self.open()
        while not self.is_over:
            if self._wish.cancel is not None:
                self._wish.cancel.raise_if_cancelled()
            if self._roster is not None:
                await self._take_in_new(self._roster)
            with self._reach.guard:
                step = self._brain.step(self._reach.now())
                if isinstance(step, Item):
                    self._count.delivered += 1
                    self.in_hand = step
                    return step
            await self._do(step)
        return None

    async def acknowledge(self) -> None:
        """What is in hand is done with."""
        item = self.in_hand
        if item is not None:
            if self._wish.checkpoint is not None and not item.late:
                await self._reach.save(self._key(item.key), item.position)
            self.in_hand = None

    def close(self) -> None:
        """The end, whatever is in hand."""
        self._end()
        self._reach.close()

    def _end(self) -> None:
        self.is_over = True
        if self._is_counted:
            self._is_counted = False
            self._tally.closed(self._count)
        self.at_once = nothing_at_hand

    async def _do(self, step: Began | Passed | Ask | Over | Wait) -> None:
        match step:
            case Wait():
                await self._reach.wait(self._until(step))
            case Ask():
                await self._ask(step)
            case Passed():
                self._count.gaps += 1
                hole = step.hole
                await self._reach.tell(Gap(step.key, hole.first, hole.last, hole.skipped))
            case Began():
                if step.key in self._fresh:
                    self._fresh.discard(step.key)
                    await self._reach.save(self._key(step.key), step.position)
            case Over():
                self._give_up(step)

    def _until(self, step: Wait) -> float | None:
        times = [] if step.until is None else [step.until]
        if self._roster is not None:
            times.append(self._roster.due_at())
        return min(times, default=None)

    async def _ask(self, ask: Ask) -> None:
        key, fetch, reach = ask.key, ask.fetch, self._reach
        self._count.pages += 1
        try:
            rows = await reach.fetch(key, fetch.before, fetch.limit)
        except PASSING as error:
            self._count.failures += 1
            with self._reach.guard:
                wait = getattr(error, "retry_after", 0.0)
                stalled = self._brain.failed(key, fetch, reach.now(), wait)
            if stalled:
                reach.report(error)
        except PoolseError as error:
            with self._reach.guard:
                self._brain.abandoned(key, fetch)
                self._brain.ended(key, error)
        except BaseException:
            with self._reach.guard:
                self._brain.abandoned(key, fetch)
            raise
        else:
            with self._reach.guard:
                self._brain.page(key, fetch, rows, reach.now())

    def _give_up(self, over: Over) -> None:
        """One conversation can be followed no more."""
        others = len(self._brain) > 0 or self._roster is not None
        if not (others and isinstance(over.error, ONE_ONLY)):
            raise over.error
        if not isinstance(over.error, JoinError | ChannelClosed):
            self._reach.report(over.error)

    # What is followed.

    async def open(self) -> None:
        """Begin. From now on nothing is missed."""
        if self._is_open or self.is_over:
            return
        if not self._is_counted:
            self._is_counted = True
            self._tally.opened(self._count)
        self.user = await self._reach.who()
        for key in self._wish.only or ():
            if key not in self._brain:
                await self._take_in(key, None)
        if self._roster is not None:
            if self._wish.checkpoint is not None:
                kept = await self._reach.load(self._key("*"))
                self._roster.seen_until = None if kept is None else kept.sequence
            await self._read_list(self._roster)
            self._reach.listen_for_new(self.user, self)
        self._is_open = True
        self.at_once = self._quick_way()
        if self.is_over:  # closed meanwhile, by another thread
            self.at_once = nothing_at_hand

    def _quick_way(self) -> Callable[[], R | None]:
        only = self._wish.only
        if self._wish.checkpoint is not None or self._wish.cancel is not None:
            return nothing_at_hand
        if only is None or len(only) != 1:
            return self._of_many
        # No guard is needed: others only append to what is ready, and only the consumer takes.
        self.key = only[0]
        return self._brain.at_hand[self.key].__next__

    async def _take_in_new(self, roster: Roster) -> None:
        """Read the list of conversations again, when it is time."""
        now = self._reach.now()
        if now < roster.due_at():
            return
        try:
            await self._read_list(roster)
        except PASSING as error:
            roster.retry.failed(now, getattr(error, "retry_after", 0.0))
            if roster.retry.has_stalled(now):
                self._reach.report(error)

    async def _read_list(self, roster: Roster) -> None:
        roster.asked(self._reach.now())
        found = await self._reach.known()
        for known in found:
            if known.key not in self._brain:
                await self._take_in(known.key, known.head, is_new=roster.is_new(known))
        roster.saw(found)
        if self._wish.checkpoint is not None and roster.seen_until is not None:
            await self._reach.save(self._key("*"), Position(roster.seen_until))

    async def _take_in(self, key: str, head: int | None, *, is_new: bool = False) -> None:
        """Follow one conversation more."""
        checkpoint, start = self._wish.checkpoint, cast(Start | None, None)
        if checkpoint is not None and self._wish.after is UNSET:
            kept = await self._reach.load(self._key(key))
            start = None if kept is None else At(kept)
        if start is None:
            start = At(Position(0)) if is_new else await self._start(key, head)
            if checkpoint is None:
                pass
            elif isinstance(start, At):
                # Now, because once it is in the list that was seen, it is new no more.
                await self._reach.save(self._key(key), start.position)
            else:
                self._fresh.add(key)
        with self._reach.guard:
            self._brain.add(key, start)
        self._reach.listen(key, self)

    async def _start(self, key: str, head: int | None) -> Start:
        after = "latest" if self._wish.after is UNSET else self._wish.after
        if head is None and after in ("latest", Last(0)):
            head = await self._reach.head(key)
        return start_of(after, head or 0)

    def _key(self, key: str) -> str:
        """What a position is kept under: two users of one process may share a checkpoint."""
        return f"{self.user}/{key}"
