"""Every method over HTTP, in both flavours, against the sandbox: a story for each resource."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

import poolse
from poolse import (
    ApiError,
    AsyncPoolse,
    AsyncPoolseBackend,
    ConversationType,
    ForbiddenError,
    MemberRole,
    NotFoundError,
    Poolse,
    PoolseBackend,
)
from poolse._observe.log_redaction import redacting
from poolse._rest.http_messages import Request
from poolse.testing import Sandbox

FLAVOURS = {"sync": (Poolse, PoolseBackend), "async": (AsyncPoolse, AsyncPoolseBackend)}


async def done(value: Any) -> Any:
    """The result of a call of either flavour."""
    return await value if inspect.isawaitable(value) else value


async def rows(walk: Iterator[Any] | AsyncIterator[Any]) -> list[Any]:
    """All items of a walk of either flavour."""
    return [row async for row in walk] if isinstance(walk, AsyncIterator) else list(walk)


class Stage:
    """The clients of one test, all of one flavour."""

    def __init__(self, sandbox: Sandbox, flavour: str, stack: AsyncExitStack) -> None:
        self.sandbox = sandbox
        self._client, self._backend = FLAVOURS[flavour]
        self._stack = stack
        self._more: dict[str, Any] = {"api_url": sandbox.url}
        if sandbox.url.startswith("https"):
            self._more["ssl_context"] = sandbox.ssl_context()

    async def user(self, name: str) -> Any:
        return await self._enter(self._client(token=self.sandbox.token(name), **self._more))

    async def backend(self) -> Any:
        return await self._enter(self._backend(api_key=self.sandbox.api_key, **self._more))

    def fetched(self, url: str, token: str = "") -> httpx.Response:
        """What somebody else's client gets."""
        verify = self.sandbox.ssl_context() if url.startswith("https") else False
        headers = {"authorization": f"Bearer {token}"} if token else {}
        # This one is the test's own.
        mark = redacting.set(Request.to("GET", url, [], None))
        try:
            return httpx.get(url, headers=headers, verify=verify, trust_env=False)
        finally:
            redacting.reset(mark)

    async def _enter(self, client: Any) -> Any:
        if isinstance(client, Poolse | PoolseBackend):
            return self._stack.enter_context(client)
        return await self._stack.enter_async_context(client)


def on_stage(sandbox: Sandbox, flavour: str, story: Any) -> None:
    async def run() -> None:
        async with AsyncExitStack() as stack:
            await story(Stage(sandbox, flavour, stack))

    asyncio.run(run())


@pytest.fixture(params=[False, True], ids=["http", "https"])
def either_sandbox(request: pytest.FixtureRequest) -> Sandbox:
    name = "tls_sandbox" if request.param else "sandbox"
    found: Sandbox = request.getfixturevalue(name)
    return found


async def conversations(stage: Stage) -> None:
    alice = await stage.user("alice")
    bob = await stage.user("bob")
    me = await done(alice.me.show())
    assert me.external_id == "alice"

    made = await done(alice.conversations.create(type="group", name="Team", member_limit=3))
    handle = alice.conversations.one(made.id)
    assert made.type is ConversationType.GROUP
    assert made.created_by_user_id == me.id
    assert await done(handle.show()) == made

    changed = await done(handle.update(name=None, custom_data={"topic": "launch"}))
    assert (changed.name, changed.member_limit, changed.custom_data) == (
        None,
        3,
        {"topic": "launch"},
    )

    await done(handle.add_member("bob"))
    sent = await done(bob.conversations.one(made.id).messages.send(body="Hello"))
    [row] = await done(alice.conversations.list())
    assert (row.id, row.unread_count, row.last_sequence) == (made.id, 1, sent.sequence)
    assert await done(handle.messages.mark_read(sent.id)) is None
    [row] = await done(alice.conversations.list())
    assert row.unread_count == 0


async def members(stage: Stage) -> None:
    alice = await stage.user("alice")
    bob = await stage.user("bob")
    made = await done(alice.conversations.create(type="group"))
    handle = alice.conversations.one(made.id)
    with pytest.raises(ForbiddenError, match="not a member"):
        await done(bob.conversations.one(made.id).show())
    joined = await done(handle.add_member("bob", role="admin"))
    assert joined.role is MemberRole.ADMIN
    assert [m.id for m in await done(handle.add_members(["bob"]))] == [joined.id]
    assert {m.role for m in await done(handle.list_members())} == {"owner", "admin"}

    assert await done(handle.remove_member(joined.user_id)) is None
    with pytest.raises(ForbiddenError):
        await done(bob.conversations.one(made.id).messages.send(body="Still here?"))
    (created,) = await done(handle.add_members(["somebody new"]))
    assert (created.external_id, created.role) == ("somebody new", "member")


async def messages(stage: Stage) -> None:
    alice = await stage.user("alice")
    made = await done(alice.conversations.create(type="group"))
    feed = alice.conversations.one(made.id).messages
    sent = [await done(feed.send(body=str(number))) for number in range(5)]
    quoting = await done(feed.send(body="that", quoted_message_id=sent[0].id))
    assert quoting.quoted_message is not None
    assert quoting.quoted_message.body == "0"

    newest = [quoting, *reversed(sent)]
    assert [m.id for m in await done(feed.list(limit=2))] == [m.id for m in newest[:2]]
    assert [m.id for m in await rows(feed.iter(limit=2))] == [m.id for m in newest]
    assert [m.id for m in await rows(feed.iter(before=sent[1].sequence))] == [sent[0].id]

    root = alice.messages.one(sent[0].id)
    replies = [
        await done(feed.send(body=f"reply {number}", reply_to_id=root.id)) for number in range(3)
    ]
    assert {reply.thread_root_id for reply in replies} == {root.id}
    assert [m.id for m in await done(root.replies(limit=1))] == [replies[0].id]
    assert [m.id for m in await rows(root.iter_replies(limit=1))] == [m.id for m in replies]
    after = replies[1].sequence
    assert [m.id for m in await rows(root.iter_replies(after=after))] == [replies[2].id]

    liked = await done(root.add_reaction("a/b?"))
    assert liked.reactions == {"a/b?": [liked.sender_id]}
    assert (await done(root.remove_reaction("a/b?"))).reactions == {}

    edited = await done(root.update(body="zero"))
    assert edited.body == "zero"
    assert edited.edited_at is not None
    assert edited.edited_at.tzinfo is not None
    assert await done(root.delete()) is None
    with pytest.raises(ApiError) as caught:
        await done(root.update(body="again"))
    assert (caught.value.status, caught.value.code) == (410, "message_deleted")
    with pytest.raises(NotFoundError):
        await done(alice.messages.one(made.id).replies())


async def attachments(stage: Stage) -> None:
    alice = await stage.user("alice")
    made = await done(alice.conversations.create(type="group"))
    feed = alice.conversations.one(made.id).messages
    uploaded = await done(alice.attachments.upload("Grüße", filename="hello.txt"))
    assert (uploaded.content_type, uploaded.byte_size) == ("text/plain", len("Grüße".encode()))
    sent = await done(feed.send(attachment_ids=[uploaded.id]))
    assert sent.attachments is not None
    assert [(a.id, a.status) for a in sent.attachments] == [(uploaded.id, "ready")]

    handle = alice.attachments.one(uploaded.id)
    target = await done(handle.download_url())
    assert stage.fetched(target.url).text == "Grüße"
    assert target.url not in repr(target)
    assert await done(handle.delete()) is None
    with pytest.raises(NotFoundError):
        await done(handle.download_url())
    with pytest.raises(ApiError) as caught:
        await done(alice.attachments.request_upload(content_type="a/b", byte_size=10**12))
    assert (caught.value.status, caught.value.code) == (413, "attachment_too_large")


async def users(stage: Stage) -> None:
    backend = await stage.backend()
    made = await done(backend.users.create(external_id="carol", display_name="Carol"))
    again = await done(backend.users.create(external_id="carol", display_name="Other"))
    assert again == made
    minted = await done(backend.users.create_token(made.id))
    assert minted.token not in repr(minted)
    answer = stage.fetched(f"{stage.sandbox.url}/v1/me", minted.token)
    assert poolse.from_dict(answer.json(), poolse.User) == made
    with pytest.raises(NotFoundError):
        await done(backend.users.create_token("0b5f9c5e-3c7e-4a37-9f0e-5d5a2f0d6c01"))


@pytest.mark.parametrize("story", [conversations, members, messages, attachments, users])
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_story(either_sandbox: Sandbox, flavour: str, story: Any) -> None:
    on_stage(either_sandbox, flavour, story)
