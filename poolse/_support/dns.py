"""DNS lookups in threads of their own: nothing can interrupt the lookup of the system.

A caller can stop waiting at any time. The thread ends when the system has responded.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from concurrent.futures import Future
from threading import Thread
from typing import Any

__all__ = ["Address", "look_up"]

Address = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]
"""As `socket.getaddrinfo` gives them."""

Lookup = Future[Sequence[Address]]


def look_up(host: str, port: int) -> Lookup:
    """Look up the addresses of a host. One that is an address already needs no thread."""
    lookup = Lookup()
    # From now on it cannot be cancelled.
    lookup.set_running_or_notify_cancel()
    try:
        lookup.set_result(_ask(host, port, socket.AI_NUMERICHOST))
    except OSError:
        # A daemon, so that the program can end meanwhile.
        thread = Thread(
            target=_resolve, args=(lookup, host, port), name="poolse-lookup", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:  # the interpreter is shutting down
            _resolve(lookup, host, port)
    return lookup


def _resolve(lookup: Lookup, host: str, port: int) -> None:
    try:
        lookup.set_result(_ask(host, port))
    except BaseException as error:
        lookup.set_exception(error)


def _ask(host: str, port: int, flags: int = 0) -> Sequence[Address]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
