"""What a feed remembers of the numbers behind it: when they were passed, what they were."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Final

__all__ = ["RECENT", "GapDeadlines", "RecentHistory", "ResetDetector"]

_STEPS: Final = 8
"""Marks kept for the length of one grace."""

RECENT: Final = 200
"""So many messages are remembered at least, and twice as many at most."""

_GIVEN_UP: Final = 1000


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
        self._step = grace / _STEPS
        self._marks: deque[tuple[float, int]] = deque()

    def seen(self, number: int, now: float) -> None:
        """This number has been handed out."""
        if number <= self.highest:
            return
        self.highest = number
        # Rounded up, so that a fast log needs few marks and no gap is given up too early.
        time = now + self._step if self._step else now
        if self._marks and self._marks[-1][0] >= now:
            time = self._marks.pop()[0]
        self._marks.append((time, number))

    def settled(self, read_at: float) -> int:
        """Gaps up to this number are final in a list that was read at this time."""
        while len(self._marks) > 1 and self._marks[1][0] + self._grace <= read_at:
            self._marks.popleft()
        time, number = self._marks[0] if self._marks else (read_at, 0)
        return number if time + self._grace <= read_at else 0

    def settles_at(self, number: int) -> float:
        """When a gap at this number will be final."""
        return next((time for time, n in self._marks if n >= number), 0.0) + self._grace


class RecentHistory:
    """The last messages that were delivered, by number, and the last numbers given up."""

    def __init__(self) -> None:
        self._ids: dict[int, str] = {}
        self._given_up: dict[int, None] = {}

    def delivered(self, first: int, ids: Sequence[str]) -> None:
        """Messages with these IDs went out, whose numbers follow one after the other."""
        self._ids.update(zip(range(first, first + len(ids)), ids, strict=True))
        if len(self._ids) > 2 * RECENT:
            # All at once, which is cheaper than one by one.
            self._ids = dict(islice(self._ids.items(), len(self._ids) - RECENT, None))

    def gave_up(self, first: int, last: int) -> None:
        """These numbers were passed over."""
        self._given_up.update(dict.fromkeys(range(max(first, last - _GIVEN_UP + 1), last + 1)))
        while len(self._given_up) > _GIVEN_UP:
            del self._given_up[next(iter(self._given_up))]

    def is_late(self, number: int) -> bool:
        """Whether this number was given up. It is no more once this has been asked."""
        return self._given_up.pop(number, self) is None

    def knows(self, number: int) -> bool:
        """Whether this number went out, or was given up, not long ago."""
        return number in self._ids or number in self._given_up

    def id_of(self, number: int) -> str | None:
        """The ID of the message with this number that went out, if it is remembered."""
        return self._ids.get(number)

    def contradicts(self, number: int, id: str) -> bool:
        """Whether another message with this number went out."""
        return self._ids.get(number, id) != id


class ResetDetector:
    """The list's top when it was last looked at.

    Numbers are handed out in order, so whatever the list gets from then on stands above all
    numbers that were final at that time. If not, the log has begun anew. That the top went down
    proves nothing: the newest messages may have been deleted.
    """

    def __init__(self) -> None:
        self._top: int | None = None
        self._final = 0

    def saw(self, top: int, final: int) -> None:
        """The list was looked at; numbers up to `final` were final then."""
        self._top, self._final = top, final

    def is_new_below(self, number: int) -> bool:
        """Whether the list cannot have got a message with this number since."""
        return self._top is not None and self._top < number <= self._final
