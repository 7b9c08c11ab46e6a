"""One send after the other, each cut one byte later than the last: request first, then answer."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.chaos.faults import Fault, Way
from tests.chaos.flavours import done
from tests.chaos.proxy import FaultyProxy
from tests.chaos.world import Sent, World

__all__ = ["walk"]


async def walk(world: World, chat: Any, proxy: FaultyProxy) -> None:
    """Cut a send at every offset of its request, and then at every offset of its answer."""
    random = world.random("walker")
    offset = random.randrange(world.size.stride)
    ways: tuple[Way, Way] = ("up", "down")
    for way in ways:
        at = offset
        # One that is not cut shows that there are no more bytes.
        while await _cut(world, chat, proxy, way, at):
            at += world.size.stride
        world.walked[f"offsets of a send's {'request' if way == 'up' else 'answer'}"] += len(
            range(offset, at, world.size.stride)
        )


async def _cut(world: World, chat: Any, proxy: FaultyProxy, way: Way, at: int) -> bool:
    """Whether the exchange was long enough to be cut there."""
    # Now there is a connection that waits, and the next exchange is the send.
    await done(chat.me.show())
    before = proxy.plan.injected["cut"]
    proxy.arm(Fault(kind="cut", way=way, at=at, abrupt=at % 2 == 0))
    sent = Sent(world.conversations[1], f"walked {way} to {at}", insisted=True)
    world.sent.append(sent)
    messages = chat.conversations.one(sent.conversation).messages
    message = await world.tried("sends", partial(messages.send, body=sent.body))
    sent.id = message and message.id
    return proxy.plan.injected["cut"] > before
