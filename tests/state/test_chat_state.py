"""`chat.state` against a sandbox, in both clients."""

from __future__ import annotations

import asyncio
import os
import pickle
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any

import attrs
import pytest

from poolse import (
    ApiError,
    ChannelClosed,
    ConversationChange,
    DecodeError,
    Hooks,
    InboxChange,
    JoinError,
    LiveMessage,
    NetworkError,
    Poolse,
    PresenceState,
    PushTimeout,
    RequestInfo,
    ResponseInfo,
    UsageError,
)
from poolse._state import conversation_reducer
from poolse._state.async_state_core import MAX_AT_ONCE
from poolse.testing import Sandbox
from tests.realtime.sync_and_async import FLAVOURS, Flavour, Log, Sync, done
from tests.realtime.typed_clients import chat

IN_BOTH = pytest.mark.parametrize("flavour", FLAVOURS, ids=["sync", "async"])
OTHER_PATIENCE = {"max_retries": 0}


def everywhere(scenario: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a scenario with clients of both flavours."""

    @wraps(scenario)
    def run(**fixtures: Any) -> None:
        asyncio.run(scenario(**fixtures), debug=True)

    # pytest takes what is wrapped for the test.
    test: Callable[..., None] = IN_BOTH(run)
    return test


@attrs.define
class View:
    """A state of Alice's, with a log of its changes, and another user who writes."""

    flavour: Flavour
    sandbox: Sandbox
    alice: Any
    bob: Any
    talk: Any
    state: Any
    changes: Log = attrs.field(factory=Log)

    def __attrs_post_init__(self) -> None:
        self.state.subscribe(self.changes.append)

    async def until(self, holds: Callable[[Any], object]) -> Any:
        """The snapshot, once it is as wanted."""
        await self.changes.until(lambda _: holds(self.state.snapshot))
        return self.state.snapshot

    async def send(self, body: str, **fields: Any) -> Any:
        """A message of Bob's."""
        return await done(self.bob.conversations.one(self.talk).messages.send(body, **fields))

    @property
    def bodies(self) -> list[str | None]:
        return [item.message.body for item in self.state.messages]


@asynccontextmanager
async def view(
    flavour: Flavour, sandbox: Sandbox, sent: int = 3, **options: Any
) -> AsyncGenerator[View]:
    async with (
        chat(flavour, sandbox, "alice", **OTHER_PATIENCE) as alice,
        chat(flavour, sandbox, "bob") as bob,
    ):
        talk = await done(alice.conversations.create(type="group", member_external_ids=["bob"]))
        for number in range(sent):
            await done(bob.conversations.one(talk).messages.send(f"m{number}"))
        state = alice.state.conversation(talk, **options)
        await done(state.wait_loaded())
        one = View(flavour, sandbox, alice, bob, talk, state)
        yield one
        await closed(state)


async def closed(state: Any) -> None:
    await done(state.aclose() if hasattr(state, "aclose") else state.close())


@everywhere
async def test_a_conversation_loads_and_follows(flavour: Flavour, sandbox: Sandbox) -> None:
    async with view(flavour, sandbox) as one:
        await one.until(lambda s: s.status == "live" and len(s.members) == 2 and s.conversation)
        assert one.bodies == ["m0", "m1", "m2"]
        assert one.state.conversation == await done(one.alice.conversations.one(one.talk).show())
        message = await one.send("news")
        await one.until(lambda s: len(s.messages) == 4)
        await done(one.bob.messages.one(message).update(body="new news"))
        await done(one.bob.messages.one(message).add_reaction("👍"))
        await one.until(lambda s: s.message(message.id).message.reactions)
        assert one.bodies[-1] == "new news"
        await done(one.bob.messages.one(message).delete())
        await one.until(lambda s: s.message(message.id).message.deleted_at)
        assert one.bodies[-1] is None
        assert len(one.state.messages) == 4


def bodies(change: ConversationChange) -> list[str | None]:
    return [item.message.body for item in change.messages]


@everywhere
async def test_changes_say_what_changed(flavour: Flavour, sandbox: Sandbox) -> None:
    async with view(flavour, sandbox) as one:
        await one.until(lambda s: s.conversation and s.members and s.presence)
        message = await one.send("news")
        changes = await one.changes.until(lambda changes: changes and "news" in bodies(changes[-1]))
        change: ConversationChange = changes[-1]
        assert change.fields == {"messages"}
        assert [item.id for item in change.messages] == [message.id]
        assert len(change.before.messages) + 1 == len(change.snapshot.messages)
        # A snapshot stays as it was.
        assert change.before.message(message.id) is None


@everywhere
async def test_typing_and_presence_and_read_marks(flavour: Flavour, sandbox: Sandbox) -> None:
    bob_id = sandbox.user_id("bob")
    async with view(flavour, sandbox) as one:
        await one.until(lambda s: len(s.members) == 2)
        live = one.bob.realtime.conversation(one.talk)
        await done(live.wait_joined())
        await one.until(lambda s: bob_id in s.presence)
        await done(live.send_typing())
        await one.until(lambda s: s.typing == {bob_id})
        message = await one.send("written")
        snapshot = await one.until(lambda s: len(s.messages) == 4)
        assert snapshot.typing == frozenset()
        message = await done(one.state.send("answered"))
        await done(one.bob.conversations.one(one.talk).messages.mark_read(message))

        def has_read(snapshot: Any) -> bool:
            (member,) = [m for m in snapshot.members if m.user_id == bob_id]
            return bool(member.last_read_sequence == message.sequence)

        await one.until(has_read)
        await done(live.leave())
        await one.until(lambda s: bob_id not in s.presence)


@everywhere
async def test_who_stops_without_saying_so_fades(
    flavour: Flavour, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation_reducer, "TYPING_TIME", 0.2)
    async with view(flavour, sandbox) as one:
        live = one.bob.realtime.conversation(one.talk)
        await done(live.wait_joined())
        await done(live.send_typing())
        await one.changes.until(lambda changes: any(c.snapshot.typing for c in changes))
        await one.until(lambda s: not s.typing)


@everywhere
async def test_own_messages_are_shown_at_once(flavour: Flavour, sandbox: Sandbox) -> None:
    async with view(flavour, sandbox) as one:
        row = await done(one.state.send("mine", quoted_message_id=one.state.messages[0]))
        await one.until(lambda s: s.message(row.id).status == "sent")
        changes = await one.changes.until(
            lambda changes: [c for c in changes if c.snapshot.message(row.id)]
        )
        first = next(c.snapshot.message(row.id) for c in changes if c.snapshot.message(row.id))
        assert (first.status, first.message.body, first.stored) == ("sending", "mine", None)
        assert first.message.sequence is None
        assert first.message.sender_id == sandbox.user_id("alice")
        assert first.message.quoted_message_id == one.state.messages[0].id
        item = one.state.snapshot.message(row.id)
        assert item.message == row
        assert one.bodies == ["m0", "m1", "m2", "mine"]


@everywhere
async def test_a_refused_message_is_kept(flavour: Flavour, sandbox: Sandbox) -> None:
    async with view(flavour, sandbox) as one:
        path = "/v1/conversations/*/messages"
        sandbox.faults.fail(422, path=path, method="POST")
        with pytest.raises(ApiError):
            await done(one.state.send("mine"))
        (failed,) = [item for item in one.state.messages if item.status == "failed"]
        assert isinstance(failed.error, ApiError)
        assert one.bodies[-1] == "mine"
        await one.send("later")
        await one.until(lambda s: len(s.messages) == 5)
        assert one.bodies == ["m0", "m1", "m2", "later", "mine"]
        sandbox.faults.fail(422, path=path, method="POST")
        with pytest.raises(ApiError):
            await done(one.state.retry(failed))
        row = await done(one.state.retry(failed))
        assert row.id == failed.id
        assert one.state.snapshot.message(row.id).status == "sent"
        with pytest.raises(UsageError, match="no message"):
            await done(one.state.retry(failed))


@everywhere
async def test_a_refused_message_is_discarded(flavour: Flavour, sandbox: Sandbox) -> None:
    async with view(flavour, sandbox) as one:
        sandbox.faults.fail(422, path="/v1/conversations/*/messages", method="POST")
        with pytest.raises(ApiError):
            await done(one.state.send("mine"))
        one.state.discard(one.state.messages[-1])
        assert one.bodies == ["m0", "m1", "m2"]


@everywhere
async def test_the_echo_settles_a_lost_response(flavour: Flavour, sandbox: Sandbox) -> None:
    async with view(flavour, sandbox) as one:
        await one.until(lambda s: s.status == "live")
        sandbox.faults.lose_answers(path="/v1/conversations/*/messages", method="POST")
        with pytest.raises(NetworkError):
            await done(one.state.send("mine"))
        snapshot = await one.until(lambda s: not s.messages.outgoing)
        assert snapshot.messages[-1].status == "sent"
        assert one.bodies == ["m0", "m1", "m2", "mine"]


@everywhere
async def test_refused_changes_are_undone(flavour: Flavour, sandbox: Sandbox) -> None:
    async with view(flavour, sandbox) as one:
        mine = await done(one.state.send("mine"))
        before = one.state.snapshot.message(mine.id)
        changes: tuple[Callable[[], object], ...] = (
            lambda: one.state.edit(mine, "changed"),
            lambda: one.state.delete(mine),
            lambda: one.state.react(mine, "👍"),
        )
        for change in changes:
            sandbox.faults.fail(422, path="/v1/messages/*")
            with pytest.raises(ApiError):
                await done(change())
            shown = await undone(one, mine.id)
            assert shown.stored == mine
            assert shown.message != mine
            assert one.state.snapshot.message(mine.id) == before


async def undone(one: View, id: str) -> LiveMessage:
    """How a message was shown before the newest change of it was undone."""

    def ends(changes: list[ConversationChange]) -> list[LiveMessage]:
        before = [change.before.message(id) for change in changes]
        changing = [item for item in before if item is not None and item.status == "sending"]
        return [item for item in changing if item.stored is not None]

    return ends(await one.changes.until(ends))[-1]


@everywhere
async def test_a_reaction_is_a_toggle(flavour: Flavour, sandbox: Sandbox) -> None:
    async with view(flavour, sandbox) as one:
        item = one.state.messages[0]
        await done(one.state.react(item, "👍"))
        reacted = one.state.snapshot.message(item.id)
        assert reacted.message.reactions == {"👍": [sandbox.user_id("alice")]}
        await done(one.state.react(item, "👍"))
        await one.until(lambda s: s.message(item.id).message.reactions == {})


@everywhere
async def test_older_messages(flavour: Flavour, sandbox: Sandbox) -> None:
    async with view(flavour, sandbox, sent=12, page_size=5) as one:
        assert one.bodies == [f"m{n}" for n in range(7, 12)]
        assert await done(one.state.load_older())
        assert one.bodies == [f"m{n}" for n in range(2, 12)]
        while await done(one.state.load_older()):
            pass
        assert one.bodies == [f"m{n}" for n in range(12)]
        assert not one.state.snapshot.has_older
        asked = len(sandbox.requests)
        assert not await done(one.state.load_older())
        assert len(sandbox.requests) == asked


@everywhere
async def test_threads(flavour: Flavour, sandbox: Sandbox) -> None:
    async with view(flavour, sandbox) as one:
        await one.until(lambda s: s.status == "live")
        root = one.state.messages[0]
        first = await one.send("first", reply_to_id=root.id)
        await one.until(lambda s: s.message(root.id).message.reply_count == 1)
        assert len(one.state.messages) == 3
        replies = await done(one.state.open_thread(root))
        assert [item.id for item in replies] == [first.id]
        own = await done(one.state.send("second", reply_to_id=root))
        await one.until(lambda s: s.message(root.id).message.reply_count == 2)
        assert [item.id for item in one.state.threads[root.id]] == [first.id, own.id]
        await done(one.bob.messages.one(first).delete())
        await one.until(lambda s: s.message(root.id).message.reply_count == 1)
        assert one.state.threads[root.id][0].message.deleted_at
        one.state.close_thread(root)
        assert one.state.threads == {}


@everywhere
async def test_what_was_missed_while_away(flavour: Flavour, sandbox: Sandbox) -> None:
    async with view(flavour, sandbox, sent=12, page_size=5) as one:
        while await done(one.state.load_older()):
            pass
        await one.until(lambda s: s.status == "live")
        items: list[LiveMessage] = list(one.state.messages)
        sandbox.faults.refuse_handshakes(503, times=None)
        sandbox.faults.drop_sockets()
        await one.until(lambda s: s.status == "reconnecting")
        await done(one.bob.messages.one(items[0]).update(body="old"))
        await done(one.bob.messages.one(items[-1]).delete())
        await one.send("news")
        sandbox.faults.clear()
        await one.until(lambda s: s.status == "live" and len(s.messages) == 13)
        assert one.bodies[-2:] == [None, "news"]
        # All twelve were current, so that all are read again.
        assert one.bodies[0] == "old"


@everywhere
async def test_a_lost_event_is_noticed_by_the_next(flavour: Flavour, sandbox: Sandbox) -> None:
    async with view(flavour, sandbox) as one:
        await one.until(lambda s: s.status == "live")
        sandbox.faults.disturb_broadcasts(lost=1.0)
        await one.send("lost")
        sandbox.faults.clear()
        await one.send("heard")
        await one.until(lambda s: len(s.messages) == 5)
        assert one.bodies == ["m0", "m1", "m2", "lost", "heard"]


@everywhere
async def test_a_refresh_finds_what_left_no_trace(flavour: Flavour, sandbox: Sandbox) -> None:
    async with view(flavour, sandbox) as one:
        await one.until(lambda s: s.status == "live")
        sandbox.faults.disturb_broadcasts(lost=1.0)
        await done(one.bob.messages.one(one.state.messages[0]).update(body="changed"))
        await done(one.state.refresh())
        assert one.bodies == ["changed", "m1", "m2"]


@everywhere
async def test_failures_of_requests_are_temporary(flavour: Flavour, sandbox: Sandbox) -> None:
    async with (
        chat(flavour, sandbox, "alice", **OTHER_PATIENCE) as alice,
        chat(flavour, sandbox, "bob"),
    ):
        talk = await done(alice.conversations.create(type="direct", member_external_ids=["bob"]))
        sandbox.faults.fail(503, times=2, path="/v1/conversations/*/messages")
        state = alice.state.conversation(talk)
        await done(state.wait_loaded())
        assert len(state.messages) == 0
        await closed(state)


@everywhere
async def test_a_conversation_of_others(flavour: Flavour, sandbox: Sandbox) -> None:
    async with chat(flavour, sandbox, "alice") as alice, chat(flavour, sandbox, "eve") as eve:
        talk = await done(alice.conversations.create(type="group"))
        state = eve.state.conversation(talk)
        with pytest.raises((JoinError, ApiError)):
            await done(state.wait_loaded())
        assert state.status == "failed"
        with pytest.raises((JoinError, ApiError)):
            async for _ in snapshots(state):
                pass


async def snapshots(state: Any, **options: Any) -> AsyncGenerator[Any]:
    """The snapshots of either flavour."""
    found = state.snapshots(**options)
    if hasattr(found, "__anext__"):
        async for snapshot in found:
            yield snapshot
    else:
        for snapshot in found:
            yield snapshot


@everywhere
async def test_snapshots(flavour: Flavour, sandbox: Sandbox) -> None:
    async with view(flavour, sandbox) as one:
        await one.until(lambda s: s.status == "live" and s.members and s.presence)
        seen = [len(s.messages) async for s in snapshots(one.state, timeout=0.2)]
        assert seen == [3]
        await one.send("news")
        await one.until(lambda s: len(s.messages) == 4)
        # Only the newest, for who was away.
        seen = [len(s.messages) async for s in snapshots(one.state, timeout=0.2)]
        assert seen == [4]


@everywhere
async def test_states_are_shared_and_end_with_the_last(flavour: Flavour, sandbox: Sandbox) -> None:
    async with view(flavour, sandbox) as one:
        await one.until(lambda s: s.status == "live" and s.members)
        asked = len(sandbox.requests)
        other = one.alice.state.conversation(one.talk)
        assert other.snapshot is one.state.snapshot
        assert len(sandbox.requests) == asked
        await closed(other)
        await closed(other)
        assert (other.status, one.state.status) == ("closed", "live")
        with pytest.raises(ChannelClosed):
            await done(other.send("no"))
        assert [s async for s in snapshots(other)] == []
        await one.send("news")
        await one.until(lambda s: len(s.messages) == 4)
        await closed(one.state)
        assert one.alice.stats().realtime.channels == 0
        again = one.alice.state.conversation(one.talk)
        assert again.status == "loading"
        await done(again.wait_loaded())
        await closed(again)


@everywhere
async def test_states_end_with_their_client(flavour: Flavour, sandbox: Sandbox) -> None:
    async with view(flavour, sandbox) as one:
        await done(one.alice.close() if flavour is Sync else one.alice.aclose())
        assert one.state.status == "closed"
        with pytest.raises(ChannelClosed):
            await done(one.state.wait_loaded())
        with pytest.raises(UsageError):
            one.alice.state.conversation(one.talk)


@everywhere
async def test_an_inbox(flavour: Flavour, sandbox: Sandbox) -> None:
    async with view(flavour, sandbox) as one:
        other = await done(one.bob.conversations.create(type="group", name="Other"))
        inbox = one.alice.state.inbox()
        changes = Log()
        inbox.subscribe(changes.append)
        await done(inbox.wait_loaded())
        await changes.until(lambda _: inbox.status == "live")
        assert [row.id for row in inbox.conversations] == [one.talk.id]
        assert (inbox.unread_count, inbox.conversations[0].unread_count) == (3, 3)
        member = one.bob.conversations.one(other).add_member
        await done(member("alice"))
        await changes.until(lambda _: len(inbox.conversations) == 2)
        await one.send("news")
        await changes.until(lambda items: items and items[-1].snapshot.unread_count == 4)
        first = inbox.conversations[0]
        assert (first.id, first.last_message_preview) == (one.talk.id, "news")
        last: InboxChange = changes.items[-1]
        assert last.fields == {"conversations"}
        assert [row.id for row in last.conversations] == [one.talk.id]
        await one.until(lambda s: len(s.messages) == 4 and len(s.members) == 2)
        await done(one.state.mark_read())
        assert inbox.unread_count == 0
        await closed(inbox)


@everywhere
async def test_a_refused_read_mark_is_undone(flavour: Flavour, sandbox: Sandbox) -> None:
    async with view(flavour, sandbox) as one:
        inbox = one.alice.state.inbox()
        await done(inbox.wait_loaded())
        await one.until(lambda s: len(s.members) == 2)
        before = one.state.members
        sandbox.faults.fail(422, path="/v1/conversations/*/read")
        with pytest.raises(ApiError):
            await done(one.state.mark_read())
        assert one.state.members == before
        assert inbox.unread_count == 3
        await closed(inbox)


@everywhere
async def test_presence_of_a_channel_that_is_joined_already(
    flavour: Flavour, sandbox: Sandbox
) -> None:
    async with view(flavour, sandbox) as one:
        await one.until(lambda s: s.presence)
        await closed(one.state)
        live = one.alice.realtime.conversation(one.talk)
        await done(live.wait_joined())
        await done(live.wait_for(PresenceState, timeout=10))
        again = one.alice.state.conversation(one.talk)
        await done(again.wait_loaded())
        assert again.presence == {sandbox.user_id("alice")}
        await closed(again)


@everywhere
async def test_a_gap_outlives_a_refresh_that_fails(flavour: Flavour, sandbox: Sandbox) -> None:
    async with view(flavour, sandbox) as one:
        await one.until(lambda s: s.status == "live")
        sandbox.faults.disturb_broadcasts(lost=1.0)
        await one.send("lost")
        sandbox.faults.clear()
        sandbox.faults.fail(503, path="/v1/conversations/*/messages", method="GET")
        with pytest.raises(ApiError):
            await done(one.state.refresh())
        await one.until(lambda s: len(s.messages) == 4)


@everywhere
async def test_what_is_read_elsewhere_is_read_in_the_inbox(
    flavour: Flavour, sandbox: Sandbox
) -> None:
    async with view(flavour, sandbox) as one, chat(flavour, sandbox, "alice") as phone:
        inbox = one.alice.state.inbox()
        changes = Log()
        inbox.subscribe(changes.append)
        await done(inbox.wait_loaded())
        await one.until(lambda s: s.status == "live")
        assert inbox.unread_count == 3
        second = one.state.messages[1]
        await done(phone.conversations.one(one.talk).messages.mark_read(second.id))
        await changes.until(lambda _: inbox.unread_count == 1)
        # The server counts replies, too.
        await one.send("reply", reply_to_id=second.id)
        await changes.until(lambda _: inbox.unread_count == 2)
        await done(one.state.mark_read())
        listed = await done(one.alice.conversations.list())
        assert inbox.unread_count == listed[0].unread_count == 1
        await closed(inbox)


@everywhere
async def test_invalid_arguments_leave_nothing(flavour: Flavour, sandbox: Sandbox) -> None:
    async with view(flavour, sandbox) as one:
        with pytest.raises(UsageError):
            await done(one.state.send("\ud800"))
        with pytest.raises(UsageError):
            await done(one.state.send("x", attachment_ids=5))
        assert one.bodies == ["m0", "m1", "m2"]


@everywhere
async def test_a_closed_state_sends_nothing(flavour: Flavour, sandbox: Sandbox) -> None:
    async with view(flavour, sandbox) as one:
        sandbox.faults.fail(422, path="/v1/conversations/*/messages", method="POST")
        with pytest.raises(ApiError):
            await done(one.state.send("mine"))
        failed = one.state.messages[-1]
        await closed(one.state)
        for action in (one.state.retry, one.state.delete, one.state.open_thread):
            with pytest.raises(ChannelClosed):
                await done(action(failed))


@everywhere
async def test_a_refresh_ends_a_failure(flavour: Flavour, sandbox: Sandbox) -> None:
    async with chat(flavour, sandbox, "alice") as alice:
        talk = await done(alice.conversations.create(type="group"))
        sandbox.faults.fail(403, path="/v1/conversations/*/members")
        state = alice.state.conversation(talk)
        with pytest.raises(ApiError):
            await done(state.wait_loaded())
        assert (state.status, state.snapshot.error.status) == ("failed", 403)
        await done(state.refresh())
        assert (state.status, state.snapshot.error) == ("live", None)
        await closed(state)


@everywhere
async def test_a_thread_is_opened_by_a_reply(flavour: Flavour, sandbox: Sandbox) -> None:
    async with view(flavour, sandbox) as one:
        await one.until(lambda s: s.status == "live")
        root = one.state.messages[0]
        reply = await one.send("reply", reply_to_id=root.id)
        await one.until(lambda s: s.message(root).message.reply_count == 1)
        await done(one.state.open_thread(root))
        shown = await done(one.state.open_thread(reply.id))
        assert [item.id for item in shown] == [reply.id]
        assert one.state.threads.keys() == {root.id}
        one.state.close_thread(reply.id)
        assert one.state.threads == {}


@everywhere
async def test_an_id_that_no_topic_can_carry(flavour: Flavour, sandbox: Sandbox) -> None:
    async with chat(flavour, sandbox, "alice") as alice:
        with pytest.raises(UsageError, match="not valid UTF-8"):
            alice.realtime.conversation("\ud800")
        state = alice.state.conversation("\ud800")
        with pytest.raises(UsageError, match="not valid UTF-8"):
            await done(state.wait_loaded())


@everywhere
async def test_few_states_are_refreshed_at_once(flavour: Flavour, sandbox: Sandbox) -> None:
    under_way, most = set[RequestInfo](), 0

    def began(info: RequestInfo) -> None:
        nonlocal most
        under_way.add(info)
        most = max(most, len(under_way))

    def ended(info: ResponseInfo) -> None:
        under_way.discard(info.request)

    hooks = Hooks(on_request=began, on_response=ended)
    async with chat(flavour, sandbox, "alice", hooks=hooks) as alice:
        create = alice.conversations.create
        talks = [await done(create(type="group")) for _ in range(20)]
        sandbox.faults.latency(0.02, times=None)
        states = [alice.state.conversation(talk) for talk in talks]
        for state in states:
            await done(state.wait_loaded())
        assert 1 < most <= MAX_AT_ONCE
        for state in states:
            await closed(state)


def test_a_snapshot_in_another_process(sandbox: Sandbox) -> None:
    with (
        Poolse(api_url=sandbox.url, token=sandbox.token("alice")) as alice,
        alice.state.inbox() as inbox,
    ):
        talk = alice.conversations.create(type="group")
        with alice.state.conversation(talk) as state:
            root = state.send("root")
            state.open_thread(root)
            reply = state.send("reply", reply_to_id=root)
            inbox.refresh()
            pickled = pickle.dumps((state.snapshot, inbox.snapshot))
    program = (
        "import pickle, sys\n"
        "state, inbox = pickle.load(sys.stdin.buffer)\n"
        "print(*(state.message(id).message.body for id in sys.argv[1:3]))\n"
        "print(inbox.conversation(sys.argv[3]).id)\n"
    )
    command = [sys.executable, "-c", program, root.id, reply.id, talk.id]
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    run = subprocess.run(command, input=pickled, capture_output=True, env=environment, check=True)
    assert run.stdout.decode().split() == ["root", "reply", talk.id]


@everywhere
async def test_rows_without_a_sequence(
    flavour: Flavour, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with view(flavour, sandbox) as one:
        await one.until(lambda s: s.status == "live")
        messages = one.alice.conversations.one(one.talk).messages.__class__
        real = messages.list

        def without_sequences(page: Any) -> Any:
            return attrs.evolve(page, data=[attrs.evolve(row, sequence=None) for row in page])

        async def odd_async(*given: Any, **fields: Any) -> Any:
            return without_sequences(await real(*given, **fields))

        def odd(*given: Any, **fields: Any) -> Any:
            return without_sequences(real(*given, **fields))

        # The sandbox never leaves them out.
        monkeypatch.setattr(messages, "list", odd if flavour is Sync else odd_async)
        with pytest.raises(DecodeError, match="sequence"):
            await done(one.state.refresh())
        monkeypatch.undo()
        await done(one.state.refresh())
        assert one.bodies == ["m0", "m1", "m2"]
        assert one.state.status == "live"


@everywhere
async def test_closed_states_hold_up_no_other(flavour: Flavour, sandbox: Sandbox) -> None:
    async with chat(flavour, sandbox, "alice") as alice:
        talks = [await done(alice.conversations.create(type="group")) for _ in range(9)]
        sandbox.faults.hang(times=None, path="/v1/conversations/*/messages")
        slow = [alice.state.conversation(talk) for talk in talks[:8]]
        # So many are under way when the ninth is still to come.
        with pytest.raises(PushTimeout):
            await done(slow[0].wait_loaded(0.5))
        for state in slow:
            await closed(state)
        sandbox.faults.clear()
        state = alice.state.conversation(talks[8])
        await done(state.wait_loaded())
        await closed(state)


@everywhere
async def test_a_channel_that_the_server_closed(flavour: Flavour, sandbox: Sandbox) -> None:
    async with view(flavour, sandbox) as one:
        await one.until(lambda s: s.status == "live")
        sandbox.faults.close_channel(f"conversation:{one.talk.id}")
        await one.until(lambda s: s.status == "failed")
        again = one.alice.state.conversation(one.talk)
        await done(again.wait_loaded())
        assert len(again.messages) == 3
        await closed(again)


@everywhere
async def test_a_thread_that_is_refused_ends_alone(flavour: Flavour, sandbox: Sandbox) -> None:
    async with view(flavour, sandbox) as one:
        await one.until(lambda s: s.status == "live")
        await done(one.state.open_thread(one.state.messages[0]))
        sandbox.faults.fail(404, path="/v1/messages/*/replies")
        await done(one.state.refresh())
        assert (one.state.status, one.state.threads) == ("live", {})


@everywhere
async def test_the_others_see_who_types(flavour: Flavour, sandbox: Sandbox) -> None:
    async with view(flavour, sandbox) as one, chat(flavour, sandbox, "bob") as bob:
        await one.until(lambda s: s.status == "live")
        await done(bob.state.conversation(one.talk).wait_loaded())
        await done(bob.state.conversation(one.talk).send_typing())
        await one.until(lambda s: s.typing == {sandbox.user_id("bob")})


@everywhere
async def test_what_is_settled_is_not_sent_again(flavour: Flavour, sandbox: Sandbox) -> None:
    async with view(flavour, sandbox) as one:
        await one.until(lambda s: s.status == "live")
        sandbox.faults.lose_answers(path="/v1/conversations/*/messages", method="POST")
        with pytest.raises(NetworkError):
            await done(one.state.send("mine"))
        await one.until(lambda s: len(s.messages.stored) == 4)
        with pytest.raises(UsageError, match="no message"):
            await done(one.state.retry(one.state.messages[-1]))
