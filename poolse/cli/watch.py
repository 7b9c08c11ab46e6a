"""Who is here, who is typing, and how the connection is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from poolse.cli.people import People, name_of
from poolse.cli.views import Status, View

if TYPE_CHECKING:
    from poolse import ConversationChannel, Poolse, TypingStart, TypingStop

__all__ = ["Watch"]


class Watch:
    """Tells a view of each change. All of it runs in the one thread of the client's callbacks."""

    def __init__(self, chat: Poolse, live: ConversationChannel, people: People, view: View) -> None:
        self._chat = chat
        self._live = live
        self._people = people
        self._view = view
        self._typing: set[str] = set()
        chat.realtime.on_status(self._changed)
        live.on_presence_state(self._changed)
        live.on_presence_diff(self._changed)
        live.on_typing_start(self._start)
        live.on_typing_stop(self._stop)

    def _start(self, event: TypingStart) -> None:
        self._typing.add(event.user_id)
        self._changed(event)

    def _stop(self, event: TypingStop) -> None:
        self._typing.discard(event.user_id)
        self._changed(event)

    def _changed(self, _what: object) -> None:
        chat, present = self._chat, self._live.presence_state
        self._people.meet(chat, present)
        # Whose connection is lost does not say that he stopped.
        self._typing &= present.keys()
        here, typing = (
            tuple(sorted({name_of(chat, user) for user in users}, key=str.casefold))
            for users in (present, self._typing)
        )
        self._view.status(Status(chat.realtime.status, here, typing))
