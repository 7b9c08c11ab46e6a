"""Who is in a channel, from `presence_state` and `presence_diff`.

The rules are those of the official JavaScript client. A user is in a channel through any number
of metas, one for each device or tab, identified by `phx_ref`.

- A diff applies its joins before its leaves: an update of a meta is both, under one key.
- A leave takes only the metas that it names. The user is gone with the last of them.
- Diffs can come before the state of the current join. They wait for it, and applying what the
  state already holds changes nothing, because a `phx_ref` is never held twice.
- While a rejoin is under way the last known set stays visible.

One rule differs on purpose, as `Policy` says: diffs that waited under an earlier join are dropped
with it, because they would plant users who left meanwhile.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Final, TypeVar, cast

import attrs

from poolse._json.codec import dumped, parsed

__all__ = ["MAX_PENDING", "Changes", "Entry", "Join", "Leave", "Presence"]

MAX_PENDING: Final = 1000

T = TypeVar("T")

Entry = dict[str, Any]
"""One user: `metas`, a list of objects with a `phx_ref`, and whatever the server adds."""

_Entries = dict[str, Entry]


@attrs.frozen
class Join:
    """A user came, came with another device, or updated one."""

    key: str
    current: Entry | None
    """The user before; None for the first device."""
    new: Entry
    """The user with the new metas only."""


@attrs.frozen
class Leave:
    """A device of a user went."""

    key: str
    current: Entry
    """The user after; without metas they are gone."""
    left: Entry
    """The user with the metas that left only."""


@attrs.frozen
class Changes:
    """What one event did."""

    steps: tuple[Join | Leave, ...] = ()
    synced: bool = False
    """Whether the event was applied. A diff that waits is not; nor is what made no sense."""


@attrs.frozen
class _Diff:
    joins: _Entries
    leaves: _Entries


class Presence:
    """The users in one channel. It is given only what belongs to the current join."""

    def __init__(self, *, max_pending: int = MAX_PENDING, drops_stale: bool = True) -> None:
        self.dropped: int = 0
        """How much was dropped: malformed payloads or users in them, and diffs too many."""
        self._drops_stale = drops_stale
        self._max_pending = max_pending
        self._entries: _Entries = {}
        self._synced_under: str | None = None
        self._pending: deque[tuple[str | None, _Diff]] = deque()

    @property
    def snapshot(self) -> Mapping[str, object]:
        """A copy of the last known set, in the shape of a `presence_state`."""
        return _copy(self._entries)

    @property
    def users(self) -> frozenset[str]:
        """The IDs of the last known set."""
        return frozenset(self._entries)

    @property
    def is_synced(self) -> bool:
        """Whether the set is that of the server, as last received."""
        return self._synced_under is not None

    @property
    def pending(self) -> int:
        """How many diffs wait for a state."""
        return len(self._pending)

    def state(self, payload: object, join_ref: str | None) -> Changes:
        """Take a `presence_state` that came under `join_ref`."""
        copied = self._copied(payload)
        if copied is None:
            return Changes()
        self._synced_under = join_ref
        steps = self._apply(_difference(self._entries, self._well_formed(copied)))
        while self._pending:
            queued_under, diff = self._pending.popleft()
            if queued_under == join_ref or not self._drops_stale:
                steps += self._apply(diff)
        return Changes(tuple(steps), synced=True)

    def diff(self, payload: object, join_ref: str | None) -> Changes:
        """Take a `presence_diff`. It carries no join_ref: give the channel's current one."""
        copied = self._copied(payload)
        if copied is None:
            return Changes()
        joins, leaves = copied.get("joins", {}), copied.get("leaves", {})
        diff = _Diff(self._well_formed(joins), self._well_formed(leaves))
        if join_ref is not None and join_ref == self._synced_under:
            return Changes(tuple(self._apply(diff)), synced=True)
        self._synced_under = None
        # The oldest, because it is the likeliest to be part of the state that is still to come.
        if len(self._pending) == self._max_pending:
            self._pending.popleft()
            self.dropped += 1
        self._pending.append((join_ref, diff))
        return Changes()

    def lost(self) -> None:
        """Note that the channel was lost: the set is out of date until the next state."""
        self._synced_under = None
        if self._drops_stale:
            self._pending.clear()

    def _copied(self, payload: object) -> dict[str, object] | None:
        """Copy a JSON object. Anything else is dropped, and so is one too deep to copy."""
        try:
            if isinstance(payload, dict):
                return _copy(cast(dict[str, object], payload))
        except (TypeError, RecursionError):
            pass
        self.dropped += 1
        return None

    def _well_formed(self, entries: object) -> _Entries:
        if not isinstance(entries, dict):
            self.dropped += 1
            return {}
        good: _Entries = {}
        for key, entry in cast(dict[str, object], entries).items():
            user = cast(Entry, entry if isinstance(entry, dict) else {})
            metas: object = user.get("metas")
            if isinstance(metas, list) and all(
                isinstance(meta, dict) and isinstance(cast(Entry, meta).get("phx_ref"), str)
                for meta in cast(list[object], metas)
            ):
                good[key] = user
            else:
                self.dropped += 1
        return good

    def _apply(self, diff: _Diff) -> list[Join | Leave]:
        steps: list[Join | Leave] = []
        for key, new in diff.joins.items():
            before = self._entries.get(key)
            kept = [] if before is None else _metas_except(before, new)
            self._entries[key] = {**new, "metas": kept + new["metas"]}
            steps.append(Join(key, _copy(before), _copy(new)))
        for key, left in diff.leaves.items():
            before = self._entries.get(key)
            if before is None:
                continue
            after: Entry = {**before, "metas": _metas_except(before, left)}
            self._entries[key] = after
            if not after["metas"]:
                del self._entries[key]
            steps.append(Leave(key, _copy(after), _copy(left)))
        return steps


def _difference(current: _Entries, new: _Entries) -> _Diff:
    """Return the difference of two sets."""
    joins: _Entries = {}
    leaves = {key: entry for key, entry in current.items() if key not in new}
    for key, entry in new.items():
        before = current.get(key)
        if before is None:
            joins[key] = entry
            continue
        if joined := _metas_except(entry, before):
            joins[key] = {**entry, "metas": joined}
        if left := _metas_except(before, entry):
            leaves[key] = {**before, "metas": left}
    return _Diff(joins, leaves)


def _metas_except(entry: Entry, other: Entry) -> list[Mapping[str, object]]:
    refs = {meta["phx_ref"] for meta in other["metas"]}
    return [meta for meta in entry["metas"] if meta["phx_ref"] not in refs]


def _copy(value: T) -> T:
    # JSON in, JSON out, several times faster than deepcopy, and no recursion of Python's.
    return cast(T, parsed(dumped(value, 0)))
