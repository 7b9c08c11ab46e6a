"""The profiles of a sync client: one call of the resolver, shared by all threads that wait."""

from __future__ import annotations

from collections.abc import Sequence

from poolse._auth.sync_single_flight import SyncFlight
from poolse._profiles.profile_loader import Profiles
from poolse._profiles.resolver import Known, ProfileSettings
from poolse._rest.request_io import Lifetime

__all__ = ["SyncProfiles"]


class SyncProfiles(Profiles):
    """Calls the resolver, in the thread that first asks for a user."""

    def __init__(self, settings: ProfileSettings, lifetime: Lifetime) -> None:
        super().__init__(settings, lambda: SyncFlight[Known](lifetime))

    async def get_many(self, user_ids: Sequence[str]) -> dict[str, Known]:
        return {user_id: await self.get(user_id) for user_id in user_ids}
