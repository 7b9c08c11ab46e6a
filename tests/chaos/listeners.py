"""Those who are told: followers of every kind, and a plain channel with presence."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from poolse import Cancelled, Gap, MemoryCheckpoint, NetworkError, RealtimeError, SQLiteCheckpoint
from tests.chaos.flavours import done, opened, steps
from tests.chaos.world import Followed, World

__all__ = ["answer", "follow", "follow_and_restart", "listen"]

# Not in the threads that follow: what they import first, pytest rewrites in them, and Python 3.11
# cannot parse in several threads whose stacks are deep.
for module in ("async_loop", "loop"):
    import_module(f"poolse._follow.{module}")

LIFE = 15
"""Messages that a follower takes before it stops, or falls over, and begins anew."""


class _Crash(Exception):  # noqa: N818  (what happens)
    """The program falls over while it has a message in hand."""


def _gap(world: World, log: Followed, gap: Gap) -> None:
    """All numbers are of messages in the list, so none may be passed over."""
    world.wrong.append(f"{log.name}: {gap}")


async def follow(world: World, chat: Any, log: Followed) -> None:
    """Follow all conversations in one go."""
    while not world.feeds.cancelled:
        feed = chat.follow(
            list(world.conversations),
            after="beginning",
            skip_own=log.skips_own,
            on_gap=partial(_gap, world, log),
            cancel=world.feeds,
        )
        try:
            async with opened(feed):
                async for delivery in steps(feed):
                    log.note(delivery)
        except Cancelled:
            pass
        except NetworkError:
            # It may not have been able to begin. Once it has, it goes on by itself.
            if log.got:
                raise


async def follow_and_restart(world: World, chat: Any, log: Followed, file: Path) -> None:
    """Follow one conversation from a checkpoint on disk, stopping and going on now and then."""
    messages = chat.conversations.one(log.conversations[0]).messages
    while not world.feeds.cancelled:
        with SQLiteCheckpoint(file) as checkpoint:
            feed = messages.follow(
                # With the first message the checkpoint knows where it began.
                **({} if log.got else {"after": "beginning"}),
                checkpoint=checkpoint,
                on_gap=partial(_gap, world, log),
                cancel=world.feeds,
            )
            try:
                async with opened(feed):
                    await _take(log, feed, LIFE)
            except (Cancelled, NetworkError):
                pass
        log.restarts += 1


async def _take(log: Followed, feed: Any, count: int) -> None:
    async for delivery in steps(feed):
        log.note(delivery)
        count -= 1
        if count == 0:
            return


async def answer(world: World, chat: Any, log: Followed) -> None:
    """Answer every message of one conversation, falling over now and then before it is noted."""
    messages = chat.conversations.one(log.conversations[0]).messages
    checkpoint = MemoryCheckpoint()
    random = world.random("bot")
    while not world.feeds.cancelled:
        start: dict[str, Any] = {} if checkpoint.positions else {"after": "beginning"}
        feed = messages.follow(
            **start,
            checkpoint=checkpoint,
            skip_own=True,
            on_gap=partial(_gap, world, log),
            cancel=world.feeds,
        )
        try:
            async with opened(feed):
                async for delivery in steps(feed):
                    await done(delivery.reply(body=f"answer to {delivery.message.body}"))
                    if random.random() < 1 / LIFE:
                        raise _Crash
                    log.note(delivery)
        except _Crash:
            log.restarts += 1
        except NetworkError:
            world.given_up["answers"] += 1
        except Cancelled:
            pass


async def listen(world: World, chat: Any) -> None:
    """Be in a channel, hear messages, type, and see who is there."""
    random = world.random("listener")
    live = chat.realtime.conversation(world.conversations[0])
    live.on_message(world.hear)
    while not world.feeds.cancelled:
        try:
            await done(live.send_typing())
            world.done["typing"] += 1
        except RealtimeError:
            pass
        await world.pause(random)
