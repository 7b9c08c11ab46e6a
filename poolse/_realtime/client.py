"""The brain of realtime as one object: what a user wants on one side, the sockets on the other.

A body gives it the clock, randomness, and a guard that is held during every change: a lock where
threads share it. A body carries out each link's commands, calls the functions that wait in
`calls`, and waits for what its callers wait for. It decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import Context
from math import inf
from typing import TypeVar, cast

from poolse._realtime.callback_queue import Handler
from poolse._realtime.dispatch import Dispatch, wake_all
from poolse._realtime.events import ChannelType, EventType, RealtimeStatus
from poolse._realtime.frames import FrameError
from poolse._realtime.push import Payload, Push
from poolse._realtime.socket import Socket
from poolse._realtime.subscription import (
    ChannelReference,
    ChannelSubscription,
    EventStream,
    topic_of,
)
from poolse.errors import UsageError
from poolse.stats import RealtimeStats

__all__ = ["RealtimeClient"]

P = TypeVar("P")


class RealtimeClient(Dispatch):
    """All channels, all sockets, and everything that waits to be told to the user."""

    def connect(self) -> None:
        """Be connected from now on."""
        with self.guard:
            self._check_open()
            links = self._fleet.usable or [self._add_link()]
            self._wanted = True
            for link in links:
                link.connect(self._clock())
                self._settle(link)

    def disconnect(self) -> None:
        """Be disconnected from now on."""
        with self.guard:
            self._wanted = False
            for link in list(self._fleet.links):
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
                session.over(None, self.calls)
                session.has_left = True
            self.closed = True
            self._by_topic.clear()
            self._tell_status()
            self.calls.close()
            self._wake_waiters()
            for link in self._fleet.links:
                link.wake()

    def has_ended(self, link: Socket) -> bool:
        """Whether the owner of this socket has nothing left to do but to close it."""
        return self.closed or link.is_retired

    def acquire(self, kind: ChannelType, parameter: str, *, own: bool = False) -> ChannelReference:
        """Acquire a claim on a channel; the first one joins it.

        A socket that was given up is tried again: whoever asks anew wants to know anew.

        Args:
            kind: The kind of channel.
            parameter: What it is about, such as the id of a conversation.
            own: Whether it is for the library itself. Only `release` ends such a claim, and no
                `leave` of a user's.

        Raises:
            UsageError: The client is closed.
            ConnectionFailed: No thread, or nothing else that a socket needs, can be created.
        """
        with self.guard:
            self._check_open()
            topic = topic_of(kind, parameter)
            session = self._by_topic.get(topic) or self._join(kind, parameter, topic)
            if self._wanted is None:
                self._wanted = True
            link = session.link
            if self._wanted and link.connection.state in ("idle", "failed"):
                link.connect(self._clock())
                self._settle(link)
            return session.acquire(own=own)

    def release(self, claim: ChannelReference) -> None:
        """Release a claim, and with it its handlers and iterators; the last one leaves."""
        with self.guard:
            session = claim.session
            if session.release(claim, self.calls):
                self._leave_unless_claimed(session)
                wake_all(session.wakes)

    def _leave_unless_claimed(self, session: ChannelSubscription) -> None:
        if session.is_over or session.claims:
            return
        if session.holds:
            session.silence(self.calls)
        else:
            session.over(None, self.calls)
            del self._by_topic[session.topic]
            session.link.leave(session.machine, self._clock())
            self._settle(session.link)

    def release_all(self, parameter: str) -> list[ChannelSubscription]:
        """Release all claims of users on the channels with this parameter."""
        with self.guard:
            found = [s for s in self._by_topic.values() if s.parameter == parameter]
            for session in found:
                session.release_all()
                self._leave_unless_claimed(session)
                wake_all(session.wakes)
            # One that the library holds is not left.
            return [session for session in found if session.is_over]

    def push(self, claim: ChannelReference, event: str, payload: Mapping[str, object]) -> None:
        """Send an event that has no reply, or drop it when the channel is not joined."""
        session = claim.session
        with self.guard:
            claim.check()
            try:
                session.link.push(session.machine, event, payload, self._clock())
            except FrameError as error:
                raise UsageError(str(error)) from None
            self._settle(session.link)

    def ask(
        self, claim: ChannelReference, event: str, payload: Payload, timeout: float | None
    ) -> Push:
        """Send an event and want its reply: now, or as soon as the channel is joined."""
        session = claim.session
        with self.guard:
            # It says so where a channel will not be joined.
            _ = claim.joined
            now = self._clock()
            deadline = inf if timeout is None else now + timeout
            try:
                push = session.link.ask(session.machine, event, payload, deadline, now)
            except FrameError as error:
                raise UsageError(str(error)) from None
            self._settle(session.link)
            return push

    def withdraw(self, session: ChannelSubscription, push: Push) -> None:
        """Want a reply no more."""
        with self.guard:
            session.link.withdraw(session.machine, push)
            self._settle(session.link)

    def subscribe(
        self,
        claim: ChannelReference,
        event: EventType[P],
        handler: Callable[[P], object],
        context: Context | None = None,
    ) -> Callable[[], None]:
        """Let a handler be called for an event, until the function returned is called.

        Args:
            claim: What the handler hangs on.
            event: The event.
            handler: Called with what `event.read` returned.
            context: The context variables that it is called with; empty by default.
        """
        session = claim.session
        with self.guard:
            claim.check()
            # It is given what `event.read` returned, and nothing else.
            subscription = session.subscribe(
                claim, event.wire, cast(Handler, handler), context, self.calls
            )

        def unsubscribe() -> None:
            with self.guard:
                claim.subscriptions.discard(subscription)
                session.unsubscribe(subscription, self.calls)

        return unsubscribe

    def stream(self, claim: ChannelReference, stream: EventStream[object]) -> None:
        """Give an iterator every event from now on."""
        with self.guard:
            claim.check()
            claim.session.stream(claim, stream, self.calls)

    def on_status(
        self, handler: Callable[[RealtimeStatus], object], context: Context | None = None
    ) -> Callable[[], None]:
        """Let a handler be called with each new status, until the function returned is called."""
        with self.guard:
            self._check_open()
            subscription = self._watch.subscribe(handler, context, self.calls)

        def unsubscribe() -> None:
            with self.guard:
                self._watch.unsubscribe(subscription, self.calls)

        return unsubscribe

    def stats(self) -> RealtimeStats:
        """How many there are of what."""
        with self.guard:
            links = self._fleet.links
            again = sum(max(0, link.opened_times - 1) for link in links)
            sessions = [session for session in self._by_topic.values() if not session.is_over]
            return RealtimeStats(
                status=self.status,
                sockets=sum(link.connection.state == "open" for link in links),
                channels=len(sessions),
                joined=sum(session.machine.state == "joined" for session in sessions),
                reconnects=self._fleet.retired_reconnects + again,
                queued=len(self.calls),
                dropped=self.calls.dropped,
            )

    def dropped(self) -> int:
        """How many calls of the user's functions were not made, and reported as `SlowConsumer`."""
        with self.guard:
            return self.calls.dropped

    def _join(self, kind: ChannelType, parameter: str, topic: str) -> ChannelSubscription:
        # Nothing is registered before the socket has an owner.
        link = self._fleet.with_room() or self._add_link()
        transient = frozenset(event.wire for event in kind.events.values() if event.transient)
        machine = link.join(topic, self._clock(), transient)
        session = ChannelSubscription(kind, parameter, topic, link, machine)
        self._sessions[machine] = session
        self._by_topic[topic] = session
        self._settle(link)
        return session
