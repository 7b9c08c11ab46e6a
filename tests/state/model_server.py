"""A backend with one conversation, in memory: what REST returns, and what the channel sends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from poolse import (
    MemberRead,
    Membership,
    Message,
    MessageDeleted,
    MessageNew,
    MessageUpdated,
    ReactionAdded,
    ReactionRemoved,
    TypingStart,
    from_dict,
)

__all__ = ["ID", "START", "ModelServer", "Refused"]

ID = "c"
START = datetime(2026, 6, 1, tzinfo=UTC)


class Refused(Exception):  # noqa: N818
    """The server does not do that."""


class ModelServer:
    """The rows of one conversation, and who listens to it."""

    def __init__(
        self, users: tuple[str, ...], *, cap: int = 100, echoes_reads: bool = True
    ) -> None:
        self.users = users
        self.cap = cap
        """The server sends no more rows than this, whatever it is asked for."""
        self.echoes_reads = echoes_reads
        """Whether a user hears of marks of their own."""
        self.listeners: dict[str, list[Callable[[Any], None]]] = {user: [] for user in users}
        self._rows: dict[str, dict[str, Any]] = {}
        self._members: dict[str, dict[str, Any]] = {user: self._member(user) for user in users}
        self._ticks = 0

    # What users do. Each method returns what REST does.

    def send(self, user: str, id: str, body: str, root_id: str | None = None) -> Message:
        if id not in self._rows:
            now = self._now()
            self._rows[id] = {
                "id": id,
                "tenant_id": "t",
                "conversation_id": ID,
                "sender_id": user,
                "sender_external_id": user,
                "type": "text",
                "body": body,
                "reply_to_id": root_id,
                "thread_root_id": root_id,
                "mentions": [],
                "reactions": {},
                "edited_at": None,
                "deleted_at": None,
                "sequence": len(self._rows) + 1,
                "inserted_at": now,
                "updated_at": now,
            }
            self._broadcast(self._event(id, MessageNew))
        return self.row(id)

    def edit(self, user: str, id: str, body: str) -> Message:
        row = self._rows[id]
        if row["sender_id"] != user or row["deleted_at"]:
            raise Refused
        now = self._now()
        row |= {"body": body, "edited_at": now, "updated_at": now}
        self._broadcast(self._event(id, MessageUpdated))
        return self.row(id)

    def delete(self, user: str, id: str) -> None:
        row = self._rows[id]
        if row["sender_id"] != user:
            raise Refused
        if not row["deleted_at"]:
            now = self._now()
            # Two columns, written one after the other.
            row |= {"body": None, "deleted_at": now, "updated_at": self._now()}
            event = {"id": id, "conversation_id": ID, "deleted_at": now}
            self._broadcast(from_dict(event, MessageDeleted))

    def react(self, user: str, id: str, emoji: str) -> Message:
        row = self._rows[id]
        if row["deleted_at"]:
            raise Refused
        users: list[str] = row["reactions"].setdefault(emoji, [])
        if user not in users:
            users.append(user)
            self._broadcast(self._reaction(ReactionAdded, id, emoji, user))
        return self.row(id)

    def unreact(self, user: str, id: str, emoji: str) -> Message:
        row = self._rows[id]
        if row["deleted_at"]:
            raise Refused
        users: list[str] = row["reactions"].get(emoji, [])
        if user in users:
            users.remove(user)
            if not users:
                del row["reactions"][emoji]
            self._broadcast(self._reaction(ReactionRemoved, id, emoji, user))
        return self.row(id)

    def mark_read(self, user: str, id: str) -> None:
        """Move a mark forward; never back."""
        member, sequence = self._members[user], self._rows[id]["sequence"]
        if sequence > (member["last_read_sequence"] or 0):
            now = self._now()
            member |= {"last_read_message_id": id, "last_read_at": now}
            member |= {"last_read_sequence": sequence, "updated_at": now}
            names = ("user_id", "conversation_id", "last_read_message_id", "last_read_at")
            event = from_dict({name: member[name] for name in names}, MemberRead)
            self._broadcast(event, but=None if self.echoes_reads else user)

    def start_typing(self, user: str) -> None:
        event = {"user_id": user, "external_id": user}
        self._broadcast(from_dict(event, TypingStart), but=user)

    # What REST reads.

    def row(self, id: str) -> Message:
        return from_dict(self._as_read(self._rows[id]), Message)

    def page(self, before: int | None, limit: int) -> list[Message]:
        """Return messages outside of threads, newest first."""
        return [*self._page(before, min(limit, self.cap))]

    def replies(self, root_id: str) -> list[Message]:
        ids = [id for id, row in self._rows.items() if row["thread_root_id"] == root_id]
        return [self.row(id) for id in ids]

    def members(self) -> list[Membership]:
        return [from_dict(dict(member), Membership) for member in self._members.values()]

    @property
    def ids(self) -> list[str]:
        """IDs of all messages, oldest first."""
        return [*self._rows]

    @property
    def roots(self) -> list[str]:
        """IDs of the messages outside of threads, oldest first."""
        return [id for id, row in self._rows.items() if row["thread_root_id"] is None]

    def _page(self, before: int | None, limit: int) -> Iterator[Message]:
        for row in reversed([*self._rows.values()]):
            if row["thread_root_id"] is None and (before is None or row["sequence"] < before):
                if not limit:
                    return
                limit -= 1
                yield from_dict(self._as_read(row), Message)

    def _as_read(self, row: dict[str, Any]) -> dict[str, Any]:
        replies = [r for r in self._rows.values() if r["thread_root_id"] == row["id"]]
        count = sum(r["deleted_at"] is None for r in replies)
        return {**row, "reactions": self._reactions(row), "reply_count": count}

    def _reactions(self, row: dict[str, Any]) -> dict[str, list[str]]:
        return {emoji: [*users] for emoji, users in row["reactions"].items()}

    def _event(self, id: str, kind: type[Any]) -> Any:
        row = self._rows[id]
        return from_dict({**row, "reactions": self._reactions(row), "reply_count": 0}, kind)

    def _reaction(self, kind: type[Any], id: str, emoji: str, user: str) -> Any:
        event = {"message_id": id, "conversation_id": ID, "emoji": emoji, "user_id": user}
        return from_dict(event, kind)

    def _broadcast(self, event: Any, *, but: str | None = None) -> None:
        for user, listeners in self.listeners.items():
            for listener in listeners:
                if user != but:
                    listener(event)

    def _member(self, user: str) -> dict[str, Any]:
        return {
            "id": f"member-{user}",
            "conversation_id": ID,
            "user_id": user,
            "external_id": user,
            "role": "member",
            "last_read_message_id": None,
            "last_read_at": None,
            "last_read_sequence": None,
            "inserted_at": START.isoformat(),
            "updated_at": START.isoformat(),
        }

    def _now(self) -> str:
        self._ticks += 1
        return self.time.isoformat()

    @property
    def time(self) -> datetime:
        """The clock, on which no two changes are at the same time."""
        return START + timedelta(milliseconds=self._ticks)
