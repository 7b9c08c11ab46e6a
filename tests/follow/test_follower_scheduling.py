"""Many feeds as one."""

from __future__ import annotations

import pytest

from poolse._follow.feed_protocol import FeedProtocol
from poolse._follow.follower import TURNS, Follower
from poolse._follow.options import FeedSettings
from poolse._follow.positions import Position
from poolse._follow.steps import Began, Ended, Fetch, Item, ReadList, Step, Wait
from poolse._observe.feed_counters import FeedCount
from poolse.errors import UsageError
from tests.follow.random_schedules import Row


def follower(*keys: str, **settings: float) -> Follower[Row]:
    found: Follower[Row] = Follower(
        FeedSettings(**settings),  # type: ignore[arg-type]
        lambda: 0.5,
        skip=lambda row: row.id.startswith("own"),
        gaps=False,
        count=FeedCount(),
    )
    for key in keys:
        found.add(key, Position(0))
        found.joined(key)
    return found


def take(found: Follower[Row], now: float = 0.0) -> list[Step[Row]]:
    """Everything up to the next wait; lists are empty."""
    steps: list[Step[Row]] = []
    while not isinstance(step := found.step(now), Wait):
        steps.append(step)
        if isinstance(step, Fetch):
            found.page(step, [], now)
    return steps


def items(steps: list[Step[Row]]) -> list[tuple[str, int]]:
    return [(step.key, step.message.sequence) for step in steps if isinstance(step, Item)]


def test_a_busy_log_does_not_hold_up_the_others() -> None:
    found = follower("busy", "quiet")
    take(found)
    for number in range(1, 101):
        found.live("busy", Row(f"b{number}", number), 0.0)
    found.live("quiet", Row("q1", 1), 0.0)
    assert items(take(found))[:3] == [("busy", 1), ("quiet", 1), ("busy", 2)]


def test_one_request_at_a_time_of_all_in_turn() -> None:
    found = follower(*"abcd")
    asked = [step.key for step in take(found) if isinstance(step, Fetch)]
    assert asked == ["a", "b", "c", "d"]


def test_no_more_requests_than_agreed() -> None:
    found = follower(*map(str, range(100)), burst=10, requests_per_second=5.0)
    assert sum(isinstance(step, Fetch) for step in take(found, 0.0)) == 10
    assert sum(isinstance(step, Fetch) for step in take(found, 1.0)) == 5
    wait = found.step(1.0)
    assert isinstance(wait, Wait)
    assert wait.until == 1.2


def test_all_together_hold_no_more_rows_than_agreed() -> None:
    keys = [f"{number:02}" for number in range(20)]
    found = follower(*keys, total=200, limit=30)
    logs = {key: [Row(f"{key}-{n}", n) for n in range(1, 91)] for key in keys}
    most, taken = 0, dict.fromkeys(keys, 0)
    for number in range(2, 91):
        for key in keys:
            found.live(key, logs[key][number - 1], 0.0)
    most = found.waiting
    while not isinstance(step := found.step(0.0), Wait):
        if isinstance(step, Fetch):
            below = [row for row in logs[step.key] if row.sequence < (step.before or 91)]
            found.page(step, below[::-1][: step.limit], 0.0)
        elif isinstance(step, Item):
            taken[step.key] += 1
            assert step.message.sequence == taken[step.key]
        most = max(most, found.waiting)
    assert set(taken.values()) == {90}
    # What waits for the consumer, for a gap, and the last page that was asked for.
    assert most <= 200 + 200 + 90


def test_a_server_that_asks_for_a_pause_is_left_alone_by_all() -> None:
    found = follower("a", "b", "c", requests_per_second=10.0)
    assert isinstance(found.step(0.0), Began)
    take_one = found.step(0.0)
    while not isinstance(take_one, Fetch):
        take_one = found.step(0.0)
    found.failed(take_one, 0.0, retry_after=5.0)
    assert not [step for step in take(found, 4.9) if isinstance(step, Fetch)]
    wait = found.step(4.9)
    assert isinstance(wait, Wait)
    assert wait.until is not None
    assert 5.0 <= wait.until <= 5.2
    assert sum(isinstance(step, Fetch) for step in take(found, 5.4)) == 3


def test_what_is_there_is_handed_out_at_once_unless_others_wait() -> None:
    found = follower("a", "b")
    take(found)
    assert found.at_once(0.0) is None
    for number in (1, 2, 3):
        found.live("a", Row(f"{'own' * (number == 2)}{number}", number), 0.0)
    assert [found.at_once(0.0), found.at_once(0.0)] != [None, None]
    assert found.at_once(0.0) is None
    found.live("a", Row("m4", 4), 0.0)
    found.live("b", Row("m1", 1), 0.0)
    assert found.at_once(0.0) is None
    assert items(take(found)) == [("a", 4), ("b", 1)]


def test_what_is_skipped_counts_as_seen() -> None:
    found = follower("a")
    take(found)
    for row in (Row("m1", 1), Row("own2", 2), Row("m3", 3)):
        found.live("a", row, 0.0)
    assert items(take(found)) == [("a", 1), ("a", 3)]


def test_one_that_ends_leaves_the_others_alone() -> None:
    found = follower("a", "b")
    take(found)
    found.live("a", Row("m1", 1), 0.0)
    found.ended("a", UsageError("gone"))
    found.live("b", Row("m1", 1), 0.0)
    steps = take(found)
    assert items(steps) == [("a", 1), ("b", 1)]
    assert [step.key for step in steps if isinstance(step, Ended)] == ["a"]
    found.live("a", Row("m2", 2), 0.0)
    assert take(found) == []
    assert "a" not in found
    assert len(found) == 1


def test_each_says_where_it_begins() -> None:
    steps = take(follower("a", "b"))
    assert [step.key for step in steps if isinstance(step, Began)] == ["a", "b"]


def test_it_wakes_for_the_first_that_is_due() -> None:
    found = follower("a", "b")
    take(found)
    found.live("b", Row("m2", 2), 10.0)
    wait = found.step(10.0)
    assert isinstance(wait, Wait)
    assert wait.until == 10.25
    assert isinstance(found.step(10.25), Fetch)


def test_an_empty_budget_is_waited_for_and_not_asked_again_by_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A thousand logs, and answers that are quicker than the budget."""
    steps, each, asked, now = 0, 0, 0, 0.0
    real = FeedProtocol[Row].step

    def counted(self: FeedProtocol[Row], now: float) -> object:
        nonlocal each
        each += 1
        return real(self, now)

    monkeypatch.setattr(FeedProtocol, "step", counted)
    found = follower(*map(str, range(1000)))
    while asked < 1000:
        before = each
        step = found.step(now)
        steps += 1
        assert each - before <= TURNS
        if isinstance(step, Fetch):
            asked += 1
            now += 0.0005
            found.page(step, [], now)
        elif isinstance(step, Wait):
            assert step.until is not None
            now = max(now, step.until)
    # Each is looked at when it begins, when it asks, perhaps once in vain, and when it is whole.
    assert each <= 6 * 1000
    assert steps <= 6 * 1000


def test_rows_are_handed_out_while_others_wait_for_the_budget() -> None:
    found = follower(*map(str, range(50)), burst=1, requests_per_second=1.0)
    take(found)
    found.live("7", Row("m1", 1), 0.0)
    assert items(take(found)) == [("7", 1)]


def test_a_reconnect_of_many_is_worked_off_in_parts() -> None:
    keys = [str(number) for number in range(1000)]
    found: Follower[Row] = Follower(
        FeedSettings(), lambda: 0.5, skip=None, gaps=False, count=FeedCount(), many=True
    )
    for key in keys:
        found.add(key, Position(3))
        found.joined(key)
    looks, step = 0, found.step(0.0)
    for _ in range(3000):
        if isinstance(step, ReadList):
            looks += 1
            found.heads(dict.fromkeys(keys, 3), step, 0.0)
            found.looked(step)
        assert not isinstance(step, Fetch)
        if isinstance(step, Wait) and step.until != 0.0:
            break
        step = found.step(0.0)
    assert looks == 1
    assert isinstance(step, Wait)
    assert step.until is not None
    assert step.until >= 200.0


def test_a_list_that_was_asked_for_before_a_rejoin_proves_nothing_after_it() -> None:
    keys = [str(number) for number in range(10)]
    found: Follower[Row] = Follower(
        FeedSettings(), lambda: 0.5, skip=None, gaps=False, count=FeedCount(), many=True
    )
    for key in keys:
        found.add(key, Position(3))
        found.joined(key)
    while not isinstance(step := found.step(0.0), ReadList):
        assert not isinstance(step, Fetch)
    found.lost("7")
    found.joined("7")
    found.heads(dict.fromkeys(keys, 3), step, 0.0)
    found.looked(step)
    while isinstance(step := found.step(0.0), Wait) and step.until == 0.0:
        pass
    assert isinstance(step, Fetch)
    assert step.key == "7"
