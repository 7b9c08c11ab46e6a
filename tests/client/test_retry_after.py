"""No call waits longer than `max_retry_after`, whichever request of it is asked to wait."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from poolse import (
    ApiError,
    AsyncPoolse,
    AsyncPoolseBackend,
    DownloadError,
    Poolse,
    PoolseBackend,
    PoolseError,
    UploadError,
)

ID = "9a0c2d3e-1111-4222-8333-444455556601"
PLACE: dict[str, Any] = {"url": "http://storage.test/x", "method": "PUT", "headers": {}}
ANSWER: dict[str, Any] = {
    "id": "u",
    "token": "t",
    "url": "http://storage.test/x",
    "attachment": {"id": ID},
    "upload": PLACE,
}
DOORS: dict[str, tuple[str, Callable[[Any, Any], Any]]] = {
    "call": ("/v1/me", lambda chat, _: chat.me.show()),
    "page": (
        "/v1/conversations/c/messages",
        lambda chat, _: chat.conversations.one("c").messages.iter(),
    ),
    "user of a provider": ("/v1/users", lambda _, backend: backend.token_provider("u-1")()),
    "token of a provider": (
        "/v1/users/u/tokens",
        lambda _, backend: backend.token_provider("u-1")(),
    ),
    "place of an upload": (
        "/v1/attachments/upload-url",
        lambda chat, _: chat.attachments.upload(b"bytes", filename="a"),
    ),
    "upload": ("/x", lambda chat, _: chat.attachments.upload(b"bytes", filename="a")),
    "place of a download": (
        f"/v1/attachments/{ID}/download-url",
        lambda chat, _: chat.attachments.one(ID).download(),
    ),
    "download": ("/x", lambda chat, _: chat.attachments.one(ID).download()),
}


@pytest.mark.parametrize("value", ["86400", "86400, 2", "2, 86400"])
@pytest.mark.parametrize("name", list(DOORS))
def test_a_wait_that_is_too_long_is_not_begun(name: str, value: str) -> None:
    path, do = DOORS[name]
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if request.url.path == path:
            return httpx.Response(503, headers={"Retry-After": value})
        return httpx.Response(200, json=ANSWER)

    def check(error: PoolseError) -> None:
        assert isinstance(error, ApiError | UploadError | DownloadError)
        assert asked.count(path) == 1
        asked.clear()

    async def main() -> None:
        async with (
            httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http,
            AsyncPoolse(api_url="http://api.test", token="t", http_client=http) as chat,
            AsyncPoolseBackend(api_url="http://api.test", api_key="k", http_client=http) as backend,
            asyncio.timeout(10),
        ):
            result = do(chat, backend)
            await (anext(result) if inspect.isasyncgen(result) else result)

    with (
        httpx.Client(transport=httpx.MockTransport(answer)) as http,
        Poolse(api_url="http://api.test", token="t", http_client=http) as chat,
        PoolseBackend(api_url="http://api.test", api_key="k", http_client=http) as backend,
        pytest.raises(PoolseError) as caught,
    ):
        next(do(chat, backend))
    check(caught.value)
    with pytest.raises(PoolseError) as caught:
        asyncio.run(main())
    check(caught.value)
