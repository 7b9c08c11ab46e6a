"""An async client works in one event loop at a time, says so, and in the next one afterwards."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import os
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import httpx
import pytest

from poolse import AsyncPoolse, NetworkError, Poolse, UsageError
from poolse.testing import Sandbox
from tests.architecture.tree import ROOT
from tests.concurrency.fork_helpers import FORK, connected_to, in_child
from tests.concurrency.hanging_servers import ANSWER, FINE
from tests.http.raw_server import Connection, RawServer, ReceivedRequest, answer_with


@pytest.fixture
def chat(tls_sandbox: Sandbox) -> AsyncPoolse:
    token = tls_sandbox.token("alice")

    async def get_token() -> str:
        return token

    context = tls_sandbox.ssl_context()
    return AsyncPoolse(api_url=tls_sandbox.url, get_token=get_token, ssl_context=context)


async def listen(chat: AsyncPoolse, id: str) -> str:
    async with chat.realtime.conversation(id) as live:
        events = live.events()
        sent = await chat.conversations.one(id).messages.send(body="hello")
        async for event in events:
            if event == sent:
                return chat.realtime.status
    raise AssertionError("it did not come")


SCRIPT = """
import asyncio, ssl, sys
from poolse import AsyncPoolse, UsageError

url, token, ca = sys.argv[1:]
chat = AsyncPoolse(
    api_url=url, get_token=lambda: token, ssl_context=ssl.create_default_context(cafile=ca)
)

async def everything():
    me = await chat.me.show()
    made = await chat.conversations.create(type="group")
    messages = chat.conversations.one(made.id).messages
    live = chat.realtime.conversation(made.id)
    await live.wait_joined()
    sent = await messages.send(body="hello")
    async with messages.follow(after="beginning") as feed:
        item = await anext(feed)
    print(me.external_id, chat.realtime.status, item.message == sent)

for _ in range(3):
    asyncio.run(everything())
asyncio.run(chat.aclose())
try:
    asyncio.run(everything())
except UsageError as error:
    print(error)
"""


def test_three_runs_in_a_row(tls_sandbox: Sandbox) -> None:
    """In a process of its own: what each run leaves for the next would be a leak here."""
    arguments = [tls_sandbox.url, tls_sandbox.token("alice"), str(tls_sandbox.ca_file)]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=60,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["alice connected True"] * 3 + [
        "this client is closed; create a new one"
    ]


def elsewhere(work: Callable[[], Awaitable[object]]) -> Any:
    """What it raises in another loop, in another thread."""
    found: list[BaseException] = []

    async def run() -> None:
        await work()

    def target() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:
            found.append(error)

    thread = threading.Thread(target=target)
    thread.start()
    thread.join()
    return found[0] if found else None


async def connect(chat: AsyncPoolse) -> None:
    await chat.realtime.connect()


async def conversation(chat: AsyncPoolse) -> None:
    chat.realtime.conversation("x")


USES: list[Callable[[AsyncPoolse], Awaitable[object]]] = [
    lambda chat: chat.me.show(),
    lambda chat: chat.attachments.upload(b"x"),
    lambda chat: anext(chat.conversations.one("x").messages.iter()),
    lambda chat: anext(chat.follow()),
    lambda chat: chat.aclose(),
    connect,
    conversation,
]


@pytest.mark.parametrize("use", USES)
def test_a_second_loop_beside_the_first_is_reported(
    chat: AsyncPoolse, use: Callable[[AsyncPoolse], Awaitable[object]]
) -> None:
    async def first() -> None:
        made = await chat.conversations.create(type="group")
        await chat.realtime.conversation(made.id).wait_joined()
        error = await asyncio.to_thread(elsewhere, lambda: use(chat))
        assert isinstance(error, UsageError)
        assert "another event loop; create one per loop" in str(error)
        # Nobody has touched what is open here.
        assert await listen(chat, made.id) == "connected"
        await chat.aclose()

    asyncio.run(first())


@pytest.mark.parametrize("method", ["wait_joined", "push", "leave", "send_typing"])
def test_a_handle_of_the_first_loop_is_no_use_in_the_second(chat: AsyncPoolse, method: str) -> None:
    async def first() -> None:
        made = await chat.conversations.create(type="group")
        live = chat.realtime.conversation(made.id)
        await live.wait_joined()
        arguments = ["x"] if method == "push" else []
        error = await asyncio.to_thread(elsewhere, lambda: getattr(live, method)(*arguments))
        assert isinstance(error, UsageError)
        assert "another event loop" in str(error)
        await chat.aclose()
        handles.append(live)

    handles: list[Any] = []
    asyncio.run(first())
    assert "is over" in str(elsewhere(lambda: handles[0].wait_joined()))


def test_a_given_client_is_not_taken_to_a_second_loop_either() -> None:
    async def first() -> None:
        async with httpx.AsyncClient() as http:
            with RawServer(answer_with(ANSWER)) as server:
                chat = AsyncPoolse(api_url=server.base, token="t", http_client=http)
                assert await chat.rest.request(method="GET", path="/x") == FINE
                error = await asyncio.to_thread(elsewhere, lambda: chat.me.show())
                assert isinstance(error, UsageError)
                await chat.aclose()

    asyncio.run(first())


def test_the_status_can_be_asked_for_outside_of_any_loop(chat: AsyncPoolse) -> None:
    async def run() -> None:
        await chat.realtime.connect()
        assert await asyncio.to_thread(lambda: chat.realtime.status) != "idle"
        await chat.aclose()

    asyncio.run(run())


class TestForks:
    """What the parent has open in its loop is not touched by the child."""

    pytestmark = FORK

    def test_a_child_of_a_running_loop_makes_its_own(self) -> None:
        with RawServer(answer_with(ANSWER)) as server:
            chat = AsyncPoolse(api_url=server.base, token="t")

            async def get() -> object:
                return await chat.rest.request(method="GET", path="/x")

            def work() -> object:
                gc.collect()
                return asyncio.run(get()), asyncio.run(get())

            async def parent() -> None:
                assert await get() == FINE
                assert in_child(work) == (FINE, FINE)
                assert await get() == FINE
                assert connected_to(server.port) == 1
                await chat.aclose()

            asyncio.run(parent())
            # One of the parent, and one of each loop of the child.
            assert server.accepted == 3

    def test_realtime_of_the_parent_is_not_inherited(self, chat: AsyncPoolse) -> None:
        async def use() -> None:
            chat.realtime.conversation("x")

        def work() -> str:
            with pytest.raises(UsageError) as caught:
                asyncio.run(use())
            return str(caught.value)

        async def parent() -> None:
            made = await chat.conversations.create(type="group")
            await chat.realtime.conversation(made.id).wait_joined()
            assert "does not survive a fork" in in_child(work)
            assert await listen(chat, made.id) == "connected"
            await chat.aclose()

        asyncio.run(parent())


def test_first_calls_at_once_in_a_second_loop_open_one_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[aiohttp.ClientSession] = []
    begin = aiohttp.ClientSession.__init__

    def init(self: Any, **options: Any) -> None:
        made.append(self)
        begin(self, **options)

    async def gives_way(self: Any) -> None:
        await asyncio.sleep(0)
        await close(self)

    close = aiohttp.ClientSession.close
    monkeypatch.setattr(aiohttp.ClientSession, "__init__", init)
    monkeypatch.setattr(aiohttp.ClientSession, "close", gives_way)

    async def three() -> None:
        await asyncio.gather(*(get(chat) for _ in range(3)))

    async def last() -> None:
        await three()
        await chat.aclose()

    # Connections that the first loop leaves open are no matter here.
    with RawServer(answer_with(b"{}", fields="Connection: close\r\n")) as server:
        chat = AsyncPoolse(api_url=server.base, token="t")
        asyncio.run(three())
        asyncio.run(last())
    assert len(made) == 2
    assert all(session.closed for session in made)


def test_a_call_leaves_nothing_in_the_context_of_its_task() -> None:
    async def main() -> None:
        async with AsyncPoolse(api_url=server.base, token="t") as chat:
            before = {var: var.get(None) for var in contextvars.copy_context()}
            await get(chat)
            with pytest.raises(NetworkError):
                await get(chat.with_options(max_retries=0), "/gone")
            after = contextvars.copy_context()
            assert {var: after[var] for var in after if var not in before} == {}
            assert all(after[var] is value for var, value in before.items())

    def behave(connection: Connection, request: ReceivedRequest) -> None:
        if "/gone" in request.line:
            connection.drop()
        else:
            connection.answer(b"{}")

    with RawServer(behave) as server:
        asyncio.run(main())
        before = list(contextvars.copy_context().items())
        with Poolse(api_url=server.base, token="t") as chat:
            chat.rest.request(method="GET", path="/x")
        assert list(contextvars.copy_context().items()) == before


async def get(chat: AsyncPoolse, path: str = "/x") -> object:
    return await chat.rest.request(method="GET", path=path)
