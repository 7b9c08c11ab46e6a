"""What each route does: a function of the store and of one call, inside a transaction."""

from __future__ import annotations

from poolse.sandbox.api.call import Call, Event, Eviction, Result

__all__ = ["Call", "Event", "Eviction", "Result"]
