"""Who is in which voice room. Kept in memory: a user leaves it with the socket."""

from __future__ import annotations

from dataclasses import dataclass

from poolse.sandbox.strict_json import Json, JsonObject

__all__ = ["VoiceConnection", "VoiceRooms"]


@dataclass
class VoiceConnection:
    """One socket of a user that has entered a room."""

    user_id: str
    muted: bool
    speaking: bool
    joined_at: int
    """In milliseconds since 1970."""

    def meta(self) -> JsonObject:
        """Return what `voice:presence_state` says about it."""
        return {
            "user_id": self.user_id,
            "mute_state": self.muted,
            "speaking_state": self.speaking,
            "joined_at": self.joined_at,
        }


class VoiceRooms:
    """All rooms by their topics, and who is in them by socket."""

    def __init__(self) -> None:
        self._rooms: dict[str, dict[object, VoiceConnection]] = {}

    def enter(self, topic: str, session: object, connection: VoiceConnection) -> None:
        """Add a socket to a room; a second time, its state is replaced."""
        self._rooms.setdefault(topic, {})[session] = connection

    def get(self, topic: str, session: object) -> VoiceConnection | None:
        """Return what is known about a socket in a room; None if it has not entered."""
        return self._rooms.get(topic, {}).get(session)

    def leave(self, topic: str, session: object) -> VoiceConnection | None:
        """Remove a socket from a room; return None if it was not there."""
        room = self._rooms.get(topic, {})
        connection = room.pop(session, None)
        if not room:
            self._rooms.pop(topic, None)
        return connection

    def is_in(self, topic: str, user_id: str) -> bool:
        """Return whether a user is in a room with any socket."""
        room = self._rooms.get(topic, {})
        return any(connection.user_id == user_id for connection in room.values())

    def presence_state(self, topic: str) -> JsonObject:
        """Return the payload of `voice:presence_state`: every user with all connections."""
        metas: dict[str, list[Json]] = {}
        for connection in self._rooms.get(topic, {}).values():
            metas.setdefault(connection.user_id, []).append(connection.meta())
        return {user_id: {"metas": of_user} for user_id, of_user in metas.items()}
