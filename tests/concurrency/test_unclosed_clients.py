"""A client that nobody closes says so once, sends nothing, and holds up nobody."""

from __future__ import annotations

import ast
import asyncio
import gc
import os
import ssl
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from poolse import AsyncPoolse, AsyncPoolseBackend, Poolse, PoolseBackend
from poolse.testing import Sandbox
from tests.architecture.tree import ROOT, hand_written
from tests.concurrency.hanging_servers import ANSWER, FINE
from tests.http.raw_server import RawServer, answer_with
from tests.http.sync_and_async_senders import ASIDE

SYNC = "unclosed {0}: `with {0}(...) as {1}:` closes it, or {1}.close()"
ASYNC = "unclosed {0}: `async with {0}(...) as {1}:` closes it, or await {1}.aclose()"

KINDS: list[tuple[Any, str]] = [
    (Poolse, SYNC.format("Poolse", "chat")),
    (PoolseBackend, SYNC.format("PoolseBackend", "backend")),
    (AsyncPoolse, ASYNC.format("AsyncPoolse", "chat")),
    (AsyncPoolseBackend, ASYNC.format("AsyncPoolseBackend", "backend")),
]


CREDENTIALS: dict[Any, dict[str, Any]] = {
    kind: {"api_key" if "Backend" in kind.__name__ else "token": "t"} for kind, _ in KINDS
}


@pytest.fixture
def server(server_tls: ssl.SSLContext) -> Iterator[RawServer]:
    with RawServer(answer_with(ANSWER), server_tls) as wire:
        yield wire


def complaints(work: Callable[[], object]) -> list[str]:
    """What is said of unclosed things until all that the work leaves is collected."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        work()
        gc.collect()
    return [str(warning.message) for warning in caught]


def get(chat: Any) -> Any:
    return chat.rest.request(method="GET", path="/x")


@pytest.mark.parametrize(("kind", "complaint"), KINDS)
def test_it_is_reported_once_and_what_to_do(
    kind: Any, complaint: str, server: RawServer, client_tls: ssl.SSLContext
) -> None:
    known = {**CREDENTIALS[kind], "api_url": server.base, "ssl_context": client_tls}

    def make() -> Any:
        return kind(**known)

    def forget() -> None:
        assert get(make()) == FINE

    async def forget_async() -> None:
        assert await get(make()) == FINE
        # Collected by another thread, which has no business in this loop.
        await asyncio.to_thread(gc.collect)
        # The loop lets go of the connection in its own time.
        assert await asyncio.to_thread(server.connections_closed.acquire, timeout=ASIDE)

    if not kind.__name__.startswith("Async"):
        assert complaints(forget) == [complaint]
        assert server.connections_closed.acquire(timeout=ASIDE)
    else:
        assert complaints(lambda: asyncio.run(forget_async())) == [complaint]


@pytest.mark.parametrize(("kind", "complaint"), KINDS)
def test_one_that_has_opened_nothing_says_nothing(kind: Any, complaint: str) -> None:
    assert complaints(lambda: kind(**CREDENTIALS[kind])) == []


def test_a_closed_one_says_nothing(server: RawServer, client_tls: ssl.SSLContext) -> None:
    def use() -> None:
        with Poolse(api_url=server.base, token="t", ssl_context=client_tls) as chat:
            get(chat)

    async def use_async() -> None:
        async with AsyncPoolse(api_url=server.base, token="t", ssl_context=client_tls) as chat:
            await get(chat)

    assert complaints(use) == []
    assert complaints(lambda: asyncio.run(use_async())) == []


def test_a_view_and_a_walk_keep_the_connections(sandbox: Sandbox) -> None:
    def make() -> Poolse:
        return Poolse(api_url=sandbox.url, token=sandbox.token("alice"))

    with make() as chat:
        made = chat.conversations.create(type="group")
        for number in range(5):
            chat.conversations.one(made.id).messages.send(body=str(number))

    def use() -> None:
        view = make().with_options(timeout=9.0)
        gc.collect()
        assert view.me.show().external_id == "alice"
        del view
        rows = make().conversations.one(made.id).messages.iter(limit=2)
        for expected in ("4", "3", "2", "1", "0"):
            gc.collect()
            assert next(rows).body == expected

    assert complaints(use) == [SYNC.format("Poolse", "chat")] * 2


def test_no_finalizer_does_anything() -> None:
    """`__del__` is called at any moment, by any thread."""
    found = [
        node
        for path in hand_written("poolse")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name == "__del__"
    ]
    # Only where one that does something has to be silenced.
    assert [len(ast.get_docstring(node) or "") > 0 for node in found] == [True]
    assert [len(node.body) for node in found] == [1]


HEAD = """
import asyncio, socket, ssl, sys, threading, time
from poolse import AsyncPoolse, CallOptions, Cancelled, CancelToken, Poolse, Timeout
url, token, ca, silent = sys.argv[1:]
trust = ssl.create_default_context(cafile=ca)
known = {"api_url": url, "token": token, "ssl_context": trust}
"""

SCRIPTS = {
    "sync": """
chat = Poolse(**known)
made = chat.conversations.create(type="group")
live = chat.realtime.conversation(made.id)
live.on_typing_start(print)
live.wait_joined()
messages = chat.conversations.one(made.id).messages
feed = messages.follow(after="beginning")
messages.send(body="x")
threading.Thread(target=list, args=[messages.follow()], daemon=True).start()
threading.Thread(target=list, args=[live.events()], daemon=True).start()
print(next(feed).message.body)
""",
    "async": """
async def main():
    global chat, kept
    chat = AsyncPoolse(**known)
    made = await chat.conversations.create(type="group")
    live = chat.realtime.conversation(made.id)
    live.on_typing_start(print)
    await live.wait_joined()
    messages = chat.conversations.one(made.id).messages
    feed = messages.follow(after="beginning")
    await messages.send(body="x")
    async def listen():
        async for event in live.events():
            pass
    kept = asyncio.create_task(listen())
    print((await anext(feed)).message.body)
asyncio.run(main())
""",
    "a name that is not found": """
ask = socket.getaddrinfo
def never(host, *arguments, **more):
    if host == "slow.example" and not more.get("flags"):
        threading.Event().wait()
    return ask(host, *arguments, **more)
socket.getaddrinfo = never
slow = Poolse(api_url="http://slow.example", token="t", timeout=Timeout(0.1), max_retries=0)
async def main():
    async with AsyncPoolse(api_url="http://slow.example", token="t") as chat:
        async with asyncio.timeout(0.1):
            await chat.me.show()
for attempt in (slow.me.show, lambda: asyncio.run(main())):
    try:
        attempt()
    except TimeoutError:
        pass
slow.realtime.connect()
print("x")
""",
    "a given client": """
import httpx
stop = CancelToken()
chat = Poolse(api_url=silent, token="t", http_client=httpx.Client(timeout=None), timeout=None)
threading.Timer(0.1, stop.cancel).start()
try:
    chat.me.show(options=CallOptions(cancel=stop))
except Cancelled:
    print("x")
""",
}

COMPLAINTS = {
    "sync": [SYNC.format("Poolse", "chat")],
    "async": [ASYNC.format("AsyncPoolse", "chat")],
    "a name that is not found": [SYNC.format("Poolse", "chat")],
    "a given client": [],
}


@pytest.mark.parametrize("kind", SCRIPTS)
def test_a_script_that_forgets_it_ends(kind: str, tls_sandbox: Sandbox) -> None:
    arguments = [tls_sandbox.url, tls_sandbox.token("alice"), str(tls_sandbox.ca_file)]
    with RawServer(lambda connection, _: connection.hang()) as silent:
        done = subprocess.run(
            [sys.executable, "-W", "always", "-c", HEAD + SCRIPTS[kind], *arguments, silent.base],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            # What held it up would do so for ever.
            timeout=60,
            text=True,
            check=False,
        )
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "x"
    # Those of a loop that is closed before its connections, asyncio complains of.
    lines = [line for line in done.stderr.splitlines() if "unclosed transport" not in line]
    said = [line for line in lines if "nclosed" in line]
    assert [line.partition("ResourceWarning: ")[2] for line in said] == COMPLAINTS[kind]
