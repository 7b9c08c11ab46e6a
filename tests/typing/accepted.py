"""What users write, and type checkers accept. Never run."""

from __future__ import annotations

from pathlib import Path

import aiofiles

from poolse import (
    After,
    AsyncDelivery,
    AsyncFeed,
    AsyncPoolse,
    ConversationHandle,
    Delivery,
    Feed,
    GetToken,
    Message,
    Payload,
    Poolse,
    RealtimeEvent,
    Resolver,
    Row,
    TimeoutPhase,
    UserProfile,
)


def answer(item: Delivery) -> Message:
    return item.reply(body="x", reply_to_id=item.message.id)


def answer_typed(item: Delivery[Message, ConversationHandle]) -> str:
    return item.reply(body="x").id + item.conversation.id


async def answer_async(item: AsyncDelivery) -> Message:
    return await item.reply(body="x", mentions=["u-1"])


def first(feed: Feed) -> Delivery:
    return next(feed)


async def first_async(feed: AsyncFeed) -> AsyncDelivery:
    return await anext(feed)


def follow(chat: Poolse, after: After) -> None:
    with chat.conversations.one("c-1").messages.follow(after=after) as feed:
        for item in feed:
            answer(item)
            item.reply(body="x")
            item.ack()
    with chat.follow() as every:
        for item in every:
            item.reply(body=None, attachment_ids=["a-1"], type="custom")


def token() -> str:
    return "t"


def profile(_user_id: str) -> UserProfile | None:
    return None


def made(get_token: GetToken = token, resolver: Resolver = profile) -> Poolse:
    return Poolse(get_token=get_token, user_resolver=resolver)


async def files(chat: AsyncPoolse) -> None:
    async def told(loaded: int, total: int) -> None:
        print(loaded, total)

    async with aiofiles.open("x", "rb") as source:
        row = await chat.attachments.upload(source, on_progress=told)
    async with aiofiles.open("x", "wb") as sink:
        count: int = await chat.attachments.one(row).download(sink)
    path: Path = await chat.attachments.one(row).download("y")
    await chat.attachments.upload_many([path], filenames=["z", None], on_progress=told)
    print(count)


def names(row: Row, event: RealtimeEvent, phase: TimeoutPhase, payload: Payload) -> str:
    return f"{row.extra} {event} {phase} {payload!r}"
