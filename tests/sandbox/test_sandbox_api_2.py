"""What the API has since 1.1, one test a row, through the public clients of both flavours.

The names of the rows are the versions of the official SDK in which they came, and what they are
about; `python -m pytest tests/sandbox/test_sandbox_api_2.py --collect-only -q` lists them. Calls
and voice rooms have tests of their own.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import attrs
import pytest

from poolse import (
    AsyncPoolseBackend,
    ConversationCreated,
    ConversationUpdated,
    ForbiddenError,
    Message,
    NotFoundError,
    PoolseBackend,
    RateLimitedError,
    TypingStart,
    TypingStop,
    from_dict,
    to_dict,
)
from poolse.testing import Sandbox, async_client_for, client_for

LIVEKIT: Final = "wss://livekit.example"


async def done(result: Any) -> Any:
    """What a method of either flavour gives: those of the async one have to be awaited."""
    return await result if inspect.isawaitable(result) else result


async def step(iterator: Any) -> Any:
    """The next of what an iterator of either flavour gives."""
    return await anext(iterator) if hasattr(iterator, "__anext__") else next(iterator)


@attrs.define
class Place:
    """A sandbox, and clients of one flavour."""

    sandbox: Sandbox
    flavour: Callable[[Sandbox, str], Any]
    stack: AsyncExitStack

    def client(self, name: str) -> Any:
        """A client of a user, closed at the end."""
        return self._closed(self.flavour(self.sandbox, name))

    def backend(self) -> Any:
        """A client with the API key, closed at the end."""
        kind = PoolseBackend if self.flavour is client_for else AsyncPoolseBackend
        return self._closed(kind(api_url=self.sandbox.url, api_key=self.sandbox.api_key))

    def _closed(self, client: Any) -> Any:
        async def close() -> None:
            await done(client.aclose() if hasattr(client, "aclose") else client.close())

        self.stack.push_async_callback(close)
        return client

    async def listen(self, channel: Any) -> Any:
        """The events of a channel that is joined."""
        await done(channel.wait_joined(timeout=10))
        return channel.events()

    async def talk(self, chat: Any, *others: str) -> Any:
        """The handle of a new group."""
        made = await done(chat.conversations.create(type="group", member_external_ids=others))
        return chat.conversations.one(made.id)


Check = Callable[[Place], Coroutine[Any, Any, None]]
ROWS: Final[dict[str, Check]] = {}


def row(name: str) -> Callable[[Check], Check]:
    """Add a row to the table."""

    def add(check: Check) -> Check:
        assert name not in ROWS
        ROWS[name] = check
        return check

    return add


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    """One sandbox for all rows."""
    with Sandbox(livekit_url=LIVEKIT, typing_timeout=0.2) as sandbox:
        yield sandbox


@pytest.fixture
def empty(server: Sandbox) -> Iterator[Sandbox]:
    """It, as if it were new."""
    yield server
    server.reset()


@asynccontextmanager
async def place_of(flavour: Any, sandbox: Sandbox) -> AsyncGenerator[Place]:
    async with AsyncExitStack() as stack:
        yield Place(sandbox, flavour, stack)


# REST


@row("2.0.0 POST /v1/conversations creates unknown members")
async def _(place: Place) -> None:
    talk = await place.talk(place.client("alice"), "new-1", "new-2")
    members = await done(talk.list_members())
    assert [member.external_id for member in members] == ["alice", "new-1", "new-2"]
    assert members[1].user_id == place.sandbox.user_id("new-1")


@row("2.0.0 POST /v1/conversations/:id/members creates unknown users")
async def _(place: Place) -> None:
    talk = await place.talk(place.client("alice"))
    added = await done(talk.add_members(["new-3", "alice"], role="admin"))
    assert [(member.external_id, member.role) for member in added] == [
        ("new-3", "admin"),
        ("alice", "owner"),
    ]


@row("2.0.0 429 lazy_provision_rate_limited")
async def _(place: Place) -> None:
    alice = place.client("alice")
    talk = await place.talk(alice, *(f"new-{number}" for number in range(50)))
    with pytest.raises(RateLimitedError) as caught:
        await done(talk.add_member("new-50"))
    assert caught.value.code == "lazy_provision_rate_limited"
    assert caught.value.retry_after > 3500


@row("2.0.0 DELETE /v1/conversations/:id/members/:user_id takes the poolse ID")
async def _(place: Place) -> None:
    talk = await place.talk(place.client("alice"), "bob")
    with pytest.raises(NotFoundError):
        await done(talk.remove_member("bob"))
    await done(talk.remove_member(place.sandbox.user_id("bob")))
    assert len(await done(talk.list_members())) == 1


@row("2.0.0 POST messages: mentions are poolse IDs")
async def _(place: Place) -> None:
    talk = await place.talk(place.client("alice"), "bob")
    bob = place.sandbox.user_id("bob")
    message = await done(talk.messages.send(body="@bob", mentions=[bob]))
    assert message.mentions == [bob]


@row("2.0.0 POST /v1/users is not needed beforehand, and idempotent")
async def _(place: Place) -> None:
    talk = await place.talk(place.client("alice"), "new-4")
    backend = place.backend()
    user = await done(backend.users.create(external_id="new-4", display_name="late"))
    assert user.id == (await done(talk.list_members()))[1].user_id
    assert user.display_name is None


@row("2.4.0 POST /v1/devices")
async def _(place: Place) -> None:
    chat = place.client("alice")
    token = "a/b+c=="
    first = await done(chat.devices.register(token, platform="ios"))
    assert (first.platform, first.environment) == ("ios", "production")
    assert first.user_id == place.sandbox.user_id("alice")
    assert token not in repr(to_dict(first))
    place.sandbox.clock.advance(1)
    again = await done(chat.devices.register(token, platform="ios", environment="sandbox"))
    assert (again.id, again.environment) == (first.id, "sandbox")
    assert again.last_registered_at > first.last_registered_at


@row("2.4.0 DELETE /v1/devices/:token")
async def _(place: Place) -> None:
    chat = place.client("alice")
    token = "d/e f?g#h%i"
    await done(chat.devices.register(token, platform="android"))
    assert await done(chat.devices.unregister(token)) is None
    with pytest.raises(NotFoundError):
        await done(chat.devices.unregister(token))


@row("2.9.0 GET /v1/ice-servers")
async def _(place: Place) -> None:
    listed = await done(place.client("alice").ice_servers.list())
    (server,) = listed.ice_servers
    assert server.urls == "stun:stun.l.google.com:19302"
    assert (server.username, server.credential, listed.ttl_seconds) == (None, None, 3600)


@row("2.10.0 POST /v1/conversations/:id/call-token")
async def _(place: Place) -> None:
    chat = place.client("alice")
    talk = await place.talk(chat)
    connection = await done(chat.call_tokens.create(talk.id))
    assert (connection.url, connection.room) == (LIVEKIT, talk.id)
    assert connection.token.count(".") == 2
    assert connection.token not in repr(connection)
    assert connection.expires_at > 1_780_000_000


@row("2.10.0 POST call-token: others than members are refused")
async def _(place: Place) -> None:
    talk = await place.talk(place.client("alice"))
    with pytest.raises(ForbiddenError):
        await done(place.client("eve").call_tokens.create(talk.id))


@row("2.10.0 POST call-token: None without LiveKit, without a retry")
async def _(place: Place) -> None:
    with Sandbox() as sandbox:
        async with place_of(place.flavour, sandbox) as other:
            chat = other.client("alice")
            talk = await other.talk(chat)
            with chat.capture() as calls:
                assert await done(chat.call_tokens.create(talk.id)) is None
            assert [(call.status, call.attempts) for call in calls] == [(503, 1)]


# Rows


@row("2.0.0 Message.sender_external_id")
async def _(place: Place) -> None:
    talk = await place.talk(place.client("alice"), "bob")
    live = await place.listen(place.client("bob").realtime.conversation(talk.id))
    sent = await done(talk.messages.send(body="x"))
    (listed,) = await done(talk.messages.list())
    event: Any = None
    while not hasattr(event, "sender_external_id"):
        event = await step(live)
    assert {sent.sender_external_id, listed.sender_external_id} == {"alice"}
    assert event.sender_external_id == "alice"


@row("2.0.0 Message.sender_external_id is None for the system and from older servers")
async def _(place: Place) -> None:
    talk = await place.talk(place.client("alice"))
    wire = to_dict(await done(talk.messages.send(body="x")))
    assert from_dict({**wire, "sender_external_id": None}, Message).sender_external_id is None
    del wire["sender_external_id"]
    assert from_dict(wire, Message).sender_external_id is None


@row("2.0.0 QuotedMessagePreview.sender_external_id")
async def _(place: Place) -> None:
    talk = await place.talk(place.client("alice"), "bob")
    quoted = await done(talk.messages.send(body="x"))
    theirs = place.client("bob").conversations.one(talk.id)
    sent = await done(theirs.messages.send(body="y", quoted_message_id=quoted.id))
    assert sent.quoted_message.sender_external_id == "alice"


@row("2.0.0 Membership.external_id")
async def _(place: Place) -> None:
    talk = await place.talk(place.client("alice"), "bob")
    members = await done(talk.list_members())
    assert [member.external_id for member in members] == ["alice", "bob"]


@row("2.0.0 TypingEvent.external_id")
async def _(place: Place) -> None:
    alice = place.client("alice")
    talk = await place.talk(alice, "bob")
    theirs = await place.listen(place.client("bob").realtime.conversation(talk.id))
    mine = alice.realtime.conversation(talk.id)
    await done(mine.wait_joined(timeout=10))
    await done(mine.send_typing())
    for kind in (TypingStart, TypingStop):
        event: Any = None
        while not isinstance(event, kind):
            event = await step(theirs)
        assert event.external_id == "alice"


@row("2.0.0 presence metas external_id")
async def _(place: Place) -> None:
    alice = place.client("alice")
    talk = await place.talk(alice)
    live = alice.realtime.conversation(talk.id)
    events = await place.listen(live)
    while not live.presence_state:
        await step(events)
    (presence,) = live.presence_state.values()
    assert presence.metas[0].external_id == "alice"


@row("2.0.5 Conversation.last_message_preview")
async def _(place: Place) -> None:
    chat = place.client("alice")
    talk = await place.talk(chat)
    assert (await done(talk.show())).last_message_preview is None
    await done(talk.messages.send(body="x" * 100))
    (listed,) = await done(chat.conversations.list())
    assert listed.last_message_preview == "x" * 80
    file = await done(chat.attachments.upload(b"x", content_type="text/plain"))
    await done(talk.messages.send(attachment_ids=[file.id]))
    assert (await done(talk.show())).last_message_preview == "📎 Attachment"


@row("2.0.5 Conversation.member_external_ids, in lists and conversation:created")
async def _(place: Place) -> None:
    chat = place.client("alice")
    live = await place.listen(chat.realtime.user(place.sandbox.user_id("alice")))
    made = await done(chat.conversations.create(type="group", member_external_ids=["bob"]))
    event = await step(live)
    assert isinstance(event, ConversationCreated)
    assert event.member_external_ids == ["alice", "bob"]
    (listed,) = await done(chat.conversations.list())
    assert listed.member_external_ids == ["alice", "bob"]
    assert made.member_external_ids is None


@row("2.0.9 Membership.last_read_sequence")
async def _(place: Place) -> None:
    talk = await place.talk(place.client("alice"), "bob")
    rows = [await done(talk.messages.send(body="x")) for _ in range(3)]
    theirs = place.client("bob").conversations.one(talk.id)
    before = await done(talk.list_members())
    await done(theirs.messages.mark_read(rows[1].id))
    after = await done(talk.list_members())
    assert [member.last_read_sequence for member in before] == [3, None]
    assert [member.last_read_sequence for member in after] == [3, 2]


@row("2.1.4 Conversation.unread_count: in lists, and one's own messages are never unread")
async def _(place: Place) -> None:
    alice, bob = place.client("alice"), place.client("bob")
    talk = await place.talk(alice, "bob")
    for _ in range(3):
        await done(talk.messages.send(body="x"))
    (mine,) = await done(alice.conversations.list())
    (theirs,) = await done(bob.conversations.list())
    assert (mine.unread_count, theirs.unread_count) == (0, 3)
    assert (await done(talk.show())).unread_count is None


# Realtime: the topic user:<user_id>


@row("2.0.5 conversation:updated after each send, with unread_count per recipient since 2.1.4")
async def _(place: Place) -> None:
    alice, bob = place.client("alice"), place.client("bob")
    talk = await place.talk(alice, "bob")
    ids = [place.sandbox.user_id(name) for name in ("alice", "bob")]
    lives = [
        await place.listen(chat.realtime.user(user_id))
        for chat, user_id in zip((alice, bob), ids, strict=True)
    ]
    for number in (1, 2):
        await done(talk.messages.send(body=f"number {number}"))
        for live, unread in zip(lives, (0, number), strict=True):
            event = await step(live)
            assert isinstance(event, ConversationUpdated)
            assert event.by_user_id == ids[0]
            assert event.conversation.id == talk.id
            assert event.conversation.last_message_preview == f"number {number}"
            assert event.conversation.last_sequence == number
            assert event.conversation.unread_count == unread


@row("2.1.4 conversation:updated after deletions that change the count")
async def _(place: Place) -> None:
    bob = place.client("bob")
    talk = await place.talk(place.client("alice"), "bob")
    rows = [await done(talk.messages.send(body=body)) for body in ("read", "unread", "too")]
    await done(bob.conversations.one(talk.id).messages.mark_read(rows[0].id))
    live = await place.listen(bob.realtime.user(place.sandbox.user_id("bob")))
    messages = place.client("alice").messages
    for message in rows[:2]:
        await done(messages.one(message.id).delete())
    event = await step(live)
    assert isinstance(event, ConversationUpdated)
    assert (event.conversation.id, event.conversation.unread_count) == (talk.id, 1)


@pytest.mark.parametrize("flavour", [client_for, async_client_for], ids=["sync", "async"])
@pytest.mark.parametrize("name", ROWS)
def test_row(name: str, flavour: Any, empty: Sandbox) -> None:
    async def run() -> None:
        async with place_of(flavour, empty) as place:
            await ROWS[name](place)

    asyncio.run(asyncio.wait_for(run(), 30))
