"""Clients of a sandbox that do not wait: what they would have slept, its clock goes ahead."""

from __future__ import annotations

from collections.abc import Callable
from ssl import SSLContext
from typing import TYPE_CHECKING

from poolse._http.async_sender import AsyncSender
from poolse._http.sync_transport import SyncTransport
from poolse.async_client import AsyncPoolse
from poolse.cancel import CancelToken
from poolse.client import Poolse

if TYPE_CHECKING:
    from poolse.sandbox.clock import Clock
    from poolse.sandbox.control import Sandbox

__all__ = ["async_client_for", "client_for"]


def client_for(sandbox: Sandbox, external_id: str = "alice") -> Poolse:
    """A client of one user, for tests: use it in a `with`.

    It behaves like any other, but for the waits between two attempts of a call: they take no time,
    and move the clock of the sandbox instead. Waits of realtime and of `follow` are real.

    Args:
        sandbox: A running one.
        external_id: The user, by your own id; made when missing.
    """
    return _ClockedPoolse(sandbox, external_id)


def async_client_for(sandbox: Sandbox, external_id: str = "alice") -> AsyncPoolse:
    """The same for async tests: use it in an `async with`.

    Args:
        sandbox: A running one.
        external_id: The user, by your own id; made when missing.
    """
    return _AsyncClockedPoolse(sandbox, external_id)


class _ClockedSender(SyncTransport):
    clock: Clock

    async def sleep(self, seconds: float, cancel: CancelToken | None) -> None:
        await super().sleep(0.0, cancel)
        self.clock.advance(seconds)


class _AsyncClockedSender(AsyncSender):
    clock: Clock

    async def sleep(self, seconds: float, cancel: CancelToken | None) -> None:
        await super().sleep(0.0, cancel)
        self.clock.advance(seconds)


class _ClockedPoolse(Poolse):
    def __init__(self, sandbox: Sandbox, external_id: str) -> None:
        self._clock = sandbox.clock
        super().__init__(
            api_url=sandbox.url,
            get_token=_minting(sandbox, external_id),
            ssl_context=_trusting(sandbox),
        )

    def _assemble(self) -> None:
        super()._assemble()
        self._sender = sender = self._given.sender(_ClockedSender, self._lifetime)
        sender.clock = self._clock


class _AsyncClockedPoolse(AsyncPoolse):
    def __init__(self, sandbox: Sandbox, external_id: str) -> None:
        self._clock = sandbox.clock
        super().__init__(
            api_url=sandbox.url,
            get_token=_minting(sandbox, external_id),
            ssl_context=_trusting(sandbox),
        )

    def _assemble(self) -> None:
        super()._assemble()
        self._sender = sender = self._given.sender(_AsyncClockedSender, self._lifetime)
        sender.clock = self._clock


def _minting(sandbox: Sandbox, external_id: str) -> Callable[[], str]:
    return lambda: sandbox.token(external_id)


def _trusting(sandbox: Sandbox) -> SSLContext | None:
    return sandbox.ssl_context() if sandbox.url.startswith("https:") else None
