"""The addresses of a host, in a thread of their own: nothing can end the system's own look-up.

Whoever waits for them can leave at any time. The thread ends when the system has answered.
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

Found = Future[Sequence[Address]]


def look_up(host: str, port: int) -> Found:
    """Ask for the addresses of a host. What is one already needs no thread."""
    found = Found()
    # From now on it is not cancelled, only left.
    found.set_running_or_notify_cancel()
    try:
        found.set_result(_ask(host, port, socket.AI_NUMERICHOST))
    except OSError:
        # A daemon, so that the program can end meanwhile.
        thread = Thread(target=_answer, args=(found, host, port), name="poolse-lookup", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the interpreter is shutting down
            _answer(found, host, port)
    return found


def _answer(found: Found, host: str, port: int) -> None:
    try:
        found.set_result(_ask(host, port))
    except BaseException as error:
        found.set_exception(error)


def _ask(host: str, port: int, flags: int = 0) -> Sequence[Address]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
