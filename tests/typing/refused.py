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


def voice(chat: Poolse) -> None:
    room = chat.realtime.voice(7)  # error
    room.join(mute=True)  # error
    room.send_signal(type="offr", target_user_id="u-2", data={"sdp": ""})  # error
    room.participants["u-2"] = room.participants["u-1"]  # error
    room.participants["u-2"].muted = True  # error
    room.status == "gone"  # error


def rows(message: Message) -> None:
    message.body = "x"  # error
    message.nothing  # error
    size: int = message.body  # error
    print(size)


async def coroutines(chat: AsyncPoolse) -> None:
    row: Message = chat.conversations.one("c-1").messages.send(body="x")  # error
    print(row)


def own_ids(chat: Poolse, message: Message) -> None:
    Poolse(token="t", users_by="id")  # error
    conversation = chat.conversations.one("c-1")
    conversation.remove_member()  # error
    conversation.remove_member("u-1", external_id="u-1")  # error
    conversation.remove_member(message)  # error
    chat.users.get(conversation.show())  # error
    chat.users.get(None)  # error


def small_things(chat: Poolse, feed: Feed) -> None:
    messages = chat.conversations.one("c-1").messages
    messages.send("x", "y")  # error
    messages.iter(order="reverse")  # error
    live = chat.realtime.conversation("c-1")
    live.wait_for("message:new")  # error
    live.wait_for(poolse.MessageNew, lambda event: event.nothing)  # error
    feed.wait_started("5")  # error
    chat.realtime.me("u-1")  # error
