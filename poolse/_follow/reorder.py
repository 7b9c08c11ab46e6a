"""Messages on their way out in order, and what is remembered of the numbers behind them."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final, Generic, TypeVar

from poolse._follow.positions import Gap, Numbered, Position
from poolse._follow.steps import Began, Item
from poolse._observe.feed_counters import FeedCount

__all__ = [
    "GapDeadlines",
    "Ready",
    "RecentHistory",
    "ReorderBuffer",
    "ResetDetector",
    "none_ready",
    "ready_messages",
]

M = TypeVar("M", bound=Numbered)

Ready = deque[M | Item[M] | Gap | Began]
"""Messages, bare because there are many of them, and what else is to be handed out."""

_STEPS: Final = frozenset({Item, Gap, Began})

_MARKS: Final = 8
"""Kept for the length of one grace."""

_RECENT: Final = 200
"""So many messages are remembered at least, and twice as many at most."""

_GIVEN_UP: Final = 1000


class ReorderBuffer(Generic[M]):
    """Where messages are put in order. Both of its buffers are bounded."""

    def __init__(self, key: str, most: Callable[[], int], *, gaps: bool) -> None:
        self.decided = 0
        """Every number up to this one is delivered, about to be, or given up."""
        self.ready: Ready[M] = deque()
        """What can be handed out, in order."""
        self.waiting: dict[int, M] = {}
        """Messages above a number that is missing."""
        self.history = RecentHistory()
        self._key = key
        self._most = most
        self._gaps = gaps

    def __len__(self) -> int:
        return len(self.ready) + len(self.waiting)

    def begin(self, position: Position) -> None:
        """Start after a position."""
        self.decided = position.sequence
        if position.id is not None:
            self.history.delivered(position.sequence, [position.id])
        self._forget_below()
        self.ready.append(Began(self._key, position))

    def keep(self, messages: Iterable[M]) -> None:
        """Hold messages above a missing number. If there are too many, the highest are dropped."""
        self.waiting.update((message.sequence, message) for message in messages)
        most = self._most()
        if len(self.waiting) == most + 1:
            del self.waiting[max(self.waiting)]
        elif len(self.waiting) > most:
            for number in sorted(self.waiting)[most:]:
                del self.waiting[number]

    def drain(self) -> None:
        """Hand out what follows without a gap."""
        run, room = list[M](), self._most() - len(self.ready)
        following = self.decided + 1
        while len(run) < room and following + len(run) in self.waiting:
            run.append(self.waiting[following + len(run)])
        self.deliver(run)

    def hand_out(self, known: Mapping[int, M], settled: int) -> int | None:
        """Hand out what is known below the first gap that is not final: its last number."""
        numbers = sorted(known)
        del numbers[: bisect_right(numbers, self.decided)]
        while numbers:
            missing = numbers[0] - 1
            if missing > settled and missing > self.decided:
                return missing
            self.give_up(missing)
            count = _unbroken(numbers)
            self.deliver([known[number] for number in numbers[:count]])
            del numbers[:count]
        return None

    def deliver(self, run: list[M]) -> None:
        """Pass on the next messages, among which no number is missing."""
        if not run:
            return
        if self.waiting:
            for message in run:
                self.waiting.pop(message.sequence, None)
        self.decided = run[-1].sequence
        last = run[-_RECENT:]
        # They follow one after the other.
        self.history.delivered(last[0].sequence, [message.id for message in last])
        self.ready.extend(run)

    def late(self, message: M) -> bool:
        """Hand out a message whose number had been given up; False if it had not been."""
        if not self.history.is_late(message.sequence):
            return False
        self.history.delivered(message.sequence, [message.id])
        self.ready.append(Item(self._key, message, late=True))
        return True

    def give_up(self, last: int) -> None:
        """Note that the conversation has no messages from the next number to this one."""
        if last > self.decided:
            self.history.gave_up(self.decided + 1, last)
            if self._gaps:
                self.ready.append(Gap(self._key, self.decided + 1, last))
            self.decided = last

    def skip(self, last: int) -> None:
        """Skip messages from the next number to this one. That is always reported."""
        if last > self.decided:
            self.ready.append(Gap(self._key, self.decided + 1, last, skipped=True))
            self.decided = last
            self._forget_below()

    def take(self) -> Item[M] | Gap | Began:
        """Take the first that is ready."""
        first = self.ready.popleft()
        return first if isinstance(first, Item | Gap | Began) else Item(self._key, first)

    def _forget_below(self) -> None:
        self.waiting = {n: message for n, message in self.waiting.items() if n > self.decided}


def _unbroken(numbers: list[int]) -> int:
    """Return how many of these follow one after the other, from the first one on."""
    if numbers[-1] - numbers[0] == len(numbers) - 1:
        return len(numbers)
    return next(i for i, number in enumerate(numbers) if number - i != numbers[0])


def ready_messages(
    ready: Ready[M], skip: Callable[[M], bool] | None, count: FeedCount
) -> Generator[M | None]:
    """Take and count messages, without those to be skipped; None while something else is first.

    A generator, which takes half the time of a function, a hundred thousand times.
    """
    while True:
        first: Any = ready[0] if ready else None
        if first is None or type(first) in _STEPS:
            yield None
            continue
        ready.popleft()
        if skip is None or not skip(first):
            count.delivered += 1
            yield first


def none_ready() -> None:
    """Return no message, since there is something to do before each."""


class GapDeadlines:
    """Which missing numbers will not come any more.

    Numbers are handed out in order. So once a higher one has been seen for the length of the
    grace, a user who was given a lower one has had that time to store his message: a list that was
    read after it and lacks the message will lack it for ever. All gaps below a number that was
    seen share its grace, however many there are.
    """

    def __init__(self, grace: float) -> None:
        self.highest = 0
        """The highest number seen."""
        self._grace = grace
        self._step = grace / _MARKS
        self._marks: deque[tuple[float, int]] = deque()

    def seen(self, number: int, now: float) -> None:
        """Note that this number was delivered."""
        if number <= self.highest:
            return
        self.highest = number
        # Rounded up, so that a fast log needs few marks and no gap is given up too early.
        time = now + self._step if self._step else now
        if self._marks and self._marks[-1][0] >= now:
            time = self._marks.pop()[0]
        self._marks.append((time, number))

    def settled(self, read_at: float) -> int:
        """Note that gaps up to a number are final in a list that was read at a time."""
        while len(self._marks) > 1 and self._marks[1][0] + self._grace <= read_at:
            self._marks.popleft()
        time, number = self._marks[0] if self._marks else (read_at, 0)
        return number if time + self._grace <= read_at else 0

    def settles_at(self, number: int) -> float:
        """Return the time at which a gap at this number becomes final."""
        return next((time for time, n in self._marks if n >= number), 0.0) + self._grace


class RecentHistory:
    """The last messages that were delivered, by number, and the last numbers given up."""

    def __init__(self) -> None:
        self._ids: dict[int, str] = {}
        self._given_up: dict[int, None] = {}

    def delivered(self, first: int, ids: Sequence[str]) -> None:
        """Note the IDs of delivered messages, whose numbers are consecutive."""
        self._ids.update(zip(range(first, first + len(ids)), ids, strict=True))
        if len(self._ids) > 2 * _RECENT:
            # All at once, which is cheaper than one by one.
            self._ids = dict(islice(self._ids.items(), len(self._ids) - _RECENT, None))

    def gave_up(self, first: int, last: int) -> None:
        """Note that numbers were skipped."""
        self._given_up.update(dict.fromkeys(range(max(first, last - _GIVEN_UP + 1), last + 1)))
        while len(self._given_up) > _GIVEN_UP:
            del self._given_up[next(iter(self._given_up))]

    def is_late(self, number: int) -> bool:
        """Return whether this number was given up. It is no more once this has been asked."""
        return self._given_up.pop(number, self) is None

    def knows(self, number: int) -> bool:
        """Return whether this number was recently delivered or given up."""
        return number in self._ids or number in self._given_up

    def id_of(self, number: int) -> str | None:
        """Return the ID of the delivered message with this number, if it is remembered."""
        return self._ids.get(number)

    def contradicts(self, number: int, id: str) -> bool:
        """Return whether another message with this number was delivered."""
        return self._ids.get(number, id) != id


class ResetDetector:
    """The list's top when it was last looked at.

    Numbers are handed out in order, so whatever the list gets from then on stands above all
    numbers that were final at that time. If not, the numbers have restarted. That the top went down
    proves nothing: the newest messages may have been deleted.
    """

    def __init__(self) -> None:
        self._top: int | None = None
        self._final = 0

    def saw(self, top: int, final: int) -> None:
        """Note that the list was read, and that numbers up to `final` were final then."""
        self._top, self._final = top, final

    def is_new_below(self, number: int) -> bool:
        """Return whether the list cannot have got a message with this number since."""
        return self._top is not None and self._top < number <= self._final
