"""Who is who, as far as the command can know: the API has no list of users to look in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from poolse.cli.sanitize import one_line

if TYPE_CHECKING:
    from poolse import Poolse, Presence, UserProfile

__all__ = ["UserNames", "name_of"]


class UserNames:
    """What `chat.users` asks: your own names, then your own ids, which presence tells."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._heard: dict[str, str] = {}

    def find(self, user_id: str) -> UserProfile | None:
        """The profile of a user."""
        from poolse import UserProfile

        heard = self._heard.get(user_id)
        name = self._names.get(user_id) or self._names.get(heard or "") or heard
        return UserProfile(name) if name else None

    def hear(self, chat: Poolse, user_id: str, name: str | None) -> None:
        """Somebody's own word for a user."""
        if name and self._heard.get(user_id) != name:
            self._heard[user_id] = name
            chat.users.invalidate(user_id)

    def meet(self, chat: Poolse, present: Mapping[str, Presence]) -> None:
        """These are here."""
        for user_id, presence in present.items():
            for meta in presence.metas:
                self.hear(chat, user_id, meta.external_id)


def name_of(chat: Poolse, user_id: str | None) -> str:
    """What to call a user: his name, else the beginning of his id."""
    if user_id is None:
        return "system"
    profile = chat.users.get(user_id)
    return one_line((profile and profile.display_name) or user_id[:8])
