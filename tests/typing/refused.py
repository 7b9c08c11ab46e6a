"""Mistakes that type checkers must find: each line with `# error` and no other. Never run."""

from __future__ import annotations

import poolse
from poolse import AsyncDelivery, AsyncPoolse, Delivery, Feed, Message, Poolse, PoolseBackend
from poolse import NoSuchThing  # error


def names(chat: Poolse) -> None:
    print(poolse.NoSuchThing, NoSuchThing)  # error
    chat.nothing  # error
    chat.realtime.hub  # error
    chat.realtime.is_running  # error


def replies(item: Delivery, feed: Feed) -> None:
    item.reply(bdy="x")  # error
    item.reply(body=7)  # error
    item.reply("x", "y")  # error
    item.replay(body="x")  # error
    for each in feed:
        each.reply(bdy="x")  # error


async def async_replies(item: AsyncDelivery, chat: AsyncPoolse) -> None:
    await item.reply(bdy="x")  # error
    async with chat.follow() as feed:
        async for each in feed:
            await each.reply(bdy="x")  # error


def follows(chat: Poolse) -> None:
    with chat.conversations.one("c-1").messages.follow() as feed:
        for item in feed:
            item.reply(bdy="x")  # error
            item.message.nothing  # error
    with chat.follow(on_gap="print") as every:  # error
        for item in every:
            item.reply(bdy="x")  # error


def calls(chat: Poolse, backend: PoolseBackend) -> None:
    chat.conversations.one("c-1").messages.send(bdy="x")  # error
    chat.conversations.one("c-1").messages.send(body=7)  # error
    chat.conversations.create(type="grop")  # error
    chat.attachments.upload(7)  # error
    chat.attachments.upload_many(["a"], names=["b"])  # error
    chat.attachments.one("a-1").download(7)  # error
    Poolse(tokn="t")  # error
    Poolse(token=7)  # error
    Poolse(get_token=lambda: 7)  # error
    backend.users.create()  # error


def rows(message: Message) -> None:
    message.body = "x"  # error
    message.nothing  # error
    size: int = message.body  # error
    print(size)


async def coroutines(chat: AsyncPoolse) -> None:
    row: Message = chat.conversations.one("c-1").messages.send(body="x")  # error
    print(row)
