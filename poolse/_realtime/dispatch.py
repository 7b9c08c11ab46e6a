"""From the effects of sockets to the channels' subscribers, and to the user's functions."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context
from typing import Final, cast

from poolse._realtime.callback_queue import CallbackQueue, Handler, Listener, Wake
from poolse._realtime.channel import ChannelProtocol
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
from poolse._realtime.events import RealtimeStatus
from poolse._realtime.settings import RealtimeSettings
from poolse._realtime.socket import Socket
from poolse._realtime.subscribers import Subscriber, Subscribers
from poolse._realtime.subscription import ChannelSubscription
from poolse.errors import PoolseError
from poolse.hooks import RealtimeEvent, RealtimeInfo

__all__ = ["Dispatch"]

_STATUS: Final = "on_status"


class Dispatch:
    """The channels of a client, and the functions of the user that wait to be called."""

    def __init__(
        self,
        settings: RealtimeSettings,
        wake_callbacks: Wake,
        on_error: Callable[[PoolseError], object],
        context: Context | None,
    ) -> None:
        self.callbacks: CallbackQueue = CallbackQueue(
            settings.queue_limit, wake_callbacks, on_error, context
        )
        """The user's functions that are to be called, in order."""
        self.subscriptions: dict[ChannelProtocol, ChannelSubscription] = {}
        """Also those that are over, until the server has confirmed it."""
        self.by_topic: dict[str, ChannelSubscription] = {}
        """Those that are not over."""
        self._status: RealtimeStatus = "idle"
        self._status_handlers = Subscribers[Handler, RealtimeStatus]()
        self._observer: Listener | None = None
        observers = settings.observers
        if observers is not None and observers.realtime_enabled:
            observer = cast(Handler, observers.realtime)
            self._observer = Listener("hooks.on_realtime", observer, context=context)
            self.callbacks.general.backlogs.add(self._observer)

    def execute(self, socket: Socket, channel: ChannelProtocol | None, effect: Effect) -> None:
        """Work off an effect of a socket, or of a channel on it."""
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
            case _ if channel in self.subscriptions:
                self._execute(socket, self.subscriptions[channel], effect)
            case _:
                # Nobody refers to the channels of a socket that has no driver any more.
                pass

    def _execute(self, socket: Socket, subscription: ChannelSubscription, effect: Effect) -> None:
        match effect:
            case Deliver():
                subscription.deliver(effect.frame)
            case Changed():
                if subscription.channel.state != "joined":
                    subscription.lost()
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

    def on_status(
        self, handler: Callable[[RealtimeStatus], object], context: Context | None
    ) -> Subscriber[Handler]:
        """Call a handler with each new status."""
        # It is given a status, and nothing else.
        subscriber, _ = self._status_handlers.subscribe(
            _STATUS, cast(Handler, handler), context=context
        )
        self.callbacks.general.backlogs.add(subscriber)
        return subscriber

    def remove_status_handler(self, subscriber: Subscriber[Handler]) -> None:
        """Remove a handler. Doing it again does nothing."""
        if subscriber.active:
            self._status_handlers.unsubscribe(subscriber)
            self.callbacks.remove(self.callbacks.general, subscriber)

    def notify_status(self, status: RealtimeStatus) -> None:
        """Call the handlers of the status, if it has changed."""
        if status != self._status:
            self._status = status
            for subscriber in self._status_handlers.matching(_STATUS):
                self.callbacks.put(self.callbacks.general, subscriber, status)

    def _end_streams(self, socket: Socket, error: PoolseError) -> None:
        for subscription in [s for s in self.subscriptions.values() if s.socket is socket]:
            subscription.end_streams(error)
            if socket.is_broken and not subscription.is_over:
                # Nobody will join it: whoever acquires it again needs another socket.
                self._forget(subscription, error)
            subscription.notify()

    def _forget(self, subscription: ChannelSubscription, error: PoolseError | None) -> None:
        del self.subscriptions[subscription.channel]
        subscription.is_left = True
        if not subscription.is_over:
            del self.by_topic[subscription.topic]
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
