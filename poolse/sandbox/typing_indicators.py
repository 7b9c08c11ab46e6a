"""Who is typing where: `typing:start` and `typing:stop` for the others."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from poolse.sandbox import rules
from poolse.sandbox.api.call import Typing
from poolse.sandbox.channel_registry import ChannelRegistry

__all__ = ["TypingIndicators"]


class _Indicator(NamedTuple):
    """A user who is typing in a conversation."""

    broadcast: float
    """When `typing:start` was sent last, by the loop's clock."""
    stop: asyncio.TimerHandle


class TypingIndicators:
    """All users who are typing."""

    def __init__(self, registry: ChannelRegistry, timeout: float) -> None:
        """Broadcast to the registry's channels; `timeout` is when typing ends, in seconds."""
        self._registry = registry
        self._timeout = timeout
        self._shown: dict[tuple[str, str], _Indicator] = {}

    def show(self, typing: Typing) -> None:
        """Broadcast `typing:start`, once in each window while pushes continue."""
        key = typing.topic, typing.user_id
        loop = asyncio.get_running_loop()
        now = broadcast = loop.time()
        if (running := self._shown.get(key)) is not None:
            running.stop.cancel()
            broadcast = running.broadcast
        if running is None or now - broadcast >= rules.TYPING_WINDOW:
            self._broadcast("typing:start", typing)
            broadcast = now
        stop = loop.call_later(self._timeout, self._hide, typing)
        self._shown[key] = _Indicator(broadcast, stop)

    def _hide(self, typing: Typing) -> None:
        del self._shown[typing.topic, typing.user_id]
        self._broadcast("typing:stop", typing)

    def _broadcast(self, event: str, typing: Typing) -> None:
        topic, user_id, payload = typing.topic, typing.user_id, typing.payload
        self._registry.broadcast(topic, event, payload, but_user=user_id)
