"""One call of the resolver serves all threads that wait for it, and none waits for ever."""

from __future__ import annotations

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from poolse import UNSET, UserProfile
from tests.users.sync_and_async_users import ADA, restless_threads, users_of

THREADS = 32


class Held:
    """A resolver that waits until it is let go, and numbers its answers."""

    def __init__(self) -> None:
        self.calls = 0
        self.asked = threading.Event()
        self.go_on = threading.Event()

    def __call__(self, user_id: str) -> UserProfile:
        self.calls += 1
        mine = self.calls
        self.asked.set()
        if mine == 1:
            assert self.go_on.wait(10)
        return UserProfile(str(mine))


def test_threads_share_one_call_for_each_user() -> None:
    calls = Counter[str]()

    def resolve(user_id: str) -> UserProfile:
        calls[user_id] += 1
        return UserProfile(user_id)

    users = users_of(resolve)
    together = threading.Barrier(THREADS)

    def show(number: int) -> None:
        together.wait()
        for step in range(50):
            user_id = f"user-{(number + step) % 5}"
            assert users.get(user_id) == UserProfile(user_id)

    with restless_threads(), ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(show, range(THREADS)))
    assert calls == {f"user-{number}": 1 for number in range(5)}


def test_all_who_wait_get_the_one_result() -> None:
    resolver = Held()
    users = users_of(resolver)
    together = threading.Barrier(THREADS)

    def get(_: int) -> UserProfile | None:
        together.wait()
        return users.get("ada")

    with ThreadPoolExecutor(THREADS) as pool:
        calls = [pool.submit(get, number) for number in range(THREADS)]
        assert resolver.asked.wait(10)
        assert users.peek("ada") is UNSET
        resolver.go_on.set()
        assert {call.result(10) for call in calls} == {UserProfile("1")}
    assert resolver.calls == 1


@pytest.mark.parametrize("everybody", [True, False])
def test_an_answer_that_lands_after_an_invalidation_goes_to_those_before_it_only(
    everybody: bool,
) -> None:
    resolver = Held()
    users = users_of(resolver)
    heard: list[object] = []
    users.subscribe("ada", heard.append)
    with ThreadPoolExecutor(1) as pool:
        early = pool.submit(users.get, "ada")
        assert resolver.asked.wait(10)
        if everybody:
            users.invalidate_all()
        else:
            users.invalidate("ada")
        assert users.get("ada") == UserProfile("2")
        resolver.go_on.set()
        assert early.result(10) == UserProfile("1")
    assert users.get("ada") == users.peek("ada") == UserProfile("2")
    assert heard == [UNSET, UserProfile("2")]


def test_a_resolver_that_asks_for_its_own_user_is_refused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    other = {"a": "b", "b": "a", "own": "own"}

    def resolve(user_id: str) -> UserProfile | None:
        return users.get(other[user_id])

    users = users_of(resolve)
    assert users.get("own") is None
    assert len(caplog.records) == 1
    assert users.get("a") is None
    assert len(caplog.records) == 2
    assert caplog.text.count("UsageError: user_resolver must not request") == 2


def test_resolvers_that_wait_for_each_other_in_two_threads_are_refused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    both = threading.Barrier(2)

    def resolve(user_id: str) -> UserProfile | None:
        if not both.broken:
            both.wait(10)
        return users.get("b" if user_id == "a" else "a") or ADA

    users = users_of(resolve)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(users.get, "ab", timeout=10))
    # One of them is refused, and counts as nobody; the other one goes on with that.
    assert sorted(map(str, found)) == sorted(map(str, (None, ADA)))
    assert "must not request" in caplog.text


def test_a_resolver_may_ask_for_another_user() -> None:
    def resolve(user_id: str) -> UserProfile | None:
        return ADA if user_id == "ada" else users.get("ada")

    users = users_of(resolve)
    assert users.get("alias") == ADA
    assert users.peek("ada") == ADA


def test_what_ends_a_thread_is_not_kept() -> None:
    outcomes: list[BaseException | UserProfile] = [KeyboardInterrupt(), ADA]

    def resolve(user_id: str) -> UserProfile:
        outcome = outcomes.pop(0)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    users = users_of(resolve)
    with pytest.raises(KeyboardInterrupt):
        users.get("ada")
    assert users.peek("ada") is UNSET
    assert users.get("ada") == ADA


def test_a_listener_that_ends_its_thread_does_not_silence_the_others() -> None:
    users = users_of(lambda _: ADA)
    heard: list[object] = []

    def interrupt(value: object) -> None:
        off()
        raise KeyboardInterrupt

    off = users.subscribe("ada", interrupt)
    users.subscribe("ada", heard.append)
    with pytest.raises(KeyboardInterrupt):
        users.get("ada")
    users.invalidate("ada")
    assert heard == [ADA, UNSET]


def test_nobody_gets_what_was_known_before_an_invalidation() -> None:
    versions = dict.fromkeys("abcd", 0)
    users = users_of(lambda user_id: UserProfile(str(versions[user_id])), user_cache_size=3)
    heard: dict[str, object] = {}
    for user_id in versions:
        users.subscribe(user_id, partial(heard.__setitem__, user_id))
    together = threading.Barrier(4)

    def writes(user_id: str) -> None:
        together.wait()
        order = random.Random(user_id)
        for _ in range(300):
            versions[user_id] += 1
            users.invalidate(user_id)
            found = users.get(user_id)
            assert found is not None
            assert found.display_name == str(versions[user_id])
            # Others' users change meanwhile: only that nothing breaks can be said of them.
            users.get(order.choice("abcd"))
            if order.random() < 0.1:
                users.invalidate_all()

    with restless_threads(), ThreadPoolExecutor(4) as pool:
        list(pool.map(writes, versions))
    for user_id, value in heard.items():
        known = users.peek(user_id)
        assert known in (value, UNSET)
