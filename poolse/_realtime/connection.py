"""One socket: open it, keep it alive, and come back after every close that we did not ask for.

This machine does no I/O. It is told what happened and when, and answers with effects: the
commands `Open`, `Send` and `Close` for whoever owns the transport, and `Up`, `Down`, `Failed` and
`Trouble` for the channels above. What came for these it gives back at once.

- A server that closes with 1000 or 1001 does not say "stay away": deploys, proxies and load
  balancers do it all day. Only our own close, and what the tables of `policy` call final, is final.
- Every transport has a generation number. The close of an old one may come long after the new one
  opened, so what comes with another number than the current changes nothing.
- The backoff forgets failures only once a connection has held for a while: a server that accepts
  and drops at once would else be tried every few milliseconds for ever.
- A refused token is replaced once. If the fresh one is refused too, trying on would only be noise.
- Only the reply to our last heartbeat proves that the server lives. TCP can accept bytes for
  minutes after the other side is gone, and other traffic may be what a proxy still had.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal

from poolse._realtime.effects import Close, Down, Effect, Failed, Failure, Open, Send, Trouble, Up
from poolse._realtime.events import RealtimeStatus
from poolse._realtime.frames import (
    HEARTBEAT,
    PHOENIX_TOPIC,
    PHX_REPLY,
    Data,
    Frame,
    FrameError,
    decode,
    encode,
)
from poolse._realtime.policy import UNANSWERED, after_close, reconnect_delay, verdict
from poolse._realtime.settings import RealtimeSettings
from poolse.errors import AuthError, ConnectionFailed, DecodeError, PoolseError

__all__ = ["TRANSITIONS", "Connection"]

State = Literal["idle", "connecting", "open", "waiting", "failed"]
Input = Literal["want", "unwant", "opened", "again", "retry", "fatal"]

TRANSITIONS: Final[Mapping[State, Mapping[Input, State]]] = {
    "idle": {"want": "connecting"},
    "connecting": {
        "unwant": "idle",
        "opened": "open",
        "again": "connecting",
        "retry": "waiting",
        "fatal": "failed",
    },
    "open": {"unwant": "idle", "retry": "waiting", "fatal": "failed"},
    "waiting": {"want": "connecting", "unwant": "idle"},
    "failed": {"want": "connecting", "unwant": "idle"},
}
"""What is not here changes nothing."""

NORMAL_CLOSURE: Final = 1000
POLICY_VIOLATION: Final = 1008

# A timer that fires this late slept with the machine: what has come meanwhile is read first.
_GRACE: Final = 1.0


class Connection:
    """The state of one socket."""

    def __init__(self, settings: RealtimeSettings, random: Callable[[], float]) -> None:
        self.state: State = "idle"
        self.generation: int = 0
        self.effects: list[Effect] = []
        self.deadline: float | None = None
        """When `tick` has something to do."""
        self.closing: set[int] = set()
        """Transports that were told to close and have not yet said that they did."""
        self._settings = settings
        self._policy = settings.policy
        self._random = random
        self._ref = 0
        self._heartbeat_ref: str | None = None
        self._was_wanted = False
        self._was_open = False
        self._opened_at = 0.0
        self._forget_failures()

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

    def connect(self) -> None:
        """Be connected from now on, and at once: it also ends a wait and forgets failures."""
        if self._move("want"):
            self._was_wanted = True
            self._was_open = False
            self._forget_failures()
            self._open()

    def disconnect(self) -> None:
        """Be disconnected from now on."""
        before = self.state
        if self._move("unwant"):
            self.deadline = None
            if before in ("connecting", "open"):
                self._hang_up(NORMAL_CLOSURE)
            if before == "open":
                self.effects.append(Down())

    def send(self, frame: Frame) -> None:
        """Send a frame, if the transport is open.

        Raises:
            FrameError: It cannot be encoded.
        """
        if self.state == "open":
            self.effects.append(Send(self.generation, encode(frame)))

    def opened(self, generation: int, now: float) -> None:
        """The transport is open."""
        if generation == self.generation and self._move("opened"):
            self._was_open = True
            self._opened_at = now
            self._refused = False
            self._heartbeat_ref = None
            self.deadline = now + self._settings.heartbeat_interval
            self.effects.append(Up())

    def failed(self, generation: int, failure: Failure, now: float) -> None:
        """The transport could not be opened."""
        self.closing.discard(generation)
        if generation != self.generation or self.state != "connecting":
            return
        judged = "final" if failure.final else verdict(self._policy.handshakes, failure.status)
        if judged == "refresh" and not self._refused:
            self._refused = self._refresh = True
            self._move("again")
            self._open()
        elif judged == "refresh":
            self._give_up(_refused_for_good(failure))
        elif judged == "final":
            self._give_up(_not_opened(failure, final=True))
        else:
            self._retry(max(self._backoff(), failure.retry_after), now)
            self.effects.append(Trouble(_not_opened(failure)))

    def closed(self, generation: int, code: int, now: float) -> None:
        """The transport is gone; with 1006 when it went without a close frame."""
        self.closing.discard(generation)
        if generation == self.generation and self.state == "open":
            self._lost(f"the connection was closed with code {code}", code, now)

    def received(self, generation: int, data: Data, now: float) -> Frame | None:
        """A message came, text or binary. Gives the frame in it, if it is for a channel."""
        if generation != self.generation or self.state != "open":
            return None
        try:
            frame = decode(data)
        except FrameError as error:
            self.effects.append(Trouble(DecodeError(str(error))))
            return None
        if frame.topic != PHOENIX_TOPIC:
            return frame
        self._system(frame, now)
        return None

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
            self.deadline = now + self._settings.heartbeat_timeout
        elif now - self.deadline > _GRACE:
            self.deadline = now + _GRACE
        else:
            self._hang_up(NORMAL_CLOSURE)
            self._lost("the server does not answer heartbeats", None, now)

    def _system(self, frame: Frame, now: float) -> None:
        if frame.event == PHX_REPLY and frame.ref is not None and frame.ref == self._heartbeat_ref:
            self._heartbeat_ref = None
            self.deadline = now + self._settings.heartbeat_interval

    def _lost(self, reason: str, code: int | None, now: float) -> None:
        self.effects.append(Down())
        if now - self._opened_at >= self._settings.stable_after:
            self._forget_failures()
        if code == POLICY_VIOLATION:
            self._policy_closes += 1
            self._refresh = True
        if self._policy_closes == self._policy.max_policy_closes:
            self._give_up(ConnectionFailed(reason, code, final=True))
            return
        closed = UNANSWERED if code is None else code
        delay = after_close(self._policy.pauses, closed, self._backoff(), self._random())
        self._retry(delay, now)
        self.effects.append(Trouble(ConnectionFailed(reason, code)))

    def _retry(self, delay: float, now: float) -> None:
        self._move("retry")
        self.deadline = now + delay

    def _backoff(self) -> float:
        delay = reconnect_delay(self._settings.reconnect_delays, self._attempt, self._random())
        self._attempt += 1
        return delay

    def _give_up(self, error: PoolseError) -> None:
        self._move("fatal")
        self.deadline = None
        self.effects.append(Failed(error))

    def _open(self) -> None:
        self.generation += 1
        self.deadline = None
        refresh, self._refresh = self._refresh, False
        self.effects.append(Open(self.generation, refresh))

    def _hang_up(self, code: int) -> None:
        self.closing.add(self.generation)
        self.effects.append(Close(self.generation, code))

    def _forget_failures(self) -> None:
        self._attempt = 0
        self._refused = False
        self._refresh = False
        self._policy_closes = 0

    def _move(self, what: Input) -> bool:
        after = TRANSITIONS[self.state].get(what)
        if after is None:
            return False
        self.state = after
        return True


def _refused_for_good(failure: Failure) -> AuthError:
    return AuthError(
        failure.status or 0,
        "invalid_user_token",
        "the socket refused the token, also after one refresh",
    )


def _not_opened(failure: Failure, *, final: bool = False) -> ConnectionFailed:
    text = f"the socket could not be opened: {failure.reason}"
    error = ConnectionFailed(text, failure.status, final=final)
    error.__cause__ = failure.cause
    return error
