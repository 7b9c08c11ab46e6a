"""`client_for` and `async_client_for`: clients of a sandbox, over http and over https."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from poolse import AsyncPoolse, MessageNew, NetworkError, Poolse
from poolse.testing import Sandbox, async_client_for, client_for
from tests.realtime.sync_and_async import LIMIT, done

CLIENTS = [client_for, async_client_for]


@pytest.fixture(params=[False, True], ids=["http", "https"])
def server(request: pytest.FixtureRequest) -> Any:
    """A sandbox, with and without TLS."""
    with Sandbox(tls=request.param) as sandbox:
        yield sandbox


def use(client: Any, work: Callable[[Any], Awaitable[object]]) -> Any:
    """What the work gives, with a client of either kind."""

    async def run() -> object:
        if isinstance(client, AsyncPoolse):
            async with client:
                return await work(client)
        with client:
            return await work(client)

    return asyncio.run(run())


async def first_message(events: Any) -> MessageNew:
    """The first message that an iterator of either kind gives."""
    if hasattr(events, "__aiter__"):
        async for event in events:
            if isinstance(event, MessageNew):
                return event
    else:
        for event in events:
            if isinstance(event, MessageNew):
                return event
    raise AssertionError("no message came")


@pytest.mark.parametrize("make", CLIENTS)
def test_calls_files_and_events(server: Sandbox, make: Any, tmp_path: Path) -> None:
    async def work(chat: Any) -> object:
        assert (await done(chat.me.show())).external_id == "carol"
        talk = await done(chat.conversations.create(type="group"))
        file = await done(chat.attachments.upload(b"data", content_type="text/plain"))
        live = chat.realtime.conversation(talk.id)
        await done(live.wait_joined(timeout=LIMIT))
        events = live.events(timeout=LIMIT)
        messages = chat.conversations.one(talk.id).messages
        await done(messages.send(body="hi", attachment_ids=[file.id]))
        heard = await first_message(events)
        await done(chat.attachments.one(file.id).download(tmp_path / "data"))
        return heard.body, (tmp_path / "data").read_bytes()

    assert use(make(server, "carol"), work) == ("hi", b"data")


@pytest.mark.parametrize("make", CLIENTS)
def test_waits_of_retries_move_the_clock(server: Sandbox, make: Any) -> None:
    async def work(chat: Any) -> object:
        return (await done(chat.me.show())).external_id

    server.faults.fail(503, times=2, retry_after=50)
    began, before = time.monotonic(), server.clock.now()
    assert use(make(server), work) == "alice"
    assert server.clock.now() - before >= 100
    assert time.monotonic() - began < 50


@pytest.mark.parametrize("make", [Poolse, AsyncPoolse])
def test_nobody_else_trusts_a_sandbox_over_tls(tls_sandbox: Sandbox, make: Any) -> None:
    async def work(chat: Any) -> None:
        with pytest.raises(NetworkError, match=r"(?i)certificate"):
            await done(chat.me.show())

    client = make(api_url=tls_sandbox.url, token=tls_sandbox.token("alice"), max_retries=0)
    use(client, work)


@pytest.mark.parametrize("make", CLIENTS)
def test_a_sandbox_that_does_not_run(make: Any) -> None:
    with pytest.raises(RuntimeError, match="the sandbox is not running"):
        make(Sandbox(tls=True))
