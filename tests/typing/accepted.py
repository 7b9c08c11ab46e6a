"""What users write, and type checkers accept. Never run."""

from __future__ import annotations

import asyncio
import signal
import uuid
from collections.abc import Mapping
from pathlib import Path

import aiofiles

from poolse import (
    After,
    ApiError,
    AsyncDelivery,
    AsyncFeed,
    AsyncPoolse,
    AsyncUserChannel,
    AsyncVoiceRoom,
    ConversationHandle,
    Delivery,
    Feed,
    GetToken,
    Membership,
    MentionNew,
    Message,
    MessageNew,
    Payload,
    Poolse,
    RealtimeEvent,
    Resolver,
    Row,
    TimeoutPhase,
    UserChannel,
    UserLike,
    UserProfile,
    UsersBy,
    VoiceParticipant,
    VoiceRoom,
    VoiceSignal,
    VoiceStatus,
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


async def own_ids(chat: AsyncPoolse, member: Membership, item: AsyncDelivery) -> None:
    by: UsersBy = "external_id"
    AsyncPoolse(token="t", users_by=by)
    conversation = chat.conversations.one("c-1")
    await conversation.remove_member(member)
    await conversation.remove_member(user_id=member.user_id)
    await conversation.remove_member(external_id="u-1")
    await item.reply(body="x", mentions=[member], mention_external_ids=["u-1", member])
    live = chat.realtime.conversation("c-1")
    here: list[UserLike] = [*live.presence_state.by_external_id.values(), item.message, member]
    profile: UserProfile | None = await chat.users.get(item.message)
    await chat.users.get_many([*here, "u-1"])
    live.on_typing_start(lambda event: print(event.external_id, chat.users.peek(event), profile))
    live.on_message(lambda event: print(chat.users.peek(event)))


def voice(chat: Poolse) -> Mapping[str, VoiceParticipant]:
    room: VoiceRoom = chat.realtime.voice("c-1")
    room.on_participants(lambda participants: print(len(participants)))
    with room as joined:
        status: VoiceStatus = joined.status
        joined.send_signal(type="offer", target_user_id="u-2", data={"sdp": status})
        return joined.participants


async def voice_async(room: AsyncVoiceRoom) -> None:
    async def take(signal: VoiceSignal) -> None:
        await room.send_signal(type=signal.type, target_user_id=signal.from_user_id, data={"a": 1})

    room.on_signal(take)
    async with room:
        await room.set_muted(True)


def small_things(chat: Poolse, feed: Feed, id: uuid.UUID) -> Message:
    conversation = chat.conversations.one(id)
    sent = conversation.messages.send("Hi")
    conversation.messages.send("Re", reply_to_id=sent)
    for row in conversation.messages.iter(order="oldest", include_replies=True):
        print(row.sequence)
    own: UserChannel = chat.realtime.me()
    own.wait_for(MentionNew, lambda event: event.message_id == sent.id, timeout=1.0)
    live = chat.realtime.conversation(conversation)
    with live.typing():
        found: MessageNew = live.wait_for(MessageNew, timeout=1.0)
    feed.wait_started(5.0)
    signal.signal(signal.SIGTERM, lambda _signal, _frame: feed.close())
    with chat.capture() as calls:
        return next(feed).reply(f"{found.body} {calls[0].rate_limit.get('ratelimit-remaining')}")


async def small_things_async(chat: AsyncPoolse, feed: AsyncFeed, error: ApiError) -> Message:
    conversation = chat.conversations.one("c-1")
    sent = await conversation.messages.send("Hi")
    async for row in conversation.messages.iter(order="oldest", include_replies=True):
        print(row.sequence)
    own: AsyncUserChannel = await chat.realtime.me()
    await own.wait_for(MentionNew, lambda event: event.message_id == sent.id, timeout=1.0)
    live = chat.realtime.conversation(conversation)
    async with live.typing():
        await live.wait_for(MessageNew)
    with live.typing():
        found: MessageNew = await live.wait_for(MessageNew, timeout=1.0)
    await feed.wait_started(5.0)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, feed.close)
    limits: Mapping[str, str] = error.rate_limit
    return await (await anext(feed)).reply(f"{found.body} {len(limits)}")
