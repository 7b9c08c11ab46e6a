"""Rate-limit headers are shown where the server sends them: on errors and on captured calls."""

from __future__ import annotations

import asyncio
import copy
import pickle
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import httpx
import pytest

from poolse import AsyncPoolse, CapturedCall, Poolse, RateLimitedError

LIMITS = {"X-RateLimit-Limit": "60", "x-ratelimit-remaining": "0", "RateLimit": '"a";r=0;t=5'}
SHOWN = {name.lower(): value for name, value in LIMITS.items()}
RUNS = pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])


def observed(
    status: int, headers: Mapping[str, str], *, asynchronous: bool
) -> tuple[CapturedCall, BaseException | None]:
    """A captured call that is answered so, and what it raised."""

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, headers=headers, json={"data": []})

    options: Any = {"api_url": "http://api.test", "token": "t", "max_retries": 0}
    transport = httpx.MockTransport(answer)

    async def main() -> list[CapturedCall]:
        async with (
            httpx.AsyncClient(transport=transport) as http,
            AsyncPoolse(**options, http_client=http) as chat,
        ):
            with chat.capture() as calls, suppress(RateLimitedError):
                await chat.conversations.list()
            return calls

    if asynchronous:
        calls = asyncio.run(main())
    else:
        with (
            httpx.Client(transport=transport) as http,
            Poolse(**options, http_client=http) as chat,
            chat.capture() as calls,
            suppress(RateLimitedError),
        ):
            chat.conversations.list()
    (call,) = calls
    return call, call.error


@RUNS
def test_an_error_has_them(asynchronous: bool) -> None:
    call, error = observed(429, {**LIMITS, "Retry-After": "5"}, asynchronous=asynchronous)
    assert isinstance(error, RateLimitedError)
    assert error.rate_limit == SHOWN == call.rate_limit
    assert error.retry_after == 5.0
    for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert twin.rate_limit == SHOWN


@RUNS
def test_a_success_has_them(asynchronous: bool) -> None:
    call, error = observed(200, LIMITS, asynchronous=asynchronous)
    assert error is None
    assert call.rate_limit == SHOWN


@RUNS
def test_there_are_none(asynchronous: bool) -> None:
    call, error = observed(429, {}, asynchronous=asynchronous)
    assert isinstance(error, RateLimitedError)
    assert (error.rate_limit, call.rate_limit) == ({}, {})
