"""What both flavours of the public realtime classes have in common: everything that never waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import copy_context
from typing import Any, ClassVar, Final, Generic, TypeVar, cast

from poolse._realtime.callback_queue import Wake
from poolse._realtime.client import RealtimeClient
from poolse._realtime.events import ChannelType, EventType, RealtimeStatus
from poolse._realtime.push import Payload, Push
from poolse._realtime.subscription import ChannelReference, EventStream
from poolse._support.argument_checks import checked_callback, checked_wait
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
    """One holder's handle of a channel, which stays joined for as long as anybody holds it.

    Handles of the same channel are equal, share one join, and each has its own claim: `leave` ends
    the handlers and iterators of this handle, and no other holder's.
    """

    _TYPE: ClassVar[ChannelType]
    _awaits: ClassVar[bool]
    """Whether what a handler returns is awaited."""

    def __init__(self, hub: RealtimeClient, claim: ChannelReference) -> None:
        self._hub = hub
        self._claim = claim
        self._session = claim.session

    def __repr__(self) -> str:
        state = "left" if self._claim.is_over else self._session.machine.state
        return f"<{type(self).__name__} {self.topic} {state}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BaseChannel):
            return NotImplemented
        return self._hub is other._hub and self.topic == other.topic

    def __hash__(self) -> int:
        return hash(self.topic)

    @property
    def topic(self) -> str:
        """The channel's topic on the wire."""
        return self._session.topic

    def _on(self, event: EventType[P], handler: Callable[[P], object]) -> Callable[[], None]:
        checked_callback("handler", handler, awaits=self._awaits)
        return self._hub.subscribe(self._claim, event, handler, copy_context())

    def _push(self, event: str, payload: Mapping[str, object]) -> None:
        # Queued for the socket's owner, so that neither flavour has to wait.
        self._hub.push(self._claim, event, payload)

    def _ask(self, event: str, payload: Payload | None, timeout: float | None) -> Push:
        limit = checked_wait("timeout", timeout)
        return self._hub.ask(self._claim, event, {} if payload is None else payload, limit)

    def _result(self, push: Push) -> object:
        """The reply to a push that is over, or withdrawn."""
        try:
            return push.result()
        except PushTimeout as error:
            raise self._session.explain(error) from error.__cause__

    def _presence(self, event: EventType[P]) -> P:
        with self._hub.guard:
            return self._session.presence(event)

    def _is_joined(self) -> bool:
        return self._claim.joined

    def _has_left(self) -> bool:
        return self._session.is_left() or not self._session.is_over

    def _not_in_time(self, timeout: float | None) -> PoolseError:
        session = self._session
        refusal = session.machine.refusal
        if refusal is not None and session.link.trouble is None:
            return JoinError(self.topic, refusal.reason)
        return session.explain(
            PushTimeout(
                f"{self.topic} was not joined within {timeout or 0.0:g} s (join timeout); wait "
                "longer with wait_joined(timeout=...)"
            )
        )


class BaseEvents(Generic[E]):
    """The events of a channel. One consumer."""

    def __init__(
        self,
        hub: RealtimeClient,
        claim: ChannelReference,
        timeout: float | None,
        cancel: CancelToken | None,
        wake: Wake,
    ) -> None:
        self._hub = hub
        self._waiting = claim.session.waiting
        self._timeout = checked_wait("timeout", timeout)
        self._cancel = cancel
        self._stream = EventStream[object](hub.settings.queue_limit, wake, claim.session.topic)
        hub.stream(claim, self._stream)

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

    _hub: RealtimeClient
    _awaits: ClassVar[bool]

    def _channel(self, cls: type[C], parameter: str) -> C:
        self._bind()
        kind = cls._TYPE  # pyright: ignore[reportPrivateUsage]
        return cls(self._hub, self._hub.acquire(kind, parameter))

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
        """How many calls of callbacks were dropped so far, because events came too fast.

        At most 1,000 calls wait for each callback, and 20,000 for all of them together. When more
        come the oldest of that callback, or of the channel with most waiting, are dropped, and
        `on_socket_error` is called with a `SlowConsumer` that names it.
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
        return self._hub.on_status(handler, copy_context())

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.status}>"


def log_error(log: Callable[[str, object], None]) -> Callable[[PoolseError], None]:
    """What is told of errors when the user has named nobody: a log must not stay silent."""
    return lambda error: log("realtime: %s", error)


def hub_of(realtime: BaseRealtime) -> RealtimeClient:
    """Return what realtime is made of, which its users do not see."""
    return realtime._hub  # pyright: ignore[reportPrivateUsage]
