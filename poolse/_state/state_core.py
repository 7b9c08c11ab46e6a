# Printed from poolse/_state/async_state_core.py by "make generate". Do not edit.
"""What keeps a state current: its channel, its requests, and the time of the next one."""

from __future__ import annotations

import random
from collections.abc import Callable
from math import inf
from typing import Any, Final, Generic, Protocol, TypeVar

import attrs

from poolse._follow.listener import ChannelListener
from poolse._generated.resources import Resources
from poolse._realtime.channel_types import ChannelType
from poolse._realtime.client import RealtimeClient
from poolse._realtime.queues import Handler, Subscriber, Wake
from poolse._state.inputs import (
    Ended,
    Joined,
    Lost,
    RefreshEnded,
    RefreshFailed,
    RequestBegan,
    RequestFailed,
    TimePassed,
)
from poolse._support.background import start_later
from poolse._support.backoff import full_jitter
from poolse.errors import (
    DecodeError,
    NetworkError,
    PoolseError,
    RateLimitedError,
    ServerError,
    UsageError,
)

__all__ = ["INBOX", "StateCore", "StateRegistry"]

T = TypeVar("T")

INBOX: Final = ""
"""Key of the inbox among the states."""

JOIN_GRACE: Final = 3.0
"""Seconds to wait for the channel before the first request. Loaded after the join, nothing has to
be loaded twice."""

MAX_BACKOFF: Final = 60.0

MAX_AT_ONCE: Final = 8
"""States that are refreshed at once. After a lost connection, all of them are due."""

TRANSIENT: Final = (NetworkError, RateLimitedError, ServerError)
"""Failures after which a refresh is tried again."""


class _Snapshot(Protocol):
    @property
    def error(self) -> PoolseError | None: ...


class _Live(Protocol):
    @property
    def snapshot(self) -> _Snapshot: ...
    @property
    def refresh_at(self) -> float: ...
    @property
    def failures(self) -> int: ...
    @property
    def is_over(self) -> bool: ...


L = TypeVar("L", bound=_Live)


class StateRegistry:
    """All states of a client, and what they share."""

    def __init__(
        self,
        resources: Resources,
        client: RealtimeClient,
        user_id: Callable[[], str | None],
    ) -> None:
        self.resources: Resources = resources
        self.client: RealtimeClient = client
        self.random: Callable[[], float] = random.random
        self.cores: dict[str, StateCore[Any]] = {}
        """By the ID of the conversation, and `INBOX`."""
        self.known_user: Callable[[], str | None] = user_id
        self.working: int = 0
        """States that are refreshed now."""
        self._alarm_at = inf
        self._cancel_alarm: Callable[[], object] = _nothing
        with client.lock:
            client.wakes.append(self._end_with_client)

    def user_id(self) -> str:
        """Return the ID of the signed-in user."""
        return self.known_user() or (self.resources.me.show()).id

    def get(self, key: str, make: Callable[[], StateCore[Any]]) -> StateCore[Any]:
        """Return a state, which begins to load if there is none yet. The lock is held."""
        self.client.check_open()
        if key not in self.cores or self.cores[key].live.is_over:
            self.cores[key] = make()
            self.cores[key].begin()
        return self.cores[key]

    def end(self, core: StateCore[Any]) -> None:
        """End a state. The lock is held."""
        self.cores = {key: one for key, one in self.cores.items() if one is not core}
        core.end()
        self.set_alarm()

    def set_alarm(self) -> None:
        """Have `_ring` called when something is due. One timer for all. The lock is held."""
        # Who refreshes now sets it again when it is done.
        is_full = self.working >= MAX_AT_ONCE
        times = (core.due_at() if is_full else core.wake_at for core in self.cores.values())
        alarm_at = min(times, default=inf)
        if alarm_at != self._alarm_at:
            self._cancel_alarm()
            self._alarm_at = alarm_at
            if alarm_at < inf:
                left = max(0.0, alarm_at - self.client.clock())
                self._cancel_alarm = start_later(left, self._ring)

    def _ring(self) -> None:
        with self.client.lock:
            self._alarm_at = inf
            now = self.client.clock()
            for core in list(self.cores.values()):
                if core.wake_at <= now:
                    core.ring(now)
            self.set_alarm()

    def _end_with_client(self) -> None:
        if self.client.closed:
            for core in self.cores.values():
                core.apply(Ended(None))


class StateCore(Generic[L]):
    """A state, shared by all its handles. It changes only while the lock of realtime is held."""

    def __init__(self, states: StateRegistry, live: L) -> None:
        self.states: StateRegistry = states
        self.client: RealtimeClient = states.client
        self.live: L = live
        self.claims: int = 0
        """Handles that are not closed. The last one ends it."""
        self.handlers: list[Subscriber[Handler]] = []
        self.wakes: list[Wake] = []
        """Called after every change."""
        self.wake_at: float = inf
        """When `ring` is due."""
        self.follow_ups: dict[type, Callable[[Any], object]] = {}
        """Called after events of these classes, for what they mean to other states."""
        self._listener: ChannelListener | None = None
        self._is_working = False

    # What differs between states.

    def reduced(self, event: object, now: float) -> L:
        """Return the state after an event."""
        raise NotImplementedError

    def change(self, before: L, after: L) -> Any:  # noqa: ANN401
        """Return what listeners are called with, or None if nothing visible changed."""
        raise NotImplementedError

    def due_at(self) -> float:
        """Return when something is due besides a refresh."""
        return inf

    def channel(self) -> tuple[ChannelType, str]:
        """Return the channel of the state."""
        raise NotImplementedError

    def listening(self) -> None:
        """Note that the channel is listened to. It may have been joined long before."""

    def read(self, *, is_strict: bool) -> None:
        """Request all that a refresh reads."""
        raise NotImplementedError

    # What happens to it. The lock is held.

    def apply(self, event: object) -> None:
        """Let something happen."""
        before = self.live
        live = self.live = self.reduced(event, self.client.clock())
        if live is not before:
            if live.snapshot is not before.snapshot:
                self._notify(before)
            self.schedule()

    def _notify(self, before: L) -> None:
        if self.handlers:
            change = self.change(before, self.live)
            if change is not None:
                self.client.notify(self.handlers, change)
        for wake in self.wakes:
            wake()

    def schedule(self) -> None:
        """Work out when something is due."""
        wake_at = self.due_at()
        if not self._is_working and self.live.refresh_at < wake_at:
            wake_at = self.live.refresh_at
        if wake_at != self.wake_at:
            self.wake_at = wake_at
            self.states.set_alarm()

    def ring(self, now: float) -> None:
        """Do what is due."""
        self.wake_at = inf
        self.apply(TimePassed())
        is_due = self.live.refresh_at <= now and not self._is_working
        if is_due and self.states.working < MAX_AT_ONCE:
            self._is_working = True
            self.states.working += 1
            start_later(0, self._work)
        self.schedule()

    # Callbacks of the channel.

    def joined(self, key: str) -> None:  # noqa: ARG002
        """See `ListenerCallbacks`."""
        self.apply(Joined())

    def lost(self, key: str) -> None:  # noqa: ARG002
        """See `ListenerCallbacks`."""
        self.apply(Lost())

    def heard(self, key: str, event: object) -> None:  # noqa: ARG002
        """See `ListenerCallbacks`."""
        try:
            self.apply(event)
        except DecodeError as error:
            # A refresh may show it as it should be.
            self.client.callbacks.report_error(error)
        else:
            follow_up = self.follow_ups.get(type(event))
            if follow_up is not None:
                follow_up(event)

    def ended(self, key: str, error: PoolseError | None) -> None:  # noqa: ARG002
        """See `ListenerCallbacks`."""
        self.apply(Ended(error))

    # In the background.

    def begin(self) -> None:
        """Begin to load. The lock is held."""
        self._refresh_at(self.client.clock())
        self.schedule()

    def _refresh_at(self, time: float) -> None:
        live: Any = self.live
        self.live = attrs.evolve(live, refresh_at=time)

    def _work(self) -> None:
        try:
            if self._listener is None:
                self._listen()
            else:
                self.refresh(is_strict=False)
        except PoolseError as error:
            self._failed(error)
        finally:
            with self.client.lock:
                self._stop_working()
                self.schedule()
                self.states.set_alarm()

    def _stop_working(self) -> None:
        if self._is_working:
            self._is_working = False
            self.states.working -= 1

    def _listen(self) -> None:
        kind, key = self.channel()
        with self.client.lock:
            if not self.claims:
                return
            # The join asks for the refresh; this is in case that there is none.
            self._refresh_at(self.client.clock() + JOIN_GRACE)
            self._listener = ChannelListener(self.client, kind, key, None, self, _nothing)
            self.listening()

    def push(self, event: str) -> None:
        """Send an event without a reply, if the channel is joined."""
        with self.client.lock:
            if self._listener is not None:
                self._listener.send(event)

    @property
    def present(self) -> frozenset[str]:
        """Users who are present in the channel."""
        return frozenset() if self._listener is None else self._listener.present

    def refresh(self, *, is_strict: bool) -> None:
        """Read again what may have changed, in this task."""
        self.read(is_strict=is_strict)
        with self.client.lock:
            self.apply(RefreshEnded())

    def request(self, key: object, send: Callable[[], T]) -> T:
        """Send a request whose response will be applied."""
        with self.client.lock:
            self.apply(RequestBegan(key))
        try:
            return send()
        except BaseException:
            with self.client.lock:
                self.apply(RequestFailed(key))
            raise

    def _failed(self, error: PoolseError) -> None:
        with self.client.lock:
            if not self.claims:
                return
            retry_at = None
            if isinstance(error, TRANSIENT):
                pause = full_jitter(1.0, MAX_BACKOFF, self.live.failures + 1, self.states.random())
                pause = max(pause, getattr(error, "retry_after", 0.0))
                retry_at = self.client.clock() + pause
            # A closed client is nothing to report.
            is_news = not self.live.failures or retry_at is None
            if is_news and not isinstance(error, UsageError):
                self.client.callbacks.report_error(error)
            self.apply(RefreshFailed(error, retry_at))

    def end(self) -> None:
        """End it. The lock is held."""
        if self._listener is not None:
            self._listener.close()
        # Others need not wait for a request whose response nobody wants.
        self._stop_working()
        self.apply(Ended(None))


def _nothing() -> None:
    """Nobody waits for the listener itself."""
