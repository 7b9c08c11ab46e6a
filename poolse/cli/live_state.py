"""Who is here, who is typing, and how the connection is."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from poolse.cli.line_views import Status, View
from poolse.cli.user_names import UserNames, name_of

if TYPE_CHECKING:
    from poolse import ConversationChannel, Poolse, TypingStart, TypingStop

__all__ = ["LiveState"]


class LiveState:
    """Tells a view of each change, in the client's thread of callbacks, until the block ends."""

    def __init__(
        self, chat: Poolse, live: ConversationChannel, people: UserNames, view: View
    ) -> None:
        self._chat = chat
        self._live = live
        self._people = people
        self._view = view
        self._typing: set[str] = set()
        self._lock = threading.Lock()
        self._over = False

    def __enter__(self) -> Self:
        live = self._live
        self._chat.realtime.on_status(self._changed)
        live.on_presence_state(self._changed)
        live.on_presence_diff(self._changed)
        live.on_typing_start(self._start)
        live.on_typing_stop(self._stop)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Waits for one that is under way: after that, the client may be closed.
        with self._lock:
            self._over = True

    def _start(self, event: TypingStart) -> None:
        self._typing.add(event.user_id)
        self._changed(event)

    def _stop(self, event: TypingStop) -> None:
        self._typing.discard(event.user_id)
        self._changed(event)

    def _changed(self, _what: object) -> None:
        with self._lock:
            if not self._over:
                self._view.status(self._status())

    def _status(self) -> Status:
        chat, present = self._chat, self._live.presence_state
        self._people.meet(chat, present)
        # Whose connection is lost does not say that he stopped.
        self._typing &= present.keys()
        return Status(chat.realtime.status, self._names(present), self._names(self._typing))

    def _names(self, user_ids: Iterable[str]) -> tuple[str, ...]:
        names = {name_of(self._chat, user_id) for user_id in user_ids}
        return tuple(sorted(names, key=str.casefold))
