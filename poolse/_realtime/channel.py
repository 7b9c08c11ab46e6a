"""One channel on a socket: join it, keep it joined, leave it.

Told what happened and when, it sends frames through its connection and adds effects to the list of
its socket: `JoinDue` when it wants its turn to join, `Changed`, `Deliver`, `Answered`, `Trouble`
and `Ended`.

- Each join has its own join_ref. On a duplicate join the server answers the new one first and then
  closes the old one, so a frame with another join_ref than the current one is dropped: taken
  seriously it would close the channel that was just joined.
- Broadcasts carry no join_ref. They count while joining and joined only; after an error they would
  come twice, here and through whatever fills the gap after the rejoin.
- What comes between a join and its reply waits for the reply, so that nobody is told of events in
  a channel that was then refused.
- A channel that crashed is joined again by itself. The delays start over only after it has stayed
  joined for a while: else one that crashes right after each join would be joined without a pause.
- A refusal such as `unauthorized` is tried once more, as the membership may be younger. Then final,
  unless the channel was joined before: then it is final only if it lasts, as a server that is being
  deployed refuses for a moment.
- A user's error handler may leave a channel and acquire it again each time that it fails. The new
  machine waits what was left of the wait of the old one.
- The server works on one join at a time. The clock of a join starts over with each answer to one
  that was sent before it.
- Leaving lasts until the server has confirmed it, or has had its time, and no event is delivered
  meanwhile. A new join of the topic, by a machine of its own, does not wait for that.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final, Literal

from poolse._realtime.bounded_queue import EventQueue
from poolse._realtime.effects import Answered, Changed, Deliver, Effect, Ended, JoinDue, Trouble
from poolse._realtime.frames import (
    PHX_CLOSE,
    PHX_ERROR,
    PHX_JOIN,
    PHX_LEAVE,
    PHX_REPLY,
    Frame,
    is_behind,
)
from poolse._realtime.push import Payload, Push, Pushes, outcome, reason_in
from poolse._realtime.reconnect_policy import (
    AT_FIRST,
    UNMATCHED_TOPIC,
    ConnectionHistory,
    Policy,
    Rejoin,
    Streak,
    rejoin_delay,
)
from poolse._realtime.settings import RealtimeSettings
from poolse.errors import (
    ChannelClosed,
    JoinError,
    PoolseError,
    PushTimeout,
    RealtimeError,
    SlowConsumer,
)

__all__ = ["TRANSITIONS", "ChannelProtocol", "Effects"]

State = Literal["closed", "joining", "joined", "errored", "leaving", "ended"]
Input = Literal["join", "ok", "error", "end", "leave", "lost"]

TRANSITIONS: Final[Mapping[State, Mapping[Input, State]]] = {
    "closed": {"join": "joining", "leave": "ended"},
    "joining": {
        "ok": "joined",
        "error": "errored",
        "end": "ended",
        "leave": "leaving",
        "lost": "errored",
    },
    "joined": {"error": "errored", "end": "ended", "leave": "leaving", "lost": "errored"},
    "errored": {"join": "joining", "leave": "ended"},
    "leaving": {"end": "ended", "lost": "ended"},
    "ended": {},
}
"""What is not here changes nothing. A channel is `closed` before its first turn to join."""


class ChannelProtocol:
    """The state of one channel."""

    def __init__(
        self,
        topic: str,
        settings: RealtimeSettings,
        random: Callable[[], float],
        next_ref: Callable[[], str],
        send: Callable[[Frame], object],
        effects: Effects,
        transient: Collection[str] = (),
        history: ConnectionHistory | None = None,
    ) -> None:
        self.topic = topic
        self.state: State = "closed"
        self.join_ref: str | None = None
        self.deadline: float | None = None
        """When the state that it is in has lasted long enough."""
        self.refusal: JoinError | None = None
        """Why the last join was refused, until one is not."""
        self.trouble: PoolseError | None = None
        """Why the channel is not joined, as far as it is the channel's fault."""
        self.policy: Policy = settings.policy
        self._settings = settings
        self._random = random
        self._next_ref = next_ref
        self._send_frame = send
        self._effects = effects
        self._transient = transient
        self._pushes = Pushes(topic, settings.queue_limit)
        self._early = EventQueue[Frame](settings.queue_limit)
        self._history = history or ConnectionHistory(settings.stable_after)
        self._attempt = 0
        self._refusals = Streak()
        self._was_joined = False
        self._joined_at = 0.0
        self._leave_ref: str | None = None

    @property
    def wake_at(self) -> float | None:
        """When `tick` has something to do."""
        if not self._pushes:
            return self.deadline
        deadlines = (self.deadline, self._pushes.deadline)
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def start(self, now: float) -> None:
        """Want a turn to join: now, or when the wait after an earlier failure is over."""
        rejoin = self._history.rejoin(self.topic, now)
        self._attempt = rejoin.attempt
        if rejoin.due > now:
            self.deadline = rejoin.due
        else:
            self._add(JoinDue())

    def join(self, now: float) -> None:
        """It is this channel's turn to join. The socket is open."""
        if self._move("join"):
            self.join_ref = self._next_ref()
            self._await_reply(now)
            self._send(PHX_JOIN, self.join_ref, {})

    def leave(self, now: float) -> None:
        """Be out of the channel. Where nothing was joined, nothing is sent."""
        if not self._move("leave"):
            return
        self.give_up(ChannelClosed(f"{self.topic} was left"))
        if self.state == "ended":
            self._end(None)
            return
        self._early.clear()
        self._leave_ref = self._next_ref()
        self._await_reply(now)
        self._send(PHX_LEAVE, self._leave_ref, {})

    def join_answered(self, ref: str, now: float) -> None:
        """The server answered a join of this socket, and gets to what was sent after it."""
        waits_for = {"joining": self.join_ref, "leaving": self._leave_ref}.get(self.state)
        if is_behind(waits_for, ref):
            self._await_reply(now)

    def held_up(self, now: float) -> None:
        """What was to be sent before now could only be sent now: its clock starts now."""
        if self.state in ("joining", "leaving"):
            self._await_reply(now)

    def replaced(self, now: float) -> None:
        """Another machine joins the topic: this one leaves it, and waits for no confirmation."""
        self.leave(now)
        if self.state == "leaving":
            self._close(None)

    def send(self, event: str, payload: Mapping[str, object]) -> bool:
        """Send an event that has no reply. Unless joined, drop it and return False.

        Raises:
            FrameError: It cannot be encoded.
        """
        if self.state != "joined":
            return False
        self._send(event, self._next_ref(), payload)
        return True

    def push(self, event: str, payload: Payload, deadline: float, now: float) -> Push:
        """Send an event that has a reply: now, or as soon as the channel is joined.

        Raises:
            FrameError: It cannot be encoded.
            RealtimeError: Too many wait already.
        """
        push = self._pushes.add(event, payload, deadline)
        if self.state == "joined":
            self._pushes.flush(self._send_push, now)
        return push

    def withdraw(self, push: Push) -> None:
        """A reply is waited for no more."""
        self._pushes.withdraw(push)

    def give_up(self, error: PoolseError) -> None:
        """Nothing that is asked for now will be answered."""
        if self._pushes.end(error):
            self._add(Answered())

    def lost(self, now: float) -> None:
        """The socket is gone. It will be this channel's turn as soon as there is a new one."""
        self._forgive(now)
        if self._move("lost"):
            self._forget_join()
            self._add(Ended(None) if self.state == "ended" else Changed())

    def receive(self, frame: Frame, now: float) -> bool:
        """A frame of this topic came.

        Returns:
            Whether it is an event to hand on at once. It changes nothing here, and has no effects.
        """
        if frame.join_ref is not None and frame.join_ref != self.join_ref:
            return False
        if frame.event == PHX_REPLY:
            self._reply(frame, now)
        elif frame.event == PHX_ERROR:
            self._crashed(now)
        elif frame.event == PHX_CLOSE:
            self._closed(now)
        elif self.state in self.policy.delivers_in:
            return True
        elif self.state == "joining":
            transient = frame.event in self._transient
            self._early.put(frame, "transient" if transient else None, transient=transient)
        return False

    def tick(self, now: float) -> None:
        """Time has passed: do what is due."""
        if self._pushes.expire(now):
            self._add(Answered())
        if self.deadline is None or now < self.deadline:
            return
        self.deadline = None
        if self.state in ("closed", "errored"):
            self._add(JoinDue())
        elif self.state == "leaving":
            self._close(None)
        elif self.state == "joining":
            # The server may have joined us all the same; the next join must not be a duplicate.
            self._send(PHX_LEAVE, self._next_ref(), {})
            text = f"no reply to joining {self.topic} within {self._settings.join_timeout:g} s"
            self._error(PushTimeout(text), now)

    def _reply(self, frame: Frame, now: float) -> None:
        ok, response = outcome(frame.payload)
        reason = reason_in(response)
        if self.state == "joining" and frame.ref == self.join_ref:
            if ok:
                self._admitted(now)
            else:
                self._refused(reason, now)
        elif self.state == "leaving" and frame.ref == self._leave_ref:
            self._close(None)
        elif self.state == "joined":
            if self._pushes.answered(frame.ref, frame.payload):
                self._add(Answered())
            if reason == UNMATCHED_TOPIC and self.policy.unmatched_rejoins:
                # The server has lost a channel that we believe to be in.
                text = f"the server does not know {self.topic} any more"
                self._error(RealtimeError(text), now)

    def _crashed(self, now: float) -> None:
        if self.state in ("joining", "joined"):
            self._error(RealtimeError(f"{self.topic} crashed on the server"), now)
        elif self.state == "leaving":
            self._close(None)

    def _closed(self, now: float) -> None:
        if self.state == "leaving":
            self._close(None)
        elif self.state in ("joining", "joined"):
            self._fail(ChannelClosed(f"the server closed {self.topic}"), now)

    def _admitted(self, now: float) -> None:
        self._move("ok")
        self.deadline = None
        self.refusal = None
        self.trouble = None
        self._refusals = Streak()
        self._was_joined = True
        self._joined_at = now
        self._add(Changed())
        self._pushes.flush(self._send_push, now)
        while self._early.is_ready():
            try:
                self._add(Deliver(self._early.get()))
            except SlowConsumer as lost:
                text = f"{lost.dropped} events of {self.topic} were lost while joining"
                self._add(Trouble(SlowConsumer(text, lost.dropped)))

    def _refused(self, reason: str, now: float) -> None:
        self.refusal = JoinError(self.topic, reason)
        if reason in self.policy.terminal_reasons:
            self._refusals.add(now)
            limit = self.policy.lasting if self._was_joined else AT_FIRST["refresh"]
            if self._refusals.lasts(limit, now):
                self._fail(self.refusal, now)
                return
        self._error(self.refusal, now)

    def _error(self, error: PoolseError, now: float) -> None:
        """Back to where the channel waits for its next join."""
        self.trouble = error
        due = self._backoff(now)
        self._move("error")
        self._forget_join()
        self.deadline = due
        self._add(Changed())
        self._add(Trouble(error))

    def _fail(self, error: PoolseError, now: float) -> None:
        """The server ended the channel. Whoever wants it again has to wait a little."""
        self._backoff(now)
        self._close(error)

    def _backoff(self, now: float) -> float:
        """When the topic may be joined again."""
        self._forgive(now)
        due = now + rejoin_delay(self._settings.rejoin_delays, self._attempt, self._random())
        self._attempt += 1
        self._history.join_failed(self.topic, Rejoin(self._attempt, due), now)
        return due

    def _await_reply(self, now: float) -> None:
        """Give the server its time for the reply to a join or to a leave."""
        joining = self.state == "joining"
        limit = self._settings.join_timeout if joining else self._settings.leave_timeout
        self.deadline = now + limit

    def _close(self, error: PoolseError | None) -> None:
        self._move("end")
        self._end(error)

    def _end(self, error: PoolseError | None) -> None:
        self._forget_join()
        self.give_up(error or ChannelClosed(f"{self.topic} was left"))
        self._add(Ended(error))

    def _forgive(self, now: float) -> None:
        if self.state == "joined" and now - self._joined_at >= self._settings.stable_after:
            self._attempt = 0
            self._history.joined(self.topic)

    def _forget_join(self) -> None:
        if self.policy.lost_pushes_fail and self._pushes.lost():
            self._add(Answered())
        self.join_ref = None
        self.deadline = None
        self._early.clear()

    def _send_push(self, push: Push) -> str:
        ref = self._next_ref()
        self._send(push.event, ref, push.payload)
        return ref

    def _send(self, event: str, ref: str, payload: object) -> None:
        self._send_frame(Frame(self.join_ref, ref, self.topic, event, payload))

    def _add(self, effect: Effect) -> None:
        self._effects.append((self, effect))

    def _move(self, what: Input) -> bool:
        after = TRANSITIONS[self.state].get(what)
        if after is None:
            return False
        self.state = after
        return True


Effects = list[tuple[ChannelProtocol | None, Effect]]
"""Effects of one socket in their order, each with its channel; None for the connection."""
