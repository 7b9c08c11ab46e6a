"""One socket: open it, keep it alive, and come back after every close that we did not ask for.

This machine does no I/O. Told what happened and when, it answers with `commands` for the driver of
the transport, `Open`, `Send` and `Close`, and adds effects to the list of its socket: `Up`, `Down`,
`Failed` and `Trouble`. Frames for channels it returns at once.

- A server that closes with 1000 or 1001 does not say "stay away": deploys, proxies and load
  balancers do it all day. Only our own close, and what the tables of `policy` call final, is final.
- Every transport has a generation number. The close of an old one may come long after the new one
  opened, so what comes with another number than the current changes nothing.
- The backoff forgets failures only once a connection has held for a while: a server that accepts
  and drops at once would else be tried every few milliseconds for ever. Nor does `connect` make it
  forget: users call that in their error handlers.
- One refusal is final only before the first success, when the address or the key is likely wrong.
  After it, a deploy or a proxy may be the reason: what lasts is final, and nothing else. A refused
  token is replaced, after a pause, before it is tried again.
- Only the reply to our last heartbeat proves that the server lives. TCP can accept bytes for
  minutes after the other side is gone, and other traffic may be what a proxy still had.
- The heartbeat waits in the same queue as everything else. While the server works on joins before
  it, or we write or read a large frame, its silence says nothing; both have an end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from typing import Final, Literal

from poolse._realtime.channel import Effects
from poolse._realtime.effects import (
    Close,
    Command,
    Down,
    Effect,
    Failed,
    Failure,
    Open,
    Send,
    Trouble,
    Up,
)
from poolse._realtime.events import RealtimeStatus
from poolse._realtime.frames import (
    HEARTBEAT,
    PHOENIX_TOPIC,
    PHX_JOIN,
    PHX_REPLY,
    Data,
    Frame,
    FrameError,
    decode,
    encode,
    is_behind,
)
from poolse._realtime.reconnect_policy import (
    AT_FIRST,
    UNANSWERED,
    ConnectionHistory,
    Pause,
    Streak,
    Verdict,
    close_verdict,
    reconnect_delay,
)
from poolse._realtime.settings import RealtimeSettings
from poolse.errors import AuthError, ConnectionFailed, DecodeError, PoolseError

__all__ = ["TRANSITIONS", "Connection", "PendingJoins"]

State = Literal["idle", "connecting", "open", "waiting", "failed"]
Input = Literal["want", "unwant", "opened", "retry", "fatal"]

TRANSITIONS: Final[Mapping[State, Mapping[Input, State]]] = {
    "idle": {"want": "connecting", "retry": "waiting"},
    "connecting": {"unwant": "idle", "opened": "open", "retry": "waiting", "fatal": "failed"},
    "open": {"unwant": "idle", "retry": "waiting", "fatal": "failed"},
    "waiting": {"want": "connecting", "unwant": "idle"},
    "failed": {"want": "connecting", "unwant": "idle", "retry": "waiting"},
}
"""What is not here changes nothing."""

NORMAL_CLOSURE: Final = 1000
POLICY_VIOLATION: Final = 1008

# Seconds. A longer wait is reported, whatever the reason.
_LONG_WAIT: Final = 30.0

# A timer that fires this late slept with the machine: what has come meanwhile is read first.
_GRACE: Final = 1.0


class PendingJoins:
    """Joins that a server has not answered yet, in the order in which they were sent.

    A Phoenix server works on the joins of one socket one after the other, and on everything else
    that was sent after them only then. So the answer to one says that the next one begins, and a
    clock that started when a frame was sent would count the time that others took.
    """

    def __init__(self) -> None:
        self._refs: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._refs)

    def sent(self, ref: str) -> None:
        """Count one more."""
        self._refs[ref] = None

    def answered(self, ref: str) -> bool:
        """Forget one that was answered; False when it is none of them."""
        if ref not in self._refs:
            return False
        self.passed(ref)
        return True

    def passed(self, ref: str) -> None:
        """Forget all up to the frame with this ref: they will not be answered after it."""
        self._refs = {other: None for other in self._refs if is_behind(other, ref)}

    def any_before(self, ref: str) -> bool:
        """Return whether the server has to work on one before it gets to this frame."""
        return any(is_behind(ref, other) for other in self._refs)

    def clear(self) -> None:
        """Forget all: the transport that carried them is gone."""
        self._refs.clear()


class Connection:
    """The state of one connection."""

    def __init__(
        self,
        settings: RealtimeSettings,
        random: Callable[[], float],
        effects: Effects,
        history: ConnectionHistory | None = None,
    ) -> None:
        self.state: State = "idle"
        self.generation: int = 0
        self.commands: list[Command] = []
        """What the driver of the transport has to execute, in this order."""
        self.deadline: float | None = None
        """When `tick` has something to do."""
        self.closing: set[int] = set()
        """Transports that were told to close and have not yet said that they did."""
        self.joins: PendingJoins = PendingJoins()
        """Those that the server has not answered."""
        self._effects = effects
        self._settings = settings
        self._policy = settings.policy
        self._random = random
        self._history = history or ConnectionHistory(settings.stable_after)
        self._ref = 0
        self._heartbeat_ref: str | None = None
        self._verdict_by = 0.0
        self._heard_at = -inf
        self._was_wanted = False
        self._was_open = False
        self._opened_at = 0.0
        # After a failure at the first, nothing is tried before the second, also if the user
        # disconnects and connects meanwhile.
        self._failed_at = -inf
        self._retry_at = -inf
        self._attempt = 0
        self._refresh = False
        self._refusals = Streak()
        self._policy_closes = Streak()

    @property
    def status(self) -> RealtimeStatus:
        """As the user sees it."""
        if self.state == "open":
            return "connected"
        if self.state in ("connecting", "waiting"):
            return "reconnecting" if self._was_open else "connecting"
        return "closed" if self._was_wanted else "idle"

    def is_opening(self, generation: int) -> bool:
        """Whether that transport is still to be opened."""
        return generation == self.generation and self.state == "connecting"

    def next_ref(self) -> str:
        """A number that was never used on this socket, over all its transports."""
        self._ref += 1
        return str(self._ref)

    def connect(self, now: float) -> None:
        """Be connected from now on.

        It tries at once, also in the middle of a wait. Only the wait that begins with a failure
        cannot be cut short at once: what is left of it is waited.
        """
        if self.state in ("idle", "failed"):
            self._was_wanted = True
            self._was_open = False
            self._refusals = Streak()
        if now >= min(self._retry_at, self._failed_at + self._settings.connect_after):
            if self._move("want"):
                self._open()
        elif self.state != "waiting" and self._move("retry"):
            self.deadline = self._retry_at

    def give_up(self, error: PoolseError) -> None:
        """Be disconnected for good."""
        self.disconnect()
        self._add(Failed(error))

    def disconnect(self) -> None:
        """Be disconnected from now on."""
        before = self.state
        if self._move("unwant"):
            self.deadline = None
            if before in ("connecting", "open"):
                self._hang_up(NORMAL_CLOSURE)
            if before == "open":
                self._down()

    def send(self, frame: Frame) -> None:
        """Send a frame, if the transport is open.

        Raises:
            FrameError: It cannot be encoded.
        """
        if self.state == "open":
            self.commands.append(Send(self.generation, encode(frame)))
            if frame.event == PHX_JOIN and frame.ref is not None:
                self.joins.sent(frame.ref)

    def opened(self, generation: int, now: float) -> None:
        """The transport is open."""
        if generation == self.generation and self._move("opened"):
            self._history.has_connected = True
            self._was_open = True
            self._opened_at = now
            self._refusals = Streak()
            self._heartbeat_ref = None
            self.deadline = now + self._settings.heartbeat_interval
            self._add(Up())

    def failed(self, generation: int, failure: Failure, now: float) -> None:
        """The transport could not be opened."""
        self.closing.discard(generation)
        if generation != self.generation or self.state != "connecting":
            return
        judged = (
            "final" if failure.final else close_verdict(self._policy.handshakes, failure.status)
        )
        known = self._history.has_connected
        if judged != "retry":
            self._refusals.add(now)
            if self._refusals.lasts(self._policy.lasting if known else AT_FIRST[judged], now):
                self._give_up(_refused(judged, failure, self._refusals.count), now)
                return
        self._refresh = self._refresh or judged == "refresh"
        delay = self._wait(self._pause_after(failure, judged), now)
        # A token that expired before the first handshake is no news if the next one works.
        if known or judged != "refresh" or delay > _LONG_WAIT:
            self._add(Trouble(_not_opened(failure, delay)))

    def closed(self, generation: int, code: int, now: float) -> None:
        """The transport is gone; with 1006 when it went without a close frame."""
        self.closing.discard(generation)
        if generation == self.generation and self.state == "open":
            self._lost(f"the connection was closed with code {code}", code, now)

    def received(self, generation: int, data: Data, now: float) -> Frame | None:
        """A message came, text or binary. Gives the frame in it, if it is for a channel."""
        if generation != self.generation or self.state != "open":
            return None
        self._heard_at = now
        try:
            frame = decode(data)
        except FrameError as error:
            self._add(Trouble(DecodeError(str(error))))
            return None
        if frame.topic != PHOENIX_TOPIC:
            return frame
        self._system(frame, now)
        return None

    def received_part(self, generation: int, now: float) -> None:
        """A part of a message came: the transport works, and what follows it has to wait."""
        if generation == self.generation:
            self._heard_at = max(self._heard_at, now)

    def held_up(self, now: float) -> None:
        """What was to be sent before now could only be sent now: its clocks start now."""
        if self._heartbeat_ref is not None:
            self._await_reply(self._heartbeat_ref, now)

    def join_answered(self, ref: str, now: float) -> None:
        """The server answered a join, and gets to what was sent after it."""
        if self._heartbeat_ref is not None and is_behind(self._heartbeat_ref, ref):
            self._await_reply(self._heartbeat_ref, now)

    def tick(self, now: float) -> None:
        """Time has passed: do what is due."""
        if self.deadline is None or now < self.deadline:
            return
        if self.state == "waiting":
            self._move("want")
            self._open()
        elif self._heartbeat_ref is None:
            self._heartbeat_ref = self.next_ref()
            self.send(Frame(None, self._heartbeat_ref, PHOENIX_TOPIC, HEARTBEAT, {}))
            self._await_reply(self._heartbeat_ref, now)
        elif now - self.deadline > _GRACE or self._is_still_reading(now):
            self.deadline = now + _GRACE
        else:
            self._hang_up(NORMAL_CLOSURE)
            self._lost("the server does not answer heartbeats", None, now)

    def _await_reply(self, ref: str, now: float) -> None:
        """Give the server its time for the reply to a heartbeat, and for the join before it."""
        # One join at most: each that is answered starts the time over.
        ahead = self._settings.join_timeout if self.joins.any_before(ref) else 0.0
        self.deadline = now + ahead + self._settings.heartbeat_timeout
        self._verdict_by = self.deadline + self._settings.reading_limit

    def _is_still_reading(self, now: float) -> bool:
        """Whether the reply may lie behind what we are just reading. For a while, at most."""
        return now - self._heard_at < _GRACE and now < self._verdict_by

    def _system(self, frame: Frame, now: float) -> None:
        if frame.event == PHX_REPLY and frame.ref is not None and frame.ref == self._heartbeat_ref:
            self._heartbeat_ref = None
            self.joins.passed(frame.ref)
            self.deadline = now + self._settings.heartbeat_interval
            self._forget_failures_if_stable(now)

    def _lost(self, reason: str, code: int | None, now: float) -> None:
        self._down()
        self._forget_failures_if_stable(now)
        if code == POLICY_VIOLATION:
            self._refresh = True
            self._policy_closes.add(now)
            if self._policy_closes.lasts(self._policy.lasting, now):
                self._give_up(ConnectionFailed(reason, code, final=True), now)
                return
        closed = UNANSWERED if code is None else code
        delay = self._wait(self._policy.pauses.get(closed, self._policy.pause), now)
        self._add(Trouble(ConnectionFailed(reason + _next_attempt(delay), code)))

    def _down(self) -> None:
        self.joins.clear()
        self._add(Down())

    def _wait(self, pause: Pause, now: float) -> float:
        """Wait for the next attempt.

        Returns:
            For how many seconds.
        """
        delay = self._backoff(pause, now)
        self._move("retry")
        self.deadline = self._retry_at
        return delay

    def _backoff(self, pause: Pause, now: float) -> float:
        delays = self._settings.reconnect_delays
        delay = reconnect_delay(delays, self._attempt, pause, self._random())
        self._attempt += 1
        self._failed_at, self._retry_at = now, now + delay
        return delay

    def _pause_after(self, failure: Failure, judged: Verdict) -> Pause:
        pause = Pause(0.0, 0.0) if judged == "retry" else self._policy.refused
        asked = min(failure.retry_after, self._settings.max_retry_after)
        return Pause(max(asked, pause.least), pause.spread)

    def _give_up(self, error: PoolseError, now: float) -> None:
        self._backoff(self._policy.refused, now)
        self._move("fatal")
        self.deadline = None
        self._add(Failed(error))

    def _add(self, effect: Effect) -> None:
        self._effects.append((None, effect))

    def _open(self) -> None:
        self.generation += 1
        self.deadline = None
        refresh, self._refresh = self._refresh, False
        self.commands.append(Open(self.generation, refresh))

    def _hang_up(self, code: int) -> None:
        self.closing.add(self.generation)
        self.commands.append(Close(self.generation, code))

    def _forget_failures_if_stable(self, now: float) -> None:
        if now - self._opened_at >= self._settings.stable_after:
            self._attempt = 0
            self._policy_closes = Streak()

    def _move(self, what: Input) -> bool:
        after = TRANSITIONS[self.state].get(what)
        if after is None:
            return False
        self.state = after
        return True


def _refused(judged: Verdict, failure: Failure, times: int) -> PoolseError:
    """The error for a refusal that is final."""
    if judged == "refresh":
        text = f"the socket refused the token {times} times, also after a refresh"
        return AuthError(failure.status or 0, "invalid_user_token", text)
    error = ConnectionFailed(_why(failure), failure.status, final=True)
    error.__cause__ = failure.cause
    return error


def _not_opened(failure: Failure, delay: float) -> ConnectionFailed:
    asked = failure.retry_after
    more = f" (the server asked for {asked:g} s)" if asked > delay else ""
    error = ConnectionFailed(_why(failure) + _next_attempt(delay) + more, failure.status)
    error.__cause__ = failure.cause
    return error


def _why(failure: Failure) -> str:
    return f"the socket could not be opened: {failure.reason}"


def _next_attempt(delay: float) -> str:
    return f"; next attempt in {delay:.1f} s"
