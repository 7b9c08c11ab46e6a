"""A program that knows its own IDs only, against the sandbox, in both flavours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from poolse import MentionNew, MessageNew, Poolse, TypingStart, UsageError, UserProfile
from poolse.testing import Sandbox
from tests.client.public_calls import done, step
from tests.users.sync_and_async_users import CLIENTS


def profile(external_id: str) -> UserProfile:
    return UserProfile(external_id.upper())


@asynccontextmanager
async def closed(manager: Any) -> AsyncGenerator[Any]:
    """Enter a context manager of either flavour."""
    if hasattr(manager, "__aenter__"):
        async with manager as inner:
            yield inner
    else:
        with manager as inner:
            yield inner


async def until(events: Any, kind: type) -> Any:
    """The next event of a class."""
    while not isinstance(event := await step(events), kind):
        assert event is not None, f"no {kind.__name__}"
    return event


@CLIENTS
def test_members_mentions_and_names(client: type[Any], sandbox: Sandbox) -> None:
    async def main() -> None:
        bob = Poolse(api_url=sandbox.url, token=sandbox.token("bob"))
        chat = client(
            api_url=sandbox.url,
            token=sandbox.token("alice"),
            user_resolver=profile,
            users_by="external_id",
        )
        with bob:
            async with closed(chat):
                made = await done(
                    chat.conversations.create(type="group", member_external_ids=["bob", "carol"])
                )
                conversation = chat.conversations.one(made)
                with bob.realtime.user(sandbox.user_id("bob")) as mine:
                    heard = mine.events(timeout=10)
                    sent = await done(
                        conversation.messages.send(body="Hi", mention_external_ids=["bob"])
                    )
                    assert sent.mentions == [sandbox.user_id("bob")]
                    assert next(e for e in heard if isinstance(e, MentionNew)).message_id == sent.id
                assert await done(chat.users.get(sent)) == profile("alice")
                members = await done(conversation.list_members())
                names = await done(chat.users.get_many(members))
                assert names == {own: profile(own) for own in ("alice", "bob", "carol")}
                await done(conversation.remove_member(external_id="carol"))
                left = await done(conversation.list_members())
                assert [member.external_id for member in left] == ["alice", "bob"]

    asyncio.run(main())


@CLIENTS
def test_presence_and_typing(client: type[Any], sandbox: Sandbox) -> None:
    async def main() -> None:
        bob = Poolse(api_url=sandbox.url, token=sandbox.token("bob"))
        chat = client(
            api_url=sandbox.url,
            token=sandbox.token("alice"),
            user_resolver=profile,
            users_by="external_id",
        )
        with bob:
            async with closed(chat):
                made = await done(
                    chat.conversations.create(type="group", member_external_ids=["bob"])
                )
                async with closed(chat.realtime.conversation(made.id)) as live:
                    events = live.events(timeout=10)
                    with bob.realtime.conversation(made.id) as other:
                        other.send_typing()
                        typing = await until(events, TypingStart)
                        assert await done(chat.users.get(typing)) == profile("bob")
                        here = live.presence_state.by_external_id
                        assert sorted(here) == ["alice", "bob"]
                        assert here["bob"] == live.presence_state[sandbox.user_id("bob")]
                        assert await done(chat.users.get(here["bob"])) == profile("bob")
                        bob.conversations.one(made).messages.send(body="Hi")
                        message = await until(events, MessageNew)
                        assert await done(chat.users.get(message)) == profile("bob")

    asyncio.run(main())


@CLIENTS
def test_a_reply_mentions_the_sender(client: type[Any], sandbox: Sandbox) -> None:
    async def main() -> None:
        bob = Poolse(api_url=sandbox.url, token=sandbox.token("bob"))
        chat = client(api_url=sandbox.url, token=sandbox.token("alice"))
        with bob:
            async with closed(chat):
                made = await done(
                    chat.conversations.create(type="group", member_external_ids=["bob"])
                )
                bob.conversations.one(made).messages.send(body="Hi")
                feed = chat.conversations.one(made).messages.follow(after="beginning")
                async with closed(feed):
                    item = await step(feed)
                    sender = item.message.sender_external_id
                    reply = await done(item.reply(body="Hi", mention_external_ids=[sender]))
                    assert reply.mentions == [item.message.sender_id]

    asyncio.run(main())


@CLIENTS
def test_an_older_server_knows_poolse_ids_only(client: type[Any]) -> None:
    async def main(sandbox: Sandbox) -> None:
        chat = client(
            api_url=sandbox.url,
            token=sandbox.token("alice"),
            user_resolver=profile,
            users_by="external_id",
        )
        bob = sandbox.user_id("bob")
        async with closed(chat):
            made = await done(chat.conversations.create(type="group", member_external_ids=["bob"]))
            conversation = chat.conversations.one(made)
            sent = await done(conversation.messages.send(body="Hi", mentions=[bob]))
            assert await done(chat.users.get(sent)) is None
            with pytest.raises(UsageError, match="an older server does not send it"):
                await done(conversation.messages.send(body="Hi", mention_external_ids=["bob"]))
            with pytest.raises(UsageError, match="an older server does not send it"):
                await done(conversation.remove_member(external_id="bob"))
            await done(conversation.remove_member(bob))

    with Sandbox(api="1.1") as sandbox:
        asyncio.run(main(sandbox))
