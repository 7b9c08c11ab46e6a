"""A client of any release against a sandbox of any release. Run it with the sandbox's Python.

Prints what came of it, the same for both flavours.
"""

from __future__ import annotations

import asyncio
import json
import sys

from poolse import (
    AsyncPoolse,
    Conversation,
    Me,
    MembershipList,
    Message,
    MessageNew,
    Poolse,
    PoolseBackend,
)

URL, KEY = sys.argv[1:]


def results(
    me: Me,
    conversation: Conversation,
    members: MembershipList,
    sent: Message,
    event: MessageNew,
    delivered: Message,
) -> dict[str, object]:
    return {
        "me": me.external_id,
        "members": sorted(member.role for member in members.data),
        "type": conversation.type,
        "event": type(event).__name__,
        "is_sent": event.id == sent.id,
        "delivered": delivered.body,
    }


def sync(token: str) -> dict[str, object]:
    with Poolse(api_url=URL, token=token) as chat:
        me = chat.me.show()
        conversation = chat.conversations.create(type="group", name="crossed")
        handle = chat.conversations.one(conversation.id)
        handle.add_member("bob")
        with chat.realtime.conversation(conversation.id) as live:
            events = live.events(timeout=10)
            sent = handle.messages.send(body="hello")
            event = next(event for event in events if isinstance(event, MessageNew))
        with handle.messages.follow(after="beginning") as feed:
            delivery = next(iter(feed))
        assert any(row.id == conversation.id for row in chat.conversations.list())
        handle.messages.mark_read(sent.id)
        chat.messages.one(sent.id).add_reaction("👍")
        chat.attachments.upload(b"bytes", content_type="text/plain", filename="a.txt")
        return results(me, conversation, handle.list_members(), sent, event, delivery.message)


async def asynchronous(token: str) -> dict[str, object]:
    async with AsyncPoolse(api_url=URL, token=token) as chat:
        me = await chat.me.show()
        conversation = await chat.conversations.create(type="group", name="crossed")
        handle = chat.conversations.one(conversation.id)
        await handle.add_member("bob")
        async with chat.realtime.conversation(conversation.id) as live:
            events = live.events(timeout=10)
            sent = await handle.messages.send(body="hello")
            event = await anext(event async for event in events if isinstance(event, MessageNew))
        async with handle.messages.follow(after="beginning") as feed:
            delivery = await anext(aiter(feed))
        assert any(row.id == conversation.id for row in await chat.conversations.list())
        await handle.messages.mark_read(sent.id)
        await chat.messages.one(sent.id).add_reaction("👍")
        await chat.attachments.upload(b"bytes", content_type="text/plain", filename="a.txt")
        return results(me, conversation, await handle.list_members(), sent, event, delivery.message)


with PoolseBackend(api_url=URL, api_key=KEY) as backend:
    users = {
        name: backend.users.create(external_id=name, display_name=name) for name in ("ann", "bob")
    }
    token = backend.users.create_token(users["ann"].id).token
print(json.dumps([sync(token), asyncio.run(asynchronous(token))]))
