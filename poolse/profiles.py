"""Names and avatars of users, from your `user_resolver`, cached."""

from __future__ import annotations

from poolse._profiles.async_users import AsyncUsersResource
from poolse._profiles.resolver import AsyncResolver, Resolver, UserProfile, UsersBy
from poolse._profiles.users import UsersResource

__all__ = [
    "AsyncResolver",
    "AsyncUsersResource",
    "Resolver",
    "UserProfile",
    "UsersBy",
    "UsersResource",
]
