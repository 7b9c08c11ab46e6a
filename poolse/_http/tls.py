"""The TLS settings of everyone who brings none."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Final

import httpx

from poolse._once import Once

__all__ = ["context_of"]

SHARED: Final = Once(httpx.create_ssl_context)


def context_of(given: ssl.SSLContext | None) -> Callable[[], ssl.SSLContext]:
    """Where a transport gets its context, once it needs one: loading the CAs takes 25 ms."""
    return SHARED.get if given is None else lambda: given
