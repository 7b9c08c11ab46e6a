"""What each route and each push does: a function of the store and of one call, in a transaction."""

from __future__ import annotations

from poolse.sandbox.api.call import Call, Effect, Event, Eviction, Result, Typing
from poolse.sandbox.api.push import Push, Reply

__all__ = [
    "Call",
    "Effect",
    "Event",
    "Eviction",
    "Push",
    "Reply",
    "Result",
    "Typing",
]
