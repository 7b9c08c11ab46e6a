"""The brain of realtime as one object: what a user wants on one side, the sockets on the other.

A body gives it the clock, randomness, and a guard that is held during every change: a lock where
threads share it. A body carries out each link's commands, calls the functions that wait in
`calls`, and waits for what its callers wait for. It decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from typing import TypeVar, cast

from poolse._realtime.calls import Handler
from poolse._realtime.events import ChannelType, EventType, RealtimeStatus
from poolse._realtime.frames import FrameError
from poolse._realtime.pushes import Payload, Push
from poolse._realtime.session import Session, Stream, topic_of
from poolse._realtime.switchboard import Switchboard, wake_all
from poolse.errors import UsageError
from poolse.stats import RealtimeStats

__all__ = ["Hub"]

H = TypeVar("H")
P = TypeVar("P")


class Hub(Switchboard):
    """All channels, all sockets, and everything that waits to be told to the user."""

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
            wake_all(session.wakes)

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

    def ask(self, session: Session, event: str, payload: Payload, timeout: float | None) -> Push:
        """Send an event and want its reply: now, or as soon as the channel is joined."""
        with self.guard:
            # It says so where a channel will not be joined.
            _ = session.joined
            now = self._clock()
            deadline = inf if timeout is None else now + timeout
            try:
                push = session.link.ask(session.machine, event, payload, deadline, now)
            except FrameError as error:
                raise UsageError(str(error)) from None
            self._settle(session.link)
            return push

    def withdraw(self, session: Session, push: Push) -> None:
        """Want a reply no more."""
        with self.guard:
            session.link.withdraw(session.machine, push)
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
            subscription = self._watch.subscribe(handler)

        def unsubscribe() -> None:
            with self.guard:
                self._watch.unsubscribe(subscription)

        return unsubscribe

    def stats(self) -> RealtimeStats:
        """How many there are of what."""
        with self.guard:
            links = self._fleet.links
            sessions = [session for session in self._by_topic.values() if not session.is_over]
            return RealtimeStats(
                status=self.status,
                sockets=sum(link.connection.state == "open" for link in links),
                channels=len(sessions),
                joined=sum(session.machine.state == "joined" for session in sessions),
                reconnects=sum(max(0, link.opened_times - 1) for link in links),
                queued=len(self.calls),
                dropped=self.calls.dropped,
            )

    def dropped(self) -> int:
        """How many calls of the user's functions were not made, and reported as `SlowConsumer`."""
        with self.guard:
            return self.calls.dropped

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
