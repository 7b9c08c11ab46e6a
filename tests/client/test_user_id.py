"""`chat.user_id`: whose token it is, as far as is known."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from poolse import AsyncPoolse, Poolse
from poolse.testing import Sandbox
from tests.auth.test_token_cache import jwt

FLAVOURS: list[Any] = [Poolse, AsyncPoolse]


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize(
    ("token", "user_id"),
    [
        (jwt(sub="u-1"), "u-1"),
        (jwt(sub=7), None),
        (jwt(sub=""), None),
        (jwt(exp=1), None),
        ("opaque", None),
        ("a.b.c", None),
    ],
)
def test_of_a_fixed_token_it_is_known_at_once(
    flavour: Any, token: str, user_id: str | None
) -> None:
    assert flavour(token=token).user_id == user_id


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_asking_fetches_nothing(flavour: Any) -> None:
    def get_token() -> str:
        raise AssertionError

    chat = flavour(get_token=get_token)
    assert chat.user_id is None
    assert chat.with_options(timeout=1).user_id is None


def test_it_is_the_user_that_the_server_knows(sandbox: Sandbox) -> None:
    with Poolse(api_url=sandbox.url, get_token=lambda: sandbox.token("alice")) as chat:
        view = chat.with_options(timeout=5.0)
        me = chat.me.show()
        assert chat.user_id == view.user_id == me.id


def test_it_follows_the_token_last_used() -> None:
    # They live for a microsecond, so each call fetches the next one.
    life = {"iat": 0, "exp": 1e-6}
    tokens = [jwt(sub="u-1", **life), None, jwt(sub="u-2", **life), "opaque"]
    answer = httpx.MockTransport(lambda _: httpx.Response(200, json={}))
    seen: list[str | None] = []
    with httpx.Client(transport=answer) as http:
        chat = Poolse(
            api_url="http://api.test", get_token=lambda: tokens[len(seen)], http_client=http
        )
        for _ in tokens:
            chat.rest.request(method="GET", path="/v1/me")
            seen.append(chat.user_id)
    assert seen == ["u-1", None, "u-2", None]


def test_a_refreshed_token_is_the_one_that_counts(sandbox: Sandbox) -> None:
    tokens = [jwt(sub="stale"), sandbox.token("alice")]

    async def run() -> None:
        async with AsyncPoolse(api_url=sandbox.url, get_token=lambda: tokens.pop(0)) as chat:
            me = await chat.me.show()
            assert chat.user_id == me.id

    asyncio.run(run())
    assert tokens == []
