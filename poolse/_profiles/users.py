# Printed from poolse/_profiles/async_users.py by "make generate". Do not edit.
"""`chat.users`: users' profiles from a `user_resolver`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from poolse._profiles.profile_loader import Profiles
from poolse._profiles.resolver import UserProfile
from poolse._rest.request_io import Lifetime, run_sync
from poolse._support.id_arguments import referenced_id, referenced_ids
from poolse.types import Unset

if TYPE_CHECKING:
    from uuid import UUID

    from poolse._generated.events import UserLike

__all__ = ["UsersResource"]


class UsersResource:
    """Users' profiles from your `user_resolver`, cached.

    The client's `user_cache_size` and `user_cache_ttl` limit the cache, which all views of the
    client share. Profiles are never sent to or received from the poolse backend.

    The client's `users_by` says which ID the profiles are keyed by: the poolse ID of a user, or
    your own ID. A str or `uuid.UUID` is taken for that ID. An object that refers to a user, such as
    a `Message`, a `Membership` or an event, can be passed with either. If it does not have that ID,
    as a system message or an object from a server that sends no external IDs, it refers to no user:
    the resolver is not called.
    """

    def __init__(self, profiles: Profiles, lifetime: Lifetime, kind: str) -> None:
        self._profiles = profiles
        self._lifetime = lifetime
        self._kind = kind

    def get(self, user_id: str | UUID | UserLike) -> UserProfile | None:
        """Return the profile of a user, from the cache or the resolver.

        Concurrent calls for the same user share one call of the resolver. If the resolver raises or
        returns anything but a profile, the error is logged once, and the user has no profile until
        invalidated.

        Args:
            user_id: The ID of the user, or an object that refers to the user.

        Returns:
            The profile; None for a user without one, and for an object that refers to no user.

        Raises:
            UsageError: The client has no `user_resolver` or is closed, or the resolver requests the
                profile that it is to return.

        Example:
            >>> profile = chat.users.get(user_id)
        """
        self._lifetime.raise_if_cancelled()
        key = referenced_id("user_id", user_id, self._kind)
        if key is None:
            return None
        profile = self._profiles.get(key)
        return run_sync(profile)

    def get_many(self, user_ids: Iterable[str | UUID | UserLike]) -> dict[str, UserProfile | None]:
        """Return the profiles of several users. Async clients resolve up to 8 concurrently.

        Args:
            user_ids: The IDs of the users, or objects that refer to users. Duplicates are resolved
                once.

        Returns:
            Profiles by user ID, in the given order; None for a user without a profile. Objects that
            refer to no user are left out.

        Raises:
            UsageError: See `get`.

        Example:
            >>> profiles = chat.users.get_many(message.mentions)
        """
        self._lifetime.raise_if_cancelled()
        ids = referenced_ids("user_ids", user_ids, self._kind)
        return {user_id: run_sync(self._profiles.get(user_id)) for user_id in ids}

    def peek(self, user_id: str | UUID | UserLike) -> UserProfile | None | Unset:
        """Return the cached profile of a user. Never waits, and never calls the resolver.

        Args:
            user_id: The ID of the user, or an object that refers to the user.

        Returns:
            The profile. None if the resolver found none, or failed, and for an object that refers
            to no user. UNSET if the profile is not in the cache.

        Example:
            >>> profile = chat.users.peek(user_id)
        """
        key = referenced_id("user_id", user_id, self._kind)
        return None if key is None else self._profiles.peek(key)

    def subscribe(
        self,
        user_id: str | UUID | UserLike,
        listener: Callable[[UserProfile | None | Unset], object],
    ) -> Callable[[], None]:
        """Add a listener for changes of a user's cached profile.

        It is called with the profile, or None, each time the resolver has returned one, even an
        equal one; and with UNSET if the user is invalidated, so that it can fetch the profile
        again. It is not called if a profile expires or is evicted.

        Changes are reported one at a time and in order, in the thread of one of their causes.
        Exceptions of a listener are logged and have no other effect.

        Args:
            user_id: The ID of the user, or an object that refers to the user.
            listener: Called with the new value. Must not be async.

        Returns:
            A function that removes the listener.

        Example:
            >>> off = chat.users.subscribe(user_id, print)
        """
        key = referenced_id("user_id", user_id, self._kind)
        return self._profiles.subscribe(key, listener)

    def invalidate(self, user_id: str | UUID | UserLike) -> None:
        """Remove a user's profile from the cache, so that the next `get` calls the resolver.

        The result of a resolver call in progress is returned to its callers, but not cached.

        Args:
            user_id: The ID of the user, or an object that refers to the user.

        Example:
            >>> chat.users.invalidate(user_id)
        """
        key = referenced_id("user_id", user_id, self._kind)
        if key is not None:
            self._profiles.invalidate(key)

    def invalidate_all(self) -> None:
        """Remove all profiles from the cache, for example after a sign-out.

        Example:
            >>> chat.users.invalidate_all()
        """
        self._profiles.invalidate_all()
