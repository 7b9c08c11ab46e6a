# Printed from poolse/_realtime/async_public.py by "make generate". Do not edit.
"""The public classes of realtime: channels, their events, and all channels together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from contextvars import copy_context
from types import TracebackType
from typing import Any, ClassVar, Generic, Self, TypeVar, cast

from poolse._json.codec import decode_value
from poolse._realtime.channel import Payload
from poolse._realtime.client import RealtimeClient
from poolse._realtime.events import ChannelType, EventType, RealtimeStatus
from poolse._realtime.queues import QueueEnded, Wake
from poolse._realtime.settings import CLOSE_WAIT, JOIN_WAIT, REPLY_WAIT, RealtimeSettings
from poolse._realtime.subscription import ChannelReference, EventStream
from poolse._realtime.sync_driver import GetToken, Wakeup, Workers
from poolse._support.argument_checks import checked_callback, checked_wait
from poolse._support.ids import ANY, checked_id
from poolse.cancel import CancelToken, told
from poolse.errors import JoinError, PoolseError, PushTimeout

__all__ = ["Channel", "Events", "Realtime", "wait_until"]

E = TypeVar("E")
P = TypeVar("P")
C = TypeVar("C", bound="Channel[Any]")

_AWAITS = False


class Channel(Generic[E]):
    """A handle of a channel, which stays joined for as long as any handle is not left.

    Handles of the same channel are equal and share one join. Each holds its own reference: `leave`
    ends the callbacks and iterators of this handle only. Those of a sync client are thread-safe;
    those of an async client belong to its event loop.

    As a context manager it is joined when the block begins, and left when it ends.

    Each callback is called with its events in order, and those of one channel in the order of the
    channel; channels take turns, in one thread or task: a callback that takes long delays the
    others, but neither the sockets nor any iterator. At most 1,000 calls wait for each callback,
    20,000 for all of them together. When more come the oldest are dropped: `on_socket_error` is
    called with a `SlowConsumer` that names the callback, and `dropped` of realtime counts them.

    A callback is called with the context variables of where it was subscribed. What it raises is
    logged, reported to `on_socket_error`, and stops nothing. In an async client `SystemExit` and
    `KeyboardInterrupt` are then passed on to the event loop, as from any other task; in a sync
    client they do not end the program, because they are raised in a thread.
    """

    _TYPE: ClassVar[ChannelType]

    def __init__(self, client: RealtimeClient, reference: ChannelReference) -> None:
        self._client = client
        self._reference = reference
        self._subscription = reference.subscription

    def __repr__(self) -> str:
        state = "left" if self._reference.is_over else self._subscription.channel.state
        return f"<{type(self).__name__} {self.topic} {state}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Channel):
            return NotImplemented
        return self._client is other._client and self.topic == other.topic

    def __hash__(self) -> int:
        return hash(self.topic)

    @property
    def topic(self) -> str:
        """The channel's topic on the wire."""
        return self._subscription.topic

    def events(
        self, timeout: float | None = None, *, cancel: CancelToken | None = None
    ) -> Events[E]:
        """All events from now on, one after the other.

        At most 1,000 wait for the iterator. When more come, typing and presence changes are
        dropped first, then the oldest of the most frequent event, and the next step raises
        `SlowConsumer` with their number; after that it can go on.

        Args:
            timeout: Seconds of silence after which the iteration ends; None for no end.
            cancel: Ends the iteration, from any thread or task.

        Raises:
            Cancelled: By the iterator: `cancel` was cancelled.
            JoinError: By the iterator: the server refused the channel.
            ChannelClosed: By the iterator: the server closed the channel.
            AuthError: By the iterator: the token is refused, also after one refresh.
            ConnectionFailed: By the iterator: the socket was given up.
        """
        return Events(self._client, self._reference, timeout, cancel)

    def wait_joined(
        self, timeout: float | None = JOIN_WAIT, *, cancel: CancelToken | None = None
    ) -> None:
        """Wait until the channel is joined.

        Args:
            timeout: Seconds; None waits as long as it takes.
            cancel: Ends the wait, from any thread or task, with `Cancelled`.

        Raises:
            JoinError: The server refused the channel, with its reason.
            PushTimeout: It was not joined in time; the text and `__cause__` say what was wrong.
            ChannelClosed: The channel was left, or the client closed, meanwhile.
            AuthError: The token is refused, also after one refresh.
            ConnectionFailed: The socket cannot be opened, and trying again would not help.
        """
        limit = checked_wait("timeout", timeout)
        reference, subscription = self._reference, self._subscription
        wakes = subscription.wakes
        if _wait(self._client, wakes, lambda: reference.joined, limit, cancel):
            return
        refusal = subscription.channel.refusal
        if refusal is not None and subscription.socket.trouble is None:
            raise JoinError(self.topic, refusal.reason)
        text = f"{self.topic} was not joined within {limit or 0.0:g} s (join timeout); wait longer"
        error = PushTimeout(f"{text} with wait_joined(timeout=...)")
        raise subscription.explain(error)

    def push(
        self,
        event: str,
        payload: Payload | None = None,
        timeout: float | None = REPLY_WAIT,
        *,
        cancel: CancelToken | None = None,
    ) -> object:
        """Push an event that this release has no method for, and wait for the server's reply.

        It is sent as soon as the channel is joined, once, and never again. An event that the
        server does not know makes the channel crash there; it is joined again by itself.

        Args:
            event: Its name on the wire.
            payload: A JSON object, or bytes for a binary frame; None is an empty object.
            timeout: Seconds for everything together; None waits as long as it takes.
            cancel: Ends the wait with `Cancelled`, from any thread or task. What is sent is sent.

        Returns:
            The response in the server's reply, as parsed JSON, or bytes.

        Raises:
            PushError: The server answered with an error.
            PushTimeout: No reply came in time.
            PushOutcomeUnknown: The connection or the channel was lost before the reply came.
            ChannelClosed: The channel was left, or realtime disconnected, meanwhile.
            RealtimeError: 1,000 pushes wait already.
            UsageError: JSON cannot say the payload.
        """
        limit = checked_wait("timeout", timeout)
        client, reference, wakes = self._client, self._reference, self._subscription.wakes
        push = client.push(reference, event, {} if payload is None else payload, limit)
        try:
            # The core keeps the time too, but its driver may be held up by `get_token`.
            _wait(client, wakes, lambda: push.is_done, limit, cancel)
        finally:
            client.withdraw(reference, push)
        try:
            return push.result()
        except PushTimeout as error:
            raise self._subscription.explain(error) from error.__cause__

    def leave(self) -> None:
        """Release this handle: its callbacks and iterators end. The last handle leaves the channel.

        Other handles of the same channel are not affected. With the last one it waits until the
        server knows, a few seconds at most. Calling it again does nothing.
        """
        client, subscription = self._client, self._subscription
        client.release(self._reference)
        limit, wakes = client.settings.leave_timeout, subscription.wakes
        # Others may keep the channel joined.
        _wait(client, wakes, lambda: subscription.is_left or not subscription.is_over, limit)

    def __enter__(self) -> Self:
        try:
            self.wait_joined()
        except BaseException:
            self.leave()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.leave()

    def _on(self, event: EventType[P], handler: Callable[[P], object]) -> Callable[[], None]:
        checked_callback("handler", handler, awaits=_AWAITS)
        return self._client.subscribe(self._reference, event, handler, copy_context())

    def _send(self, event: str, payload: Mapping[str, object]) -> None:
        # Queued for the driver of the socket, so that nobody has to wait.
        self._client.send(self._reference, event, payload)

    def _presence(self, event: EventType[P]) -> P:
        with self._client.lock:
            return decode_value(event.read, self._subscription.presence.snapshot)


class Events(Generic[E]):
    """The events of a channel, for one consumer. At most 1,000 wait, see `dropped`."""

    def __init__(
        self,
        client: RealtimeClient,
        reference: ChannelReference,
        timeout: float | None,
        cancel: CancelToken | None,
    ) -> None:
        self._client = client
        self._waiting = reference.subscription.waiting
        self._timeout = checked_wait("timeout", timeout)
        self._cancel = cancel
        self._arrived = Wakeup()
        limit, topic = client.settings.queue_limit, reference.subscription.topic
        self._stream = EventStream[object](limit, self._arrived.set, topic)
        client.add_stream(reference, self._stream)

    @property
    def dropped(self) -> int:
        """How many events this iterator lost so far, because more came than it took."""
        return self._stream.queue.dropped

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> E:
        queue, lock = self._stream.queue, self._client.lock
        # Held meanwhile: a task that nobody else holds would be collected as it waits.
        self._waiting.add(self._stream)
        try:
            client, timeout, cancel = self._client, self._timeout, self._cancel
            if not wait_until(client, self._arrived, queue.is_ready, timeout, cancel):
                raise StopIteration
        finally:
            self._waiting.discard(self._stream)
        try:
            with lock:
                # A channel reads its events with the readers of its own type, and no others.
                return cast(E, queue.get())
        except QueueEnded:
            raise StopIteration from None


class Realtime:
    """The sockets of a client, and the channels on them.

    All methods of a sync client's are thread-safe; an async client's belongs to one event loop.
    """

    def __init__(
        self,
        settings: RealtimeSettings,
        token: GetToken,
        on_error: Callable[[PoolseError], object] | None = None,
    ) -> None:
        """Create it; the first socket is opened with the first channel, or by `connect`.

        Args:
            settings: Where to, and how.
            token: Called for a token before each handshake, with the one that was refused or None.
            on_error: Called with errors that end nothing. It may be async in an async client.
        """
        self._workers = Workers(settings, token, on_error)
        self._client: RealtimeClient = self._workers.client

    @property
    def _is_running(self) -> bool:
        return self._workers.is_running

    @property
    def _is_over(self) -> bool:
        return self._workers.is_over

    @property
    def status(self) -> RealtimeStatus:
        """`idle`, `connecting`, `connected`, `reconnecting` or `closed`.

        With several sockets, the least healthy status.
        """
        return self._client.status

    @property
    def dropped(self) -> int:
        """How many calls of callbacks were dropped so far, because events came too fast.

        At most 1,000 calls wait for each callback, and 20,000 for all of them together. When more
        come the oldest of that callback, or of the channel with most waiting, are dropped, and
        `on_socket_error` is called with a `SlowConsumer` that names it.
        """
        return self._client.dropped()

    def on_status(self, handler: Callable[[RealtimeStatus], object]) -> Callable[[], None]:
        """Call a function with each new status.

        Returns:
            A function that removes the handler.

        Raises:
            UsageError: It cannot be called, or is async in a sync client.
        """
        checked_callback("handler", handler, awaits=_AWAITS)
        return self._client.on_status(handler, copy_context())

    def connect(self) -> None:
        """Open the sockets, and keep them open. Returns at once; see `status` and `on_status`."""
        self._client.connect()

    def disconnect(self) -> None:
        """Close the sockets until `connect`. The channels join again then."""
        client = self._client
        client.disconnect()
        _wait(client, client.wakes, client.is_disconnected, CLOSE_WAIT)

    def leave(self, id: object) -> None:
        """Release all handles of the channels with this ID. Waits as `leave` of a channel does."""
        client = self._client
        for subscription in client.release_all(checked_id("id", id, ANY)):
            limit, wakes = client.settings.leave_timeout, subscription.wakes
            _wait(client, wakes, subscription.has_left, limit)

    def close(self) -> None:
        """Leave all channels and close all sockets, for good. Calling it again does nothing.

        Nothing of it runs any more when it returns, unless a callback or `get_token` takes longer
        than a few seconds. A callback may call it.
        """
        self._workers.close()

    def _channel(self, cls: type[C], parameter: str) -> C:
        channel_type = cls._TYPE  # pyright: ignore[reportPrivateUsage]
        return cls(self._client, self._client.acquire(channel_type, parameter))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.status}>"


def _wait(
    client: RealtimeClient,
    wakes: list[Wake],
    ready: Callable[[], bool],
    timeout: float | None,
    cancel: CancelToken | None = None,
) -> bool:
    """Wait until something of a client holds; False when it did not in time."""
    changed = Wakeup()
    with client.lock:
        wakes.append(changed.set)
    try:
        return wait_until(client, changed, ready, timeout, cancel)
    finally:
        with client.lock:
            wakes.remove(changed.set)


def wait_until(
    client: RealtimeClient,
    wakeup: Wakeup,
    ready: Callable[[], bool],
    timeout: float | None,
    cancel: CancelToken | None = None,
) -> bool:
    """Wait until something holds; False when it did not in time.

    Args:
        client: Its lock is held while asking.
        wakeup: Set to ask again.
        ready: Asked at first, and after each wakeup.
        timeout: Seconds; None for no end.
        cancel: Ends the wait.

    Raises:
        Cancelled: By the token.
    """
    end = None if timeout is None else client.clock() + timeout
    wake = wakeup.set
    with nullcontext() if cancel is None else told(cancel, wake):
        while True:
            if cancel is not None:
                cancel.raise_if_cancelled()
            with client.lock:
                if ready():
                    return True
            left = None if end is None else end - client.clock()
            if left is not None and left <= 0:
                return False
            wakeup.wait(left)
