"""A conversation that is always current, as a function: `reduce(state, event, now) → state`.

Events are those of the channel, what requests returned, and what the user does. Nothing here does
I/O; whoever runs it sends the requests that `next_page` and `refresh_at` ask for.

- Messages are stored by sequence. A row replaces the one that is held if it was updated later.
- A response tells how things were when the server read them, and events that happened since may
  have overtaken it. So events are logged while requests are under way; a response is taken as the
  truth, and the events since its request are applied again on top. Each of them can be applied
  twice, but for the count of replies, which a soon refresh corrects.
- Your own changes lie over what the server has stored (`Change`), until they are settled. To undo
  one is to drop it.
- Each message of a conversation takes the next sequence, replies too, so a missing number is a
  missed event. A refresh follows, after a moment, since events may overtake each other.
- What was missed while the channel was not joined leaves no trace. After that, or if a refresh
  shows that something was missed, all that it did not read is stale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from math import inf
from operator import is_
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
from poolse._state.snapshots import (
    ConversationSnapshot,
    LiveMessage,
    LiveMessages,
    StateStatus,
)
from poolse._state.sorted_items import SortedItems

__all__ = [
    "REFRESHED",
    "REFRESH_EVERY",
    "LiveConversation",
    "first_page",
    "next_page",
    "older_page",
    "reduce",
    "wake_at",
]

PAGE: Final = 100
"""Maximum messages per request: the server sends no more."""

REFRESHED: Final = 200
"""Messages that a refresh reads again."""

REFRESH_EVERY: Final = 300.0
"""Seconds between refreshes while nothing else asks for one."""

GRACE: Final = 0.5
"""Seconds to wait for a missing event, which another may have overtaken."""

RECOUNT_AFTER: Final = 1.0
"""Seconds until a refresh if replies arrived while their root was read."""

TYPING_TIME: Final = 4.0
"""Seconds for which a user is shown as typing after the last `typing:start`."""

MAX_MISSING: Final = 100
"""Missing numbers that are remembered. If there are more, a refresh is due anyway."""


@attrs.frozen(kw_only=True)
class LiveConversation:
    """A conversation, with what it takes to keep it current."""

    snapshot: ConversationSnapshot
    join: int = 0
    """Number of the current join; 0 while the channel is not joined."""
    joins: int = 0
    synced_join: int = -1
    """Join since which nothing that was refreshed can have been missed."""
    highest: int = 0
    """Highest sequence that was seen."""
    missing: frozenset[int] = frozenset()
    """Sequences below it that no event had."""
    refresh_at: float = inf
    """Time of the next refresh."""
    failures: int = 0
    """Refreshes that failed since the last that did not."""
    typing_until: Mapping[str, float] = attrs.field(factory=dict[str, float])
    changes: tuple[Change, ...] = ()
    """Changes that are being sent."""
    requests: tuple[tuple[Key, _Log | None], ...] = ()
    """Requests under way, with the end of the log when they began."""
    log: _Log | None = None
    """Events while requests are under way, newest first."""


@attrs.frozen(eq=False)
class _Log:
    event: Any
    before: _Log | None


def reduce(state: LiveConversation, event: object, now: float) -> LiveConversation:
    """Return the state after an event."""
    reducer = _REDUCERS.get(type(event))
    if reducer is None:
        return state
    if state.requests and type(event) in _LOGGED:
        state = attrs.evolve(state, log=_Log(event, state.log))
    return reducer(state, event, now)


def wake_at(state: LiveConversation) -> float:
    """Return the time at which `TimePassed` is due, or a refresh."""
    return min((state.refresh_at, *state.typing_until.values()))


def first_page(state: LiveConversation, page_size: int, *, is_strict: bool) -> PageRequest:
    """Return the first request of a refresh."""
    messages = state.snapshot.messages.stored
    if not messages:
        return PageRequest(None, min(PAGE, page_size), page_size, inf, state.join)
    oldest = max(state.snapshot.stale_before, messages[0].message.sequence)
    fresh = min(REFRESHED, len(messages.since(oldest)) + 1)
    is_strict = is_strict or not state.join or state.synced_join != state.join
    return PageRequest(None, min(PAGE, max(fresh, 10)), fresh, oldest, state.join, is_strict)


def next_page(request: PageRequest, rows: Sequence[Message]) -> PageRequest | None:
    """Return the request of a refresh that follows a page, or None at its end."""
    low = min((row.sequence for row in rows), default=0)
    wanted = request.wanted - len(rows)
    if wanted <= 0 or low <= request.down_to or not rows:
        return None
    return attrs.evolve(request, before=low, limit=min(PAGE, wanted), wanted=wanted)


def older_page(state: LiveConversation, page_size: int) -> PageRequest | None:
    """Return the request for the messages below those that are current; None if there are none."""
    snapshot = state.snapshot
    messages = snapshot.messages.stored
    if not messages:
        return first_page(state, page_size, is_strict=True)
    before = snapshot.stale_before
    if not snapshot.has_older and before <= messages[0].message.sequence:
        return None
    return PageRequest(before, min(PAGE, page_size), page_size, inf, state.join)


# The channel.


def _joined(state: LiveConversation, _: Joined, now: float) -> LiveConversation:
    joins = state.joins + 1
    return _with_status(attrs.evolve(state, joins=joins, join=joins, refresh_at=now))


def _lost(state: LiveConversation, _: Lost, now: float) -> LiveConversation:
    snapshot = attrs.evolve(state.snapshot, typing=frozenset(), presence=frozenset())
    refresh_at = min(state.refresh_at, now + REFRESH_EVERY)
    return _with_status(
        attrs.evolve(
            state,
            snapshot=snapshot,
            join=0,
            missing=frozenset(),
            typing_until={},
            refresh_at=refresh_at,
        )
    )


def _ended(state: LiveConversation, event: Ended, now: float) -> LiveConversation:
    status: StateStatus = "closed" if event.error is None else "failed"
    state = _lost(state, Lost(), now)
    snapshot = attrs.evolve(state.snapshot, status=status, error=event.error)
    return attrs.evolve(state, snapshot=snapshot, refresh_at=inf)


def _with_status(state: LiveConversation) -> LiveConversation:
    snapshot = state.snapshot
    if snapshot.status in ("failed", "closed"):
        return state
    status: StateStatus = "loading"
    if state.synced_join >= 0:
        status = "live" if state.join == state.synced_join != 0 else "reconnecting"
    if status == snapshot.status:
        return state
    return attrs.evolve(state, snapshot=attrs.evolve(snapshot, status=status))


def _message(
    state: LiveConversation, row: MessageNew | MessageUpdated, now: float
) -> LiveConversation:
    state = _seen(state, row.sequence, now)
    if type(row) is MessageNew and row.sender_id in state.typing_until:
        state = _stopped(state, row.sender_id)
    return _put(state, row)


def _seen(state: LiveConversation, sequence: int, now: float) -> LiveConversation:
    """Note that an event had a sequence, and whether others are missing."""
    missing, highest = state.missing, state.highest
    if sequence <= highest:
        if sequence not in missing:
            return state
        # Not waited for any more, unless others are missing too.
        return attrs.evolve(state, missing=missing - {sequence})
    if state.synced_join < 0 or sequence == highest + 1:
        return attrs.evolve(state, highest=sequence)
    missing |= frozenset(range(max(highest + 1, sequence - MAX_MISSING), sequence))
    refresh_at = min(state.refresh_at, now + GRACE)
    return attrs.evolve(state, highest=sequence, missing=missing, refresh_at=refresh_at)


def _put(state: LiveConversation, row: Message, *, is_truth: bool = False) -> LiveConversation:
    """Store a message, or a reply of a thread that is open.

    Args:
        state: The state.
        row: The message.
        is_truth: Whether it is from a response, so that it replaces what is held in any case, and
            its `reply_count` is right. That of an event is always 0.
    """
    snapshot, root_id = state.snapshot, row.thread_root_id
    known = snapshot._places.get(row.id)  # pyright: ignore[reportPrivateUsage]
    shown = snapshot.messages if root_id is None else snapshot.threads.get(root_id)
    if shown is not None:
        if shown.outgoing:
            shown = _without_outgoing(shown, row.id)
        held = shown.stored.find(row.sequence)
        if held is None or held.stored is None:
            if root_id is None and not _is_in_range(snapshot, row.sequence):
                return state
        elif not (is_truth or _is_newer(row, held.stored)):
            return _with_shown(state, root_id, shown)
        elif not is_truth:
            row = attrs.evolve(row, reply_count=held.stored.reply_count)
        shown = attrs.evolve(shown, stored=shown.stored.put(_shown(state, row)))
    if known is None:
        places = snapshot._places.put(row.id, (row.sequence, root_id))  # pyright: ignore[reportPrivateUsage]
        snapshot = attrs.evolve(snapshot, places=places)
        state = attrs.evolve(state, snapshot=snapshot)
    if shown is not None:
        state = _with_shown(state, root_id, shown)
    if known is None and root_id is not None and not is_truth:
        state = _count_reply(state, root_id, 1)
    return state


def _is_in_range(snapshot: ConversationSnapshot, sequence: int) -> bool:
    """Return whether a message belongs to the loaded ones, rather than to older ones."""
    stored = snapshot.messages.stored
    return not snapshot.has_older or (bool(stored) and sequence > stored[0].message.sequence)


def _is_newer(row: Message, held: Message) -> bool:
    if held.deleted_at is not None and row.deleted_at is None:
        return False
    return (row.updated_at or row.inserted_at) > (held.updated_at or held.inserted_at)


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
        return attrs.evolve(state, snapshot=attrs.evolve(snapshot, messages=shown))
    if shown is snapshot.threads.get(root_id):
        return state
    threads = {**snapshot.threads, root_id: shown}
    return attrs.evolve(state, snapshot=attrs.evolve(snapshot, threads=threads))


def _without_outgoing(shown: LiveMessages, id: str) -> LiveMessages:
    outgoing = tuple(item for item in shown.outgoing if item.id != id)
    return shown if len(outgoing) == len(shown.outgoing) else attrs.evolve(shown, outgoing=outgoing)


def _change_stored(
    state: LiveConversation, id: str, change: Callable[[Message], Message]
) -> LiveConversation:
    """Change a stored message, if it is loaded."""
    item = state.snapshot.message(id)
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
    items = shown.stored.put(_shown(state, stored))
    return _with_shown(state, root_id, attrs.evolve(shown, stored=items))


def _count_reply(state: LiveConversation, root_id: str, step: int) -> LiveConversation:
    def counted(root: Message) -> Message:
        return attrs.evolve(root, reply_count=max(0, (root.reply_count or 0) + step))

    return _change_stored(state, root_id, counted)


def _message_deleted(state: LiveConversation, event: MessageDeleted, _: float) -> LiveConversation:
    places = state.snapshot._places  # pyright: ignore[reportPrivateUsage]
    place = places.get(event.id)
    if place is None:
        return state
    sequence, root_id = place
    state = _change_stored(
        state,
        event.id,
        lambda m: m if m.deleted_at else as_deleted(m, event.deleted_at or m.updated_at),
    )
    if root_id is not None and sequence > 0:
        # Counted once: the place of a deleted reply has no sequence.
        places = places.put(event.id, (-sequence, root_id))
        state = attrs.evolve(state, snapshot=attrs.evolve(state.snapshot, places=places))
        state = _count_reply(state, root_id, -1)
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
    return _marked(state, event.user_id, event.last_read_message_id, event.last_read_at)


def _read_began(state: LiveConversation, event: ReadBegan, _: float) -> LiveConversation:
    return _marked(state, event.user_id, event.message_id, event.at)


def _marked(
    state: LiveConversation, user_id: str, message_id: str | None, at: datetime | None
) -> LiveConversation:
    """Move the read mark of a member, but not back."""
    item = state.snapshot.message(message_id or "")
    sequence = None if item is None else item.message.sequence

    def moved(member: Membership) -> Membership:
        before = member.last_read_at
        if member.user_id != user_id or (at and before and at <= before):
            return member
        return attrs.evolve(
            member, last_read_message_id=message_id, last_read_at=at, last_read_sequence=sequence
        )

    return _with_members(state, tuple(map(moved, state.snapshot.members)))


def _read_refused(state: LiveConversation, event: ReadRefused, _: float) -> LiveConversation:
    def restored(member: Membership) -> Membership:
        is_ours = member.id == event.before.id and member.last_read_at == event.began.at
        return event.before if is_ours else member

    return _with_members(state, tuple(map(restored, state.snapshot.members)))


def _with_members(state: LiveConversation, members: tuple[Membership, ...]) -> LiveConversation:
    if all(map(is_, members, state.snapshot.members)):
        return state
    return attrs.evolve(state, snapshot=attrs.evolve(state.snapshot, members=members))


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
        snapshot = attrs.evolve(snapshot, typing=users)
    return attrs.evolve(state, snapshot=snapshot, typing_until=typing_until)


def _time_passed(state: LiveConversation, _: TimePassed, now: float) -> LiveConversation:
    typing_until = {u: t for u, t in state.typing_until.items() if t > now}
    return state if len(typing_until) == len(state.typing_until) else _typing(state, typing_until)


def _presence(state: LiveConversation, event: PresenceChanged, _: float) -> LiveConversation:
    if event.user_ids == state.snapshot.presence:
        return state
    return attrs.evolve(state, snapshot=attrs.evolve(state.snapshot, presence=event.user_ids))


# Requests.


def _request_began(state: LiveConversation, event: RequestBegan, _: float) -> LiveConversation:
    return attrs.evolve(state, requests=(*state.requests, (event.key, state.log)))


def _request_failed(state: LiveConversation, event: RequestFailed, _: float) -> LiveConversation:
    return _finished(state, event.key)[0]


def _finished(state: LiveConversation, key: Key) -> tuple[LiveConversation, list[Any]]:
    """End a request. Return the events since it began, too, oldest first."""
    start = next((log for one, log in state.requests if one is key), state.log)
    requests = tuple(pair for pair in state.requests if pair[0] is not key)
    events: list[Any] = []
    log = state.log
    while log is not None and log is not start:
        events.append(log.event)
        log = log.before
    events.reverse()
    return attrs.evolve(state, requests=requests, log=state.log if requests else None), events


def _again(state: LiveConversation, events: Sequence[Any], now: float) -> LiveConversation:
    """Apply events on top of a response that may be older than they are."""
    for event in events:
        state = _REDUCERS[type(event)](state, event, now)
    return state


def _page_read(state: LiveConversation, event: PageRead, now: float) -> LiveConversation:
    request = event.key
    state, events = _finished(state, request)
    rows = sorted(event.rows, key=lambda row: row.sequence)
    low = rows[0].sequence if rows else 0
    overtaking = {e.id for e in events if isinstance(e, Message)}
    touched = overtaking | {getattr(e, "message_id", getattr(e, "id", "")) for e in events}
    snapshot, held = state.snapshot, state.snapshot.messages.stored
    # The page is complete from its lowest row to below `top`. What is above it came since.
    top = (rows[-1].sequence + 1 if rows else 0) if request.before is None else request.before
    before = {item.id: item for item in held.since(low) if item.message.sequence < top}
    fresh = [_as_held(state, row, before.get(row.id)) for row in rows]
    ids = {item.id for item in fresh}
    kept = [item for id, item in before.items() if id in overtaking and id not in ids]
    was_missed = any(
        (item.id not in before or before[item.id].stored != item.stored) and item.id not in touched
        for item in fresh
    )
    items = sorted([*fresh, *kept], key=lambda item: item.message.sequence)
    stored = held.replaced(low, top, items)
    outgoing = tuple(item for item in snapshot.messages.outgoing if item.id not in ids)
    places = snapshot._places.put_all(  # pyright: ignore[reportPrivateUsage]
        (item.id, (item.message.sequence, None)) for item in fresh if item.id not in before
    )
    stale_before = _stale_before(state, request, low, held, was_missed=was_missed)
    snapshot = attrs.evolve(
        snapshot,
        messages=LiveMessages(stored, outgoing),
        has_older=snapshot.has_older if rows and stored[0].message.sequence < low else bool(rows),
        stale_before=stale_before,
        places=places,
    )
    state = attrs.evolve(state, snapshot=snapshot)
    if request.before is None:
        highest = max(state.highest, rows[-1].sequence if rows else 0)
        # What the page does not show is a reply, or nothing.
        state = attrs.evolve(state, highest=highest, missing=frozenset())
        if request.is_strict or was_missed or state.synced_join < 0:
            state = _with_status(attrs.evolve(state, synced_join=request.join))
    state = _again(state, events, now)
    if any(isinstance(e, Message) and e.thread_root_id in ids for e in events):
        state = attrs.evolve(state, refresh_at=min(state.refresh_at, now + RECOUNT_AFTER))
    return state


def _as_held(state: LiveConversation, row: Message, held: LiveMessage | None) -> LiveMessage:
    """Return the message as it is held already, if nothing changed, so that it can be compared."""
    return held if held is not None and held.stored == row else _shown(state, row)


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
    state, events = _finished(state, event.key)
    snapshot, root_id = state.snapshot, event.root_id
    shown = snapshot.threads.get(root_id, LiveMessages())
    before = {item.id: item for item in shown.stored}
    items = {row.id: _as_held(state, row, before.get(row.id)) for row in event.replies}
    overtaking = {e.id for e in events if isinstance(e, Message)}
    kept = [item for id, item in before.items() if id in overtaking and id not in items]
    stored = shown.stored.replaced(0, None, ())
    for item in [*items.values(), *kept]:
        stored = stored.put(item)
    outgoing = tuple(item for item in shown.outgoing if item.id not in items)
    places = snapshot._places  # pyright: ignore[reportPrivateUsage]
    places = places.put_all(
        (row.id, (row.sequence, root_id)) for row in event.replies if places.get(row.id) is None
    )
    threads = {**snapshot.threads, root_id: LiveMessages(stored, outgoing)}
    snapshot = attrs.evolve(snapshot, threads=threads, places=places)
    return _again(attrs.evolve(state, snapshot=snapshot), events, now)


def _thread_closed(state: LiveConversation, event: ThreadClosed, _: float) -> LiveConversation:
    snapshot = state.snapshot
    threads = {id: shown for id, shown in snapshot.threads.items() if id != event.root_id}
    return attrs.evolve(state, snapshot=attrs.evolve(snapshot, threads=threads))


def _conversation_read(
    state: LiveConversation, event: ConversationRead, _: float
) -> LiveConversation:
    state, _events = _finished(state, event.key)
    snapshot = attrs.evolve(state.snapshot, conversation=event.conversation)
    return attrs.evolve(state, snapshot=snapshot)


def _members_read(state: LiveConversation, event: MembersRead, now: float) -> LiveConversation:
    state, events = _finished(state, event.key)
    snapshot = attrs.evolve(state.snapshot, members=tuple(event.members))
    reads = [e for e in events if isinstance(e, MemberRead)]
    return _again(attrs.evolve(state, snapshot=snapshot), reads, now)


def _refresh_ended(state: LiveConversation, _: RefreshEnded, now: float) -> LiveConversation:
    # Something may have asked for another one meanwhile.
    refresh_at = state.refresh_at if state.refresh_at > now else now + REFRESH_EVERY
    refresh_at = min(refresh_at, now + REFRESH_EVERY)
    if state.join and state.synced_join != state.join:
        refresh_at = now
    return attrs.evolve(state, refresh_at=refresh_at, failures=0)


def _refresh_failed(state: LiveConversation, event: RefreshFailed, _: float) -> LiveConversation:
    if event.retry_at is not None:
        return attrs.evolve(state, refresh_at=event.retry_at, failures=state.failures + 1)
    snapshot = attrs.evolve(state.snapshot, status="failed", error=event.error)
    return attrs.evolve(state, snapshot=snapshot, refresh_at=inf)


# What the user does.


def _send_began(state: LiveConversation, event: SendBegan, _: float) -> LiveConversation:
    message = event.message
    state = attrs.evolve(state, requests=(*state.requests, (message.id, state.log)))
    return _with_outgoing(state, message.id, LiveMessage(message, "sending"))


def _with_outgoing(state: LiveConversation, id: str, item: LiveMessage | None) -> LiveConversation:
    """Replace a message that is not stored, add it, or remove it."""
    old = state.snapshot.message(id)
    message = item.message if item is not None else old and old.message
    root_id = message.thread_root_id if message is not None else None
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
    item = state.snapshot.message(event.id)
    if item is None or item.stored is not None:
        return state
    return _with_outgoing(state, event.id, LiveMessage(item.message, "failed", event.error))


def _discarded(state: LiveConversation, event: Discarded, _: float) -> LiveConversation:
    return _with_outgoing(state, event.id, None)


def _change_began(state: LiveConversation, event: ChangeBegan, _: float) -> LiveConversation:
    change = event.change
    requests = (*state.requests, (change, state.log))
    state = attrs.evolve(state, requests=requests, changes=(*state.changes, change))
    return _shown_again(state, change.message_id)


def _change_refused(state: LiveConversation, event: ChangeRefused, _: float) -> LiveConversation:
    return _without_change(_finished(state, event.change)[0], event.change)


def _without_change(state: LiveConversation, change: Change) -> LiveConversation:
    changes = tuple(one for one in state.changes if one is not change)
    return _shown_again(attrs.evolve(state, changes=changes), change.message_id)


def _shown_again(state: LiveConversation, id: str) -> LiveConversation:
    item = state.snapshot.message(id)
    return state if item is None or item.stored is None else _replace(state, item.stored)


def _settled(state: LiveConversation, event: Stored, now: float) -> LiveConversation:
    state, events = _finished(state, event.key)
    if event.row is not None:
        state = _put(_seen(state, event.row.sequence, now), event.row, is_truth=True)
    change = event.key
    if isinstance(change, Change):
        if event.row is None:
            state = _change_stored(state, change.message_id, change.applied)
        state = _without_change(state, change)
    return _again(state, events, now)


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
    (MessageNew, MessageUpdated, MessageDeleted, ReactionAdded, ReactionRemoved, MemberRead)
)
"""Events that a response may not know of."""
