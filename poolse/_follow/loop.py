"""From one message to the next: what both bodies of a feed carry out.

Written against `ConversationSource`, as the flows of REST are written against `RequestIO`: async
sources await, sync ones return when they are done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Final, Generic, TypeVar, cast

from poolse._follow.conversation_list import ConversationList, Known
from poolse._follow.follower import (
    Ask,
    Began,
    Follower,
    Item,
    Look,
    Over,
    Passed,
    Restarted,
)
from poolse._follow.options import Gap, Last, start_of
from poolse._follow.positions import At, Numbered, Position, Start, Wait
from poolse._follow.reorder import nothing_at_hand
from poolse._follow.reply_ids import SECRET_KEY, is_final, old_reply_id, part_keys, reply_id
from poolse._follow.source import ConversationSource, FollowOptions
from poolse._observe.feed_counters import FeedCount
from poolse._realtime.subscription import fresh
from poolse._support.fork_safety import renew_after_fork
from poolse.errors import (
    ApiError,
    AuthError,
    ChannelClosed,
    DecodeError,
    FeedReset,
    JoinError,
    NetworkError,
    PoolseError,
    RateLimitedError,
    ServerError,
)
from poolse.types import UNSET

__all__ = ["FeedLoop"]

R = TypeVar("R", bound=Numbered)

PASSING = (NetworkError, RateLimitedError, ServerError)
"""What time may heal."""

ONE_ONLY = (ApiError, ChannelClosed, DecodeError, JoinError)
"""What ends one conversation, and none of the others that are followed with it; but not a refused
token, which is that of all."""

CHUNK: Final = 200
"""So many heads are compared while the hub is guarded."""

LATEST: Final = ("latest", Last(0))


def ends_one_only(error: PoolseError) -> bool:
    """Whether others can still be followed."""
    return isinstance(error, ONE_ONLY) and not isinstance(error, AuthError)


class FeedLoop(Generic[R]):
    """One feed, of one consumer."""

    def __init__(self, reach: ConversationSource[R], wish: FollowOptions[R]) -> None:
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
        self._failure: PoolseError | None = None
        """What ended it. It is raised again by each later `next`."""
        self._fresh: set[str] = set()
        self._ended: dict[str, Start] = {}
        """Where those stand that are followed no more, in case that they can be again."""
        self._answered_before: dict[str, int | None] = {}
        """The first message after the position that an older release saved, by log; None until it
        comes. It may have been answered, with an ID of the old kind."""
        self._secret: Position | None = None
        """That of a feed without a checkpoint."""
        self._follows_all = wish.only is None
        self._roster = ConversationList(wish.settings, reach.random)
        self._brain: Follower[R] = Follower(
            wish.settings,
            reach.random,
            skip=(lambda row: wish.author(row) == self.user) if wish.skip_own else None,
            gaps=wish.on_gap is not None,
            count=self._count,
            many=wish.only is None or len(wish.only) > 1,
        )
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        """In a forked child: the slow way says that it belongs to the parent."""
        self.at_once = nothing_at_hand

    # What is heard; the hub is guarded.

    def joined(self, key: str) -> None:
        """See `Listener`."""
        if self._is_news(key):
            self._roster.joined(self._reach.now())
        self._brain.joined(key)

    def lost(self, key: str) -> None:
        """See `Listener`."""
        if self._is_news(key):
            self._roster.lost(self._reach.now())
        self._brain.lost(key)

    def heard(self, key: str, value: object) -> None:
        """See `Listener`."""
        if self._is_news(key):
            self._roster.look(self._reach.now())
        else:
            # A channel reads its events with the readers of its own kind, and no others.
            if isinstance(getattr(value, "sequence", None), int):
                self._brain.live(key, cast(R, value), self._reach.now())
            else:
                # The list may show it with its number.
                text = f"a message of conversation {key} has no sequence"
                self._reach.report(DecodeError(text, "$.sequence"))

    def ended(self, key: str, error: PoolseError | None) -> None:
        """See `Listener`."""
        if error is None:
            self._end()
        elif not self._is_news(key):
            self._brain.ended(key, error)
        elif ends_one_only(error):
            # Then it is only the list that shows new ones.
            self._roster.lost(self._reach.now())
        else:
            self._failure = self._failure or error

    def _is_news(self, key: str) -> bool:
        return self._follows_all and key == self.user

    # What the consumer does.

    def _of_many(self) -> R | None:
        now = self._reach.now()
        if now >= self._roster.due_at():
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
            if self._failure is not None:
                raise fresh(self._failure)
            if self._follows_all:
                await self._take_in_new()
            with self._reach.guard:
                step = self._brain.step(self._reach.now())
                if isinstance(step, Item):
                    return self._hand_out(step)
            await self._do(step)
        return None

    def _hand_out(self, item: Item[R]) -> Item[R]:
        self._count.delivered += 1
        if not item.late and self._answered_before.get(item.key, item) is None:
            self._answered_before[item.key] = item.row.sequence
        self.in_hand = item
        return item

    async def acknowledge(self, only: Item[R] | None = None) -> None:
        """What is in hand is acknowledged; only if it is this item, if one is given."""
        item = self.in_hand
        if item is not None and (only is None or only.row is item.row):
            if self._wish.checkpoint is not None and not item.late:
                await self._reach.save(self._key(item.key), item.position)
            self.in_hand = None

    async def reply_id(self, item: Item[R], answers: int) -> str:
        """The ID of the next reply to a message."""
        if self._answered_before.get(item.key) == item.row.sequence and not item.late:
            return old_reply_id(self.user, item, answers)
        return reply_id(await self._secrets(), self.user, item, answers)

    async def _secrets(self) -> list[Position]:
        reach = self._reach
        if self._wish.checkpoint is None:
            self._secret = self._secret or reach.new_secret()
            return [self._secret]
        # It is not kept here: if two processes make one at the same time, the later one holds.
        secrets = [await reach.load_or_save(SECRET_KEY, reach.new_secret())]
        if not secrets[0].id:
            # A checkpoint that keeps numbers only: one of them is not enough.
            secrets += [await reach.load_or_save(k, reach.new_secret()) for k in part_keys()]
        return secrets

    async def refused(self, item: Item[R], error: ApiError) -> None:
        """A reply to a message was refused. If that is for good, the message is acknowledged."""
        if is_final(error):
            await self.acknowledge(item)
            self._report(
                error,
                f"the reply to message {item.row.sequence} of conversation {item.key} was "
                "refused; the message is acknowledged",
            )

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

    async def _do(self, step: Began | Passed | Ask | Look | Over | Restarted | Wait) -> None:
        match step:
            case Wait():
                await self._reach.wait(self._until(step))
            case Ask():
                await self._ask(step)
            case Look():
                await self._look(step)
            case Passed():
                self._count.gaps += 1
                hole = step.hole
                await self._reach.tell(Gap(step.key, hole.first, hole.last, hole.skipped))
            case Began():
                await self._began(step)
            case Over():
                self._give_up(step)
            case Restarted():
                await self._restarted(step)

    async def _began(self, step: Began) -> None:
        if step.key in self._fresh:
            await self._reach.save(self._key(step.key), step.position)
            self._fresh.discard(step.key)
            await self._save_listed()

    async def _restarted(self, step: Restarted) -> None:
        """A log began anew. Its old position would say so again at each start."""
        if self._wish.checkpoint is not None:
            await self._reach.save(self._key(step.key), step.position)
        self._report(step.error, after="it is followed from its first message")

    def _until(self, step: Wait) -> float | None:
        times = [inf if step.until is None else step.until]
        if self._follows_all:
            times.append(self._roster.due_at())
        until = min(times)
        return None if until == inf else until

    async def _ask(self, ask: Ask) -> None:
        key, fetch, reach = ask.key, ask.fetch, self._reach
        self._count.pages += 1
        try:
            rows = await reach.fetch(key, fetch.before, fetch.limit)
        except PASSING as error:
            self._count.failures += 1
            with self._reach.guard:
                now = reach.now()
                wait = getattr(error, "retry_after", 0.0)
                retry = self._brain.failed(key, fetch, now, wait)
            if retry is not None and retry.has_stalled(now):
                self._stalled(f"the messages of conversation {key}", error, retry.at - now)
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
        self._ended[over.key] = over.stands_at
        error, others = over.error, len(self._brain) > 0 or self._follows_all
        if not (others and ends_one_only(error)):
            self._failure = error
            if isinstance(error, FeedReset):
                error.message += "; follow it again with after='latest' or after='beginning'"
            return  # `next` raises it
        if not isinstance(error, JoinError | ChannelClosed):
            self._report(error, f"conversation {over.key} is followed no more")

    def _stalled(self, what: str, error: PoolseError, wait: float) -> None:
        self._report(error, f"{what} cannot be read; next request in {wait:.0f} s")

    def _report(self, error: PoolseError, before: str = "", after: str = "") -> None:
        """Report an error that ends nothing, with what it means here."""
        told = fresh(error)
        told.message = ": ".join(filter(None, [before, told.message]))
        told.message = "; ".join(filter(None, [told.message, after]))
        self._reach.report(told)

    # What is followed.

    async def open(self) -> None:
        """Begin. From now on nothing is missed."""
        if self._is_open or self.is_over:
            return
        if not self._is_counted:
            self._is_counted = True
            self._tally.opened(self._count)
        self.user = await self._reach.who()
        if self._wish.only is not None:
            await self._take_in(dict.fromkeys(self._wish.only))
        else:
            if self._wish.checkpoint is not None and self._wish.after is UNSET:
                kept = await self._reach.load(self._key("*"))
                self._roster.was_listed = kept is not None
            await self._read_list(once=False)
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

    async def _take_in_new(self) -> None:
        """Read the list of conversations again, when it is time."""
        now = self._reach.now()
        if now < self._roster.due_at():
            return
        try:
            await self._read_list(once=True)
        except PASSING as error:
            self._no_list(error)
        except BaseException:
            self._roster.look(now)
            raise

    def _no_list(self, error: PoolseError) -> None:
        """The list of conversations cannot be read now: it is asked for again."""
        now, retry = self._reach.now(), self._roster.retry
        retry.failed(now, getattr(error, "retry_after", 0.0))
        self._roster.look(now)
        with self._reach.guard:
            self._brain.look_at(retry.at)
        if retry.has_stalled(now):
            self._stalled("the list of conversations", error, retry.at - now)

    async def _read_list(self, *, once: bool) -> None:
        with self._reach.guard:
            joins = self._brain.joins()
        self._roster.asked(self._reach.now())
        found = await self._reach.known(once=once)
        self._roster.retry.worked()
        await self._take_in({known.key: known.head for known in found})
        self._heads(found, joins)
        if not self._roster.was_listed:
            self._roster.was_listed = True
            await self._save_listed()

    async def _save_listed(self) -> None:
        """Note that the first list was read, and where each conversation of it begins."""
        if self._roster.was_listed and self._wish.checkpoint is not None and not self._fresh:
            await self._reach.save(self._key("*"), Position(0))

    async def _look(self, look: Look) -> None:
        """One list shows which of many conversations have something new."""
        try:
            if self._follows_all:
                await self._read_list(once=True)
            else:
                self._heads(await self._reach.known(once=True), look.joins)
        except PASSING as error:
            self._no_list(error)
        except PoolseError:
            if self._follows_all:
                raise
            with self._reach.guard:
                self._brain.uses_list = False
                self._brain.looked(look.joins)

    def _heads(self, found: Sequence[Known], joins: Mapping[str, int]) -> None:
        for first in range(0, len(found), CHUNK):
            part = [(known.key, known.head) for known in found[first : first + CHUNK]]
            with self._reach.guard:
                self._brain.heads(part, joins, self._reach.now())
        with self._reach.guard:
            self._brain.looked(joins)

    async def _take_in(self, found: Mapping[str, int | None]) -> None:
        """Follow these too, so far as they are not followed."""
        new = {key: head for key, head in found.items() if key not in self._brain}
        if not new:
            return
        kept = {key: await self._kept(key) for key in new}
        await self._make_secret(kept)
        for key, head in new.items():
            await self._follow(key, head, kept[key])

    async def _kept(self, key: str) -> Position | None:
        if self._wish.checkpoint is None:
            return None
        return await self._reach.load(self._key(key))

    async def _make_secret(self, kept: Mapping[str, Position | None]) -> None:
        """Make the secret before the first position is saved.

        If there are positions and no secret, an older release saved them, and what it had in hand
        is answered as it would have done.
        """
        if self._wish.checkpoint is None or await self._reach.load(SECRET_KEY) is not None:
            return
        old = [key for key, position in kept.items() if position is not None]
        self._answered_before.update(dict.fromkeys(old))
        if not self._answered_before:
            await self._secrets()

    async def _follow(self, key: str, head: int | None, kept: Position | None) -> None:
        """Follow one conversation more: where it was left, else from its beginning if it is new."""
        start = self._ended.pop(key, None)
        if start is None and kept is not None and self._wish.after is UNSET:
            start = At(kept)
        if start is None:
            is_new = self._follows_all and self._roster.was_listed
            start = At(Position(0)) if is_new else await self._start(key, head)
            if self._wish.checkpoint is None:
                pass
            elif isinstance(start, At):
                # Now, because once the list was seen, what has no position is new.
                await self._reach.save(self._key(key), start.position)
            else:
                self._fresh.add(key)
        with self._reach.guard:
            self._brain.add(key, start)
        self._reach.listen(key, self)

    async def _start(self, key: str, head: int | None) -> Start:
        after = "latest" if self._wish.after is UNSET else self._wish.after
        if head is None and after in LATEST:
            head = await self._reach.head(key)
        return start_of(after, head or 0)

    def _key(self, key: str) -> str:
        """What a position is kept under: two users of one process may share a checkpoint."""
        return f"{self.user}/{key}"
