"""What a call may do: send, get a token, wait, and notify observers.

A flow is an `async def` that only awaits these. The async client awaits it. In the sync client the
methods are `async def` too, but return without suspending, so that one `send(None)` runs the flow
from start to end: `run_sync` does that and asserts it.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

import attrs

from poolse._observe.observers import Observers
from poolse._rest.http_messages import Request, Response
from poolse.cancel import CancelToken
from poolse.errors import UsageError
from poolse.options import Timeout

__all__ = ["Lifetime", "RequestIO", "Sender", "Tokens", "closed_error", "run_sync"]

T = TypeVar("T")


class Sender(Protocol):
    """Sends requests, and waits. `Cancelled` and task cancellation come out of both."""

    async def send(
        self, request: Request, timeout: Timeout, cancel: CancelToken | None
    ) -> Response:
        """Send once and read the whole response, whatever its status.

        A body that the request's sink receives is empty in the response.

        Raises:
            RequestTimeout: One of the limits was reached.
            NetworkError: No complete response came.
        """
        ...

    async def sleep(self, seconds: float, cancel: CancelToken | None) -> None:
        """Wait; a cancellation ends the wait at once."""
        ...


class Tokens(Protocol):
    """Provides the credential. Callers that need one while it is fetched share the fetch."""

    async def get(self, cancel: CancelToken | None) -> str | None:
        """Return a token that is believed good. What `get_token` raises comes out unwrapped."""
        ...

    @property
    def last(self) -> str | None:
        """The token last returned; None before the first."""
        ...

    def reject(self, token: str | None) -> bool:
        """Forget a token that the server refused. Whether the next may be another."""
        ...


class Lifetime(CancelToken):
    """Whether a client is open, shared with all its views. Cancelled when the client is closed."""

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._cancelled

    def close(self) -> None:
        """End every wait of the client. Calling it again does nothing."""
        self.cancel()

    def raise_if_cancelled(self) -> None:
        """Raise `UsageError` once the client is closed."""
        if self._cancelled:
            raise closed_error()


def closed_error() -> UsageError:
    """Return the error of using a closed client."""
    return UsageError("this client is closed; create a new one")


@attrs.frozen(eq=False, repr=False)
class RequestIO:
    """All effects of a flow."""

    sender: Sender
    tokens: Tokens
    now: Callable[[], float]
    """Wall clock, seconds since 1970: only to read a Retry-After date."""
    random: Callable[[], float]
    """In [0, 1), for the jitter of the backoff."""
    observers: Observers = attrs.field(factory=Observers)
    """Notified of the beginning, the retries and the end of each call."""
    lifetime: Lifetime = attrs.field(factory=Lifetime)


def run_sync(flow: Coroutine[Any, Any, T]) -> T:
    """Run a flow that never suspends from start to end, in this thread."""
    try:
        flow.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    flow.close()
    raise AssertionError("a sync flow suspended")
