"""What the sockets said, on its way to the channels' handles and to the user's functions.

One half of the brain; `Hub` is the other one, which knows what the user wants.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import Context
from typing import cast

from poolse._observe.feed_counters import FeedCounters
from poolse._realtime.callback_queue import Call, CallbackQueue, Handler, Listener, Wake
from poolse._realtime.channel import ChannelProtocol
from poolse._realtime.channel_effects import Answered, Changed, Deliver, Ended
from poolse._realtime.effects import Down, Failed, Trouble, Up
from poolse._realtime.events import RealtimeStatus
from poolse._realtime.frames import Data
from poolse._realtime.settings import RealtimeSettings
from poolse._realtime.socket import News, Socket
from poolse._realtime.socket_pool import SocketPool
from poolse._realtime.status import StatusListeners
from poolse._realtime.subscription import ChannelSubscription, fresh
from poolse.errors import ConnectionFailed, PoolseError, UsageError
from poolse.hooks import RealtimeEvent, RealtimeInfo

__all__ = ["Dispatch", "wake_all"]


class Dispatch:
    """All sockets, and everything that waits to be told to the user."""

    def __init__(
        self,
        settings: RealtimeSettings,
        *,
        clock: Callable[[], float],
        random: Callable[[], float],
        guard: AbstractContextManager[object],
        process: Callable[[], int],
        start: Callable[[Socket], None],
        wake_calls: Wake,
        on_error: Callable[[PoolseError], object],
        context: Context | None = None,
    ) -> None:
        self.settings = settings
        self.closed = False
        self.calls: CallbackQueue = CallbackQueue(
            settings.queue_limit, wake_calls, on_error, context
        )
        """The user's functions that are to be called, in order."""
        self.wakes: list[Wake] = []
        """Called after every change, for whoever waits for all sockets."""
        self.feeds: FeedCounters = FeedCounters(guard)
        """Counts what the feeds that listen here do."""
        self._guard = guard
        self._process = process
        self._home: int | None = None
        self._crash: PoolseError | None = None
        self._clock = clock
        self._start = start
        self._fleet = SocketPool(settings, random)
        self._wanted: bool | None = None
        self._sessions: dict[ChannelProtocol, ChannelSubscription] = {}
        self._by_topic: dict[str, ChannelSubscription] = {}
        self._watch = StatusListeners()
        ears = settings.ears
        self._observer: Listener | None = None
        if ears is not None and ears.realtime_enabled:
            observer = cast(Handler, ears.realtime)
            self._observer = Listener("hooks.on_realtime", observer, context=context)
            self.calls.general.backlogs.add(self._observer)

    @property
    def guard(self) -> AbstractContextManager[object]:
        """Held during every change.

        Raises:
            UsageError: This is another process than the one where it all runs.
        """
        # Before it is taken: at the fork, a thread that the child lacks may have held it.
        if self.is_elsewhere:
            raise UsageError("realtime does not survive a fork: make a client in each process")
        return self._guard

    def renew(self, guard: AbstractContextManager[object]) -> None:
        """This is a forked child: whoever held the old guard is not in it."""
        self._guard = guard
        self.feeds.renew(guard)

    @property
    def is_elsewhere(self) -> bool:
        """Whether the threads or tasks that it runs on belong to another process."""
        return self._home is not None and self._home != self._process()

    @property
    def status(self) -> RealtimeStatus:
        """State of the connection; with several sockets, that of the worst."""
        with self.guard:
            return "closed" if self.closed else self._fleet.status

    @contextmanager
    def turn(self, link: Socket) -> Generator[float]:
        """Tell a link what happened, at the time given."""
        with self.guard:
            yield self._clock()
            self._settle(link)

    def received(self, link: Socket, generation: int, messages: Sequence[Data]) -> None:
        """Tell a link what came, and whoever wants it what was heard, in this order."""
        with self.turn(link) as now:
            for channel, frame in link.received(generation, messages, now):
                if link.effects:
                    self._follow_all(link)
                self._sessions[channel].deliver(frame, self.calls)

    def broken(self, link: Socket, cause: BaseException) -> None:
        """Whoever looked after this link died of a mistake."""
        error = ConnectionFailed(f"the socket's owner failed: {type(cause).__name__}", final=True)
        error.__cause__ = cause
        with self.turn(link) as now:
            link.broken(error, now)

    def crashed(self, cause: BaseException) -> None:
        """Whoever calls the user's functions died of a mistake: nothing would be told any more."""
        with self.guard:
            self._crash = ConnectionFailed("nobody calls the callbacks any more", final=True)
            self._crash.__cause__ = cause
            for link in list(self._fleet.links):
                self.broken(link, cause)

    def callback_failed(self, call: Call, cause: BaseException) -> Call | None:
        """A function of the user's raised. Returns the call that reports it, if there is one."""
        with self.guard:
            return self.calls.failed(call, cause)

    def _add_link(self) -> Socket:
        link = self._fleet.new()
        # It belongs here once it has an owner: nothing can be expected of a socket without one.
        try:
            self._start(link)
        except (OSError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ConnectionFailed(f"no socket can be started: {reason}") from error
        self._home = self._process()
        self._fleet.add(link)
        return link

    def _check_open(self) -> None:
        if self.closed:
            raise UsageError("this client is closed; make a new one")
        if self._crash is not None:
            raise fresh(self._crash)

    def _settle(self, link: Socket) -> None:
        """Pass on what a link said."""
        self._follow_all(link)
        if link.is_empty:
            self._retire(link)
        link.wake_if_needed()
        self._tell_status()
        wake_all(self.wakes)

    def _retire(self, link: Socket) -> None:
        """Close an empty socket, unless it is the only one: that is kept for the next channel."""
        if link in self._fleet.usable and len(self._fleet.usable) > 1:
            self._fleet.remove(link)
            link.retire(self._clock())
            self._follow_all(link)

    def _follow_all(self, link: Socket) -> None:
        effects, link.effects = link.effects, []
        for effect in effects:
            self._follow(link, effect)

    def _follow(self, link: Socket, effect: Deliver | News) -> None:
        match effect:
            case Deliver():
                self._sessions[effect.channel].deliver(effect.frame, self.calls)
            case Up():
                self._observed(link, "connected")
            case Down():
                self._observed(link, "disconnected")
            case Changed():
                session = self._sessions[effect.channel]
                if effect.channel.state != "joined":
                    session.lost()
                else:
                    self._observed(link, "joined", session.topic)
                wake_all(session.wakes)
            case Answered():
                wake_all(self._sessions[effect.channel].wakes)
            case Ended():
                self._observed(link, "left", effect.channel.topic, effect.error)
                self._ended(effect)
            case Failed():
                self._observed(link, "failed", error=effect.error)
                self._given_up(link, effect.error)
                self.calls.report(effect.error)
            case Trouble():
                self._observed(link, "trouble", error=effect.error)
                self.calls.report(effect.error)

    def _given_up(self, link: Socket, error: PoolseError) -> None:
        for session in [s for s in self._sessions.values() if s.link is link]:
            session.end_streams(error)
            if link.is_broken and not session.is_over:
                # Nobody will join it: whoever asks anew needs another socket.
                session.over(error, self.calls)
                session.has_left = True
                del self._by_topic[session.topic]
                del self._sessions[session.machine]
            wake_all(session.wakes)

    def _observed(
        self,
        link: Socket,
        event: RealtimeEvent,
        topic: str | None = None,
        error: PoolseError | None = None,
    ) -> None:
        """Let the observers be told, if there are any."""
        if self._observer is not None:
            info = RealtimeInfo(event=event, socket=link.number, topic=topic, error=error)
            self.calls.put(self.calls.general, self._observer, info)

    def _ended(self, effect: Ended) -> None:
        session = self._sessions.pop(effect.channel)
        session.has_left = True
        if not session.is_over:
            del self._by_topic[session.topic]
            session.over(effect.error, self.calls)
        if effect.error is not None:
            self.calls.report(effect.error)
        wake_all(session.wakes)

    def _tell_status(self) -> None:
        self._watch.tell(self.status, self.calls)

    def _wake_waiters(self) -> None:
        wake_all(self.wakes)
        for session in self._sessions.values():
            wake_all(session.wakes)


def wake_all(wakes: list[Wake]) -> None:
    """Wake whoever waits."""
    for wake in wakes:
        wake()
