"""What users do, all at once, while the network misbehaves. One coroutine is one worker."""

from __future__ import annotations

import uuid
from functools import partial
from random import Random
from typing import Any

from poolse import CallOptions, Cancelled, CancelToken
from tests.chaos.flavours import done
from tests.chaos.world import Sent, World

__all__ = ["at_once", "browse", "cancel", "react", "send", "upload"]


async def send(world: World, chat: Any, number: int) -> None:
    """Send messages: some once, some again and again until they are acknowledged."""
    random = world.random(f"sender {number}")
    for count in range(world.size.sends):
        sent = Sent(
            random.choice(world.conversations), f"message {number}.{count}", random.random() < 0.5
        )
        world.sent.append(sent)
        messages = chat.conversations.one(sent.conversation).messages
        if sent.insisted:
            await _insist(world, messages, sent, random)
        else:
            message = await world.tried("sends", partial(messages.send, body=sent.body))
            sent.id = message and message.id
        await world.pause(random)


async def _insist(world: World, messages: Any, sent: Sent, random: Random) -> None:
    """As a program does that must not lose it: with an id, or a key, that it keeps."""
    id = str(uuid.UUID(int=random.getrandbits(128), version=4))
    by_key = random.random() < 0.5
    fields: dict[str, Any] = {"options": CallOptions(idempotency_key=id)} if by_key else {"id": id}
    while sent.id is None:
        message = await world.tried("sends", partial(messages.send, body=sent.body, **fields))
        sent.id = message and message.id


async def browse(world: World, chat: Any) -> None:
    """List conversations and messages, page by page."""
    random = world.random("lister")
    for _ in range(world.size.others):
        found = await world.tried("lists", chat.conversations.list)
        if found is not None and {row.id for row in found} != set(world.conversations):
            world.wrong.append("the list of conversations is not whole")
        messages = chat.conversations.one(random.choice(world.conversations)).messages
        page = await world.tried("lists", partial(messages.list, limit=20))
        if page:
            numbers = [row.sequence for row in page]
            older = await world.tried("lists", partial(messages.list, limit=20, before=numbers[-1]))
            numbers += [row.sequence for row in older or ()]
            if numbers != sorted(set(numbers), reverse=True):
                world.wrong.append("a list is out of order, or has a row twice")
        await world.pause(random)


async def upload(world: World, chat: Any) -> None:
    """Upload files, and fetch them again."""
    random = world.random("uploader")
    for _ in range(world.size.others // 2):
        content = random.randbytes(random.choice((1, 900, 20_000, 150_000)))
        put = partial(chat.attachments.upload, content, content_type="image/png", filename="a.png")
        row = await world.tried("uploads", put)
        if row is not None:
            fetched = await world.tried("downloads", chat.attachments.one(row).download)
            if fetched is not None and fetched != content:
                world.wrong.append("a file came back with other bytes")
        await world.pause(random)


async def react(world: World, chat: Any) -> None:
    """React to messages, take it back, and mark them as read."""
    random = world.random("reactor")
    for _ in range(world.size.others):
        known = [sent for sent in world.sent if sent.id]
        if known:
            sent = random.choice(known)
            message = chat.messages.one(sent.id)
            emoji = random.choice("👍🎉🐍")
            mark = chat.conversations.one(sent.conversation).messages.mark_read
            await world.tried("reactions", partial(message.add_reaction, emoji))
            if random.random() < 0.5:
                await world.tried("reactions", partial(message.remove_reaction, emoji))
            await world.tried("read marks", partial(mark, sent.id))
        await world.pause(random)


async def cancel(world: World, chat: Any) -> None:
    """Change one's mind in the middle of calls."""
    random = world.random("canceller")
    for _ in range(world.size.others):
        token = CancelToken()
        stop = world.flavour.later(random.random() * 0.02, token)
        view = chat.with_options(cancel=token)
        try:
            await world.tried("calls that may be cancelled", view.conversations.list)
        except Cancelled:
            world.done["cancellations"] += 1
        finally:
            stop()
        await world.pause(random)


async def at_once(world: World, chat: Any, count: int) -> None:
    """So many calls at the same time, none of which may fail."""

    async def call() -> None:
        await done(chat.me.show())

    await world.flavour.together(*(call() for _ in range(count)))
