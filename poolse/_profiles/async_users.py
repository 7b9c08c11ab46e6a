"""`chat.users`: the profiles that a `user_resolver` finds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final

from poolse._profiles.profile_loader import Profiles
from poolse._profiles.resolver import UserProfile
from poolse._rest.request_io import Lifetime

# sync: from poolse._rest.request_io import run_sync
from poolse._support.ids import checked_id, checked_ids
from poolse.types import Unset

if TYPE_CHECKING:
    from uuid import UUID

    from poolse._generated.models import Me, Membership, User

__all__ = ["AsyncUsersResource"]

# async only
AT_ONCE: Final = 8
# async only
"""How many users `get_many` waits for at a time."""


class AsyncUsersResource:
    """The profiles that your `user_resolver` finds, each asked for once and kept for a while.

    The client's `user_cache_size` and `user_cache_ttl` say how many, and for how long. All views of
    a client share them. No profile is sent to or comes from the poolse backend.
    """

    def __init__(self, profiles: Profiles, lifetime: Lifetime) -> None:
        self._profiles = profiles
        self._lifetime = lifetime

    async def get(self, user_id: str | UUID | User | Me | Membership) -> UserProfile | None:
        """The profile of a user: what is known, else what the resolver finds now.

        All who ask for the same user at the same time share one call of the resolver. When it
        raises, or returns something else than a profile, that is logged once, and the user counts
        as one without a profile until invalidated.

        Args:
            user_id: The poolse ID of the user, a str or `uuid.UUID`, or an object that has it.

        Returns:
            The profile, None for a user without one.

        Raises:
            UsageError: There is no `user_resolver`, it asks for what it is to find, or the client
                is closed.

        Example:
            >>> profile = await chat.users.get(user_id)
        """
        self._lifetime.raise_if_cancelled()
        profile = self._profiles.get(checked_id("user_id", user_id, "user"))
        return await profile  # sync: return run_sync(profile)

    async def get_many(
        self, user_ids: Iterable[str | UUID | User | Me | Membership]
    ) -> dict[str, UserProfile | None]:
        """The profiles of several users. In the async client, up to 8 are asked for at a time.

        Args:
            user_ids: The poolse IDs of the users, or objects that have them. One that comes twice
                is asked for once.

        Returns:
            The profile of each, None for one without, in the order given.

        Raises:
            UsageError: As for `get`.

        Example:
            >>> profiles = await chat.users.get_many(message.mentions)
        """
        self._lifetime.raise_if_cancelled()
        ids = checked_ids("user_ids", user_ids, "user")
        # sync: return {user_id: run_sync(self._profiles.get(user_id)) for user_id in ids}
        # async only
        return await _get_many(self._profiles, ids)

    def peek(self, user_id: str | UUID | User | Me | Membership) -> UserProfile | None | Unset:
        """What is known of a user's profile. Never waits, and asks nobody.

        Args:
            user_id: The poolse ID of the user, a str or `uuid.UUID`, or an object that has it.

        Returns:
            The profile. None when the resolver found none, or failed. UNSET when it was not asked
            yet, its answer is too old or was pushed out by others, or there is no resolver.

        Example:
            >>> profile = chat.users.peek(user_id)
        """
        return self._profiles.peek(checked_id("user_id", user_id, "user"))

    def subscribe(
        self,
        user_id: str | UUID | User | Me | Membership,
        listener: Callable[[UserProfile | None | Unset], object],
    ) -> Callable[[], None]:
        """Let a function be called whenever what is known of a user's profile changes.

        That is when an answer of the resolver comes in, also if it is the same as before: the
        function gets the profile, or None. And when the user is invalidated: it gets UNSET, so that
        it can ask again. Nobody is told of an answer that grows too old or is pushed out by others.

        Changes are told one at a time and in their order, in the thread of one of those that make
        them. A function that raises is logged, and stops nothing.

        Args:
            user_id: The poolse ID of the user, a str or `uuid.UUID`, or an object that has it.
            listener: Called with the new value. Not an async function.

        Returns:
            A function that takes the listener back.

        Example:
            >>> off = chat.users.subscribe(user_id, print)
        """
        return self._profiles.subscribe(checked_id("user_id", user_id, "user"), listener)

    def invalidate(self, user_id: str | UUID | User | Me | Membership) -> None:
        """Forget a user's profile, because it changed. The next `get` asks the resolver again.

        An answer that is on its way is given to those who asked before, and not kept.

        Args:
            user_id: The poolse ID of the user, a str or `uuid.UUID`, or an object that has it.

        Example:
            >>> chat.users.invalidate(user_id)
        """
        self._profiles.invalidate(checked_id("user_id", user_id, "user"))

    def invalidate_all(self) -> None:
        """Forget all profiles, as when somebody signs out.

        Example:
            >>> chat.users.invalidate_all()
        """
        self._profiles.invalidate_all()


# async only
async def _get_many(profiles: Profiles, user_ids: Iterable[str]) -> dict[str, UserProfile | None]:
    # Filled in any order, but in that of the IDs to look at.
    results: dict[str, UserProfile | None] = dict.fromkeys(user_ids)
    todo = iter([*results])

    async def get_each(user_ids: Iterator[str]) -> None:
        for user_id in user_ids:
            results[user_id] = await profiles.get(user_id)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(AT_ONCE, len(results))):
                group.create_task(get_each(todo), name="poolse-profiles")
    except ExceptionGroup as failed:
        # Those that go wrong all go wrong in the same way.
        raise failed.exceptions[0] from None
    return results
