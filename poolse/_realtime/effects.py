"""Results of the state machines: commands for a driver, and effects for the layers above."""

from __future__ import annotations

import attrs

from poolse._realtime.frames import Frame
from poolse.errors import PoolseError

__all__ = [
    "Answered",
    "Changed",
    "Close",
    "Command",
    "Deliver",
    "Down",
    "Effect",
    "Ended",
    "Failed",
    "Failure",
    "JoinDue",
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
    """The connection will not be retried."""

    error: PoolseError


@attrs.frozen
class Trouble:
    """Something went wrong that ends nothing."""

    error: PoolseError


@attrs.frozen
class JoinDue:
    """The channel waits for its turn to join."""


@attrs.frozen
class Changed:
    """The channel was joined, or is not joined any more and will be again."""


@attrs.frozen
class Deliver:
    """An event arrived before the reply to the join."""

    frame: Frame


@attrs.frozen
class Answered:
    """A push has its reply, or will have none: its waiters are woken."""


@attrs.frozen
class Ended:
    """The channel is closed for good; without an error when we left it."""

    error: PoolseError | None


Effect = Up | Down | Failed | Trouble | JoinDue | Changed | Deliver | Answered | Ended
"""The first three are a connection's; trouble is either's; the others are a channel's."""


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
