"""Clients of a sandbox whose retries do not wait: the clock of the sandbox advances instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from poolse.async_client import AsyncPoolse
from poolse.cancel import CancelToken
from poolse.client import Poolse

if TYPE_CHECKING:
    from poolse.sandbox.control import Sandbox

__all__ = ["async_client_for", "client_for"]

Client = TypeVar("Client", Poolse, AsyncPoolse)


def client_for(sandbox: Sandbox, external_id: str = "alice") -> Poolse:
    """Return a client of one user, for tests. Use it as a context manager.

    It behaves like any other client, except that waits before retries take no time and advance the
    clock of the sandbox instead. Waits of realtime and of `follow` are real.

    Args:
        sandbox: A running sandbox.
        external_id: Your own ID for the user, who is created if missing.
    """
    return _client_of(Poolse, sandbox, external_id)


def async_client_for(sandbox: Sandbox, external_id: str = "alice") -> AsyncPoolse:
    """Return an async client of one user, for tests. Use it as an async context manager.

    It behaves like any other client, except that waits before retries take no time and advance the
    clock of the sandbox instead. Waits of realtime and of `follow` are real.

    Args:
        sandbox: A running sandbox.
        external_id: Your own ID for the user, who is created if missing.
    """
    return _client_of(AsyncPoolse, sandbox, external_id)


def _client_of(kind: type[Client], sandbox: Sandbox, external_id: str) -> Client:
    chat = kind(
        api_url=sandbox.url,
        get_token=lambda: sandbox.token(external_id),
        ssl_context=sandbox.ssl_context() if sandbox.url.startswith("https:") else None,
    )
    sender = chat._core.sender  # pyright: ignore[reportPrivateUsage]
    real_sleep = sender.sleep

    async def sleep(seconds: float, cancel: CancelToken | None) -> None:
        await real_sleep(0.0, cancel)
        sandbox.clock.advance(seconds)

    sender.sleep = sleep  # type: ignore[method-assign]
    return chat
