"""Feeds as their users see them: acknowledgement, answers, starts, ends. Both flavours."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from poolse import (
    ArgumentTypeError,
    Cancelled,
    CancelToken,
    FeedReset,
    JoinError,
    Last,
    MemoryCheckpoint,
    NotFoundError,
    Position,
    UsageError,
)
from tests.follow.sync_and_async_feeds import Play, Talk, done, opened


async def again(talk: Talk, checkpoint: MemoryCheckpoint) -> str:
    """The text of the first message after a restart."""
    talk.say("end")
    async with opened(talk.follow(checkpoint=checkpoint)) as feed:
        return str((await talk.take(feed, 1))[0])


def test_it_begins_with_what_is_sent_once_it_has_begun(play: Play) -> None:
    async def scenario(talk: Talk) -> None:
        talk.say("old", "older")
        async with opened(talk.follow()) as feed:
            talk.say("a", "b")
            assert await talk.take(feed, 2) == ["a", "b"]

    play(scenario)


@pytest.mark.parametrize(
    ("after", "first"),
    [("beginning", "1"), (Last(2), "3"), (Last(9), "1"), (2, "3"), (Position(3), "4")],
)
def test_where_it_begins(play: Play, after: object, first: str) -> None:
    async def scenario(talk: Talk) -> None:
        talk.say("1", "2", "3", "4")
        async with opened(talk.follow(after=after)) as feed:
            assert await talk.take(feed, 1) == [first]

    play(scenario)


def test_what_is_there_is_not_handed_out_once_it_is_closed(play: Play) -> None:
    async def scenario(talk: Talk) -> None:
        talk.say("1", "2", "3")
        feed = talk.follow(after="beginning")
        async with opened(feed):
            assert await talk.take(feed, 1) == ["1"]
            await done(feed.aclose() if hasattr(feed, "aclose") else feed.close())
            with pytest.raises((StopIteration, StopAsyncIteration)):
                await talk.next(feed)

    play(scenario)


class Oops(Exception):  # noqa: N818
    """A handler failed."""


@pytest.mark.parametrize(
    ("end", "first"),
    [("next", "2"), ("break", "2"), ("raise", "1"), ("ack", "2"), ("close", "1")],
)
def test_what_is_acknowledged(play: Play, end: str, first: str) -> None:
    async def scenario(talk: Talk) -> None:
        checkpoint = MemoryCheckpoint()
        feed = talk.follow(checkpoint=checkpoint)
        try:
            async with opened(feed):
                talk.say("1", "2")
                item = await talk.next(feed)
                if end == "next":
                    await talk.next(feed)
                if end == "ack":
                    await done(item.ack())
                if end == "close":
                    await done(feed.aclose() if hasattr(feed, "aclose") else feed.close())
                    feed._loop.in_hand = None
                if end != "break":
                    raise Oops
        except Oops:
            pass
        assert await again(talk, checkpoint) == first

    play(scenario)


def test_what_is_there_at_once_is_written_down_one_by_one(play: Play) -> None:
    async def scenario(talk: Talk) -> None:
        talk.say("1", "2", "3")
        checkpoint = MemoryCheckpoint()
        try:
            async with opened(talk.follow(after="beginning", checkpoint=checkpoint)) as feed:
                assert await talk.take(feed, 3) == ["1", "2", "3"]
                raise Oops
        except Oops:
            pass
        assert await again(talk, checkpoint) == "3"

    play(scenario)


def test_own_messages_are_left_out_unless_they_are_wanted(play: Play) -> None:
    async def scenario(talk: Talk) -> None:
        messages = talk.bot.conversations.one(talk.id).messages
        talk.say("1")
        await done(messages.send(body="own"))
        talk.say("2")
        async with opened(talk.follow(after="beginning")) as feed:
            assert await talk.take(feed, 2) == ["1", "2"]
        async with opened(talk.follow(after="beginning", skip_own=False)) as feed:
            assert await talk.take(feed, 3) == ["1", "own", "2"]

    play(scenario)


def test_leaving_the_channel_does_not_stop_it(play: Play) -> None:
    async def scenario(talk: Talk) -> None:
        async with opened(talk.follow()) as feed:
            talk.say("1")
            assert await talk.take(feed, 1) == ["1"]
            heard: list[Any] = []
            channel = talk.bot.realtime.conversation(talk.id)
            channel.on_message(heard.append)
            await done(channel.leave())
            await done(channel.leave())
            await done(talk.bot.realtime.leave(talk.id))
            talk.say("2")
            assert await talk.take(feed, 1) == ["2"]
            assert heard == []

    play(scenario)


def test_the_feed_leaves_the_channel_to_those_who_want_it(play: Play) -> None:
    async def scenario(talk: Talk) -> None:
        channel = talk.bot.realtime.conversation(talk.id)
        events = channel.events()
        async with opened(talk.follow()) as feed:
            await talk.joined()
            talk.say("1")
            await talk.take(feed, 1)
        while (event := await talk.next(events)).__class__.__name__ != "MessageNew":
            pass
        assert event.body == "1"

    play(scenario)


def test_dropped_sockets_and_lost_broadcasts(play: Play) -> None:
    async def scenario(talk: Talk) -> None:
        talk.sandbox.faults.disturb_broadcasts(lost=1.0)
        async with opened(talk.follow()) as feed:
            for turn in range(3):
                joins = len(talk.sandbox.joins)
                talk.say(f"{turn}")
                if joins:
                    talk.sandbox.faults.drop_sockets()
                assert await talk.take(feed, 1) == [f"{turn}"]

    play(scenario)


def test_conversations_that_are_made_meanwhile(play: Play) -> None:
    async def scenario(talk: Talk) -> None:
        checkpoint = MemoryCheckpoint()
        for turn in range(2):
            if turn:
                made = talk.alice.conversations.create(
                    type="group", member_external_ids=["bot"], name="while it was away"
                )
                talk.alice.conversations.one(made.id).messages.send(body="away")
            async with opened(talk.bot.follow(checkpoint=checkpoint)) as feed:
                if turn:
                    assert await talk.take(feed, 1) == ["away"]
                made = talk.alice.conversations.create(type="group", member_external_ids=["bot"])
                talk.alice.conversations.one(made.id).messages.send(body="new")
                item = await talk.next(feed)
                assert (item.message.body, item.conversation.id) == ("new", made.id)

    play(scenario)


def test_a_conversation_that_is_older_than_the_last_activity_is_new(play: Play) -> None:
    """Two servers whose clocks differ by half an hour."""

    async def scenario(talk: Talk) -> None:
        checkpoint = MemoryCheckpoint()
        talk.sandbox.clock.advance(1800.0)
        talk.say("by the server that is ahead")
        talk.sandbox.clock.reset()
        async with opened(talk.bot.follow(checkpoint=checkpoint)):
            pass
        made = talk.alice.conversations.create(type="group", member_external_ids=["bot"])
        room = talk.alice.conversations.one(made.id)
        sent = [room.messages.send(body=f"{n}").body for n in range(5)]
        async with opened(talk.bot.follow(checkpoint=checkpoint)) as feed:
            assert await talk.take(feed, 5) == sent

    play(scenario)


def test_it_can_be_cancelled(play: Play) -> None:
    async def scenario(talk: Talk) -> None:
        token = CancelToken()
        async with opened(talk.follow(cancel=token)) as feed:
            waiting = asyncio.ensure_future(talk.next(feed))
            await talk.joined()
            await asyncio.to_thread(token.cancel)
            with pytest.raises(Cancelled):
                await waiting

    play(scenario)


def test_closing_the_client_ends_it(play: Play) -> None:
    async def scenario(talk: Talk) -> None:
        async with opened(talk.follow()) as feed:
            waiting = asyncio.ensure_future(talk.next(feed))
            await talk.joined()
            realtime = talk.bot.realtime
            if hasattr(realtime, "aclose"):
                await realtime.aclose()
            else:
                await asyncio.to_thread(realtime.close)
            with pytest.raises(StopAsyncIteration):
                await waiting

    play(scenario)


def test_what_does_not_exist_is_said_at_once(play: Play) -> None:
    async def scenario(talk: Talk) -> None:
        with pytest.raises(NotFoundError):
            async with opened(talk.bot.follow(["00000000-0000-4000-8000-000000000000"])):
                pass

    play(scenario)


def test_a_refused_channel_is_said(play: Play) -> None:
    async def scenario(talk: Talk) -> None:
        talk.sandbox.faults.refuse_joins("unauthorized", times=9)
        async with opened(talk.follow()) as feed:
            with pytest.raises(JoinError, match="unauthorized"):
                await talk.next(feed)

    play(scenario)


def test_what_was_raised_is_raised_again(play: Play) -> None:
    async def scenario(talk: Talk) -> None:
        talk.sandbox.faults.refuse_joins("unauthorized", times=9)
        async with opened(talk.follow()) as feed:
            walk = feed if hasattr(feed, "__anext__") else iter(feed)
            raised: list[JoinError] = []
            for way in (feed, feed, walk, walk):
                with pytest.raises(JoinError, match="unauthorized") as caught:
                    await talk.next(way)
                raised.append(caught.value)
            assert len({id(error) for error in raised}) == len(raised)
            await done(feed.aclose() if hasattr(feed, "aclose") else feed.close())
            for way in (feed, walk):
                with pytest.raises(StopAsyncIteration):
                    await talk.next(way)

    play(scenario)


def test_another_log_is_noticed(play: Play) -> None:
    async def scenario(talk: Talk) -> None:
        talk.say("1", "2")
        async with opened(talk.follow(after=Position(2, "another"))) as feed:
            with pytest.raises(FeedReset):
                await talk.next(feed)

    play(scenario)


@pytest.mark.parametrize(
    ("choices", "error"),
    [
        ({"after": -1}, UsageError),
        ({"after": "yesterday"}, UsageError),
        ({"after": 1.5}, ArgumentTypeError),
        ({"after": True}, ArgumentTypeError),
        ({"checkpoint": "bot.db"}, ArgumentTypeError),
        ({"on_gap": "print"}, ArgumentTypeError),
        ({"max_backfill": 10}, UsageError),
        ({"max_backfill": -1, "on_gap": print}, UsageError),
        ({"max_backfill": 1.5, "on_gap": print}, ArgumentTypeError),
        ({"cancel": 1}, ArgumentTypeError),
    ],
)
def test_nonsense_is_refused_before_anything_is_sent(
    play: Play, choices: dict[str, Any], error: type[Exception]
) -> None:
    async def scenario(talk: Talk) -> None:
        sent = len(talk.sandbox.requests)
        with pytest.raises(error):
            talk.follow(**choices)
        with pytest.raises(ArgumentTypeError):
            talk.bot.follow(talk.id)
        assert len(talk.sandbox.requests) == sent

    play(scenario)
