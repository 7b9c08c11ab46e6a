"""What led to an error, and how it is kept from showing what the libraries were busy with."""

from __future__ import annotations

import traceback
from typing import Final

__all__ = ["error_causes", "forget_locals"]

CARRIERS: Final = frozenset(
    {
        "aiohttp",
        "anyio",
        "asyncio",
        "contextlib",
        "h11",
        "httpcore",
        "httpcore2",
        "httpx",
        "httpx2",
        "httpx_aiohttp",
        "poolse",
        "selectors",
        "socket",
        "socksio",
        "ssl",
        "websocket",
        "websockets",
    }
)
"""Modules with requests and responses among their local variables, with tokens and signed URLs."""


def error_causes(error: BaseException, before: BaseException | None) -> list[BaseException]:
    """Return the error and its causes, but not an error that the caller handled `before`."""
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        cause = waiting.pop(0)
        if cause is None or cause is before or any(cause is other for other in found):
            continue
        found.append(cause)
        # httpcore raises some of its errors `from None`, after which only the context knows.
        waiting += [cause.__cause__, cause.__context__]
    return found


def forget_locals(causes: list[BaseException]) -> None:
    """Clear the local variables that tools which print those of a traceback would find.

    Those of the caller's own functions stay: they are the caller's to look at. What is not shown
    of the libraries' errors goes too: aiohttp's quote the URL.
    """
    for cause in causes:
        if cause.__suppress_context__ and type(cause).__module__.partition(".")[0] in CARRIERS:
            cause.__context__ = None
        for frame, _ in traceback.walk_tb(cause.__traceback__):
            name: object = frame.f_globals.get("__name__")
            if isinstance(name, str) and name.partition(".")[0] in CARRIERS:
                try:
                    frame.clear()
                except RuntimeError:
                    pass  # it is still running
