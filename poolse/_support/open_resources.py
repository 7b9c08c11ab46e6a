"""Warn of clients that were not closed, and drop their connections. Nothing is sent."""

from __future__ import annotations

import warnings
from typing import Final, Protocol
from weakref import finalize, ref

import attrs

__all__ = ["Connections", "OpenResources", "RunningRealtime", "how_to_close", "is_over"]

MESSAGES: Final = {
    False: "unclosed {0}: `with {0}(...) as {1}:` closes it, or {1}.close()",
    True: "unclosed {0}: `async with {0}(...) as {1}:` closes it, or await {1}.aclose()",
}


class Connections(Protocol):
    """Connections of a client."""

    def abandon(self) -> bool:
        """Drop them, unless they are in use. Whether there were any."""
        ...


class RunningRealtime(Protocol):
    """Realtime of a client."""

    @property
    def _is_running(self) -> bool:
        """Whether it has threads, or tasks."""
        ...

    @property
    def _is_over(self) -> bool:
        """Whether it cannot run any more, although it was not closed."""
        ...


@attrs.define(eq=False, repr=False)
class OpenResources:
    """What a client has open. It refers to nothing that would keep the client alive."""

    warning: str = "unclosed client"
    connections: Connections | None = None
    _realtime: ref[RunningRealtime] | None = None

    def of(self, owner: object) -> None:
        """Warn when the owner is garbage collected, or the program ends, and something is open."""
        finalize(owner, self._warn)

    def watch(self, realtime: RunningRealtime) -> None:
        """Count this among them."""
        self._realtime = ref(realtime)

    def _warn(self) -> None:
        left = self.connections is not None and self.connections.abandon()
        realtime = None if self._realtime is None else self._realtime()
        if left or (realtime is not None and realtime._is_running):  # pyright: ignore[reportPrivateUsage]
            warnings.warn(self.warning, ResourceWarning, stacklevel=1, source=self)


def how_to_close(name: str, variable: str, *, asynchronous: bool) -> str:
    """Return the text of the warning."""
    return MESSAGES[asynchronous].format(name, variable)


def is_over(realtime: RunningRealtime) -> bool:
    """Return whether it cannot run any more, but was not closed."""
    return realtime._is_over  # pyright: ignore[reportPrivateUsage]
