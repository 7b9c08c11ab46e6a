"""Replies: one for each message over restarts, whose IDs nobody else knows. Both flavours."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from poolse import (
    ApiError,
    ForbiddenError,
    MemoryCheckpoint,
    Position,
    SQLiteCheckpoint,
    ValidationError,
)
from poolse._follow.reply_ids import new_secret, old_reply_id, reply_id
from poolse.testing import Sandbox
from tests.follow.random_schedules import Row
from tests.follow.sync_and_async_feeds import FLAVOURS, Play, Talk, close, done, opened, talking

SECRET = "secret:v1"


class Numbers:
    """A checkpoint of a user's, which keeps numbers of 32 bits and nothing else."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def load(self, key: str) -> Position | None:
        number = self.numbers.get(key)
        return None if number is None else Position(number)

    def save(self, key: str, position: Position) -> None:
        assert 0 <= position.sequence < 2**31
        self.numbers[key] = position.sequence


class Uuids:
    """Another, whose IDs are UUIDs, as a column of a database may be."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[int, uuid.UUID | None]] = {}

    def load(self, key: str) -> Position | None:
        if key not in self.rows:
            return None
        sequence, id = self.rows[key]
        return Position(sequence, None if id is None else str(id).upper())

    def save(self, key: str, position: Position) -> None:
        self.rows[key] = (position.sequence, uuid.UUID(position.id) if position.id else None)


class Awaited:
    """One for async clients."""

    def __init__(self) -> None:
        self.kept = MemoryCheckpoint()

    async def load(self, key: str) -> Position | None:
        return self.kept.load(key)

    async def save(self, key: str, position: Position) -> None:
        self.kept.save(key, position)


Make = Callable[[Path], Any]
CHECKPOINTS: dict[str, Make] = {
    "memory": lambda folder: MemoryCheckpoint(),
    "sqlite": lambda folder: SQLiteCheckpoint(folder / "bot.db"),
    "numbers": lambda folder: Numbers(),
    "uuids": lambda folder: Uuids(),
}
EVERY = pytest.mark.parametrize("make", CHECKPOINTS.values(), ids=CHECKPOINTS)


async def answer_and_die(talk: Talk, **choices: Any) -> tuple[str, list[Any]]:
    """The message that was in hand, and two replies to it."""
    feed = talk.follow(**choices)
    item = await talk.next(feed)
    replies = [await done(item.reply(body=f"answer {n}")) for n in range(2)]
    await close(feed)
    return item.message.id, replies


@EVERY
def test_an_answer_is_sent_once(play: Play, make: Make, tmp_path: Path) -> None:
    async def scenario(talk: Talk) -> None:
        checkpoint = make(tmp_path)
        async with opened(talk.follow(checkpoint=checkpoint)):
            pass
        talk.say("?")
        first = await answer_and_die(talk, checkpoint=checkpoint)
        if isinstance(checkpoint, SQLiteCheckpoint):
            checkpoint.close()
            checkpoint = make(tmp_path)
        assert await answer_and_die(talk, checkpoint=checkpoint) == first
        if isinstance(checkpoint, SQLiteCheckpoint):
            checkpoint.close()
        if isinstance(checkpoint, Numbers):
            # A secret of 31 bits could be found by trying.
            assert sum(key.startswith(SECRET) for key in checkpoint.numbers) == 8

    play(scenario)


def test_an_async_checkpoint_holds_the_secret_too(play: Play) -> None:
    async def scenario(talk: Talk) -> None:
        if not hasattr(talk.bot, "aclose"):
            return
        checkpoint = Awaited()
        async with opened(talk.follow(checkpoint=checkpoint)):
            pass
        talk.say("?")
        first = await answer_and_die(talk, checkpoint=checkpoint)
        assert await answer_and_die(talk, checkpoint=checkpoint) == first
        assert SECRET in checkpoint.kept.positions

    play(scenario)


@EVERY
def test_nobody_can_compute_the_id(play: Play, make: Make, tmp_path: Path) -> None:
    async def scenario(talk: Talk) -> None:
        checkpoint = make(tmp_path)
        async with opened(talk.follow(checkpoint=checkpoint)) as feed:
            question = str(uuid.uuid4())
            name = f"{talk.bot.user_id} answers {question} with number 0"
            talk.say("squatter", id=str(uuid.uuid5(uuid.NAMESPACE_URL, name)))
            talk.say("?", id=question)
            await talk.next(feed)
            item = await talk.next(feed)
            assert (await done(item.reply(body="!"))).body == "!"
        if isinstance(checkpoint, SQLiteCheckpoint):
            checkpoint.close()

    play(scenario)


def test_without_a_checkpoint_each_feed_has_a_secret_of_its_own(play: Play) -> None:
    async def scenario(talk: Talk) -> None:
        talk.say("?")
        first = await answer_and_die(talk, after="beginning")
        second = await answer_and_die(talk, after="beginning")
        assert {reply.id for reply in first[1]}.isdisjoint(reply.id for reply in second[1])

    play(scenario)


def test_an_id_that_is_given_is_used(play: Play) -> None:
    async def scenario(talk: Talk) -> None:
        talk.say("?")
        own = str(uuid.uuid4())
        async with opened(talk.follow(after="beginning")) as feed:
            item = await talk.next(feed)
            assert (await done(item.reply(body="!", id=own))).id == own

    play(scenario)


def test_the_message_in_hand_at_the_upgrade_is_answered_once(play: Play) -> None:
    async def scenario(talk: Talk) -> None:
        (question,) = talk.say("?")
        talk.say("next")
        checkpoint = MemoryCheckpoint()
        checkpoint.save(f"{talk.bot.user_id}/{talk.id}", Position(0))
        # What the older release sent before it was killed.
        name = f"{talk.bot.user_id} answers {question} with number 0"
        old = str(uuid.uuid5(uuid.NAMESPACE_URL, name))
        await done(talk.bot.conversations.one(talk.id).messages.send(body="old", id=old))
        for _ in range(2):
            _, replies = await answer_and_die(talk, checkpoint=checkpoint)
            assert [reply.body for reply in replies] == ["old", "answer 1"]
            assert SECRET not in checkpoint.positions
        async with opened(talk.follow(checkpoint=checkpoint)) as feed:
            await talk.next(feed)
            item = await talk.next(feed)
            sent = await done(item.reply(body="!"))
        name = f"{talk.bot.user_id} answers {item.message.id} with number 0"
        assert sent.id != str(uuid.uuid5(uuid.NAMESPACE_URL, name))
        assert SECRET in checkpoint.positions

    play(scenario)


def test_the_secret_is_there_before_the_first_position(play: Play) -> None:
    async def scenario(talk: Talk) -> None:
        order: list[str] = []

        class Noted(MemoryCheckpoint):
            def save(self, key: str, position: Position) -> None:
                order.append(key)
                super().save(key, position)

            def load_or_save(self, key: str, position: Position) -> Position:
                order.append(key)
                return super().load_or_save(key, position)

        async with opened(talk.bot.follow(checkpoint=Noted())):
            pass
        assert order[0] == SECRET

    play(scenario)


REFUSALS = [(422, ValidationError), (403, ForbiddenError), (404, ApiError), (409, ApiError)]


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize(("status", "kind"), REFUSALS)
def test_a_reply_that_is_refused_ends_its_message_only(
    sandbox: Sandbox, flavour: Any, status: int, kind: type[ApiError]
) -> None:
    reported: list[Any] = []

    async def scenario() -> str:
        checkpoint = MemoryCheckpoint()
        async with talking(sandbox, flavour, on_socket_error=reported.append) as talk:
            async with opened(talk.follow(checkpoint=checkpoint)):
                talk.say("?", "next")
            sandbox.faults.fail(status, method="POST")
            feed = talk.follow(checkpoint=checkpoint)
            item = await talk.next(feed)
            with pytest.raises(kind):
                await done(item.reply(body="!"))
            await close(feed)
            async with opened(talk.follow(checkpoint=checkpoint)) as feed:
                assert await talk.take(feed, 1) == ["next"]
                talk.say("end")
                assert await talk.take(feed, 1) == ["end"]
        return talk.id

    key = asyncio.run(scenario())
    (error,) = reported
    assert isinstance(error, kind)
    assert f"the reply to message 1 of conversation {key}" in error.message


@pytest.mark.parametrize("status", [401, 429, 503])
def test_a_reply_that_fails_for_a_while_is_retried(play: Play, status: int) -> None:
    async def scenario(talk: Talk) -> None:
        checkpoint = MemoryCheckpoint()
        async with opened(talk.follow(checkpoint=checkpoint)):
            talk.say("?")
        talk.sandbox.faults.fail(status, times=9, retry_after=9999, method="POST")
        feed = talk.follow(checkpoint=checkpoint)
        item = await talk.next(feed)
        with pytest.raises(ApiError):
            await done(item.reply(body="!"))
        await close(feed)
        talk.sandbox.faults.clear()
        async with opened(talk.follow(checkpoint=checkpoint)) as feed:
            item = await talk.next(feed)
            assert (await done(item.reply(body="!"))).body == "!"

    play(scenario)


def test_what_the_id_depends_on() -> None:
    row = Row("m1", 1)
    secret = [new_secret(bytes(range(20)))]
    ids = [
        reply_id(secret, "me", "talk", row, 0),
        reply_id(secret, "me", "talk", row, 1),
        reply_id(secret, "you", "talk", row, 0),
        reply_id(secret, "me", "other", Row("m1", 1), 0),
        reply_id(secret, "me", "talk", Row("m1", 2), 0),
        reply_id(secret, "me", "talk", Row("m2", 1), 0),
        reply_id([new_secret(bytes(range(1, 21)))], "me", "talk", row, 0),
        old_reply_id("me", row, 0),
    ]
    assert len(set(ids)) == len(ids)
    assert [str(uuid.UUID(id)) for id in ids] == ids
    assert ids[0] == reply_id(secret, "me", "talk", row, 0)
    expected = uuid.uuid5(uuid.NAMESPACE_URL, "me answers m1 with number 0")
    assert ids[-1] == str(expected)


def test_any_checkpoint_can_hold_a_secret() -> None:
    for content in (bytes(20), b"\xff" * 20, bytes(range(20))):
        secret = new_secret(content)
        assert 0 < secret.sequence < 2**31
        assert str(uuid.UUID(secret.id)) == secret.id


@pytest.mark.parametrize("make", [MemoryCheckpoint, lambda: SQLiteCheckpoint(":memory:")])
def test_two_that_begin_at_once_agree(make: Callable[[], Any]) -> None:
    checkpoint: Any = make()
    first = checkpoint.load_or_save(SECRET, Position(1, "a"))
    assert checkpoint.load_or_save(SECRET, Position(2, "b")) == first == Position(1, "a")
    assert checkpoint.load(SECRET) == first
    if isinstance(checkpoint, SQLiteCheckpoint):
        checkpoint.close()
