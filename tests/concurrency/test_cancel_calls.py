"""A call ends wherever it is cancelled, and the only connection of its client is free again."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import trustme

from poolse import AsyncPoolse, CallOptions, Cancelled, CancelToken, Poolse, PoolseError
from tests.concurrency.hanging_servers import FINE, PLACES, Place, place_of
from tests.http.sync_and_async_senders import ASIDE, in_thread

ASK = {"method": "GET", "path": "/v1/anything"}


@pytest.fixture(params=PLACES)
def place(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    authority: trustme.CA,
    server_tls: ssl.SSLContext,
) -> Iterator[Place]:
    client = ssl.create_default_context()
    client.load_verify_locations(cadata=authority.cert_pem.bytes().decode())
    # The name has no certificate of its own.
    client.check_hostname = False
    with place_of(request.param, monkeypatch, server_tls, client) as found:
        yield found


def ask(chat: Any, cancel: CancelToken | None = None) -> Any:
    return chat.rest.request(**ASK, options=CallOptions(cancel=cancel))


def test_by_a_token(place: Place) -> None:
    stop = CancelToken()
    with Poolse(**place.arguments()) as chat:
        call = in_thread(partial(ask, chat, stop))
        place.reached()
        stop.cancel()
        error = call.outcome()
        assert isinstance(error, Cancelled)
        assert not isinstance(error, PoolseError)
        place.calm()
        assert ask(chat) == FINE


async def whole_again(chat: AsyncPoolse, place: Place) -> None:
    place.calm()
    async with asyncio.timeout(ASIDE):
        assert await ask(chat) == FINE
    assert asyncio.all_tasks() == {asyncio.current_task()}


def test_by_a_token_in_async(place: Place) -> None:
    async def scenario() -> None:
        stop = CancelToken()
        async with AsyncPoolse(**place.arguments()) as chat:
            call = asyncio.create_task(ask(chat, stop))
            await asyncio.to_thread(place.reached)
            await asyncio.to_thread(stop.cancel)
            with pytest.raises(Cancelled):
                await call
            await whole_again(chat, place)

    asyncio.run(scenario())


def test_by_the_task(place: Place) -> None:
    async def scenario() -> None:
        async with AsyncPoolse(**place.arguments()) as chat:
            call = asyncio.create_task(ask(chat, CancelToken()))
            await asyncio.to_thread(place.reached)
            call.cancel("by its owner")
            with pytest.raises(asyncio.CancelledError, match="by its owner"):
                await call
            await whole_again(chat, place)

    asyncio.run(scenario())


def test_by_a_timeout_of_the_callers_own(place: Place) -> None:
    async def scenario() -> None:
        async with AsyncPoolse(**place.arguments()) as chat:
            with pytest.raises(TimeoutError) as caught:
                async with asyncio.timeout(0.1):
                    await ask(chat)
            assert type(caught.value) is TimeoutError
            await whole_again(chat, place)

    asyncio.run(scenario())


@pytest.mark.parametrize("with_options", [False, True])
def test_before_it_begins(with_options: bool) -> None:
    stop = CancelToken()
    stop.cancel()
    with Poolse(api_url="http://127.0.0.1:9", token="t") as chat, pytest.raises(Cancelled):
        ask(chat.with_options(cancel=stop)) if with_options else ask(chat, stop)


def test_while_get_token_is_awaited() -> None:
    async def scenario() -> None:
        asked = asyncio.Event()

        async def get_token() -> str:
            asked.set()
            await asyncio.Event().wait()
            return "never"

        async with AsyncPoolse(api_url="http://127.0.0.1:9", get_token=get_token) as chat:
            call = asyncio.create_task(ask(chat))
            await asked.wait()
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call

    asyncio.run(scenario())
