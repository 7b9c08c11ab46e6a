"""Every event of the API arrives typed: by its callback, by `events()`, and in a `match`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import pytest

from poolse import ConversationEvent, JoinError, UnknownEvent, UserEvent
from poolse._generated.events import CONVERSATION, USER
from poolse.sandbox.spec import channels
from poolse.testing import Sandbox
from tests.realtime.real_backend import run
from tests.realtime.sync_and_async import FLAVOURS, LIMIT, Flavour, Log, done
from tests.realtime.typed_clients import CONVERSATION_CALLBACKS, chat, in_user_words, in_words, take
from tests.sandbox.raw_clients import User

EVERYWHERE = pytest.mark.parametrize("flavour", FLAVOURS, ids=["sync", "async"])


@pytest.fixture(params=[False, True], ids=["ws", "wss"])
def backend(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """One in which nobody types for long."""
    with Sandbox(tls=request.param, typing_timeout=0.01) as sandbox:
        yield sandbox


@pytest.fixture
def bob(backend: Sandbox) -> Iterator[User]:
    """Somebody else, without a client of ours."""
    user = User(backend, "bob", tls=backend.url.startswith("https"))
    yield user
    user.close()


def everything_happens(backend: Sandbox, bob: User, talk: str) -> None:
    """Each event of a conversation at least once, those of typing last."""
    # Who sends a message has read it: only somebody else's reading is news.
    alice = User(backend, "alice", tls=backend.url.startswith("https"))
    topic = f"conversation:{talk}"
    phone = bob.phone()
    phone.join(topic)
    row = bob.send(talk, body="helo")
    path = f"/messages/{row['id']}"
    bob.ask("PATCH", path, body="hello")
    bob.ask("POST", f"{path}/reactions", emoji="👍")
    bob.ask("DELETE", f"{path}/reactions/👍")
    alice.ask("POST", f"/conversations/{talk}/read", message_id=row["id"])
    bob.ask("DELETE", path)
    backend.broadcast(topic, "brand:new", {"a": 1})
    phone.send("1", "2", topic, "typing", {})
    alice.close()


HAPPENED = [
    "came 1, went 0",
    "new helo",
    "updated hello",
    "added 👍",
    "removed 👍",
    "read True",
    "deleted True",
    "unknown brand:new {'a': 1}",
    "typing",
    "not typing",
]


@EVERYWHERE
def test_every_event_of_a_conversation(flavour: Flavour, backend: Sandbox, bob: User) -> None:
    async def scenario() -> None:
        async with chat(flavour, backend, "alice") as alice:
            group = await done(
                alice.conversations.create(type="group", member_external_ids=["bob"])
            )
            live, called = alice.realtime.conversation(group.id), Log()
            for name in CONVERSATION_CALLBACKS:
                getattr(live, name)(called.append)
            events = live.events(timeout=LIMIT)
            await done(live.wait_joined())
            arrival = ["came 1, went 0", "present 1"]
            assert sorted([in_words(await take(events)) for _ in range(2)]) == arrival
            everything_happens(backend, bob, group.id)
            iterated = [await take(events) for _ in HAPPENED]
            assert [in_words(event) for event in iterated] == HAPPENED
            await called.reach(2 + len(HAPPENED) - 1)
            known = [event for event in iterated if not isinstance(event, UnknownEvent)]
            assert called.items[2:] == known
            assert set(map(type, [*called.items, iterated[7]])) <= set(get_args(ConversationEvent))

    run(scenario)


@EVERYWHERE
def test_every_event_of_ones_own(flavour: Flavour, backend: Sandbox, bob: User) -> None:
    async def scenario() -> None:
        me = backend.user_id("alice")
        async with chat(flavour, backend, "alice") as alice:
            live, called = alice.realtime.user(me), Log()
            live.on_mention(called.append)
            live.on_conversation_created(called.append)
            live.on_conversation_updated(called.append)
            events = live.events(timeout=LIMIT)
            await done(live.wait_joined())
            talk = bob.conversation("alice")
            message = bob.send(talk, body="@alice", mentions=[me])
            backend.broadcast(live.topic, "brand:new", {})
            iterated: list[Any] = [await take(events) for _ in range(4)]
            assert [in_user_words(event) for event in iterated] == [
                f"member of {talk}",
                f"mentioned in {message['id']}",
                f"1 unread in {talk}",
                "unknown brand:new {}",
            ]
            await called.reach(3)
            assert called.items == iterated[:3]
            assert set(map(type, iterated)) <= set(get_args(UserEvent))

    run(scenario)


@EVERYWHERE
def test_the_channel_of_another_user_is_another_and_refused(
    flavour: Flavour, backend: Sandbox
) -> None:
    async def scenario() -> None:
        async with chat(flavour, backend, "alice") as alice:
            mine = alice.realtime.user(backend.user_id("alice"))
            other = alice.realtime.user(backend.user_id("bob"))
            assert mine != other
            assert alice.realtime.user(backend.user_id("alice")) == mine
            with pytest.raises(JoinError, match="unauthorized"):
                await done(other.wait_joined())
            await done(mine.wait_joined())

    run(scenario)


def test_these_are_all_events_of_the_wire() -> None:
    spec = channels()
    assert set(CONVERSATION.events) == spec["conversation:{conversation_id}"].events.keys()
    assert set(USER.events) == spec["user:{user_id}"].events.keys()
    assert len(CONVERSATION_CALLBACKS) == len(CONVERSATION.events)
