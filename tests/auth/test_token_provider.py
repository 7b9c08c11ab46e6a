"""`token_provider`: the `get_token` that the customer's own server hands out."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import Mock

import pytest

import poolse._auth.fetched_tokens
import poolse._auth.token_provider
from poolse import AsyncPoolse, AsyncPoolseBackend, Poolse, PoolseBackend, ServerError, UsageError
from poolse._auth.token_cache import claims
from poolse.testing import Sandbox


def connect(sandbox: Sandbox, **more: Any) -> PoolseBackend:
    return PoolseBackend(api_key=sandbox.api_key, api_url=sandbox.url, **more)


def asked(sandbox: Sandbox) -> list[str]:
    """The last word of each path that was asked for."""
    return [request.path.rpartition("/")[2] for request in sandbox.requests]


def test_the_user_is_created_once_and_the_token_kept(sandbox: Sandbox) -> None:
    with connect(sandbox) as backend:
        provider = backend.token_provider("u-1")
        assert asked(sandbox) == []
        token = provider()
        assert (type(token), token) == (str, provider())
        assert backend.token_provider("u-1")() == token
        assert asked(sandbox) == ["users", "tokens"]
        assert claims(token)["sub"] == backend.users.create(external_id="u-1").id


def test_a_token_that_is_nearly_over_is_issued_again(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Mock(monotonic=lambda: 0.0, time=time.time)
    monkeypatch.setattr(poolse._auth.fetched_tokens, "time", clock)
    with connect(sandbox) as backend:
        provider = backend.token_provider("u-1")
        provider()
        clock.monotonic = lambda: 3569.0  # a token lives for 3600
        provider()
        clock.monotonic = lambda: 3571.0
        provider()
    assert asked(sandbox) == ["users", "tokens", "tokens"]


def test_a_client_tells_the_provider_of_a_refusal(sandbox: Sandbox) -> None:
    with (
        connect(sandbox) as backend,
        Poolse(api_url=sandbox.url, get_token=backend.token_provider("u-1")) as chat,
    ):
        chat.me.show()
        sandbox.clock.advance(7200)
        assert chat.me.show().external_id == "u-1"
    assert asked(sandbox) == ["users", "tokens", "me", "me", "tokens", "me"]


def test_users_are_not_mixed_up(sandbox: Sandbox) -> None:
    with connect(sandbox) as backend:
        for name in ("u-1", "u-2", "u-1"):
            with Poolse(api_url=sandbox.url, get_token=backend.token_provider(name)) as chat:
                assert chat.me.show().external_id == name


def test_many_threads_share_one_call(sandbox: Sandbox) -> None:
    together = threading.Barrier(16)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with connect(sandbox) as backend, ThreadPoolExecutor(16) as pool:

            def token(_: int) -> str:
                together.wait()
                return backend.token_provider("u-1")()

            assert len(set(pool.map(token, range(16)))) == 1
    finally:
        sys.setswitchinterval(interval)
    assert asked(sandbox) == ["users", "tokens"]


def test_async_tasks_share_one_call_and_closing_ends_it(sandbox: Sandbox) -> None:
    async def run() -> None:
        async with AsyncPoolseBackend(api_key=sandbox.api_key, api_url=sandbox.url) as backend:
            provider = backend.token_provider("u-1")
            assert len(set(await asyncio.gather(*(provider() for _ in range(16))))) == 1
            assert asked(sandbox) == ["users", "tokens"]
            async with AsyncPoolse(api_url=sandbox.url, get_token=provider) as chat:
                assert (await chat.me.show()).external_id == "u-1"
            sandbox.faults.hang()
            waiting = asyncio.ensure_future(backend.token_provider("u-2")())
            await asyncio.to_thread(sandbox.wait_for, lambda: len(asked(sandbox)) == 4)
        with pytest.raises(UsageError, match="closed"):
            await waiting
        with pytest.raises(UsageError, match="closed"):
            await provider()

    asyncio.run(run())


def test_a_failure_is_reported_and_not_kept(sandbox: Sandbox) -> None:
    with connect(sandbox, max_retries=0) as backend:
        provider = backend.token_provider("u-1")
        sandbox.faults.fail(503)
        with pytest.raises(ServerError):
            provider()
        assert provider()


def test_a_user_who_is_gone_is_created_again(sandbox: Sandbox) -> None:
    with connect(sandbox) as backend:
        provider = backend.token_provider("u-1")
        provider.reject(provider())
        sandbox.faults.fail(404, code="not_found", path="/v1/users/*/tokens")
        assert provider()
    assert asked(sandbox) == ["users", "tokens", "tokens", "users", "tokens"]


def test_only_so_many_users_are_kept(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poolse._auth.token_provider, "MAX_USERS", 2)
    with connect(sandbox) as backend:
        for name in ("a", "b", "a", "c", "a", "b"):
            backend.token_provider(name)()
    # Only b, unused for longest when c came, was minted for again.
    assert asked(sandbox).count("tokens") == 4


@pytest.mark.parametrize("external_id", ["", " ", None, 7])
def test_a_blank_id_is_refused(sandbox: Sandbox, external_id: Any) -> None:
    with connect(sandbox) as backend, pytest.raises(UsageError, match="external_id"):
        backend.token_provider(external_id)


def test_it_shows_whom_it_is_for_and_no_token(sandbox: Sandbox) -> None:
    with connect(sandbox) as backend:
        provider = backend.token_provider("u-1")
        provider()
        assert repr(provider) == "TokenProvider('u-1')"


def test_an_async_provider_is_no_get_token_of_a_sync_client(sandbox: Sandbox) -> None:
    backend = AsyncPoolseBackend(api_key=sandbox.api_key, api_url=sandbox.url)
    provider: Any = backend.token_provider("u-1")
    with pytest.raises(UsageError, match="AsyncPoolse"):
        Poolse(api_url=sandbox.url, get_token=provider)
