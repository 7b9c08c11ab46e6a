"""One socket: open it, keep it alive, reconnect, and join the channels on it.

It comes back after every close that we did not ask for.

A `Connection` does no I/O. It is called with what happened and when, and returns `commands` for the
driver of the transport, `Open`, `Send` and `Close`, and adds effects to the list of its socket:
`Up`, `Down`, `Failed` and `Trouble`.

- A server that closes with 1000 or 1001 does not say "stay away": deploys, proxies and load
  balancers do it all day. Only our own close, and what the tables of `policy` call final, is final.
- Every transport has a generation number. The close of an old one may come long after the new one
  opened, so what comes with another number than the current changes nothing.
- The backoff forgets failures only once a connection has held for a while: a server that accepts
  and drops at once would else be tried every few milliseconds for ever. Nor does `connect` make it
  forget: users call that in their error handlers.
- One refusal is final only before the first success, when the address or the key is likely wrong.
  After it, a deploy or a proxy may be the reason: what lasts is final, and nothing else. A refused
  token is replaced, after a pause, before the next attempt.
- Only the reply to our last heartbeat proves that the server lives. TCP can accept bytes for
  minutes after the other side is gone, and other traffic may be what a proxy still had.
- The heartbeat waits in the same queue as everything else. While the server works on joins before
  it, or we write or read a large frame, a missing reply means nothing; both have a timeout.

A `Socket` is a connection with the channels on it. Effects of a step, those of the connection and
of every channel, are one list, which `flush` works off in order.

- Joins are paced: the server handles them one after the other, and replies neither to heartbeats
  nor anything else of that connection meanwhile. So the clocks of what was sent after a join start
  over when that join has its reply.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from math import inf
from typing import Final, Literal

from poolse._realtime.channel import ChannelProtocol, Effects
from poolse._realtime.channel_types import RealtimeStatus
from poolse._realtime.effects import (
    Close,
    Command,
    Down,
    Effect,
    Ended,
    Failed,
    Failure,
    JoinDue,
    Open,
    Send,
    Trouble,
    Up,
)
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
from poolse.errors import (
    AuthError,
    ChannelClosed,
    ConnectionFailed,
    DecodeError,
    PoolseError,
    RealtimeError,
)

__all__ = ["TRANSITIONS", "Connection", "Socket"]

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
        """Transports that have to close and have not yet reported that they did."""
        self.joins: dict[str, None] = {}
        """Refs of joins without a reply, in the order in which they were sent. It
        works on them one after the other, and on what was sent after them only then: a clock that
        started when a frame was sent would count the time that others took."""
        self._effects = effects
        self._settings = settings
        self._policy = settings.policy
        self._random = random
        self._history = history or ConnectionHistory(settings.stable_after)
        self._ref = 0
        self._heartbeat_ref: str | None = None
        self._verdict_by = 0.0
        self.heard_at: float = -inf
        """When something came from the server last."""
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

    def next_ref(self) -> str:
        """Return a number that was never used on this socket, over all its transports."""
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
        self._effects.append((None, Failed(error)))

    def disconnect(self) -> None:
        """Be disconnected from now on."""
        before = self.state
        if self._move("unwant"):
            self.deadline = None
            if before in ("connecting", "open"):
                self._hang_up(NORMAL_CLOSURE)
            if before == "open":
                self.joins.clear()
                self._effects.append((None, Down()))

    def send(self, frame: Frame) -> None:
        """Send a frame, if the transport is open.

        Raises:
            FrameError: It cannot be encoded.
        """
        if self.state == "open":
            self.commands.append(Send(self.generation, encode(frame)))
            if frame.event == PHX_JOIN and frame.ref is not None:
                self.joins[frame.ref] = None

    def opened(self, generation: int, now: float) -> None:
        """Note that the transport is open."""
        if generation == self.generation and self._move("opened"):
            self._history.has_connected = True
            self._was_open = True
            self._opened_at = now
            self._refusals = Streak()
            self._heartbeat_ref = None
            self.deadline = now + self._settings.heartbeat_interval
            self._effects.append((None, Up()))

    def failed(self, generation: int, failure: Failure, now: float) -> None:
        """Note that the transport could not be opened."""
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
        delay = self._back_off(self._pause_after(failure, judged), now, "retry")
        # A token that expired before the first handshake is no news if the next one works.
        if known or judged != "refresh" or delay > _LONG_WAIT:
            self._effects.append((None, Trouble(_not_opened(failure, delay))))

    def closed(self, generation: int, code: int, now: float) -> None:
        """Note that the transport has closed; with 1006 without a close frame."""
        self.closing.discard(generation)
        if generation == self.generation and self.state == "open":
            self._lost(f"the connection was closed with code {code}", code, now)

    def received_part(self, generation: int, now: float) -> None:
        """Note a part of a message: the transport works, and later frames have to wait."""
        if generation == self.generation:
            self.heard_at = max(self.heard_at, now)

    def held_up(self, now: float) -> None:
        """Start the clocks now, since the driver could only send now."""
        if self._heartbeat_ref is not None:
            self._await_reply(self._heartbeat_ref, now)

    def join_answered(self, ref: str, now: float) -> bool:
        """Note the reply to a join: the server continues after it. False if it is none."""
        if ref not in self.joins:
            return False
        # Those before it will have no reply.
        self.joins = {other: None for other in self.joins if is_behind(other, ref)}
        if self._heartbeat_ref is not None and is_behind(self._heartbeat_ref, ref):
            self._await_reply(self._heartbeat_ref, now)
        return True

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
            self._lost("the server does not reply to heartbeats", None, now)

    def _await_reply(self, ref: str, now: float) -> None:
        """Give the server its time for the reply to a heartbeat, and for the join before it."""
        # One join at most: each reply starts the time over.
        is_behind_join = any(is_behind(ref, other) for other in self.joins)
        ahead = self._settings.join_timeout if is_behind_join else 0.0
        self.deadline = now + ahead + self._settings.heartbeat_timeout
        self._verdict_by = self.deadline + self._settings.reading_limit

    def _is_still_reading(self, now: float) -> bool:
        """Return whether the reply may be behind what we are just reading, for a limited time."""
        return now - self.heard_at < _GRACE and now < self._verdict_by

    def receive(self, frame: Frame, now: float) -> None:
        """Process a frame that is not for a channel."""
        if frame.event == PHX_REPLY and frame.ref is not None and frame.ref == self._heartbeat_ref:
            self._heartbeat_ref = None
            self.joins = {other: None for other in self.joins if is_behind(other, frame.ref)}
            self.deadline = now + self._settings.heartbeat_interval
            self._forget_failures_if_stable(now)

    def _lost(self, reason: str, code: int | None, now: float) -> None:
        self.joins.clear()
        self._effects.append((None, Down()))
        self._forget_failures_if_stable(now)
        if code == POLICY_VIOLATION:
            self._refresh = True
            self._policy_closes.add(now)
            if self._policy_closes.lasts(self._policy.lasting, now):
                self._give_up(ConnectionFailed(reason, code, final=True), now)
                return
        closed = UNANSWERED if code is None else code
        pause = self._policy.pauses.get(closed, self._policy.pause)
        delay = self._back_off(pause, now, "retry")
        error = ConnectionFailed(f"{reason}; next attempt in {delay:.1f} s", code)
        self._effects.append((None, Trouble(error)))

    def _back_off(self, pause: Pause, now: float, then: Literal["retry", "fatal"]) -> float:
        """Count one failure more.

        Returns:
            How many seconds the next attempt has to wait.
        """
        delays = self._settings.reconnect_delays
        delay = reconnect_delay(delays, self._attempt, pause, self._random())
        self._attempt += 1
        self._failed_at, self._retry_at = now, now + delay
        self._move(then)
        self.deadline = self._retry_at if then == "retry" else None
        return delay

    def _pause_after(self, failure: Failure, judged: Verdict) -> Pause:
        pause = Pause(0.0, 0.0) if judged == "retry" else self._policy.refused
        asked = min(failure.retry_after, self._settings.max_retry_after)
        return Pause(max(asked, pause.least), pause.spread)

    def _give_up(self, error: PoolseError, now: float) -> None:
        self._back_off(self._policy.refused, now, "fatal")
        self._effects.append((None, Failed(error)))

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
        self.state = after or self.state
        return after is not None


class Socket:
    """One connection with the channels on it."""

    def __init__(
        self,
        settings: RealtimeSettings,
        random: Callable[[], float],
        history: ConnectionHistory | None = None,
        number: int = 1,
    ) -> None:
        self.number = number
        """Number of the socket in its client."""
        self.effects: Effects = []
        """What `flush` has to work off."""
        self._history = history or ConnectionHistory(settings.stable_after)
        self.connection: Connection = Connection(settings, random, self.effects, self._history)
        self.failure: PoolseError | None = None
        """Why this socket will not reconnect."""
        self.trouble: PoolseError | None = None
        """Why this socket is not open: what went wrong last."""
        self.is_over: bool = False
        """Whether its driver has nothing left to do but to close it: no channel needs it, or the
        client is closed."""
        self.is_broken: bool = False
        """Whether its driver has failed."""
        self.opened_times: int = 0
        self.deadline: float | None = None
        """When the driver has to `tick` next."""
        self.wake: Callable[[], object] = _no_driver
        """Wakes the driver: there are commands, another deadline, or it is over."""
        self._settings = settings
        self._random = random
        self.channels: dict[str, ChannelProtocol] = {}
        """Those that are on it, by topic."""
        self._due: dict[ChannelProtocol, None] = {}
        """Channels that wait for their turn to join, in order."""

    @property
    def has_room(self) -> bool:
        """Whether another channel fits on this socket."""
        return not self.is_broken and len(self.channels) < self._settings.channels_per_socket

    def next_deadline(self) -> float | None:
        """Return the time of the next `tick`."""
        deadlines = [self.connection.deadline, *(c.wake_at for c in self.channels.values())]
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def wake_if_needed(self) -> None:
        """Wake the driver, if it has more to do, or has to do it at another time."""
        deadline = self.next_deadline()
        if self.connection.commands or deadline != self.deadline:
            self.deadline = deadline
            self.wake()

    def take_commands(self) -> list[Command]:
        """Return what the driver has to execute now."""
        commands, self.connection.commands = self.connection.commands, []
        return commands

    def connect(self, now: float) -> None:
        """Open the socket."""
        self.failure = None
        self.connection.connect(now)

    def disconnect(self) -> None:
        """Close the socket. Its channels join again when it is opened again."""
        for channel in self.channels.values():
            channel.give_up(ChannelClosed(f"{channel.topic}: realtime was disconnected"))
        self.connection.disconnect()

    def retire(self) -> None:
        """Close the socket for good. It has no channels."""
        self.is_over = True
        self.connection.disconnect()

    def driver_failed(self, error: PoolseError) -> None:
        """Note that the driver has ended: the socket is neither opened nor read any more."""
        self.is_broken = True
        self.connection.give_up(error)

    def receive(
        self, generation: int, data: Data, now: float
    ) -> tuple[ChannelProtocol, Frame] | None:
        """Take a message. Return it with its channel if it is an event: that has no effects."""
        connection = self.connection
        if generation != connection.generation or connection.state != "open":
            return None
        connection.heard_at = now
        try:
            frame = decode(data)
        except FrameError as error:
            self.effects.append((None, Trouble(DecodeError(str(error)))))
            return None
        if frame.topic == PHOENIX_TOPIC:
            connection.receive(frame, now)
            return None
        channel = self.channels.get(frame.topic)
        if channel is not None and channel.receive(frame, now):
            return channel, frame
        if frame.event == PHX_REPLY and frame.ref and connection.join_answered(frame.ref, now):
            # What was sent after that join has its turn now.
            for channel in self.channels.values():
                channel.join_answered(frame.ref, now)
        return None

    def held_up(self, now: float) -> None:
        """Note that the driver had to wait before it could send."""
        self.connection.held_up(now)
        for channel in self.channels.values():
            channel.held_up(now)

    def tick(self, now: float) -> None:
        """Time has passed: do what is due."""
        self.connection.tick(now)
        for channel in self.channels.values():
            deadline = channel.wake_at
            if deadline is not None and deadline <= now:
                channel.tick(now)

    def join(self, topic: str, now: float, transient: Collection[str] = ()) -> ChannelProtocol:
        """Join a channel on this socket. The topic may be one that is still being left."""
        older = self.channels.get(topic)
        if older is not None:
            older.replaced(now)
        channel = ChannelProtocol(
            topic,
            self._settings,
            self._random,
            self.connection.next_ref,
            self.connection.send,
            self.effects,
            transient,
            self._history,
        )
        self.channels[topic] = channel
        channel.start(now)
        return channel

    def check_backlog(self) -> None:
        """Refuse a push when the socket is too far behind.

        Raises:
            RealtimeError: Too many frames are queued already.
        """
        if len(self.connection.commands) >= self._settings.queue_limit:
            raise RealtimeError(f"{self._settings.queue_limit} frames are queued already")

    def flush(self, now: float) -> Iterator[tuple[ChannelProtocol | None, Effect]]:
        """Work off all effects in their order, then let channels join.

        Yields:
            Each effect with its channel, after it has changed what it changes here.
        """
        while self.effects:
            channel, effect = self.effects.pop(0)
            match effect:
                case Up():
                    self.opened_times += 1
                    self.trouble = None
                    self._due = dict.fromkeys(self.channels.values())
                case Down():
                    self._due.clear()
                    for other in self.channels.values():
                        other.lost(now)
                case Failed():
                    self.failure = self.trouble = effect.error
                    for other in self.channels.values():
                        other.give_up(effect.error)
                case Trouble():
                    if channel is None and self.connection.state != "open":
                        self.trouble = effect.error
                case JoinDue() if channel is not None:
                    self._due[channel] = None
                case Ended() if channel is not None:
                    self._remove(channel)
                case _:
                    pass
            yield channel, effect
        if self._due and self.connection.state == "open":
            joining = sum(channel.state == "joining" for channel in self.channels.values())
            while self._due and joining < self._settings.joins_at_once:
                channel = next(iter(self._due))
                del self._due[channel]
                channel.join(now)
                joining += 1

    def _remove(self, channel: ChannelProtocol) -> None:
        self._due.pop(channel, None)
        # Another channel may have taken its place.
        if self.channels.get(channel.topic) is channel:
            del self.channels[channel.topic]


def _no_driver() -> None:
    """Do nothing, in place of a driver's wakeup."""


def _refused(judged: Verdict, failure: Failure, times: int) -> PoolseError:
    """Return the error for a refusal that is final."""
    if judged == "refresh":
        text = f"the socket refused the token {times} times, even after a refresh"
        return AuthError(failure.status or 0, "invalid_user_token", text)
    text = f"the socket could not be opened: {failure.reason}"
    error = ConnectionFailed(text, failure.status, final=True)
    error.__cause__ = failure.cause
    return error


def _not_opened(failure: Failure, delay: float) -> ConnectionFailed:
    text = f"the socket could not be opened: {failure.reason}; next attempt in {delay:.1f} s"
    if failure.retry_after > delay:
        text += f" (the server asked for {failure.retry_after:g} s)"
    error = ConnectionFailed(text, failure.status)
    error.__cause__ = failure.cause
    return error
