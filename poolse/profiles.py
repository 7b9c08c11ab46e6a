"""Users' names and pictures, found by a function of yours and kept for a while."""

from __future__ import annotations

from poolse._profiles.async_users import AsyncUsersResource
from poolse._profiles.resolver import AsyncResolver, Resolver, UserProfile
from poolse._profiles.users import UsersResource

__all__ = ["AsyncResolver", "AsyncUsersResource", "Resolver", "UserProfile", "UsersResource"]
