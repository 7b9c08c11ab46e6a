# Printed from poolse/_client/async_realtime.py by "make generate". Do not edit.
"""`chat.realtime`: the channels of the API, and what is built on several of their events."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from poolse._auth.token_cache import subject
from poolse._generated.channels import RealtimeChannels
from poolse._realtime.settings import RealtimeSettings
from poolse._realtime.sync_driver import GetToken
from poolse._support.argument_checks import checked_seconds
from poolse._support.id_arguments import checked_id
from poolse.errors import PoolseError, UsageError

if TYPE_CHECKING:
    from uuid import UUID

    from poolse._calls.calls import Calls
    from poolse._generated.channels import UserChannel
    from poolse._generated.models import Conversation, Me, Membership, User
    from poolse._generated.resources import ConversationHandle
    from poolse._voice.room import VoiceRoom

__all__ = ["PoolseRealtime"]


class PoolseRealtime(RealtimeChannels):
    """Realtime events, typing indicators and presence: the sockets of a client."""

    def __init__(
        self,
        settings: RealtimeSettings,
        token: GetToken,
        on_error: Callable[[PoolseError], object] | None = None,
    ) -> None:
        super().__init__(settings, token, on_error)
        self._token = token
        self._calls: Calls | None = None
        self._rooms: dict[str, VoiceRoom] = {}

    def me(self) -> UserChannel:
        """Return the channel of the signed-in user, like `user` with the subject of the token.

        Calls `get_token`, unless a valid token is cached. New in 0.5.

        Raises:
            UsageError: The token does not name its user: pass the ID to `user`.

        Example:
            >>> own = chat.realtime.me()
            >>> off = own.on_mention(print)
        """
        user_id = subject(self._token(None))
        if user_id is None:
            raise UsageError("the token does not name its user: pass the ID to user()")
        return self.user(user_id)

    def calls(
        self,
        user_id: str | UUID | Me | User | Membership | None = None,
        *,
        ring_timeout: float = 45.0,
        auto_busy: bool = True,
    ) -> Calls:
        """Return the calls of the signed-in user: signalling, without audio and video.

        The same object is returned until it is left, so that its arguments are those of the first
        call.

        New in 0.4.

        Args:
            user_id: The poolse ID of the signed-in user. Default: the subject of the token.
            ring_timeout: Seconds until an unanswered call is missed.
            auto_busy: Whether to answer a call that comes during another one with `busy`.

        Example:
            >>> with chat.realtime.calls() as calls:
            ...     call = calls.invite(conversation_id)
            ...     print(call.wait_answered())
        """
        # Imported lazily: few programs make calls.
        from poolse._calls.call_states import CallRegistry
        from poolse._calls.calls import Calls

        with self._client.lock:
            self._client.check_open()
            if self._calls is None or self._calls.is_left:
                ring_time = checked_seconds("ring_timeout", ring_timeout)
                registry = CallRegistry(ring_time=ring_time, auto_busy=auto_busy)
                if user_id is not None:
                    registry.user_id = checked_id("user_id", user_id, "user")
                self._calls = Calls(self._client, self._token, registry)
            return self._calls

    def voice(self, conversation_id: str | UUID | Conversation | ConversationHandle) -> VoiceRoom:
        """Return the voice room of a conversation: signalling, without audio.

        The same ID returns the same object. Does not join it.

        New in 0.4.

        Args:
            conversation_id: ID of the conversation.

        Example:
            >>> with chat.realtime.voice(conversation_id) as room:
            ...     print(*room.participants)
        """
        # Imported lazily: few programs use voice rooms.
        from poolse._voice.room import VoiceRoom

        room_id = checked_id("conversation_id", conversation_id, "conversation")
        with self._client.lock:
            self._client.check_open()
            if room_id not in self._rooms:
                self._rooms[room_id] = VoiceRoom(self._client, self._token, room_id)
            return self._rooms[room_id]

    def disconnect(self) -> None:
        """Leave all voice rooms, and close the sockets until `connect` rejoins the channels."""
        with self._client.lock:
            for room in self._rooms.values():
                room._leave_at_once()  # pyright: ignore[reportPrivateUsage]
        super().disconnect()

    def close(self) -> None:
        """End all calls, leave all channels and close all sockets permanently.

        Calling it again has no effect. All threads and tasks have ended when it returns, unless a
        callback or `get_token` takes longer than a few seconds. May be called from a callback.
        """
        if self._calls is not None and self._is_running:
            self._calls.leave()
        super().close()
