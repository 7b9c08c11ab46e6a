"""The list of conversations, as a function: `reduce(state, event, now) → state`.

`conversation:updated` has the whole row, with its `unread_count`, which counts for more than what
is counted here. A list that was requested earlier does not undo it: see `conversation_reducer`,
whose rule for requests is the same. What the user has read stays read, even if the server has
counted before it knew: `ReadMark`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from typing import Any, Final, TypeAlias, cast

import attrs

from poolse._generated.events import ConversationCreated, ConversationUpdated
from poolse._generated.models import Conversation
from poolse._state.conversation_reducer import REFRESH_EVERY
from poolse._state.inputs import (
    Ended,
    Joined,
    Lost,
    RefreshEnded,
    RefreshFailed,
    RequestBegan,
    RequestFailed,
)
from poolse._state.snapshots import InboxSnapshot, StateStatus, activity_key
from poolse._state.sorted_items import IdMap, SortedItems

__all__ = ["ListRead", "LiveInbox", "ReadMark", "ReadMarkRefused", "reduce"]


@attrs.frozen(kw_only=True)
class LiveInbox:
    """The conversations, with what it takes to keep them current."""

    snapshot: InboxSnapshot = attrs.field(factory=InboxSnapshot)
    join: int = 0
    """Number of the current join; 0 while the channel is not joined."""
    joins: int = 0
    synced_join: int = -1
    """Join since which nothing was missed; -1 before the first list."""
    is_over: bool = False
    """Whether the channel has ended for good."""
    refresh_at: float = inf
    """Time of the next request for the list."""
    failures: int = 0
    """Requests for the list that failed since the last that did not."""
    requests: tuple[tuple[object, int], ...] = ()
    """Requests under way, with the join at which they began."""
    log: tuple[ConversationCreated | ConversationUpdated, ...] = ()
    """Events while requests are under way, oldest first."""
    marks: Mapping[str, tuple[ReadMark, int]] = attrs.field(
        factory=dict[str, "tuple[ReadMark, int]"]
    )
    """By conversation, the last mark that was not refused, and its sequence."""


@attrs.frozen(eq=False)
class ReadMark:
    """The user reads a conversation up to a sequence; None for all of it."""

    conversation_id: str
    sequence: int | None


@attrs.frozen
class ReadMarkRefused:
    """The server did not take it."""

    mark: ReadMark
    before: Conversation


@attrs.frozen
class ListRead:
    """The list was received."""

    key: object
    conversations: tuple[Conversation, ...]


def reduce(state: LiveInbox, event: object, now: float) -> LiveInbox:
    """Return the state after an event."""
    reducer = _REDUCERS.get(type(event))
    if reducer is None:
        return state
    if state.requests and isinstance(event, ConversationCreated | ConversationUpdated):
        state = attrs.evolve(state, log=(*state.log, event))
    return reducer(state, event, now)


def _joined(state: LiveInbox, _: Joined, now: float) -> LiveInbox:
    joins = state.joins + 1
    return _with_status(attrs.evolve(state, joins=joins, join=joins, refresh_at=now))


def _lost(state: LiveInbox, _: Lost, now: float) -> LiveInbox:
    refresh_at = min(state.refresh_at, now + REFRESH_EVERY)
    return _with_status(attrs.evolve(state, join=0, refresh_at=refresh_at))


def _ended(state: LiveInbox, event: Ended, _: float) -> LiveInbox:
    status: StateStatus = "closed" if event.error is None else "failed"
    snapshot = attrs.evolve(state.snapshot, status=status, error=event.error)
    return attrs.evolve(state, snapshot=snapshot, join=0, is_over=True, refresh_at=inf)


def _with_status(state: LiveInbox) -> LiveInbox:
    snapshot = state.snapshot
    if state.is_over or snapshot.error is not None:
        return state
    status: StateStatus = "loading"
    if state.synced_join >= 0:
        status = "live" if state.join == state.synced_join != 0 else "reconnecting"
    if status == snapshot.status:
        return state
    return attrs.evolve(state, snapshot=attrs.evolve(snapshot, status=status))


def _created(state: LiveInbox, event: ConversationCreated, _: float) -> LiveInbox:
    held = state.snapshot.conversation(event.id)
    return state if held is not None else _put(state, event)


def _updated(state: LiveInbox, event: ConversationUpdated, _: float) -> LiveInbox:
    row, held = event.conversation, state.snapshot.conversation(event.conversation.id)
    if held is not None:
        if (row.last_sequence or 0) < (held.last_sequence or 0):
            return state
        if row.unread_count is None:
            # Of a server that does not count for us.
            new = (row.last_sequence or 0) - (held.last_sequence or 0)
            row = attrs.evolve(row, unread_count=(held.unread_count or 0) + new)
        if row.member_external_ids is None:
            # Those are not told again.
            row = attrs.evolve(row, member_external_ids=held.member_external_ids)
    return _put(state, row)


def _put(state: LiveInbox, row: Conversation) -> LiveInbox:
    row, snapshot = _as_marked(state, row), state.snapshot
    key, before = activity_key(row), snapshot._keys.get(row.id)  # pyright: ignore[reportPrivateUsage]
    conversations = snapshot.conversations
    if before is not None and before != key:
        conversations = conversations.without(before)
    keys = snapshot._keys if before == key else snapshot._keys.put(row.id, key)  # pyright: ignore[reportPrivateUsage]
    snapshot = attrs.evolve(snapshot, conversations=conversations.put(row), keys=keys)
    return attrs.evolve(state, snapshot=snapshot)


def _as_marked(state: LiveInbox, row: Conversation) -> Conversation:
    """Return a conversation with no more unread messages than there are after the user's mark."""
    if row.id not in state.marks:
        return row
    _, sequence = state.marks[row.id]
    left = max(0, (row.last_sequence or 0) - sequence)
    is_less = row.unread_count is not None and row.unread_count <= left
    return row if is_less else attrs.evolve(row, unread_count=left)


def _read(state: LiveInbox, mark: ReadMark, _: float) -> LiveInbox:
    held = state.snapshot.conversation(mark.conversation_id)
    if held is None:
        return state
    sequence = (held.last_sequence or 0) if mark.sequence is None else mark.sequence
    state = attrs.evolve(state, marks={**state.marks, held.id: (mark, sequence)})
    return state if _as_marked(state, held) is held else _put(state, held)


def _read_refused(state: LiveInbox, event: ReadMarkRefused, now: float) -> LiveInbox:
    marks = {id: pair for id, pair in state.marks.items() if pair[0] is not event.mark}
    state = attrs.evolve(state, marks=marks)
    held, before = state.snapshot.conversation(event.before.id), event.before
    if held is None or held.last_sequence != before.last_sequence:
        # The server has counted since, but perhaps it was not believed.
        return attrs.evolve(state, refresh_at=min(state.refresh_at, now))
    return _put(state, attrs.evolve(held, unread_count=before.unread_count))


def _request_began(state: LiveInbox, event: RequestBegan, _: float) -> LiveInbox:
    return attrs.evolve(state, requests=(*state.requests, (event.key, state.join)))


def _request_failed(state: LiveInbox, event: RequestFailed, _: float) -> LiveInbox:
    requests = tuple(pair for pair in state.requests if pair[0] is not event.key)
    return attrs.evolve(state, requests=requests, log=state.log if requests else ())


def _list_read(state: LiveInbox, event: ListRead, now: float) -> LiveInbox:
    join = next((join for key, join in state.requests if key is event.key), 0)
    log = state.log
    state = _request_failed(state, RequestFailed(event.key), now)
    held = state.snapshot
    rows = [
        row if (old := held.conversation(row.id)) is None or old != row else old
        for row in (_as_marked(state, row) for row in event.conversations)
    ]
    conversations: SortedItems[Conversation] = SortedItems(activity_key, rows)
    keys = IdMap[tuple[float, str]]().put_all((row.id, activity_key(row)) for row in rows)
    if conversations == held.conversations:
        conversations = held.conversations
    snapshot = attrs.evolve(held, conversations=conversations, keys=keys)
    state = _with_status(attrs.evolve(state, snapshot=snapshot, synced_join=join))
    for logged in log:
        state = _REDUCERS[type(logged)](state, logged, now)
    return state


def _refresh_ended(state: LiveInbox, _: RefreshEnded, now: float) -> LiveInbox:
    is_synced = not state.join or state.join == state.synced_join
    refresh_at = now + REFRESH_EVERY if is_synced else now
    snapshot = state.snapshot
    if not state.is_over and snapshot.error is not None:
        snapshot = attrs.evolve(snapshot, error=None)
    state = attrs.evolve(state, snapshot=snapshot, refresh_at=refresh_at, failures=0)
    return _with_status(state)


def _refresh_failed(state: LiveInbox, event: RefreshFailed, _: float) -> LiveInbox:
    if state.is_over:
        return state
    if event.retry_at is not None:
        return attrs.evolve(state, refresh_at=event.retry_at, failures=state.failures + 1)
    snapshot = attrs.evolve(state.snapshot, status="failed", error=event.error)
    return attrs.evolve(state, snapshot=snapshot, refresh_at=inf)


_Reducer: TypeAlias = Callable[[LiveInbox, Any, float], LiveInbox]

_REDUCERS: Final[Mapping[type, _Reducer]] = cast(
    "Mapping[type, _Reducer]",
    {
        ConversationCreated: _created,
        ConversationUpdated: _updated,
        Joined: _joined,
        Lost: _lost,
        Ended: _ended,
        ReadMark: _read,
        ReadMarkRefused: _read_refused,
        RequestBegan: _request_began,
        RequestFailed: _request_failed,
        ListRead: _list_read,
        RefreshEnded: _refresh_ended,
        RefreshFailed: _refresh_failed,
    },
)
