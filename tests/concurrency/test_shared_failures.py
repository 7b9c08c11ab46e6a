"""One fetch serves many calls; when it fails, each of them gets an error of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from poolse import (
    AsyncPoolse,
    AsyncPoolseBackend,
    CallOptions,
    Cancelled,
    CancelToken,
    NetworkError,
    Poolse,
    PoolseBackend,
    PoolseError,
    UserProfile,
)
from poolse.testing import Sandbox
from tests.http.sync_and_async_senders import ASIDE, Watched, in_thread

NOWHERE = "http://127.0.0.1:9"
CALLERS = 4
ADA = UserProfile(display_name="Ada")

ENDINGS = [SystemExit, KeyboardInterrupt, GeneratorExit, Cancelled]
"""What ends the one who fetches, and nobody else."""


def send(chat: Any, key: str, cancel: CancelToken | None = None) -> Any:
    options = CallOptions(idempotency_key=key, cancel=cancel)
    return chat.rest.request(method="POST", path="/v1/things", options=options)


def fetched_once(fetch: Callable[[int], Any]) -> tuple[Any, threading.Event, Any]:
    """A function to call in threads, which is held up at first."""
    asked, release = threading.Event(), threading.Event()
    count = iter(range(100))

    def get_token(*_: object) -> Any:
        number = next(count)
        asked.set()
        assert release.wait(ASIDE)
        return fetch(number)

    return get_token, asked, release


def fails(_: int) -> str:
    raise NetworkError("the session is gone")


def test_each_sync_call_that_waits_gets_an_error_with_its_own_key() -> None:
    get_token, asked, release = fetched_once(fails)
    with Poolse(api_url=NOWHERE, get_token=get_token) as chat:
        calls = [in_thread(lambda: send(chat, "key-0"))]
        assert asked.wait(ASIDE)
        token = Watched()
        for number in range(1, CALLERS):
            calls.append(in_thread(partial(send, chat, f"key-{number}", token)))
            assert token.registered.acquire(timeout=ASIDE)
        release.set()
        errors = [call.outcome() for call in calls]
    assert [error.idempotency_key for error in errors] == [f"key-{n}" for n in range(CALLERS)]  # type: ignore[attr-defined]
    assert len({id(error) for error in errors}) == CALLERS
    assert all(error.__traceback__ is not None for error in errors)  # type: ignore[attr-defined]


def test_each_async_call_that_waits_gets_an_error_with_its_own_key() -> None:
    async def get_token() -> str:
        await asyncio.sleep(0)
        return fails(0)

    async def main() -> list[Any]:
        async with AsyncPoolse(api_url=NOWHERE, get_token=get_token) as chat:
            calls = [send(chat, f"key-{number}") for number in range(CALLERS)]
            return await asyncio.gather(*calls, return_exceptions=True)

    errors = asyncio.run(main())
    assert [error.idempotency_key for error in errors] == [f"key-{n}" for n in range(CALLERS)]
    assert len({id(error) for error in errors}) == CALLERS


@pytest.mark.parametrize("kind", [NetworkError, PoolseError])
def test_an_error_that_get_token_keeps_is_not_written_to(kind: type[PoolseError]) -> None:
    kept = kind("down")

    def get_token() -> str:
        raise kept

    async def main() -> None:
        async with AsyncPoolse(api_url=NOWHERE, get_token=get_token) as chat:
            for key in ("a", "b"):
                with pytest.raises(kind) as caught:
                    await send(chat, key)
                assert caught.value.idempotency_key == key

    with Poolse(api_url=NOWHERE, get_token=get_token) as chat:
        for key in ("a", "b"):
            with pytest.raises(kind) as caught:
                send(chat, key)
            assert caught.value.idempotency_key == key
        with pytest.raises(kind) as caught:
            chat.me.show()
        assert caught.value.idempotency_key is None
    asyncio.run(main())
    assert kept.idempotency_key is None


def test_the_key_is_that_of_the_call_and_not_of_the_request_for_a_token(sandbox: Sandbox) -> None:
    async def main() -> None:
        async with AsyncPoolseBackend(
            api_key=sandbox.api_key, api_url=NOWHERE, max_retries=0
        ) as minting:
            get_token = minting.token_provider("u-1")
            async with AsyncPoolse(api_url=sandbox.url, get_token=get_token) as chat:
                calls = [send(chat, f"key-{number}") for number in range(CALLERS)]
                errors: list[Any] = await asyncio.gather(*calls, return_exceptions=True)
                assert [error.idempotency_key for error in errors] == [
                    f"key-{number}" for number in range(CALLERS)
                ]

    with PoolseBackend(api_key=sandbox.api_key, api_url=NOWHERE, max_retries=0) as backend:
        get_token = backend.token_provider("u-1")
        with Poolse(api_url=sandbox.url, get_token=get_token) as chat:
            for key in ("a", "b"):
                with pytest.raises(NetworkError) as caught:
                    send(chat, key)
                assert caught.value.idempotency_key == key
    asyncio.run(main())


def test_each_caller_of_a_provider_gets_an_error_of_its_own(sandbox: Sandbox) -> None:
    async def main() -> list[Any]:
        async with AsyncPoolseBackend(
            api_key=sandbox.api_key, api_url=NOWHERE, max_retries=0
        ) as backend:
            provider = backend.token_provider("u-1")
            calls = [provider() for _ in range(CALLERS)]
            return await asyncio.gather(*calls, return_exceptions=True)

    errors = asyncio.run(main())
    assert {type(error) for error in errors} == {NetworkError}
    assert len({id(error) for error in errors}) == CALLERS
    assert len({str(error) for error in errors}) == 1
    assert all(error.__cause__ is not None for error in errors)
    errors[0].message += ", and this is mine"
    assert "mine" not in str(errors[1])


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_ends_a_thread_that_fetches_a_token_ends_no_other(
    ending: type[BaseException], sandbox: Sandbox
) -> None:
    def fetch(number: int) -> str:
        if number == 0:
            raise ending
        return sandbox.token("alice")

    get_token, asked, release = fetched_once(fetch)
    with Poolse(api_url=sandbox.url, get_token=get_token) as chat:
        first = in_thread(chat.me.show)
        assert asked.wait(ASIDE)
        token = Watched()
        others = [
            in_thread(lambda: chat.me.show(options=CallOptions(cancel=token))) for _ in range(3)
        ]
        for _ in others:
            assert token.registered.acquire(timeout=ASIDE)
        release.set()
        assert isinstance(first.outcome(), ending)
        assert all(call.outcome() == chat.me.show() for call in others)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("begins", ["stays", "leaves"])
def test_what_ends_a_task_that_fetches_a_token_ends_no_other(
    ending: type[BaseException], begins: str, sandbox: Sandbox
) -> None:
    async def main() -> None:
        release = asyncio.Event()
        count = iter(range(100))

        async def get_token() -> str:
            number = next(count)
            await release.wait()
            if number == 0:
                raise ending
            return sandbox.token("alice")

        async def shown() -> object:
            try:
                return await chat.me.show()
            except BaseException as error:
                return error

        async with AsyncPoolse(api_url=sandbox.url, get_token=get_token) as chat:
            calls = [asyncio.create_task(shown()) for _ in range(4)]
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            if begins == "leaves":
                calls[0].cancel()
            release.set()
            first, *others = await asyncio.gather(*calls)
            expected = asyncio.CancelledError if begins == "leaves" else ending
            assert isinstance(first, expected)
            me = await chat.me.show()
            assert others == [me] * 3

    asyncio.run(main())


@pytest.mark.parametrize("ending", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_what_ends_the_one_who_asks_for_a_profile_ends_no_other(
    ending: type[BaseException],
) -> None:
    def fetch(number: int) -> UserProfile:
        if number == 0:
            raise ending
        return ADA

    resolver, asked, release = fetched_once(fetch)
    with Poolse(token="t", user_resolver=resolver) as chat:
        first = in_thread(lambda: chat.users.get("ada"))
        assert asked.wait(ASIDE)
        others = [in_thread(lambda: chat.users.get("ada")) for _ in range(3)]
        release.set()
        assert isinstance(first.outcome(), ending)
        assert [call.outcome() for call in others] == [ADA] * 3

    async def main() -> None:
        count = iter(range(100))
        chats: list[AsyncPoolse] = []

        async def resolve(_: str) -> UserProfile:
            number = next(count)
            await asyncio.sleep(0)
            return fetch(number)

        async def got() -> object:
            try:
                return await chats[0].users.get("ada")
            except BaseException as error:
                return error

        async with AsyncPoolse(token="t", user_resolver=resolve) as chat:
            chats.append(chat)
            first, *others = await asyncio.gather(*(got() for _ in range(4)))
            assert isinstance(first, ending)
            assert others == [ADA] * 3

    asyncio.run(main())
