"""The token of a sync client: one fetch at a time, shared by all threads that wait for it."""

from __future__ import annotations

from collections.abc import Callable

from poolse._auth.sync_single_flight import SyncFlight
from poolse._auth.tokens import FetchedTokens
from poolse._rest.request_io import Lifetime

__all__ = ["SyncTokens"]


class SyncTokens(FetchedTokens):
    """Calls `fetch`, in the thread that first needs a token."""

    def __init__(self, fetch: Callable[[], object], lifetime: Lifetime | None = None) -> None:
        alive = lifetime or Lifetime()
        super().__init__(fetch, lambda: SyncFlight[str | None](alive))
