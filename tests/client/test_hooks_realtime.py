"""The hook of realtime: what becomes of sockets and channels, told by either client."""

from __future__ import annotations

from typing import Any

import pytest

from poolse import ConnectionFailed, Hooks, JoinError, PoolseError
from poolse.testing import Sandbox
from tests.client.observed_clients import CLIENTS, Heard, carried_out, done, until


async def told(heard: Heard, event: str, count: int = 1) -> None:
    """Wait until it was told of so often."""
    await until(lambda: sum(info.event == event for info in heard.realtime) >= count)


@CLIENTS
def test_the_life_of_a_socket_and_a_channel(client: type[Any], sandbox: Sandbox) -> None:
    heard = Heard()

    async def scenario(chat: Any) -> None:
        made = await done(chat.conversations.create(type="group"))
        live = chat.realtime.conversation(made.id)
        await told(heard, "joined")
        sandbox.faults.drop_sockets(1001)
        await told(heard, "joined", 2)
        await done(live.leave())
        await done(chat.realtime.disconnect())
        await told(heard, "disconnected", 2)

    carried_out(client, sandbox, scenario, hooks=heard.hooks())
    events = [(info.event, info.socket) for info in heard.realtime]
    assert events == [
        (event, 1)
        for event in (
            *("connected", "joined", "disconnected", "trouble"),
            *("connected", "joined", "left", "disconnected"),
        )
    ]
    joined, trouble = heard.realtime[1], heard.realtime[3]
    assert str(joined.topic).startswith("conversation:")
    assert isinstance(trouble.error, ConnectionFailed)
    assert trouble.error.code == 1001


@CLIENTS
def test_a_refused_channel_is_left_with_its_error(client: type[Any], sandbox: Sandbox) -> None:
    heard = Heard()
    errors: list[PoolseError] = []

    async def scenario(chat: Any) -> None:
        chat.realtime.conversation("00000000-0000-4000-8000-000000000000")
        await told(heard, "left")

    options = {"hooks": heard.hooks(), "on_socket_error": errors.append}
    carried_out(client, sandbox, scenario, **options)
    (left,) = [info for info in heard.realtime if info.event == "left"]
    assert isinstance(left.error, JoinError)


@CLIENTS
def test_a_realtime_hook_that_raises_is_logged_and_reported_to_nobody(
    client: type[Any], sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    heard = Heard()
    errors: list[PoolseError] = []

    def broken(info: object) -> None:
        raise RuntimeError("no such gauge")

    async def scenario(chat: Any) -> None:
        await done(chat.realtime.connect())
        await told(heard, "connected")

    hooks = [Hooks(on_realtime=broken), heard.hooks()]
    carried_out(client, sandbox, scenario, hooks=hooks, on_socket_error=errors.append)
    assert "the hook on_realtime failed" in caplog.text
    assert errors == []
