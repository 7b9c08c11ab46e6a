"""What a feed does in the cases that matter most, one by one."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from poolse._follow.feed_protocol import FeedProtocol
from poolse._follow.options import FeedSettings
from poolse._follow.positions import Gap, Last, Position, Start
from poolse._follow.steps import Began, Fetch, Wait
from poolse.errors import DecodeError
from tests.follow.random_schedules import Row
from tests.follow.scripted_feed import World, rows


def test_nothing_is_asked_before_the_join_and_everything_after_it() -> None:
    feed: FeedProtocol[Row] = FeedProtocol(Position(0), FeedSettings(), lambda: 0.5, gaps=False)
    assert isinstance(feed.step(0.0), Began)
    assert feed.step(0.0) == Wait(FeedSettings().poll_after)
    feed.joined()
    assert isinstance(feed.step(0.0), Fetch)


def test_a_common_rejoin_costs_one_request() -> None:
    world = World()
    world.answer(3, 2, 1)
    world.feed.lost()
    world.feed.joined()
    assert not world.feed.is_live
    world.answer(5, 4, 3, 2, 1)
    assert world.given == [1, 2, 3, 4, 5]
    assert world.feed.is_live


def test_a_page_that_was_asked_for_before_the_rejoin_does_not_count_as_read_after_it() -> None:
    world = World()
    old = world.fetch()
    world.feed.lost()
    world.feed.joined()
    world.feed.page(old, rows(1), world.now)
    assert world.fetch().before is None
    assert world.given == [1]
    assert not world.feed.is_live


def test_while_all_is_well_nothing_is_asked_but_a_look_now_and_then() -> None:
    world = World()
    world.answer()
    for number in range(1, 1000):
        world.live(number)
        assert isinstance(world.run(), Wait)
    assert world.wait() >= 1000.0 + 240
    assert world.fetch().limit == 1


def test_a_lost_last_broadcast_is_found_by_the_next_look() -> None:
    world = World()
    world.answer()
    world.wait()
    world.answer(1)
    assert world.given == [1]


def test_a_gap_is_filled_upwards_in_windows() -> None:
    world = World(Position(2, "m2"), pages=1, widest=1)
    world.answer(*range(91, 101))
    asked: list[int | None] = []
    while world.asked is not None:
        fetch = world.fetch()
        assert fetch.before is not None
        asked.append(fetch.before)
        world.feed.page(fetch, rows(*range(fetch.before - 10, fetch.before)), world.now)
        world.run()
    assert world.given == list(range(3, 101))
    assert asked == [12, 21, 30, 39, 48, 57, 66, 75, 84, 93, 101]


def test_a_short_page_is_no_proof() -> None:
    world = World()
    world.answer(6, 5, 4)
    world.answer(3, 2)
    assert world.given == []
    world.answer(1)
    assert world.given == [1, 2, 3, 4, 5, 6]


def test_a_row_that_comes_twice_in_a_page_stands_for_no_other() -> None:
    world = World()
    world.answer(3, 1, 1)
    assert world.given == [1]


def test_an_empty_page_is() -> None:
    world = World()
    world.answer(5, 4)
    world.answer()
    assert world.given == []
    world.wait()
    world.answer(5, 4)
    world.answer()
    assert world.given == [Gap("", 1, 3), 4, 5]


def test_all_holes_share_one_grace() -> None:
    world = World(limit=100)
    world.live(2)
    world.answer(2, 4, 6, 8)
    world.answer()
    assert world.given == []
    assert world.wait() <= 1000.0 + 2.3
    world.answer(2, 4, 6, 8)
    world.answer()
    assert world.given == [Gap("", 1, 1), 2, Gap("", 3, 3), 4, Gap("", 5, 5), 6, Gap("", 7, 7), 8]


def test_numbers_that_only_came_live_are_known() -> None:
    world = World()
    world.answer()
    world.live(1, 2, 3)
    assert isinstance(world.run(), Wait)
    world.feed.lost()
    world.feed.joined()
    world.answer(3)
    assert world.given == [1, 2, 3]


def test_reordered_rows_are_not_asked_for() -> None:
    world = World()
    world.answer()
    world.live(2)
    world.wait()
    assert world.now == 1000.25
    world.now -= 0.1
    world.live(1)
    assert isinstance(world.run(), Wait)
    assert world.given == [1, 2]


def test_a_row_that_comes_after_it_was_given_up_is_late_and_comes_once() -> None:
    world = World()
    world.answer(2)
    world.answer()
    world.wait()
    world.answer(2)
    world.answer()
    world.live(1, 1)
    world.run()
    assert (world.given, world.late) == ([Gap("", 1, 1), 2], [1])


def test_of_too_much_the_highest_is_dropped_and_fetched() -> None:
    world = World(buffer=3)
    world.answer()
    world.live(2, 3, 4, 5, 6)
    assert world.feed.waiting == 3
    world.wait()
    world.answer(*range(1, 7))
    assert world.given == [1, 2, 3, 4, 5, 6]


def test_a_consumer_that_does_not_take_costs_no_memory() -> None:
    world = World(buffer=5)
    world.answer()
    world.live(*range(1, 1001))
    assert world.feed.waiting == 10
    while world.given != list(range(1, 1001)):
        if world.asked is None and isinstance(world.run(), Wait):
            world.wait()
            continue
        fetch = world.fetch()
        top = min(1001, fetch.before or 1001)
        world.feed.page(fetch, rows(*range(max(1, top - fetch.limit), top)), world.now)


def test_of_too_much_that_was_missed_only_the_last_is_read_and_the_rest_is_reported() -> None:
    world = World(Position(2, "m2"), max_backfill=5)
    world.answer(*range(91, 101))
    assert world.given == [Gap("", 3, 95, skipped=True), 96, 97, 98, 99, 100]
    world.live(101, 110)
    world.wait()
    world.answer(*range(100, 110))
    assert world.given[-10:] == list(range(101, 111)), "what is missed while joined is read"
    world.feed.lost()
    world.feed.joined()
    world.answer(*range(106, 116))
    assert world.given[-5:] == list(range(111, 116)), "five are not too many"
    assert world.feed.error is None


def test_of_two_versions_of_a_row_that_of_the_list_is_handed_out() -> None:
    world = World()
    world.answer()
    world.live(2)
    world.wait()
    world.feed.page(world.fetch(), [Row("m2", 2, listed=False), Row("m1", 1)], world.now)
    world.run()
    assert world.given == [1, 2]
    assert not world.rows[-1].listed


STARTS: list[tuple[Start, list[list[int]], Position]] = [
    (Last(1), [[]], Position(0)),
    (Last(1), [[7]], Position(6)),
    (Last(2), [[7, 5]], Position(4)),
    (Last(3), [[7, 5], [2]], Position(1)),
    (Last(3), [[7, 5], []], Position(0)),
    (Last(15), [[20, 19], [18, 17], list(range(4, 17))], Position(5)),
]


@pytest.mark.parametrize(("start", "pages", "position"), STARTS)
def test_where_it_starts(start: Start, pages: Iterable[list[int]], position: Position) -> None:
    world = World(start)
    for page in pages:
        world.answer(*page)
    assert world.begin == position


def test_what_comes_live_during_the_search_is_not_lost() -> None:
    world = World(Last(2))
    world.live(9)
    world.answer(8, 7)
    world.wait()
    world.answer(9, 8, 7)
    assert world.given == [7, 8, 9]


def test_failures_wait_longer_and_longer_and_then_it_continues() -> None:
    world = World()
    waits: list[float] = []
    reports: list[float | None] = []
    for _ in range(10):
        before = world.now
        reported = world.feed.failed(world.fetch(), world.now)
        waits.append(world.wait() - before)
        reports.append(reported)
    assert waits == [0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0]
    assert reports == [*[None] * 8, 1045.875, None]
    world.answer(1)
    assert world.given == [1]


def test_the_server_may_ask_for_patience() -> None:
    world = World()
    world.feed.failed(world.fetch(), world.now, retry_after=40.0)
    assert world.wait() == 1040.0


def test_an_answer_that_nobody_waits_for_changes_nothing() -> None:
    world = World()
    old = world.fetch()
    world.feed.abandoned(old)
    world.asked = None
    new = world.fetch()
    world.feed.page(old, rows(1), world.now)
    assert world.run() == Wait()
    world.feed.page(new, rows(1, 2), world.now)
    world.run()
    assert world.given == [1, 2]


def test_a_server_that_repeats_itself_ends_it() -> None:
    world = World()
    world.answer(5, 4)
    world.answer(5, 4)
    assert isinstance(world.feed.error, DecodeError)
