"""A backend with two users, and clients of both bodies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import attrs

from poolse._realtime.settings import RealtimeSettings
from poolse.testing import Sandbox
from tests.realtime.raw_rest import post
from tests.realtime.sync_and_async import FAST, LIMIT, Flavour, opened


def settings_of(sandbox: Sandbox, **changes: Any) -> RealtimeSettings:
    """What a client of this backend needs, with delays that a test can wait for."""
    context = sandbox.ssl_context() if sandbox.url.startswith("https") else None
    url = f"{sandbox.ws_url}/socket"
    return RealtimeSettings(url=url, ssl_context=context, **{**FAST, **changes})


@attrs.frozen
class World:
    """A backend with a conversation of alice and bob, and clients of theirs."""

    sandbox: Sandbox
    flavour: Flavour
    tls: bool
    conversation: str

    @property
    def topic(self) -> str:
        return f"conversation:{self.conversation}"

    def settings(self, **changes: Any) -> RealtimeSettings:
        return settings_of(self.sandbox, **changes)

    def client(self, user: str = "alice", **changes: Any) -> Any:
        return opened(self.flavour, self.settings(**changes), lambda _: self.sandbox.token(user))

    async def until(self, predicate: Callable[[], bool]) -> None:
        """Wait for the sandbox, and let the event loop run meanwhile."""
        await asyncio.to_thread(self.sandbox.wait_for, predicate, LIMIT)

    async def joins(self, count: int) -> None:
        """Wait until so many joins worked."""
        await self.until(lambda: len(self.sandbox.joins) == count)

    def ping(self, text: object) -> None:
        self.sandbox.broadcast(self.topic, "ping", {"text": text})


def make_world(flavour: Flavour, *, tls: bool) -> Iterator[World]:
    with Sandbox(tls=tls) as sandbox:
        sandbox.token("bob")
        body = {"type": "direct", "member_external_ids": ["bob"]}
        yield World(sandbox, flavour, tls, post(sandbox, "/v1/conversations", body)["id"])


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scenario(), debug=True)
