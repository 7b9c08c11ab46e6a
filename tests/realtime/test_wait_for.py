"""`wait_for`, `chat.realtime.me()`: one event, one's own channel; in both flavours."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from poolse import (
    Cancelled,
    CancelToken,
    ChannelClosed,
    MessageNew,
    PushTimeout,
    TypingStart,
    UsageError,
)
from poolse.testing import Sandbox
from tests.realtime.sync_and_async import FLAVOURS, Flavour, Log, done
from tests.realtime.typed_clients import chat


def is_two(message: MessageNew) -> bool:
    return message.body == "two"


EVERYWHERE = pytest.mark.parametrize("flavour", FLAVOURS, ids=["sync", "async"])


@EVERYWHERE
def test_the_first_event_that_fits(flavour: Flavour, sandbox: Sandbox) -> None:
    async def main() -> None:
        async with chat(flavour, sandbox, "alice") as alice:
            room = await done(alice.conversations.create(type="group"))
            live = alice.realtime.conversation(room.id)
            await done(live.wait_joined())
            send = alice.conversations.one(room.id).messages.send

            def wait() -> Any:
                return live.wait_for(MessageNew, is_two, timeout=10)

            if flavour is FLAVOURS[0]:
                task = asyncio.create_task(asyncio.to_thread(wait))
            else:
                task = asyncio.create_task(wait())
            while not task.done():
                # Until the wait has begun, an event is none of its own.
                await done(send("one"))
                await done(send("two"))
                await asyncio.sleep(0)
            assert (await task).body == "two"

    asyncio.run(main())


@EVERYWHERE
def test_no_event_in_time(flavour: Flavour, sandbox: Sandbox) -> None:
    async def main() -> None:
        async with chat(flavour, sandbox, "alice") as alice:
            room = await done(alice.conversations.create(type="group"))
            live = alice.realtime.conversation(room.id)
            await done(live.wait_joined())
            with pytest.raises(
                PushTimeout, match=r"no TypingStart of conversation:.* within 0.1 s"
            ):
                await done(live.wait_for(TypingStart, timeout=0.1))
            token = CancelToken()
            token.cancel()
            with pytest.raises(Cancelled):
                await done(live.wait_for(TypingStart, cancel=token))
            with pytest.raises(UsageError, match="predicate must be a function"):
                await done(live.wait_for(TypingStart, 7))
            await done(live.leave())
            with pytest.raises(ChannelClosed):
                await done(live.wait_for(TypingStart))

    asyncio.run(main())


@EVERYWHERE
def test_ones_own_channel(flavour: Flavour, sandbox: Sandbox) -> None:
    async def main() -> None:
        async with chat(flavour, sandbox, "alice") as alice:
            own = await done(alice.realtime.me())
            assert own == alice.realtime.user(sandbox.user_id("alice"))
        async with chat(flavour, sandbox, "alice", token="x.eyJhIjoxfQ.x") as stranger:
            with pytest.raises(UsageError, match=r"pass the ID to user\(\)"):
                await done(stranger.realtime.me())

    asyncio.run(main())


@EVERYWHERE
def test_typing_is_repeated_while_a_block_runs(
    flavour: Flavour, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushed: list[str] = []

    async def main() -> None:
        async with (
            chat(flavour, sandbox, "alice") as alice,
            chat(flavour, sandbox, "bob") as bob,
        ):
            sandbox.user_id("bob")
            create = alice.conversations.create
            room = await done(create(type="direct", member_external_ids=["bob"]))
            live = alice.realtime.conversation(room.id)
            await done(live.wait_joined())
            log = Log()
            other = bob.realtime.conversation(room.id)
            other.on_typing_start(log.append)
            await done(other.wait_joined())
            with live.typing() as repeated:
                monkeypatch.setattr(repeated, "_every", 0.01)
                # The server notifies the others as long as pushes come.
                await log.reach(2)
            if flavour is not FLAVOURS[0]:
                async with live.typing():
                    pushed.append("entered")
            await done(live.leave())
            with pytest.raises(ChannelClosed), live.typing():
                pushed.append("never")

    asyncio.run(main())
    assert pushed == ([] if flavour is FLAVOURS[0] else ["entered"])
