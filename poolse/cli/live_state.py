"""Who is present, who is typing, and the status of the connection; names of users."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Self

from poolse.cli.line_views import Status
from poolse.cli.sanitize import one_line

if TYPE_CHECKING:
    from poolse import (
        ConversationChannel,
        Poolse,
        PoolseError,
        Presence,
        TypingStart,
        TypingStop,
        UserProfile,
    )

__all__ = ["LiveState", "UserNames", "name_of"]


class LiveState:
    """Shows each change, in the client's callback thread, until the block ends."""

    def __init__(
        self,
        chat: Poolse,
        channel: ConversationChannel,
        names: UserNames,
        show: Callable[[Status], None],
    ) -> None:
        self._chat = chat
        self._channel = channel
        self._users = names
        self._show = show
        self._typing: set[str] = set()
        self._lock = threading.Lock()
        self._reason = ""
        self._ended = False

    def __enter__(self) -> Self:
        channel = self._channel
        self._chat.realtime.on_status(self._changed)
        channel.on_presence_state(self._changed)
        channel.on_presence_diff(self._changed)
        channel.on_typing_start(self._start)
        channel.on_typing_stop(self._stop)
        return self

    def __exit__(self, *_error: object) -> None:
        # Waits for a running callback: after that, the client may be closed.
        with self._lock:
            self._ended = True

    def on_socket_error(self, error: PoolseError) -> None:
        """Show why the connection was lost, or could not be opened."""
        from poolse import ConnectionFailed

        if isinstance(error, ConnectionFailed):
            text = str(error).partition("; next attempt")[0]
            self._reason = one_line(text.removeprefix("the socket could not be opened: "))
            self._changed(error)

    def _start(self, event: TypingStart) -> None:
        self._users.learn(self._chat, event.user_id, event.external_id)
        self._typing.add(event.user_id)
        self._changed(event)

    def _stop(self, event: TypingStop) -> None:
        self._typing.discard(event.user_id)
        self._changed(event)

    def _changed(self, _event: object) -> None:
        with self._lock:
            if not self._ended:
                self._show(self._status())

    def _status(self) -> Status:
        chat, present = self._chat, self._channel.presence_state
        self._users.learn_present(chat, present)
        # A user whose connection is lost does not send that typing stopped.
        self._typing &= present.keys()
        here, typing = self._names(present), self._names(self._typing)
        return Status(chat.realtime.status, here, typing, self._reason)

    def _names(self, user_ids: Iterable[str]) -> tuple[str, ...]:
        names = {name_of(self._chat, user_id) for user_id in user_ids}
        return tuple(sorted(names, key=str.casefold))


class UserNames:
    """The resolver of `chat.users`: names of the settings, else your own IDs.

    By poolse IDs, as names may be set for these, too. Messages, typing and presence say which
    external IDs belong to them; an older server says it by presence only.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._known: dict[str, str] = {}

    def find(self, user_id: str) -> UserProfile | None:
        """Return the profile of a user."""
        from poolse import UserProfile

        known = self._known.get(user_id)
        name = self._names.get(user_id) or self._names.get(known or "") or known
        return UserProfile(name) if name else None

    def learn(self, chat: Poolse, user_id: str | None, name: str | None) -> None:
        """Remember the external ID of a user."""
        if user_id and name and self._known.get(user_id) != name:
            self._known[user_id] = name
            chat.users.invalidate(user_id)

    def learn_present(self, chat: Poolse, present: Mapping[str, Presence]) -> None:
        """Remember the external IDs of the users who are present."""
        for user_id, presence in present.items():
            self.learn(chat, user_id, presence.external_id)


def name_of(chat: Poolse, user_id: str | None) -> str:
    """Return the name of a user, else the beginning of the ID."""
    if user_id is None:
        return "system"
    profile = chat.users.get(user_id)
    return one_line((profile and profile.display_name) or user_id[:8])
