"""Reactions."""

from __future__ import annotations

from collections.abc import Sequence

from poolse.sandbox.store.database import Database

__all__ = ["Reactions"]

_COLUMNS = "reactions (message_id, emoji, user_id)"


class Reactions(Database):
    """A set: one for each message, emoji and user."""

    def reactions(self, message_ids: Sequence[str]) -> dict[str, dict[str, list[str]]]:
        """By message and emoji, the users who chose it, both in the order in which they did."""
        marks = ", ".join("?" * len(message_ids))
        query = f"SELECT * FROM reactions WHERE message_id IN ({marks}) ORDER BY id"  # noqa: S608
        found: dict[str, dict[str, list[str]]] = {}
        for row in self._all(query, *message_ids):
            of_message = found.setdefault(row["message_id"], {})
            of_message.setdefault(row["emoji"], []).append(row["user_id"])
        return found

    def add_reaction(self, message_id: str, emoji: str, user_id: str) -> bool:
        """Insert a reaction; False when it was there."""
        query = f"INSERT INTO {_COLUMNS} VALUES (?, ?, ?) ON CONFLICT DO NOTHING"  # noqa: S608
        return self._change(query, message_id, emoji, user_id)

    def remove_reaction(self, message_id: str, emoji: str, user_id: str) -> bool:
        """Delete a reaction; False when there was none."""
        query = "DELETE FROM reactions WHERE message_id = ? AND emoji = ? AND user_id = ?"
        return self._change(query, message_id, emoji, user_id)
