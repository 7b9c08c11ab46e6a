"""One channel on a socket: join it, keep it joined, leave it.

It is called with what happened and when, sends frames through its connection and adds effects to
the list of its socket: `JoinDue` when it wants its turn to join, `Changed`, `Deliver`, `Answered`,
`Trouble` and `Ended`.

- Each join has its own join_ref. On a duplicate join the server replies to the new one first and
  then closes the old one, so a frame with another join_ref than the current one is dropped: taken
  seriously it would close the channel that was just joined.
- Broadcasts carry no join_ref. They count while joining and joined only; after an error they would
  come twice, here and through whatever fills the gap after the rejoin.
- What comes between a join and its reply waits for the reply, so that there are no events of
  a channel that was then refused.
- A channel that crashed is rejoined automatically. The delays start over only after it has stayed
  joined for a while: else one that crashes right after each join would be joined without a pause.
- A refusal such as `unauthorized` is tried once more, as the membership may be younger. Then final,
  unless the channel was joined before: then it is final only if it lasts, as a server that is being
  deployed refuses for a moment.
- A user's error handler may leave a channel and acquire it again each time that it fails. The new
  channel waits what was left of the wait of the old one.
- The server works on one join at a time. The clock of a join starts over with each reply to one
  that was sent before it.
- Leaving lasts until the server has confirmed it, or has had its time, and no event is delivered
  meanwhile. A new join of the topic, by another `ChannelProtocol`, does not wait for that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping
from math import inf
from typing import Final, Literal

import attrs

from poolse._json.parsing import as_object
from poolse._realtime.effects import Answered, Changed, Deliver, Effect, Ended, JoinDue, Trouble
from poolse._realtime.frames import (
    PHX_CLOSE,
    PHX_ERROR,
    PHX_JOIN,
    PHX_LEAVE,
    PHX_REPLY,
    Frame,
    decode,
    encode,
    is_behind,
)
from poolse._realtime.queues import EventQueue
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
from poolse._support.id_arguments import hint_for
from poolse.errors import (
    ChannelClosed,
    JoinError,
    PoolseError,
    PushError,
    PushOutcomeUnknown,
    PushTimeout,
    RealtimeError,
    SlowConsumer,
)

__all__ = ["TRANSITIONS", "ChannelProtocol", "Effects", "Payload", "Push"]

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


Payload = Mapping[str, object] | bytes
"""Payload of a push: a JSON object (text frame), or bytes (binary frame)."""


@attrs.define(eq=False)
class Push:
    """One push, as the caller waits for it."""

    event: str
    payload: object = attrs.field(repr=False)
    deadline: float
    """On the clock of the client; infinite for none."""
    is_done: bool = False
    _response: object = attrs.field(default=None, repr=False)
    _error: PoolseError | None = None

    def result(self) -> object:
        """Return the reply of the server. Call it when `is_done`.

        Raises:
            PoolseError: The reply is an error, or there is no reply.
        """
        if self._error is not None:
            raise self._error
        return self._response

    def answer(self, payload: object) -> None:
        """Set the server's reply."""
        ok, response, _ = read_reply(payload)
        if ok:
            self._finish(response, None)
        else:
            self._finish(None, PushError(self.event, response))

    def fail(self, error: PoolseError) -> None:
        """There will be no reply."""
        self._finish(None, error)

    def _finish(self, response: object, error: PoolseError | None) -> None:
        if not self.is_done:
            self.is_done, self._response, self._error = True, response, error


class Pushes:
    """Pushes of one channel that want a reply: kept until it is joined, and sent once.

    - One deadline, from the call on. What is kept past it is not sent any more.
    - What was sent when the channel or the connection is lost fails at once, and says that its
      outcome is unknown. It is never sent again: only the caller knows whether that does harm.
    - What was not sent yet survives that, and goes out after the next join, in order.
    - Their number is bounded. One too many is an error of the call that made it.
    """

    def __init__(self, topic: str, limit: int) -> None:
        self._topic = topic
        self._limit = limit
        self.waiting: deque[Push] = deque()
        """Those that wait for the channel to be joined."""
        self.sent: dict[str, Push] = {}
        """Those that wait for their reply, by ref."""

    @property
    def deadline(self) -> float | None:
        """When the next one has waited long enough."""
        deadline = min((push.deadline for push in self._all()), default=inf)
        return None if deadline == inf else deadline

    def add(self, event: str, payload: Payload, deadline: float) -> Push:
        """One more, to be sent by the next `flush`.

        Raises:
            FrameError: It cannot be encoded.
            RealtimeError: There are too many already.
        """
        if len(self.waiting) + len(self.sent) >= self._limit:
            raise RealtimeError(f"{self._limit} pushes to {self._topic} are queued already")
        # Encoded now, so that the caller gets the error; and a copy, which cannot change.
        frame = encode(Frame("", "", self._topic, event, payload))
        copy = payload if isinstance(payload, bytes) else decode(frame).payload
        push = Push(event, copy, deadline)
        self.waiting.append(push)
        return push

    def flush(self, send: Callable[[Push], str], now: float) -> None:
        """Send what waits, in order; `send` gives the ref."""
        self.expire(now)
        while self.waiting:
            push = self.waiting.popleft()
            self.sent[send(push)] = push

    def answered(self, ref: str | None, payload: object) -> bool:
        """Process a reply; return False if nothing waits for it."""
        push = None if ref is None else self.sent.pop(ref, None)
        if push is not None:
            push.answer(payload)
        return push is not None

    def expire(self, now: float) -> bool:
        """Fail those whose time is over; False when there were none."""
        late = [push for push in self._all() if push.deadline <= now]
        self._withdraw(late)
        return bool(late)

    def withdraw(self, push: Push) -> None:
        """Fail a push whose caller has stopped waiting: it is not sent, or its reply is ignored."""
        self._withdraw([push])

    def _withdraw(self, late: list[Push]) -> None:
        for push in late:
            text = f"no reply to {push.event} of {self._topic} in time (push timeout); wait longer"
            push.fail(PushTimeout(f"{text} with push(..., timeout=...)"))
        if late:
            self._forget_done()

    def lost(self) -> bool:
        """End the pushes of a join that has ended; return False if there were none."""
        concerned = bool(self.sent)
        for push in self.sent.values():
            text = f"{self._topic} was lost before the reply to {push.event}"
            push.fail(PushOutcomeUnknown(text))
        self._forget_done()
        return concerned

    def end(self, error: PoolseError) -> bool:
        """There will be no next join; False when that concerns none."""
        concerned = self.lost() or bool(self.waiting)
        for push in self.waiting:
            push.fail(error)
        self._forget_done()
        return concerned

    def _all(self) -> list[Push]:
        return [*self.waiting, *self.sent.values()]

    def _forget_done(self) -> None:
        self.waiting = deque(push for push in self.waiting if not push.is_done)
        self.sent = {ref: push for ref, push in self.sent.items() if not push.is_done}


def read_reply(payload: object) -> tuple[bool, object, str]:
    """Return whether a reply says ok, its response, and the reason if it refuses."""
    reply = as_object(payload)
    response = reply.get("response")
    reason = as_object(response).get("reason")
    text = reason if isinstance(reason, str) else "no reason given"
    return reply.get("status") == "ok", response, text


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
        self._early: EventQueue[Frame] | None = None
        """What came between the join and its reply."""
        self._history = history or ConnectionHistory(settings.stable_after)
        self._attempt = 0
        self._refusals = Streak()
        self._was_joined = False
        self._joined_at = 0.0
        self._leave_ref: str | None = None

    @property
    def wake_at(self) -> float | None:
        """When `tick` has something to do."""
        if not self._pushes.waiting and not self._pushes.sent:
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
            self._effects.append((self, JoinDue()))

    def join(self, now: float) -> None:
        """Join, since it is this channel's turn and the socket is open."""
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
            self._close(None)
            return
        self._early = None
        self._leave_ref = self._next_ref()
        self._await_reply(now)
        self._send(PHX_LEAVE, self._leave_ref, {})

    def join_answered(self, ref: str, now: float) -> None:
        """Note a reply to a join of this socket: the server continues after it."""
        waits_for = {"joining": self.join_ref, "leaving": self._leave_ref}.get(self.state)
        if is_behind(waits_for, ref):
            self._await_reply(now)

    def held_up(self, now: float) -> None:
        """Start the clock now, since the driver could only send now."""
        if self.state in ("joining", "leaving"):
            self._await_reply(now)

    def replaced(self, now: float) -> None:
        """Another channel joins the topic: this one leaves it, and waits for no confirmation."""
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
        """Forget a push whose reply is no longer needed."""
        self._pushes.withdraw(push)

    def give_up(self, error: PoolseError) -> None:
        """Note that no reply will come to what is requested now."""
        if self._pushes.end(error):
            self._effects.append((self, Answered()))

    def lost(self, now: float) -> None:
        """Note that the socket is lost. The channel joins on the next one."""
        self._forgive(now)
        if self._move("lost"):
            self._forget_join()
            self._effects.append((self, Ended(None) if self.state == "ended" else Changed()))

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
            if self._early is None:
                self._early = EventQueue(self._settings.queue_limit)
            transient = frame.event in self._transient
            self._early.put(frame, "transient" if transient else None, transient=transient)
        return False

    def tick(self, now: float) -> None:
        """Time has passed: do what is due."""
        if self._pushes.expire(now):
            self._effects.append((self, Answered()))
        if self.deadline is None or now < self.deadline:
            return
        self.deadline = None
        if self.state in ("closed", "errored"):
            self._effects.append((self, JoinDue()))
        elif self.state == "leaving":
            self._close(None)
        elif self.state == "joining":
            # The server may have joined us all the same; the next join must not be a duplicate.
            self._send(PHX_LEAVE, self._next_ref(), {})
            text = f"no reply to joining {self.topic} within {self._settings.join_timeout:g} s"
            self._error(PushTimeout(text), now)

    def _reply(self, frame: Frame, now: float) -> None:
        ok, _, reason = read_reply(frame.payload)
        if self.state == "joining" and frame.ref == self.join_ref:
            if ok:
                self._admitted(now)
            else:
                self._refused(reason, now)
        elif self.state == "leaving" and frame.ref == self._leave_ref:
            self._close(None)
        elif self.state == "joined":
            if self._pushes.answered(frame.ref, frame.payload):
                self._effects.append((self, Answered()))
            if reason == UNMATCHED_TOPIC and self.policy.unmatched_rejoins:
                # The server has lost a channel that we believe to be in.
                text = f"the server no longer knows {self.topic}"
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
        self._effects.append((self, Changed()))
        if self._pushes.waiting:
            self._pushes.flush(self._send_push, now)
        early, self._early = self._early, None
        while early is not None and early.is_ready():
            try:
                self._effects.append((self, Deliver(early.get())))
            except SlowConsumer as lost:
                text = f"{lost.dropped} events of {self.topic} were lost while joining"
                self._effects.append((self, Trouble(SlowConsumer(text, lost.dropped))))

    def _refused(self, reason: str, now: float) -> None:
        self.refusal = JoinError(self.topic, reason)
        hint = hint_for("the ID", self.topic.rpartition(":")[2])
        if hint is not None:
            self.refusal.add_note(hint)
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
        self._effects.append((self, Changed()))
        self._effects.append((self, Trouble(error)))

    def _fail(self, error: PoolseError, now: float) -> None:
        """Note that the server closed the channel. A new join has to wait a little."""
        self._backoff(now)
        self._close(error)

    def _backoff(self, now: float) -> float:
        """Return the time of the next join of the topic."""
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
        self._forget_join()
        self.give_up(error or ChannelClosed(f"{self.topic} was left"))
        self._effects.append((self, Ended(error)))

    def _forgive(self, now: float) -> None:
        if self.state == "joined" and now - self._joined_at >= self._settings.stable_after:
            self._attempt = 0
            self._history.joined(self.topic)

    def _forget_join(self) -> None:
        if self._pushes.sent and self.policy.lost_pushes_fail and self._pushes.lost():
            self._effects.append((self, Answered()))
        self.join_ref = self.deadline = self._early = None

    def _send_push(self, push: Push) -> str:
        ref = self._next_ref()
        self._send(push.event, ref, push.payload)
        return ref

    def _send(self, event: str, ref: str, payload: object) -> None:
        self._send_frame(Frame(self.join_ref, ref, self.topic, event, payload))

    def _move(self, what: Input) -> bool:
        after = TRANSITIONS[self.state].get(what)
        self.state = after or self.state
        return after is not None


Effects = list[tuple[ChannelProtocol | None, Effect]]
"""Effects of one socket in their order, each with its channel; None for the connection."""
