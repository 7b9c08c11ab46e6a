"""What an answer or a header holds is shown by no error, nor by the locals of its frames."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from poolse import CallOptions, DecodeError, Poolse, PoolseError, UsageError
from poolse.async_client import AsyncPoolseBackend
from poolse.client import PoolseBackend
from tests.http.raw_server import RawServer, answer_with

SECRET = "s3cret-of-the-server"
USER = b'{"id": "u-1"}'

TAKE_HEADERS: list[Callable[[Any], object]] = [
    lambda headers: Poolse(token="t", headers=headers),
    lambda headers: PoolseBackend(api_key="k", headers=headers),
    lambda headers: Poolse(token="t").with_options(headers=headers),
    lambda headers: CallOptions(headers=headers),
]


def ask(flavour: str, url: str, *, mint: bool) -> object:
    if flavour == "sync":
        with PoolseBackend(api_key="k", api_url=url, max_retries=0) as backend:
            if mint:
                return backend.token_provider("ann")()
            return backend.users.create_token("u-1")

    async def run() -> object:
        async with AsyncPoolseBackend(api_key="k", api_url=url, max_retries=0) as backend:
            if mint:
                return await backend.token_provider("ann")()
            return await backend.users.create_token("u-1")

    return asyncio.run(run())


def shown_by(error: BaseException) -> str:
    found = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [str(frame.locals) for frame in found.stack if "/tests/" not in frame.filename]
    return "\n".join([str(error), repr(error), repr(error.__cause__), *frames])


@pytest.mark.parametrize("flavour", ["sync", "async"])
@pytest.mark.parametrize("mint", [False, True], ids=["asked", "minted"])
@pytest.mark.parametrize(
    "content",
    [
        f'{{"token": 5, "x": "{SECRET}"}}',
        f'{{"token": 5, "x": "{SECRET}", "long": 12345678901234567890}}',
        f'{{"token": "{SECRET}"',
        f'["{SECRET}"]',
    ],
)
def test_an_answer_that_is_refused_is_in_no_traceback(
    flavour: str, mint: bool, content: str
) -> None:
    def behave(connection: Any, request: Any) -> None:
        user = request.line.startswith("POST /v1/users HTTP")
        connection.answer(USER if user else content.encode())

    with RawServer(behave) as wire, pytest.raises(DecodeError) as caught:
        ask(flavour, wire.base, mint=mint)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert SECRET not in shown_by(caught.value)


@pytest.mark.parametrize("flavour", ["sync", "async"])
def test_an_issued_token_that_cannot_be_sent_is_not_shown(flavour: str) -> None:
    body = f'{{"id": "u-1", "token": "{SECRET} "}}'.encode()
    with RawServer(answer_with(body)) as wire, pytest.raises(UsageError) as caught:
        ask(flavour, wire.base, mint=True)
    assert SECRET not in shown_by(caught.value)


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": SECRET, "X-Other": "\n"},
        {"Authorization": f"{SECRET}\n"},
        {"Authorization": SECRET, "X-Other": 5},
        {f"Bearer {SECRET}": "Authorization"},
    ],
)
@pytest.mark.parametrize("take", TAKE_HEADERS, ids=["client", "backend", "view", "call"])
def test_no_header_that_is_refused_is_shown(headers: Any, take: Callable[[Any], object]) -> None:
    with pytest.raises(PoolseError) as caught:
        take(headers)
    assert SECRET not in shown_by(caught.value)
