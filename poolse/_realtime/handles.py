"""What both flavours of the public realtime classes have in common: everything that never waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, Generic, TypeVar, cast

from poolse._checks import checked_callback
from poolse._realtime.calls import Wake
from poolse._realtime.events import ChannelType, EventType, RealtimeStatus
from poolse._realtime.hub import Hub
from poolse._realtime.pushes import Payload, Push
from poolse._realtime.session import Session, Stream
from poolse.cancel import CancelToken
from poolse.errors import JoinError, PoolseError, PushTimeout

__all__ = [
    "JOIN_WAIT",
    "PATIENCE",
    "REPLY_WAIT",
    "BaseChannel",
    "BaseEvents",
    "BaseRealtime",
    "E",
    "hub_of",
    "log_error",
]

E = TypeVar("E")
P = TypeVar("P")
C = TypeVar("C", bound="BaseChannel[Any]")

JOIN_WAIT: Final = 30.0
"""Seconds that a join is waited for unless the caller says otherwise."""

REPLY_WAIT: Final = 10.0
"""Seconds that the reply to a push is waited for unless the caller says otherwise."""

PATIENCE: Final = 5.0
"""Seconds that closing waits for user code, which can hold it up for as long as it likes."""


class BaseChannel(Generic[E]):
    """A channel, joined for as long as somebody has a claim on it."""

    _TYPE: ClassVar[ChannelType]
    _awaits: ClassVar[bool]
    """Whether what a handler returns is awaited."""

    def __init__(self, hub: Hub, session: Session) -> None:
        self._hub = hub
        self._session = session

    def __repr__(self) -> str:
        state = "left" if self._session.is_over else self._session.machine.state
        return f"<{type(self).__name__} {self.topic} {state}>"

    @property
    def topic(self) -> str:
        """The channel's topic on the wire."""
        return self._session.topic

    def _on(self, event: EventType[P], handler: Callable[[P], object]) -> Callable[[], None]:
        checked_callback("handler", handler, awaits=self._awaits)
        return self._hub.subscribe(self._session, event, handler)

    def _push(self, event: str, payload: Mapping[str, object]) -> None:
        # Queued for the socket's owner, so that neither flavour has to wait.
        self._hub.push(self._session, event, payload)

    def _ask(self, event: str, payload: Payload | None, timeout: float | None) -> Push:
        return self._hub.ask(self._session, event, {} if payload is None else payload, timeout)

    def _presence(self, event: EventType[P]) -> P:
        with self._hub.guard:
            return self._session.presence(event)

    def _is_joined(self) -> bool:
        return self._session.joined

    def _has_left(self) -> bool:
        return self._session.is_left() or not self._session.is_over

    def _not_in_time(self, timeout: float | None) -> JoinError | PushTimeout:
        refusal = self._session.machine.refusal
        if refusal is not None:
            return JoinError(self.topic, refusal.reason)
        return PushTimeout(
            f"{self.topic} was not joined within {timeout or 0.0:g} s (join timeout); wait longer "
            "with wait_joined(timeout=...)"
        )


class BaseEvents(Generic[E]):
    """The events of a channel. One consumer."""

    def __init__(
        self,
        hub: Hub,
        session: Session,
        timeout: float | None,
        cancel: CancelToken | None,
        wake: Wake,
    ) -> None:
        self._hub = hub
        self._timeout = timeout
        self._cancel = cancel
        self._stream = Stream[object](hub.settings.queue_limit, wake)
        hub.stream(session, self._stream)

    @property
    def dropped(self) -> int:
        """How many events this iterator lost so far, because more came than it took."""
        return self._stream.queue.dropped

    def _ready(self) -> bool:
        return self._stream.queue.ready

    def _take(self) -> E:
        # A channel reads its events with the readers of its own kind, and no others.
        return cast(E, self._stream.queue.get())


class BaseRealtime:
    """The sockets of a client, and the channels on them."""

    _hub: Hub
    _awaits: ClassVar[bool]

    def _channel(self, cls: type[C], parameter: str) -> C:
        self._bind()
        kind = cls._TYPE  # pyright: ignore[reportPrivateUsage]
        return self._hub.claim(kind, parameter, lambda session: cls(self._hub, session))

    def _bind(self) -> None:
        """Called before anything that may need a thread or a task."""

    @property
    def _is_running(self) -> bool:
        """Whether it has threads, or tasks."""
        raise NotImplementedError

    @property
    def _is_over(self) -> bool:
        """Whether what it runs in has ended."""
        return False

    @property
    def status(self) -> RealtimeStatus:
        """`idle`, `connecting`, `connected`, `reconnecting` or `closed`.

        With several sockets it is that of the worst.
        """
        return self._hub.status

    @property
    def dropped(self) -> int:
        """How many calls of callbacks were not made so far, because they came too fast.

        At most 1,000 wait for their turn, those of all channels together. When more come the
        oldest are dropped, and `on_socket_error` is given a `SlowConsumer` with their number.
        """
        return self._hub.dropped()

    def on_status(self, handler: Callable[[RealtimeStatus], object]) -> Callable[[], None]:
        """Let a function be called with each new status.

        Returns:
            A function that takes the handler back.

        Raises:
            UsageError: It cannot be called, or is async in a sync client.
        """
        checked_callback("handler", handler, awaits=self._awaits)
        return self._hub.on_status(handler)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.status}>"


def log_error(log: Callable[[str, object], None]) -> Callable[[PoolseError], None]:
    """What is told of errors when the user has named nobody: a log must not stay silent."""
    return lambda error: log("realtime: %s", error)


def hub_of(realtime: BaseRealtime) -> Hub:
    """Return what realtime is made of, which its users do not see."""
    return realtime._hub  # pyright: ignore[reportPrivateUsage]
