"""What a flow needs done for it: the effects of a call, behind two small protocols.

A flow is an `async def` that only awaits these. The async body awaits the flow. The sync body's
methods are `async def` too, but return at once, so that one `send(None)` runs the flow from start
to end without suspending: `run_sync` does that and asserts it.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import attrs

from poolse._observe.capture import Captures
from poolse._observe.observers import Observers, no_observers
from poolse._support.repr import ReprMixin
from poolse.cancel import CancelToken
from poolse.options import Timeout

__all__ = [
    "Request",
    "RequestBody",
    "RequestIO",
    "Response",
    "ResponseSink",
    "Sender",
    "Tokens",
    "run_sync",
]

T = TypeVar("T")


class RequestBody(Protocol):
    """What is sent piece by piece, so that it need not fit into memory."""

    @property
    def size(self) -> int:
        """How many bytes all pieces have together."""
        ...

    async def next(self) -> bytes:
        """The next piece; none at the end."""
        ...


class ResponseSink(Protocol):
    """Takes the body of an answer piece by piece, so that it need not fit into memory."""

    async def begins(self, status: int, headers: Mapping[str, str]) -> bool:
        """Whether the body of this answer is wanted. If not, it is read as that of any answer."""
        ...

    async def takes(self, piece: bytes) -> None:
        """The next piece, as it came: not decompressed."""
        ...


def _without_query(url: str) -> str:
    """What may be shown of a URL: the query may hold a signature."""
    path, question, _ = url.partition("?")
    return repr(f"{path}{question and '?...'}")


@attrs.frozen(eq=False, repr=False)
class Request(ReprMixin):
    """A request as the brain sees it: plain values, ready for any HTTP library."""

    method: str
    url: str = attrs.field(repr=_without_query)
    """Absolute and already percent-encoded: it goes out byte for byte as it stands here."""
    headers: Sequence[tuple[str, str]] = attrs.field(repr=False)
    """The token is among them."""
    content: bytes | RequestBody | None = attrs.field(repr=False)
    bare: bool = False
    """Whether these headers are signed: none may be added to them, nor may the answer be packed."""

    def header(self, name: str) -> str | None:
        """The value of a header, in whatever case; None without it."""
        found = (value for given, value in self.headers if given.lower() == name.lower())
        return next(found, None)


@attrs.frozen(eq=False, repr=False)
class Response(ReprMixin):
    """A whole answer: the body has been read."""

    status: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    """Looked up case-insensitively. A redirect may repeat a signed URL there."""
    content: bytes = attrs.field(repr=False)


class Sender(Protocol):
    """Carries requests, and waits. `Cancelled` and task cancellation come out of both."""

    async def send(
        self,
        request: Request,
        timeout: Timeout,
        cancel: CancelToken | None,
        intake: ResponseSink | None = None,
    ) -> Response:
        """Send once and read the whole answer, whatever its status.

        The body that the intake wants goes there, and is empty in the answer.

        Raises:
            RequestTimeout: One of the limits was reached.
            NetworkError: No complete answer came.
        """
        ...

    async def sleep(self, seconds: float, cancel: CancelToken | None) -> None:
        """Wait; a cancellation ends the wait at once."""
        ...


class Tokens(Protocol):
    """Hands out the credential. Whoever asks while it is being fetched shares that one fetch."""

    async def get(self, cancel: CancelToken | None) -> str | None:
        """A token that is believed good. What `get_token` raises comes out unwrapped."""
        ...

    @property
    def last(self) -> str | None:
        """The token last handed out; None before the first."""
        ...

    def reject(self, token: str | None) -> bool:
        """The server refused this token: forget it. Whether asking again may give another."""
        ...


@attrs.frozen(eq=False, repr=False)
class RequestIO:
    """All effects that a flow may have."""

    sender: Sender
    tokens: Tokens
    now: Callable[[], float]
    """Wall clock, seconds since 1970: only to read a Retry-After date."""
    random: Callable[[], float]
    """In [0, 1), for the jitter of the backoff."""
    captures: Captures = attrs.field(factory=Captures)
    """Told of each call that ends."""
    ears: Observers = attrs.field(factory=no_observers)
    """Told of the beginning, the retries and the end of each call."""


def run_sync(flow: Coroutine[Any, Any, T]) -> T:
    """Run a flow whose hands never suspend, from start to end, in this thread."""
    try:
        flow.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    flow.close()
    raise AssertionError("a sync hand suspended")
