"""An httpx client of the caller's own is used as it is, and stays as it was."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from poolse._http.async_sender import AsyncSender
from poolse._http.sync_sender import SyncSender
from poolse._rest.request_io import run_sync
from poolse.errors import NetworkError
from poolse.options import Timeout
from tests.http.raw_server import RawServer, answer_with
from tests.http.sync_and_async_senders import get


def teapot(request: httpx.Request) -> httpx.Response:
    return httpx.Response(418, json=[str(request.url), request.headers["x-mine"]])


def test_its_transport_and_its_headers_are_used() -> None:
    with httpx.Client(
        transport=httpx.MockTransport(teapot), headers={"X-Mine": "yes"}, timeout=1.0
    ) as client:
        before = (dict(client.headers), client.timeout)
        sender = SyncSender(http_client=client)
        answer = run_sync(sender.send(get("http://api.example/v1/a%2Fb?c=%2F"), Timeout(), None))
        sender.close()
        assert (answer.status, answer.content) == (
            418,
            b'["http://api.example/v1/a%2Fb?c=%2F","yes"]',
        )
        assert not client.is_closed
        assert (dict(client.headers), client.timeout) == before


def test_the_same_in_async() -> None:
    async def run() -> None:
        async with httpx.AsyncClient(
            transport=httpx.MockTransport(teapot), headers={"X-Mine": "yes"}
        ) as client:
            sender = AsyncSender(http_client=client)
            answer = await sender.send(get("http://api.example/v1/x"), Timeout(), None)
            await sender.aclose()
            assert answer.status == 418
            assert not client.is_closed

    asyncio.run(run())


def test_failures_of_httpx2_have_our_names_too() -> None:
    import httpx2

    with RawServer(answer_with()) as server:
        pass
    client = httpx2.Client()
    sender = SyncSender(http_client=client)
    with pytest.raises(NetworkError, match="could not connect: Connection refused"):
        run_sync(sender.send(get(server.base), Timeout(), None))
    with RawServer(answer_with(b"through httpx2")) as server:
        assert run_sync(sender.send(get(server.base), Timeout(), None)).content == b"through httpx2"
    client.close()
