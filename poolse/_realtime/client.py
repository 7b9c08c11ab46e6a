"""The core of realtime: what a user wants on one side, the sockets on the other.

Effects of the sockets go to the subscriptions of their channels, and to the user's functions.

It is given the clock, randomness, and a lock that is held during every change. A driver executes
the commands of each socket, another thread or task calls the functions that wait in `callbacks`.
They decide nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import Context
from functools import partial
from math import inf
from typing import Final, Protocol, TypeVar, cast

from poolse._observe.feed_counters import FeedCounters
from poolse._realtime.channel import ChannelProtocol, Payload, Push
from poolse._realtime.channel_references import (
    ChannelReference,
    ChannelSubscription,
    EventStream,
    fresh,
    topic_of,
)
from poolse._realtime.channel_types import ChannelType, EventType, RealtimeStatus
from poolse._realtime.effects import (
    Answered,
    Changed,
    Deliver,
    Down,
    Effect,
    Ended,
    Failed,
    Trouble,
    Up,
)
from poolse._realtime.frames import Data, FrameError
from poolse._realtime.queues import Call, CallbackQueue, Handler, Listener, Subscriber, Wake
from poolse._realtime.reconnect_policy import ConnectionHistory
from poolse._realtime.settings import RealtimeSettings
from poolse._realtime.socket import Socket
from poolse.errors import ConnectionFailed, PoolseError, UsageError
from poolse.hooks import RealtimeEvent, RealtimeInfo
from poolse.stats import RealtimeStats

__all__ = ["RealtimeClient", "client_of", "log_error"]

P = TypeVar("P")

_LEAST_HEALTHY_FIRST: Final[tuple[RealtimeStatus, ...]] = (
    "closed",
    "reconnecting",
    "connecting",
    "idle",
    "connected",
)


class RealtimeClient:
    """All channels, and as many sockets as they need: a server takes so many on each."""

    def __init__(
        self,
        settings: RealtimeSettings,
        *,
        clock: Callable[[], float],
        random: Callable[[], float],
        lock: AbstractContextManager[object],
        process: Callable[[], int],
        start: Callable[[Socket], None],
        wake_callbacks: Wake,
        on_error: Callable[[PoolseError], object],
        check_caller: Callable[[], object] | None = None,
        context: Context | None = None,
    ) -> None:
        """Create a client without sockets.

        Args:
            settings: Where to connect, and how long to wait for what.
            clock: The monotonic clock.
            random: Returns numbers between 0 and 1.
            lock: Held during every change.
            process: Returns the ID of the process.
            start: Called with each new socket, to start its driver.
            wake_callbacks: Called when the first call waits in `callbacks`.
            on_error: Called with errors that end nothing.
            check_caller: Called before a caller takes the lock, and raises where it must not.
            context: The context to call `on_error` in.
        """
        self.settings = settings
        self.closed: bool = False
        self.wakes: list[Wake] = []
        """Called after every change, for those who wait for all sockets."""
        self.feeds: FeedCounters = FeedCounters(lock)
        """Counts what the feeds that listen here do."""
        self.callbacks: CallbackQueue = CallbackQueue(
            settings.queue_limit, wake_callbacks, on_error, context
        )
        """The user's functions that are to be called, in order."""
        self._subscriptions: dict[ChannelProtocol, ChannelSubscription] = {}
        """Also those that are over, until the server has confirmed it."""
        self._by_topic: dict[str, ChannelSubscription] = {}
        """Those that are not over."""
        self._status: RealtimeStatus = "idle"
        """As it was after the last step."""
        self._status_handlers: list[Subscriber[Handler]] = []
        self._observer: Listener | None = None
        observers = settings.observers
        if observers is not None and observers.realtime_enabled:
            observer = cast(Handler, observers.realtime)
            self._observer = Listener("hooks.on_realtime", observer, context=context)
            self.callbacks.general.backlogs.add(self._observer)
        self._lock = lock
        self._check_caller = check_caller
        self._process = process
        self._started_in: int | None = None
        self._crash: PoolseError | None = None
        self.clock = clock
        self._random = random
        self._start = start
        self._sockets: list[Socket] = []
        self._history = ConnectionHistory(settings.stable_after)
        self._created = 0
        self._retired_reconnects = 0
        self._wanted: bool | None = None

    @property
    def lock(self) -> AbstractContextManager[object]:
        """Held during every change.

        Raises:
            UsageError: This is another process than the one where it all runs, or another loop.
        """
        # Before it is taken: at the fork, a thread that the child lacks may have held it.
        if self.is_forked:
            raise UsageError("realtime does not survive a fork: create a client in each process")
        if self._check_caller is not None:
            self._check_caller()
        return self._lock

    def renew(self, lock: AbstractContextManager[object]) -> None:
        """Replace the lock in a forked child: no thread that could release it is in it."""
        self._lock = lock
        self.feeds.renew(lock)

    @property
    def is_forked(self) -> bool:
        """Whether the threads or tasks that it runs on belong to another process."""
        return self._started_in is not None and self._started_in != self._process()

    @property
    def status(self) -> RealtimeStatus:
        """State of the connection; with several sockets, the least healthy."""
        with self.lock:
            return self._status

    @contextmanager
    def step(self, socket: Socket) -> Generator[float]:
        """Let something happen to a socket, at the time given, and work off what follows."""
        with self._lock:
            now = self.clock()
            yield now
            self._flush(socket, now)

    def receive(self, socket: Socket, generation: int, data: Data) -> None:
        """Take a message: an event goes to its channel at once, all else is a step."""
        with self._lock:
            now = self.clock()
            event = socket.receive(generation, data, now)
            if event is None:
                self._flush(socket, now)
            else:
                channel, frame = event
                self._subscriptions[channel].deliver(frame)

    def driver_failed(self, socket: Socket, cause: BaseException) -> None:
        """Give up a socket whose driver failed."""
        error = ConnectionFailed(f"the socket's driver failed: {type(cause).__name__}", final=True)
        error.__cause__ = cause
        with self.step(socket):
            socket.driver_failed(error)

    def callbacks_failed(self, cause: BaseException) -> None:
        """Give up all: what calls the user's functions failed, and nothing would arrive."""
        with self._lock:
            self._crash = ConnectionFailed("callbacks are no longer called", final=True)
            self._crash.__cause__ = cause
            for socket in list(self._sockets):
                self.driver_failed(socket, cause)

    def callback_failed(self, call: Call, cause: BaseException) -> Call | None:
        """Return the call that reports that a user's function raised, if there is one."""
        with self._lock:
            return self.callbacks.failed(call, cause)

    def connect(self) -> None:
        """Be connected from now on."""
        with self.lock:
            self.check_open()
            sockets = self._usable or [self._add_socket()]
            self._wanted = True
            for socket in sockets:
                with self.step(socket) as now:
                    socket.connect(now)

    def disconnect(self) -> None:
        """Be disconnected from now on."""
        with self.lock:
            self._wanted = False
            for socket in list(self._sockets):
                with self.step(socket):
                    socket.disconnect()
            self._notify_all()

    def is_disconnected(self) -> bool:
        """Return whether every transport that had to close has done so."""
        return not any(socket.connection.closing for socket in self._sockets)

    def close(self) -> None:
        """End everything. Doing it again does nothing."""
        with self.lock:
            if self.closed:
                return
            self.disconnect()
            for subscription in self._subscriptions.values():
                subscription.end(None)
                subscription.is_left = True
            self.closed = True
            self._by_topic.clear()
            self._notify_status()
            self.callbacks.close()
            self._notify_all()
            for socket in self._sockets:
                socket.is_over = True
                socket.wake()

    def acquire(
        self, channel_type: ChannelType, parameter: str, *, internal: bool = False
    ) -> ChannelReference:
        """Acquire a reference to a channel; the first one joins it.

        A socket that was given up is tried again, because the caller asks for it again.

        Args:
            channel_type: The type of the channel.
            parameter: What it is about, such as the ID of a conversation.
            internal: Whether it is for the library itself. Only `release` ends such a reference,
                and no `leave` of a user's.

        Raises:
            UsageError: The client is closed.
            ConnectionFailed: No thread, or nothing else that a socket needs, can be created.
        """
        with self.lock:
            self.check_open()
            topic = topic_of(channel_type, parameter)
            subscription = self._by_topic.get(topic)
            if subscription is None:
                subscription = self._join(channel_type, parameter, topic)
            if self._wanted is None:
                self._wanted = True
            socket = subscription.socket
            if self._wanted and socket.connection.state in ("idle", "failed"):
                with self.step(socket) as now:
                    socket.connect(now)
            return subscription.acquire(internal=internal)

    def release(self, reference: ChannelReference) -> None:
        """Release a reference, with its handlers and iterators; the last one leaves."""
        with self.lock:
            if reference.subscription.release(reference):
                self._leave_unless_referenced(reference.subscription)

    def release_all(self, parameter: str) -> list[ChannelSubscription]:
        """Release all references of users to the channels with this parameter.

        Returns:
            Those that are left: one that the library needs is not.
        """
        with self.lock:
            subscriptions = [s for s in self._by_topic.values() if s.parameter == parameter]
            for subscription in subscriptions:
                subscription.release_all()
                self._leave_unless_referenced(subscription)
            return [subscription for subscription in subscriptions if subscription.is_over]

    def send(self, reference: ChannelReference, event: str, payload: Mapping[str, object]) -> None:
        """Send an event that has no reply, or drop it when the channel is not joined."""
        subscription = reference.subscription
        with self.lock:
            reference.check()
            subscription.socket.check_backlog()
            try:
                with self.step(subscription.socket):
                    subscription.channel.send(event, payload)
            except FrameError as error:
                raise UsageError(str(error)) from None

    def push(
        self, reference: ChannelReference, event: str, payload: Payload, timeout: float | None
    ) -> Push:
        """Send an event that has a reply: now, or as soon as the channel is joined."""
        subscription = reference.subscription
        with self.lock:
            # It raises where a channel will not be joined.
            _ = reference.joined
            subscription.socket.check_backlog()
            try:
                with self.step(subscription.socket) as now:
                    deadline = inf if timeout is None else now + timeout
                    return subscription.channel.push(event, payload, deadline, now)
            except FrameError as error:
                raise UsageError(str(error)) from None

    def withdraw(self, reference: ChannelReference, push: Push) -> None:
        """Wait for the reply to a push no longer."""
        subscription = reference.subscription
        with self.lock, self.step(subscription.socket):
            subscription.channel.withdraw(push)

    def subscribe(
        self,
        reference: ChannelReference,
        event: EventType[P],
        handler: Callable[[P], object],
        context: Context | None = None,
    ) -> Callable[[], None]:
        """Call a handler for an event, until the function returned is called.

        Args:
            reference: What the handler ends with.
            event: The event.
            handler: Called with what `event.read` returned.
            context: The context variables that it is called with; empty by default.
        """
        subscription = reference.subscription
        with self.lock:
            reference.check()
            # It is given what `event.read` returned, and nothing else.
            subscriber = subscription.subscribe(
                reference, event.wire, cast(Handler, handler), context
            )

        def unsubscribe() -> None:
            with self.lock:
                reference.handlers.discard(subscriber)
                subscription.unsubscribe(subscriber)

        return unsubscribe

    def add_stream(self, reference: ChannelReference, stream: EventStream[object]) -> None:
        """Give an iterator every event from now on."""
        with self.lock:
            reference.check()
            reference.subscription.add_stream(reference, stream)

    def on_status(
        self, handler: Callable[[RealtimeStatus], object], context: Context | None = None
    ) -> Callable[[], None]:
        """Call a handler with each new status, until the function returned is called."""
        return self.listen(self._status_handlers, "on_status", handler, context)

    def listen(
        self,
        handlers: list[Subscriber[Handler]],
        name: str,
        handler: Callable[[P], object],
        context: Context | None = None,
    ) -> Callable[[], None]:
        """Add a handler of something that no channel sends, until the function returned is called.

        Args:
            handlers: The list to add it to, for `notify`.
            name: Its name in reports.
            handler: Called with what `notify` is given.
            context: The context variables that it is called with; empty by default.
        """
        general = self.callbacks.general
        with self.lock:
            self.check_open()
            subscriber = Subscriber(name, cast(Handler, handler), context=context)
            handlers.append(subscriber)
            general.backlogs.add(subscriber)

        def unsubscribe() -> None:
            with self.lock:
                if subscriber.active:
                    subscriber.active = False
                    handlers.remove(subscriber)
                    self.callbacks.remove(general, subscriber)

        return unsubscribe

    def notify(self, handlers: list[Subscriber[Handler]], value: object) -> None:
        """Let handlers be called that `listen` added. The lock must be held."""
        for subscriber in handlers:
            self.callbacks.put(self.callbacks.general, subscriber, value)

    def stats(self) -> RealtimeStats:
        """Return the numbers for `stats()`."""
        with self.lock:
            subscriptions = [s for s in self._by_topic.values() if not s.is_over]
            return RealtimeStats(
                status=self._status,
                sockets=sum(socket.connection.state == "open" for socket in self._sockets),
                channels=len(subscriptions),
                joined=sum(s.channel.state == "joined" for s in subscriptions),
                reconnects=self._retired_reconnects + sum(map(_reconnects, self._sockets)),
                queued=len(self.callbacks),
                dropped=self.callbacks.dropped,
            )

    def dropped(self) -> int:
        """Return the number of dropped callback calls, reported as `SlowConsumer`."""
        with self.lock:
            return self.callbacks.dropped

    def check_open(self) -> None:
        """Raise what ended the client, if it has ended."""
        if self.closed:
            raise UsageError("this client is closed; create a new one")
        if self._crash is not None:
            raise fresh(self._crash)

    def _notify_status(self) -> None:
        """Call the handlers of the status, if it has changed."""
        statuses = {socket.connection.status for socket in self._sockets} or {"idle"}
        status: RealtimeStatus = next(name for name in _LEAST_HEALTHY_FIRST if name in statuses)
        if self.closed:
            status = "closed"
        if status != self._status:
            self._status = status
            self.notify(self._status_handlers, status)

    def _flush(self, socket: Socket, now: float) -> None:
        """Work off the effects of a step."""
        for channel, effect in socket.flush(now):
            self._execute(socket, channel, effect)
        # An empty socket is closed, unless it is the only one: that is kept for the next channel.
        if not socket.channels and socket in self._usable and len(self._usable) > 1:
            self._remove(socket)
            socket.retire()
            for channel, effect in socket.flush(now):
                self._execute(socket, channel, effect)
        socket.wake_if_needed()
        self._notify_status()
        for wake in self.wakes:
            wake()

    def _execute(self, socket: Socket, channel: ChannelProtocol | None, effect: Effect) -> None:
        """Work off an effect of a socket, or of a channel on it."""
        subscription = None if channel is None else self._subscriptions.get(channel)
        match effect:
            case Up():
                self._observe(socket, "connected")
            case Down():
                self._observe(socket, "disconnected")
            case Failed():
                self._observe(socket, "failed", error=effect.error)
                self._end_streams(socket, effect.error)
                self.callbacks.report_error(effect.error)
            case Trouble():
                self._observe(socket, "trouble", error=effect.error)
                self.callbacks.report_error(effect.error)
            case _ if subscription is None:
                # No reference is left to the channels of a socket without a driver.
                pass
            case Deliver():
                subscription.deliver(effect.frame)
            case Changed():
                if subscription.channel.state != "joined":
                    subscription.presence.lost()
                else:
                    self._observe(socket, "joined", subscription.topic)
                subscription.notify()
            case Answered():
                subscription.notify()
            case Ended():
                self._observe(socket, "left", subscription.topic, effect.error)
                self._forget(subscription, effect.error)
                if effect.error is not None:
                    self.callbacks.report_error(effect.error)
                subscription.notify()
            case _:
                pass

    def _end_streams(self, socket: Socket, error: PoolseError) -> None:
        for subscription in [s for s in self._subscriptions.values() if s.socket is socket]:
            subscription.end_streams(error)
            if socket.is_broken and not subscription.is_over:
                # It will not be joined: acquiring it again needs another socket.
                self._forget(subscription, error)
            subscription.notify()

    def _forget(self, subscription: ChannelSubscription, error: PoolseError | None) -> None:
        del self._subscriptions[subscription.channel]
        subscription.is_left = True
        if not subscription.is_over:
            del self._by_topic[subscription.topic]
            subscription.end(error)

    def _observe(
        self,
        socket: Socket,
        event: RealtimeEvent,
        topic: str | None = None,
        error: PoolseError | None = None,
    ) -> None:
        if self._observer is not None:
            info = RealtimeInfo(event=event, socket=socket.number, topic=topic, error=error)
            self.callbacks.put(self.callbacks.general, self._observer, info)

    def _join(self, channel_type: ChannelType, parameter: str, topic: str) -> ChannelSubscription:
        # Nothing is registered before the socket has a driver.
        socket = next((s for s in self._sockets if s.has_room), None) or self._add_socket()
        events = channel_type.events.values()
        transient = frozenset(event.wire for event in events if event.transient)
        with self.step(socket) as now:
            channel = socket.join(topic, now, transient)
            subscription = ChannelSubscription(
                channel_type, parameter, socket, channel, self.callbacks
            )
            self._subscriptions[channel] = subscription
            self._by_topic[topic] = subscription
        return subscription

    def _leave_unless_referenced(self, subscription: ChannelSubscription) -> None:
        if not subscription.is_over and not subscription.references:
            if subscription.internal_references:
                subscription.end_users()
            else:
                subscription.end(None)
                del self._by_topic[subscription.topic]
                with self.step(subscription.socket) as now:
                    subscription.channel.leave(now)
        subscription.notify()

    @property
    def _usable(self) -> list[Socket]:
        return [socket for socket in self._sockets if not socket.is_broken]

    def _add_socket(self) -> Socket:
        self._created += 1
        socket = Socket(self.settings, self._random, self._history, self._created)
        # It belongs here once it has a driver: nothing can be expected of a socket without one.
        try:
            self._start(socket)
        except (OSError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ConnectionFailed(f"no socket can be started: {reason}") from error
        self._started_in = self._process()
        # It takes the place of those whose driver failed.
        for broken in [other for other in self._sockets if other.is_broken]:
            self._remove(broken)
        self._sockets.append(socket)
        return socket

    def _remove(self, socket: Socket) -> None:
        self._sockets.remove(socket)
        self._retired_reconnects += _reconnects(socket)

    def _notify_all(self) -> None:
        for wake in self.wakes:
            wake()
        for subscription in self._subscriptions.values():
            subscription.notify()


def _reconnects(socket: Socket) -> int:
    return max(0, socket.opened_times - 1)


def log_error(log: Callable[[str, object], None]) -> Callable[[PoolseError], None]:
    """Return the `on_error` of a user who gave none: a log must not stay silent."""
    return partial(log, "realtime: %s")


class _Realtime(Protocol):
    _client: RealtimeClient


def client_of(realtime: _Realtime) -> RealtimeClient:
    """Return the core of a public `Realtime` or `AsyncRealtime`."""
    return realtime._client  # pyright: ignore[reportPrivateUsage]
