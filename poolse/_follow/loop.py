# Printed from poolse/_follow/async_loop.py by "make generate". Do not edit.
"""From one message to the next: what the core asks for is carried out by a source."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from math import inf
from typing import Final, Generic, Protocol, TypeVar, cast

from poolse._follow.conversation_list import ConversationList
from poolse._follow.follower import Follower
from poolse._follow.listener import ListenerCallbacks
from poolse._follow.options import FollowOptions
from poolse._follow.positions import Gap, Last, Numbered, Position, Start, start_of
from poolse._follow.reorder import none_ready
from poolse._follow.reply_ids import is_final
from poolse._follow.saved_positions import SavedPositions
from poolse._follow.steps import Began, Ended, Fetch, Item, ReadList, Restarted, Step, Wait
from poolse._observe.feed_counters import FeedCount, FeedCounters
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

__all__ = ["FeedLoop", "Source"]

M = TypeVar("M", bound=Numbered)
M_co = TypeVar("M_co", bound=Numbered, covariant=True)

TRANSIENT = (NetworkError, RateLimitedError, ServerError)
"""Failures that are retried."""

ONE_ONLY = (ApiError, ChannelClosed, DecodeError, JoinError)
"""Errors that end one conversation, and none of the others that are followed with it; but not a
refused token, which is that of all."""

CHUNK: Final = 200
"""So many conversations are compared with the list while the lock is held."""

LATEST: Final = ("latest", Last(0))


def ends_one_only(error: PoolseError) -> bool:
    """Whether others can still be followed."""
    return isinstance(error, ONE_ONLY) and not isinstance(error, AuthError)


class Source(Protocol[M_co]):
    """Where messages come from, and how to wait: `ConversationSource`, or that of a test."""

    counters: FeedCounters
    now: Callable[[], float]
    """Seconds of a clock that never goes back."""
    random: Callable[[], float]
    """In [0, 1)."""
    random_bytes: Callable[[int], bytes]

    @property
    def lock(self) -> AbstractContextManager[object]:
        """Held while the callbacks of `listen` are called."""
        ...

    def listen(self, key: str, callbacks: ListenerCallbacks) -> None:
        """Join the channel of a conversation."""
        ...

    def listen_for_new(self, user: str, callbacks: ListenerCallbacks) -> None:
        """Join the channel that announces new conversations."""
        ...

    def close(self) -> None:
        """Leave all channels."""
        ...

    def report(self, error: PoolseError) -> None:
        """Report an error that ends nothing."""
        ...

    def user_id(self) -> str:
        """Return the ID of the user."""
        ...

    def heads(self, *, once: bool) -> Mapping[str, int | None]:
        """Return the highest number of each conversation, None where the server does not say.

        With `once` failures are not retried.
        """
        ...

    def head(self, key: str) -> int:
        """Return the highest number of a conversation."""
        ...

    def page(self, fetch: Fetch) -> Sequence[M_co]:
        """Return a page of a conversation, without retries."""
        ...

    def call_checkpoint(self, checkpoint: object, method: str, *arguments: object) -> object:
        """Call a method of the checkpoint."""
        ...

    def call_back(self, function: Callable[[Gap], object], argument: Gap) -> None:
        """Call `on_gap`."""
        ...

    def wait(self, until: float | None) -> None:
        """Wait until a callback was called, or until this time."""
        ...


class FeedLoop(Generic[M]):
    """One feed, of one consumer."""

    def __init__(self, source: Source[M], options: FollowOptions[M]) -> None:
        self.in_hand: Item[M] | None = None
        """What the consumer has, and has not acknowledged."""
        self.is_over: bool = False
        """Whether it was closed."""
        self.key: str = ""
        """The conversation of the message that `at_once` returned."""
        self.at_once: Callable[[], M | None] = none_ready
        """The next message, if it is there already and nothing else has to be done before: what
        `next` does besides would cost more than all the rest. It needs no acknowledgement."""
        self.options = options
        self._source = source
        self.positions: SavedPositions = SavedPositions(
            options.checkpoint, source.call_checkpoint, source.random_bytes
        )
        self._is_open = False
        self._is_counted = False
        self._count = FeedCount()
        self._failure: PoolseError | None = None
        """What ended it. It is raised again by each later `next`."""
        self._searching: set[str] = set()
        """Conversations whose first position is still to be found and saved."""
        self._ended: dict[str, Start] = {}
        """Where those stand that are followed no more, in case that they can be again."""
        self._follows_all = options.only is None
        self._list = ConversationList(options.settings, source.random)
        self._follower: Follower[M] = Follower(
            options.settings,
            source.random,
            skip=(lambda m: options.author(m) == self.positions.user) if options.skip_own else None,
            gaps=options.on_gap is not None,
            count=self._count,
            many=options.only is None or len(options.only) > 1,
        )
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        """In a forked child: `next` raises that it belongs to the parent."""
        self.at_once = none_ready

    # Callbacks of the channels; the lock is held.

    def joined(self, key: str) -> None:
        """See `ListenerCallbacks`."""
        if self._is_for_new(key):
            self._list.joined(self._source.now())
        self._follower.joined(key)

    def lost(self, key: str) -> None:
        """See `ListenerCallbacks`."""
        if self._is_for_new(key):
            self._list.lost(self._source.now())
        self._follower.lost(key)

    def heard(self, key: str, event: object) -> None:
        """See `ListenerCallbacks`."""
        if self._is_for_new(key):
            self._list.refresh(self._source.now())
        # A channel reads its events with the readers of its own kind, and no others.
        elif isinstance(getattr(event, "sequence", None), int):
            self._follower.live(key, cast(M, event), self._source.now())
        else:
            # The list may show it with its number.
            text = f"a message of conversation {key} has no sequence"
            self._source.report(DecodeError(text, "$.sequence"))

    def ended(self, key: str, error: PoolseError | None) -> None:
        """See `ListenerCallbacks`."""
        if error is None:
            self._end()
        elif not self._is_for_new(key):
            self._follower.ended(key, error)
        elif ends_one_only(error):
            # Then it is only the list that shows new ones.
            self._list.lost(self._source.now())
        else:
            self._failure = self._failure or error

    def _is_for_new(self, key: str) -> bool:
        return self._follows_all and key == self.positions.user

    # What the consumer does.

    def open(self) -> None:
        """Begin. From now on nothing is missed."""
        if self._is_open or self.is_over:
            return
        if not self._is_counted:
            self._is_counted = True
            self._source.counters.opened(self._count)
        self.positions.user = self._source.user_id()
        if self.options.only is not None:
            self._add_new(dict.fromkeys(self.options.only))
        else:
            if self.options.after is UNSET:
                self._list.was_read = self.positions.load("*") is not None
            self._read_list(once=False)
            self._source.listen_for_new(self.positions.user, self)
        self._is_open = True
        self.at_once = self._quick_way()
        if self.is_over:  # closed meanwhile, by another thread
            self.at_once = none_ready

    def _quick_way(self) -> Callable[[], M | None]:
        only = self.options.only
        if self.options.checkpoint is not None or self.options.cancel is not None:
            return none_ready
        if only is None or len(only) != 1:
            return self._of_many
        # No lock is needed: others only append to what is ready, and only the consumer takes.
        self.key = only[0]
        return self._follower.at_hand[self.key].__next__

    def _of_many(self) -> M | None:
        now = self._source.now()
        if now >= self._list.due_at():
            return None
        with self._source.lock:
            ready = self._follower.at_once(now)
        if ready is None:
            return None
        self.key, message = ready
        return message

    def next(self) -> Item[M] | None:
        """The next message, once the one in hand is acknowledged; None at the end."""
        if self.in_hand is not None:
            self.acknowledge()
        if not self._is_open:
            self.open()
        while not self.is_over:
            if self.options.cancel is not None:
                self.options.cancel.raise_if_cancelled()
            if self._failure is not None:
                raise fresh(self._failure)
            if self._follows_all and self._source.now() >= self._list.due_at():
                self._refresh_list()
            with self._source.lock:
                step = self._follower.step(self._source.now())
                if isinstance(step, Item):
                    return self._hand_out(step)
            self._execute(step)
        return None

    def _hand_out(self, item: Item[M]) -> Item[M]:
        self._count.delivered += 1
        if not item.late:
            self.positions.handed_out(item.key, item.message)
        self.in_hand = item
        return item

    def acknowledge(self, only: M | None = None) -> None:
        """What is in hand is acknowledged; only if it is this message, if one is given."""
        item = self.in_hand
        if item is not None and (only is None or only is item.message):
            if not item.late:
                position = Position(item.message.sequence, item.message.id)
                self.positions.save(item.key, position)
            self.in_hand = None

    def refused(self, key: str, message: M, error: ApiError) -> None:
        """A reply to a message was refused. If that is for good, the message is acknowledged."""
        if is_final(error):
            self.acknowledge(message)
            self._report(
                error,
                f"the reply to message {message.sequence} of conversation {key} was refused; the "
                "message is acknowledged",
            )

    def close(self) -> None:
        """The end, whatever is in hand."""
        self._end()
        self._source.close()

    def _end(self) -> None:
        self.is_over = True
        if self._is_counted:
            self._is_counted = False
            self._source.counters.closed(self._count)
        self.at_once = none_ready

    # What the core asks for.

    def _execute(self, step: Step[M]) -> None:
        match step:
            case Wait():
                due = self._list.due_at() if self._follows_all else inf
                until = min(due, inf if step.until is None else step.until)
                self._source.wait(None if until == inf else until)
            case Fetch():
                self._fetch(step)
            case ReadList():
                self._look(step)
            case Gap():
                self._count.gaps += 1
                if self.options.on_gap is not None:
                    self._source.call_back(self.options.on_gap, step)
            case Began():
                if step.key in self._searching:
                    self.positions.save(step.key, step.position)
                    self._searching.discard(step.key)
                    self._save_was_read()
            case Ended():
                self._give_up(step)
            case Restarted():
                # The old position would say so again at each start.
                self.positions.save(step.key, Position(0))
                self._report(step.error, after="it is followed from its first message")
            case Item():
                pass

    def _fetch(self, fetch: Fetch) -> None:
        source, follower = self._source, self._follower
        self._count.pages += 1
        try:
            messages = source.page(fetch)
        except TRANSIENT as error:
            self._count.failures += 1
            with source.lock:
                now = source.now()
                retry_at = follower.failed(fetch, now, getattr(error, "retry_after", 0.0))
            if retry_at is not None:
                what = f"the messages of conversation {fetch.key}"
                self._report_stalled(what, error, retry_at - now)
        except BaseException as error:
            with source.lock:
                follower.abandoned(fetch)
                if isinstance(error, PoolseError):
                    follower.ended(fetch.key, error)
            if not isinstance(error, PoolseError):
                raise
        else:
            with source.lock:
                follower.page(fetch, messages, source.now())

    def _give_up(self, step: Ended) -> None:
        """One conversation can be followed no more."""
        self._ended[step.key] = step.start
        error, others = step.error, len(self._follower) > 0 or self._follows_all
        if not (others and ends_one_only(error)):
            self._failure = error
            if isinstance(error, FeedReset):
                error.message += "; follow it again with after='latest' or after='beginning'"
            return  # `next` raises it
        if not isinstance(error, JoinError | ChannelClosed):
            self._report(error, f"conversation {step.key} is followed no more")

    def _report_stalled(self, what: str, error: PoolseError, wait: float) -> None:
        self._report(error, f"{what} cannot be read; next request in {wait:.0f} s")

    def _report(self, error: PoolseError, before: str = "", after: str = "") -> None:
        """Report an error that ends nothing, with what it means here."""
        report = fresh(error)
        report.message = ": ".join(filter(None, [before, report.message]))
        report.message = "; ".join(filter(None, [report.message, after]))
        self._source.report(report)

    # Which conversations are followed.

    def _refresh_list(self) -> None:
        try:
            self._read_list(once=True)
        except TRANSIENT as error:
            self._list_failed(error)
        except BaseException:
            self._list.refresh(self._source.now())
            raise

    def _list_failed(self, error: PoolseError) -> None:
        """The list of conversations cannot be read now: it is requested again."""
        now, retry = self._source.now(), self._list.retry
        is_reported = retry.failed(now, getattr(error, "retry_after", 0.0))
        self._list.refresh(now)
        with self._source.lock:
            self._follower.look_at(retry.at)
        if is_reported:
            self._report_stalled("the list of conversations", error, retry.at - now)

    def _read_list(self, *, once: bool) -> None:
        with self._source.lock:
            joins = self._follower.joins()
        self._list.requested(self._source.now())
        heads = self._source.heads(once=once)
        self._list.retry.worked()
        self._add_new(heads)
        self._compare(heads, joins)
        if not self._list.was_read:
            self._list.was_read = True
            self._save_was_read()

    def _save_was_read(self) -> None:
        """Save that the first list was read, once each conversation of it has a position."""
        if self._list.was_read and not self._searching:
            self.positions.save("*", Position(0))

    def _look(self, step: ReadList) -> None:
        """One list shows which of many conversations have something new."""
        try:
            if self._follows_all:
                self._read_list(once=True)
            else:
                self._compare(self._source.heads(once=True), step.joins)
        except TRANSIENT as error:
            self._list_failed(error)
        except PoolseError:
            if self._follows_all:
                raise
            with self._source.lock:
                self._follower.uses_list = False
                self._follower.looked(step.joins)

    def _compare(self, heads: Mapping[str, int | None], joins: Mapping[str, int]) -> None:
        items = list(heads.items())
        for first in range(0, len(items), CHUNK):
            with self._source.lock:
                part = dict(items[first : first + CHUNK])
                self._follower.heads(part, joins, self._source.now())
        with self._source.lock:
            self._follower.looked(joins)

    def _add_new(self, heads: Mapping[str, int | None]) -> None:
        """Follow these too, so far as they are not followed."""
        new = [key for key in heads if key not in self._follower]
        if new:
            positions = self.positions.load_all(new)
            for key in new:
                self._add(key, heads[key], positions[key])

    def _add(self, key: str, head: int | None, saved: Position | None) -> None:
        """Follow one conversation more: where it was left, else from its beginning if it is new."""
        start = self._ended.pop(key, None)
        if start is None and self.options.after is UNSET:
            start = saved
        if start is None:
            start = self._first_start(key, head)
            if isinstance(start, Position):
                # Now, because once the list was seen, what has no position is new.
                self.positions.save(key, start)
            else:
                self._searching.add(key)
        with self._source.lock:
            self._follower.add(key, start)
        self._source.listen(key, self)

    def _first_start(self, key: str, head: int | None) -> Start:
        if self._follows_all and self._list.was_read:
            return Position(0)
        after = "latest" if self.options.after is UNSET else self.options.after
        if head is None and after in LATEST:
            head = self._source.head(key)
        return start_of(after, head or 0)
