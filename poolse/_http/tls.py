"""The TLS settings of everyone who brings none."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from functools import cache

import httpx

__all__ = ["context_of"]

_lock = threading.Lock()


def context_of(given: ssl.SSLContext | None) -> Callable[[], ssl.SSLContext]:
    """Where a transport gets its context, once it needs one: loading the CAs takes 25 ms."""
    return _shared if given is None else lambda: given


def _shared() -> ssl.SSLContext:
    with _lock:
        return _loaded()


@cache
def _loaded() -> ssl.SSLContext:
    return httpx.create_ssl_context()
