"""Untyped calls with `chat.rest`, for endpoints without a typed method."""

from __future__ import annotations

from poolse._rest.async_raw_calls import AsyncRest
from poolse._rest.raw_calls import Rest

__all__ = ["AsyncRest", "Rest"]
