"""When a feed is live, and how a signal handler ends it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest

from poolse import (
    BadRequestError,
    ChannelClosed,
    ConnectionFailed,
    JoinError,
    MemoryCheckpoint,
    Poolse,
    Position,
    PushTimeout,
)
from poolse.testing import Sandbox, async_client_for, client_for
from tests.follow.sync_and_async_feeds import Play, Talk, done, opened


@pytest.mark.parametrize("many", [False, True])
def test_a_feed_that_has_started_is_in_its_channels(play: Play, many: bool) -> None:
    async def scenario(talk: Talk) -> None:
        feed = talk.bot.follow(skip_own=True) if many else talk.follow()
        async with opened(feed):
            await done(feed.wait_started(10))
            expected = {f"conversation:{talk.id}"}
            if many:
                expected |= {f"user:{talk.sandbox.user_id('bot')}"}
            assert expected <= set(talk.sandbox.joins)
            talk.say("1")
            assert await talk.take(feed, 1) == ["1"]
            await done(feed.wait_started(0))

    play(scenario)


def test_it_can_be_waited_for_beside_the_iteration(play: Play) -> None:
    async def scenario(talk: Talk) -> None:
        feed = talk.follow()
        first = asyncio.create_task(talk.next(feed))
        await wait_started(feed)
        talk.say("1")
        assert (await first).message.body == "1"

    play(scenario)


async def wait_started(feed: Any, timeout: float = 10.0) -> None:
    """Wait without blocking the loop, in either flavour."""
    if hasattr(feed, "aclose"):
        await feed.wait_started(timeout)
    else:
        await asyncio.to_thread(feed.wait_started, timeout)


def test_the_timeout_says_what_is_missing(play: Play) -> None:
    async def scenario(talk: Talk) -> None:
        feed = talk.follow()
        with pytest.raises(PushTimeout, match="it has not begun"):
            await done(feed.wait_started(0.01))
        talk.sandbox.faults.refuse_handshakes(503, times=1000)
        async with opened(feed):
            with pytest.raises(PushTimeout, match="not all its channels are joined"):
                await done(feed.wait_started(0.01))
            talk.sandbox.faults.clear()
            await done(feed.wait_started(10))

    play(scenario)


@pytest.mark.parametrize("many", [False, True])
def test_what_ended_it_is_raised(play: Play, many: bool) -> None:
    async def scenario(talk: Talk) -> None:
        talk.sandbox.faults.refuse_handshakes(404, times=1000)
        feed = talk.bot.follow() if many else talk.follow()
        async with opened(feed):
            with pytest.raises(ConnectionFailed, match="404"):
                await done(feed.wait_started(10))

    play(scenario)


def test_a_refused_channel_is_raised_if_there_is_no_other(play: Play) -> None:
    async def scenario(talk: Talk) -> None:
        talk.sandbox.faults.refuse_joins("unauthorized", times=9)
        async with opened(talk.follow()) as feed:
            with pytest.raises(JoinError, match="unauthorized"):
                await done(feed.wait_started(10))
        talk.sandbox.faults.clear()
        topic = f"conversation:{talk.id}"
        talk.sandbox.faults.refuse_joins("unauthorized", times=9, topic=topic)
        async with opened(talk.bot.follow()) as feed:
            await done(feed.wait_started(10))

    play(scenario)


def test_the_end_of_the_feed_ends_the_wait(play: Play) -> None:
    async def scenario(talk: Talk) -> None:
        talk.sandbox.faults.refuse_handshakes(503, times=1000)
        feed = talk.follow()
        async with opened(feed):
            waiting = asyncio.create_task(wait_started(feed, 60))
            await asyncio.sleep(0)
            feed.close()
            with pytest.raises(ChannelClosed, match="the feed was closed"):
                await waiting

    play(scenario)


def test_a_feed_that_could_not_begin_is_not_counted(play: Play) -> None:
    async def scenario(talk: Talk) -> None:
        talk.sandbox.faults.fail(400, path="/v1/conversations", times=1)
        with pytest.raises(BadRequestError):
            async with opened(talk.bot.follow()):
                pass
        assert talk.bot.stats().follow.feeds == 0
        async with opened(talk.bot.follow()):
            assert talk.bot.stats().follow.feeds == 1
        assert talk.bot.stats().follow.feeds == 0

    play(scenario)


@contextmanager
def handling(handler: Callable[..., object]) -> Generator[None]:
    before = signal.signal(signal.SIGUSR1, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, before)


def channels_of(chat: Poolse) -> int:
    numbers = chat.stats().realtime
    assert numbers is not None
    return numbers.channels


def replies(messages: Any) -> list[str]:
    return [row.body for row in messages.iter()]


def test_a_signal_ends_a_sync_feed_after_the_current_message(sandbox: Sandbox) -> None:
    with client_for(sandbox, "alice") as alice, client_for(sandbox, "bot") as bot:
        made = alice.conversations.create(type="group", member_external_ids=["bot"])
        room, checkpoint = alice.conversations.one(made.id), MemoryCheckpoint()
        with bot.follow(checkpoint=checkpoint, skip_own=True) as feed:
            room.messages.send("1")
            room.messages.send("2")
            with handling(lambda *_: feed.close()):
                for item in feed:
                    signal.raise_signal(signal.SIGUSR1)
                    item.reply(f"re {item.message.body}")
            assert channels_of(bot) == 0
        assert replies(room.messages) == ["re 1", "2", "1"]
        with bot.follow(checkpoint=checkpoint, skip_own=True) as feed:
            assert next(feed).message.body == "2"


def test_a_signal_ends_a_sync_feed_that_waits(sandbox: Sandbox) -> None:
    with client_for(sandbox, "bot") as bot, bot.follow() as feed:
        feed.wait_started(10)

        def send_signal() -> None:
            os.kill(os.getpid(), signal.SIGUSR1)

        with handling(lambda *_: feed.close()):
            soon = threading.Timer(0.05, send_signal)
            soon.start()
            assert list(feed) == []
            soon.join()


def test_a_signal_ends_an_async_feed_after_the_current_message(sandbox: Sandbox) -> None:
    async def main() -> None:
        with client_for(sandbox, "alice") as alice:
            made = alice.conversations.create(type="group", member_external_ids=["bot"])
            room = alice.conversations.one(made.id)
            async with (
                async_client_for(sandbox, "bot") as bot,
                bot.follow(skip_own=True) as feed,
            ):
                loop = asyncio.get_running_loop()
                loop.add_signal_handler(signal.SIGUSR1, feed.close)
                room.messages.send("1")
                room.messages.send("2")
                async for item in feed:
                    os.kill(os.getpid(), signal.SIGUSR1)
                    await item.reply(f"re {item.message.body}")
                loop.remove_signal_handler(signal.SIGUSR1)
            assert replies(room.messages) == ["re 1", "2", "1"]

    asyncio.run(main())


class Interruption:
    """Calls a function once, before a line of the library: a signal handler may run there."""

    def __init__(self, line: int, handler: Callable[[], object]) -> None:
        self.before = sys.gettrace()  # that of `make coverage`
        self._left = line
        self._handler = handler

    def __call__(self, frame: FrameType, event: str, _: object) -> Interruption | None:
        if "/poolse/" not in frame.f_code.co_filename:
            return None
        if event == "line":
            self._left -= 1
            if self._left == 0:
                sys.settrace(self.before)
                self._handler()
        return self


class Positions(dict[str, Position]):
    """A checkpoint that can be copied."""

    def load(self, key: str) -> Position | None:
        return self.get(key)

    def save(self, key: str, position: Position) -> None:
        self[key] = position


@pytest.mark.parametrize("first", range(4))
def test_a_signal_at_any_line_loses_nothing_and_blocks_nothing(
    sandbox: Sandbox, first: int
) -> None:
    with client_for(sandbox, "alice") as alice, client_for(sandbox, "bot") as bot:
        made = alice.conversations.create(type="group", member_external_ids=["bot"])
        room = alice.conversations.one(made.id)
        before = Positions()
        with bot.follow([made.id], checkpoint=before):
            pass
        sent = [room.messages.send(str(number)).body for number in range(4)]
        received: list[str | None] = []
        line = first + 1
        while received != sent:
            checkpoint = Positions(before)
            received = interrupted(bot, made.id, checkpoint, line)
            if len(received) < len(sent):
                rest = interrupted(bot, made.id, checkpoint, 0, count=len(sent) - len(received))
                assert received + rest == sent, line
            line += 4 if line < 200 else 16  # the beginning is short


def interrupted(
    bot: Poolse, id: str, checkpoint: Positions, line: int, count: int = 4
) -> list[str | None]:
    """Bodies of the messages of a feed that is closed at this line, or after so many messages."""
    received: list[str | None] = []
    feed = bot.follow([id], checkpoint=checkpoint)
    interruption = Interruption(line, feed.close)
    sys.settrace(interruption)
    try:
        # Not in a `with` block, which would leave the channels by itself.
        for item in feed:
            received.append(item.message.body)
            if len(received) == count:
                feed.close()
                break
    finally:
        sys.settrace(interruption.before)
    assert channels_of(bot) == 0
    return received
