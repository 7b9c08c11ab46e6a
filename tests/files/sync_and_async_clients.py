"""Clients of both flavours behind one call, so that a test can ask the same of both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx

from poolse import AsyncPoolse, Poolse

__all__ = ["FLAVOURS", "GIVEN", "Client", "Told"]

FLAVOURS = ("async", "sync")
GIVEN = ("async given", "sync given")
"""With an httpx client of the caller's, which has habits of its own."""

HABITS: dict[str, Any] = {
    "auth": ("user", "password"),
    "headers": {"X-Habit": "yes"},
    "cookies": {"habit": "yes"},
    "params": {"habit": "yes"},
    "follow_redirects": True,
    "trust_env": False,
}


class Client:
    """Makes a client, does one thing with it, and closes it."""

    def __init__(self, flavour: str, api_url: str, **arguments: Any) -> None:
        self.flavour = flavour
        self._arguments: dict[str, Any] = {
            "api_url": api_url,
            "token": "a-token",
            "base_backoff": 0.001,
            **arguments,
        }

    @property
    def is_async(self) -> bool:
        return self.flavour.startswith("async")

    def __call__(self, do: Callable[[Any], Any]) -> Any:
        if self.is_async:
            return asyncio.run(self.awaited(do))
        if self.flavour in GIVEN:
            with httpx.Client(**HABITS) as given:
                return do(Poolse(http_client=given, **self._arguments))
        with Poolse(**self._arguments) as chat:
            return do(chat)

    async def awaited(self, do: Callable[[Any], Any]) -> Any:
        """The same in a loop that runs already."""
        if self.flavour in GIVEN:
            async with httpx.AsyncClient(**HABITS) as given:
                return await do(AsyncPoolse(http_client=given, **self._arguments))
        async with AsyncPoolse(**self._arguments) as chat:
            return await do(chat)


class Told(list[tuple[int, int]]):
    """An `on_progress` that remembers what it is told."""

    def __call__(self, loaded: int, total: int) -> None:
        self.append((loaded, total))
