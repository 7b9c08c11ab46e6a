"""Untyped calls, for endpoints that have no typed method yet: `chat.rest`."""

from __future__ import annotations

from poolse._rest.async_raw_calls import AsyncRest
from poolse._rest.raw_calls import Rest

__all__ = ["AsyncRest", "Rest"]
