"""`close` ends at once whatever is under way, says so, and nothing is sent after it."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from poolse import AsyncPoolse, AsyncPoolseBackend, Hooks, Poolse, PoolseBackend, UsageError
from tests.http.raw_server import Connection, RawServer, ReceivedRequest
from tests.http.sync_and_async_senders import ASIDE, in_thread

ID = "9a0c2d3e-1111-4222-8333-444455556601"


class Server:
    """Answers with 503, with where a file goes or is, or not at all."""

    def __init__(self) -> None:
        self.base = ""

    def __call__(self, connection: Connection, request: ReceivedRequest) -> None:
        path = request.line.split()[1]
        if path == "/v1/busy" or (self.is_busy and path == "/v1/users"):
            connection.answer(b"", "503 Service Unavailable", "Retry-After: 55\r\n")
        elif path.startswith("/v1/attachments"):
            url = f"{self.base}/bytes"
            place: dict[str, object] = {"url": url, "method": "PUT", "headers": {}}
            answer: dict[str, object] = {"attachment": {"id": ID}, "upload": place, "url": url}
            connection.answer(json.dumps(answer).encode())
        else:
            connection.hang()

    is_busy = False


@attrs.frozen
class Call:
    """A call, and how far it has come when the client is closed."""

    make: Callable[[Any], Any]
    """In the async client it gives a coroutine."""
    requests: int = 1
    """That the server has seen by then."""
    retries: bool = False
    """Whether it waits for another attempt by then."""
    backend: bool = False


def me(chat: Any, path: str = "/v1/me") -> Any:
    return chat.rest.request(method="GET", path=path)


CALLS = {
    "answer": Call(me),
    "view": Call(lambda chat: me(chat.with_options(max_retries=0))),
    "retry": Call(lambda chat: me(chat, "/v1/busy"), retries=True),
    "upload": Call(lambda chat: chat.attachments.upload(b"bytes", filename="a"), 2),
    "download": Call(lambda chat: chat.attachments.one(ID).download(), 2),
    "backend": Call(me, backend=True),
    "provider": Call(lambda backend: backend.token_provider("u-1")(), backend=True),
    "provider's retry": Call(
        lambda backend: backend.token_provider("u-1")(), retries=True, backend=True
    ),
}


class Stage:
    """A server, and the arguments of a client that talks to it."""

    def __init__(self, call: Call) -> None:
        behave = Server()
        behave.is_busy = call.retries
        self.call = call
        self.server = RawServer(behave)
        behave.base = self.server.base
        self.retried = threading.Event()
        # No time limit of the library's ends it either.
        self.options: dict[str, Any] = {
            "api_url": self.server.base,
            "timeout": None,
            "hooks": Hooks(on_retry=lambda _: self.retried.set()),
            **({"api_key": "k"} if call.backend else {"token": "t"}),
        }

    def arrived(self) -> None:
        """Block until the call has come as far as it shall."""
        for _ in range(self.call.requests):
            self.server.seen.get(timeout=ASIDE)
        if self.call.retries:
            assert self.retried.wait(ASIDE)

    def nothing_more_was_sent(self) -> None:
        """Whatever waits is let go; then nothing new has come."""
        accepted = self.server.accepted
        self.server.hang_up()
        assert self.server.seen.empty()
        assert self.server.accepted == accepted


def check(outcome: object) -> None:
    assert isinstance(outcome, UsageError), outcome
    assert "client" in str(outcome)
    assert "closed" in str(outcome)


@pytest.mark.parametrize("call", CALLS.values(), ids=list(CALLS))
def test_a_sync_call(call: Call) -> None:
    stage = Stage(call)
    with stage.server:
        client = (PoolseBackend if call.backend else Poolse)(**stage.options)
        under_way = in_thread(lambda: call.make(client))
        stage.arrived()
        client.close()
        check(under_way.outcome())
        stage.nothing_more_was_sent()


@pytest.mark.parametrize("call", CALLS.values(), ids=list(CALLS))
def test_an_async_call(call: Call) -> None:
    async def main() -> None:
        client = (AsyncPoolseBackend if call.backend else AsyncPoolse)(**stage.options)
        under_way = asyncio.create_task(call.make(client))
        await asyncio.to_thread(stage.arrived)
        await client.aclose()
        async with asyncio.timeout(ASIDE):
            outcomes = await asyncio.gather(under_way, return_exceptions=True)
        check(outcomes[0])
        await asyncio.to_thread(stage.nothing_more_was_sent)

    stage = Stage(call)
    with stage.server:
        asyncio.run(main())


def test_sync_calls_that_wait_for_a_connection() -> None:
    stage = Stage(CALLS["answer"])
    with stage.server:
        chat = Poolse(**stage.options, max_connections=1)
        calls = [in_thread(lambda: me(chat)) for _ in range(3)]
        stage.arrived()
        until = time.monotonic() + ASIDE
        while (pool := chat.stats().pool) is None or pool.waiting < 2:
            assert time.monotonic() < until
        chat.close()
        for call in calls:
            check(call.outcome())
        stage.nothing_more_was_sent()
        assert stage.server.accepted == 1


def test_async_calls_that_wait_for_a_connection() -> None:
    async def main() -> None:
        chat = AsyncPoolse(**stage.options, max_connections=1)
        calls = [asyncio.create_task(me(chat)) for _ in range(3)]
        await asyncio.to_thread(stage.arrived)
        while (pool := chat.stats().pool) is None or pool.waiting < 2:  # noqa: ASYNC110
            await asyncio.sleep(0)
        await chat.aclose()
        async with asyncio.timeout(ASIDE):
            for outcome in await asyncio.gather(*calls, return_exceptions=True):
                check(outcome)
        await asyncio.to_thread(stage.nothing_more_was_sent)

    stage = Stage(CALLS["answer"])
    with stage.server:
        asyncio.run(main())
    assert stage.server.accepted == 1


@pytest.mark.parametrize("what", ["token", "profile"])
def test_sync_calls_that_wait_for_what_another_fetches(what: str) -> None:
    asked, release = threading.Event(), threading.Event()

    def fetch(*_: object) -> None:
        asked.set()
        assert release.wait(ASIDE)

    chat = Poolse(api_url="http://127.0.0.1:9", get_token=fetch, user_resolver=fetch)
    call = {"token": lambda: me(chat), "profile": lambda: chat.users.get("ann")}[what]
    first = in_thread(call)
    assert asked.wait(ASIDE)
    second = in_thread(call)
    chat.close()
    check(second.outcome())
    release.set()
    # The thread that fetches comes back, sends nothing, and is told the same.
    outcome = first.outcome()
    if what == "profile":
        assert outcome is None
    else:
        check(outcome)


@pytest.mark.parametrize("what", ["token", "profile"])
def test_async_calls_that_wait_for_what_another_fetches(what: str) -> None:
    async def main() -> None:
        asked = asyncio.Event()

        async def fetch(*_: object) -> None:
            asked.set()
            await asyncio.Event().wait()

        chat = AsyncPoolse(api_url="http://127.0.0.1:9", get_token=fetch, user_resolver=fetch)
        call: Any = {"token": lambda: me(chat), "profile": lambda: chat.users.get("ann")}[what]
        calls = [asyncio.create_task(call()) for _ in range(2)]
        await asked.wait()
        await chat.aclose()
        async with asyncio.timeout(ASIDE):
            for outcome in await asyncio.gather(*calls, return_exceptions=True):
                check(outcome)

    asyncio.run(main())


def test_a_page_walk_and_a_view_of_a_closed_client_are_refused() -> None:
    chat = Poolse(api_url="http://127.0.0.1:9", token="t")
    view = chat.with_options(timeout=1)
    walk = chat.conversations.one(ID).messages.iter()
    chat.close()
    for call in (lambda: next(walk), lambda: me(view), lambda: view.users.get("ann")):
        with pytest.raises(UsageError, match="closed"):
            call()
