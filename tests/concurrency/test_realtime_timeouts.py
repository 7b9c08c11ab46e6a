"""Each time limit of realtime ends what it is for, and its error says how to change it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest

from poolse import AsyncPoolse, ConnectionFailed, PoolseError, PushTimeout, Timeout
from poolse._realtime.client import client_of
from poolse.testing import Sandbox
from tests.concurrency.hanging_servers import Names
from tests.concurrency.realtime_scenarios import FLAVOURS, LIMIT, Flavour, aside, connected, play
from tests.realtime.sync_and_async import Log

CONNECT = "no response within 0.1 s (connect timeout); raise it with timeout=Timeout(connect=...)"


@FLAVOURS
def test_a_join(flavour: Flavour, sandbox: Sandbox) -> None:
    async def scenario() -> None:
        async with connected(flavour, sandbox) as chat:
            made = await aside(flavour, lambda: chat.conversations.create(type="group"))
            sandbox.faults.mute()
            live = chat.realtime.conversation(made.id)
            with pytest.raises(PushTimeout, match=r"within 0\.1 s \(join timeout\)") as caught:
                await aside(flavour, lambda: live.wait_joined(timeout=0.1))
            assert isinstance(caught.value, TimeoutError)
            assert str(caught.value).endswith("wait longer with wait_joined(timeout=...)")
            sandbox.faults.unmute()

    play(scenario)


@FLAVOURS
def test_a_push(flavour: Flavour, sandbox: Sandbox) -> None:
    async def scenario() -> None:
        async with connected(flavour, sandbox) as chat:
            made = await aside(flavour, lambda: chat.conversations.create(type="group"))
            live = chat.realtime.conversation(made.id)
            await aside(flavour, live.wait_joined)
            sandbox.faults.mute()
            with pytest.raises(PushTimeout, match=r"no reply to x of .*push timeout") as caught:
                await aside(flavour, lambda: live.push("x", timeout=0.1))
            assert str(caught.value).endswith("wait longer with push(..., timeout=...)")
            sandbox.faults.unmute()

    play(scenario)


async def reported(flavour: Flavour, url: str, timeout: Timeout | float | None) -> PoolseError:
    """The first error of realtime there."""
    errors = Log()
    arguments: dict[str, Any] = {"api_url": url, "token": "t", "on_socket_error": errors.append}
    chat: Any = flavour(**arguments, timeout=timeout)
    try:
        chat.realtime.conversation("x")
        found: list[PoolseError] = await errors.until(len)
        return found[0]
    finally:
        if flavour is AsyncPoolse:
            await chat.aclose()
        else:
            chat.close()


@FLAVOURS
def test_a_handshake_that_is_not_answered(flavour: Flavour) -> None:
    async def scenario() -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            error = await reported(flavour, url, Timeout(connect=0.1))
        assert isinstance(error, ConnectionFailed)
        assert CONNECT in str(error)

    play(scenario)


@FLAVOURS
def test_looking_up_the_name(flavour: Flavour, monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names(monkeypatch, lambda: 9)

    async def scenario() -> None:
        try:
            error = await reported(flavour, "http://slow.example", Timeout(connect=0.1))
        finally:
            names.answer.set()
        assert CONNECT in str(error)

    play(scenario)


@FLAVOURS
def test_closing_waits_for_no_name(flavour: Flavour, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would wait five seconds for whoever does not end."""
    names = Names(monkeypatch, lambda: 9)
    waited: list[str] = []

    async def scenario() -> None:
        chat: Any = flavour(api_url="http://slow.example", token="t", timeout=None)
        chat.realtime.conversation("x")
        assert await asyncio.to_thread(names.asked.wait, LIMIT)
        close: Callable[[], Any] = chat.aclose if flavour is AsyncPoolse else chat.close
        async with asyncio.timeout(4.0):
            await aside(flavour, close)
        waited.append("no")
        names.answer.set()

    play(scenario)
    assert waited == ["no"]


@pytest.mark.parametrize(
    ("timeout", "seconds"),
    [(30.0, 10.0), (Timeout(), 10.0), (Timeout(connect=2.0), 2.0), (None, float("inf"))],
)
@FLAVOURS
def test_what_a_socket_has_to_be_opened(
    flavour: Flavour, timeout: Timeout | float | None, seconds: float
) -> None:
    async def scenario() -> None:
        chat: Any = flavour(api_url="http://127.0.0.1:9", token="t", timeout=timeout)
        assert client_of(chat.realtime).settings.connect_timeout == seconds

    play(scenario)


@FLAVOURS
def test_no_limit_at_all(flavour: Flavour, sandbox: Sandbox) -> None:
    async def scenario() -> None:
        async with connected(flavour, sandbox, timeout=None) as chat:
            made = await aside(flavour, lambda: chat.conversations.create(type="group"))
            await aside(flavour, lambda: chat.realtime.conversation(made.id).wait_joined(None))

    play(scenario)
