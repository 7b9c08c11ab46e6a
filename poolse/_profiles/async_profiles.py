"""The profiles of an async client: one call of the resolver, shared by all tasks that wait."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final

from poolse._auth.async_single_flight import AsyncFlight, Tasks
from poolse._profiles.profile_loader import Profiles
from poolse._profiles.resolver import Known, ProfileSettings
from poolse._rest.request_io import Lifetime

__all__ = ["AsyncProfiles"]

AT_ONCE: Final = 8
"""How many users `get_many` waits for at a time."""


class AsyncProfiles(Profiles):
    """Calls the resolver, a plain or an async function, in a task of its own for each user."""

    def __init__(self, settings: ProfileSettings, lifetime: Lifetime) -> None:
        self._tasks = Tasks(lifetime)
        super().__init__(settings, lambda: AsyncFlight[Known](self._tasks, "poolse-profile"))

    async def get_many(self, user_ids: Sequence[str]) -> dict[str, Known]:
        # Filled in any order, but in that of the ids to look at.
        found: dict[str, Known] = dict.fromkeys(user_ids)
        todo = iter([*found])
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(AT_ONCE, len(found))):
                    group.create_task(self._get_each(todo, found), name="poolse-profiles")
        except ExceptionGroup as failed:
            # Those that go wrong all go wrong in the same way.
            raise failed.exceptions[0] from None
        return found

    async def aclose(self) -> None:
        """End the calls that are under way."""
        await self._tasks.aclose()

    async def _get_each(self, user_ids: Iterator[str], found: dict[str, Known]) -> None:
        for user_id in user_ids:
            found[user_id] = await self.get(user_id)
