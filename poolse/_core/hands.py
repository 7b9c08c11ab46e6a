"""What a flow needs done for it. The two bodies each have hands; the flows are written against these.

A flow is an `async def` that only awaits hands. The async body awaits the flow. The sync body's
hands return at once, so that one `send(None)` runs the flow from start to end without suspending:
`run_flow` does that and asserts it.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import attrs

from poolse.options import Timeout

__all__ = ["Answer", "Hands", "Outgoing", "run_flow"]

T = TypeVar("T")


@attrs.frozen
class Outgoing:
    """A request as the brain sees it: plain values, ready for any HTTP library."""

    method: str
    url: str
    """Absolute and already percent-encoded: it goes out byte for byte as it stands here."""
    headers: Sequence[tuple[str, str]]
    content: bytes | None


@attrs.frozen
class Answer:
    """A whole answer: the body has been read."""

    status: int
    headers: Mapping[str, str]
    """Looked up case-insensitively."""
    content: bytes


class Hands(Protocol):
    """Effects of one call. `Cancelled` and task cancellation come out of any of them."""

    async def token(self) -> str | None:
        """A token that is believed good. What `get_token` raises comes out unwrapped."""
        ...

    async def reject_token(self, token: str | None) -> None:
        """The server refused this token: never hand it out again."""
        ...

    async def send(self, request: Outgoing, timeout: Timeout) -> Answer:
        """Send once and read the whole answer, with any status.

        Raises:
            RequestTimeout: One of the limits was reached.
            NetworkError: No complete answer came.
        """
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; a cancellation ends the wait at once."""
        ...

    def now(self) -> float:
        """Wall clock, seconds since 1970: only to read a Retry-After date."""
        ...

    def random(self) -> float:
        """In [0, 1), for the jitter of the backoff."""
        ...


def run_flow(flow: Coroutine[Any, Any, T]) -> T:
    """Run a flow whose hands never suspend, from start to end, in this thread."""
    try:
        flow.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    flow.close()
    raise AssertionError("a sync hand suspended")
