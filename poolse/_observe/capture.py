"""Captured calls: `chat.capture()`."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

import attrs

from poolse._rest.http_messages import Request, Response, rate_limit_of
from poolse._support.repr import ReprMixin

__all__ = ["CapturedCall", "Captures", "Headers", "open_captures"]


class Headers(Mapping[str, str]):
    """Headers of a response. Case-insensitive and immutable."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._values: Final = {name.lower(): value for name, value in headers.items()}

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Headers({self._values})"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class CapturedCall(ReprMixin):
    """A captured call.

    To avoid storing secrets, it has neither bodies nor the headers of the request.
    """

    method: str
    """HTTP method."""
    path: str
    """Path and query as sent, with `...` in the place of a device token."""
    status: int | None
    """HTTP status of the last response; None without a response."""
    headers: Mapping[str, str] = attrs.field(repr=False)
    """Headers of the last response, case-insensitive; empty without a response."""
    attempts: int
    """Number of attempts: 1 plus the retries; 0 if no token was available."""
    error: BaseException | None
    """Exception that the call raised, or None."""

    @property
    def request_id(self) -> str | None:
        """The server's ID of the request. Include it in support requests."""
        return self.headers.get("x-request-id")

    @property
    def rate_limit(self) -> Mapping[str, str]:
        """Rate-limit headers of the last response, such as `ratelimit-remaining`, if there are any.

        By their names in lower case. New in 0.5.
        """
        return rate_limit_of(self.headers)


@attrs.frozen(eq=False, repr=False)
class _Capture:
    calls: list[CapturedCall] = attrs.field(factory=list[CapturedCall])


# Immutable, so that a task that inherits it keeps what was open when it started.
open_captures: Final[ContextVar[tuple[_Capture, ...]]] = ContextVar("poolse_captures", default=())
"""Captures that are open in this thread or task."""


class Captures:
    """The captures of one client and its views."""

    def __init__(self) -> None:
        self._running: set[_Capture] = set()

    @contextmanager
    def collect(self) -> Generator[list[CapturedCall]]:
        """Collect the calls that end inside the block."""
        capture = _Capture()
        open_captures.set((*open_captures.get(), capture))
        self._running.add(capture)
        try:
            yield capture.calls
        finally:
            # A task that was started inside may run for ever: it must not fill the list.
            self._running.discard(capture)
            open_captures.set(tuple(other for other in open_captures.get() if other is not capture))

    def add(
        self,
        request: Request,
        response: Response | None,
        attempts: int,
        error: BaseException | None,
    ) -> None:
        """Add a call that has ended."""
        call = CapturedCall(
            method=request.method,
            path=request.shown,
            status=response.status if response else None,
            headers=Headers(response.headers if response else {}),
            attempts=attempts,
            error=error,
        )
        for capture in open_captures.get():
            if capture in self._running:
                capture.calls.append(call)
