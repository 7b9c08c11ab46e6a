"""What the schedules of test_conversation_properties meet too rarely, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from poolse import Message, MessageNew, MessageUpdated, TypingStart, from_dict
from poolse._state.conversation_reducer import GRACE, RECOUNT_AFTER, REFRESH_EVERY, reduce
from poolse._state.inputs import (
    Change,
    ChangeBegan,
    Joined,
    Lost,
    PageRead,
    RefreshEnded,
    RepliesRead,
    RequestBegan,
    SendBegan,
    SendFailed,
    Stored,
    ThreadClosed,
    TimePassed,
    as_deleted,
)
from poolse._state.live_conversation import LiveConversation, first_page, older_page, wake_at
from poolse._state.snapshots import ConversationSnapshot
from poolse.errors import NetworkError
from tests.state.model_server import ID, START, ModelServer

PAGE = 10


def server_with(count: int) -> ModelServer:
    server = ModelServer(("ann", "bob"))
    for number in range(count):
        server.send("bob", f"m{number}", "hi")
    return server


def after(state: LiveConversation, *events: Any, now: float = 0.0) -> LiveConversation:
    for event in events:
        state = reduce(state, event, now)
    return state


def refreshed(
    state: LiveConversation, rows: Sequence[Message], now: float = 0.0
) -> LiveConversation:
    request = first_page(state, PAGE, is_strict=False)
    return after(state, RequestBegan(request), PageRead(request, rows), RefreshEnded(), now=now)


def loaded(server: ModelServer) -> LiveConversation:
    empty = LiveConversation(snapshot=ConversationSnapshot(id=ID))
    return refreshed(after(empty, Joined()), server.page(None, PAGE))


def heard(server: ModelServer, id: str) -> MessageNew:
    """Send a message, and return the event."""
    events: list[MessageNew] = []
    server.listeners["ann"].append(events.append)
    server.send("bob", id, "hi")
    server.listeners["ann"].remove(events.append)
    return events[0]


def test_an_empty_conversation_has_nothing_older() -> None:
    state = loaded(server_with(0))
    assert state.snapshot.status == "live"
    assert older_page(state, PAGE) is None


def test_an_index_below_the_first_message_is_none() -> None:
    messages = loaded(server_with(3)).snapshot.messages
    assert messages[-3].id == "m0"
    for index in (-4, 3):
        with pytest.raises(IndexError):
            messages[index]


def test_a_missing_event_is_waited_for_a_moment() -> None:
    server = server_with(3)
    state = loaded(server)
    assert state.refresh_at == REFRESH_EVERY
    first, second = heard(server, "a"), heard(server, "b")
    gap = after(state, second)
    assert wake_at(gap) == GRACE
    # It was only overtaken.
    closed = after(gap, first)
    assert closed.refresh_at == REFRESH_EVERY
    assert [item.id for item in closed.snapshot.messages][-2:] == ["a", "b"]


def test_after_many_missing_events_a_refresh_is_due() -> None:
    server = server_with(3)
    state = loaded(server)
    for number in range(200):
        server.send("bob", f"lost{number}", "hi")
    assert after(state, heard(server, "last")).refresh_at == GRACE


def test_what_is_missing_during_a_refresh_asks_for_another() -> None:
    server = server_with(3)
    state = loaded(server)
    request = first_page(state, PAGE, is_strict=False)
    state, rows = after(state, RequestBegan(request), now=9.0), server.page(None, PAGE)
    heard(server, "lost")
    state = after(state, heard(server, "b"), now=9.0)
    state = after(state, PageRead(request, rows), RefreshEnded(), now=9.1)
    assert state.refresh_at == 9.0 + GRACE
    # That one shows it, and nothing is waited for any more.
    assert refreshed(state, server.page(None, PAGE), now=10.0).refresh_at == 10.0 + REFRESH_EVERY


def test_a_page_of_before_a_lost_connection_does_not_undo_a_refresh() -> None:
    server = server_with(30)
    state = loaded(server)
    request = older_page(state, PAGE)
    assert request is not None
    state, rows = after(state, RequestBegan(request)), server.page(request.before, PAGE)
    state = after(state, Lost())
    server.edit("bob", "m15", "edited meanwhile")
    state = refreshed(after(state, Joined()), server.page(None, 20))
    assert after(state, PageRead(request, rows)).snapshot is state.snapshot


def test_a_thread_that_was_closed_is_not_opened_by_a_late_response() -> None:
    server = server_with(3)
    server.send("bob", "reply", "hi", "m0")
    read = RepliesRead("key", "m0", server.replies("m0"))
    state = after(loaded(server), RequestBegan("key"))
    assert [item.id for item in after(state, read).snapshot.threads["m0"]] == ["reply"]
    assert not after(state, ThreadClosed("m0"), read).snapshot.threads
    # Not even if another response is applied after it was opened again.
    request = first_page(state, PAGE, is_strict=False)
    state = after(state, RequestBegan(request), ThreadClosed("m0"), RequestBegan("again"))
    state = after(state, RepliesRead("again", "m0", server.replies("m0")))
    assert after(state, PageRead(request, server.page(None, PAGE))).snapshot.threads


def test_an_open_thread_knows_the_count_of_its_replies() -> None:
    server = server_with(3)
    state = loaded(server)
    server.send("bob", "reply", "hi", "m0")
    state = after(state, RequestBegan("key"), RepliesRead("key", "m0", server.replies("m0")))
    root = state.snapshot.message("m0")
    assert root is not None
    assert root.message.reply_count == 1


def test_a_user_who_types_again_is_shown_although_a_page_knows_the_message() -> None:
    server = server_with(3)
    state = loaded(server)
    request = first_page(state, PAGE, is_strict=False)
    typing = from_dict({"user_id": "bob", "external_id": "bob"}, TypingStart)
    state = after(state, RequestBegan(request), typing, heard(server, "a"))
    assert not state.snapshot.typing
    state = after(state, typing, PageRead(request, server.page(None, PAGE)))
    assert state.snapshot.typing == {"bob"}
    assert not after(state, TimePassed(), now=60.0).snapshot.typing


def test_a_change_that_is_stored_is_not_undone_by_an_older_page() -> None:
    server = server_with(3)
    state = loaded(server)
    request = first_page(state, PAGE, is_strict=False)
    state, rows = after(state, RequestBegan(request)), server.page(None, PAGE)
    change = Change("m0", "edit", "edited", "bob", START)
    state = after(state, ChangeBegan(change), Stored(change, server.edit("bob", "m0", "edited")))
    state = after(state, PageRead(request, rows))
    assert state.snapshot.messages[0].message.body == "edited"


def test_a_deletion_is_at_the_time_of_the_server() -> None:
    server = server_with(3)
    events: list[MessageNew] = []
    server.listeners["ann"].append(events.append)
    change = Change("m0", "delete", "", "bob", START + timedelta(days=1))
    state = after(loaded(server), ChangeBegan(change))
    assert state.snapshot.messages[0].message.body is None
    server.delete("bob", "m0")
    for order in ([*events, Stored(change, None)], [Stored(change, None), *events]):
        shown = after(state, *order).snapshot.messages[0]
        assert shown.message.deleted_at == server.row("m0").deleted_at
        assert shown.status == "sent"


def test_a_deletion_that_a_refresh_knows_better_was_not_missed() -> None:
    server = server_with(30)
    events: list[MessageNew] = []
    server.listeners["ann"].append(events.append)
    state = loaded(server)
    for _ in range(2):
        request = older_page(state, PAGE)
        assert request is not None
        page = PageRead(request, server.page(request.before, PAGE))
        state = after(state, RequestBegan(request), page)
    server.delete("bob", "m25")
    state = refreshed(after(state, *events), server.page(None, PAGE))
    assert state.snapshot.stale_before == 1


def test_a_message_that_was_sent_while_nothing_is_loaded_stays() -> None:
    server = server_with(3)
    empty = after(LiveConversation(snapshot=ConversationSnapshot(id=ID)), Joined())
    message = server.send("ann", "mine", "hi")
    # The ID of a failure need not be the same object.
    state = after(empty, SendBegan(message), SendFailed("".join("mine"), NetworkError("down")))
    assert state.snapshot.messages[0].status == "failed"
    assert not state.requests
    state = after(state, SendBegan(message), Stored("mine", message))
    assert [(item.id, item.status) for item in state.snapshot.messages] == [("mine", "sent")]
    state = refreshed(state, server.page(None, PAGE))
    assert [item.id for item in state.snapshot.messages] == ["m0", "m1", "m2", "mine"]
    assert not state.snapshot.messages.outgoing


def test_a_reply_is_not_counted_as_deleted_before_it_is() -> None:
    server = server_with(3)
    server.send("bob", "reply", "hi", "m0")
    state = loaded(server)
    read = (RequestBegan("key"), RepliesRead("key", "m0", server.replies("m0")))
    change = Change("reply", "delete", "", "bob", START)
    state = after(state, *read, ChangeBegan(change), *read)
    events: list[MessageNew] = []
    server.listeners["ann"].append(events.append)
    server.delete("bob", "reply")
    for _ in range(2):
        state = after(state, *events, now=60.0)
        root = state.snapshot.message("m0")
        assert root is not None
        assert root.message.reply_count == 0
    reply = state.snapshot.message("reply")
    assert reply is not None
    assert reply.stored == as_deleted(server.row("reply"), server.row("reply").deleted_at or START)


@pytest.mark.parametrize("is_open", [False, True])
def test_an_update_of_a_reply_that_is_not_known_does_not_count_it(is_open: bool) -> None:
    server = server_with(3)
    read = RepliesRead("key", "m0", server.replies("m0"))
    server.send("bob", "reply", "hi", "m0")
    state = loaded(server)
    if is_open:
        state = after(state, RequestBegan("key"), read)
        state = refreshed(state, server.page(None, PAGE))
    events: list[MessageUpdated] = []
    server.listeners["ann"].append(events.append)
    server.edit("bob", "reply", "edited")
    root = after(state, *events).snapshot.message("m0")
    assert root is not None
    assert root.message.reply_count == 1


def test_a_message_that_is_overtaken_by_its_update_does_not_undo_it() -> None:
    server = server_with(3)
    state = loaded(server)
    new = heard(server, "a")
    events: list[MessageUpdated] = []
    server.listeners["ann"].append(events.append)
    server.edit("bob", "a", "edited")
    state = after(state, *events, new)
    assert state.snapshot.messages[-1].message.body == "edited"
    assert state.refresh_at == REFRESH_EVERY


def test_replies_that_come_during_a_refresh_are_counted_again_soon() -> None:
    server = server_with(3)
    state = loaded(server)
    events: list[MessageNew] = []
    server.listeners["ann"].append(events.append)
    server.send("bob", "reply", "hi", "m0")
    request = first_page(state, PAGE, is_strict=False)
    # The page counts the reply, but might as well have been read before it.
    page = PageRead(request, server.page(None, PAGE))
    during = after(state, RequestBegan(request), *events, page, RefreshEnded(), now=60.0)
    assert during.refresh_at == 60.0 + RECOUNT_AFTER
    # And so if the event comes just after the page.
    page_first = after(state, RequestBegan(request), page, RefreshEnded(), *events, now=60.0)
    assert page_first.refresh_at == 60.0 + RECOUNT_AFTER
    # Much later, there is no doubt.
    page_first = after(state, RequestBegan(request), page, RefreshEnded(), now=60.0)
    assert after(page_first, *events, now=90.0).refresh_at == 60.0 + REFRESH_EVERY
