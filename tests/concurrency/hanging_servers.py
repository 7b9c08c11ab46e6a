"""Servers with which a call hangs at a certain place, until they calm down and answer."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from typing import Any

import attrs
import pytest

from tests.http.raw_server import Behave, Connection, RawServer, ReceivedRequest
from tests.http.sync_and_async_senders import ASIDE

__all__ = ["ANSWER", "FINE", "PLACES", "Names", "Place", "place_of"]

FINE = {"all": "is fine"}

ANSWER = json.dumps(FINE).encode()


@attrs.define
class Place:
    """Where calls stand still."""

    url: str
    ssl_context: ssl.SSLContext | None
    reached: Callable[[], object]
    """Blocks until a call is there, as far as that can be seen."""
    calm: Callable[[], object]
    """From now on, every call gets `FINE`."""

    def arguments(self, **more: Any) -> dict[str, Any]:
        """Those of a client, which has one connection: if that is lost, the next call hangs."""
        return {
            "api_url": self.url,
            "token": "t",
            "ssl_context": self.ssl_context,
            "max_connections": 1,
            "timeout": None,
            **more,
        }


class Names:
    """A name server that answers when it is told to. Addresses need none."""

    def __init__(self, patch: pytest.MonkeyPatch, port: Callable[[], int]) -> None:
        self.asked = threading.Event()
        self.answer = threading.Event()
        self._port = port
        self._ask = socket.getaddrinfo
        patch.setattr(socket, "getaddrinfo", self)

    def __call__(self, host: Any, *arguments: Any, **more: Any) -> Any:
        if host != "slow.example" or more.get("flags") == socket.AI_NUMERICHOST:
            return self._ask(host, *arguments, **more)
        self.asked.set()
        # Longer than any test waits for a call that does not end.
        assert self.answer.wait(3 * ASIDE)
        return self._ask("127.0.0.1", self._port(), type=socket.SOCK_STREAM)


def hang(connection: Connection, _: ReceivedRequest) -> None:
    connection.hang()


def drip(connection: Connection, _: ReceivedRequest) -> None:
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while not connection.over.wait(0.02):
        connection.send(b".")


def busy(connection: Connection, _: ReceivedRequest) -> None:
    connection.answer(status="503 Busy", fields="Retry-After: 50\r\n")


STRANGE: dict[str, Behave] = {
    "waiting to try again": busy,
    "waiting for the first byte": hang,
    "in the middle of the answer": drip,
}
PLACES = ["looking up the name", "connecting", "shaking hands", *STRANGE]


@contextmanager
def place_of(
    kind: str, patch: pytest.MonkeyPatch, server: ssl.SSLContext, client: ssl.SSLContext
) -> Generator[Place]:
    """Such a server, over TLS but where the place is before it."""
    calm = threading.Event()

    def behave(connection: Connection, request: ReceivedRequest) -> None:
        if calm.is_set() or kind not in STRANGE:
            connection.answer(ANSWER)
        else:
            STRANGE[kind](connection, request)

    secure = kind != "connecting"
    wire = RawServer(behave, server if secure else None)
    place = Place(wire.base, client if secure else None, lambda: None, calm.set)
    with ExitStack() as stack:
        if kind in STRANGE:
            stack.enter_context(wire)
            place.reached = lambda: wire.seen.get(timeout=ASIDE)
        elif kind == "looking up the name":
            stack.enter_context(wire)
            names = Names(patch, lambda: wire.port)
            stack.callback(names.answer.set)
            place.url = f"https://slow.example:{wire.port}"
            place.reached, place.calm = (lambda: names.asked.wait(ASIDE)), names.answer.set
        else:
            # The system takes connections for a server that is not there yet, but not for ever.
            place.calm = lambda: stack.enter_context(wire)
            if kind == "connecting":
                stack.callback(fill(wire))
        yield place


def fill(wire: RawServer) -> Callable[[], None]:
    """Have the system take no further connection; gives what ends those that fill its queue."""
    wire.listen(0)
    waiting = [socket.socket() for _ in range(4)]
    for sock in waiting:
        sock.setblocking(False)
        sock.connect_ex(("127.0.0.1", wire.port))

    def end() -> None:
        for sock in waiting:
            sock.close()

    return end
