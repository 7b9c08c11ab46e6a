"""Closing that was cut short is finished by closing again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from poolse import AsyncPoolse, ChannelClosed, Poolse, UsageError
from poolse.testing import Sandbox
from tests.realtime.sync_and_async import done


def test_a_cancelled_aclose_is_finished_by_the_next(sandbox: Sandbox) -> None:
    async def run() -> None:
        chat = AsyncPoolse(api_url=sandbox.url, token=sandbox.token("alice"))
        busy, release = asyncio.Event(), asyncio.Event()

        async def on_status(_: str) -> None:
            busy.set()
            await release.wait()

        await chat.me.show()
        chat.realtime.on_status(on_status)
        await chat.realtime.connect()
        await busy.wait()

        closing = asyncio.create_task(chat.aclose())
        await asyncio.sleep(0)  # it waits for the callback now
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        with pytest.raises(UsageError, match="closed"):
            await chat.me.show()

        release.set()
        await chat.aclose()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


def test_an_interrupted_close_is_finished_by_the_next(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    chat = Poolse(api_url=sandbox.url, token=sandbox.token("alice"))
    realtime = chat.realtime
    realtime.connect()
    with monkeypatch.context() as patch:
        patch.setattr(realtime, "close", interrupted)
        with pytest.raises(KeyboardInterrupt):
            chat.close()
    assert realtime.status != "closed"
    chat.close()
    assert realtime.status == "closed"


def test_closing_a_view_closes_nothing(sandbox: Sandbox) -> None:
    async def run() -> None:
        async with AsyncPoolse(api_url=sandbox.url, token=sandbox.token("alice")) as chat:
            await chat.with_options(timeout=5.0).aclose()
            await chat.me.show()

    asyncio.run(run())


@pytest.mark.parametrize("used", [False, True], ids=["unused", "used"])
@pytest.mark.parametrize("kind", [Poolse, AsyncPoolse], ids=["sync", "async"])
def test_after_closing_realtime_can_be_read_and_nothing_be_done(
    sandbox: Sandbox, kind: Any, used: bool
) -> None:
    async def run() -> None:
        chat = kind(api_url=sandbox.url, token=sandbox.token("alice"))
        conversation = (await done(chat.conversations.create(type="group"))).id
        live: Any = None
        events: Any = None
        known: Any = None
        if used:
            live = chat.realtime.conversation(conversation)
            events = live.events()
            await done(live.wait_joined())
            # The state, and the diff of our own arrival: presence is complete with both.
            for _ in range(2):
                await done(anext(events) if hasattr(events, "__anext__") else next(events))
            known = live.presence_state
            assert len(known) == 1
        await done(chat.close() if kind is Poolse else chat.aclose())

        realtime = chat.realtime
        assert realtime.status == "closed"
        assert realtime.dropped == 0
        assert "closed" in repr(realtime)
        assert chat.stats().realtime.status == "closed"
        if used:
            assert live.topic == f"conversation:{conversation}"
            assert live.presence_state == known, "as it was last known"
            assert repr(live).endswith("left>")
            assert events.dropped == 0
            with pytest.raises(ChannelClosed):
                await done(live.wait_joined())
            await done(live.leave())

        uses = (
            realtime.connect,
            lambda: realtime.conversation(conversation),
            lambda: realtime.on_status(print),
            lambda: chat.conversations.one(conversation).messages.follow(),
        )
        for use in uses:
            with pytest.raises(UsageError, match="closed"):
                await done(use())
        await done(realtime.disconnect())
        await done(realtime.leave(conversation))
        await done(realtime.close() if kind is Poolse else realtime.aclose())

    asyncio.run(run())
