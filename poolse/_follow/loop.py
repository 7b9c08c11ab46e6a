# Printed from poolse/_follow/async_loop.py by "make generate". Do not edit.
"""From one message to the next: what the core asks for is carried out by a source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final, Generic, TypeVar, cast

from poolse._follow.follower import Follower
from poolse._follow.options import FeedSettings, FollowOptions
from poolse._follow.positions import Gap, Last, Numbered, Position, Start, start_of
from poolse._follow.reorder import none_ready
from poolse._follow.reply_ids import is_final
from poolse._follow.saved_positions import SavedPositions
from poolse._follow.source import ConversationSource
from poolse._follow.steps import Began, Ended, Fetch, Item, ReadList, Restarted, Step, Wait
from poolse._generated.models import Message
from poolse._observe.feed_counters import FeedCount
from poolse._realtime.channel_references import fresh
from poolse._rest.settings import Settings
from poolse._support.argument_checks import checked_instance
from poolse._support.fork_safety import renew_after_fork
from poolse._support.id_arguments import checked_ids
from poolse.cancel import CancelToken, any_of
from poolse.errors import (
    ApiError,
    AuthError,
    ChannelClosed,
    DecodeError,
    FeedReset,
    JoinError,
    NetworkError,
    PoolseError,
    PushTimeout,
    RateLimitedError,
    ServerError,
)
from poolse.types import UNSET

__all__ = ["FeedLoop", "feed_loop"]

M = TypeVar("M", bound=Numbered)

TRANSIENT = (NetworkError, RateLimitedError, ServerError)
"""Failures that are retried."""

ONE_ONLY = (ApiError, ChannelClosed, DecodeError, JoinError)
"""Errors that end one conversation, and none of the others that are followed with it; but not a
refused token, which is that of all."""

CHUNK: Final = 200
"""So many conversations are compared with the list while the lock is held."""

LATEST: Final = ("latest", Last(0))


def ends_one_only(error: PoolseError) -> bool:
    """Return whether others can still be followed."""
    return isinstance(error, ONE_ONLY) and not isinstance(error, AuthError)


class FeedLoop(Generic[M]):
    """One feed, of one consumer."""

    def __init__(self, source: ConversationSource, options: FollowOptions[M]) -> None:
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
        self.source = source
        self.positions: SavedPositions = SavedPositions(options.checkpoint, source.random_bytes)
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
        self._list_was_read = False
        """Whether the first list was read: a conversation that appears from now on is new."""
        self._follower: Follower[M] = Follower(
            options.settings,
            source.random,
            skip=(lambda m: options.author(m) == self.positions.user) if options.skip_own else None,
            gaps=options.on_gap is not None,
            count=self._count,
            many=options.only is None or len(options.only) > 1,
            follows_all=self._follows_all,
        )
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        """Let `next` raise in a forked child, since the feed belongs to the parent."""
        self.at_once = none_ready

    # Callbacks of the channels; the lock is held.

    def joined(self, key: str) -> None:
        """See `ListenerCallbacks`."""
        if self._is_for_new(key):
            self._follower.user_channel_changed(self.source.now(), is_joined=True)
        self._follower.joined(key)

    def lost(self, key: str) -> None:
        """See `ListenerCallbacks`."""
        if self._is_for_new(key):
            self._follower.user_channel_changed(self.source.now(), is_joined=False)
        self._follower.lost(key)

    def heard(self, key: str, event: object) -> None:
        """See `ListenerCallbacks`."""
        if self._is_for_new(key):
            self._follower.refresh_list(self.source.now())
        # A channel reads its events with the readers of its own kind, and no others.
        elif isinstance(getattr(event, "sequence", None), int):
            self._follower.live(key, cast(M, event), self.source.now())
        else:
            # The list may show it with its number.
            text = f"a message of conversation {key} has no sequence"
            self.source.report(DecodeError(text, "$.sequence"))

    def ended(self, key: str, error: PoolseError | None) -> None:
        """See `ListenerCallbacks`."""
        if error is None:
            self._end()
        elif not self._is_for_new(key):
            self._follower.ended(key, error)
        elif ends_one_only(error):
            self._follower.user_channel_refused(self.source.now())
        else:
            self._failure = self._failure or error

    def _is_for_new(self, key: str) -> bool:
        return self._follows_all and key == self.positions.user

    # What the consumer does.

    def open(self) -> None:
        """Begin. From now on nothing is missed."""
        if self._is_open or self.is_over:
            return
        try:
            self._begin()
            self._is_counted = True
            self.source.counters.opened(self._count)
        finally:
            if self.is_over:  # closed meanwhile: also what was joined since
                self.close()

    def _begin(self) -> None:
        self.positions.user = self.source.user_id()
        if self.options.only is not None:
            self._add_new(dict.fromkeys(self.options.only))
        else:
            if self.options.after is UNSET:
                self._list_was_read = self.positions.load("*") is not None
            with self.source.lock:
                step = self._follower.read_list(self.source.now())
            self._take_list(step, self.source.heads(once=False))
            self.source.listen_for_new(self.positions.user, self)
        self._is_open = True
        self.source.wake()
        self.at_once = self._quick_way()

    def wait_started(self, timeout: float | None, cancel: CancelToken | None) -> None:
        """Wait until it has begun, and all its channels are joined."""
        if not self.source.wait_for(self._is_started, timeout, cancel):
            what = "not all its channels are joined" if self._is_open else "it has not begun"
            raise PushTimeout(f"the feed has not started within {timeout or 0.0:g} s: {what}")

    def _is_started(self) -> bool:
        failure = self._failure or self._follower.error
        if failure is not None:
            raise fresh(failure)
        if self.is_over:
            raise ChannelClosed("the feed was closed")
        return self._is_open and self._follower.is_joined

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
        with self.source.lock:
            ready = self._follower.at_once(self.source.now())
        if ready is None:
            return None
        self.key, message = ready
        return message

    def next(self) -> Item[M] | None:
        """Acknowledge the current message and return the next one; None at the end."""
        if self.in_hand is not None:
            self.acknowledge()
        if not self._is_open:
            self.open()
        while not self.is_over:
            if self.options.cancel is not None:
                self.options.cancel.raise_if_cancelled()
            if self._failure is not None:
                self.source.wake()
                raise fresh(self._failure)
            with self.source.lock:
                step = self._follower.step(self.source.now())
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
        """Acknowledge the current message; if a message is passed, only if it is that one."""
        item = self.in_hand
        if item is not None and (only is None or only is item.message):
            if not item.late:
                position = Position(item.message.sequence, item.message.id)
                self.positions.save(item.key, position)
            self.in_hand = None

    def refused(self, key: str, message: M, error: ApiError) -> None:
        """Acknowledge a message if its reply was refused permanently."""
        if is_final(error):
            self.acknowledge(message)
            self._report(
                error,
                f"the reply to message {message.sequence} of conversation {key} was refused; the "
                "message is acknowledged",
            )

    def close(self) -> None:
        """End the feed without acknowledging the current message.

        A signal handler may do it: all locks on the way are reentrant, and waking takes none.
        """
        self._end()
        self.source.close()

    def _end(self) -> None:
        self.is_over = True
        if self._is_counted:
            self._is_counted = False
            self.source.counters.closed(self._count)
        self.at_once = none_ready

    # What the core asks for.

    def _execute(self, step: Step[M]) -> None:
        match step:
            case Wait():
                self.source.wait(step.until)
            case Fetch():
                self._fetch(step)
            case ReadList():
                self._read_list(step)
            case Gap():
                self._count.gaps += 1
                if self.options.on_gap is not None:
                    self.source.call_back(self.options.on_gap, step)
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
        source, follower = self.source, self._follower
        self._count.pages += 1
        try:
            messages = cast("Sequence[M]", source.page(fetch))
        except TRANSIENT as error:
            self._count.failures += 1
            what = f"the messages of conversation {fetch.key}"
            self._failed(what, error, partial(follower.failed, fetch))
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
        """Note that one conversation cannot be followed any more."""
        self._ended[step.key] = step.start
        error, others = step.error, len(self._follower) > 0 or self._follows_all
        if not (others and ends_one_only(error)):
            self._failure = error
            if isinstance(error, FeedReset):
                error.message += "; follow it again with after='latest' or after='beginning'"
            return  # `next` raises it
        if not isinstance(error, JoinError | ChannelClosed):
            self._report(error, f"conversation {step.key} is no longer followed")

    def _failed(
        self, what: str, error: PoolseError, failed: Callable[[float, float], float | None]
    ) -> None:
        """Something cannot be read now: it is requested again. That is reported if it lasts."""
        with self.source.lock:
            now = self.source.now()
            retry_at = failed(now, getattr(error, "retry_after", 0.0))
        if retry_at is not None:
            self._report(error, f"{what} cannot be read; next request in {retry_at - now:.0f} s")

    def _report(self, error: PoolseError, before: str = "", after: str = "") -> None:
        """Report an error that ends nothing, with what it means here."""
        report = fresh(error)
        report.message = ": ".join(filter(None, [before, report.message]))
        report.message = "; ".join(filter(None, [report.message, after]))
        self.source.report(report)

    # Which conversations are followed.

    def _read_list(self, step: ReadList) -> None:
        """Fetch the list of all, which shows new conversations, and those with new messages."""
        source, follower = self.source, self._follower
        try:
            self._take_list(step, source.heads(once=True))
        except TRANSIENT as error:
            self._failed("the list of conversations", error, follower.list_failed)
        except BaseException as error:
            is_needed = self._follows_all or not isinstance(error, PoolseError)
            with source.lock:
                if is_needed:
                    follower.refresh_list(source.now())
                else:
                    follower.list_refused(step)
            if is_needed:
                raise

    def _take_list(self, step: ReadList, heads: Mapping[str, int | None]) -> None:
        if self._follows_all:
            self._add_new(heads)
        items = list(heads.items())
        for first in range(0, len(items), CHUNK):
            with self.source.lock:
                part = dict(items[first : first + CHUNK])
                self._follower.heads(part, step, self.source.now())
        with self.source.lock:
            self._follower.looked(step)
        if self._follows_all and not self._list_was_read:
            self._list_was_read = True
            self._save_was_read()

    def _save_was_read(self) -> None:
        """Save that the first list was read, once each conversation of it has a position."""
        if self._list_was_read and not self._searching:
            self.positions.save("*", Position(0))

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
        with self.source.lock:
            self._follower.add(key, start)
        self.source.listen(key, self)

    def _first_start(self, key: str, head: int | None) -> Start:
        if self._follows_all and self._list_was_read:
            return Position(0)
        after = "latest" if self.options.after is UNSET else self.options.after
        if head is None and after in LATEST:
            head = self.source.head(key)
        return start_of(after, head or 0)


def feed_loop(
    client: Any,  # noqa: ANN401
    only: Iterable[object] | None,
    *,
    cancel: CancelToken | None,
    max_backfill: int | None,
    **choices: Any,  # noqa: ANN401
) -> FeedLoop[Message]:
    """Check the arguments of `follow`, and return the loop of its feed."""
    if cancel is not None:
        checked_instance("cancel", cancel, CancelToken, "a CancelToken")
    settings: Settings = client._settings
    cancel = any_of(settings.cancel, cancel)
    options = FollowOptions[Message](
        only=None if only is None else _ids(only),
        cancel=cancel,
        author=lambda message: message.sender_id,
        settings=FeedSettings(max_backfill=max_backfill, max_retry_after=settings.max_retry_after),
        awaits=False,
        **choices,
    )
    return FeedLoop(ConversationSource(client, cancel), options)


def _ids(only: Iterable[object]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(checked_ids("conversation_ids", only, "conversation")))
