"""Pushes that want a reply: kept until their channel is joined, sent once, answered or failed.

- One deadline, from the call on. What is kept past it is not sent any more.
- What was sent when the channel or the connection is lost fails at once, and says that its outcome
  is unknown. It is never sent again: only the caller knows whether doing it twice does harm.
- What was not sent yet survives that, and goes out after the next join, in order.
- Their number is bounded. One too many is an error of the call that made it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from math import inf
from typing import cast

import attrs

from poolse._realtime.frames import Frame, decode, encode
from poolse.errors import PoolseError, PushError, PushOutcomeUnknown, PushTimeout, RealtimeError

__all__ = ["Payload", "Push", "Pushes", "outcome", "reason_in"]

Payload = Mapping[str, object] | bytes
"""Of a push: a JSON object in a text frame, or bytes in a binary one."""


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
        """What the server answered. Ask when `is_done`.

        Raises:
            PoolseError: It answered with an error, or there is no answer.
        """
        if self._error is not None:
            raise self._error
        return self._response

    def answer(self, payload: object) -> None:
        """The server's reply came."""
        ok, response = outcome(payload)
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
    """Those of one channel that nobody has answered yet."""

    def __init__(self, topic: str, limit: int) -> None:
        self._topic = topic
        self._limit = limit
        self._waiting: deque[Push] = deque()
        self._sent: dict[str, Push] = {}

    def __len__(self) -> int:
        return len(self._waiting) + len(self._sent)

    @property
    def deadline(self) -> float | None:
        """When the next one has waited long enough."""
        if not self:
            return None
        deadline = min(push.deadline for push in self._all())
        return None if deadline == inf else deadline

    def add(self, event: str, payload: Payload, deadline: float) -> Push:
        """One more, to be sent by the next `flush`.

        Raises:
            FrameError: It cannot be encoded.
            RealtimeError: There are too many already.
        """
        if len(self) >= self._limit:
            raise RealtimeError(f"{self._limit} pushes to {self._topic} wait already")
        # Encoded now, so that the caller gets the error; and a copy, which nobody can change.
        frame = encode(Frame("", "", self._topic, event, payload))
        copy = payload if isinstance(payload, bytes) else decode(frame).payload
        push = Push(event, copy, deadline)
        self._waiting.append(push)
        return push

    def flush(self, send: Callable[[Push], str], now: float) -> None:
        """Send what waits, in order; `send` gives the ref."""
        self.expire(now)
        while self._waiting:
            push = self._waiting.popleft()
            self._sent[send(push)] = push

    def answered(self, ref: str | None, payload: object) -> bool:
        """A reply came; False when it is to nothing that is still waited for."""
        push = None if ref is None else self._sent.pop(ref, None)
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
        """The join under which they were sent is over; False when that concerns none."""
        concerned = bool(self._sent)
        for push in self._sent.values():
            text = f"{self._topic} was lost before the reply to {push.event}"
            push.fail(PushOutcomeUnknown(text))
        self._forget_done()
        return concerned

    def end(self, error: PoolseError) -> bool:
        """There will be no next join; False when that concerns none."""
        concerned = self.lost() or bool(self._waiting)
        for push in self._waiting:
            push.fail(error)
        self._forget_done()
        return concerned

    def _all(self) -> list[Push]:
        return [*self._waiting, *self._sent.values()]

    def _forget_done(self) -> None:
        self._waiting = deque(push for push in self._waiting if not push.is_done)
        self._sent = {ref: push for ref, push in self._sent.items() if not push.is_done}


def outcome(payload: object) -> tuple[bool, object]:
    """Whether a reply says ok, and its response."""
    reply = _object(payload)
    return reply.get("status") == "ok", reply.get("response")


def reason_in(response: object) -> str:
    """Why a reply refuses."""
    reason = _object(response).get("reason")
    return reason if isinstance(reason, str) else "no reason given"


def _object(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}
