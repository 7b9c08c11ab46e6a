"""What a connection answers with: commands for whoever owns the transport, and news for above."""

from __future__ import annotations

import attrs

from poolse.errors import PoolseError

__all__ = [
    "Close",
    "Command",
    "Down",
    "Effect",
    "Failed",
    "Failure",
    "Open",
    "Send",
    "Trouble",
    "Up",
]


@attrs.frozen
class Open:
    """Open a transport. With `refresh` the token used last was refused: ask for another one."""

    generation: int
    refresh: bool


@attrs.frozen
class Send:
    """Send a message: text for a str, binary for bytes."""

    generation: int
    data: str | bytes = attrs.field(repr=False)


@attrs.frozen
class Close:
    """Close a transport, or stop opening it."""

    generation: int
    code: int


Command = Open | Send | Close


@attrs.frozen
class Up:
    """The transport is open: channels can join."""


@attrs.frozen
class Down:
    """The transport is gone, and with it every channel on it."""


@attrs.frozen
class Failed:
    """It will not be tried again."""

    error: PoolseError


@attrs.frozen
class Trouble:
    """Something went wrong that ends nothing."""

    error: PoolseError


Effect = Command | Up | Down | Failed | Trouble


@attrs.frozen(kw_only=True)
class Failure:
    """Why a transport could not be opened."""

    reason: str
    """For people, without secrets."""
    status: int | None = None
    """HTTP status of a refused handshake."""
    retry_after: float = 0.0
    """Seconds that the server asked to wait."""
    final: bool = False
    """Whether it would only fail again, such as for a certificate that is not trusted."""
    cause: BaseException | None = None
