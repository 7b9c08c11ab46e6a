"""The inbox: one rule after the other, and then any schedule without losses."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
from hypothesis import given
from hypothesis import strategies as st

from poolse import Conversation, ConversationCreated, ConversationUpdated, from_dict
from poolse._state.inbox_reducer import ListRead, LiveInbox, ReadMark, ReadMarkRefused, reduce
from poolse._state.inputs import Joined, Lost, RefreshEnded, RequestBegan, RequestFailed
from poolse._state.snapshots import InboxChange

START = datetime(2026, 6, 1, tzinfo=UTC)


def row(id: str, *, at: int = 0, sequence: int = 0, unread: int | None = 0) -> Conversation:
    time = (START + timedelta(seconds=at)).isoformat()
    fields: dict[str, Any] = {
        "id": id,
        "tenant_id": "t",
        "type": "group",
        "name": id,
        "custom_data": {},
        "settings": {},
        "last_message_at": time if sequence else None,
        "last_message_preview": f"message {sequence}",
        "last_sequence": sequence,
        "member_external_ids": ["ann", "bob"],
        "inserted_at": time,
        "updated_at": time,
    }
    return from_dict(fields | ({} if unread is None else {"unread_count": unread}), Conversation)


def updated(conversation: Conversation) -> ConversationUpdated:
    # An event does not tell the members.
    told = attrs.evolve(conversation, member_external_ids=None)
    return ConversationUpdated(conversation=told, by_user_id="bob")


def created(conversation: Conversation) -> ConversationCreated:
    names = [f.name for f in attrs.fields(Conversation) if f.name != "extra"]
    return ConversationCreated(**{name: getattr(conversation, name) for name in names})


def loaded(*rows: Conversation) -> LiveInbox:
    return after(
        LiveInbox(), Joined(), RequestBegan("list"), ListRead("list", rows), RefreshEnded()
    )


def after(state: LiveInbox, *events: Any) -> LiveInbox:
    for event in events:
        state = reduce(state, event, 0.0)
    return state


def shown(state: LiveInbox) -> list[tuple[str, int | None]]:
    return [(one.id, one.unread_count) for one in state.snapshot.conversations]


def test_the_newest_activity_is_first() -> None:
    state = loaded(row("a", at=1, sequence=1), row("b", at=3, sequence=1), row("c", at=2))
    assert [id for id, _ in shown(state)] == ["b", "c", "a"]
    assert state.snapshot.status == "live"
    assert state.snapshot.conversation("a") == row("a", at=1, sequence=1)
    assert state.snapshot.conversation("x") is None


def test_a_new_conversation_is_added() -> None:
    state = after(loaded(row("a", at=1)), created(row("b", at=2, unread=None)))
    assert [id for id, _ in shown(state)] == ["b", "a"]
    # It may be heard of again once it has messages.
    again = after(state, updated(row("b", at=3, sequence=1, unread=1)), created(row("b", at=2)))
    assert shown(again) == [("b", 1), ("a", 0)]


def test_an_update_replaces_the_row_and_moves_it_up() -> None:
    before = loaded(row("a", at=1, sequence=1), row("b", at=2, sequence=1))
    state = after(before, updated(row("a", at=3, sequence=2, unread=7)))
    # The server's count wins.
    assert shown(state) == [("a", 7), ("b", 0)]
    assert state.snapshot.unread_count == 7
    assert state.snapshot.conversations[0].member_external_ids == ["ann", "bob"]
    change = InboxChange(before.snapshot, state.snapshot)
    assert [one.id for one in change.conversations] == ["a"]
    assert change.fields == {"conversations"}


def test_without_a_count_of_the_server_new_messages_are_counted() -> None:
    state = after(
        loaded(row("a", sequence=1, unread=1)), updated(row("a", sequence=3, unread=None))
    )
    assert shown(state) == [("a", 3)]


def test_an_older_event_changes_nothing() -> None:
    state = loaded(row("a", at=5, sequence=5, unread=2))
    assert after(state, updated(row("a", at=4, sequence=4, unread=9))).snapshot is state.snapshot


def test_reading_is_undone_if_it_is_refused() -> None:
    before = loaded(row("a", sequence=5, unread=3))
    mark, held = ReadMark("a", None), before.snapshot.conversation("a")
    assert held is not None
    read = after(before, mark)
    assert shown(read) == [("a", 0)]
    assert shown(after(read, ReadMarkRefused(mark, held))) == [("a", 3)]
    # Up to a message that is not the last one.
    assert shown(after(before, ReadMark("a", 4))) == [("a", 1)]


def test_a_refusal_after_more_messages_asks_the_server() -> None:
    before = loaded(row("a", sequence=5, unread=3))
    mark, held = ReadMark("a", None), before.snapshot.conversation("a")
    assert held is not None
    state = after(before, mark, updated(row("a", sequence=6, unread=4)))
    assert shown(state) == [("a", 1)]
    state = after(state, ReadMarkRefused(mark, held))
    assert state.refresh_at == 0.0
    state = after(state, RequestBegan("l"), ListRead("l", (row("a", sequence=6, unread=4),)))
    assert shown(state) == [("a", 4)]


def test_a_list_that_was_read_before_a_mark_does_not_undo_it() -> None:
    rows = (row("a", sequence=5, unread=3),)
    state = after(loaded(*rows), ReadMark("a", None), RequestBegan("l"), ListRead("l", rows))
    assert shown(state) == [("a", 0)]
    assert shown(after(state, updated(row("a", sequence=6, unread=1)))) == [("a", 1)]


def test_a_list_that_was_requested_before_an_event_does_not_undo_it() -> None:
    old = (row("a", at=1, sequence=1),)
    state = after(loaded(*old), RequestBegan("l"), updated(row("a", at=2, sequence=2, unread=1)))
    state = after(state, created(row("b", at=3)), ListRead("l", old))
    assert shown(state) == [("b", 0), ("a", 1)]
    # And what happened before a request is not applied on top of it.
    gone = after(state, RequestBegan("m"), ListRead("m", old))
    assert shown(gone) == [("a", 0)]


def test_a_list_that_failed_leaves_everything() -> None:
    state = after(loaded(row("a")), RequestBegan("l"), created(row("b", at=1)), RequestFailed("l"))
    assert [id for id, _ in shown(state)] == ["b", "a"]
    assert not state.log


def test_the_list_is_read_again_after_a_lost_connection() -> None:
    state = after(loaded(row("a")), Lost())
    assert state.snapshot.status == "reconnecting"
    state = after(state, Joined())
    assert state.refresh_at == 0.0
    # One that was requested before the join may miss what happened meanwhile.
    late = after(loaded(row("a")), RequestBegan("l"), Lost(), Joined(), ListRead("l", (row("a"),)))
    assert late.snapshot.status == "reconnecting"
    assert after(late, RefreshEnded()).refresh_at == 0.0


class Schedule:
    """A user with an inbox, and a server whose events arrive late but in order."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.rows: dict[str, Conversation] = {}
        self.events: list[Any] = []
        self.lists: dict[str, tuple[Conversation, ...] | None] = {}
        self.marks: list[tuple[ReadMark, Conversation, bool]] = []
        self.time = 0
        self.is_refused = False
        self.state = after(LiveInbox(), Joined())
        self.request()

    def go(self) -> LiveInbox:
        for _ in range(self.random.randrange(80)):
            self.time += 1
            self.random.choice(
                [self.create, self.post, self.hear, self.request, self.mark, self.land]
            )()
            self.check()
        while self.events or self.lists or self.marks:
            self.random.choice([self.hear, self.land])()
            self.check()
        return self.state

    def check(self) -> None:
        held = self.state.snapshot.conversations
        times = [one.last_message_at or one.inserted_at for one in held]
        assert times == sorted(times, reverse=True)
        assert all(self.state.snapshot.conversation(one.id) is one for one in held)

    def create(self) -> None:
        id = f"c{len(self.rows)}"
        self.rows[id] = row(id, at=self.time)
        self.events.append(created(attrs.evolve(self.rows[id], unread_count=None)))

    def post(self) -> None:
        if self.rows:
            old = self.rows[self.random.choice([*self.rows])]
            unread = (old.unread_count or 0) + 1
            new = row(old.id, at=self.time, sequence=old.last_sequence + 1, unread=unread)
            self.rows[old.id] = attrs.evolve(new, inserted_at=old.inserted_at)
            self.events.append(updated(self.rows[old.id]))

    def hear(self) -> None:
        if self.events:
            self.state = after(self.state, self.events.pop(0))

    def request(self) -> None:
        key = f"list {self.time}"
        self.lists[key] = None
        self.state = after(self.state, RequestBegan(key))

    def mark(self) -> None:
        held = self.state.snapshot.conversations
        if held:
            one = self.random.choice(held)
            mark = ReadMark(one.id, None)
            self.marks.append((mark, one, self.random.random() < 0.3))
            self.state = after(self.state, mark)

    def land(self) -> None:
        """Let the server read a list, or the client receive it, or the server take a mark."""
        if self.marks and self.random.random() < 0.5:
            mark, before, is_refused = self.marks.pop(0)
            if is_refused:
                self.is_refused = True
                self.state = after(self.state, ReadMarkRefused(mark, before))
                return
            now = self.rows[before.id]
            left = now.last_sequence - before.last_sequence
            self.rows[before.id] = attrs.evolve(now, unread_count=min(left, now.unread_count or 0))
        elif self.lists:
            key = next(iter(self.lists))
            answer = self.lists[key]
            if answer is None:
                self.lists[key] = (*self.rows.values(),)
            else:
                del self.lists[key]
                self.state = after(self.state, ListRead(key, answer))


@given(st.integers(0, 2**32))
def test_without_losses_the_inbox_is_what_the_server_has(seed: int) -> None:
    schedule = Schedule(seed)
    state = schedule.go()
    held = state.snapshot.conversations
    assert {one.id for one in held} == {*schedule.rows}
    if not schedule.is_refused:
        # Else the server is asked, since what it said before may have been doubted.
        counted = [attrs.evolve(one, unread_count=one.unread_count or 0) for one in held]
        assert {one.id: one for one in counted} == schedule.rows
    state = after(state, RequestBegan("l"), ListRead("l", (*schedule.rows.values(),)))
    assert {one.id: one for one in state.snapshot.conversations} == schedule.rows
