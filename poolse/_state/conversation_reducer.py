"""A conversation that is always current, as a function: `reduce(state, event, now) → state`.

Events are those of the channel, what requests returned, and what the user does. Nothing here does
I/O; whoever runs it sends the requests that `next_page` and `refresh_at` ask for.

- Messages are stored by sequence. A row replaces the one that is held if it was updated later; so
  does a row of a response, unless that was updated earlier.
- A response tells how things were when the server read them, and events that happened since may
  have overtaken it. So events are logged while requests are under way; a response is taken as the
  truth, and the events since its request are applied again on top, and what the user's requests
  returned meanwhile. Each of them can be applied twice, but for the count of replies: whether the
  server has counted one already is not known if the two come at about the same time. Then a soon
  refresh corrects it.
- Your own changes lie over what the server has stored (`Change`), until they are settled. To undo
  one is to drop it.
- Each message of a conversation takes the next sequence, replies too, so a missing number is a
  missed event. A refresh follows after a moment, unless it comes: events may overtake each other.
- What was missed while the channel was not joined leaves no trace. After that, or if a refresh
  shows that something was missed, all that it did not read is stale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from math import inf
from typing import Any, Final, TypeAlias, cast

import attrs

from poolse._generated.events import (
    MemberRead,
    MessageDeleted,
    MessageNew,
    MessageUpdated,
    ReactionAdded,
    ReactionRemoved,
    TypingStart,
    TypingStop,
)
from poolse._generated.models import Membership, Message
from poolse._state.inputs import (
    Change,
    ChangeBegan,
    ChangeRefused,
    ConversationRead,
    Discarded,
    Ended,
    Joined,
    Key,
    Lost,
    MembersRead,
    PageRead,
    PageRequest,
    PresenceChanged,
    ReadBegan,
    ReadRefused,
    RefreshEnded,
    RefreshFailed,
    RepliesRead,
    RequestBegan,
    RequestFailed,
    SendBegan,
    SendFailed,
    Stored,
    ThreadClosed,
    TimePassed,
    as_deleted,
    with_reaction,
)
from poolse._state.live_conversation import EventLog, LiveConversation
from poolse._state.snapshots import (
    ConversationSnapshot,
    LiveMessage,
    LiveMessages,
    Place,
    StateStatus,
    evolved,
    find_message,
)
from poolse._state.sorted_items import SortedItems

__all__ = ["REFRESH_EVERY", "reduce"]

REFRESH_EVERY: Final = 300.0
"""Seconds between refreshes while nothing else asks for one."""

GRACE: Final = 0.5
"""Seconds to wait for a missing event, which another may have overtaken."""

RECOUNT_AFTER: Final = 1.0
"""Seconds until a refresh if replies arrived while their root was read."""

TYPING_TIME: Final = 4.0
"""Seconds for which a user is shown as typing after the last `typing:start`."""

NOBODY: Final = frozenset[str]()

NONE_MISSING: Final = frozenset[int]()

MAX_MISSING: Final = 100
"""Missing numbers that are waited for. If more are missing at once, a refresh is due anyway."""


def reduce(state: LiveConversation, event: object, now: float) -> LiveConversation:
    """Return the state after an event."""
    reducer = _REDUCERS.get(type(event))
    if reducer is None:
        return state
    if state.requests and type(event) in _LOGGED:
        state = evolved(state, log=EventLog(event, state.log))
    return reducer(state, event, now)


# The channel.


def _joined(state: LiveConversation, _: Joined, now: float) -> LiveConversation:
    joins = state.joins + 1
    return _with_status(evolved(state, joins=joins, join=joins, **_due(now)))


def _lost(state: LiveConversation, _: Lost, now: float) -> LiveConversation:
    snapshot = evolved(state.snapshot, typing=NOBODY, presence=NOBODY)
    return _with_status(
        evolved(
            state,
            snapshot=snapshot,
            join=0,
            missing=NONE_MISSING,
            typing_until={},
            **_due(min(state.refresh_at, now + REFRESH_EVERY)),
        )
    )


def _ended(state: LiveConversation, event: Ended, now: float) -> LiveConversation:
    status: StateStatus = "closed" if event.error is None else "failed"
    state = _lost(state, Lost(), now)
    snapshot = evolved(state.snapshot, status=status, error=event.error)
    return evolved(state, snapshot=snapshot, is_over=True, **_due(inf))


def _with_status(state: LiveConversation) -> LiveConversation:
    snapshot = state.snapshot
    if state.is_over or snapshot.error is not None:
        return state
    status: StateStatus = "loading"
    if state.is_loaded:
        status = "live" if state.join == state.synced_join != 0 else "reconnecting"
    if status == snapshot.status:
        return state
    return evolved(state, snapshot=evolved(snapshot, status=status))


def _message(
    state: LiveConversation, row: MessageNew | MessageUpdated, now: float
) -> LiveConversation:
    is_new = type(row) is MessageNew
    if is_new and row.sender_id in state.typing_until:
        state = _stopped(state, row.sender_id)
    snapshot, sequence = state.snapshot, row.sequence
    messages = snapshot.messages
    is_next = is_new and sequence == state.highest + 1 and row.thread_root_id is None
    is_plain = messages.stored and not (messages.outgoing or state.changes)
    # An update may have overtaken it.
    if is_next and is_plain and messages.stored.find(sequence) is None:
        # Nearly every event, and what follows would come to the same in twice the time.
        snapshot._sequences[row.id] = sequence  # pyright: ignore[reportPrivateUsage]
        shown = LiveMessages(messages.stored.put(LiveMessage(row, "sent", None, row)))
        return evolved(state, snapshot=evolved(snapshot, messages=shown), highest=sequence)
    # An update of a reply does not count it, so it does not take the place of `message:new`.
    return _put(state, row, _seen(state, sequence, now) if is_new else {}, now)


def _seen(state: LiveConversation, sequence: int, now: float) -> dict[str, object]:
    """Return what changes in a state when an event has a sequence: others may be missing."""
    missing, highest = state.missing, state.highest
    if sequence <= highest:
        if sequence not in missing:
            return {}
        missing -= {sequence}
        return {"missing": missing} if missing else {"missing": missing, **_due(state.planned_at)}
    if state.synced_join < 0 or sequence == highest + 1:
        return {"highest": sequence}
    if sequence - highest > MAX_MISSING:
        return {"highest": sequence, **_due_by(state, now + GRACE)}
    missing |= frozenset(range(highest + 1, sequence))
    refresh_at = min(state.refresh_at, now + GRACE)
    return {"highest": sequence, "missing": missing, "refresh_at": refresh_at}


def _due(at: float) -> dict[str, object]:
    """Return what changes if a refresh is due at a time."""
    return {"refresh_at": at, "planned_at": at}


def _due_by(state: LiveConversation, at: float) -> dict[str, object]:
    """Return what changes if a refresh is due at a time, or sooner."""
    return {"refresh_at": min(state.refresh_at, at), "planned_at": min(state.planned_at, at)}


def _put(
    state: LiveConversation,
    row: Message,
    seen: Mapping[str, object],
    now: float,
    *,
    is_truth: bool = False,
) -> LiveConversation:
    """Store a message, or a reply of a thread that is open.

    Args:
        state: The state.
        row: The message.
        seen: Other attributes of the state that change.
        now: The time.
        is_truth: Whether it is from a response, so that it replaces what is held unless that is
            newer, and its `reply_count` is right. That of an event is always 0.
    """
    if row.thread_root_id is not None:
        state = evolved(state, **seen)
        return _put_reply(state, row, row.thread_root_id, now, is_truth=is_truth)
    snapshot = state.snapshot
    shown = _with_stored(state, snapshot.messages, row, is_truth=is_truth)
    if shown is snapshot.messages:
        return evolved(state, **seen) if seen else state
    return evolved(state, snapshot=evolved(snapshot, messages=shown), **seen)


def _put_reply(
    state: LiveConversation, row: Message, root_id: str, now: float, *, is_truth: bool
) -> LiveConversation:
    replies = state.snapshot._replies  # pyright: ignore[reportPrivateUsage]
    shown = state.snapshot.threads.get(root_id)
    if shown is not None:
        shown = _with_stored(state, shown, row, is_truth=is_truth)
        state = _with_shown(state, root_id, shown)
    is_update = type(row) is MessageUpdated
    if replies.get(row.id) is not None or (is_update and shown is None):
        return state
    replies = replies.put(row.id, (row.sequence, root_id))
    state = evolved(state, snapshot=evolved(state.snapshot, _replies=replies))
    # The server has counted a reply that is only updated.
    return state if is_update else _count_reply(state, root_id, 1, now)


def _with_stored(
    state: LiveConversation, shown: LiveMessages, row: Message, *, is_truth: bool
) -> LiveMessages:
    """Return the messages with one that the server has stored."""
    if shown.outgoing:
        if row.thread_root_id is None and state.snapshot.has_older and not shown.stored:
            return _with_sent(shown, row)
        shown = _without_outgoing(shown, row.id)
    held = shown.stored.find(row.sequence)
    if held is None or held.stored is None:
        if row.thread_root_id is None:
            if not _is_in_range(state.snapshot, row.sequence):
                return shown
            state.snapshot._sequences[row.id] = row.sequence  # pyright: ignore[reportPrivateUsage]
    elif _is_newer(held.stored, row) if is_truth else not _is_newer(row, held.stored):
        return shown
    elif not is_truth or row.reply_count is None:
        row = attrs.evolve(row, reply_count=held.stored.reply_count)
    return LiveMessages(shown.stored.put(_shown(state, row)), shown.outgoing)


def _with_sent(shown: LiveMessages, row: Message) -> LiveMessages:
    """Keep an outgoing message that is stored, until the page that it belongs to is there."""
    if all(item.id != row.id for item in shown.outgoing):
        return shown
    sent = LiveMessage(row, "sent", None, row)
    outgoing = tuple(sent if item.id == row.id else item for item in shown.outgoing)
    return LiveMessages(shown.stored, outgoing)


def _is_in_range(snapshot: ConversationSnapshot, sequence: int) -> bool:
    """Return whether a message belongs to the loaded ones, rather than to older ones."""
    oldest = snapshot.messages.stored.first
    return not snapshot.has_older or (oldest is not None and sequence > oldest.message.sequence)


def _is_newer(row: Message, held: Message) -> bool:
    # A deletion is for ever, and told by several: the server's time of it is later than an event's.
    if row.deleted_at is not None or held.deleted_at is not None:
        return held.deleted_at is None
    return _updated_at(row) > _updated_at(held)


def _updated_at(row: Message) -> float:
    # A server that leaves it out lets the first row stay.
    at = cast("datetime | None", row.updated_at)
    return 0.0 if at is None else at.timestamp()


def _shown(state: LiveConversation, stored: Message) -> LiveMessage:
    """Return a message with the user's changes that are being sent."""
    changes = [c for c in state.changes if c.message_id == stored.id] if state.changes else ()
    if not changes:
        return LiveMessage(stored, "sent", None, stored)
    message = stored
    for change in changes:
        message = change.applied(message)
    return LiveMessage(message, "sending", None, stored)


def _with_shown(
    state: LiveConversation, root_id: str | None, shown: LiveMessages
) -> LiveConversation:
    snapshot = state.snapshot
    if root_id is None:
        if shown is snapshot.messages:
            return state
        return evolved(state, snapshot=evolved(snapshot, messages=shown))
    if shown is snapshot.threads.get(root_id):
        return state
    threads = {**snapshot.threads, root_id: shown}
    return evolved(state, snapshot=evolved(snapshot, threads=threads))


def _without_outgoing(shown: LiveMessages, id: str) -> LiveMessages:
    outgoing = tuple(item for item in shown.outgoing if item.id != id)
    return shown if len(outgoing) == len(shown.outgoing) else attrs.evolve(shown, outgoing=outgoing)


def _change_stored(
    state: LiveConversation, id: str, change: Callable[[Message], Message]
) -> LiveConversation:
    """Change a stored message, if it is loaded."""
    item = find_message(state.snapshot, id)
    if item is None or item.stored is None:
        return state
    stored = change(item.stored)
    if stored is item.stored:
        return state
    return _replace(state, stored)


def _replace(state: LiveConversation, stored: Message) -> LiveConversation:
    """Show a message that is held in another form, or with other changes of the user's."""
    root_id = stored.thread_root_id
    snapshot = state.snapshot
    shown = snapshot.messages if root_id is None else snapshot.threads[root_id]
    if shown.stored.find(stored.sequence) is None:
        # Nothing is loaded yet: the page will show it.
        return state
    items = shown.stored.put(_shown(state, stored))
    return _with_shown(state, root_id, LiveMessages(items, shown.outgoing))


def _count_reply(state: LiveConversation, root_id: str, step: int, now: float) -> LiveConversation:
    def counted(root: Message) -> Message:
        return attrs.evolve(root, reply_count=max(0, (root.reply_count or 0) + step))

    # The server may have counted it already.
    is_sure = now >= state.counted_at + GRACE
    return _change_stored(state if is_sure else _recount(state, now), root_id, counted)


def _recount(state: LiveConversation, now: float) -> LiveConversation:
    return evolved(state, **_due_by(state, now + RECOUNT_AFTER))


def _message_deleted(
    state: LiveConversation, event: MessageDeleted, now: float
) -> LiveConversation:
    deleted_at = event.deleted_at

    def deleted(message: Message) -> Message:
        if message.deleted_at and message.deleted_at == (deleted_at or message.deleted_at):
            return message
        return as_deleted(message, message.updated_at if deleted_at is None else deleted_at)

    state = _change_stored(state, event.id, deleted)
    replies = state.snapshot._replies  # pyright: ignore[reportPrivateUsage]
    place = replies.get(event.id)
    if place is None:
        # Of a reply that was not heard of, the root is not known either.
        return state if find_message(state.snapshot, event.id) else _recount(state, now)
    sequence, root_id = place
    if sequence > 0:
        # Counted once: the place of a deleted reply has no sequence.
        replies = replies.put(event.id, (-sequence, root_id))
        state = evolved(state, snapshot=evolved(state.snapshot, _replies=replies))
        state = _count_reply(state, root_id, -1, now)
    return state


def _reacted(
    state: LiveConversation, event: ReactionAdded | ReactionRemoved, _: float
) -> LiveConversation:
    is_added = isinstance(event, ReactionAdded)
    return _change_stored(
        state,
        event.message_id,
        lambda m: with_reaction(m, event.emoji, event.user_id, is_added=is_added),
    )


def _member_read(state: LiveConversation, event: MemberRead, _: float) -> LiveConversation:
    """Move the read mark of a member, but not back."""
    message_id, at = event.last_read_message_id, event.last_read_at
    sequence = _sequence_of(state, message_id)

    def moved(member: Membership) -> Membership:
        before = member.last_read_at
        if member.user_id != event.user_id or (at and before and at <= before):
            return member
        return attrs.evolve(
            member, last_read_message_id=message_id, last_read_at=at, last_read_sequence=sequence
        )

    read = state.read
    if read is not None and (read.user_id, read.message_id) == (event.user_id, message_id):
        # The server has it. A mark beyond it may be at a message that is not known here.
        read = None
    return _with_members(evolved(state, members=tuple(map(moved, state.members)), read=read))


def _sequence_of(state: LiveConversation, message_id: str | None) -> int | None:
    snapshot, id = state.snapshot, message_id or ""
    item = find_message(snapshot, id)
    if item is not None:
        return item.message.sequence
    place = snapshot._replies.get(id)  # pyright: ignore[reportPrivateUsage]
    return None if place is None else abs(place[0])


def _read_began(state: LiveConversation, event: ReadBegan, _: float) -> LiveConversation:
    return _with_members(evolved(state, read=event))


def _read_refused(state: LiveConversation, event: ReadRefused, _: float) -> LiveConversation:
    return _with_members(evolved(state, read=None)) if state.read is event.began else state


def _with_members(state: LiveConversation) -> LiveConversation:
    """Show the members as the server has them, with the user's own mark, if that is beyond."""
    read, members = state.read, state.members
    sequence = None if read is None else _sequence_of(state, read.message_id)

    def marked(member: Membership) -> Membership:
        if read is None or sequence is None or member.user_id != read.user_id:
            return member
        known = member.last_read_sequence or _sequence_of(state, member.last_read_message_id)
        if known is not None and known >= sequence:
            return member
        # Its time stays that of the server, which has another clock.
        return attrs.evolve(
            member, last_read_message_id=read.message_id, last_read_sequence=sequence
        )

    members = tuple(map(marked, members))
    if members == state.snapshot.members:
        return state
    return evolved(state, snapshot=evolved(state.snapshot, members=members))


def _typing_start(state: LiveConversation, event: TypingStart, now: float) -> LiveConversation:
    typing_until = {**state.typing_until, event.user_id: now + TYPING_TIME}
    return _typing(state, typing_until)


def _typing_stop(state: LiveConversation, event: TypingStop, _: float) -> LiveConversation:
    return _stopped(state, event.user_id)


def _stopped(state: LiveConversation, user_id: str | None) -> LiveConversation:
    return _typing(state, {u: t for u, t in state.typing_until.items() if u != user_id})


def _typing(state: LiveConversation, typing_until: Mapping[str, float]) -> LiveConversation:
    snapshot = state.snapshot
    users = frozenset(typing_until)
    if users != snapshot.typing:
        snapshot = evolved(snapshot, typing=users)
    return evolved(state, snapshot=snapshot, typing_until=typing_until)


def _time_passed(state: LiveConversation, _: TimePassed, now: float) -> LiveConversation:
    typing_until = {u: t for u, t in state.typing_until.items() if t > now}
    return state if len(typing_until) == len(state.typing_until) else _typing(state, typing_until)


def _presence(state: LiveConversation, event: PresenceChanged, _: float) -> LiveConversation:
    if event.user_ids == state.snapshot.presence:
        return state
    return evolved(state, snapshot=evolved(state.snapshot, presence=event.user_ids))


# Requests.


def _request_began(state: LiveConversation, event: RequestBegan, now: float) -> LiveConversation:
    key = event.key
    state = _with_request(state, key)
    if isinstance(key, PageRequest) and key.before is None:
        # It shows what is missing now. What happens from now on may ask for another refresh.
        state = evolved(state, missing=NONE_MISSING, **_due(now + REFRESH_EVERY))
    return state


def _with_request(state: LiveConversation, key: Key) -> LiveConversation:
    return evolved(state, requests=(*state.requests, (key, state.log, state.join)))


def _request_failed(state: LiveConversation, event: RequestFailed, now: float) -> LiveConversation:
    state = _finished(state, event.key)[0]
    if isinstance(event.key, PageRequest) and event.key.before is None and not state.is_over:
        # What it was to show is not known yet.
        state = evolved(state, **_due_by(state, now + RECOUNT_AFTER))
    return state


def _finished(state: LiveConversation, key: Key) -> tuple[LiveConversation, list[Any]]:
    """End a request. Return the events since it began, too, oldest first."""
    start = next((log for one, log, _ in state.requests if one == key), state.log)
    requests = tuple(request for request in state.requests if request[0] != key)
    events: list[Any] = []
    log = state.log
    while log is not None and log is not start:
        events.append(log.event)
        log = log.before
    events.reverse()
    return evolved(state, requests=requests, log=state.log if requests else None), events


def _again(state: LiveConversation, events: Sequence[Any], now: float) -> LiveConversation:
    """Apply events on top of a response that may be older than they are."""
    for event in events:
        if isinstance(event, Message):
            state = _put(state, event, {}, now)
        elif isinstance(event, Stored):
            state = _stored_again(state, event, now)
        elif not isinstance(event, ThreadClosed):
            state = _REDUCERS[type(event)](state, event, now)
    return state


def _stored_again(state: LiveConversation, event: Stored, now: float) -> LiveConversation:
    change = event.key
    if event.row is not None:
        state = _put(state, event.row, {}, now)
    elif isinstance(change, Change):
        state = _change_stored(state, change.message_id, change.applied)
    return state


def _overtaking(events: Sequence[Any]) -> list[Message]:
    """Return the rows that a response may not know of."""
    rows = [event.row if isinstance(event, Stored) else event for event in events]
    return [row for row in rows if isinstance(row, Message)]


def _touched(events: Sequence[Any]) -> set[str]:
    """Return the IDs of messages that a response may know more, or less, of than it shows."""
    changed = [event.key if isinstance(event, Stored) else event for event in events]
    ids = {getattr(event, "message_id", getattr(event, "id", "")) for event in changed}
    return ids | {row.id for row in _overtaking(events)}


def _page_read(state: LiveConversation, event: PageRead, now: float) -> LiveConversation:
    request = event.key
    state, events = _finished(state, request)
    if request.join != state.join == state.synced_join:
        # What was missed since this page was read, a refresh has read already.
        return state
    rows = sorted(event.rows, key=lambda row: row.sequence)
    low = rows[0].sequence if rows else 0
    snapshot, held = state.snapshot, state.snapshot.messages.stored
    # The page is complete from its lowest row to below `top`. What is above it came since.
    top = (rows[-1].sequence + 1 if rows else 0) if request.before is None else request.before
    before = {item.id: item for item in held.since(low) if item.message.sequence < top}
    fresh = {row.id: _as_held(state, row, before.get(row.id)) for row in rows}
    came = {row.id for row in _overtaking(events)}
    kept = [item for id, item in before.items() if id in came and id not in fresh]
    touched = _touched(events)
    was_missed = any(
        row.sequence >= snapshot.stale_before
        and row.id not in touched
        and _is_missed(before.get(row.id), row)
        for row in rows
    )
    items = sorted([*fresh.values(), *kept], key=lambda item: item.message.sequence)
    stored = held.replaced(low, top, items)
    outgoing = tuple(item for item in snapshot.messages.outgoing if item.id not in fresh)
    sequences = snapshot._sequences  # pyright: ignore[reportPrivateUsage]
    sequences.update((row.id, row.sequence) for row in rows)
    snapshot = evolved(
        snapshot,
        messages=LiveMessages(stored, outgoing),
        has_older=snapshot.has_older if rows and stored[0].message.sequence < low else bool(rows),
        stale_before=_stale_before(state, request, low, held, was_missed=was_missed),
    )
    state = evolved(state, snapshot=snapshot, counted_at=now)
    if request.before is None:
        state = evolved(state, highest=max(state.highest, rows[-1].sequence if rows else 0))
        if request.is_strict or was_missed or state.synced_join < 0:
            state = _with_status(evolved(state, synced_join=request.join))
    state = _again(state, events, now)
    # Whether it counts the replies that came meanwhile is not known.
    has_replies = any(row.thread_root_id for row in _overtaking(events))
    is_sure = not has_replies and not any(isinstance(e, MessageDeleted) for e in events)
    return state if is_sure else _recount(state, now)


def _as_held(state: LiveConversation, row: Message, held: LiveMessage | None) -> LiveMessage:
    """Return the message as it is held already, if nothing changed, so that it can be compared."""
    stored = None if held is None else held.stored
    if held is None or stored is None or not (stored == row or _is_newer(stored, row)):
        return _shown(state, row)
    return held


def _is_missed(held: LiveMessage | None, new: Message) -> bool:
    """Return whether a message changed in a way that an event would have told."""
    old = None if held is None else held.stored
    if old is None:
        return True
    # Not all of a deletion is told, and replies may be counted late.
    if old.deleted_at is not None:
        return False
    if new.deleted_at is not None or new.updated_at != old.updated_at:
        return True
    return _reactions(old) != _reactions(new)


def _reactions(message: Message) -> set[tuple[str, str]]:
    # Their order is not told.
    return {(emoji, user_id) for emoji, users in message.reactions.items() for user_id in users}


def _stale_before(
    state: LiveConversation,
    request: PageRequest,
    low: int,
    held: SortedItems[LiveMessage],
    *,
    was_missed: bool,
) -> int:
    """Return the sequence below which messages may be out of date, now that a page was read."""
    before, stale_before = request.before, state.snapshot.stale_before
    if before is None:
        # Between what is held and the page, others may be missing.
        has_gap = not held or held[-1].message.sequence < low
        return low if request.is_strict or was_missed or has_gap else min(stale_before, low)
    if before < stale_before:
        return stale_before
    return low if was_missed else min(stale_before, low)


def _replies_read(state: LiveConversation, event: RepliesRead, now: float) -> LiveConversation:
    join = next((join for key, _, join in state.requests if key == event.key), state.join)
    state, events = _finished(state, event.key)
    root_id = event.root_id
    if any(isinstance(e, ThreadClosed) and e.root_id == root_id for e in events):
        return state
    snapshot = state.snapshot
    shown = snapshot.threads.get(root_id, LiveMessages())
    before = {item.id: item for item in shown.stored}
    items = {row.id: _as_held(state, row, before.get(row.id)) for row in event.replies}
    came = {row.id for row in _overtaking(events)}
    kept = [item for id, item in before.items() if id in came and id not in items]
    stored = shown.stored.replaced(0, None, ())
    for item in [*items.values(), *kept]:
        stored = stored.put(item)
    outgoing = tuple(item for item in shown.outgoing if item.id not in items)
    threads = {**snapshot.threads, root_id: LiveMessages(stored, outgoing)}
    places = [(item.id, _place(item.stored or item.message, root_id)) for item in stored]
    replies = snapshot._replies.put_all(places)  # pyright: ignore[reportPrivateUsage]
    state = evolved(state, snapshot=evolved(snapshot, threads=threads, _replies=replies))
    state = _again(state, events, now)
    # Now all of them are known, so they can be counted.
    all_replies = state.snapshot.threads[root_id].stored
    count = sum(item.stored is None or not item.stored.deleted_at for item in all_replies)
    state = _change_stored(state, root_id, partial(_with_count, count))
    # After a lost connection, some may have been missed since they were requested.
    return state if join == state.join else evolved(state, **_due(now))


def _place(reply: Message, root_id: str) -> Place:
    """Return the place of a reply, which has no sequence any more once it is deleted."""
    return (-reply.sequence if reply.deleted_at else reply.sequence, root_id)


def _with_count(count: int, root: Message) -> Message:
    return root if root.reply_count == count else attrs.evolve(root, reply_count=count)


def _thread_closed(state: LiveConversation, event: ThreadClosed, _: float) -> LiveConversation:
    snapshot = state.snapshot
    threads = {id: shown for id, shown in snapshot.threads.items() if id != event.root_id}
    return evolved(state, snapshot=evolved(snapshot, threads=threads))


def _conversation_read(
    state: LiveConversation, event: ConversationRead, _: float
) -> LiveConversation:
    state, _events = _finished(state, event.key)
    snapshot = evolved(state.snapshot, conversation=event.conversation)
    return evolved(state, snapshot=snapshot)


def _members_read(state: LiveConversation, event: MembersRead, now: float) -> LiveConversation:
    state, events = _finished(state, event.key)
    state = _with_members(evolved(state, members=tuple(event.members)))
    return _again(state, [e for e in events if isinstance(e, MemberRead)], now)


def _refresh_ended(state: LiveConversation, _: RefreshEnded, now: float) -> LiveConversation:
    is_synced = not state.join or state.synced_join == state.join
    # Something may have asked for another one meanwhile.
    at = _due_by(state, now + REFRESH_EVERY) if is_synced else _due(now)
    snapshot = state.snapshot
    if not state.is_over and snapshot.error is not None:
        snapshot = evolved(snapshot, error=None)
    return _with_status(evolved(state, snapshot=snapshot, is_loaded=True, failures=0, **at))


def _refresh_failed(state: LiveConversation, event: RefreshFailed, _: float) -> LiveConversation:
    if state.is_over:
        return state
    if event.retry_at is not None:
        return evolved(state, failures=state.failures + 1, **_due(event.retry_at))
    snapshot = evolved(state.snapshot, status="failed", error=event.error)
    return evolved(state, snapshot=snapshot, **_due(inf))


# What the user does.


def _send_began(state: LiveConversation, event: SendBegan, _: float) -> LiveConversation:
    message = event.message
    state = _with_request(state, message.id)
    return _with_outgoing(state, message.id, LiveMessage(message, "sending"))


def _with_outgoing(state: LiveConversation, id: str, item: LiveMessage | None) -> LiveConversation:
    """Replace a message that is not stored, add it, or remove it."""
    old = find_message(state.snapshot, id)
    either = item or old
    root_id = None if either is None else either.message.thread_root_id
    snapshot = state.snapshot
    shown = snapshot.messages if root_id is None else snapshot.threads.get(root_id)
    if shown is None or (old is not None and old.stored is not None):
        return state
    rest = [one for one in shown.outgoing if one.id != id or item is not None]
    outgoing = [item if item is not None and one.id == id else one for one in rest]
    if item is not None and old is None:
        outgoing.append(item)
    return _with_shown(state, root_id, attrs.evolve(shown, outgoing=tuple(outgoing)))


def _send_failed(state: LiveConversation, event: SendFailed, _: float) -> LiveConversation:
    state, _events = _finished(state, event.id)
    item = find_message(state.snapshot, event.id)
    if item is None or item.stored is not None:
        return state
    return _with_outgoing(state, event.id, LiveMessage(item.message, "failed", event.error))


def _discarded(state: LiveConversation, event: Discarded, _: float) -> LiveConversation:
    return _with_outgoing(state, event.id, None)


def _change_began(state: LiveConversation, event: ChangeBegan, _: float) -> LiveConversation:
    change = event.change
    state = evolved(_with_request(state, change), changes=(*state.changes, change))
    return _shown_again(state, change.message_id)


def _change_refused(state: LiveConversation, event: ChangeRefused, _: float) -> LiveConversation:
    return _without_change(_finished(state, event.change)[0], event.change)


def _without_change(state: LiveConversation, change: Change) -> LiveConversation:
    changes = tuple(one for one in state.changes if one is not change)
    return _shown_again(evolved(state, changes=changes), change.message_id)


def _shown_again(state: LiveConversation, id: str) -> LiveConversation:
    item = find_message(state.snapshot, id)
    return state if item is None or item.stored is None else _replace(state, item.stored)


def _settled(state: LiveConversation, event: Stored, now: float) -> LiveConversation:
    state, events = _finished(state, event.key)
    row, change = event.row, event.key if isinstance(event.key, Change) else None
    if row is not None:
        seen = _seen(state, row.sequence, now) if change is None else {"counted_at": now}
        state = _put(state, row, seen, now, is_truth=True)
        if any(other.thread_root_id == row.id for other in _overtaking(events)):
            state = _recount(state, now)
    if change is not None:
        if row is None:
            state = _change_stored(state, change.message_id, change.applied)
        state = _without_change(state, change)
    state = _again(state, events, now)
    return evolved(state, log=EventLog(event, state.log)) if state.requests else state


_Reducer: TypeAlias = Callable[[LiveConversation, Any, float], LiveConversation]

_REDUCERS: Final[Mapping[type, _Reducer]] = cast(
    "Mapping[type, _Reducer]",
    {
        MessageNew: _message,
        MessageUpdated: _message,
        MessageDeleted: _message_deleted,
        ReactionAdded: _reacted,
        ReactionRemoved: _reacted,
        MemberRead: _member_read,
        TypingStart: _typing_start,
        TypingStop: _typing_stop,
        PresenceChanged: _presence,
        Joined: _joined,
        Lost: _lost,
        Ended: _ended,
        TimePassed: _time_passed,
        RequestBegan: _request_began,
        RequestFailed: _request_failed,
        PageRead: _page_read,
        ConversationRead: _conversation_read,
        MembersRead: _members_read,
        RepliesRead: _replies_read,
        ThreadClosed: _thread_closed,
        RefreshEnded: _refresh_ended,
        RefreshFailed: _refresh_failed,
        SendBegan: _send_began,
        SendFailed: _send_failed,
        Discarded: _discarded,
        ReadBegan: _read_began,
        ReadRefused: _read_refused,
        ChangeBegan: _change_began,
        ChangeRefused: _change_refused,
        Stored: _settled,
    },
)

_LOGGED: Final = frozenset(
    (
        MessageNew,
        MessageUpdated,
        MessageDeleted,
        ReactionAdded,
        ReactionRemoved,
        MemberRead,
        ThreadClosed,
    )
)
"""Events that a response may not know of."""
