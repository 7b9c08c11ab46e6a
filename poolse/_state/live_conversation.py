"""A conversation with what it takes to keep it current, and the requests that it asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any, Final

import attrs

from poolse._generated.models import Membership, Message
from poolse._state.inputs import Change, Key, PageRequest, ReadBegan
from poolse._state.snapshots import ConversationSnapshot

__all__ = ["EventLog", "LiveConversation", "first_page", "next_page", "older_page", "wake_at"]

PAGE: Final = 100
"""Maximum messages per request: the server sends no more."""

REFRESHED: Final = 200
"""Messages that a refresh reads again."""


@attrs.frozen(kw_only=True, slots=False)
class LiveConversation:
    """A conversation, with what it takes to keep it current."""

    snapshot: ConversationSnapshot
    join: int = 0
    """Number of the current join; 0 while the channel is not joined."""
    joins: int = 0
    synced_join: int = -1
    """Join since which nothing that was refreshed can have been missed."""
    members: tuple[Membership, ...] = ()
    """As the server has them."""
    read: ReadBegan | None = None
    """The last mark of the user's that was not refused."""
    counted_at: float = -inf
    """When the server last told how many replies messages have."""
    is_over: bool = False
    """Whether the channel has ended for good."""
    is_loaded: bool = False
    """Whether a whole refresh has ended."""
    highest: int = 0
    """Highest sequence that was seen."""
    missing: frozenset[int] = frozenset()
    """Sequences below it that no event had."""
    refresh_at: float = inf
    """Time of the next refresh."""
    planned_at: float = inf
    """The same, if what is missing still arrives."""
    failures: int = 0
    """Refreshes that failed since the last that did not."""
    typing_until: Mapping[str, float] = attrs.field(factory=dict[str, float])
    changes: tuple[Change, ...] = ()
    """Changes that are being sent."""
    requests: tuple[tuple[Key, EventLog | None, int], ...] = ()
    """Requests under way, with the end of the log and the join when they began."""
    log: EventLog | None = None
    """Events while requests are under way, newest first."""


@attrs.frozen(eq=False)
class EventLog:
    """An event, and the log before it."""

    event: Any
    before: EventLog | None


def wake_at(state: LiveConversation) -> float:
    """Return the time at which `TimePassed` is due, or a refresh."""
    return min((state.refresh_at, *state.typing_until.values()))


def first_page(
    state: LiveConversation, page_size: int, *, is_strict: bool, refreshed: int = REFRESHED
) -> PageRequest:
    """Return the first request of a refresh."""
    messages = state.snapshot.messages.stored
    if not messages:
        return PageRequest(None, min(PAGE, page_size), page_size, inf, state.join)
    oldest = max(state.snapshot.stale_before, messages[0].message.sequence)
    fresh = min(PAGE, max(10, len(messages.since(oldest)) + 1))
    is_strict = is_strict or not state.join or state.synced_join != state.join
    return PageRequest(None, fresh, max(fresh, refreshed), oldest, state.join, is_strict)


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
        return first_page(state, page_size, is_strict=True) if snapshot.has_older else None
    before = snapshot.stale_before
    if not snapshot.has_older and before <= messages[0].message.sequence:
        return None
    return PageRequest(before, min(PAGE, page_size), page_size, inf, state.join)
