"""A log that began anew is noticed, and nothing else is taken for one."""

from __future__ import annotations

from poolse._follow.positions import Position
from poolse.errors import FeedReset
from tests.follow.random_schedules import Row
from tests.follow.scripted_feed import World


def test_another_row_at_the_position() -> None:
    world = World(Position(3, "m3"))
    world.answer(4, 3, log="other")
    assert isinstance(world.feed.error, FeedReset)
    assert world.feed.error.sequence == 3
    assert world.given == []


def test_another_row_live() -> None:
    world = World()
    world.answer(2, 1)
    world.feed.live(Row("other", 2), world.now)
    assert isinstance(world.feed.error, FeedReset)


def test_a_list_that_grows_below_the_position() -> None:
    world = World(Position(500, "m500"))
    world.answer(2, 1, log="other")
    world.feed.live(Row("other3", 3), world.now)
    world.answer(3, 2, 1, log="other")
    assert isinstance(world.feed.error, FeedReset)


def test_deleted_rows_are_no_proof() -> None:
    world = World()
    world.answer(*range(1, 10))
    world.live(10, 11, 12)
    world.feed.lost()
    world.feed.joined()
    world.answer(2, 1)
    world.live(13)
    world.wait()
    world.answer(13)
    assert world.feed.error is None
    assert world.given == list(range(1, 14))


def test_neither_are_replies_that_come_twice() -> None:
    world = World(Position(500, "m500"))
    world.answer(2, 1)
    world.live(499)
    world.answer(2)
    assert world.feed.error is None
