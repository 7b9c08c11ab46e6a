"""The brain of realtime as one object: what a user wants on one side, the sockets on the other.

A body gives it the clock, randomness, and a guard that is held during every change: a lock where
threads share it. A body carries out each link's commands, calls the functions that wait in
`calls`, and waits for what its callers wait for. It decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Final, TypeVar, cast

from poolse._realtime.calls import Call, Calls, Handler, Wake
from poolse._realtime.channel import Changed, Deliver, Ended
from poolse._realtime.effects import Failed, Trouble
from poolse._realtime.events import ChannelType, EventType, RealtimeStatus
from poolse._realtime.fanout import Fanout
from poolse._realtime.fleet import Fleet, Link, LinkEffect
from poolse._realtime.frames import FrameError
from poolse._realtime.session import Session, Stream, topic_of
from poolse._realtime.settings import RealtimeSettings
from poolse.errors import ConnectionFailed, DecodeError, PoolseError, UsageError

__all__ = ["Hub"]

H = TypeVar("H")
P = TypeVar("P")

_STATUS: Final = "status"


class Hub:
    """All channels, all sockets, and everything that waits to be told to the user."""

    def __init__(
        self,
        settings: RealtimeSettings,
        *,
        clock: Callable[[], float],
        random: Callable[[], float],
        guard: AbstractContextManager[object],
        start: Callable[[Link], None],
        wake_calls: Wake,
        on_error: Callable[[PoolseError], object],
    ) -> None:
        self.settings = settings
        self.guard = guard
        self.closed = False
        self.calls = Calls(settings.queue_limit, wake_calls, on_error)
        """The user's functions that are to be called, in order."""
        self.wakes: list[Wake] = []
        """Called after every change, for whoever waits for all sockets."""
        self._clock = clock
        self._start = start
        self._fleet = Fleet(settings, random)
        self._wanted: bool | None = None
        self._sessions: dict[object, Session] = {}
        self._by_topic: dict[str, Session] = {}
        self._status: RealtimeStatus = "idle"
        self._status_handlers = Fanout[Handler, RealtimeStatus]()

    # What the user does.

    @property
    def status(self) -> RealtimeStatus:
        """State of the connection; with several sockets, that of the worst."""
        with self.guard:
            return "closed" if self.closed else self._fleet.status

    def connect(self) -> None:
        """Be connected from now on."""
        with self.guard:
            self._check_open()
            self._wanted = True
            if not self._fleet.links:
                self._add_link()
            for link in self._fleet.links:
                link.connect(self._clock())
                self._settle(link)

    def disconnect(self) -> None:
        """Be disconnected from now on."""
        with self.guard:
            self._wanted = False
            for link in self._fleet.links:
                link.disconnect(self._clock())
                self._settle(link)
            self._wake_waiters()

    def is_quiet(self) -> bool:
        """Whether every transport that was told to close has done so."""
        return not any(link.connection.closing for link in self._fleet.links)

    def close(self) -> None:
        """End everything. Doing it again does nothing."""
        with self.guard:
            if self.closed:
                return
            self.disconnect()
            for session in self._sessions.values():
                session.over(None)
                session.has_left = True
            self.closed = True
            self._by_topic.clear()
            self._tell_status()
            self.calls.close()
            self._wake_waiters()
            for link in self._fleet.links:
                link.wake()

    def claim(self, kind: ChannelType, parameter: str, make: Callable[[Session], H]) -> H:
        """One claim more on a channel; the first one joins it.

        Returns:
            The handle that `make` made for the first claim.
        """
        with self.guard:
            session = self._session(kind, parameter)
            if session.handle is None:
                session.handle = make(session)
            session.claims += 1
            # A topic has one kind of channel, and that one kind of handle.
            return cast(H, session.handle)

    def hold(self, kind: ChannelType, parameter: str) -> Session:
        """A claim of the library's own on a channel, which only `let_go` gives back."""
        with self.guard:
            session = self._session(kind, parameter)
            session.holds += 1
            return session

    def let_go(self, session: Session) -> None:
        """Give a claim of the library's own back."""
        with self.guard:
            session.holds -= 1
            self._leave_unless_claimed(session)

    def release(self, session: Session) -> None:
        """One claim less; the last one leaves the channel."""
        with self.guard:
            session.claims = max(0, session.claims - 1)
            self._leave_unless_claimed(session)

    def _session(self, kind: ChannelType, parameter: str) -> Session:
        self._check_open()
        topic = topic_of(kind, parameter)
        if self._wanted is None:
            self._wanted = True
        return self._by_topic.get(topic) or self._join(kind, parameter, topic)

    def _leave_unless_claimed(self, session: Session) -> None:
        if session.is_over or session.claims:
            return
        if session.holds:
            session.silence(self.calls)
        else:
            session.over(None)
            del self._by_topic[session.topic]
            session.link.leave(session.machine, self._clock())
            self._settle(session.link)
            _wake(session.wakes)

    def release_all(self, parameter: str) -> list[Session]:
        """Give all claims back on the channels with this parameter."""
        with self.guard:
            found = [s for s in self._by_topic.values() if s.parameter == parameter]
            for session in found:
                session.claims = 1
                self.release(session)
            # One that the library holds is not left.
            return [session for session in found if session.is_over]

    def push(self, session: Session, event: str, payload: Mapping[str, object]) -> None:
        """Send an event that has no reply, or drop it when the channel is not joined."""
        with self.guard:
            session.check()
            try:
                session.link.push(session.machine, event, payload, self._clock())
            except FrameError as error:
                raise UsageError(str(error)) from None
            self._settle(session.link)

    def subscribe(
        self, session: Session, event: EventType[P], handler: Callable[[P], object]
    ) -> Callable[[], None]:
        """Let a handler be called for an event, until the function returned is called."""
        with self.guard:
            session.check()
            # It is given what `event.read` returned, and nothing else.
            subscription = session.subscribe(event.wire, cast(Handler, handler), self.calls)

        def unsubscribe() -> None:
            with self.guard:
                session.unsubscribe(subscription)

        return unsubscribe

    def stream(self, session: Session, stream: Stream[object]) -> None:
        """Give an iterator every event from now on."""
        with self.guard:
            session.check()
            session.stream(stream, self.calls)

    def on_status(self, handler: Callable[[RealtimeStatus], object]) -> Callable[[], None]:
        """Let a handler be called with each new status, until the function returned is called."""
        with self.guard:
            self._check_open()
            subscription, _ = self._status_handlers.subscribe(_STATUS, cast(Handler, handler))

        def unsubscribe() -> None:
            with self.guard:
                self._status_handlers.unsubscribe(subscription)

        return unsubscribe

    # What the body does.

    @contextmanager
    def turn(self, link: Link) -> Generator[float]:
        """Tell a link what happened, at the time given."""
        with self.guard:
            yield self._clock()
            self._settle(link)

    def broken(self, link: Link, cause: BaseException) -> None:
        """Whoever looked after this link died of a mistake."""
        error = ConnectionFailed(f"the socket's owner failed: {type(cause).__name__}", final=True)
        error.__cause__ = cause
        with self.turn(link) as now:
            link.broken(error, now)

    def callback_failed(self, call: Call, cause: BaseException) -> None:
        """A function of the user's raised."""
        with self.guard:
            self.calls.failed(call, cause)

    def _check_open(self) -> None:
        if self.closed:
            raise UsageError("the client is closed")

    def _join(self, kind: ChannelType, parameter: str, topic: str) -> Session:
        link = self._fleet.with_room() or self._add_link()
        machine = link.join(topic, self._clock())
        session = Session(kind, parameter, topic, link, machine)
        self._sessions[machine] = session
        self._by_topic[topic] = session
        if self._wanted and link.connection.status == "idle":
            link.connect(self._clock())
        self._settle(link)
        return session

    def _add_link(self) -> Link:
        link = self._fleet.add()
        self._start(link)
        return link

    def _settle(self, link: Link) -> None:
        """Pass on what a link said."""
        effects, link.effects = link.effects, []
        for effect in effects:
            self._follow(link, effect)
        link.wake_if_needed()
        self._tell_status()
        _wake(self.wakes)

    def _follow(self, link: Link, effect: LinkEffect) -> None:
        match effect:
            case Deliver():
                self._deliver(effect)
            case Changed():
                session = self._sessions[effect.channel]
                if effect.channel.state != "joined":
                    session.lost()
                _wake(session.wakes)
            case Ended():
                self._ended(effect)
            case Failed():
                for session in self._sessions.values():
                    if session.link is link:
                        session.end_streams(effect.error)
                        _wake(session.wakes)
                self.calls.report(effect.error)
            case Trouble():
                self.calls.report(effect.error)

    def _deliver(self, effect: Deliver) -> None:
        try:
            self._sessions[effect.channel].deliver(effect.frame, self.calls)
        except DecodeError as error:
            self.calls.report(error)

    def _ended(self, effect: Ended) -> None:
        session = self._sessions.pop(effect.channel)
        session.has_left = True
        if not session.is_over:
            del self._by_topic[session.topic]
            session.over(effect.error)
        if effect.error is not None:
            self.calls.report(effect.error)
        _wake(session.wakes)

    def _tell_status(self) -> None:
        status = self.status
        if status != self._status:
            self._status = status
            for subscription in self._status_handlers.publish(_STATUS, status):
                self.calls.put(subscription.target, status, subscription)

    def _wake_waiters(self) -> None:
        _wake(self.wakes)
        for session in self._sessions.values():
            _wake(session.wakes)


def _wake(wakes: list[Wake]) -> None:
    for wake in wakes:
        wake()
