"""Many conversations as one feed: each in turn, one request at a time, and at a limited rate."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Generator, Mapping, Sequence
from heapq import heappop, heappush
from math import inf
from typing import Final, Generic, TypeVar

from poolse._follow.backfill import Retry
from poolse._follow.feed_protocol import FeedProtocol
from poolse._follow.options import FeedSettings
from poolse._follow.positions import Numbered, Position, Start
from poolse._follow.reorder import ready_messages
from poolse._follow.steps import Ended, Fetch, Item, ReadList, Restarted, Step, Wait
from poolse._observe.feed_counters import FeedCount
from poolse.errors import FeedReset, PoolseError

__all__ = ["Follower"]

M = TypeVar("M", bound=Numbered)

TURNS: Final = 100
"""So many conversations are looked at in one step, well below a millisecond for each ten."""


class Follower(Generic[M]):
    """Feeds by their keys, the IDs of conversations."""

    def __init__(
        self,
        settings: FeedSettings,
        random: Callable[[], float],
        *,
        skip: Callable[[M], bool] | None,
        gaps: bool,
        count: FeedCount,
        many: bool = False,
        follows_all: bool = False,
    ) -> None:
        """Follow nothing yet.

        Args:
            settings: Times and sizes.
            random: In [0, 1).
            skip: Which messages are not handed out.
            gaps: Whether gaps are reported.
            count: Where to count what was handed out.
            many: Whether one conversation that restarts is still followed, and the list of all may
                be asked for.
            follows_all: Whether the list of all is read now and then, which shows new ones.
        """
        self.at_hand: dict[str, Generator[M | None]] = {}
        """Takes the messages of a conversation that nothing has to come before."""
        self.uses_list: bool = many
        """Whether `step` may return `ReadList`."""
        self._count = count
        self._settings = settings
        self._random = random
        self._skip = skip
        self._gaps = gaps
        self._feeds: dict[str, FeedProtocol[M]] = {}
        self._many = many
        # Those that may have something to do, in the order of their turns.
        self._awake: OrderedDict[str, None] = OrderedDict()
        self._due: dict[str, float] = {}
        # The same, the first one first, among entries that are true no more.
        self._timers: list[tuple[float, str]] = []
        # Those that want to fetch a page when the budget has a request again, in turn.
        self._fetching: OrderedDict[str, None] = OrderedDict()
        # The budget has `burst` requests at this time, and one less for each period before it.
        self._full_at = -inf
        self._period = 1 / settings.requests_per_second
        # Those that wait for the list of all conversations, and those that it did not help.
        self._looking: dict[str, None] = {}
        self._looking_since = inf
        self._by_page: set[str] = set()
        self._not_joined: set[str] = set()
        # When the list of all is read in any case. An announcement of a new conversation may be
        # lost as any other broadcast, so it is read without one too.
        self._list_at = inf
        self._list_retry = Retry(settings, random)
        self._follows_all = follows_all
        self._hears_of_new = False
        self._is_refused = False
        """Whether only the list shows new conversations, for good."""
        # Messages that are ready, in each and in all.
        self._ready: dict[str, int] = {}
        self._ready_of_all = 0

    def __contains__(self, key: str) -> bool:
        return key in self._feeds

    def __len__(self) -> int:
        return len(self._feeds)

    @property
    def waiting(self) -> int:
        """Messages that are held in memory."""
        return sum(feed.waiting for feed in self._feeds.values())

    @property
    def is_joined(self) -> bool:
        """Whether all channels are joined that can be."""
        hears_all = self._hears_of_new or self._is_refused or not self._follows_all
        return hears_all and not self._not_joined

    @property
    def error(self) -> PoolseError | None:
        """What ended all that is followed, if nothing is left of it."""
        feeds = self._feeds.values()
        if self._follows_all or not all(feed.error for feed in feeds):
            return None
        return next((feed.error for feed in feeds), None)

    # What happened.

    def add(self, key: str, start: Start) -> None:
        """Follow one conversation more."""
        self._feeds[key] = FeedProtocol[M](
            start, self._settings, self._random, gaps=self._gaps, key=key, most=self._share
        )
        self.at_hand[key] = ready_messages(self._feeds[key].ready, self._skip, self._count)
        self._awake[key] = None
        self._not_joined.add(key)

    def joined(self, key: str) -> None:
        """See `FeedProtocol.joined`; the other inputs likewise."""
        if (feed := self._woken(key)) is not None:
            feed.joined()
            self._not_joined.discard(key)

    def lost(self, key: str) -> None:
        if (feed := self._woken(key)) is not None:
            feed.lost()
            self._not_joined.add(key)

    def live(self, key: str, message: M, now: float) -> None:
        if (feed := self._woken(key)) is not None:
            feed.live(message, now)
            self._count_ready(key, feed)

    def page(self, fetch: Fetch, messages: Sequence[M], now: float) -> None:
        if (feed := self._woken(fetch.key)) is not None:
            feed.page(fetch, messages, now)
            if fetch.before is None:
                self._by_page.discard(fetch.key)
            self._count_ready(fetch.key, feed)

    def abandoned(self, fetch: Fetch) -> None:
        if (feed := self._woken(fetch.key)) is not None:
            feed.abandoned(fetch)

    def failed(self, fetch: Fetch, now: float, retry_after: float) -> float | None:
        feed = self._woken(fetch.key)
        if feed is None:
            return None
        if retry_after > 0:
            # The server counts the requests of the user, whatever they ask for.
            pause = min(retry_after, self._settings.max_retry_after)
            self._full_at = now + pause + (self._settings.burst - 1) * self._period
        return feed.failed(fetch, now, retry_after)

    def ended(self, key: str, error: PoolseError) -> None:
        """Note that a conversation cannot be followed any more."""
        if (feed := self._woken(key)) is not None:
            feed.error = feed.error or error
            self._not_joined.discard(key)

    def user_channel_changed(self, now: float, *, is_joined: bool) -> None:
        """Note that the channel for new conversations was joined or lost."""
        self._hears_of_new = is_joined
        pause = 0.0 if is_joined else self._settings.poll_after * (0.5 + self._random())
        self.refresh_list(now + pause)

    def user_channel_refused(self, now: float) -> None:
        """Note that the channel for new conversations will not be joined."""
        self._is_refused = True
        self.user_channel_changed(now, is_joined=False)

    def refresh_list(self, time: float) -> None:
        """Read the list of all at this time, unless it is read earlier, if all are followed."""
        if self._follows_all:
            self._list_at = min(self._list_at, time)

    def heads(self, heads: Mapping[str, int | None], step: ReadList, now: float) -> None:
        """Note the highest numbers of the list of all, whose entries are complete."""
        for key, head in heads.items():
            feed = self._feeds.get(key)
            if feed is None:
                continue
            if feed.confirms(head, step.joins.get(key, -1), now) and key in self._looking:
                del self._looking[key]
                self._awake[key] = None

    def looked(self, step: ReadList) -> None:
        """Note that all heads of the list were passed."""
        self._list_retry.worked()
        self._fetch_pages(step)

    def list_failed(self, now: float, retry_after: float) -> float | None:
        """Note that the list failed, and may be retried. See `FeedProtocol.failed`."""
        retry_at = self._list_retry.failed(now, retry_after)
        self.refresh_list(now)
        self._looking_since = self._list_retry.at
        return retry_at

    def list_refused(self, step: ReadList) -> None:
        """Note that the list is not available, now or later."""
        self.uses_list = False
        self._fetch_pages(step)

    def _fetch_pages(self, step: ReadList) -> None:
        """Let those that still wait for the list fetch a page."""
        for key in list(self._looking):
            # What was joined after the list was requested waits for the next one.
            if step.joins.get(key) == self._feeds[key].join:
                del self._looking[key]
                self._by_page.add(key)
                self._awake[key] = None

    def _woken(self, key: str) -> FeedProtocol[M] | None:
        feed = self._feeds.get(key)
        if feed is not None:
            self._awake[key] = None
        return feed

    # What to do.

    def at_once(self, now: float) -> tuple[str, M] | None:
        """Return the next message, if it is there already, and no other conversation waits."""
        if now >= min(self._next_due, self._list_due) or len(self._awake) != 1:
            return None
        (key,) = self._awake
        message = next(self.at_hand[key])
        self._count_ready(key, self._feeds[key])
        return None if message is None else (key, message)

    def step(self, now: float) -> Step[M]:
        """Return the next thing to do."""
        if now >= self._list_due:
            return self.read_list(now)
        self._wake_due(now)
        if self._fetching and now >= self._request_at:
            self._awake[self._fetching.popitem(last=False)[0]] = None
        for _ in range(TURNS):
            if not self._awake:
                break
            key = next(iter(self._awake))
            step = self._step(key, self._feeds[key], now)
            if step is not None:
                return step
        else:
            # Others that need the lock meanwhile do not have to wait for the rest.
            return Wait(now)
        return self._rest(now)

    def _rest(self, now: float) -> ReadList | Wait:
        """Return whether no conversation has something due."""
        times = [self._next_due, self._list_due]
        if self._looking:
            look_at = self._looking_since + (self._settings.gather if self._not_joined else 0.0)
            if now >= look_at:
                if len(self._looking) <= self._settings.few and not self._not_joined:
                    self._fetch_pages(self._list_step())
                    return Wait(now)
                if self._spend(now):
                    self._looking_since = now
                    return self.read_list(now)
                look_at = self._request_at
            times.append(look_at)
        if self._fetching:
            times.append(self._request_at)
        until = min(times)
        return Wait(None if until == inf else until)

    def read_list(self, now: float) -> ReadList:
        """Read the list of all now. What is announced meanwhile may be missing in it."""
        pause = self._settings.pause(self._random, is_joined=self._hears_of_new)
        self._list_at = now + pause if self._follows_all else inf
        return self._list_step()

    def _list_step(self) -> ReadList:
        return ReadList({key: feed.join for key, feed in self._feeds.items()})

    @property
    def _list_due(self) -> float:
        return max(self._list_at, self._list_retry.at)

    def _step(self, key: str, feed: FeedProtocol[M], now: float) -> Step[M] | None:
        """Return the step of one conversation; None if others have nothing to do for it."""
        step = feed.step(now)
        self._count_ready(key, feed)
        match step:
            case Item():
                # Its next turn comes after those of all others.
                self._awake.move_to_end(key)
                return None if self._skip and self._skip(step.message) else step
            case Fetch():
                return self._fetch(feed, step, now)
            case Wait():
                if feed.error is not None:
                    return self._end(key, feed, feed.error)
                self._sleep(key, step.until)
                return None
            case _:
                return step

    def _fetch(self, feed: FeedProtocol[M], fetch: Fetch, now: float) -> Fetch | None:
        """Fetch a page now, or later, or not at all if the list of all shows enough."""
        key = fetch.key
        if self._ready_of_all >= self._settings.total:
            # There are messages to hand out. Until then, no more are asked for.
            feed.abandoned(fetch)
            self._awake.move_to_end(key)
            return None
        if self._wants_list(feed, fetch):
            if not self._looking:
                self._looking_since = now
            self._looking[key] = None
        elif self._spend(now):
            return fetch
        else:
            self._fetching[key] = None
        feed.abandoned(fetch)
        self._sleep(key, None)
        return None

    def _wants_list(self, feed: FeedProtocol[M], fetch: Fetch) -> bool:
        """Return whether one request for the list of all may replace many requests."""
        if not self.uses_list or fetch.before is not None or fetch.key in self._by_page:
            return False
        is_usual = feed.is_joined and feed.has_looked
        return len(self._feeds) > self._settings.few and not is_usual

    def _end(self, key: str, feed: FeedProtocol[M], error: PoolseError) -> Ended | Restarted:
        self._forget(key)
        if not (self._many and isinstance(error, FeedReset)):
            return Ended(key, error, feed.start)
        self.add(key, Position(0))
        if feed.is_joined:
            self.joined(key)
        return Restarted(key, error)

    def _forget(self, key: str) -> None:
        self._sleep(key, None)
        self._ready_of_all -= self._ready.pop(key, 0)
        del self._feeds[key], self.at_hand[key]
        self._looking.pop(key, None)
        self._fetching.pop(key, None)
        self._by_page.discard(key)
        self._not_joined.discard(key)

    def _count_ready(self, key: str, feed: FeedProtocol[M]) -> None:
        count = len(feed.ready)
        self._ready_of_all += count - self._ready.get(key, 0)
        self._ready[key] = count

    def _share(self) -> int:
        """Return the number of messages that each conversation may hold."""
        return max(1, min(self._settings.buffer, self._settings.total // (len(self._feeds) or 1)))

    def _sleep(self, key: str, until: float | None) -> None:
        self._awake.pop(key, None)
        if until is None:
            self._due.pop(key, None)
        elif self._due.get(key) != until:
            self._due[key] = until
            heappush(self._timers, (until, key))

    @property
    def _next_due(self) -> float:
        return self._timers[0][0] if self._timers else inf

    def _wake_due(self, now: float) -> None:
        """Wake those whose time has come, some of them if they are many."""
        for _ in range(TURNS):
            if not self._timers or self._timers[0][0] > now:
                return
            until, key = heappop(self._timers)
            if self._due.get(key) == until:
                del self._due[key]
                self._awake[key] = None

    @property
    def _request_at(self) -> float:
        """When the budget has a request, or had one."""
        # Rounded, because a sum of many periods is not exact.
        return round(self._full_at - (self._settings.burst - 1) * self._period, 6)

    def _spend(self, now: float) -> bool:
        """Take a request from the budget; False if there is none left."""
        if now < self._request_at:
            return False
        self._full_at = max(now, self._full_at) + self._period
        return True
