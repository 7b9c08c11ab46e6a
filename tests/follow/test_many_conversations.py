"""Many conversations: which are new, what one of them does to the others, what they cost."""

from __future__ import annotations

import pytest

from poolse._follow.options import FeedSettings
from poolse._follow.positions import Last, Position
from poolse._rest.request_io import run_sync
from poolse.errors import (
    AuthError,
    ChannelClosed,
    FeedReset,
    ForbiddenError,
    JoinError,
    PoolseError,
    RateLimitedError,
    ServerError,
)
from tests.follow.random_schedules import Row
from tests.follow.simulated_backend import Service

MANY = [f"c{number}" for number in range(50)]


def numbers(key: str, first: int, last: int) -> list[tuple[str, int]]:
    return [(key, number) for number in range(first, last + 1)]


# Which conversations are new: K7, 38.


def test_what_is_in_the_first_list_is_old() -> None:
    service = Service()
    service.post("a", 3)
    service.create("empty")
    flow = service.flow()
    assert service.take(flow) == []
    service.post("a")
    service.post("empty")
    assert service.take(flow) == [("a", 4), ("empty", 1)]


@pytest.mark.parametrize("checkpoint", [True, False])
def test_what_appears_later_begins_at_its_beginning(checkpoint: bool) -> None:
    service = Service()
    service.post("a", 3)
    flow = service.flow(checkpoint=checkpoint)
    service.rows["made before the join"] = []
    service.post("made before the join", 2)
    assert service.take(flow) == numbers("made before the join", 1, 2)
    service.create("b")
    service.post("b", 2)
    assert service.take(flow) == numbers("b", 1, 2)
    service.post("b")
    assert service.take(flow) == [("b", 3)]


def test_what_appears_while_nobody_listens_begins_at_its_beginning() -> None:
    service = Service()
    service.post("a", 3)
    service.flow().close()
    service.post("a")
    service.post("b", 2)
    service.create("empty")
    flow = service.flow()
    assert sorted(service.take(flow)) == [("a", 4), ("b", 1), ("b", 2)]
    service.post("empty")
    assert service.take(flow) == [("empty", 1)]


def test_without_a_checkpoint_all_is_old_at_each_start() -> None:
    service = Service()
    service.flow(checkpoint=False).close()
    service.post("a", 2)
    assert service.take(service.flow(checkpoint=False)) == []


def test_a_checkpoint_of_an_older_release_is_understood() -> None:
    service = Service()
    service.post("a", 3)
    service.post("b", 2)
    # It kept the latest time of all conversations there.
    service.kept.save("me/*", Position(1_900_000_000_000_000))
    service.kept.save("me/a", Position(2, "a2"))
    assert sorted(service.take(service.flow())) == [("a", 3), ("b", 1), ("b", 2)]


def test_a_first_start_that_ended_early_is_made_again() -> None:
    service = Service()
    service.post("a", 9)
    service.post("b", 9)
    flow = service.flow(after=Last(2))
    assert run_sync(flow.next()) is not None
    flow.close()
    # Where `b` begins was not known yet, so nothing says that it is new.
    assert service.kept.load("me/*") is None or service.kept.load("me/b") is not None


def test_a_start_that_is_given_holds_for_all_of_the_first_list() -> None:
    service = Service()
    service.post("a", 3)
    flow = service.flow(after="beginning")
    assert service.take(flow) == numbers("a", 1, 3)
    flow.close()
    service.post("b", 3)
    assert service.take(service.flow(after=2)) == [("a", 3), ("b", 3)]


@pytest.mark.parametrize("checkpoint", [True, False])
def test_one_that_is_left_and_joined_again_continues(checkpoint: bool) -> None:
    service = Service()
    service.post("a")
    service.post("b")
    flow = service.flow(checkpoint=checkpoint)
    service.post("a")
    assert service.take(flow) == [("a", 2)]
    service.hidden.add("a")
    service.listeners["a"].ended("a", ChannelClosed("removed"))
    service.post("a", 3, heard=False)
    assert service.take(flow) == []
    service.hidden.clear()
    service.create("news")
    assert service.take(flow) == numbers("a", 3, 5)


# One of them does nothing to the others: K9, 46.


def test_a_log_that_restarts_is_reported_and_followed_from_its_beginning() -> None:
    service = Service()
    service.post("a", 2)
    service.post("b", 3)
    first = service.flow()
    service.post("a")
    assert service.take(first) == [("a", 3)]
    first.close()
    service.rows["a"] = []
    service.post("a", 5, log="new")
    service.post("b")
    flow = service.flow()
    assert sorted(service.take(flow)) == [*numbers("a", 1, 5), ("b", 4)]
    (error,) = service.reports
    assert isinstance(error, FeedReset)
    assert error.conversation_id == "a"
    assert "conversation a" in str(error)
    service.post("a", log="new")
    assert service.take(flow) == [("a", 6)]
    flow.close()
    assert service.take(service.flow()) == []
    assert len(service.reports) == 1


def test_the_new_position_is_kept_before_it_is_reported() -> None:
    service = Service()
    service.post("a", 2)
    service.post("b")
    flow = service.flow()
    service.post("a")
    service.take(flow)
    flow.close()
    service.rows["a"] = []
    service.post("a", 5, log="new")
    flow = service.flow()
    first = service.next(flow)
    assert first is not None
    assert (first.key, first.message.sequence) == ("a", 1)
    assert service.kept.load("me/a") == Position(0)


def test_a_feed_of_one_raises_and_names_the_conversation() -> None:
    service = Service()
    service.post("a", 2)
    flow = service.flow(["a"])
    service.post("a")
    service.take(flow)
    flow.close()
    service.rows["a"] = []
    service.post("a", 4, log="new")
    flow = service.flow(["a"])
    for _ in range(2):
        with pytest.raises(FeedReset, match=r"conversation a began anew.*after='latest'") as caught:
            run_sync(flow.next())
        assert caught.value.conversation_id == "a"
    assert service.reports == []


FORBIDDEN = ForbiddenError(403, "forbidden", "no")


@pytest.mark.parametrize("error", [JoinError("conversation:a", "no"), ChannelClosed("over")])
def test_a_channel_that_is_over_ends_none_of_the_others(error: PoolseError) -> None:
    service = Service()
    service.post("a")
    service.post("b")
    flow = service.flow()
    service.listeners["a"].ended("a", error)
    service.post("b")
    assert service.take(flow) == [("b", 2)]


def test_a_list_that_is_refused_ends_none_of_the_others_and_is_named() -> None:
    service = Service()
    service.post("a")
    service.post("b")
    flow = service.flow(["a", "b"])
    service.errors = [FORBIDDEN]
    service.post("b")
    assert service.take(flow) == [("b", 2)]
    (error,) = service.reports
    assert isinstance(error, ForbiddenError)
    assert "conversation a is no longer followed" in str(error)


@pytest.mark.parametrize("only", [None, ["a"], ["a", "b"]])
def test_what_ends_all_is_raised_again_and_again(only: list[str] | None) -> None:
    service = Service()
    service.post("a")
    service.post("b")
    flow = service.flow(only)
    refused = AuthError(401, "invalid_user_token", "no")
    for key, listener in list(service.listeners.items()):
        listener.ended(key, refused)
    for _ in range(3):
        with pytest.raises(AuthError) as caught:
            run_sync(flow.next())
        assert caught.value is not refused
    flow.close()
    assert run_sync(flow.next()) is None


def test_a_refused_token_is_raised_even_if_there_is_no_conversation_yet() -> None:
    service = Service()
    flow = service.flow()
    service.listeners["me"].ended("me", AuthError(401, "invalid_user_token", "no"))
    with pytest.raises(AuthError):
        run_sync(flow.next())


# What they cost: K10, 53.


@pytest.mark.parametrize("only", [None, MANY])
def test_a_reconnect_costs_one_list_and_what_moved(only: list[str] | None) -> None:
    service = Service()
    for key in MANY:
        service.post(key, 3)
    flow = service.flow(only)
    assert service.take(flow) == []
    assert service.pages == []
    service.drop()
    service.post("c7", 2)
    service.reconnect()
    lists = service.lists
    assert service.take(flow) == numbers("c7", 4, 5)
    assert service.pages == ["c7"]
    assert service.lists <= lists + 2


def test_those_that_are_joined_later_share_a_list() -> None:
    service = Service()
    for key in MANY:
        service.post(key)
    flow = service.flow(MANY)
    service.take(flow)
    service.drop()
    lists, pages = service.lists, len(service.pages)
    service.realtime = True
    for number, key in enumerate(MANY):
        service.listeners[key].joined(key)
        if number == 20:
            # The consumer looks at the feed while the others are still being joined.
            service.take(flow)
    assert service.take(flow) == []
    assert len(service.pages) == pages
    assert service.lists <= lists + 5


def test_a_list_without_numbers_is_made_up_for_by_pages() -> None:
    service = Service(shows_heads=False)
    for key in MANY:
        service.post(key)
    flow = service.flow()
    assert service.take(flow) == []
    assert sorted(service.pages) == sorted(MANY)


@pytest.mark.parametrize("only", [None, MANY])
def test_a_list_that_fails_is_asked_for_again(only: list[str] | None) -> None:
    service = Service()
    for key in MANY:
        service.post(key)
    flow = service.flow(only)
    service.take(flow)
    service.drop()
    service.post("c3")
    service.errors = [ServerError(503, "unavailable", "no") for _ in range(5)]
    service.reconnect()
    assert service.take(flow) == [("c3", 2)]
    assert service.errors == []
    assert len(service.pages) <= 2


def test_a_list_that_is_refused_is_made_up_for_by_pages() -> None:
    service = Service()
    for key in MANY:
        service.post(key)
    flow = service.flow(MANY)
    service.errors = [FORBIDDEN]
    assert service.take(flow) == []
    assert sorted(service.pages) == sorted(MANY)


# Without realtime: K5, 26 and K12, 65.


@pytest.mark.parametrize("only", [None, ["a", "b"], ["a"]])
def test_while_realtime_is_down_the_list_is_followed(only: list[str] | None) -> None:
    service = Service(realtime=False)
    service.post("a")
    service.post("b")
    flow = service.flow(only)
    service.take(flow)
    for number in range(2, 5):
        service.post("a")
        assert service.take(flow) == [("a", number)]
    service.reconnect()
    service.take(flow)
    service.post("a")
    assert service.take(flow) == [("a", 5)]
    service.drop()
    service.post("a")
    assert service.take(flow) == [("a", 6)]


def test_new_conversations_are_found_while_realtime_is_down() -> None:
    service = Service(realtime=False)
    flow = service.flow()
    service.take(flow)
    service.post("a", 2)
    assert service.take(flow) == numbers("a", 1, 2)


def test_many_are_followed_by_one_list_while_realtime_is_down() -> None:
    service = Service(realtime=False)
    for key in MANY:
        service.post(key)
    flow = service.flow(MANY)
    service.take(flow)
    before, began = service.lists, service.clock
    for _ in range(5):
        service.take(flow)
    service.post("c9")
    assert service.take(flow) == [("c9", 2)]
    assert service.pages == ["c9"]
    assert service.lists - before <= (service.clock - began) / 5


# Waits that the server sets: K6, 35.


@pytest.mark.parametrize("kind", [ServerError, RateLimitedError])
@pytest.mark.parametrize("only", [["a"], ["a", "b"], None])
def test_a_server_cannot_stop_it_for_a_day(
    kind: type[ServerError | RateLimitedError], only: list[str] | None
) -> None:
    service = Service()
    service.post("a")
    service.post("b")
    flow = service.flow(only)
    service.take(flow)
    service.drop()
    service.post("a")
    service.reconnect()
    service.errors = [kind(503, "unavailable", "no", retry_after=86400.0)]
    came = None
    for _ in range(4):
        came = came or service.next(flow)
    assert came is not None
    assert (came.key, came.message.sequence) == ("a", 2)
    (error,) = service.reports
    assert "next request in 60 s" in str(error)


def test_a_wait_that_is_short_is_not_reported() -> None:
    service = Service()
    service.post("a")
    flow = service.flow(["a"])
    service.errors = [ServerError(503, "unavailable", "no", retry_after=5.0)]
    service.take(flow)
    assert service.reports == []
    assert service.errors == []


def test_the_longest_wait_is_that_of_the_client() -> None:
    service = Service()
    service.post("a")
    flow = service.flow(["a"], settings=FeedSettings(max_retry_after=5.0))
    service.errors = [ServerError(503, "unavailable", "no", retry_after=86400.0)]
    service.take(flow)
    assert len(service.pages) == 2


# What has no number.


def test_a_live_message_without_a_number_is_reported_and_read_from_the_list() -> None:
    service = Service()
    service.post("a")
    flow = service.flow(["a"])
    service.listeners["a"].heard("a", Row("a2", None))  # type: ignore[arg-type]
    service.post("a", 2)
    assert sorted(service.take(flow)) == numbers("a", 2, 3)
    assert "has no sequence" in str(service.reports[0])
