"""Cancel tokens: several of them on one call, and what a signal handler may do with one."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from poolse import AsyncPoolse, CallOptions, Cancelled, CancelToken, NetworkError, Poolse
from poolse._http import deadline as attempt
from poolse._http.deadline import NEVER, Deadline
from poolse._http.sync_sender import SyncSender
from poolse._realtime.public import wait_until
from poolse._realtime.sync_driver import Wakeup
from poolse._rest.request_io import run_sync
from poolse._support.interruptible_event import InterruptibleEvent
from poolse.cancel import any_of
from poolse.testing import Sandbox
from tests.http.raw_server import Connection, RawServer, ReceivedRequest
from tests.http.sync_and_async_senders import ASIDE, in_thread


def hang(connection: Connection, _: ReceivedRequest) -> None:
    connection.hang()


@pytest.mark.parametrize("number", [0, 1, 2])
def test_any_of_several_tokens_ends_a_call(number: int) -> None:
    tokens = [CancelToken() for _ in range(3)]
    with RawServer(hang) as server, Poolse(api_url=server.base, token="t") as chat:
        view = chat.with_options(cancel=tokens[0]).with_options(cancel=tokens[1])
        options = CallOptions(cancel=tokens[2])
        call = in_thread(lambda: view.me.show(options=options))
        server.seen.get(timeout=ASIDE)
        tokens[number].cancel()
        assert isinstance(call.outcome(), Cancelled)
        with pytest.raises(Cancelled):
            view.me.show(options=options)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_any_of_several_tokens_ends_an_async_call(number: int) -> None:
    async def main() -> None:
        tokens = [CancelToken() for _ in range(3)]
        async with AsyncPoolse(api_url=server.base, token="t") as chat:
            view = chat.with_options(cancel=tokens[0]).with_options(cancel=tokens[1])
            call = asyncio.create_task(view.me.show(options=CallOptions(cancel=tokens[2])))
            await asyncio.to_thread(server.seen.get, timeout=ASIDE)
            tokens[number].cancel()
            async with asyncio.timeout(ASIDE):
                with pytest.raises(Cancelled):
                    await call

    with RawServer(hang) as server:
        asyncio.run(main())


def test_a_token_of_several_forgets_its_callbacks() -> None:
    tokens = [CancelToken(), CancelToken()]
    both = any_of(*tokens)
    assert both is not None
    heard: list[str] = []
    forget = both.on_cancel(lambda: heard.append("forgotten"))
    forget()
    both.on_cancel(lambda: heard.append("kept"))
    tokens[1].cancel()
    assert heard == ["kept"]
    assert (both.cancelled, tokens[0].cancelled) == (True, False)
    assert any_of(None, None) is None
    for first, second in ((None, tokens[0]), (tokens[0], None), (tokens[0], tokens[0])):
        assert any_of(first, second) is tokens[0]


def test_all_callbacks_are_called_even_if_one_raises() -> None:
    token = CancelToken()
    heard: list[int] = []

    def fails() -> None:
        raise LookupError

    token.on_cancel(lambda: heard.append(1))
    token.on_cancel(fails)
    token.on_cancel(lambda: heard.append(2))
    with pytest.raises(LookupError):
        token.cancel()
    assert heard == [1, 2]
    token.cancel()
    assert heard == [1, 2]


@contextmanager
def interrupted_at_each_line(handler: Callable[[], object], *functions: Any) -> Generator[None]:
    """Run the handler before each line of these functions, as a signal could, and once a line."""
    codes = {function.__code__ for function in functions}
    seen: set[tuple[object, int]] = set()

    def trace(frame: Any, event: str, _: object) -> Any:
        if frame.f_code in codes:
            frame.f_trace_opcodes = True
            where = (frame.f_code, frame.f_lasti)
            if event == "opcode" and where not in seen:
                seen.add(where)
                handler()
            return trace
        return None

    before = sys.gettrace()  # that of `make coverage`
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


@pytest.mark.parametrize("step", range(60))
def test_a_callback_that_is_registered_while_a_handler_cancels_is_called_once(step: int) -> None:
    token, steps = CancelToken(), iter(range(1000))
    heard: list[int] = []

    def handler() -> None:
        if next(steps) == step:
            token.cancel()

    with interrupted_at_each_line(handler, CancelToken.on_cancel):
        token.on_cancel(lambda: heard.append(1))
    if not token.cancelled:
        # The handler waits for a later step than there are.
        token.cancel()
    assert heard == [1]


def waits() -> dict[str, Callable[[CancelToken], object]]:
    """Everything in the sync client that waits and that a token ends."""
    sender = SyncSender()

    def outcome(token: CancelToken) -> object:
        with Deadline(None, token) as running:
            return running.outcome(Future[None](), NEVER)

    def on_socket(token: CancelToken) -> object:
        ours, theirs = socket.socketpair()
        with ours, theirs, Deadline(None, token) as running:
            return running.wait_for(ours, 1, NEVER)

    def in_bell(token: CancelToken) -> object:
        client: Any = SimpleNamespace(lock=threading.RLock(), clock=time.monotonic)
        return wait_until(client, Wakeup(), lambda: False, None, token)

    return {
        "sleep": lambda token: run_sync(sender.sleep(60.0, token)),
        "outcome": outcome,
        "socket": on_socket,
        "realtime": in_bell,
    }


INSIDE: Any = attempt

WATCHED: list[Any] = [
    CancelToken.on_cancel,
    InterruptibleEvent.wait,
    InterruptibleEvent.set,
    SyncSender.sleep,
    Deadline.check,
    Deadline.outcome,
    Deadline.wait_for,
    INSIDE.Deadline._waker,
    INSIDE.Deadline._left,
    Deadline.__exit__,
    INSIDE._Wakeup.__init__,
    INSIDE._Wakeup.close,
    INSIDE._Wakeup.set,
    wait_until,
    Wakeup.wait,
    Wakeup.set,
]


@pytest.mark.parametrize("name", list(waits()))
def test_a_handler_that_cancels_at_any_step_of_a_wait_ends_it(name: str) -> None:
    """At each step in turn: nothing hangs on a lock, and no cancellation is overlooked."""

    def one(step: int) -> bool:
        token, steps, done = CancelToken(), iter(range(10_000)), threading.Event()

        def handler() -> None:
            if next(steps) == step:
                token.cancel()
                done.set()

        def call() -> None:
            with interrupted_at_each_line(handler, *WATCHED):
                waits()[name](token)

        wait = in_thread(call)
        reached = done.wait(1.0)
        if not reached:
            # It blocks already, after fewer steps.
            token.cancel()
        assert isinstance(wait.outcome(), Cancelled)
        return reached

    step = 0
    while one(step):
        step += 1
    assert step > 10


def test_a_signal_ends_a_call_of_the_main_thread() -> None:
    token = CancelToken()
    with RawServer(hang) as server, Poolse(api_url=server.base, token="t") as chat:

        def handler(*_: object) -> None:
            token.cancel()

        before = signal.signal(signal.SIGUSR1, handler)

        def interrupt() -> None:
            server.seen.get(timeout=ASIDE)
            os.kill(os.getpid(), signal.SIGUSR1)

        try:
            other = in_thread(interrupt)
            with pytest.raises(Cancelled):
                chat.me.show(options=CallOptions(cancel=token))
            other.outcome()
        finally:
            signal.signal(signal.SIGUSR1, before)


def answers_a(connection: Connection, request: ReceivedRequest) -> None:
    if "/v1/a" in request.line:
        connection.answer(b"{}")
    else:
        connection.hang()


@contextmanager
def no_descriptors_left() -> Generator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = max(int(path.name) for path in Path("/proc/self/fd").iterdir())
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + 1, hard))
    held: list[int] = []
    try:
        with pytest.raises(OSError, match="Too many open files"):
            held.extend(os.dup(0) for _ in range(10_000))
        yield
    finally:
        for descriptor in held:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("kept", ["new", "open"])
def test_without_descriptors_a_token_makes_no_raw_error(kept: str) -> None:
    """Neither when a connection has to be opened, nor when there is one and only the wait fails."""
    with RawServer(answers_a) as server:
        chat = Poolse(api_url=server.base, token="t", max_retries=0)
        view = chat.with_options(cancel=CancelToken())
        view.rest.request(method="GET", path="/v1/a")
        if kept == "new":
            chat.close()
            # Otherwise the server may free a descriptor later, for which none shall be left.
            assert server.connections_closed.acquire(timeout=10)
            chat = Poolse(api_url=server.base, token="t", max_retries=0)
            view = chat.with_options(cancel=CancelToken())
        with no_descriptors_left(), pytest.raises(NetworkError, match="Too many open files"):
            view.rest.request(method="GET", path="/v1/b")
        assert view.rest.request(method="GET", path="/v1/a") == {}
        chat.close()


def test_without_threads_a_given_client_is_used_in_the_callers_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def start(_: object) -> None:
        raise RuntimeError("can't start new thread")

    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={"a": 1}))
    with httpx.Client(transport=transport) as http:
        chat = Poolse(api_url="http://api.test", token="t", http_client=http)
        monkeypatch.setattr(threading.Thread, "start", start)
        view = chat.with_options(cancel=CancelToken())
        assert view.rest.request(method="GET", path="/v1/a") == {"a": 1}


def test_a_sleep_lasts_as_long_as_it_is_asked_to() -> None:
    sender, began = SyncSender(), time.monotonic()
    run_sync(sender.sleep(0.02, None))
    run_sync(sender.sleep(0.02, CancelToken()))
    assert time.monotonic() - began >= 0.04
    assert not InterruptibleEvent().wait(0.0)


def test_the_token_of_a_view_ends_a_feed_too(sandbox: Sandbox) -> None:
    tokens = [CancelToken() for _ in range(2)]
    with Poolse(api_url=sandbox.url, token=sandbox.token("alice")) as chat:
        key = chat.conversations.create(type="group").id
        for number, token in enumerate(tokens):
            view = chat.with_options(cancel=token)
            own = CancelToken()
            feeds = [
                view.follow([key], cancel=own),
                view.conversations.one(key).messages.follow(cancel=own),
            ]
            (token if number == 0 else own).cancel()
            for feed in feeds:
                with pytest.raises(Cancelled), feed:
                    next(feed)


def test_the_token_of_a_view_ends_an_async_feed_too(sandbox: Sandbox) -> None:
    async def main() -> None:
        async with AsyncPoolse(api_url=sandbox.url, token=sandbox.token("alice")) as chat:
            key = (await chat.conversations.create(type="group")).id
            for number in range(2):
                token, own = CancelToken(), CancelToken()
                view = chat.with_options(cancel=token)
                feeds = [
                    view.follow([key], cancel=own),
                    view.conversations.one(key).messages.follow(cancel=own),
                ]
                (own if number else token).cancel()
                for feed in feeds:
                    with pytest.raises(Cancelled):
                        async with feed:
                            await anext(feed)

    asyncio.run(main())
