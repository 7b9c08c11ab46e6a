"""What is known of users: how much of it, for how long, and who is told."""

from __future__ import annotations

import copy
import pickle

import pytest

from poolse import UNSET, ArgumentTypeError, Unset, UsageError
from poolse._profiles.profile_cache import ProfileCache
from poolse._profiles.resolver import ProfileSettings, UserProfile, checked_profile
from tests.auth.scripted_flights import Leg, leg_of

ADA = UserProfile("Ada", "https://example.com/ada.png")


def empty(size: int = 10, ttl: float | None = None) -> ProfileCache:
    return ProfileCache(ProfileSettings(None, size, ttl), Leg)


def begin(cache: ProfileCache, user_id: str) -> Leg:
    return leg_of(cache.flights.join(user_id, None).flight)


def learn(
    cache: ProfileCache, user_id: str, profile: UserProfile | None = ADA, now: float = 0.0
) -> None:
    cache.complete(user_id, begin(cache, user_id), profile, now)


def told(cache: ProfileCache) -> list[tuple[str, UserProfile | None | Unset]]:
    """The changes that listeners would be told of now."""
    found: list[tuple[str, UserProfile | None | Unset]] = []
    assert cache.start_notifying()
    while (change := cache.next_change()) is not None:
        found.append((change[0].user_id, change[1]))
    return found


@pytest.mark.parametrize("profile", [ADA, None])
def test_an_answer_is_kept_also_when_it_is_none(profile: UserProfile | None) -> None:
    cache = empty()
    assert cache.peek("a", 0.0) is UNSET
    learn(cache, "a", profile)
    assert cache.peek("a", 1e9) == profile


def test_an_answer_grows_too_old() -> None:
    cache = empty(ttl=60.0)
    learn(cache, "a", now=100.0)
    assert cache.peek("a", 159.9) == ADA
    assert cache.peek("a", 160.0) is UNSET


def test_the_one_used_longest_ago_makes_room() -> None:
    cache = empty(size=2)
    learn(cache, "a")
    learn(cache, "b")
    assert cache.peek("a", 0.0) == ADA
    learn(cache, "c")
    assert [cache.peek(user_id, 0.0) for user_id in "abc"] == [ADA, UNSET, ADA]
    assert len(cache) == 2


@pytest.mark.parametrize("everybody", [True, False])
def test_an_answer_that_lands_after_an_invalidation_is_not_kept(everybody: bool) -> None:
    cache = empty()
    old = begin(cache, "a")
    if everybody:
        cache.invalidate_all()
    else:
        cache.invalidate("a")
    new = begin(cache, "a")
    assert new is not old
    cache.complete("a", old, None, 0.0)
    assert cache.peek("a", 0.0) is UNSET
    cache.complete("a", new, ADA, 0.0)
    cache.complete("a", old, None, 0.0)
    assert cache.peek("a", 0.0) == ADA


def test_to_invalidate_one_user_leaves_the_others() -> None:
    cache = empty()
    learn(cache, "a")
    flight = begin(cache, "b")
    cache.invalidate("c")
    cache.invalidate("b")
    assert cache.peek("a", 0.0) == ADA
    assert begin(cache, "b") is not flight


def test_listeners_are_called_in_the_order_of_the_changes() -> None:
    cache = empty()
    for user_id in "ab":
        cache.subscribe(user_id, print)
    learn(cache, "a")
    learn(cache, "b", None)
    learn(cache, "c")
    cache.invalidate("a")
    cache.invalidate("a")
    learn(cache, "a", None)
    assert told(cache) == [("a", ADA), ("b", None), ("a", UNSET), ("a", None)]
    assert told(cache) == []


def test_all_are_notified_when_all_are_forgotten() -> None:
    cache = empty()
    for user_id in "abc":
        cache.subscribe(user_id, print)
    learn(cache, "a")
    told(cache)
    begin(cache, "b")
    cache.invalidate_all()
    assert told(cache) == [("a", UNSET), ("b", UNSET)]


def test_an_unsubscribed_listener_is_not_called_any_more() -> None:
    cache = empty()
    listener = cache.subscribe("a", print)
    other = cache.subscribe("a", print)
    learn(cache, "a")
    cache.unsubscribe(listener)
    cache.unsubscribe(listener)
    cache.invalidate("a")
    assert told(cache) == [("a", ADA), ("a", UNSET)]
    cache.unsubscribe(other)
    learn(cache, "a")
    assert told(cache) == []


def test_one_tells_at_a_time_and_leaves_nothing_out() -> None:
    cache = empty()
    cache.subscribe("a", print)
    learn(cache, "a")
    assert cache.start_notifying()
    assert cache.next_change() is not None
    cache.invalidate("a")
    assert not cache.start_notifying()
    cache.stop_notifying()
    assert told(cache) == [("a", UNSET)]


def test_a_resolver_that_returns_nonsense_is_refused_without_showing_it() -> None:
    with pytest.raises(UsageError, match="must return a UserProfile or None, not dict") as caught:
        checked_profile({"display_name": "s3cret"})
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("wrong", [5, b"Ada", ["Ada"]])
def test_a_profile_holds_text(wrong: object) -> None:
    with pytest.raises(ArgumentTypeError, match="avatar_url must be a str"):
        UserProfile("Ada", wrong)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def test_a_profile_is_a_value() -> None:
    assert UserProfile(display_name="Ada", avatar_url=ADA.avatar_url) == ADA
    assert hash(copy.deepcopy(ADA)) == hash(pickle.loads(pickle.dumps(ADA))) == hash(ADA)
    assert UserProfile("Ada").avatar_url is None
    with pytest.raises(AttributeError):
        ADA.display_name = "Eve"  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]
