"""What all sync clients have in common: calls, and their end."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

import httpx

from poolse._auth.sync_tokens import SyncTokens
from poolse._client.base import ClientBase
from poolse._http.sync_transport import SyncTransport
from poolse._rest.calls import Calls

if TYPE_CHECKING:
    from poolse.stats import PoolStats

__all__ = ["SyncClientBase"]


class SyncClientBase(ClientBase[httpx.Client]):
    """What the sync clients have in common."""

    _asynchronous = False

    def _assemble(self) -> None:
        self._sender = self._given.sender(SyncTransport, self._lifetime)
        self._tokens = self._given.tokens(SyncTokens, self._lifetime)

    def _calls(self) -> Calls:
        return Calls(self._hands(self._sender, self._tokens), self._settings)

    def _pool_stats(self) -> PoolStats | None:
        return self._sender.pool()

    def close(self) -> None:
        """End what is under way and close all connections. Calling it again does nothing."""
        if not self._owner:
            return
        # No early return for a closed client: closing again ends what an interrupted one left.
        self._lifetime.close()
        try:
            self._close_realtime()
        finally:
            self._sender.close()

    def _close_realtime(self) -> None:
        """Most clients have none."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
