"""What following costs: how late rows come, how many requests, how much memory."""

from __future__ import annotations

import random
import tracemalloc
from bisect import bisect_left
from collections.abc import Callable

import pytest

from poolse._follow.feed_protocol import FeedProtocol
from poolse._follow.options import FeedSettings
from poolse._follow.positions import Position
from poolse._follow.steps import Fetch, Item, Wait
from tests.follow.random_schedules import Row

RATE = 2.0
REPLIES = 0.7
LATENCY = 0.05


class Log:
    """A list without end: which numbers are replies follows from the number."""

    def __init__(self, replies: float, seed: int = 1) -> None:
        self._replies = replies
        self._seed = seed

    def is_reply(self, number: int) -> bool:
        return random.Random(self._seed * 1_000_003 + number).random() < self._replies

    def page(self, top: int, before: int | None, limit: int) -> list[Row]:
        number = top if before is None else min(before - 1, top)
        rows: list[Row] = []
        while number > 0 and len(rows) < limit:
            if not self.is_reply(number):
                rows.append(Row(f"m{number}", number))
            number -= 1
        return rows


class Follower:
    """A feed whose requests take a while, on a virtual clock."""

    def __init__(self, start: int, page: Callable[[int | None, int], list[Row]]) -> None:
        self.feed: FeedProtocol[Row] = FeedProtocol(
            Position(start), FeedSettings(), lambda: 0.5, gaps=False
        )
        self.feed.joined()
        self.requests = 0
        self.came: dict[int, float] = {}
        self._page = page

    def until(self, now: float, end: float) -> None:
        """Do what there is to do in this time."""
        while now <= end:
            match action := self.feed.step(now):
                case Item():
                    self.came[action.message.sequence] = now
                case Fetch():
                    self.requests += 1
                    rows = self._page(action.before, action.limit)
                    now += LATENCY
                    self.feed.page(action, rows, now)
                case Wait():
                    if action.until is None:
                        return
                    now = max(now, action.until)
                case _:
                    pass


def test_main_messages_are_prompt_among_replies() -> None:
    log, count = Log(REPLIES), 2000
    top = 0
    follower = Follower(0, lambda before, limit: log.page(top, before, limit))
    for number in range(1, count + 1):
        now = number / RATE
        follower.until(now - 1 / RATE, now)
        top = number
        follower.feed.live(Row(f"m{number}", number), now)
        follower.until(now, now)
    late = sorted(
        follower.came[number] - number / RATE
        for number in range(1, count + 1)
        if not log.is_reply(number)
    )
    assert late[len(late) * 95 // 100] <= 0.2


def test_replies_missed_in_an_outage_hold_nothing_up_for_long() -> None:
    replies = set(random.Random(3).sample(range(11, 70), 40))
    listed = [Row(f"m{number}", number) for number in range(70, 0, -1) if number not in replies]

    def page(before: int | None, limit: int) -> list[Row]:
        return [row for row in listed if before is None or row.sequence < before][:limit]

    follower = Follower(10, page)
    follower.until(1000.0, 1010.0)
    assert follower.came.keys() == {row.sequence for row in listed if row.sequence > 10}
    assert max(follower.came.values()) <= 1003.0
    assert follower.requests <= 4


@pytest.mark.parametrize(("replies", "most"), [(0.0, 1.02), (REPLIES, 1.15)])
def test_a_gap_is_filled_with_as_many_requests_as_it_takes_to_list_it(
    replies: float, most: float
) -> None:
    log, count = Log(replies), 100_000
    rows = sum(not log.is_reply(number) for number in range(1, count + 1))
    follower = Follower(0, lambda before, limit: log.page(count, before, limit))
    follower.until(0.0, 200.0)
    assert len(follower.came) == rows
    assert follower.requests <= most * rows / FeedSettings().limit + 3


@pytest.mark.parametrize(("count", "most"), [(500, 6), (1000, 13), (3000, 32), (5000, 52)])
def test_a_gap_is_read_once(count: int, most: int) -> None:
    log = Log(0.0)
    follower = Follower(0, lambda before, limit: log.page(count, before, limit))
    follower.until(0.0, 200.0)
    assert len(follower.came) == count
    assert follower.requests <= most


@pytest.mark.parametrize("dense_first", [True, False])
@pytest.mark.parametrize("count", [2000, 6000, 40_000])
def test_so_is_one_that_is_dense_only_in_part(count: int, dense_first: bool) -> None:
    listed = [
        number
        for number in range(1, count + 1)
        if (number <= count // 2) is dense_first or number % 10 == 0
    ]

    def page(before: int | None, limit: int) -> list[Row]:
        last = len(listed) if before is None else bisect_left(listed, before)
        chosen = listed[max(0, last - limit) : last]
        return [Row(f"m{number}", number) for number in reversed(chosen)]

    follower = Follower(0, page)
    follower.until(1000.0, 1200.0)
    assert len(follower.came) == len(listed)
    assert follower.requests <= 1.2 * len(listed) / FeedSettings().limit + 12


@pytest.mark.soak
def test_memory_does_not_grow_with_the_gap() -> None:
    def peak(count: int) -> tuple[int, int]:
        log = Log(0.0)
        follower = Follower(0, lambda before, limit: log.page(count, before, limit))
        follower.came = Forgetful()
        tracemalloc.start()
        follower.until(0.0, 100_000.0)
        bytes_held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return len(follower.came), bytes_held

    small, large = peak(10_000), peak(1_000_000)
    assert (small[0], large[0]) == (10_000, 1_000_000)
    assert large[1] <= small[1] * 1.1


class Forgetful(dict[int, float]):
    """Counts what is put into it."""

    def __init__(self) -> None:
        super().__init__()
        self._count = 0

    def __setitem__(self, key: int, value: float) -> None:
        self._count += 1

    def __len__(self) -> int:
        return self._count
