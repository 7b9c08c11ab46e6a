"""Public classes of realtime: the client's realtime, its channels and their events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from contextvars import copy_context
from math import inf
from types import TracebackType
from typing import Any, ClassVar, Generic, Self, TypeVar, cast

from poolse._json.codec import decode_value
from poolse._realtime.async_driver import AsyncGetToken, AsyncWakeup, AsyncWorkers
from poolse._realtime.channel import Payload
from poolse._realtime.channel_references import ChannelReference, EventStream
from poolse._realtime.channel_types import ChannelType, EventType, RealtimeStatus
from poolse._realtime.client import RealtimeClient
from poolse._realtime.queues import QueueEnded, Wake
from poolse._realtime.settings import CLOSE_WAIT, JOIN_WAIT, REPLY_WAIT, RealtimeSettings
from poolse._support.argument_checks import PLAIN_HINT, checked_callback, checked_wait
from poolse._support.background import async_start_later
from poolse._support.event_loop import in_this_loop
from poolse._support.exception_copies import own_copy
from poolse._support.id_arguments import ANY, checked_id
from poolse.cancel import CancelToken, told
from poolse.errors import ChannelClosed, PoolseError, PushTimeout

__all__ = [
    "AsyncChannel",
    "AsyncEvents",
    "AsyncJoined",
    "AsyncRealtime",
    "AsyncRepeatedPush",
    "wait_changed",
    "wait_until",
]

E = TypeVar("E")
P = TypeVar("P")
C = TypeVar("C", bound="AsyncChannel[Any]")

_AWAITS = True  # sync: _AWAITS = False


class AsyncJoined:
    """Joined while a `with` block runs."""

    async def wait_joined(self) -> None:
        """Wait until it is joined."""
        raise NotImplementedError

    async def leave(self) -> None:
        """Leave it."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        try:
            await self.wait_joined()
        except BaseException:
            await self.leave()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.leave()


class AsyncChannel(AsyncJoined, Generic[E]):
    """Handle for a channel. The channel stays joined until all of its handles are left.

    Handles of the same channel are equal and share one join. Each holds its own reference: `leave`
    ends the callbacks and iterators of this handle only. Handles of a sync client are thread-safe;
    handles of an async client belong to its event loop.

    As a context manager, the handle joins on entering and leaves on exit.

    All callbacks run in one thread or task, in the order of the events of each channel; channels
    take turns. A slow callback delays other callbacks, but neither the sockets nor any iterator. Up
    to 1,000 calls are queued per callback and 20,000 in total. Beyond that the oldest are dropped:
    `on_socket_error` is called with a `SlowConsumer` that names the callback, and the `dropped`
    property of realtime counts them.

    A callback is called with the context variables of the place where it was added. Its exceptions
    are logged, reported to `on_socket_error`, and have no other effect. In an async client
    `SystemExit` and `KeyboardInterrupt` are also passed to the event loop, as from any other task;
    in a sync client they do not end the program, because they are raised in a thread.
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
        if not isinstance(other, AsyncChannel):
            return NotImplemented
        return self._client is other._client and self.topic == other.topic

    def __hash__(self) -> int:
        return hash(self.topic)

    @property
    def topic(self) -> str:
        """Topic of the channel."""
        return self._subscription.topic

    def events(
        self, timeout: float | None = None, *, cancel: CancelToken | None = None
    ) -> AsyncEvents[E]:
        """Return an iterator of all events from now on.

        A slow consumer never blocks the socket; each iterator buffers up to 1,000 events. Beyond
        that, typing and presence changes are dropped first, then the oldest of the most frequent
        event, and the next step raises `SlowConsumer` with their number. You can continue to
        iterate after that.

        Args:
            timeout: Idle timeout: seconds without an event after which the iteration ends. None for
                no timeout.
            cancel: Token that ends the iteration from another thread or task.

        Raises:
            Cancelled: On iterating: `cancel` was cancelled.
            JoinError: On iterating: the server refused to join the channel.
            ChannelClosed: On iterating: the server closed the channel.
            AuthError: On iterating: the token was refused, even after it was refreshed once.
            ConnectionFailed: On iterating: the socket failed permanently.
        """
        return AsyncEvents(self._client, self._reference, timeout, cancel)

    async def wait_for(
        self,
        event: type[P],
        predicate: Callable[[P], object] | None = None,
        timeout: float | None = None,
        *,
        cancel: CancelToken | None = None,
    ) -> P:
        """Wait for the next event of a class.

        Only events from now on. To wait for what follows from a call of your own, create an
        iterator with `events` before the call.

        New in 0.5.

        Args:
            event: Class of the event, such as `MessageNew`, or a base class of several.
            predicate: Called with each such event; the first for which it returns a true value is
                returned. Must not be async.
            timeout: Seconds in total; None for no timeout.
            cancel: Token that ends the wait from another thread or task.

        Returns:
            The event.

        Raises:
            PushTimeout: There was no such event in time.
            ChannelClosed: The channel was left, or the client closed, while waiting.
            Cancelled: `cancel` was cancelled.
            PoolseError: See `events`.

        Example:
            >>> message = await live.wait_for(MessageNew, lambda m: m.body == "stop", timeout=60)
        """
        if predicate is not None:
            checked_callback("predicate", predicate, awaits=False, hint=PLAIN_HINT)
        limit, clock = checked_wait("timeout", timeout), self._client.clock
        end = inf if limit is None else clock() + limit
        events = AsyncEvents[object](self._client, self._reference, limit, cancel)
        async for found in events:
            if isinstance(found, event) and (predicate is None or predicate(found)):
                return found
            events._end_by(end)  # pyright: ignore[reportPrivateUsage]
        if clock() < end:
            raise ChannelClosed(f"{self.topic} was left")
        raise PushTimeout(f"no {event.__name__} of {self.topic} within {limit:g} s")

    async def wait_joined(
        self, timeout: float | None = JOIN_WAIT, *, cancel: CancelToken | None = None
    ) -> None:
        """Wait until the channel is joined.

        Args:
            timeout: Seconds; None for no timeout.
            cancel: Token that ends the wait from another thread or task.

        Raises:
            JoinError: The server refused to join the channel.
            PushTimeout: The channel was not joined in time. Message and `__cause__` say why.
            ChannelClosed: The channel was left, or the client closed, while waiting.
            AuthError: The token was refused, even after it was refreshed once.
            ConnectionFailed: The socket failed permanently.
            Cancelled: `cancel` was cancelled.
        """
        limit = checked_wait("timeout", timeout)
        reference, subscription = self._reference, self._subscription
        wakes = subscription.wakes
        if await wait_changed(self._client, wakes, lambda: reference.joined, limit, cancel):
            return
        refusal = subscription.channel.refusal
        if refusal is not None and subscription.socket.trouble is None:
            raise own_copy(refusal)
        text = f"{self.topic} was not joined within {limit or 0.0:g} s (join timeout); wait longer"
        error = PushTimeout(f"{text} with wait_joined(timeout=...)")
        raise subscription.explain(error)

    async def push(
        self,
        event: str,
        payload: Payload | None = None,
        timeout: float | None = REPLY_WAIT,
        *,
        cancel: CancelToken | None = None,
    ) -> object:
        """Push an event without a method of its own, and return the server's reply.

        Sent once the channel is joined, and never retried. An event that the server does not know
        crashes the channel on the server; the client rejoins it.

        Args:
            event: Name of the event on the wire.
            payload: A JSON object, or bytes for a binary frame. None is an empty object.
            timeout: Seconds for the join, the push and the reply together; None for no timeout.
            cancel: Token that ends the wait from another thread or task. A push that is already
                sent is not withdrawn.

        Returns:
            The response of the reply, as parsed JSON, or bytes.

        Raises:
            PushError: The server replied with an error.
            PushTimeout: No reply was received in time.
            PushOutcomeUnknown: The connection or the channel was lost before the reply.
            ChannelClosed: The channel was left, or realtime was disconnected, while waiting.
            RealtimeError: The queue of 1,000 pushes is full.
            UsageError: The payload cannot be encoded as JSON.
            Cancelled: `cancel` was cancelled.
        """
        limit = checked_wait("timeout", timeout)
        client, reference, wakes = self._client, self._reference, self._subscription.wakes
        push = client.push(reference, event, {} if payload is None else payload, limit)
        try:
            # The core keeps the time too, but its driver may be held up by `get_token`.
            await wait_changed(client, wakes, lambda: push.is_done, limit, cancel)
        finally:
            client.withdraw(reference, push)
        try:
            return push.result()
        except PushTimeout as error:
            raise self._subscription.explain(error) from error.__cause__

    async def leave(self) -> None:
        """Release this handle and end its callbacks and iterators. The last one leaves the channel.

        Other handles of the same channel are not affected. The last handle waits for the server's
        reply, a few seconds at most. Calling it again has no effect.
        """
        client, subscription = self._client, self._subscription
        client.release(self._reference)
        limit, wakes = client.settings.leave_timeout, subscription.wakes
        # Others may keep the channel joined.
        await wait_changed(
            client, wakes, lambda: subscription.is_left or not subscription.is_over, limit
        )

    def _on(self, event: EventType[P], handler: Callable[[P], object]) -> Callable[[], None]:
        checked_callback("handler", handler, awaits=_AWAITS)
        return self._client.subscribe(self._reference, event, handler, copy_context())

    def _send(self, event: str, payload: Mapping[str, object]) -> None:
        # Queued for the driver of the socket, so that the caller does not wait.
        self._client.send(self._reference, event, payload)

    def _presence(self, event: EventType[P]) -> P:
        with self._client.lock:
            return decode_value(event.read, self._subscription.presence.snapshot)


class AsyncRepeatedPush:
    """Context manager that sends an event again and again while its block runs."""

    def __init__(
        self, client: RealtimeClient, reference: ChannelReference, event: str, every: float
    ) -> None:
        self._client = client
        self._reference = reference
        self._event = event
        self._every = every
        self._is_over = False
        self._cancel: Callable[[], object] = lambda: None

    def __enter__(self) -> Self:
        self._is_over = False
        self._send()
        return self

    def __exit__(self, *exc_info: object) -> None:
        with self._client.lock:
            self._is_over = True
            self._cancel()

    # async only
    async def __aenter__(self) -> Self:
        return self.__enter__()

    # async only
    async def __aexit__(self, *exc_info: object) -> None:
        self.__exit__()

    def _send(self) -> None:
        client = self._client
        with client.lock:
            if not self._is_over:
                client.send(self._reference, self._event, {})
                self._cancel = async_start_later(self._every, self._send_again)

    async def _send_again(self) -> None:
        try:
            self._send()
        except PoolseError:
            # The channel was left meanwhile, so that nobody is interested any more.
            pass


class AsyncEvents(Generic[E]):
    """Iterator of the events of a channel, for one consumer. Buffers up to 1,000 events."""

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
        self._arrived = AsyncWakeup()
        limit, topic = client.settings.queue_limit, reference.subscription.topic
        self._stream = EventStream[object](limit, self._arrived.set, topic)
        client.add_stream(reference, self._stream)

    @property
    def dropped(self) -> int:
        """Number of events that this iterator dropped, because it was too slow."""
        return self._stream.queue.dropped

    def _end_by(self, time: float) -> None:
        """Let the next step wait until a time of the client's clock at most."""
        self._timeout = None if time == inf else max(0.0, time - self._client.clock())

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> E:
        queue, lock = self._stream.queue, self._client.lock
        # Held meanwhile: a waiting task without other references would be collected.
        self._waiting.add(self._stream)
        try:
            client, timeout, cancel = self._client, self._timeout, self._cancel
            if not await wait_until(client, self._arrived, queue.is_ready, timeout, cancel):
                raise StopAsyncIteration
        finally:
            self._waiting.discard(self._stream)
        try:
            with lock:
                # A channel reads its events only with the readers of its own type.
                return cast(E, queue.get())
        except QueueEnded:
            raise StopAsyncIteration from None


class AsyncRealtime:
    """The sockets of a client, and the channels on them.

    Thread-safe in a sync client. In an async client it belongs to one event loop.
    """

    def __init__(
        self,
        settings: RealtimeSettings,
        token: AsyncGetToken,
        on_error: Callable[[PoolseError], object] | None = None,
    ) -> None:
        """Create it. The first socket opens with the first channel, or by `connect`.

        Args:
            settings: Settings of realtime.
            token: Called for a token before each handshake, with the refused token or None.
            on_error: Called with non-fatal errors. May be async in an async client.
        """
        self._workers = AsyncWorkers(settings, token, on_error)
        self._client: RealtimeClient = self._workers.client

    @property
    def _is_running(self) -> bool:
        return self._workers.is_running

    @property
    def _is_over(self) -> bool:
        return self._workers.is_over

    @property
    def status(self) -> RealtimeStatus:
        """Status: `idle`, `connecting`, `connected`, `reconnecting` or `closed`.

        With several sockets, the least healthy status.
        """
        return self._client.status

    @property
    def dropped(self) -> int:
        """Number of callback calls that were dropped, because the callbacks were too slow.

        Up to 1,000 calls are queued per callback and 20,000 in total. Beyond that the oldest calls
        of the callback, or of the channel with the longest queue, are dropped, and
        `on_socket_error` is called with a `SlowConsumer` that names the callback.
        """
        return self._client.dropped()

    def on_status(self, handler: Callable[[RealtimeStatus], object]) -> Callable[[], None]:
        """Add a handler for changes of `status`.

        Args:
            handler: Called with each new status.

        Returns:
            A function that removes the handler.

        Raises:
            UsageError: The handler is not callable, or is async in a sync client.
        """
        checked_callback("handler", handler, awaits=_AWAITS)
        return self._client.on_status(handler, copy_context())

    async def connect(self) -> None:
        """Open the sockets and keep them open. Does not wait; see `status` and `on_status`."""
        self._workers.bind()  # sync:
        self._client.connect()

    async def disconnect(self) -> None:
        """Close the sockets until `connect`, which rejoins the channels."""
        client = self._client
        client.disconnect()
        await wait_changed(client, client.wakes, client.is_disconnected, CLOSE_WAIT)

    async def leave(self, id: object) -> None:
        """Release all handles of the channels with an ID. Waits like `leave` of a channel."""
        client = self._client
        for subscription in client.release_all(checked_id("id", id, ANY)):
            limit, wakes = client.settings.leave_timeout, subscription.wakes
            await wait_changed(client, wakes, subscription.has_left, limit)

    async def aclose(self) -> None:
        """Leave all channels and close all sockets permanently. Calling it again has no effect.

        All threads and tasks have ended when it returns, unless a callback or `get_token` takes
        longer than a few seconds. May be called from a callback.
        """
        await self._workers.close()

    def _channel(self, cls: type[C], parameter: str) -> C:
        self._workers.bind()  # sync:
        channel_type = cls._TYPE  # pyright: ignore[reportPrivateUsage]
        return cls(self._client, self._client.acquire(channel_type, parameter))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.status}>"


async def wait_changed(
    client: RealtimeClient,
    wakes: list[Wake],
    ready: Callable[[], bool],
    timeout: float | None,
    cancel: CancelToken | None = None,
) -> bool:
    """Wait until a condition of a client holds; return False on a timeout."""
    changed = AsyncWakeup()
    with client.lock:
        wakes.append(changed.set)
    try:
        return await wait_until(client, changed, ready, timeout, cancel)
    finally:
        with client.lock:
            wakes.remove(changed.set)


async def wait_until(
    client: RealtimeClient,
    wakeup: AsyncWakeup,
    ready: Callable[[], bool],
    timeout: float | None,
    cancel: CancelToken | None = None,
) -> bool:
    """Wait until a condition holds; return False on a timeout.

    Args:
        client: Its lock is held during the check.
        wakeup: Set to check again.
        ready: The condition, checked first and after each wakeup.
        timeout: Seconds; None for no timeout.
        cancel: Ends the wait.

    Raises:
        Cancelled: `cancel` was cancelled.
    """
    end = None if timeout is None else client.clock() + timeout
    wake = in_this_loop(wakeup.set)  # sync: wake = wakeup.set
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
            await wakeup.wait(left)
