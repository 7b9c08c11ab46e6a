"""What `chat.users` promises in both flavours."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from poolse import UNSET, ArgumentTypeError, Poolse, UsageError, UserProfile
from tests.users.sync_and_async_users import ADA, CLIENTS, result_of


class Resolver:
    """Knows Ada; counts its calls."""

    def __init__(self, answer: object = ADA) -> None:
        self.answer = answer
        self.asked: list[str] = []

    def __call__(self, user_id: str) -> Any:
        self.asked.append(user_id)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer if user_id != "nobody" else None


def users_with(client: type, resolver: object, **options: object) -> Any:
    return client(token="t", user_resolver=resolver, **options).users


@CLIENTS
def test_a_profile_is_asked_for_once(client: type) -> None:
    resolver = Resolver()
    users = users_with(client, resolver)
    assert users.peek("ada") is UNSET
    for _ in range(3):
        assert result_of(users.get, "ada") == ADA
        assert result_of(users.get, "nobody") is None
    assert (users.peek("ada"), users.peek("nobody")) == (ADA, None)
    assert resolver.asked == ["ada", "nobody"]


@CLIENTS
def test_many_come_in_the_order_given(client: type) -> None:
    resolver = Resolver()
    users = users_with(client, resolver)
    result_of(users.get, "b")
    found = result_of(users.get_many, (name for name in ["nobody", "b", "a", "b", "nobody"]))
    assert list(found.items()) == [("nobody", None), ("b", ADA), ("a", ADA)]
    assert resolver.asked == ["b", "nobody", "a"]
    assert result_of(users.get_many, []) == {}


@CLIENTS
def test_what_was_invalidated_is_asked_for_again(client: type) -> None:
    resolver = Resolver()
    users = users_with(client, resolver)
    result_of(users.get_many, ["a", "b"])
    users.invalidate("a")
    assert (users.peek("a"), users.peek("b")) == (UNSET, ADA)
    result_of(users.get_many, ["a", "b"])
    assert resolver.asked == ["a", "b", "a"]
    users.invalidate_all()
    assert (users.peek("a"), users.peek("b")) == (UNSET, UNSET)


@CLIENTS
@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (LookupError("no database"), "no database"),
        ({"display_name": "Ada"}, "must return a UserProfile or None, not dict"),
        ("Ada", "must return a UserProfile or None, not str"),
    ],
)
def test_a_failure_is_logged_once_and_kept_as_none(
    client: type, answer: object, complaint: str, caplog: pytest.LogCaptureFixture
) -> None:
    resolver = Resolver(answer)
    users = users_with(client, resolver)
    assert [result_of(users.get, "ada") for _ in range(3)] == [None] * 3
    assert users.peek("ada") is None
    assert resolver.asked == ["ada"]
    (record,) = [record for record in caplog.records if record.name.startswith("poolse")]
    assert (record.name, record.levelno) == ("poolse.users", logging.ERROR)
    assert "user_resolver failed for user 'ada'" in record.getMessage()
    assert complaint in caplog.text
    resolver.answer = ADA
    users.invalidate("ada")
    assert result_of(users.get, "ada") == ADA


@CLIENTS
def test_the_cache_is_bounded_and_answers_may_grow_old(client: type) -> None:
    resolver = Resolver()
    users = users_with(client, resolver, user_cache_size=2)
    for name in "abcb":
        result_of(users.get, name)
    assert [users.peek(name) for name in "abc"] == [UNSET, ADA, ADA]
    assert resolver.asked == ["a", "b", "c"]
    forgetful = users_with(client, resolver, user_cache_ttl=0)
    assert result_of(forgetful.get, "a") == ADA
    assert forgetful.peek("a") is UNSET
    lasting = users_with(client, resolver, user_cache_ttl=3600.0)
    assert result_of(lasting.get, "a") == lasting.peek("a") == ADA


@CLIENTS
def test_listeners_hear_of_every_change(client: type) -> None:
    resolver = Resolver()
    users = users_with(client, resolver)
    heard: list[object] = []
    off = users.subscribe("ada", heard.append)
    result_of(users.get, "ada")
    result_of(users.get, "eve")
    users.invalidate("ada")
    users.invalidate("ada")
    resolver.answer = None
    result_of(users.get, "ada")
    users.invalidate_all()
    assert heard == [ADA, UNSET, None, UNSET]
    off()
    off()
    result_of(users.get, "ada")
    assert len(heard) == 4


@CLIENTS
def test_a_listener_that_fails_stops_nothing(
    client: type, caplog: pytest.LogCaptureFixture
) -> None:
    users = users_with(client, Resolver())
    heard: list[object] = []

    def fail(value: object) -> None:
        raise LookupError("no such widget")

    for listener in (fail, heard.append):
        users.subscribe("ada", listener)
    assert result_of(users.get, "ada") == ADA
    assert heard == [ADA]
    assert "no such widget" in caplog.text
    assert [record.name for record in caplog.records].count("poolse.users") == 1


@CLIENTS
def test_a_listener_may_change_what_it_hears_of(client: type) -> None:
    users = users_with(client, Resolver())
    heard: list[object] = []

    def forget(value: object) -> None:
        if value is not UNSET:
            users.invalidate("ada")

    for listener in (forget, heard.append):
        users.subscribe("ada", listener)
    assert result_of(users.get, "ada") == ADA
    assert heard == [ADA, UNSET]
    assert users.peek("ada") is UNSET


@CLIENTS
def test_without_a_resolver_nothing_is_known(client: type) -> None:
    users = users_with(client, None)
    assert users.peek("ada") is UNSET
    users.invalidate("ada")
    for call in (partial(result_of, users.get, "ada"), partial(result_of, users.get_many, ["a"])):
        with pytest.raises(UsageError, match="user_resolver="):
            call()


@CLIENTS
def test_views_share_the_profiles(client: type) -> None:
    chat = client(token="t", user_resolver=Resolver())
    result_of(chat.with_options(timeout=5.0).users.get, "ada")
    assert chat.users.peek("ada") == ADA


@CLIENTS
def test_a_closed_client_asks_nobody(client: type) -> None:
    resolver = Resolver()
    chat = client(token="t", user_resolver=resolver)
    result_of(chat.users.get, "ada")
    result_of(getattr(chat, "aclose", None) or chat.close)
    for call, what in ((chat.users.get, "eve"), (chat.users.get_many, ["eve"])):
        with pytest.raises(UsageError, match="closed"):
            result_of(call, what)
    chat.users.invalidate_all()
    assert chat.users.peek("ada") is UNSET
    assert resolver.asked == ["ada"]


async def resolve_later(user_id: str) -> UserProfile | None:
    return ADA


class ResolvesLater:
    async def __call__(self, user_id: str) -> UserProfile | None:
        return ADA


@CLIENTS
@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"user_resolver": "ada"}, "user_resolver must be a function"),
        ({"user_cache_size": 0}, "user_cache_size must be at least 1"),
        ({"user_cache_size": 2.5}, "user_cache_size must be an int"),
        ({"user_cache_ttl": -1}, "user_cache_ttl must be a number of seconds"),
        ({"user_cache_ttl": "60"}, "user_cache_ttl must be a number of seconds"),
    ],
)
def test_what_cannot_work_is_refused_at_once(
    client: type, options: dict[str, object], complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint):
        client(token="t", **options)


@pytest.mark.parametrize("resolver", [resolve_later, ResolvesLater(), partial(resolve_later)])
def test_the_sync_client_refuses_an_async_resolver(resolver: Callable[[str], Any]) -> None:
    with pytest.raises(UsageError, match="use AsyncPoolse"):
        Poolse(token="t", user_resolver=resolver)


def test_a_plain_function_that_returns_a_coroutine_is_refused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    users = users_with(Poolse, Resolver(resolve_later("ada")))
    assert users.get("ada") is None
    assert "an async user_resolver needs AsyncPoolse" in caplog.text


@CLIENTS
def test_arguments_of_a_wrong_type_are_refused(client: type) -> None:
    users = users_with(client, Resolver())
    for call in (users.get, users.peek, users.invalidate):
        with pytest.raises(ArgumentTypeError, match=r"user_id must be the ID .* not int"):
            result_of(call, 5)
    with pytest.raises(ArgumentTypeError, match="user_ids must be a list of IDs"):
        result_of(users.get_many, "ada")
    with pytest.raises(ArgumentTypeError, match="listener must be a function"):
        users.subscribe("ada", None)
    with pytest.raises(UsageError, match="listener is async"):
        users.subscribe("ada", resolve_later)
