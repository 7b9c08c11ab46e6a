"""The caller's own function that finds users' profiles: what it is, and what it may return."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

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
    "FAILED",
    "MAX_PROFILES",
    "AsyncResolver",
    "Known",
    "ProfileSettings",
    "Resolver",
    "UserProfile",
    "asked_itself",
    "checked_profile",
    "no_resolver",
    "profile_settings",
]

MAX_PROFILES: Final = 10_000

FAILED: Final = "user_resolver failed for user %r, who has no profile until invalidated"
"""What to log of a resolver's error."""


def _text_or_none(_: object, attribute: attrs.Attribute[str | None], value: object) -> None:
    if value is not None:
        checked_text(attribute.name, value)


@attrs.frozen
class UserProfile:
    """How to show a user: what a `user_resolver` returns."""

    display_name: str | None = attrs.field(default=None, validator=_text_or_none)
    """Name to show."""
    avatar_url: str | None = attrs.field(default=None, validator=_text_or_none)
    """URL of a picture."""


Resolver = Callable[[str], UserProfile | None]
"""A `user_resolver`: what finds the profile of a user, by their poolse id."""

AsyncResolver = Callable[[str], UserProfile | None | Awaitable[UserProfile | None]]
"""The same for an async client, where it may be async."""

Known = UserProfile | None
"""What is known of a user: None for one without a profile."""


@attrs.frozen(eq=False, repr=False)
class ProfileSettings:
    """What a client was told of profiles at construction."""

    resolver: Callable[[str], object] | None
    """Finds a profile."""
    size: int
    """How many answers to keep."""
    ttl: float | None
    """For how many seconds to keep each; None for as long as there is room."""


def profile_settings(
    resolver: Callable[[str], object] | None, size: int, ttl: float | None, *, asynchronous: bool
) -> ProfileSettings:
    """The settings, if they can work."""
    if resolver is not None:
        checked_callback("user_resolver", resolver, awaits=asynchronous)
    ttl = checked_wait("user_cache_ttl", ttl)
    return ProfileSettings(resolver, checked_count("user_cache_size", size, 1), ttl)


def checked_profile(found: object) -> UserProfile | None:
    """What the caller's `user_resolver` returned, if that is a profile."""
    if found is None or isinstance(found, UserProfile):
        return found
    hint = "; an async user_resolver needs AsyncPoolse" if named(found) == "coroutine" else ""
    raise UsageError(f"user_resolver must return a UserProfile or None, not {named(found)}{hint}")


def no_resolver() -> UsageError:
    """What to raise when a profile is wanted and nobody can find it."""
    return UsageError("there is nobody to ask for profiles: give the client a user_resolver=")


def asked_itself() -> UsageError:
    """What to raise when a resolver waits for its own result, which would never come."""
    return UsageError(
        "user_resolver must not ask chat.users, itself or by way of another user, for the profile "
        "that it has been asked for"
    )
