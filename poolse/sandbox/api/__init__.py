"""What each route does: a function of the store and of one call, inside a transaction."""

from __future__ import annotations

from poolse.sandbox.api.call import Answer, Call, Event, Eviction

__all__ = ["Answer", "Call", "Event", "Eviction"]
