"""`user_resolver`, the function that finds users' profiles: its type and its results."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Literal

import attrs

from poolse._support.argument_checks import (
    checked_callback,
    checked_count,
    checked_text,
    checked_wait,
    named,
)
from poolse.errors import UsageError

__all__ = [
    "MAX_PROFILES",
    "AsyncResolver",
    "Known",
    "ProfileSettings",
    "Resolver",
    "UserProfile",
    "UsersBy",
    "checked_profile",
    "profile_settings",
    "resolver_deadlock",
]

MAX_PROFILES: Final = 10_000


def _text_or_none(_: object, attribute: attrs.Attribute[str | None], value: object) -> None:
    if value is not None:
        checked_text(attribute.name, value)


@attrs.frozen
class UserProfile:
    """Name and avatar of a user, as returned by a `user_resolver`."""

    display_name: str | None = attrs.field(default=None, validator=_text_or_none)
    """Display name."""
    avatar_url: str | None = attrs.field(default=None, validator=_text_or_none)
    """URL of the avatar."""


Resolver = Callable[[str], UserProfile | None]
"""Type of `user_resolver`: returns the profile for a user ID, or None. `users_by` says which ID."""

AsyncResolver = Callable[[str], UserProfile | None | Awaitable[UserProfile | None]]
"""Type of `user_resolver` of an async client: sync or async."""

UsersBy = Literal["user_id", "external_id"]
"""Type of `users_by`: the ID that profiles are keyed by."""

KINDS: Final[Mapping[str, str]] = {"user_id": "user", "external_id": "user.external_id"}
"""What each of these IDs is called in `__ids__` and `__refs__` of the models."""

Known = UserProfile | None
"""A profile; None for a user without one."""


@attrs.frozen(eq=False, repr=False)
class ProfileSettings:
    """Arguments of a client's constructor for profiles."""

    resolver: Callable[[str], object] | None
    """The `user_resolver`."""
    size: int
    """Maximum number of cached profiles."""
    ttl: float | None
    """Seconds to cache a profile; None for no expiry."""
    kind: str = "user"
    """The ID that they are keyed by, one of `KINDS`."""


def profile_settings(
    resolver: Callable[[str], object] | None,
    size: int,
    ttl: float | None,
    users_by: str = "user_id",
    *,
    asynchronous: bool,
) -> ProfileSettings:
    """Check the arguments."""
    if resolver is not None:
        checked_callback("user_resolver", resolver, awaits=asynchronous)
    ttl = checked_wait("user_cache_ttl", ttl)
    if users_by not in KINDS:
        raise UsageError(f"users_by must be {' or '.join(map(repr, KINDS))}, not {users_by!r}")
    size = checked_count("user_cache_size", size, 1)
    return ProfileSettings(resolver, size, ttl, KINDS[users_by])


def checked_profile(result: object) -> UserProfile | None:
    """Return the result of a `user_resolver`, if it is a profile."""
    if result is None or isinstance(result, UserProfile):
        return result
    hint = "; an async user_resolver needs AsyncPoolse" if named(result) == "coroutine" else ""
    raise UsageError(f"user_resolver must return a UserProfile or None, not {named(result)}{hint}")


def resolver_deadlock() -> UsageError:
    """Return the error of a resolver that waits for its own result, which would never come."""
    return UsageError(
        "user_resolver must not request, directly or through another user, the profile that it is "
        "called for"
    )
