"""Requests, handshakes, joins and sockets so far. Written on the loop, read from any thread."""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

__all__ = ["Request", "RequestLog"]

_KEPT: Final = 100_000
_KEPT_BYTES: Final = 8_000_000
"""Of requests, roughly: a sandbox that runs for days keeps the newest ones only."""
_OVERHEAD: Final = 700
"""Bytes that a request takes beside its path and its body, roughly."""


_SECRET: Final = re.compile(r"(?<=/devices/)[^/?]+|(?<=\?).*", re.DOTALL)
"""The token of a device in a path, and a query, which may have one."""


@dataclass(eq=False)
class Request:
    """A request to the sandbox. Its `repr` shows no secrets; its attributes do."""

    method: str
    path: str
    """Path and query, as sent."""
    headers: dict[str, str]
    """Headers, with names in lower case."""
    body: bytes = b""
    """Body; empty for the object storage, whose files are too large to be kept here."""
    size: int = 0
    """Number of bytes of the body that were read."""
    status: int | None = None
    """HTTP status of the response; None while there is none."""
    cut: bool = False
    """Whether the connection ended before there was a response."""

    @property
    def shown_path(self) -> str:
        """Path and query without secrets, for logs. New in 0.5."""
        return _SECRET.sub("...", self.path)

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.shown_path}: {self.status}>"


class RequestLog:
    """Requests, handshakes, joins, and the number of open sockets. The oldest entries go first."""

    def __init__(self, on_request: Callable[[Request], object] | None = None) -> None:
        """Start empty. `on_request` is called with requests and handshakes when they end."""
        self._on_request = on_request
        self._changed = threading.Condition()
        self._changes = 0
        self._requests: deque[Request] = deque()
        self._bytes = 0
        self._handshakes: deque[Request] = deque(maxlen=_KEPT)
        self._joins: deque[str] = deque(maxlen=_KEPT)
        self._sockets = 0

    @property
    def requests(self) -> list[Request]:
        """REST requests, in order of arrival."""
        with self._changed:
            return list(self._requests)

    @property
    def handshakes(self) -> list[Request]:
        """WebSocket handshakes; the status of a successful one is 101."""
        with self._changed:
            return list(self._handshakes)

    @property
    def joins(self) -> list[str]:
        """Topics of the successful joins, in order."""
        with self._changed:
            return list(self._joins)

    @property
    def sockets(self) -> int:
        """How many sockets are open."""
        with self._changed:
            return self._sockets

    def request(self, request: Request) -> None:
        """Note that a request was read."""
        self._note(lambda: self._keep(request))

    def responded(self, request: Request, status: int) -> None:
        """Note the status of its response."""
        self._note(lambda: setattr(request, "status", status))
        self._ended(request)

    def cut(self, request: Request) -> None:
        """Note that there will be no response."""
        self._note(lambda: setattr(request, "cut", True))
        self._ended(request)

    def handshake(self, request: Request) -> None:
        """Note a handshake and how it ended."""
        self._note(lambda: self._handshakes.append(request))
        self._ended(request)

    def joined(self, topic: str) -> None:
        """Note a successful join."""
        self._note(lambda: self._joins.append(topic))

    def sockets_open(self, count: int) -> None:
        """Note how many sockets are open."""
        self._note(lambda: setattr(self, "_sockets", count))

    def wait_for(self, predicate: Callable[[], bool], timeout: float) -> None:
        """Wait until a predicate is true; it is checked after each entry of the log.

        Raises:
            TimeoutError: It did not hold in time.
        """
        deadline = time.monotonic() + timeout
        while True:
            with self._changed:
                changes = self._changes
            # Asked without the lock: it may well look at the sandbox, or make it do something.
            if predicate():
                return
            with self._changed:
                left = max(0.0, deadline - time.monotonic())
                if self._changes == changes and not self._changed.wait(left):
                    raise TimeoutError(f"condition not true within {timeout:g} s")

    def _keep(self, request: Request) -> None:
        self._requests.append(request)
        self._bytes += _weight(request)
        while len(self._requests) > _KEPT or (
            self._bytes > _KEPT_BYTES and len(self._requests) > 1
        ):
            self._bytes -= _weight(self._requests.popleft())

    def _ended(self, request: Request) -> None:
        if self._on_request is not None:
            self._on_request(request)

    def _note(self, change: Callable[[], object]) -> None:
        with self._changed:
            change()
            self._changes += 1
            self._changed.notify_all()


def _weight(request: Request) -> int:
    return _OVERHEAD + len(request.path) + len(request.body)
